"""Where the marks of a backtest's pictures stand, in the units of their ``viewBox``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from churnwatch.evaluation import Rate, RiskBin

WIDE, HIGH = 600.0, 200.0
"""Every picture is stretched to the room it has; strokes and dots keep their width."""
LABELS = 4
"""Dates named under a picture at most."""


def nice_top(greatest: float) -> float:
    """The upper end of an axis from 0: the next of 1, 2, 4, 6, 8 times a power of ten, at most 1."""
    if greatest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(greatest))
    steps = (step * power for step in (1, 2, 4, 6, 8, 10))
    return min(1.0, next(step for step in steps if step >= greatest * (1 - 1e-9)))


def ticks(top: float, told: Callable[[float], str]) -> list[dict[str, str]]:
    """Three marks of an axis, the top first: where, and the words."""
    return [{"at": f"{100 * (1 - share):.1f}", "told": told(top * share)} for share in (1.0, 0.5, 0.0)]


def dates_shown(n: int) -> list[int]:
    """The dates that are named, evenly apart, first and last among them."""
    if n <= LABELS:
        return list(range(n))
    return sorted({round(i * (n - 1) / (LABELS - 1)) for i in range(LABELS)})


def across(place: int, n: int) -> float:
    """Where a date stands from left to right: in the middle of its share of the width."""
    return WIDE * (place + 0.5) / n


def line(values: Sequence[float | None], top: float) -> dict[str, Any]:
    """A line through the dates and a dot at each; ``None`` breaks it."""
    n = len(values)
    points = [None if value is None else (across(i, n), _y(value, top)) for i, value in enumerate(values)]
    path, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        path.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return {"path": "".join(path), "dots": [f"M{x:.1f} {y:.1f}h.01" for x, y in filter(None, points)]}


def reaches(rates: Sequence[Rate | None], top: float) -> list[dict[str, str]]:
    """The interval of each date as a band; nothing where there is no rate."""
    n = len(rates)
    wide = min(0.6 * WIDE / n, 36.0)
    return [
        {
            "x": f"{across(i, n) - wide / 2:.1f}",
            "y": f"{_y(rate.high, top):.1f}",
            "w": f"{wide:.1f}",
            "h": f"{max(_y(rate.low, top) - _y(rate.high, top), 1):.1f}",
        }
        for i, rate in enumerate(rates)
        if rate is not None
    ]


def curve(shares: Sequence[float], values: Sequence[float]) -> str:
    """A path through (share, value), both from 0 to 1."""
    points = (f"{WIDE * x:.1f} {_y(y, 1.0):.1f}" for x, y in zip(shares, values, strict=True))
    return "M" + "L".join(points)


def reliability_marks(bins: Sequence[RiskBin], top: float) -> list[dict[str, str]]:
    """The bins: a dot at (foretold, came true) and its interval as a line."""
    return [
        {
            "dot": f"M{WIDE * min(one.mean_risk / top, 1):.1f} {_y(one.rate.share, top):.1f}h.01",
            "reach": f"M{WIDE * min(one.mean_risk / top, 1):.1f} {_y(one.rate.low, top):.1f}"
            f"V{_y(one.rate.high, top):.1f}",
        }
        for one in bins
    ]


def stacks(parts: Sequence[Sequence[float]]) -> list[list[dict[str, str]]]:
    """A column per date whose parts are shares of 1, from below; empty where they are none."""
    n = len(parts)
    wide = min(0.7 * WIDE / n, 60.0)
    found = []
    for i, shares in enumerate(parts):
        low = 0.0
        column = []
        for share in shares:
            top, bottom = _y(low + share, 1.0), _y(low, 1.0)
            column.append(
                {
                    "x": f"{across(i, n) - wide / 2:.1f}",
                    "y": f"{top:.1f}",
                    "w": f"{wide:.1f}",
                    "h": f"{bottom - top:.1f}",
                }
            )
            low += share
        found.append(column)
    return found


def _y(value: float, top: float) -> float:
    return HIGH * (1 - min(max(value / top, 0.0), 1.0))
