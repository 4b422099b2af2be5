"""Onset: since when a risk has been rising, from the curve of its last days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

RISE = 2 * float(np.log(2))
"""The least rise that is told, in the margin (log-odds): four times the odds, as from 6 % to 20 %."""
EXPLAINED = 0.7
"""The least share of a curve's variance that the one rise explains: of a curve that goes up and down it is less."""
KEPT = 0.85
"""The least share of the rise that is still there: what rose and came back is none."""
LEAST = 5
"""Days that must be known before a rise begins, and since: less is no level, and no rise that lasts."""
LATELY = 2 * LEAST - 1
"""Days whose median is where the curve stands now: what has risen for fewer than ``LEAST`` days is not there yet."""
TIE = 1e-9
"""Fits that differ by less, as a share of the variance, are equal: the rest is the order of a machine's sums."""
AT_ONCE = 512
"""Customers fitted at a time: of 90 days some 60 MB."""


def rising_since(days: Sequence[date], margins: Array) -> list[date | None]:
    """The first day of the rise that each of n curves is still on, ``None`` where there is none.

    ``margins`` (n, k) are log-odds on the ``days`` (k,), rising, one a day; NaN: not observed on that day. Each
    curve is fitted by least squares with a level, one straight climb and a level:
    ``a + h * min(max((t - c + 1) / (e - c), 0), 1)`` for every first day c and every day e from which it is up, so that
    a jump (e = c + 1) and a ramp that goes on today (e = k) are both among them. The pair that leaves least wins:
    least-squares segmentation as of Bai & Perron (Econometrica 1998), with one connected climb in place of free
    segments, which is our choice, because people fall silent gradually and complain at once. Its c is the onset if the
    curve stands by now ``RISE`` above the mean of the days before c, if that is ``KEPT`` of the fitted h, and if the
    fit explains ``EXPLAINED`` of the variance. At least ``LEAST`` days must be known before c and from c on, and the
    last day must be known. Of equal fits the latest c counts: what happened unobserved is dated by when it was seen.

    The thresholds were tuned on simulated companies. What is found is when the *model's* risk began to rise; of those
    who fall silent that is some three weeks after they have made up their mind (docs/decisions/0017-rising-since.md).
    """
    n, k = margins.shape
    if len(days) != k:
        raise ValueError(f"{len(days)} days for curves of {k}")
    found: list[date | None] = [None] * n
    if n == 0 or k < 2 * LEAST:
        return found
    known = ~np.isnan(margins)
    with np.errstate(invalid="ignore"):
        now = _medians(margins[:, -LATELY:])
        low = np.where(known, margins, np.inf).min(axis=1)
        # The mean before c is not below the least, so nobody else can pass.
        asked = np.flatnonzero(known[:, -1] & (known.sum(axis=1) >= 2 * LEAST) & (now - low >= RISE))
    for start in range(0, len(asked), AT_ONCE):
        some = asked[start : start + AT_ONCE]
        for i, c in zip(some, _onsets(margins[some], now[some]), strict=True):
            if c >= 0:
                found[i] = days[c]
    return found


def _onsets(margins: Array, now: Array) -> Ints:
    """The place of the onset of each curve, -1: none."""
    n, k = margins.shape
    shapes, begins = _shapes(k)
    known = (~np.isnan(margins)).astype(np.float64)
    count = known.sum(axis=1)
    # Centred, so that the sums below are of small numbers.
    values = np.where(known > 0, margins, 0.0)
    values = np.where(known > 0, values - (values.sum(axis=1) / count)[:, None], 0.0)
    total = (values**2).sum(axis=1)
    # Of each shape over the known days: its sum, its variance and its covariance with the curve, (n_shapes, n).
    mean = shapes @ known.T / count
    variance = shapes**2 @ known.T - count * mean**2
    covariance = shapes @ values.T
    before = np.concatenate([np.zeros((n, 1)), np.cumsum(known, axis=1)], axis=1)[:, begins].T
    fits = (covariance > 0) & (variance > TIE) & (before >= LEAST) & (count - before >= LEAST)
    gain = np.where(fits, covariance**2 / np.where(fits, variance, 1.0), 0.0)
    best = gain.max(axis=0)
    chosen = (gain >= best - TIE * total).argmax(axis=0)
    rows = np.arange(n)
    c = begins[chosen]
    height = covariance[chosen, rows] / np.where(fits[chosen, rows], variance[chosen, rows], 1.0)
    earlier = np.arange(k) < c[:, None]
    level = np.where(known * earlier > 0, margins, 0.0).sum(axis=1) / np.maximum((known * earlier).sum(axis=1), 1)
    risen = now - level
    good = (best > 0) & (best >= EXPLAINED * total) & (risen >= RISE) & (risen >= KEPT * height)
    return np.where(good, c, -1)


@lru_cache(maxsize=4)
def _shapes(k: int) -> tuple[Array, Ints]:
    """Every climb from 0 to 1 over k days (n_shapes, k) and its first day: the latest first, jumps before ramps."""
    pairs = [(c, e) for c in range(k - LEAST, LEAST - 1, -1) for e in range(c + 1, k + 1)]
    begins, ends = np.array(pairs, dtype=np.int64).T
    shapes = np.clip((np.arange(k) - begins[:, None] + 1) / (ends - begins)[:, None], 0.0, 1.0)
    return shapes, begins


def _medians(values: Array) -> Array:
    """The median of the known numbers of each row; NaN where none is known."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = (~np.isnan(values)).sum(axis=1)
    rows, half = np.arange(len(values)), np.maximum(count - 1, 0)
    middle: Array = (ordered[rows, half // 2] + ordered[rows, (half + 1) // 2]) / 2
    return middle
