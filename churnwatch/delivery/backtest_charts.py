"""Where the marks of a backtest's pictures stand, in the units of their ``viewBox``."""

from __future__ import annotations

from collections.abc import Sequence

from churnwatch.delivery.over_time import WIDE, across, up
from churnwatch.evaluation import RiskBin


def curve(shares: Sequence[float], values: Sequence[float]) -> str:
    """A path through (share, value), both from 0 to 1."""
    points = (f"{WIDE * x:.1f} {up(y, 1.0):.1f}" for x, y in zip(shares, values, strict=True))
    return "M" + "L".join(points)


def reliability_marks(bins: Sequence[RiskBin], top: float) -> list[dict[str, str]]:
    """The bins: a dot at (foretold, came true) and its interval as a line."""
    return [
        {
            "dot": f"M{WIDE * min(one.mean_risk / top, 1):.1f} {up(one.rate.share, top):.1f}h.01",
            "reach": f"M{WIDE * min(one.mean_risk / top, 1):.1f} {up(one.rate.low, top):.1f}"
            f"V{up(one.rate.high, top):.1f}",
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
            top, bottom = up(low + share, 1.0), up(low, 1.0)
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
