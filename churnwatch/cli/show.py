"""What the commands print for people: tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from churnwatch.cli.show_figures import judged, trained, truth
from churnwatch.cli.show_list import daily
from churnwatch.cli.terminal import console as _console
from churnwatch.cli.terminal import files, warned
from churnwatch.cli.terminal import indented as _indented
from churnwatch.cli.terminal import numbered as _numbered
from churnwatch.cli.terminal import table as _table
from churnwatch.cli.terminal import titled as _titled
from churnwatch.cli.words import say

if TYPE_CHECKING:
    from churnwatch.project.scaffold import Difference
    from churnwatch.runs.check import Checked
    from churnwatch.runs.demo import Demo
    from churnwatch.runs.signals import Built
    from churnwatch.sources import Accounting, Lateness


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
            print(one.text)  # as it is: a blank at a line's end may be the difference


def checked(found: Checked) -> None:
    """The accounting table, what is skipped, and what each model would see."""
    console = _console()
    _accounting(console, found.accounting)
    _late(console, found.lateness)
    notes = [
        ("·", f"{one.source}: {count:,} {what}: {rule}", style)
        for one in found.accounting
        for what, rules, style in (("excluded", one.excluded, ""), ("quarantined", one.quarantined, "yellow"))
        for rule, count in rules.items()
    ]
    if notes or found.warnings:
        console.print()
    _indented(console, notes)
    warned(console, found.warnings)
    if found.quarantine_file:
        console.print("\nQuarantined rows, each with file and line:")
        files({"quarantine.csv": str(found.quarantine_file)})
    console.print(f"\n{found.examples} examples come true. {found.signals} signal columns can be computed here.")
    if found.skipped:
        console.print(f"{_numbered(len(found.skipped), 'signal')} cannot:")
        _lacking(console, found.skipped)
    about = _about_facts(found) + _about_families(found)
    if about:
        console.print()
    _indented(console, about)
    for model in found.models:
        _described(console, model, [one for one in found.suspects if one["model"] == model["model"]])


def signals_built(built: Built) -> None:
    """Where the file is, how large, and which signals it lacks."""
    console = _console()
    console.print(
        f"{built.rows:,} rows ({_numbered(built.customers, 'customer')}, {_numbered(built.as_ofs, 'as-of')}) "
        f"of {len(built.columns)} signal columns:"
    )
    files({built.file.name: str(built.file)})
    if built.skipped:
        console.print(f"\n{_numbered(len(built.skipped), 'signal')} cannot be computed here:")
        _lacking(console, built.skipped)


def _lacking(console: Console, skipped: Mapping[str, str]) -> None:
    """Signals by what they lack."""
    lacking: dict[str, list[str]] = {}
    for name, why in skipped.items():
        lacking.setdefault(why, []).append(name)
    _indented(console, [("·", f"{why}: {', '.join(names)}", "") for why, names in lacking.items()])


def _about_facts(found: Checked) -> list[tuple[str, str, str]]:
    """The facts of customers by why they are barred from past days, or since when they are known."""
    told: dict[str, list[str]] = {}
    for name, words in (*found.barred.items(), *found.facts.items()):
        told.setdefault(words, []).append(name)
    return [("·", f"{', '.join(names)}: {words}", "") for words, names in told.items()]


def _about_families(found: Checked) -> list[tuple[str, str, str]]:
    models = " or ".join(model["file"] for model in found.models)
    return [
        ("!", f"family {name} is used by no model: name it under `families` in {models}", "yellow")
        for name in found.unused
    ]


def _late(console: Console, lateness: Sequence[Lateness]) -> None:
    """The sources whose events are known later than they happen; the others in a line."""
    late = [one for one in lateness if one.late]
    if late:
        heads = ("late", "median", "95 %", "most")
        table = _table("source", *heads, right=heads)
        for one in late:
            share = "all" if one.late == one.rows else f"{one.share:.1%}" if one.share >= 0.001 else "< 0.1%"
            table.add_row(one.source, share, *map(_took, (one.median, one.p95, one.maximum)))
        _titled(console, "Lateness: share of the events known after they happened, and how long after", table)
    at_once = [one.source for one in lateness if not one.late]
    if at_once:
        if late:
            console.print()
        _indented(console, [("·", f"known when they happen: {', '.join(at_once)}", "")])


def _took(seconds: float) -> str:
    """A delay in the largest unit of which it has at least one, two figures or more."""
    for name, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:,.1f} {name}" if seconds < 100 * size else f"{seconds / size:,.0f} {name}"
    return f"{seconds:.0f} s" if seconds == 0 or seconds >= 1 else "< 1 s"


def _accounting(console: Console, accounting: Sequence[Accounting]) -> None:
    numbers = ("read", "accepted", "excluded", "quarantined")
    table = _table("source", "file", *numbers, "gives", right=numbers)
    ends: dict[str, list[str]] = {}
    for one in accounting:
        bad = sum(one.quarantined.values())
        table.add_row(
            one.source,
            one.file,
            f"{one.read:,}",
            f"{one.accepted:,}",
            f"{sum(one.excluded.values()):,}",
            Text(f"{bad:,}", style="yellow" if bad else ""),
            ", ".join(f"{count:,} {name}" for name, count in one.events.items()),
        )
        if one.data_end:
            ends.setdefault(f"{one.data_end:%Y-%m-%d %H:%M} UTC", []).append(one.source)
    _titled(console, "Rows: read = accepted + excluded + quarantined", table)
    if ends:
        console.print()
    _indented(console, [("·", f"data end {end}: {', '.join(names)}", "") for end, names in ends.items()])


def _described(console: Console, model: Mapping[str, Any], suspects: Sequence[Mapping[str, Any]]) -> None:
    console.print(f"\nModel {model['model']}: {model['outcome']}.")
    rate = f"{model['base_rate']:.1%}" if model["base_rate"] is not None else "unknown"
    lines = [
        f"{model['observations']:,} complete observations {_when(model)}",
        f"{model['outcomes']:,} of them with the outcome: base rate {rate}",
    ]
    if model["too_late"]:
        lines.append(f"{model['too_late']:,} more left inside the gap: too late to act")
    lines.append(f"{model['signals']:,} signal columns")
    _indented(console, [("·", line, "") for line in lines] + _suspects(suspects, model["file"]))


def _when(model: Mapping[str, Any]) -> str:
    """``at 16 as-ofs``; of observations at events ``in 16 slices of 30 days``."""
    count, days = len(model["as_ofs"]), model["slice_days"]
    return (
        f"at {_numbered(count, 'as-of')}" if not days else f"in {_numbered(count, 'slice')} of {_numbered(days, 'day')}"
    )


def _suspects(suspects: Sequence[Mapping[str, Any]], file: str) -> list[tuple[str, str, str]]:
    """The columns that know too much, and what becomes of them."""
    lines, refused = [], []
    for one in suspects:
        told = f"suspect {one['column']}: {one['why']}"
        if one["acknowledged"]:
            lines.append(("·", f"{told}; acknowledged in the model's file", ""))
        elif one["column"].startswith("customers."):
            lines.append(("!", f"{told}; no signal of the model reads it", "yellow"))
        else:
            lines.append(("!", told, "yellow"))
            refused.append(one["column"])
    if refused:
        lines.append(("!", f"no training until {file} acknowledges {', '.join(refused)}", "yellow"))
    return lines


def scored(told: Mapping[str, Any]) -> None:
    """How many in each band, and the files."""
    console = _console()
    console.print(
        f"{told['observed']:,} customers observed on {told['as_of']} by version {told['model_version']} of "
        f"{told['model']}, mean risk {told['mean_risk']:.1%}:"
    )
    for band, count in told["bands"].items():
        console.print(f"  {say(band, 'en'):9} {count:>8,}")
    warned(console, told["warnings"])
    files(told["files"])


def demo(done: Demo, lang: str) -> None:
    """Everything the demo did, the list last."""
    console = _console()
    trained(done.trained)
    for one in done.also:
        console.print(f"\nBeside it, {one.model}: {one.observations:,} observations; {one.choice}.")
        judged(one)
    daily(done.daily, lang)
    truth(done.truth)
    console.print(f"\n{done.directory} is an ordinary project now. Try:")
    first = done.daily.rows[0]["customer"] if done.daily.rows else "CUSTOMER"
    for command in (
        f"churnwatch check --project {done.directory}",
        f"churnwatch explain {first} --as-of {done.daily.summary['as_of']} --project {done.directory}",
        f"mlflow ui --backend-store-uri sqlite:///{done.directory}/state/demo/mlflow.db",
    ):
        console.print(Text(f"  {command}"), soft_wrap=True)
