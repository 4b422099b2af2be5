"""Where the marks of a picture over time stand, in the units of its ``viewBox``: lines, bands, named dates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

WIDE, HIGH = 600.0, 200.0
"""Every picture is stretched to the room it has; strokes and dots keep their width."""
LABELS = 4
"""Dates named under a picture at most."""


class Reach(Protocol):
    """Anything with an interval."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def high(self) -> float:
        """The upper end."""


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


def across(place: int, n: int, *, aside: float = 0.0) -> float:
    """Where a date stands from left to right: in the middle of its share of the width, or so far ``aside`` of it."""
    return WIDE * (place + 0.5) / n + aside


def up(value: float, top: float) -> float:
    """Where a value from 0 to ``top`` stands, from the upper edge down."""
    return HIGH * (1 - min(max(value / top, 0.0), 1.0))


def line(values: Sequence[float | None], top: float, *, aside: float = 0.0) -> dict[str, Any]:
    """A line through the dates and a dot at each; ``None`` breaks it."""
    n = len(values)
    points = [None if value is None else (across(i, n, aside=aside), up(value, top)) for i, value in enumerate(values)]
    path, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        path.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return {"path": "".join(path), "dots": [f"M{x:.1f} {y:.1f}h.01" for x, y in filter(None, points)]}


def reaches(
    rates: Sequence[Reach | None], top: float, *, widest: float = 36.0, aside: float = 0.0
) -> list[dict[str, str]]:
    """The interval of each date as a band at most ``widest`` wide; nothing where there is none."""
    n = len(rates)
    wide = min(0.6 * WIDE / n, widest)
    return [
        {
            "x": f"{across(i, n, aside=aside) - wide / 2:.1f}",
            "y": f"{up(rate.high, top):.1f}",
            "w": f"{wide:.1f}",
            "h": f"{max(up(rate.low, top) - up(rate.high, top), 1):.1f}",
        }
        for i, rate in enumerate(rates)
        if rate is not None
    ]
