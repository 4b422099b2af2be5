"""How good a model is, as tables: its slices beside the baselines, how groups fare, and the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from churnwatch.cli.terminal import console as _console
from churnwatch.cli.terminal import indented as _indented
from churnwatch.cli.terminal import table as _table
from churnwatch.cli.terminal import titled as _titled

if TYPE_CHECKING:
    from churnwatch.runs.demo import Truth
    from churnwatch.runs.train import Trained

Forms = Mapping[str, tuple[str, str]]
RANKING: Forms = {
    "auc": ("AUC", "{:.3f}"),
    "average_precision": ("average precision", "{:.3f}"),
    "lift_at_10pct": ("lift at 10 %", "{:.1f}"),
    "precision_at_capacity": ("precision", "{:.1%}"),
    "recall_at_capacity": ("recall", "{:.1%}"),
    "lift_at_capacity": ("lift", "{:.1f}"),
    "empc": ("EMPC", "{:.2f}"),
    "empc_share": ("worth contacting", "{:.1%}"),
}
"""The columns of a slice's table: heading and format; precision, recall and lift are those of the list."""
RISKS = {"brier": "Brier", "log_loss": "log loss", "ece": "calibration error"}


def slices(found: Sequence[Mapping[str, Any]]) -> None:
    """The figures of each date: the model first, then the baselines; lead times and groups of the last date."""
    console = _console()
    for one in found:
        _slice(console, one)
    if found:
        _lead(console, found[-1])
        _groups(console, found[-1])


def _slice(console: Console, one: Mapping[str, Any]) -> None:
    told = {name: form for name, form in RANKING.items() if name in one}
    heads = tuple(head for head, _ in told.values())
    table = _table("ranking by", *heads, right=heads)
    table.add_row("the model", *_ranking(told, one), style="bold")
    table.add_row("95 % from", *_ends(told, one["intervals"], 0), style="dim")
    table.add_row("to", *_ends(told, one["intervals"], 1), style="dim")
    for name, figures in one["baselines"].items():
        table.add_row(name, *_ranking(told, figures))
    late = f", {one['too_late']:,} more left inside the gap" if one["too_late"] else ""
    # Of answers those observed are more than those with an outcome.
    who = "with an answer" if "watched" in one else "observed"
    observed = f"{one['as_of']}: {one['n']:,} {who}, base rate {one['base_rate']:.1%}{late}"
    _titled(console, f"{observed}; {one['capacity_rows']:,} rows on the list", table)
    risks = [f"{head} {one[name]:.4f} ({_between(one['intervals'].get(name))})" for name, head in RISKS.items()]
    shift = (
        f"base-rate shift {one['base_rate_shift']:+.4f}; "
        f"without it the calibration error is {one['ece_after_shift']:.4f}"
    )
    console.print()
    _indented(
        console,
        [("·", " · ".join(risks), ""), ("·", shift, "")] + [("!", warning, "yellow") for warning in one["warnings"]],
    )


def _ranking(told: Forms, figures: Mapping[str, Any]) -> list[str]:
    return [form.format(figures[name]) for name, (_, form) in told.items()]


def _ends(told: Forms, intervals: Mapping[str, Sequence[float]], end: int) -> list[str]:
    return [form.format(intervals[name][end]) if name in intervals else "" for name, (_, form) in told.items()]


def _between(ends: Sequence[float] | None) -> str:
    return "no interval" if ends is None else f"{ends[0]:.4f} to {ends[1]:.4f}"


def _lead(console: Console, one: Mapping[str, Any]) -> None:
    """Of how many leavers each list warned how early; nothing where nobody knows when they left."""
    of_model = one["lead_time"]
    days = [(i, step) for i, step in enumerate(of_model["recall"]) if step["recall"] is not None]
    if not days:
        return
    heads = (*(f"{step['days']} days (of {step['leavers']:,})" for _, step in days), "median, of the listed")
    table = _table("list by", *heads, right=heads)
    for name, lead in (("the model", of_model), *((name, b["lead_time"]) for name, b in one["baselines"].items())):
        median = lead["median_warning_days"]
        table.add_row(
            name,
            *(f"{lead['recall'][i]['recall']:.0%}" for i, _ in days),
            "–" if median is None else f"{median:.0f} days",
            style="bold" if lead is of_model else "",
        )
    _titled(console, f"Leavers listed on {one['as_of']}, by how long before they left at least", table)


def _groups(console: Console, one: Mapping[str, Any]) -> None:
    """How each group fares; where there is too little to say so, why."""
    if not one["groups"]:
        return
    heads = (
        "with an answer" if "watched" in one else "observed",
        "base rate",
        "mean risk",
        "risk − rate",
        "95 % interval",
        "listed",
        "recall",
        "AUC",
    )
    table = _table("group", *heads, right=heads)
    for group in one["groups"]:
        name = f"{group['by']} {'not known' if group['group'] is None else group['group']}"
        if group["base_rate"] is None:
            table.add_row(name, f"{group['n']:,}", Text(group["note"], style="dim"))
            continue
        lack = Text("–" if group["note"] else "", style="dim")
        table.add_row(
            name,
            f"{group['n']:,}",
            f"{group['base_rate']:.1%}",
            f"{group['mean_risk']:.1%}",
            f"{100 * group['calibration_gap']:+.1f} points",
            f"{100 * group['gap_low']:+.1f} to {100 * group['gap_high']:+.1f}",
            f"{group['flag_rate']:.1%}",
            lack if group["recall"] is None else f"{group['recall']:.1%}",
            lack if group["auc"] is None else f"{group['auc']:.3f}",
        )
    _titled(console, f"Groups of customers on {one['as_of']}", table)
    today = list(dict.fromkeys(group["by"] for group in one["groups"] if group["today"]))
    lacking = [
        f"{g['by']} {g['group']}: {g['note']}" for g in one["groups"] if g["note"] and g["base_rate"] is not None
    ]
    lines = [("·", note, "dim") for note in lacking]
    if today:
        lines.append(("·", f"{' and '.join(today)} as known today: the source keeps no history", "dim"))
    if lines:
        console.print()
    _indented(console, lines)


def truth(found: Truth) -> None:
    """Who of the leavers stood on a list in time, by the simulation's own truth; nothing where nobody left."""
    silent, everybody = found.silent["model"], found.everybody["model"]
    if silent.share is None or silent.interval is None:
        return
    console = _console()
    low, high = silent.interval
    console.print(
        f"\nThe truth, which no model reads: {silent.leavers} silent leavers cancelled within the test dates' outcome "
        f"windows; {silent.listed} of them ({silent.share:.0%}, 95 % interval {low:.0%} to {high:.0%}) stood on the "
        "list in time, at least a week before."
    )
    heads = (f"of {silent.leavers} silent leavers", f"of all {everybody.leavers} leavers")
    table = _table("list by", *heads, right=heads)
    for name, one in found.silent.items():
        cells = [f"{part.listed} ({part.share:.0%})" for part in (one, found.everybody[name])]
        table.add_row("the model" if name == "model" else name, *cells, style="bold" if name == "model" else "")
    _titled(console, "Listed in time", table)


def trained(found: Trained) -> None:
    """The figures, the gate's sentences, and what became of the version."""
    console = _console()
    slices([one.figures for one in found.judged])
    console.print(f"\n{found.observations:,} observations; {found.choice}.")
    if found.weighing is not None:
        console.print(weighing_words(found.weighing))
    if found.treated is not None:
        console.print(treated_words(found.treated))
    table = _table("baseline", "difference", "95 % interval", right=("difference", "95 % interval"))
    for name, (difference, low, high) in found.capacity_intervals.items():
        table.add_row(name, f"{100 * difference:+.1f} points", f"{100 * low:+.1f} to {100 * high:+.1f}")
    _titled(console, "Precision at capacity over all test dates: the model's minus the baseline's", table)
    judged(found)


def weighing_words(weighing: Mapping[str, Any]) -> str:
    """For how many the answers learned from stand."""
    asked, answered = weighing["asked"], weighing["answered"]
    if weighing["effective"] is None:
        return f"Every one of the {asked:,} observations has an answer: nothing to weigh by."
    return (
        f"{answered:,} of {asked:,} observations had an answer; weighed they tell as much as "
        f"{weighing['effective']:,.0f}."
    )


def treated_words(treated: Mapping[str, Any]) -> str:
    """What became of the customers we contacted before their outcome was complete."""
    left_out = f"{treated['dropped']:,} observations left out, as we spoke to the customer before the outcome"
    if not treated["weighed"]:
        return f"{left_out}."
    return f"{left_out}; {treated['weighed']:,} held out stand for {treated['stand_for']:,.0f}."


def judged(found: Trained) -> None:
    """The gate's sentences, and what became of the version."""
    console = _console()
    console.print(f"\nGate: {'passed' if found.verdict.passed else 'NOT PASSED'}", style="bold")
    _indented(
        console,
        [("✓" if one.passed else "✗", one.sentence, "" if one.passed else "red") for one in found.verdict.checks]
        + [("!", note, "yellow") for note in found.notes],
    )
    state = "registered" if found.new else "unchanged, registered before"
    console.print(
        f"\nVersion {found.version} of {found.model} ({state} as number {found.registered})"
        + (
            " is the champion."
            if found.champion == found.version
            else f"; the champion is {found.champion or 'nobody'}."
        )
    )
