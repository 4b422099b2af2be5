"""Whom to ask next: whose answer is likely to come, and would tell most of what is not known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnwatch.spec import Duration

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """What became of everybody observed: ``chosen + refused + asked + answered + over == observed``.

    Each is counted once, under the first that holds.
    """

    observed: int
    chosen: int
    refused: int
    """Who may not be contacted (do_not_contact), or whose contract has ended."""
    asked: int
    """Asked within the fatigue window."""
    answered: int
    """Not asked within it, but answered so lately that their opinion is known."""
    over: int
    """Eligible, but the plan was full."""

    @property
    def eligible(self) -> int:
        """Who could have been chosen."""
        return self.chosen + self.over


@dataclass(frozen=True)
class Expected:
    """What asking some customers is expected to bring: ``answers`` (``None`` where no probability of answering is
    known) and ``bits`` of information (then: if all of them answered).
    """

    answers: float | None
    bits: float


@dataclass(frozen=True)
class Plan:
    """``chosen``: the customers to ask, most informative first, with ``rank`` (from 1), ``bits`` and ``drawn`` (their
    place was drawn at random), and the columns they came with. ``at_random``: what as many eligible customers drawn at
    random would bring on average; ``ranked``: what the places would bring if none were drawn.
    """

    chosen: pd.DataFrame
    counts: Counts
    expected: Expected
    at_random: Expected
    ranked: Expected


def entropy(risk: Floats) -> Floats:
    """How uncertain it is whether an answer would be bad, in bits (n,): 1 at a risk of one half, 0 at 0 and 1.

    ``risk`` (n,) a calibrated probability. Source: Shannon, Bell System Technical Journal 27 (1948), section 6.
    """
    inside = (risk > 0) & (risk < 1)
    p = np.where(inside, risk, 0.5)
    return np.where(inside, -p * np.log2(p) - (1 - p) * np.log2(1 - p), 0.0)


def information(risk: Floats, answers: Floats | None) -> Floats:
    """The expected information of asking each customer, in bits (n,): P(answer) x entropy of the risk.

    With an answer we know whether it is bad; without one we know what we knew, as far as silence is explained by what
    we observe (which is what a model of satisfaction assumes too). ``answers`` (n,) the probability of an answer if
    asked now; ``None``: unknown, and everybody counts as if they answered. Source: Lindley, Annals of Mathematical
    Statistics 27 (1956), the expected information of an experiment.
    """
    bits = entropy(risk)
    return bits if answers is None else bits * answers


def plan(
    customers: pd.DataFrame,
    *,
    as_of: datetime,
    size: int,
    fatigue: Duration,
    quiet: Duration,
    random_share: float = 0.0,
    key: str = "",
) -> Plan:
    """Choose at most ``size`` customers to ask at ``as_of`` (aware).

    ``customers`` has one row per observed customer: customer_id (text), risk (calibrated, of a bad answer),
    answers (probability of an answer if asked now, 0-1; NaN in all: unknown), do_not_contact (bool), asked_at and
    answered_at (datetime64[us], naive UTC, before as-of; NaT never). Eligible is who may be contacted, was not asked in
    ``[as_of - fatigue, as_of)`` and has not answered in ``[as_of - quiet, as_of)``.

    Of the places, ``random_share`` (rounded half up) go to eligible customers drawn at random by a hash keyed with
    ``key``, before anybody is ranked: a simple random sample of the eligible, so what is asked there can be measured
    without leaning on the model. Where all eligible have a place nothing is drawn. The others go to the most
    ``information``; ties to the smaller customer_id.
    """
    naive = as_of.astimezone(UTC).replace(tzinfo=None)
    refused = customers["do_not_contact"].to_numpy(dtype=bool)
    asked = _since(customers["asked_at"], naive, fatigue) & ~refused
    answered = _since(customers["answered_at"], naive, quiet) & ~refused & ~asked
    open_to = customers[~(refused | asked | answered)].copy()
    answers = None if customers["answers"].isna().all() else open_to["answers"].to_numpy(dtype=np.float64)
    bits = information(open_to["risk"].to_numpy(dtype=np.float64), answers)
    open_to["bits"] = bits
    places = min(size, len(open_to))
    lots = int(places * random_share + 0.5) if places < len(open_to) else 0
    drawn = _drawn(open_to["customer_id"], lots, key=key)
    open_to["drawn"] = drawn
    # The drawn first, for they have their places; then by information.
    order = np.lexsort((open_to["customer_id"].to_numpy(dtype=str), -bits, ~drawn))
    best = np.lexsort((open_to["customer_id"].to_numpy(dtype=str), -bits))
    taken = np.zeros(len(open_to), dtype=bool)
    taken[order[:places]] = True
    chosen = open_to.iloc[[row for row in best if taken[row]]].reset_index(drop=True)
    chosen.insert(0, "rank", range(1, len(chosen) + 1))

    def brings(rows: NDArray[np.int64], share: float = 1.0) -> Expected:
        return Expected(
            None if answers is None else math.fsum(answers[rows]) * share,
            math.fsum(bits[rows]) * share,
        )

    everybody = np.arange(len(open_to))
    return Plan(
        chosen,
        Counts(
            observed=len(customers),
            chosen=places,
            refused=int(refused.sum()),
            asked=int(asked.sum()),
            answered=int(answered.sum()),
            over=len(open_to) - places,
        ),
        expected=brings(np.flatnonzero(taken)),
        # Each eligible customer is in such a sample with the same probability, so this is its exact expectation.
        at_random=brings(everybody, places / max(len(open_to), 1)),
        ranked=brings(best[:places]),
    )


def _since(instants: pd.Series, as_of: datetime, window: Duration) -> NDArray[np.bool_]:
    """Whether each instant lies in ``[as_of - window, as_of)``; NaT does not."""
    found = instants.to_numpy(dtype="datetime64[us]")
    start = np.datetime64(as_of - timedelta(seconds=window.seconds), "us")
    return np.asarray((found >= start) & (found < np.datetime64(as_of, "us")))


def _drawn(ids: pd.Series, places: int, *, key: str) -> NDArray[np.bool_]:
    """The ``places`` customers of the least keyed hash: whoever else is there, a customer's hash stays."""
    keyed = blake2b(key.encode(), digest_size=32).digest()
    hashes = [blake2b(one.encode(), key=keyed, digest_size=16).digest() for one in ids]
    made = np.zeros(len(hashes), dtype=bool)
    made[sorted(range(len(hashes)), key=hashes.__getitem__)[:places]] = True
    return made
