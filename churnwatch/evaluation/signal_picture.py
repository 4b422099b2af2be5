"""A signal as a picture: how its values lie, and how often the outcome came at each tenth of them."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnwatch.evaluation.deciles import Bin
from churnwatch.evaluation.measured import Measured

Numbers = NDArray[np.float64]

# Okabe & Ito's colours, which people who see no red or no green tell apart too.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8C8C8C"
FEW = 12
"""Up to so many different values each has a bar of its own."""
BARS = 30
TAIL = 0.99
"""Values beyond this share at either end stand in the outermost bar: one giant would leave the rest no room."""


def picture(
    measured: Sequence[Measured],
    values: Sequence[Numbers],
    *,
    base_rate: float,
    outcome: str,
    kind: str = "png",
) -> bytes:
    """One row per column, its distribution on the left, the outcome rate by decile with intervals on the right.

    ``values`` are the observations (n,) of each, NaN missing. ``outcome`` says in words what the rate is of, ``kind``
    is png or svg. Equal input gives equal bytes.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    settings: Any = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "svg.hashsalt": "churnwatch",
        "axes.axisbelow": True,
    }
    with rc_context(settings):
        figure = Figure(figsize=(11, 3.6 * len(measured) + 0.3), layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12))
        FigureCanvasAgg(figure)
        grid: Any = figure.subplots(len(measured), 2, squeeze=False)
        for (left, right), one, numbers in zip(grid, measured, values, strict=True):
            _distribution(left, one, numbers)
            _rates(right, one, base_rate=base_rate, outcome=outcome)
        written = io.BytesIO()
        # Without a date or a version of the library the same numbers give the same file.
        nothing = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        figure.savefig(written, format=kind, dpi=130, facecolor="white", metadata=nothing)
    return written.getvalue()


def _distribution(axes: Any, one: Measured, values: Numbers) -> None:
    plain(axes)
    axes.set_title(one.column.name, loc="left", fontweight="bold")
    known = values[~np.isnan(values)]
    missing = 1 - one.coverage.share
    told = f"{one.coverage.share:.1%} have a value"
    if one.coverage.nonzero_share is not None:
        told += f", {one.coverage.nonzero_share:.1%} one that is not 0"
    axes.set_xlabel("\n".join(textwrap.wrap(f"value ({one.column.signal.unit}); {told}", 62)))
    axes.set_ylabel("share of observations")
    axes.yaxis.set_major_formatter(percent)
    if len(known) == 0:
        axes.text(0.5, 0.5, "nobody has a value", transform=axes.transAxes, ha="center", color=GREY)
        return
    levels, counts = np.unique(known, return_counts=True)
    if len(levels) <= FEW:
        places: Numbers = np.arange(len(levels), dtype=np.float64)
        axes.bar(places, counts / len(values), width=0.8, color=BLUE)
        axes.set_xticks(places, [_short(level) for level in levels])
        width, end = 1.0, len(levels) - 0.5
    else:
        low, high = np.quantile(known, [1 - TAIL, TAIL])
        if low == high:
            low, high = known.min(), known.max()
        edges = _edges(known, float(low), float(high))
        counts, _ = np.histogram(np.clip(known, edges[0], edges[-1]), bins=edges)
        width, end = float(edges[1] - edges[0]), float(edges[-1])
        axes.bar(edges[:-1], counts / len(values), width=width * 0.95, align="edge", color=BLUE)
    if missing > 0:
        # The missing stand apart, to the right of all values, and look otherwise.
        place = end + width * (1.0 if len(levels) <= FEW else 3.0)
        across = width * (0.8 if len(levels) <= FEW else 2.0)
        axes.bar([place], [missing], width=across, facecolor="white", edgecolor=GREY, hatch="///")
        axes.text(place, missing, "missing", ha="center", va="bottom", color="#444444", fontsize=9)
    axes.margins(y=0.15)


def _edges(known: Numbers, low: float, high: float) -> Numbers:
    """The bars' edges; around whole numbers each bar holds as many of them, else some would look rare by accident."""
    if not (known == np.round(known)).all():
        return np.linspace(low, high, BARS + 1)
    step = max(1.0, np.ceil((high - low + 1) / BARS))
    return np.arange(np.floor(low) - 0.5, high + step, step)


def _rates(axes: Any, one: Measured, *, base_rate: float, outcome: str) -> None:
    plain(axes)
    axes.set_title("\n".join(textwrap.wrap(f"{outcome}: rate by tenth", 52)), loc="left", fontweight="bold")
    bins = one.deciles.bins
    _dots(axes, np.arange(len(bins), dtype=np.float64), bins, colour=BLUE, mark="o")
    labels = [_span(part) for part in bins]
    if one.deciles.missing:
        _dots(axes, np.array([len(bins) + 0.3]), [one.deciles.missing], colour=ORANGE, mark="D")
        labels.append("missing")
    axes.axhline(base_rate, color=GREY, linestyle="--", linewidth=1.2, zorder=0)
    axes.annotate(
        f"everybody {base_rate:.1%}", (1, base_rate), xycoords=("axes fraction", "data"), xytext=(-2, 3),
        textcoords="offset points", ha="right", color="#555555", fontsize=9,
    )  # fmt: skip
    places = [*range(len(bins)), *([len(bins) + 0.3] if one.deciles.missing else [])]
    turned: dict[str, Any] = {"rotation": 35, "ha": "right"} if len(labels) > 5 else {}
    axes.set_xticks(places, labels, fontsize=8.5, **turned)
    axes.set_xlim(-0.6, max(places, default=0) + 0.6)
    axes.set_ylim(0, None)
    axes.yaxis.set_major_formatter(percent)
    axes.set_ylabel("outcome rate, 95 % interval")


def _dots(axes: Any, places: Numbers, bins: Sequence[Bin], *, colour: str, mark: str) -> None:
    rates = np.array([one.rate for one in bins])
    below = rates - np.array([one.floor for one in bins])
    above = np.array([one.ceiling for one in bins]) - rates
    # A rate of 0 may lie a rounding outside its own interval.
    reach = np.clip(np.vstack([below, above]), 0, None)
    axes.errorbar(places, rates, yerr=reach, fmt=mark, color=colour, capsize=3, markersize=6)


def plain(axes: Any) -> None:
    """Two spines and a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#E5E5E5", linewidth=0.8)


def percent(value: float, _place: int) -> str:
    """A tick of an axis of shares."""
    return f"{100 * value:.3g} %"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.3g}"


def _span(part: Bin) -> str:
    assert part.low is not None
    assert part.high is not None
    low, high = _short(part.low), _short(part.high)
    return low if low == high else f"{low} to {high}"
