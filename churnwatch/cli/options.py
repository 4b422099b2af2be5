"""What commands share: the options they all take, how days are read, progress and printing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Literal, get_type_hints

import typer

from churnwatch.errors import UsageError

if TYPE_CHECKING:
    from churnwatch.runs.workspace import Workspace

YEARS = range(1900, 2201)
"""The years of an as-of: windows before and after it stay inside every calendar."""

Lang = Literal["en", "id"]
ProjectOption = Annotated[Path, typer.Option("--project", help="The project: features/, models/, configs/.")]
DeploymentOption = Annotated[str, typer.Option("--deployment", help="A folder of configs/.")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Root of relative source paths.", show_default="data/ in the project"),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One machine-readable object on standard output, all else on standard error.")
]
LangOption = Annotated[Lang, typer.Option("--lang", help="Language of what people read.")]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", help="The civil day (YYYY-MM-DD) whose opening midnight is as-of.", show_default="today"),
]


@dataclass(frozen=True)
class Common:
    """The options every command takes, in the order its help shows them, with their defaults."""

    project: ProjectOption = Path()
    deployment: DeploymentOption = "demo"
    data: DataOption = None
    json: JsonOption = False
    lang: LangOption = "en"

    def workspace(self) -> Workspace:
        """The project these options name, checked; ``CHURNWATCH_LEDGER`` names a ledger in place of its own."""
        from churnwatch.runs.workspace import open_workspace

        return open_workspace(
            self.project,
            deployment=self.deployment,
            data=self.data,
            now=now(),
            clock=now,
            ledger_url=os.environ.get("CHURNWATCH_LEDGER") or None,
        )


def with_common(command: Callable[Concatenate[Common, ...], None]) -> Callable[..., None]:
    """The command as Typer reads it: its own parameters, then the five of ``Common``, which it gets as its first.

    So a command writes ``common: Common`` and what is its own; no option is declared twice.
    """
    five = {field.name: field for field in fields(Common)}

    @wraps(command)
    def called(**given: Any) -> None:
        common = Common(**{name: given.pop(name) for name in five})
        command(common, **given)

    hints = get_type_hints(command, include_extras=True)
    options = get_type_hints(Common, include_extras=True)
    _, *own = signature(command).parameters.values()
    parameters = [one.replace(annotation=hints[one.name]) for one in own]
    parameters += [
        Parameter(name, Parameter.KEYWORD_ONLY, default=field.default, annotation=options[name])
        for name, field in five.items()
    ]
    # Typer reads both: the parameters for their defaults and order, the annotations for their types.
    called.__signature__ = Signature(parameters, return_annotation=None)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": None}
    return called


def now() -> datetime:
    """The clock, which nothing below the command line reads."""
    return datetime.now(UTC)


def parse_day(text: str, *, option: str = "--as-of") -> date:
    """A civil day as ``--as-of`` and its like take it; UsageError for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python takes other forms of ISO 8601 too, such as week dates; one form is enough to read.
    if day is None or str(day) != text:
        raise UsageError(f"{text or 'nothing'} is no day", where=option, allowed="YYYY-MM-DD, such as 2026-07-01")
    if day.year not in YEARS:
        raise UsageError(f"{text} is too far away", where=option, allowed=f"years {YEARS[0]} to {YEARS[-1]}")
    return day


def day_of(text: str | None, workspace: Workspace) -> date:
    """The day of ``--as-of``, today in the deployment's zone where it is left out."""
    from churnwatch.spec import civil_day

    if text is None:
        return civil_day(workspace.now, workspace.spec.deployment.zone)
    return parse_day(text)


def tell(as_json: bool, told: dict[str, Any], show: Callable[[], None]) -> None:
    """One object on standard output, or what ``show`` prints for people."""
    if as_json:
        print(json.dumps(told, ensure_ascii=False, allow_nan=False))
    else:
        show()


def progress_bar() -> Any:
    """A context that gives a ``report`` to hand to a run."""
    from churnwatch.cli.progress import progress

    return progress()
