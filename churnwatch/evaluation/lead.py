"""How long before they leave customers are listed: recall by lead time, and the median warning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]

LEAD_DAYS = (7, 14, 30, 60, 90)
"""The lead times that are told, in days."""


@dataclass(frozen=True)
class Lead:
    """Of ``leavers`` who were watched at least ``days`` before they left, ``warned`` stood on a list that early.

    ``warned`` is expected, so not always whole, where ties are shared.
    """

    days: int
    leavers: int
    warned: float

    @property
    def recall(self) -> float | None:
        """``warned`` over ``leavers``; ``None`` where nobody was watched that long."""
        return self.warned / self.leavers if self.leavers else None


@dataclass(frozen=True)
class LeadTimes:
    """How early the leavers were listed.

    ``leavers`` are those whose leaving has a date after they were first observed, ``warned`` how many of them were
    listed at all before it; ``median_days`` the median days from the first listing until leaving among the warned,
    ``None`` without any.
    """

    leavers: int
    warned: float
    median_days: float | None
    recall: tuple[Lead, ...]

    def as_json(self) -> dict[str, object]:
        """Plain numbers, the counts beside each share."""
        return {
            "leavers": self.leavers,
            "warned": self.warned,
            "median_warning_days": self.median_days,
            "recall": [
                {"days": one.days, "leavers": one.leavers, "warned": one.warned, "recall": one.recall}
                for one in self.recall
            ],
        }


def lead_times(
    warning_days: ArrayLike,
    watched_days: ArrayLike,
    *,
    listed: ArrayLike | None = None,
    days: Sequence[int] = LEAD_DAYS,
) -> LeadTimes:
    """Recall by lead time over leavers, one row each, all arrays of shape (n,).

    ``warning_days`` are the days from a leaver's first listing until they left, NaN where they were never listed;
    ``watched_days`` those from their first observation until they left, NaN where nobody knows when they left. Such
    rows count nowhere, nor do those at or below 0: whoever is called gone after n days of silence may have been silent
    for as long already when first observed. A listing after they left is no warning.

    ``listed`` is the chance that the listing came about, 1 left out: where equal scores share the last places of a list
    it lies between. Recall at a lead time is the share of the leavers watched at least that long who were warned at
    least that early: who came late into view could not be warned earlier, and is no miss.
    """
    warning = np.asarray(warning_days, dtype=np.float64)
    watched = np.asarray(watched_days, dtype=np.float64)
    chance = np.ones(len(watched)) if listed is None else np.asarray(listed, dtype=np.float64)
    if not warning.shape == watched.shape == chance.shape or watched.ndim != 1:
        raise ValueError(f"warnings {warning.shape}, watched {watched.shape} and listed {chance.shape} differ")
    if (warning > watched).any():
        raise ValueError("a leaver was listed before anybody watched them")
    dated = watched > 0
    weight = np.where(dated & (warning > 0), chance, 0.0)
    return LeadTimes(
        leavers=int(dated.sum()),
        warned=float(weight.sum()),
        median_days=weighted_median(warning[weight > 0], weight[weight > 0]),
        recall=tuple(
            Lead(least, int((watched >= least).sum()), float(weight[(watched >= least) & (warning >= least)].sum()))
            for least in days
        ),
    )


def days_until(left_at: NDArray[np.datetime64], since: NDArray[np.datetime64] | np.datetime64) -> Numbers:
    """Days of 86,400 s from ``since`` until ``left_at`` (n,), NaN where either is NaT."""
    days: Numbers = (left_at - since) / np.timedelta64(1, "D")
    return days


def weighted_median(values: Numbers, weights: Numbers) -> float | None:
    """The middle of ``values`` (n,) by their ``weights`` above 0; of two in the middle their mean; ``None`` of none."""
    if len(values) == 0:
        return None
    order = np.argsort(values, kind="stable")
    through = np.cumsum(weights[order])
    half = through[-1] / 2
    low = int(np.searchsorted(through, half * (1 - 1e-12), side="left"))
    high = min(int(np.searchsorted(through, half * (1 + 1e-12), side="right")), len(values) - 1)
    return float(values[order[low]] + values[order[high]]) / 2
