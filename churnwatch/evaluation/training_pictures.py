"""A trained model as pictures: foretold against observed, outcomes caught, and what the signals do to the risk."""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churnwatch.evaluation.signal_picture import BLUE, GREY, ORANGE, percent, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]

ACROSS = 3
"""Panels beside one another."""
# The rest of Okabe & Ito's colours.
OTHERS = ("#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
SWARMED = 12
"""Signals of the beeswarm."""
RARE = 0.2
"""Below this base rate the axes of risks are square roots."""
DEPENDENT = 6
"""Signals whose dependence is drawn."""


def reliability_picture(slices: Sequence[Mapping[str, Any]], *, kind: str = "png") -> bytes:
    """One panel per slice (its JSON): the observed rate of each tenth over its mean risk, with 95 % intervals."""
    with _figure(len(slices), side=4.2) as (figure, panels):
        for axes, one in zip(panels, slices, strict=True):
            plain(axes)
            bins = one["reliability"]
            risk, rate, low, high = (np.array([b[key] for b in bins]) for key in ("mean_risk", "rate", "low", "high"))
            end = 1.08 * float(max(high.max(), risk.max()))
            if one["base_rate"] < RARE:
                # Most tenths lie near 0 then: a square root draws them apart, and the diagonal stays straight.
                roots: Any = {"value": "function", "functions": (_root, np.square)}
                axes.set_xscale(**roots)
                axes.set_yscale(**roots)
                ticks = [tick for tick in (0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1) if tick <= end]
                axes.set_xticks(ticks)
                axes.set_yticks(ticks)
            axes.plot([0, end], [0, end], color=GREY, linestyle="--", linewidth=1.2, zorder=1)
            # An expected rate may lie a rounding outside its own interval.
            reach = np.clip(np.vstack([rate - low, high - rate]), 0, None)
            axes.errorbar(risk, rate, yerr=reach, fmt="o", color=BLUE, capsize=3, markersize=6, zorder=3)
            axes.set(xlim=(0, end), ylim=(0, end), xlabel="mean risk foretold", ylabel="share that had the outcome")
            axes.set_aspect("equal")
            axes.grid(axis="x", color="#E5E5E5", linewidth=0.8)
            axes.xaxis.set_major_formatter(percent)
            axes.yaxis.set_major_formatter(percent)
            _titled(axes, one)
            told = (
                f"calibration error {one['ece']:.3f}, up to {one['ece_by_chance']:.3f} by chance\n"
                f"base-rate shift {one['base_rate_shift']:+.3f}, error without it {one['ece_after_shift']:.3f}"
            )
            axes.text(0.03, 0.97, told, transform=axes.transAxes, va="top", fontsize=8.5, color="#444444")
        _headed(figure, "Risk foretold and rate observed, by tenths of the customers")
        return _written(figure, kind)


def gain_picture(slices: Sequence[Mapping[str, Any]], *, kind: str = "png") -> bytes:
    """One panel per slice (its JSON): of all with the outcome, the share among the first of the ranking.

    The model beside the baselines; the dot is the list, as long as capacity lets it be.
    """
    with _figure(len(slices), side=4.2) as (figure, panels):
        for axes, one in zip(panels, slices, strict=True):
            plain(axes)
            axes.grid(axis="x", color="#E5E5E5", linewidth=0.8)
            share = one["gain"]["share"]
            others = [name for name in one["gain"]["caught"] if name not in ("model", "random")]
            colours = dict(zip(others, OTHERS, strict=False))
            axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="anybody")
            for name in others:
                axes.plot(
                    share,
                    one["gain"]["caught"][name],
                    color=colours.get(name, GREY),
                    linewidth=1.3,
                    label=name.replace("_", " "),
                )
            axes.plot(share, one["gain"]["caught"]["model"], color=BLUE, linewidth=2.4, label="the model")
            listed = one["capacity_rows"] / one["n"]
            axes.plot([listed], [one["recall_at_capacity"]], "o", color=ORANGE, markersize=8, zorder=5)
            # Hardly any curve passes the corner below the diagonal.
            listed_told = f"● the list: {one['capacity_rows']:,} rows,\n{one['recall_at_capacity']:.0%} of the outcomes"
            axes.text(0.98, 0.04, listed_told, ha="right", color=ORANGE, fontsize=8.5, linespacing=1.4)
            axes.set(
                xlim=(0, 1), ylim=(0, 1.01), xlabel="share of customers contacted", ylabel="share of outcomes found"
            )
            axes.xaxis.set_major_formatter(percent)
            axes.yaxis.set_major_formatter(percent)
            _titled(axes, one)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles[::-1],
            labels[::-1],
            loc="outside lower center",
            ncols=min(len(labels), 3 * min(ACROSS, len(slices))),
            frameon=False,
        )
        _headed(figure, "Outcomes found by share of customers contacted")
        return _written(figure, kind)


def beeswarm_picture(contributions: Numbers, values: Numbers, names: Sequence[str], *, kind: str = "png") -> bytes:
    """What the signals that weigh most do to the risk of each customer: shap's beeswarm.

    ``contributions`` to the log-odds and ``values``, NaN missing, are of shape (n, len(names)).
    """
    import shap

    most = min(SWARMED, len(names))
    rows = most + (most < len(names))
    with _figure(1, side=8.5, height=1.5 + 0.42 * rows) as (figure, panels), _seeded():
        explanation = shap.Explanation(values=contributions, data=values, feature_names=list(names))
        shap.plots.beeswarm(
            explanation,
            max_display=rows,
            ax=panels[0],
            plot_size=None,
            show=False,
            color_bar_label="value (grey: none)",
            s=12,
        )
        panels[0].set_xlabel("effect on the risk (log-odds): to the right it is higher", fontsize=10)
        panels[0].set_yticks(
            panels[0].get_yticks(),
            [one.get_text().replace("other features", "other signals") for one in panels[0].get_yticklabels()],
        )
        panels[0].tick_params(labelsize=10)
        _headed(figure, f"What weighs most, over {len(values):,} customers")
        return _written(figure, kind)


def dependence_picture(contributions: Numbers, values: Numbers, names: Sequence[str], *, kind: str = "png") -> bytes:
    """The effect of each of the six signals that weigh most over its value: shap's scatter; arguments as above.

    Values beyond the 99th percentile stand at it, at either end: one giant would leave the rest no room.
    """
    import shap

    chosen = np.argsort(-np.abs(contributions).mean(axis=0), kind="stable")[:DEPENDENT]
    with _figure(len(chosen), side=3.6, height=3.1) as (figure, panels), _seeded():
        for axes, column in zip(panels, chosen, strict=True):
            plain(axes)
            shown = values[:, column]
            if not np.isnan(shown).all():
                shown = np.clip(shown, *np.nanquantile(shown, [0.01, 0.99]))
            one = shap.Explanation(values=contributions[:, column], data=shown, feature_names=names[column])
            shap.plots.scatter(one, color=BLUE, hist=False, dot_size=12, alpha=0.6, ax=axes, show=False)
            axes.axhline(0, color=GREY, linestyle="--", linewidth=1)
            axes.set_title(names[column], loc="left", fontweight="bold", fontsize=10)
            missing = float(np.isnan(values[:, column]).mean())
            lacking = f"value; {max(missing, 0.01):.0%} have none: at the left edge" if missing else "value"
            axes.set_xlabel(lacking, fontsize=9)
            axes.set_ylabel("effect (log-odds)", fontsize=9)
            axes.tick_params(labelsize=9)
        _headed(figure, f"What each signal does, by its value, over {len(values):,} customers")
        return _written(figure, kind)


def _headed(figure: Figure, title: str) -> None:
    """A title above all panels, folded where they are narrow."""
    letters = int(9 * figure.get_size_inches()[0])
    figure.suptitle("\n".join(textwrap.wrap(title, letters)), fontsize=12)


def _titled(axes: Any, one: Mapping[str, Any]) -> None:
    axes.set_title(f"{one['n']:,} customers, {one['base_rate']:.1%} with the outcome", loc="left", fontsize=9)
    axes.annotate(
        one["as_of"], (0, 1), xycoords="axes fraction", xytext=(0, 20), textcoords="offset points", fontweight="bold"
    )


def _root(values: Numbers) -> Numbers:
    """Below 0, where an axis may look while it is laid out, there is nothing."""
    roots: Numbers = np.sqrt(np.clip(values, 0, None))
    return roots


@contextmanager
def _figure(panels: int, *, side: float, height: float | None = None) -> Iterator[tuple[Figure, list[Any]]]:
    """A figure of its own with so many panels, each ``side`` inches wide; nothing global is left behind.

    pyplot is told of it as long as it is drawn, because shap asks pyplot for the present axes; no window is opened.
    """
    from matplotlib import pyplot, rc_context
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    settings: Any = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "svg.hashsalt": "churnwatch",
        "axes.axisbelow": True,
    }
    across = min(ACROSS, panels)
    down = math.ceil(panels / across)
    with rc_context(settings):
        size = (across * side + 0.4, down * (height or side) + 0.6)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.1))
        number = max(pyplot.get_fignums(), default=0) + 1
        FigureManagerBase(FigureCanvasAgg(figure), number)
        grid: Any = figure.subplots(down, across, squeeze=False)
        try:
            for spare in grid.flat[panels:]:
                spare.set_axis_off()
            yield figure, list(grid.flat[:panels])
        finally:
            pyplot.close(figure)


@contextmanager
def _seeded() -> Iterator[None]:
    """Shuffling is done by numpy's global generator: the same picture every time, and it is left as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            # A signal that nobody has a value of is drawn grey, and that is all there is to say.
            warnings.filterwarnings("ignore", "All-NaN slice encountered", RuntimeWarning)
            yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _written(figure: Figure, kind: str) -> bytes:
    written = io.BytesIO()
    # Without a date or a version of the library the same numbers give the same file.
    nothing = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    figure.savefig(written, format=kind, dpi=130, facecolor="white", metadata=nothing)
    return written.getvalue()
