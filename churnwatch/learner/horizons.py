"""Horizons: the risk of leaving within other lengths of time, from the margin of the one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from churnwatch.learner.calibration import at_one_level, calibrate, risk
from churnwatch.learner.fitted import Fitted, Horizon
from churnwatch.spec import Duration

Array = np.ndarray[Any, np.dtype[np.float64]]

FEWEST = 20
"""Leavers and stayers a step is fitted on at least; our choice: two numbers from fewer would be a guess."""


def fit_horizons(
    lengths: Sequence[Duration],
    own: Duration,
    margins: Array,
    *,
    left_after: Array,
    watched: Array,
    dates: np.ndarray[Any, Any],
) -> tuple[tuple[Horizon, ...], tuple[str, ...]]:
    """The steps from the ``own`` horizon to the others, and for each that cannot be told yet why.

    ``margins`` (n,) are out of time; ``left_after`` (n,) seconds from the opening of the label window until leaving,
    NaN for those who did not while they were watched; ``watched`` (n,) seconds that window was watched; ``dates`` (n,)
    when each was seen. A step is Platt's, rising with the margin, on the rows watched to the end of it.
    """
    found: list[Horizon] = []
    told: list[str] = []
    gone = np.where(np.isnan(left_after), np.inf, left_after)
    shorter = [length for length in reversed(lengths) if length.seconds < own.seconds]
    longer = [length for length in lengths if length.seconds > own.seconds]
    for chain in (shorter, longer):
        beside = own
        for length in chain:
            if length.seconds < own.seconds:
                rows = (watched >= own.seconds) & (gone < beside.seconds)
            else:
                rows = (watched >= length.seconds) & (gone >= beside.seconds)
            by_then = (gone[rows] < length.seconds).astype(np.float64)
            fewer = int(min(by_then.sum(), len(by_then) - by_then.sum()))
            if fewer < FEWEST:
                told.append(f"no risk within {length}: {fewer} of {FEWEST} outcomes to tell it apart from {beside}")
                break
            step = calibrate(at_one_level(margins[rows], by_then, dates[rows]), by_then, method="platt")
            found.append(Horizon(str(length), step))
            beside = length
    return tuple(found), tuple(told)


def horizon_risks(fitted: Fitted, margins: Array, own: Duration) -> Mapping[Duration, Array]:
    """The risk (n,) of leaving within each horizon of the model, the own among them, rising; never crossing.

    Without further horizons the mapping is empty.
    """
    if not fitted.horizons:
        return {}
    at = {own: risk(fitted.calibration, margins)}
    shorter = longer = at[own]
    for horizon in fitted.horizons:
        length = Duration(horizon.length)
        step = risk(horizon.step, margins)
        if length.seconds < own.seconds:
            at[length] = shorter = shorter * step
        else:
            at[length] = longer = longer + (1 - longer) * step
    return {length: at[length] for length in sorted(at, key=lambda one: one.seconds)}
