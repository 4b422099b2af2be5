"""How sure a difference between two rankings is: the paired bootstrap over customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.errors import DataRefused
from churnwatch.evaluation.figures import (
    CAPACITY_TOTAL,
    Codes,
    Numbers,
    codes_of,
    outcomes_and_scores,
    strata_and_room,
    tie_groups,
)

REPLICATES = (400, 100)
"""So many for up to 100,000 rows, then the fewer the more there are, down to the second: a training draws a dozen such
intervals, and those of many rows are narrow, so their ends need less care."""
IN_ALL = 40_000_000
"""Rows drawn over all replicates, where those are not told."""

Figure = Literal["auc", "precision_at_capacity"]
Weighted = Callable[[Numbers], float]


class Interval(NamedTuple):
    """A difference and its 95 % interval."""

    difference: float
    low: float
    high: float


def paired_interval(
    y: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    figure: Figure = "auc",
    clusters: Sequence[object] | NDArray[np.generic] | None = None,
    slices: Sequence[object] | NDArray[np.generic] | None = None,
    owners: Sequence[object] | NDArray[np.object_] | None = None,
    capacity: Mapping[str, int] | None = None,
    capacity_total: float = CAPACITY_TOTAL,
    seed: int = 1,
    replicates: int | None = None,
) -> Interval:
    """The figure of scores ``a`` minus that of ``b`` on the same rows, with its 95 % percentile interval.

    ``y``, ``a``, ``b`` have shape (n,). Rows may come from several as-ofs: ``slices`` (n,) says which. Then
    AUC counts pairs within a slice only (so that a season cannot rank), and every slice has its own lists.
    ``clusters`` (n,) are the customers: a replicate draws as many customers as there are, with replacement,
    and takes all their rows, because the same customer on two dates is not two independent facts. Both scores
    meet the same draws. A draw without a pair to rank, or without a listed row, is left out. Left out,
    ``clusters`` are the rows and ``slices`` one.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 8 and 13.
    """
    outcomes, first = outcomes_and_scores(y, a)
    _, second = outcomes_and_scores(y, b)
    n = len(outcomes)
    slice_codes = codes_of(slices, n) if slices is not None else np.zeros(n, dtype=np.int64)
    cluster_codes = codes_of(clusters, n) if clusters is not None else np.arange(n)
    if figure == "auc":
        of_first = _weighted_auc(outcomes, first, slice_codes)
        of_second = _weighted_auc(outcomes, second, slice_codes)
    else:
        strata, room = _lists(slice_codes, owners, capacity, capacity_total)
        of_first = _weighted_precision(outcomes, first, strata, room)
        of_second = _weighted_precision(outcomes, second, strata, room)
    once = np.ones(n)
    difference = of_first(once) - of_second(once)
    if np.isnan(difference):
        raise DataRefused(
            "no slice holds customers both with and without the outcome, or no list holds a row",
            hint="evaluate at as-ofs with a full label window, and give the owners a capacity above 0",
        )
    customers = int(cluster_codes.max()) + 1
    even = np.full(customers, 1 / customers)
    rng = np.random.default_rng(seed)
    most, least = REPLICATES
    drawn = np.empty(replicates or min(most, max(least, IN_ALL // n)))
    for replicate in range(len(drawn)):
        weights = rng.multinomial(customers, even)[cluster_codes].astype(np.float64)
        drawn[replicate] = of_first(weights) - of_second(weights)
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Interval(float(difference), float(low), float(high))


def _lists(
    slice_codes: Codes,
    owners: Sequence[object] | NDArray[np.object_] | None,
    capacity: Mapping[str, int] | None,
    share: float,
) -> tuple[Codes, Numbers]:
    """Strata and rooms over all slices: every slice has lists of its own."""
    strata = np.empty(len(slice_codes), dtype=np.int64)
    rooms: list[Numbers] = []
    offset = 0
    all_owners = None if owners is None else np.asarray(owners, dtype=object)
    for code in range(int(slice_codes.max()) + 1):
        rows = np.flatnonzero(slice_codes == code)
        of_slice = None if all_owners is None else all_owners[rows]
        codes, room = strata_and_room(len(rows), of_slice, capacity, share)
        strata[rows] = codes + offset
        rooms.append(room)
        offset += len(room)
    return strata, np.concatenate(rooms)


def _weighted_auc(outcomes: Numbers, scores: Numbers, slice_codes: Codes) -> Weighted:
    """AUC as a function of row weights: what never changes between the draws is done once."""
    order, starts = tie_groups(scores, slice_codes)
    is_bad = outcomes[order]
    is_good = 1.0 - is_bad
    group_slice = slice_codes[order][starts]
    slice_starts = np.flatnonzero(np.concatenate(([True], group_slice[1:] != group_slice[:-1])))
    groups_of_slice = np.diff(np.append(slice_starts, len(starts)))

    # Products are summed, not given to BLAS: beyond 10,000 rows its threads cost ten times the work.
    def figure(weights: Numbers) -> float:
        w = weights[order]
        bad = np.add.reduceat(w * is_bad, starts)
        good = np.add.reduceat(w * is_good, starts)
        through = np.cumsum(good)
        slice_through = through[slice_starts + groups_of_slice - 1]
        below = np.repeat(slice_through, groups_of_slice) - through
        bad_of_slice = np.add.reduceat(bad, slice_starts)
        good_of_slice = np.diff(np.concatenate(([0.0], slice_through)))
        pairs = float((bad_of_slice * good_of_slice).sum())
        return float((bad * (below + good / 2)).sum()) / pairs if pairs > 0 else float("nan")

    return figure


def _weighted_precision(outcomes: Numbers, scores: Numbers, strata: Codes, room: Numbers) -> Weighted:
    """Precision at capacity as a function of row weights, ties shared by expectation."""
    order, starts = tie_groups(scores, strata)
    is_bad = outcomes[order]
    group_strata = strata[order][starts]
    group_room = room[group_strata]
    first_group = np.searchsorted(group_strata, group_strata)

    def figure(weights: Numbers) -> float:
        w = weights[order]
        size = np.add.reduceat(w, starts)
        bad = np.add.reduceat(w * is_bad, starts)
        before = np.cumsum(size) - size
        taken = np.clip(group_room - (before - before[first_group]), 0, size)
        rows = float(taken.sum())
        share = np.divide(taken, size, out=np.zeros_like(size), where=size > 0)
        return float((share * bad).sum()) / rows if rows > 0 else float("nan")

    return figure
