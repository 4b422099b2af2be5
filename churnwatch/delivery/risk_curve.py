"""A risk over the last days as a small picture: where its marks stand in its ``viewBox``, and its words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

from churnwatch.delivery import words

WIDE, HIGH = 180.0, 32.0
"""The picture is stretched to the room it has; strokes and dots keep their width."""
LEAST = 0.05
"""The picture reaches up to this risk at least: a wave between 1 % and 2 % is no storm."""
_EDGE = 3.0
"""Kept free above and below, so that a dot at the edge stays whole."""


def spark(
    curve: Sequence[float], *, rising_since: date | None = None, as_of: date, language: str
) -> dict[str, Any] | None:
    """A line through the risks of as many days, today's last; ``None`` where fewer than two days are known.

    From 0 up to the greatest risk, so that a steady one is a level line; a day that is not known (NaN) breaks it.
    ``rise`` is where the onset stands, ``None`` where there is none within the picture.
    """
    known = [value for value in curve if not math.isnan(value)]
    if len(known) < 2:
        return None
    top = max(*known, LEAST)
    points = [
        None if math.isnan(value) else (across(i, len(curve), wide=WIDE), _up(value, top))
        for i, value in enumerate(curve)
    ]
    back = (as_of - rising_since).days if rising_since else len(curve)
    last = next(point for point in reversed(points) if point)
    return {
        "line": line(points),
        "area": area(points, floor=HIGH),
        "dot": f"M{last[0]:.1f} {last[1]:.1f}h.01",
        "rise": f"{across(len(curve) - 1 - back, len(curve), wide=WIDE):.1f}" if 0 <= back < len(curve) else None,
        "told": told(curve, language=language),
    }


def told(curve: Sequence[float], *, language: str) -> str:
    """What the picture shows, for those who do not see it; some day of it is known."""
    known = [value for value in curve if not math.isnan(value)]
    numbers = {"first": known[0], "least": min(known), "most": max(known), "last": known[-1]}
    said = {name: words.percent(number, language=language) for name, number in numbers.items()}
    return words.say("curve_told", language=language, days=words.whole(len(curve), language=language), **said)


Points = Sequence[tuple[float, float] | None]


def across(place: int, n: int, *, wide: float) -> float:
    """Where a day stands: the first of ``n`` at the left edge, the last at the right one."""
    return wide * place / (n - 1)


def line(points: Points) -> str:
    """A line through the points; ``None`` breaks it, and one alone between two gaps is a dot."""
    return "".join(
        f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in run)}{'h.01' if len(run) == 1 else ''}" for run in _runs(points)
    )


def area(points: Points, *, floor: float) -> str:
    """What lies between the line and the floor."""
    return "".join(
        f"M{run[0][0]:.1f} {floor:.0f}L{'L'.join(f'{x:.1f} {y:.1f}' for x, y in run)}L{run[-1][0]:.1f} {floor:.0f}Z"
        for run in _runs(points)
    )


def _runs(points: Points) -> list[list[tuple[float, float]]]:
    """The points between the gaps, in their order."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is not None:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _up(value: float, top: float) -> float:
    return HIGH - _EDGE - (HIGH - 2 * _EDGE) * value / top
