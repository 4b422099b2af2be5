"""The commands about registered versions: which there are, which is in use, and moving between them."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from churnwatch.cli.options import Common, parse_day, progress_bar, tell, with_common
from churnwatch.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from churnwatch.runs.models import Live, Moved, Version
    from churnwatch.runs.verification import Verified

SHOWN = 20
"""Differences shown and named; --json has all."""

models = typer.Typer(name="models")

FETCHED = "its copy under state/ was gone or damaged, and was fetched again from MLflow and verified."

ModelArgument = Annotated[str, typer.Argument(help="A model of models/.")]


def account() -> str:
    """Who moves a model: the account the command runs under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@models.command()
@with_common
def promote(
    common: Common,
    model: ModelArgument,
    version: Annotated[str, typer.Argument(help="A version of it, or its first four digits or more.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the promotion log.")],
    despite_gate: Annotated[
        bool, typer.Option("--despite-gate", help="Promote it although its gate was not passed.")
    ] = False,
) -> None:
    """Make a version champion by your own decision; who, when and why go into the promotion log."""
    from churnwatch.runs.models import promote as run

    workspace = common.workspace()
    moved = run(workspace, model, version, why=why, by=account(), despite_gate=despite_gate)
    tell(common.json, moved.as_json(), lambda: _moved(moved, "is the champion now"))


@models.command()
@with_common
def rollback(
    common: Common,
    model: ModelArgument,
    why: Annotated[
        str | None, typer.Option("--why", help="The reason, for the promotion log.", show_default="rolled back")
    ] = None,
) -> None:
    """Go back to the version that was in use before; a second time, one further back."""
    from churnwatch.runs.models import rollback as run

    workspace = common.workspace()
    moved = run(workspace, model, why=why, by=account())
    tell(common.json, moved.as_json(), lambda: _moved(moved, "is the champion again"))


@models.command("models")
@with_common
def models_(
    common: Common,
    model: Annotated[str | None, typer.Argument(help="A model of models/.", show_default="all")] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="Which version was in use on this day (YYYY-MM-DD)?", show_default=False)
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option("--card", help="Write the champion's card between the marks of this file.", show_default=False),
    ] = None,
) -> None:
    """The versions there are, which is champion and challenger, and when each was in use."""
    from churnwatch.runs.models import live_on, versions

    workspace = common.workspace()
    zone = workspace.spec.deployment.zone
    if card is not None:
        if model is None or on is not None:
            raise UsageError("whose card?", where="--card", hint="churnwatch models MODEL --card FILE, without --on")
        from churnwatch.runs.card_file import write_card

        done = write_card(workspace, model, card)
        tell(
            common.json,
            done.as_json(),
            lambda: print(f"The numbers of {done.model} {done.version} stand in {done.file}."),
        )
        return
    if on is not None:
        days = live_on(workspace, model, _day(on))
        tell(common.json, {"on": on, "models": [one.as_json() for one in days]}, lambda: _live(days, zone))
        return
    found = versions(workspace, model)
    tell(common.json, {"versions": [one.as_json() for one in found]}, lambda: _versions(found, model, zone))


@models.command("verify-model")
@with_common
def verify_model(
    common: Common,
    model: ModelArgument,
    version: Annotated[
        str | None,
        typer.Option("--version", help="A version, or its first four digits or more.", show_default="the champion"),
    ] = None,
) -> None:
    """Learn a version again from the data it was trained on; every metric and the bundle must come out the same."""
    from churnwatch.runs.verification import verify_model as run

    workspace = common.workspace()
    with progress_bar() as report:
        found = run(workspace, model, version=version, report=report)
    tell(common.json, found.as_json(), lambda: _verified(found))
    if not found.same:
        named = [one.what for one in found.differences]
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        error = CheckFailed(
            f"version {found.version} of {model} does not come out the same: {', '.join(named[:SHOWN])}{more}",
            allowed="the metrics and the bundle that were logged, to the last digit",
            hint=f"it was trained by churnwatch {found.trained_with}; the run's environment.json names the packages "
            "and the machine it was trained with",
        )
        sys.stderr.write(f"{error.message}\n")
        raise typer.Exit(error.exit_code)


def _day(text: str) -> date:
    try:
        return parse_day(text)
    except UsageError as error:
        raise UsageError(error.found, where="--on", allowed=error.allowed) from None


def _moved(moved: Moved, told: str) -> None:
    from churnwatch.cli.terminal import console, indented

    page = console()
    if not moved.moved:
        rest = FETCHED if moved.fetched else "nothing was changed."
        page.print(f"Version {moved.version} of {moved.model} is the champion already; {rest}")
        return
    page.print(f"Version {moved.version} of {moved.model} {told} (before: {moved.previous or 'nobody'}).")
    if moved.fetched:
        page.print("Its bundle was fetched from MLflow and verified.")
    indented(page, [("!", warning, "yellow") for warning in moved.warnings])


def _versions(found: Sequence[Version], model: str | None, zone: str) -> None:
    from churnwatch.cli.terminal import console, table, titled

    page = console()
    if not found:
        page.print(
            f"No version {f'of {model} ' if model else ''}is trained yet: `churnwatch train {model or 'MODEL'}`."
        )
    for name in dict.fromkeys(one.model for one in found):
        shown = table("version", "trained until", "AUC", "gate", "role", "in use from", "to", right=("AUC",))
        for one in found:
            if one.model != name:
                continue
            gate = {True: "passed", False: "not passed", None: "–"}[one.gate]
            shown.add_row(
                one.version,
                # The last day whose outcomes it learned from, as its card has it.
                _minute(one.trained_until - timedelta(microseconds=1), zone)[:10] if one.trained_until else "–",
                "–" if one.auc is None else f"{one.auc:.3f}",
                gate,
                one.role or "",
                "\n".join(_minute(since, zone) for since, _ in one.live),
                "\n".join("now" if until is None else _minute(until, zone) for _, until in one.live),
                style="bold" if one.role == "champion" else "",
            )
        titled(page, f"{name} (times of {zone})", shown)


def _live(days: Sequence[Live], zone: str) -> None:
    from churnwatch.cli.terminal import console, indented

    page = console()
    for one in days:
        if not one.terms:
            since = "no version was ever promoted" if one.first is None else f"the first was promoted on {one.first}"
            page.print(f"{one.model}: nothing was in use on {one.day}; {since}.")
            continue
        page.print(f"{one.model} on {one.day}: {', then '.join(term.model_version for term in one.terms)}")
        lines = [
            f"{term.model_version} from {_minute(term.since, zone)} to "
            f"{'now' if term.until is None else _minute(term.until, zone)}, by {term.move.moved_by}: {term.move.reason}"
            for term in one.terms
        ]
        indented(page, [("·", line, "") for line in lines])


def _minute(instant: datetime, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _verified(found: Verified) -> None:
    from churnwatch.cli.terminal import console, indented, table, titled

    page = console()
    if found.fetched:
        indented(page, [("!", f"Before that, {FETCHED}", "yellow")])
    if found.same:
        page.print(
            f"Version {found.version} of {found.model}, learned again from the same data, is the same: "
            f"its bundle to the byte, {found.metrics:,} metrics to the last digit."
        )
        return
    shown = table("what", "logged", "now", right=("logged", "now"))
    for one in found.differences[:SHOWN]:
        shown.add_row(one.what, *(_short(value) for value in (one.logged, one.found)))
    titled(page, f"Version {found.version} of {found.model}, learned again, is version {found.again}", shown)
    if len(found.differences) > SHOWN:
        page.print(f"\n  and {len(found.differences) - SHOWN} more: --json has all")


def _short(value: float | str | None) -> str:
    return "–" if value is None else value[:12] if isinstance(value, str) else repr(value)
