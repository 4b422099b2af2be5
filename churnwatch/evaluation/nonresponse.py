"""What everybody would say, from the answers of those who did: estimates under silence, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnwatch.evaluation.bootstrap import SURE, draws
from churnwatch.evaluation.figures import Numbers
from churnwatch.learner import effective_size

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEWEST = 30
"""Answers, of different customers, that a number wants; our choice: of fewer, a bootstrap knows too few stories."""
REPLICATES = (600, 100)
"""So many for up to 16,000 customers, then the fewer the more there are, down to the second."""
IN_ALL = 10_000_000
"""Customers drawn over all replicates, where those are not told."""


@dataclass(frozen=True)
class Quantity:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Rounded to where nobody could tell the difference."""
        return {field.name: round(getattr(self, field.name), 4) for field in fields(self)}


@dataclass(frozen=True)
class Asked:
    """Surveys that were sent, one row each, all arrays (n,).

    ``customer`` are codes, 0 and up; ``figure`` and ``bad`` (0 or 1) what an answer says, NaN without one;
    ``figure_told`` and ``bad_told`` what a model that has not seen the customer expects of them; ``weight`` one over
    the chance of an answer (NaN where there is no chance to tell).
    """

    customer: Codes
    answered: Mask
    figure: Numbers
    bad: Numbers
    figure_told: Numbers
    bad_told: Numbers
    weight: Numbers

    def take(self, rows: Mask) -> Asked:
        """The rows where the mask holds."""
        return Asked(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Everybody:
    """All customers the estimate is for, whether they were asked or not; arrays (m,) as in ``Asked``."""

    customer: Codes
    figure_told: Numbers
    bad_told: Numbers

    def take(self, rows: Mask) -> Everybody:
        """The rows where the mask holds."""
        return Everybody(self.customer[rows], self.figure_told[rows], self.bad_told[rows])


@dataclass(frozen=True)
class Estimates:
    """What the answers say (``naive``) and what all would (``corrected``), of the figure and of the bad share.

    ``effective``: so many answers of equal weight the weighted ones are worth (Kish). What cannot be told is None.
    """

    response_rate: Quantity | None
    naive: Quantity | None
    corrected: Quantity | None
    difference: Quantity | None
    bad_naive: Quantity | None
    bad_corrected: Quantity | None
    effective: float | None


NOTHING = Estimates(None, None, None, None, None, None, None)


def enough(asked: Asked) -> int | None:
    """None where the answers are enough to estimate by; else of how many different customers there are any."""
    customers = len(np.unique(asked.customer[asked.answered]))
    return None if customers >= FEWEST else customers


def estimates(
    asked: Asked,
    everybody: Everybody | None = None,
    *,
    silent: bool = True,
    seed: int = 1,
    replicates: int | None = None,
) -> Estimates:
    """Naive and corrected estimates of one figure, and the response rate, with 95 % intervals.

    Corrected for those asked: the mean of what the model expects of each survey sent, plus the weighted mean of what
    the answers say beyond it, ``sum w (Y - m) / sum w`` (augmented inverse probability weighting: Robins, Rotnitzky &
    Zhao, Journal of the American Statistical Association 89, 1994; the weights made to sum to one as Hájek did, 1971).
    It is right where either the chances or the expectations are. With ``everybody``, the mean of the expectations is
    that of all of them as they are now, asked or not; what the answers say beyond it is taken from those asked, so who
    is there now must be like those who were asked, or the expectations right.

    ``silent`` False: nobody who keeps silent is known, so there is no response rate and nothing is corrected.

    Intervals: 2.5 and 97.5 percentiles over customers drawn with replacement, a customer with all their surveys; all
    numbers meet the same draws. Expectations and chances are taken as given: fitted out of fold, their own error moves
    these estimates only in second order (Chernozhukov et al., The Econometrics Journal 21, 2018). Without ``enough``
    answers nothing is told but the rate, and that only of so many surveys.
    """
    rate = response_rate(asked.customer, asked.answered, seed=seed, replicates=replicates) if silent else None
    if enough(asked) is not None:
        return Estimates(rate, None, None, None, None, None, None)
    sums = _sums(asked, everybody, silent=silent)
    once = _told(sums.sum(axis=0)[None, :], silent=silent)
    portions = [_told(totals, silent=silent) for totals in _drawn(sums, replicates=replicates, seed=seed)]
    found = {
        name: _quantity(float(value[0]), np.concatenate([portion[name] for portion in portions]))
        for name, value in once.items()
    }
    weights = asked.weight[asked.answered]
    return Estimates(
        rate,
        found["naive"],
        found.get("corrected"),
        found.get("difference"),
        found["bad_naive"],
        found.get("bad_corrected"),
        effective_size(weights) if silent else None,
    )


def response_rate(customer: Codes, answered: Mask, *, seed: int = 1, replicates: int | None = None) -> Quantity | None:
    """The share of the surveys (n,) that were answered; None of fewer than ``FEWEST``.

    Where all or none were, every draw says the same; the interval is then the exact one of as many customers (Clopper
    & Pearson, Biometrika 26, 1934), each of whom counts once.
    """
    if len(answered) < FEWEST:
        return None
    if answered.all() or not answered.any():
        reach = 1 - (0.01 * SURE[0]) ** (1 / len(np.unique(customer)))
        return Quantity(1.0, 1 - reach, 1.0) if answered.any() else Quantity(0.0, 0.0, reach)
    sums = _by_customer(customer, np.ones(len(answered)), answered)
    totals = np.concatenate(list(_drawn(sums, replicates=replicates, seed=seed)))
    return _quantity(float(answered.mean()), totals[:, 1] / totals[:, 0])


@dataclass(frozen=True)
class Drift:
    """How much the response rate is above that of the window before; ``moved``: beyond chance."""

    change: Quantity
    moved: bool


def response_drift(
    now: tuple[Codes, Mask], before: tuple[Codes, Mask], *, seed: int = 1, replicates: int | None = None
) -> Drift | None:
    """The response rate of the surveys ``now`` minus that of those ``before``, each (customer, answered).

    Customers are drawn with all their surveys of both windows, so that habits do not look like change. None of fewer
    than ``FEWEST`` surveys in either, or where all or none of both were answered: then there is nothing to draw.
    """
    if min(len(now[1]), len(before[1])) < FEWEST or len(np.unique(np.concatenate([now[1], before[1]]))) < 2:
        return None
    customer = np.concatenate([now[0], before[0]])
    late = np.concatenate([np.ones(len(now[1])), np.zeros(len(before[1]))])
    answered = np.concatenate([now[1], before[1]]).astype(np.float64)
    sums = _by_customer(customer, late, late * answered, 1 - late, (1 - late) * answered)
    totals = np.concatenate(list(_drawn(sums, replicates=replicates, seed=seed)))
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = totals[:, 1] / totals[:, 0] - totals[:, 3] / totals[:, 2]
    change = _quantity(float(now[1].mean() - before[1].mean()), drawn)
    return Drift(change, not change.low <= 0 <= change.high)


_COLUMNS = ("answered", "figure", "bad", "weight", "figure_left", "bad_left", "told", "figure_told", "bad_told")


def _sums(asked: Asked, everybody: Everybody | None, *, silent: bool) -> Numbers:
    """(customers, len(_COLUMNS)): the sums over each one's surveys that every estimate is made of."""
    there = asked.answered

    def of_answers(values: Numbers) -> Numbers:
        return np.where(there, values, 0.0)

    weight = of_answers(asked.weight) if silent else np.zeros(len(there))
    rows = [
        there.astype(np.float64),
        of_answers(asked.figure),
        of_answers(asked.bad),
        weight,
        of_answers(asked.weight * (asked.figure - asked.figure_told)) if silent else weight,
        of_answers(asked.weight * (asked.bad - asked.bad_told)) if silent else weight,
    ]
    told = everybody if everybody is not None else asked
    nothing = [np.zeros(len(told.customer))] * len(rows)
    means = [np.ones(len(told.customer)), told.figure_told, told.bad_told]
    none = [np.zeros(len(there))] * len(means)
    customer = np.concatenate([asked.customer, told.customer])
    columns = [np.concatenate(pair) for pair in zip([*rows, *none], [*nothing, *means], strict=True)]
    return _by_customer(customer, *columns)


def _by_customer(customer: Codes, *columns: NDArray[Any]) -> Numbers:
    """(customers, columns): each column (n,) summed over the rows of each customer."""
    _, place = np.unique(customer, return_inverse=True)
    return np.column_stack([np.bincount(place, weights=column.astype(np.float64)) for column in columns])


def _told(totals: Numbers, *, silent: bool) -> dict[str, Numbers]:
    """The estimates (replicates,) of sums over all customers (replicates, len(_COLUMNS))."""
    one = dict(zip(_COLUMNS, totals.T, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {"naive": one["figure"] / one["answered"], "bad_naive": one["bad"] / one["answered"]}
        if silent:
            found["corrected"] = one["figure_told"] / one["told"] + one["figure_left"] / one["weight"]
            bad = one["bad_told"] / one["told"] + one["bad_left"] / one["weight"]
            # A share is one: what the answers say beyond the model may carry a small one over its end.
            found["bad_corrected"] = np.clip(bad, 0.0, 1.0)
            found["difference"] = found["corrected"] - found["naive"]
    return found


def _drawn(sums: Numbers, *, replicates: int | None, seed: int) -> Iterator[Numbers]:
    """Sums over as many customers as there are, drawn with replacement, some replicates (…, columns) at a time."""
    most, least = REPLICATES
    count = replicates or min(most, max(least, IN_ALL // len(sums)))
    for weights in draws(len(sums), replicates=count, seed=seed):
        # einsum, not a product of matrices: BLAS would start threads for it.
        yield np.einsum("rc,ck->rk", weights, sums)


def _quantity(value: float, drawn: Numbers) -> Quantity:
    """The percentile interval; a draw without an answer is left out (Efron & Tibshirani 1993, ch. 13)."""
    low, high = (float(end) for end in np.nanpercentile(drawn, SURE))
    return Quantity(value, low, high)
