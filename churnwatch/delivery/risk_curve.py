"""A risk over the last days as a small picture: where its marks stand in its ``viewBox``, and its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from churnwatch.delivery import words

WIDE, HIGH = 180.0, 32.0
"""The picture is stretched to the room it has; strokes and dots keep their width."""
DAYS = 90
"""How far back its left end lies."""
LEAST = 0.05
"""The picture reaches up to this risk at least: a wave between 1 % and 2 % is no storm."""
_EDGE = 3.0
"""Kept free above and below, so that a dot at the edge stays whole."""


def spark(
    curve: Sequence[float], *, rising_since: date | None = None, as_of: date, language: str
) -> dict[str, Any] | None:
    """A line through the risks, the oldest first, today's last; ``None`` where there are fewer than two.

    From 0 up to the greatest risk, so that a steady one is a level line. ``rise`` is where the onset stands, ``None``
    where there is none within the picture.
    """
    if len(curve) < 2:
        return None
    top = max(*curve, LEAST)
    step = WIDE / (len(curve) - 1)
    points = [f"{i * step:.1f} {_up(value, top):.1f}" for i, value in enumerate(curve)]
    path = "M" + "L".join(points)
    back = (as_of - rising_since).days if rising_since else DAYS + 1
    return {
        "line": path,
        "area": f"{path}L{WIDE:.0f} {HIGH:.0f}L0 {HIGH:.0f}Z",
        "dot": f"M{points[-1]}h.01",
        "rise": f"{WIDE * (1 - back / DAYS):.1f}" if 0 <= back <= DAYS else None,
        "told": told(curve, language=language),
    }


def told(curve: Sequence[float], *, language: str) -> str:
    """What the picture shows, for those who do not see it."""
    numbers = {"first": curve[0], "least": min(curve), "most": max(curve), "last": curve[-1]}
    said = {name: words.percent(number, language=language) for name, number in numbers.items()}
    return words.say("curve_told", language=language, days=words.whole(DAYS, language=language), **said)


def _up(value: float, top: float) -> float:
    return HIGH - _EDGE - (HIGH - 2 * _EDGE) * value / top
