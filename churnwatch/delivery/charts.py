"""Where the marks of the page's small charts stand, in the units of their ``viewBox``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from churnwatch.evaluation import Bin, Deciles, Drift
from churnwatch.evaluation.drift import CHANGED

WIDE, HIGH = 320.0, 96.0
"""The chart of rates."""
LOW = 22.0
"""The height of a strip over time."""
APART = 8.0
"""Between the bins and that of the missing."""
NARROW = 4.0
"""No bin is narrower, however few it holds: it could not be seen."""
TIMES = 5.0
"""The chart ends at so many base rates at most; what lies above is marked at the edge."""


def top_of(parts: Sequence[Deciles], base_rate: float) -> float:
    """The rate at the upper edge of all charts of a page, so that one can be compared with another.

    The greatest rate of any bin that holds one observation in a hundred, and some air, but at most five base rates.
    """
    bins = [one for part in parts for one in (*part.bins, *([part.missing] if part.missing else []))]
    everybody = sum(one.n for one in bins) / max(len(parts), 1)
    rates = [one.rate for one in bins if one.n >= everybody / 100]
    return min(1.0, TIMES * base_rate, 1.15 * max([*rates, base_rate])) or 1.0


def rate_chart(parts: Deciles, *, base_rate: float, top: float) -> dict[str, Any]:
    """Each bin as a band from its interval's floor to its ceiling and a line at its rate, as wide as it holds many."""
    missing = parts.missing
    everybody = sum(one.n for one in parts.bins) + (missing.n if missing else 0)
    room = WIDE - (APART if missing and parts.bins else 0.0)
    widths = [max(NARROW, room * one.n / everybody) for one in parts.bins]
    last = max(NARROW, room * missing.n / everybody) if missing else 0.0
    scale = room / (sum(widths) + last)
    found = []
    left = 0.0
    for one, width in zip(parts.bins, widths, strict=True):
        found.append(_band(one, left, width * scale, top))
        left += width * scale
    without = _band(missing, WIDE - last * scale, last * scale, top) if missing else None
    return {"bins": found, "missing": without, "base": _y(base_rate, top), "wide": WIDE, "high": HIGH}


def strip(numbers: Sequence[float | None], *, top: float, wide: float = 150.0) -> list[dict[str, Any]]:
    """A bar per date, in a strip ``wide`` by ``LOW``; a number above ``top`` fills the height, ``None`` has no bar."""
    step = wide / max(len(numbers), 1)
    return [
        {"x": f"{i * step:.1f}", "y": f"{LOW - high:.1f}", "w": f"{max(step - 1.5, 1):.1f}", "h": f"{high:.1f}"}
        for i, number in enumerate(numbers)
        for high in [0.0 if number is None else max(1.0, min(number / top, 1.0) * LOW)]
    ]


def drift_strip(drift: Drift) -> dict[str, Any]:
    """The stability index over the dates; the line stands at what counts as clearly different."""
    top = 2 * CHANGED
    bars = strip(drift.index, top=top)
    for bar, index, chance in zip(bars, drift.index, drift.chance, strict=True):
        bar["high"] = index is not None and chance is not None and index > chance and index >= CHANGED
    return {"bars": bars, "line": f"{LOW * (1 - CHANGED / top):.1f}"}


def _band(one: Bin, left: float, width: float, top: float) -> dict[str, Any]:
    ceiling, floor, rate = (_y(value, top) for value in (one.ceiling, one.floor, one.rate))
    return {
        "x": f"{left + 0.5:.1f}",
        "w": f"{max(width - 1, 1):.1f}",
        "middle": f"{left + width / 2:.1f}",
        "ceiling": ceiling,
        "tall": f"{max(float(floor) - float(ceiling), 0.5):.1f}",
        "rate": rate,
        "beyond": one.rate > top,
        "bin": one,
    }


def _y(rate: float, top: float) -> str:
    return f"{HIGH * (1 - min(max(rate / top, 0.0), 1.0)):.1f}"
