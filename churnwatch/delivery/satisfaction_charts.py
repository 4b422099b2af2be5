"""Where the marks of the pictures of satisfaction stand, in the units of their ``viewBox``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from churnwatch.delivery.over_time import WIDE, line, reaches

Quantity = Mapping[str, float]
"""A number and its 95 % interval: value, low, high."""
ASIDE = 7.0
"""Two series stand so far beside the middle of their month: neither covers the other."""
PARTS = 4
"""An axis has at most so many steps."""
LANE = 10.0
"""The height of one interval in a row of them."""


class Axis(NamedTuple):
    """From where to where a picture reaches, in the units of its figure, and the step between its marks."""

    low: float
    high: float
    step: float

    def share(self, value: float) -> float:
        """How far along the axis a value stands: 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    @property
    def decimals(self) -> int:
        """How many decimals tell one mark from the next, and each as it is: 1 of a step of 0.5 or 2.5."""
        return next(n for n in range(9) if abs(round(self.step, n) - self.step) < 1e-9)


class Span(NamedTuple):
    """An interval."""

    low: float
    high: float


def axis(quantities: Iterable[Quantity | None]) -> Axis:
    """The axis that holds every interval, its ends and marks at multiples of 1, 2, 2.5 or 5 times a power of ten."""
    ends = [one[end] for one in quantities if one is not None for end in ("low", "high", "value")]
    low, high = min(ends), max(ends)
    power = 10.0 ** math.floor(math.log10(max(high - low, 1e-3) / PARTS))
    for step in (power * times for times in (1, 2, 2.5, 5, 10)):
        start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if stop - start <= PARTS:
            break
    return Axis(start * step, max(stop, start + 1) * step, step)


def marks_of(along: Axis, told: Callable[[float], str], *, upright: bool = False) -> list[dict[str, str]]:
    """The marks of an axis: how many hundredths from the left (``upright``: from above), and the words."""
    found = []
    for i in range(round((along.high - along.low) / along.step) + 1):
        value = along.low + i * along.step
        share = along.share(value)
        found.append({"at": f"{100 * (1 - share if upright else share):.1f}", "told": told(value)})
    return found


def by_month(series: Mapping[str, Sequence[Quantity | None]], along: Axis) -> dict[str, Any]:
    """Lines, dots and bands of one series, or of two side by side; a month without a number breaks its line."""
    sides = {name: (0.0 if len(series) == 1 else (-ASIDE, ASIDE)[i]) for i, name in enumerate(series)}
    lines, bands = [], []
    for name, quantities in series.items():
        spans = [Span(along.share(one["low"]), along.share(one["high"])) if one else None for one in quantities]
        bands += [{"class": name, **band} for band in reaches(spans, 1.0, widest=2 * ASIDE - 2, aside=sides[name])]
        values = [along.share(one["value"]) if one else None for one in quantities]
        lines.append({"class": name, **line(values, 1.0, aside=sides[name])})
    return {"lines": lines, "reaches": bands}


def lanes(series: Mapping[str, Quantity | None], along: Axis) -> list[dict[str, str]]:
    """An interval per series as a line along the axis and a dot on it, one under the other; none has none."""
    return [
        {
            "class": name,
            "reach": f"M{WIDE * along.share(one['low']):.1f} {y:.1f}H{WIDE * along.share(one['high']):.1f}",
            "dot": f"M{WIDE * along.share(one['value']):.1f} {y:.1f}h.01",
        }
        for i, (name, one) in enumerate(series.items())
        if one is not None
        for y in [LANE * (i + 0.5)]
    ]
