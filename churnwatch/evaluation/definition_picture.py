"""A definition of leaving as a picture: pauses with both curves, or leavers per month with the rate by horizon."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from churnwatch.evaluation.pauses import CalledGone, Pauses
from churnwatch.evaluation.signal_picture import BLUE, GREY, ORANGE

LONGEST = 365
"""Days: pauses beyond stand together in the last bar."""
BARS = 75
"""Bars at most; each is whole days wide."""


def pauses_picture(
    pauses: Pauses,
    steps: Sequence[CalledGone],
    *,
    file_days: float,
    proposed: int | None,
    words: Mapping[str, str],
    kind: str = "png",
) -> bytes:
    """Closed pauses on the left, base rate and share of returning customers by n on the right.

    ``words`` are the texts (pauses, pause_days, share_of_pauses, longer, called_gone, n_days, gone_of_observed,
    returned_of_gone, file_n, proposed_n). ``kind`` is png or svg; equal input gives equal bytes.
    """

    def draw(left: Any, right: Any) -> None:
        _histogram(left, pauses, words)
        for curve, name, colour, mark in (
            ([one.base_rate for one in steps], "gone_of_observed", BLUE, "o"),
            ([one.returning for one in steps], "returned_of_gone", ORANGE, "D"),
        ):
            values = [np.nan if value is None else value for value in curve]
            right.plot([one.days for one in steps], values, marker=mark, color=colour, label=_wrapped(words[name], 40))
        right.set_title(words["called_gone"], loc="left", fontweight="bold")
        right.set_xlabel(words["n_days"])
        right.set_ylim(0, 1)
        longest = max((one.days for one in steps), default=0)
        if longest >= 90:
            right.set_xticks(np.arange(30, longest + 1, 30))
        right.yaxis.set_major_formatter(_percent)
        # The white behind the curves' names hides the lines, which are named on the left.
        named = right.legend(loc="upper right", fontsize=9, framealpha=1, edgecolor="white")
        named.set_zorder(3)
        for axes in (left, right):
            axes.axvline(file_days, color="#333333", linewidth=1.4, label=words["file_n"])
            if proposed is not None:
                axes.axvline(proposed, color="#333333", linewidth=1.4, linestyle=":", label=words["proposed_n"])
            _plain(axes)
        left.legend(frameon=False, fontsize=9)

    return _drawn(draw, kind)


def leavers_picture(
    months: Sequence[tuple[str, int]],
    horizons: Sequence[tuple[str, float]],
    *,
    words: Mapping[str, str],
    kind: str = "png",
) -> bytes:
    """Leavers per month (``YYYY-MM``, count) on the left, (days, base rate) by horizon on the right.

    ``words`` are the texts (leavers_by_month, leavers, by_horizon, horizon_days, left_of_observed).
    """

    def draw(left: Any, right: Any) -> None:
        places = np.arange(len(months))
        left.bar(places, [count for _, count in months], width=0.8, color=BLUE)
        every = max(1, -(-len(months) // 12))
        left.set_xticks(places[::every], [month for month, _ in months][::every], rotation=45, ha="right", fontsize=9)
        left.set_ylabel(words["leavers"])
        left.set_title(words["leavers_by_month"], loc="left", fontweight="bold")
        spots = np.arange(len(horizons))
        bars = right.bar(spots, [rate for _, rate in horizons], width=0.6, color=ORANGE)
        right.bar_label(bars, [f"{rate:.1%}" for _, rate in horizons], padding=3)
        right.set_xticks(spots, [days for days, _ in horizons])
        right.set_xlabel(words["horizon_days"])
        right.set_ylabel(words["left_of_observed"])
        right.yaxis.set_major_formatter(_percent)
        right.set_title(words["by_horizon"], loc="left", fontweight="bold")
        right.margins(y=0.15)
        for axes in (left, right):
            _plain(axes)

    return _drawn(draw, kind)


def _drawn(draw: Any, kind: str) -> bytes:
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
        figure = Figure(figsize=(11, 4.2), layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12))
        FigureCanvasAgg(figure)
        draw(*figure.subplots(1, 2))
        written = io.BytesIO()
        # Without a date or a version of the library the same numbers give the same file.
        nothing = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        figure.savefig(written, format=kind, dpi=130, facecolor="white", metadata=nothing)
    return written.getvalue()


def _histogram(axes: Any, pauses: Pauses, words: Mapping[str, str]) -> None:
    longest = min(LONGEST, float(np.ceil(pauses.closed.max(initial=1))))
    width = np.ceil(longest / BARS)
    edges = np.arange(0, longest + width, width, dtype=np.float64)
    inside = pauses.closed < edges[-1]
    counts, _ = np.histogram(pauses.closed[inside], bins=edges)
    total = max(len(pauses.closed), 1)
    axes.bar(edges[:-1], counts / total, width=width * 0.9, align="edge", color=BLUE)
    beyond = 1 - inside.mean() if len(inside) else 0.0
    if beyond > 0:
        # Apart from the others and hatched: it holds all lengths from here on.
        axes.bar([edges[-1] + 4 * width], [beyond], width=3 * width, facecolor="white", edgecolor=GREY, hatch="///")
        axes.text(edges[-1] + 4 * width, beyond, words["longer"], ha="center", va="bottom", fontsize=9)
    axes.set_title(_wrapped(words["pauses"], 52), loc="left", fontweight="bold")
    axes.set_xlabel(words["pause_days"])
    axes.set_ylabel(words["share_of_pauses"])
    axes.yaxis.set_major_formatter(_percent)
    axes.margins(y=0.12)


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#E5E5E5", linewidth=0.8)


def _percent(value: float, _place: int) -> str:
    return f"{100 * value:.3g} %"


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width))
