"""The figures of a ranking and of a risk, on one slice: everybody observed at one as-of.

Everywhere ``y`` holds the outcomes (1 the bad outcome, 0 not, shape (n,)) and ``s`` the scores (higher is
worse, shape (n,), any scale); ``risks`` are probabilities. Rows with equal scores share what stands at their
places: a ranking figure is its mean over all orders of the tied rows, and no figure depends on the order of
the rows. A slice in which everybody or nobody had the outcome is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.errors import DataRefused

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]

CALIBRATION_BINS = 10
CAPACITY_TOTAL = 0.05
"""The share of the observed that is listed where no owners are known (DESIGN §7)."""
RISK_FLOOR = 1e-9
"""Risks are kept this far from 0 and 1 on the log-odds scale, where those would be infinite."""


def outcomes_and_scores(y: ArrayLike, s: ArrayLike) -> tuple[Numbers, Numbers]:
    """Outcomes and scores as float64, refused where they cannot be ranked.

    Raises DataRefused when ``y`` holds one class only, ValueError when shapes differ, an outcome is neither 0
    nor 1, or a score is NaN.
    """
    outcomes = np.asarray(y, dtype=np.float64)
    scores = np.asarray(s, dtype=np.float64)
    if outcomes.ndim != 1 or outcomes.shape != scores.shape:
        raise ValueError(f"outcomes {outcomes.shape} and scores {scores.shape} are not one number per row")
    if not np.isin(outcomes, (0.0, 1.0)).all():
        raise ValueError("an outcome is neither 0 nor 1")
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: nobody knows where it ranks")
    bad = int(outcomes.sum())
    if bad in (0, len(outcomes)):
        raise DataRefused(
            f"{bad} of {len(outcomes)} observations have the outcome: with one kind alone nothing ranks",
            allowed="at least one with and one without the outcome",
            hint="choose an as-of with a full label window, a longer horizon, or another population",
        )
    return outcomes, scores


def codes_of(labels: Sequence[object] | NDArray[np.generic], n: int) -> Codes:
    """The number of each of ``n`` labels, in the order of their first row; ValueError where there are not so many."""
    if len(labels) != n:
        raise ValueError(f"{len(labels)} labels for {n} rows")
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)


def tie_groups(s: Numbers, strata: Codes) -> tuple[Codes, Codes]:
    """An order by stratum, then from the highest score down, and where each group of equal scores begins in
    it.

    Returns ``order`` (n,) and ``starts`` (number of groups,), ascending positions in ``order``, the first 0.
    """
    order = np.lexsort((-s, strata))
    sorted_s, sorted_strata = s[order], strata[order]
    new = (sorted_s[1:] != sorted_s[:-1]) | (sorted_strata[1:] != sorted_strata[:-1])
    return order, np.flatnonzero(np.concatenate(([True], new)))


def auc(y: ArrayLike, s: ArrayLike) -> float:
    """The share of (with, without the outcome) pairs ranked the right way round, ties counting half."""
    outcomes, scores = outcomes_and_scores(y, s)
    order, starts = tie_groups(scores, np.zeros(len(scores), dtype=np.int64))
    positives = np.add.reduceat(outcomes[order], starts)
    negatives = np.add.reduceat(1.0 - outcomes[order], starts)
    below = negatives.sum() - np.cumsum(negatives)
    return float((positives * (below + negatives / 2)).sum() / (positives.sum() * negatives.sum()))


def average_precision(y: ArrayLike, s: ArrayLike) -> float:
    """The mean precision at the ranks of the outcomes, in expectation over the orders of tied rows.

    Within a group of ``m`` tied rows, ``p`` of them outcomes, an outcome stands at the group's place ``j``
    with probability ``p / m``, and then ``(p - 1) (j - 1) / (m - 1)`` of the others are expected before it.
    Without ties this is the usual average precision; with ties scikit-learn's takes the worst place of a
    group.
    """
    outcomes, scores = outcomes_and_scores(y, s)
    order, starts = tie_groups(scores, np.zeros(len(scores), dtype=np.int64))
    sizes = np.diff(np.append(starts, len(scores)))
    positives = np.add.reduceat(outcomes[order], starts)
    before = np.cumsum(positives) - positives
    m, p, first = (np.repeat(part, sizes) for part in (sizes, positives, before))
    place = np.arange(1, len(scores) + 1)
    j = place - np.repeat(starts, sizes)
    others = (p - 1) * (j - 1) / np.maximum(m - 1, 1)
    return float((p / m * (first + 1 + others) / place).sum() / outcomes.sum())


@dataclass(frozen=True)
class AtCapacity:
    """What a list of ``rows`` rows catches: ``hits`` outcomes (expected, so not always whole) of
    ``outcomes``.
    """

    rows: int
    hits: float
    outcomes: int
    observed: int

    @property
    def precision(self) -> float:
        """The share of the listed who had the outcome."""
        return self.hits / self.rows

    @property
    def recall(self) -> float:
        """The share of those with the outcome who were listed."""
        return self.hits / self.outcomes

    @property
    def lift(self) -> float:
        """Precision over the base rate: how many times better than listing anybody."""
        return self.precision / (self.outcomes / self.observed)


def share_rows(n: int, share: float) -> int:
    """How many rows a share of ``n`` is: the nearest whole number, at least 1."""
    return max(1, int(np.floor(share * n + 0.5)))


def strata_and_room(
    n: int,
    owners: Sequence[object] | NDArray[np.object_] | None,
    capacity: Mapping[str, int] | None,
    share: float,
) -> tuple[Codes, Numbers]:
    """Which list each row competes for, and how many rows each list has.

    Returns stratum codes (n,) and the rooms (number of strata,). With ``owners`` and ``capacity`` each owner
    is a stratum; a row without an owner (anything but text) competes for a list of no rows. Otherwise there
    is one list of ``share`` of the rows. Raises DataRefused when an owner has no capacity given.
    """
    if owners is None or capacity is None:
        return np.zeros(n, dtype=np.int64), np.array([share_rows(n, share)], dtype=np.float64)
    if len(owners) != n:
        raise ValueError(f"{len(owners)} owners for {n} rows")
    names = [owner if isinstance(owner, str) else "" for owner in owners]
    unknown = sorted({name for name in names if name and name not in capacity})
    if unknown:
        raise DataRefused(
            f"the owner {unknown[0]} has no capacity ({len(unknown)} such owners)",
            hint="add them to the agents table, or set capacity in outreach.yaml",
        )
    levels, codes = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    room = np.array([capacity[str(name)] if name else 0 for name in levels], dtype=np.float64)
    return codes.astype(np.int64), room


def at_capacity(
    y: ArrayLike,
    s: ArrayLike,
    *,
    owners: Sequence[object] | NDArray[np.object_] | None = None,
    capacity: Mapping[str, int] | None = None,
    capacity_total: float = CAPACITY_TOTAL,
) -> AtCapacity:
    """What the top rows of each owner catch; without owners, the top ``capacity_total`` of all.

    ``capacity`` maps owner to rows; an owner with fewer customers lists them all. Raises DataRefused when
    nobody can be listed at all.
    """
    outcomes, scores = outcomes_and_scores(y, s)
    listed = listed_at_capacity(scores, owners=owners, capacity=capacity, capacity_total=capacity_total)
    rows = round(float(listed.sum()))
    if rows == 0:
        raise DataRefused(
            "the owners' capacities leave no row on the list, so its precision cannot be measured",
            hint="set capacity in outreach.yaml, or capacity of the agents, above 0",
        )
    return AtCapacity(rows, float((listed * outcomes).sum()), int(outcomes.sum()), len(outcomes))


def listed_at_capacity(
    s: ArrayLike,
    *,
    owners: Sequence[object] | NDArray[np.object_] | None = None,
    capacity: Mapping[str, int] | None = None,
    capacity_total: float = CAPACITY_TOTAL,
) -> Numbers:
    """How surely each row (n,) is listed: 1 listed, 0 not, between where tied rows share the last places of a list.

    Whose list, and how long it is: see ``at_capacity``.
    """
    scores = np.asarray(s, dtype=np.float64)
    strata, room = strata_and_room(len(scores), owners, capacity, capacity_total)
    order, starts = tie_groups(scores, strata)
    sizes = np.diff(np.append(starts, len(scores)))
    group_strata = strata[order][starts]
    rows_before_stratum = np.searchsorted(strata[order], group_strata)
    taken = np.clip(room[group_strata] - (starts - rows_before_stratum), 0, sizes)
    listed = np.empty(len(scores))
    listed[order] = np.repeat(taken / sizes, sizes)
    return listed


def precision_at_capacity(
    y: ArrayLike,
    s: ArrayLike,
    *,
    owners: Sequence[object] | NDArray[np.object_] | None = None,
    capacity: Mapping[str, int] | None = None,
    capacity_total: float = CAPACITY_TOTAL,
) -> float:
    """The share of the listed who had the outcome; see ``at_capacity``."""
    return at_capacity(y, s, owners=owners, capacity=capacity, capacity_total=capacity_total).precision


def lift_at(y: ArrayLike, s: ArrayLike, share: float) -> float:
    """Precision among the top ``share`` (nearest whole number of rows, at least 1) over the base rate."""
    return at_capacity(y, s, capacity_total=share).lift


def brier(y: ArrayLike, risks: ArrayLike) -> float:
    """The mean squared distance between risk and outcome."""
    outcomes, r = outcomes_and_scores(y, risks)
    return float(np.mean((r - outcomes) ** 2))


def log_loss(y: ArrayLike, risks: ArrayLike) -> float:
    """The mean negative logarithm of the probability given to what came; risks are kept 1e-9 from 0 and 1."""
    outcomes, r = outcomes_and_scores(y, risks)
    return float(log_losses(outcomes, r).mean())


def log_losses(outcomes: Numbers, risks: Numbers) -> Numbers:
    """Each row's part of ``log_loss`` (n,)."""
    kept = np.clip(risks, RISK_FLOOR, 1 - RISK_FLOOR)
    parts: Numbers = -np.log(np.where(outcomes == 1, kept, 1 - kept))
    return parts


def calibration_error(y: ArrayLike, risks: ArrayLike) -> float:
    """The mean distance between risk and rate over ten bins of equal mass (expected calibration error).

    Rows are sorted by risk and cut into ten bins whose sizes differ by one at most (fewer than ten rows: one
    bin each); the error is the mean of ``|mean risk - rate|`` weighted by bin size. Rows of equal risk share
    their rate first, so a bin's edge inside them does not make the figure depend on their order.
    """
    outcomes, r = outcomes_and_scores(y, risks)
    order, starts = tie_groups(r, np.zeros(len(r), dtype=np.int64))
    sizes = np.diff(np.append(starts, len(r)))
    rate = np.repeat(np.add.reduceat(outcomes[order], starts) / sizes, sizes)
    gaps = np.array_split(r[order] - rate, CALIBRATION_BINS)
    return float(sum(abs(gap.sum()) for gap in gaps) / len(r))


def base_rate_shift(y: ArrayLike, risks: ArrayLike) -> float:
    """The observed rate minus the mean risk: above 0, more had the outcome than was foretold."""
    outcomes, r = outcomes_and_scores(y, risks)
    return float(outcomes.mean() - r.mean())


def calibration_error_after_shift(y: ArrayLike, risks: ArrayLike) -> float:
    """``calibration_error`` once the base-rate shift is taken out: what is wrong with the shape of the risks
    alone.

    Every risk is moved by the same amount on the log-odds scale, so that the mean risk equals the observed
    rate.
    """
    outcomes, r = outcomes_and_scores(y, risks)
    return calibration_error(outcomes, shifted_to(r, float(outcomes.mean())))


def shifted_to(risks: Numbers, rate: float) -> Numbers:
    """The risks (n,), moved by one amount on the log-odds scale so that their mean is ``rate`` (0 < rate <
    1).
    """
    kept = np.clip(risks, RISK_FLOOR, 1 - RISK_FLOOR)
    odds = np.log(kept) - np.log1p(-kept)
    low, high = -60.0, 60.0
    for _ in range(70):  # 120 / 2**70 is far below what a double can tell apart
        middle = (low + high) / 2
        if np.mean(1 / (1 + np.exp(-(odds + middle)))) < rate:
            low = middle
        else:
            high = middle
    moved: Numbers = 1 / (1 + np.exp(-(odds + (low + high) / 2)))
    return moved
