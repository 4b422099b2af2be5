"""How sure each figure of a slice is: 95 % intervals by drawing its customers again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.evaluation.figures import (
    CALIBRATION_BINS,
    CAPACITY_TOTAL,
    Numbers,
    codes_of,
    log_losses,
    outcomes_and_scores,
    strata_and_room,
    tie_groups,
)

REPLICATES = (300, 100)
"""So many for up to 33,000 customers, then the fewer the more there are, down to the second."""
IN_ALL = 10_000_000
"""Customers drawn over all replicates, where those are not told: about two seconds of work."""
AT_ONCE = 100_000
"""Numbers of one array: portions that stay in the processor's cache take 0.4 of the time of all replicates at once."""
SURE = (2.5, 97.5)

Drawn = Callable[[Numbers], dict[str, Numbers]]


def figure_intervals(
    y: ArrayLike,
    s: ArrayLike,
    risks: ArrayLike,
    *,
    owners: Sequence[object] | NDArray[np.object_] | None = None,
    capacity: Mapping[str, int] | None = None,
    capacity_total: float = CAPACITY_TOTAL,
    customers: Sequence[object] | NDArray[np.object_] | None = None,
    by_chance: float | None = None,
    seed: int = 1,
    replicates: int | None = None,
) -> dict[str, tuple[float, float]]:
    """The 95 % interval of each figure on one slice, whose rows (n,) are of ``customers`` (n,); ``None``: every row is
    another customer. A draw takes as many customers as there are, each with all their rows, because two rows of one
    customer are not two independent facts.

    Of AUC, average precision, precision, recall and lift at capacity, Brier, log loss: the 2.5 and 97.5 percentiles
    over ``replicates`` draws of customers with replacement (Efron & Tibshirani, An Introduction to the Bootstrap,
    1993, ch. 13). A draw of one class, or without a listed row, is left out. Lists keep their length.

    The calibration error is never below 0 and is the larger the fewer customers there are, so drawing again adds
    noise on noise, and percentiles may lie above the figure itself. Its interval is the basic one (Davison & Hinkley,
    Bootstrap Methods and their Application, 1997, ch. 5.2): the percentiles mirrored at the figure, cut off at 0. It
    begins at 0 where risks that are right would show as large an error: ``by_chance``, worked out by
    ``error_by_chance`` where it is left out.
    """
    outcomes, scores = outcomes_and_scores(y, s)
    _, r = outcomes_and_scores(y, risks)
    replicates = replicates or replicates_of(len(outcomes))
    by_chance = error_by_chance(r, seed=seed, replicates=replicates) if by_chance is None else by_chance
    strata, room = strata_and_room(len(outcomes), owners, capacity, capacity_total)
    parts = (
        _auc_and_precision(outcomes, scores),
        _at_capacity(outcomes, scores, strata, room),
        _mean_losses(outcomes, r),
        _calibration_error(outcomes, r),
    )

    def all_of(weights: Numbers) -> dict[str, Numbers]:
        return {name: drawn for part in parts for name, drawn in part(weights).items()}

    observed = all_of(np.ones((1, len(outcomes))))
    codes = np.arange(len(outcomes)) if customers is None else codes_of(customers, len(outcomes))
    drawn_of = int(codes.max()) + 1
    portions = [
        all_of(weights if drawn_of == len(outcomes) else weights[:, codes])
        for weights in draws(drawn_of, replicates=replicates, seed=seed)
    ]
    found: dict[str, tuple[float, float]] = {}
    for name, once in observed.items():
        drawn = np.concatenate([portion[name] for portion in portions])
        if np.isnan(drawn).all():
            continue
        low, high = (float(end) for end in np.nanpercentile(drawn, SURE))
        if name == "ece":
            low, high = max(0.0, 2 * float(once[0]) - high), max(0.0, 2 * float(once[0]) - low)
            low = 0.0 if once[0] <= by_chance else low
        found[name] = (low, high)
    return found


def replicates_of(n: int) -> int:
    """How many replicates ``n`` customers are worth: intervals of many are narrow, so their ends need less care."""
    most, least = REPLICATES
    return min(most, max(least, IN_ALL // max(n, 1)))


def error_by_chance(risks: ArrayLike, *, seed: int = 1, replicates: int | None = None) -> float:
    """The calibration error that risks (n,) show at most, in 97.5 of 100 slices, where every one of them is right.

    Outcomes are drawn by the risks (Bröcker & Smith, Increasing the reliability of reliability diagrams, Weather and
    Forecasting 22, 2007).
    """
    r = np.asarray(risks, dtype=np.float64)
    replicates = replicates or replicates_of(len(r))
    ordered, error = _binned_error(r)
    rng = np.random.default_rng(seed)
    portion = max(1, AT_ONCE // len(r))
    drawn = [
        error(np.ones((rows, len(r))), (rng.random((rows, len(r))) < ordered).astype(np.float64))
        for rows in (min(portion, replicates - first) for first in range(0, replicates, portion))
    ]
    return float(np.percentile(np.concatenate(drawn), SURE[1]))


def draws(n: int, *, replicates: int, seed: int) -> Iterator[Numbers]:
    """How often each of ``n`` customers is drawn, (some replicates, n) at a time, all portions the same total."""
    rng = np.random.default_rng(seed)
    portion = max(1, AT_ONCE // n)
    for first in range(0, replicates, portion):
        rows = min(portion, replicates - first)
        chosen = rng.integers(0, n, size=(rows, n))
        chosen += n * np.arange(rows)[:, None]
        yield np.bincount(chosen.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _grouped(numbers: Numbers, starts: NDArray[np.int64]) -> Numbers:
    """Sums over the groups that begin at ``starts``, along the last axis."""
    if len(starts) == numbers.shape[-1]:
        return numbers
    summed: Numbers = np.add.reduceat(numbers, starts, axis=-1)
    return summed


def _auc_and_precision(outcomes: Numbers, scores: Numbers) -> Drawn:
    order, starts = tie_groups(scores, np.zeros(len(scores), dtype=np.int64))
    is_bad = outcomes[order]

    def harmonic(k: int) -> Numbers:
        # 1 + 1/2 + … + 1/k: a customer drawn twice ties with themselves, so ties are everywhere.
        return np.concatenate(([0.0], np.cumsum(1 / np.arange(1, k + 1))))

    sums = harmonic(len(scores))

    def figures(weights: Numbers) -> dict[str, Numbers]:
        nonlocal sums
        ranked = weights[:, order]
        bad = _grouped(ranked * is_bad, starts)
        size = _grouped(ranked, starts)
        through, bad_through = np.cumsum(size, axis=1), np.cumsum(bad, axis=1)
        outcomes_drawn, n = bad_through[:, -1:], through[:, -1:]
        good, good_through = size - bad, through - bad_through
        pairs = (outcomes_drawn * (n - outcomes_drawn))[:, 0]
        right = (bad * (good_through[:, -1:] - good_through + good / 2)).sum(axis=1)
        if (most := int(n.max())) > len(sums) - 1:
            sums = harmonic(most)
        first, before = through - size, bad_through - bad
        places = sums[through.astype(np.int64)] - sums[first.astype(np.int64)]
        # The sums over a group's places of `average_precision`, in closed form.
        others = np.where(size > 1, (bad - 1) / np.maximum(size - 1, 1), 0.0) * (size - (first + 1) * places)
        found = (bad / np.maximum(size, 1) * ((before + 1) * places + others)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.where(pairs > 0, 1.0, np.nan)
            return {"auc": right / pairs * both, "average_precision": found / outcomes_drawn[:, 0] * both}

    return figures


def _at_capacity(outcomes: Numbers, scores: Numbers, strata: NDArray[np.int64], room: Numbers) -> Drawn:
    order, starts = tie_groups(scores, strata)
    is_bad = outcomes[order]
    group_strata = strata[order][starts]
    group_room = room[group_strata]
    first_group = np.searchsorted(group_strata, group_strata)

    def figures(weights: Numbers) -> dict[str, Numbers]:
        ranked = weights[:, order]
        size = _grouped(ranked, starts)
        bad = _grouped(ranked * is_bad, starts)
        before = np.cumsum(size, axis=1) - size
        taken = np.clip(group_room - (before - before[:, first_group]), 0, size)
        hits = (taken * bad / np.maximum(size, 1)).sum(axis=1)
        rows, gone, n = taken.sum(axis=1), bad.sum(axis=1), size.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.where((rows > 0) & (gone > 0) & (gone < n), 1.0, np.nan)
            return {
                "precision_at_capacity": hits / rows * both,
                "recall_at_capacity": hits / gone * both,
                "lift_at_capacity": hits / rows * n / gone * both,
            }

    return figures


def _mean_losses(outcomes: Numbers, risks: Numbers) -> Drawn:
    losses = np.column_stack([(risks - outcomes) ** 2, log_losses(outcomes, risks)])

    def figures(weights: Numbers) -> dict[str, Numbers]:
        brier, log_loss = np.einsum("rn,nk->kr", weights, losses) / weights.sum(axis=1)
        return {"brier": brier, "log_loss": log_loss}

    return figures


def _calibration_error(outcomes: Numbers, risks: Numbers) -> Drawn:
    order, _ = tie_groups(risks, np.zeros(len(risks), dtype=np.int64))
    is_bad = outcomes[order]
    _, error = _binned_error(risks)

    def figures(weights: Numbers) -> dict[str, Numbers]:
        ranked = weights[:, order]
        return {"ece": error(ranked, ranked * is_bad)}

    return figures


def _binned_error(risks: Numbers) -> tuple[Numbers, Callable[[Numbers, Numbers], Numbers]]:
    """The risks from the highest down, and the calibration error (replicates,) of as many rows, in that order, of which
    ``drawn`` and ``bad`` (replicates, n) tell how often each is there and has the outcome.
    """
    order, starts = tie_groups(risks, np.zeros(len(risks), dtype=np.int64))
    level, places = risks[order][starts], np.arange(CALIBRATION_BINS + 1)

    def error(drawn: Numbers, bad: Numbers) -> Numbers:
        size = _grouped(drawn, starts)
        gap = size * level - _grouped(bad, starts)
        none = np.zeros((len(drawn), 1))
        through = np.concatenate((none, np.cumsum(size, axis=1)), axis=1)
        n = through[:, -1:]
        # Where numpy.array_split ends its bins.
        edges = places * (n // CALIBRATION_BINS) + np.minimum(places, n % CALIBRATION_BINS)
        gaps = np.concatenate((none, np.cumsum(gap, axis=1)), axis=1)
        # Tied rows share their rate, so within a group the gap rises evenly.
        at = np.array([np.interp(*one) for one in zip(edges, through, gaps, strict=True)])
        found: Numbers = np.abs(np.diff(at, axis=1)).sum(axis=1) / n[:, 0]
        return found

    return risks[order], error
