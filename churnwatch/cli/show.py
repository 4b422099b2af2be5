"""What the commands print for people: tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from churnwatch.cli.words import say

if TYPE_CHECKING:
    from churnwatch.project.scaffold import Difference
    from churnwatch.runs.check import Checked
    from churnwatch.runs.daily import Daily
    from churnwatch.runs.demo import Demo
    from churnwatch.runs.explain import Explained
    from churnwatch.runs.train import Trained

SHOWN = 15
"""Rows of a list shown in the terminal; the files have all."""
BAND_STYLE = {"critical": "bold red", "at_risk": "dark_orange", "watch": "yellow", "healthy": "green"}
RANKING = ("auc", "average_precision", "lift_at_10pct", "precision_at_capacity")


def _console() -> Console:
    console = Console(highlight=False)
    # Piped into a file or a pager the width is unknown; 80 would fold every reason.
    return console if console.is_terminal else Console(highlight=False, width=140)


def _table(title: str, *columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left")
    return table


def scaffolded(directory: Path, written: Sequence[str]) -> None:
    """What ``init`` wrote, and what to do next."""
    console = _console()
    console.print(f"{len(written)} files in {directory}: features/, models/, configs/.")
    console.print(f"Next: put your tables in {directory}/data and map them in configs/<name>/sources.yaml, then")
    console.print(f"  churnwatch check --project {directory} --deployment <name>")


def differences(found: Sequence[Difference]) -> None:
    """How the project differs from the reference."""
    console = _console()
    if not found:
        console.print("No difference from the reference project.")
    for one in found:
        console.print(Text(f"{one.state:8} {one.path}", style="bold"))
        if one.text:
            console.print(Text(one.text))


def checked(found: Checked) -> None:
    """The accounting table, what is skipped, and what each model would see."""
    console = _console()
    table = _table(
        "Sources: read = accepted + excluded + quarantined",
        "source", "file", "read", "accepted", "excluded", "quarantined", "events made", "data end",
        right=("read", "accepted", "excluded", "quarantined"),
    )  # fmt: skip
    for one in found.accounting:
        table.add_row(
            one.source,
            one.file,
            f"{one.read:,}",
            f"{one.accepted:,}",
            f"{sum(one.excluded.values()):,}",
            Text(f"{sum(one.quarantined.values()):,}", style="yellow" if one.quarantined else ""),
            ", ".join(f"{count:,} {name}" for name, count in one.events.items()),
            f"{one.data_end:%Y-%m-%d %H:%M} UTC" if one.data_end else "",
        )
    console.print(table)
    for one in found.accounting:
        for rule, count in one.excluded.items():
            console.print(f"  {one.source}: {count:,} excluded: {rule}")
        for rule, count in one.quarantined.items():
            console.print(f"  {one.source}: {count:,} quarantined: {rule}", style="yellow")
    if found.quarantine_file:
        console.print(f"  quarantined rows with file and line: {found.quarantine_file}")
    for warning in found.warnings:
        console.print(f"  {warning}", style="yellow")
    skipped = len(found.skipped)
    console.print(f"\n{found.examples} examples come true. {found.signals} signal columns can be computed here", end="")
    console.print(f", {skipped} signals are skipped:" if skipped else ".")
    for name, why in found.skipped.items():
        console.print(f"  {name}: {why}")
    for model in found.models:
        console.print(f"\nModel {model['model']}: {model['outcome']}.")
        rate = f"{model['base_rate']:.1%}" if model["base_rate"] is not None else "unknown"
        console.print(
            f"  {model['observations']:,} complete observations at {len(model['as_ofs'])} as-ofs, "
            f"{model['outcomes']:,} with the outcome (base rate {rate}), {model['too_late']:,} left inside the gap, "
            f"{model['signals']} signal columns."
        )


def slices(found: Sequence[Mapping[str, Any]]) -> None:
    """The figures of each date: the model first, then the baselines."""
    console = _console()
    for one in found:
        table = _table(
            f"{one['as_of']}: {one['n']:,} observed, base rate {one['base_rate']:.1%}, {one['too_late']} too late",
            "ranking by", "AUC", "average precision", "lift at 10 %", "precision at capacity",
            right=("AUC", "average precision", "lift at 10 %", "precision at capacity"),
        )  # fmt: skip
        table.add_row("the model", *(f"{one[name]:.3f}" for name in RANKING), style="bold")
        for name, figures in one["baselines"].items():
            table.add_row(name, *(f"{figures[key]:.3f}" for key in RANKING))
        console.print(table)
        console.print(
            f"  Brier {one['brier']:.4f} · calibration error {one['ece']:.4f} · base-rate shift "
            f"{one['base_rate_shift']:+.4f} · calibration error after the shift {one['ece_after_shift']:.4f}\n"
        )
        if abs(one["base_rate_shift"]) > 0.1:
            console.print(
                "  The base rate has moved away from training's by more than 10 points: read risks as a ranking.",
                style="yellow",
            )


def trained(found: Trained) -> None:
    """The figures, the gate's sentences, and what became of the version."""
    console = _console()
    slices([one.figures for one in found.judged])
    console.print(f"{found.observations:,} observations; {found.choice}.")
    console.print("Precision at capacity, the model's minus the baseline's, over all test dates (95 % interval):")
    for name, (difference, low, high) in found.capacity_intervals.items():
        console.print(f"  {name:<11} {difference:+.3f}  ({low:+.3f} to {high:+.3f})")
    console.print(f"\nGate: {'passed' if found.verdict.passed else 'NOT PASSED'}", style="bold")
    for check in found.verdict.checks:
        console.print(Text(f"  {'✓' if check.passed else '✗'} {check.sentence}", style="" if check.passed else "red"))
    state = "registered" if found.new else "unchanged, registered before"
    console.print(
        f"Version {found.version} of {found.model} ({state} as number {found.registered})"
        + (" is the champion." if found.promoted else f"; the champion is {found.champion or 'nobody'}.")
    )


def scored(told: Mapping[str, Any]) -> None:
    """How many in each band, and the files."""
    console = _console()
    console.print(
        f"{told['observed']:,} customers observed on {told['as_of']} by version {told['model_version']} of "
        f"{told['model']}, mean risk {told['mean_risk']:.1%}:"
    )
    for band, count in told["bands"].items():
        console.print(f"  {say(band, 'en'):9} {count:,}")
    files(told["files"])


def daily(made: Daily, lang: str) -> None:
    """The top of the list, where everybody else went, and the files."""
    from churnwatch.runs.daily import counts_told

    console = _console()
    summary = made.summary
    if made.status == "skipped":
        console.print(f"The list of {summary['as_of']} was issued before; here it is (--rerun correct makes it anew).")
    if made.status == "verified":
        console.print(f"The list of {summary['as_of']}, made again, is the same to the byte.")
    by = (
        f"baseline {summary['baseline']}"
        if summary["baseline"]
        else f"model {summary['model']} {summary['model_version']}"
    )
    table = _table(
        f"{say('list', lang)} {summary['as_of']} · {by}",
        "#", say("customer", lang), say("owner", lang), say("risk", lang), say("band", lang),
        say("why", lang), say("action", lang),
        right=("#", say("risk", lang)),
    )  # fmt: skip
    for row in made.rows[:SHOWN]:
        why = [row[key] for key in ("reason_1", "reason_2", "reason_3") if row[key]]
        table.add_row(
            row["rank"],
            Text(f"{row['customer_name']}\n{row['customer']}".strip()),
            Text(row["owner_name"]),
            f"{float(row['risk']):.0%}" if row["risk"] else "–",
            Text(say(row["band"], lang) if row["band"] else "–", style=BAND_STYLE.get(row["band"], "")),
            Text("\n".join(f"· {reason}" for reason in why)),
            Text(row["action"]),
        )
    console.print(table)
    if len(made.rows) > SHOWN:
        console.print(f"  … and {len(made.rows) - SHOWN} more in the files.")
    console.print(f"{counts_told(summary['counts'])}.")
    files({path.name: str(path) for path in sorted(made.directory.iterdir())})


def files(paths: Mapping[str, str]) -> None:
    """The files' paths, one a line, whole."""
    console = _console()
    for path in paths.values():
        console.print(Text(f"  {path}"), soft_wrap=True)


def demo(done: Demo, lang: str) -> None:
    """Everything the demo did, the list last."""
    console = _console()
    trained(done.trained)
    daily(done.daily, lang)
    caught = done.caught
    if caught.leavers:
        console.print(
            f"\nThe truth, which no model reads: {caught.leavers} silent leavers cancelled within the test dates' "
            f"outcome windows; {caught.listed} of them ({caught.listed / caught.leavers:.0%}) stood on the list in "
            f"time, at least a week before. Of all {caught.everybody} leavers: {caught.everybody_listed} "
            f"({caught.everybody_listed / caught.everybody:.0%})."
        )
    console.print(f"\n{done.directory} is an ordinary project now. Try:")
    first = done.daily.rows[0]["customer"] if done.daily.rows else "CUSTOMER"
    for command in (
        f"churnwatch check --project {done.directory}",
        f"churnwatch explain {first} --as-of {done.daily.summary['as_of']} --project {done.directory}",
        f"mlflow ui --backend-store-uri sqlite:///{done.directory}/state/demo/mlflow.db",
    ):
        console.print(Text(f"  {command}"), soft_wrap=True)


def explained(told: Explained, lang: str) -> None:
    """Risk, reasons, the signals that weigh most, recent interactions and surveys."""
    console = _console()
    customer = told.customer
    console.print(Text(f"{customer['name'] or ''} {customer['customer_id']}".strip(), style="bold"))
    facts = [f"{say(key, lang)} {customer[key]}" for key in ("owner", "segment") if customer[key]]
    if facts:
        console.print(Text(" · ".join(facts)))
    band = Text(say(told.band, lang), style=BAND_STYLE[told.band])
    console.print(
        Text(f"{say('risk', lang)} {told.risk:.1%} · ")
        .append(band)
        .append(f" · {say('usual', lang)} {told.base_rate:.1%} · {told.as_of} · {told.model} {told.model_version}")
    )
    console.print(f"\n{say('why', lang)}:")
    for reason in told.reasons:
        console.print(Text(f"  · {reason.sentence}"))
    if not told.reasons:
        console.print(f"  {say('nothing', lang)}")
    table = _table("\n" + say("signals", lang), say("signal", lang), say("value", lang), say("share", lang),
                   right=(say("value", lang), say("share", lang)))  # fmt: skip
    for name, value, share in told.signals[:10]:
        table.add_row(name, "–" if value is None else f"{value:,.2f}", f"{share:+.3f}")
    console.print(table)
    _events(console, say("interactions", lang), told.interactions)
    _events(console, say("surveys", lang), told.surveys)


def _events(console: Console, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    table = _table(title, *columns)
    for row in rows:
        cells = (row[name] for name in columns)
        table.add_row(*(Text("" if c is None else f"{c:,.1f}" if isinstance(c, float) else str(c)) for c in cells))
    console.print(table)
