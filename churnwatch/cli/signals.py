"""The commands about signals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from churnwatch.cli.options import Common, parse_day, progress_bar, tell, with_common
from churnwatch.errors import UsageError

signals = typer.Typer(name="signals", help="The numbers a model reads, computed as of any moment.")


@signals.callback()
def start() -> None:
    """The numbers a model reads, computed as of any moment."""


@signals.command()
@with_common
def build(
    common: Common,
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write.")],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Days, D[,D…]: everybody who had started, at each.", show_default=False),
    ] = None,
    spine: Annotated[
        Path | None,
        typer.Option(
            "--spine", help="A CSV or Parquet file of customer_id and as_of: these, and no others.", show_default=False
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "spark"], typer.Option("--engine", help="Where it is computed; the numbers are the same.")
    ] = "local",
    master: Annotated[str | None, typer.Option("--master", help="Spark's master URL.", show_default="local[*]")] = None,
) -> None:
    """Compute the catalogue's signals for many customers and moments, into one file."""
    from churnwatch.cli import show
    from churnwatch.runs.signals import build as run

    if (as_of is None) == (spine is None):
        raise UsageError(
            "when are the signals wanted?" if as_of is None else "there are two answers to when",
            where="--as-of, --spine",
            allowed="one of the two",
            hint="--as-of 2026-06-01,2026-07-01, or --spine FILE with columns customer_id and as_of",
        )
    if master is not None and engine != "spark":
        raise UsageError("a master, but no Spark", where="--master", hint="add --engine spark")
    days = None if as_of is None else [parse_day(one.strip()) for one in as_of.split(",")]
    workspace = common.workspace()
    with progress_bar() as report:
        built = run(workspace, days=days, spine=spine, out=out, engine=engine, master=master, report=report)
    tell(common.json, built.as_json(), lambda: show.signals_built(built))


ModelOption = Annotated[
    str | None, typer.Option("--model", help="Whose observations and outcome.", show_default="the listing model")
]


@signals.command("list")
@with_common
def list_(
    common: Common,
    family: Annotated[str | None, typer.Option("--family", help="One family of features/.", show_default="all")] = None,
    model: ModelOption = None,
) -> None:
    """The catalogue as a table: what each signal is, how much it covers here, or why it is skipped."""
    from churnwatch.cli import show_signals
    from churnwatch.runs.catalogue import listed as run

    workspace = common.workspace()
    with progress_bar() as report:
        found = run(workspace, model=model, family=family, report=report)
    tell(common.json, found.as_json(), lambda: show_signals.signals_listed(found, common.lang))


@signals.command()
@with_common
def describe(
    common: Common,
    name: Annotated[str, typer.Argument(help="A signal, or one column of it.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The picture, .png or .svg.", show_default="out/<deployment>/signals/NAME.png"),
    ] = None,
    model: ModelOption = None,
) -> None:
    """One signal: definition, coverage, how its values lie, outcome rate by decile; also as a picture."""
    from churnwatch.cli import show_signals
    from churnwatch.runs.catalogue import described as run

    workspace = common.workspace()
    with progress_bar() as report:
        found = run(workspace, name, model=model, out=out, report=report)
    tell(common.json, found.as_json(), lambda: show_signals.signal_described(found, common.lang))


@signals.command("report")
@with_common
def report_(
    common: Common,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The HTML file.", show_default="out/<deployment>/signals/signals.html"),
    ] = None,
    model: ModelOption = None,
) -> None:
    """One page for the whole catalogue: coverage, outcome rate by decile, drift, what says the same."""
    from churnwatch.cli import show_signals
    from churnwatch.runs.catalogue import reported as run

    workspace = common.workspace()
    with progress_bar() as report:
        found = run(workspace, model=model, language=common.lang, out=out, report=report)
    tell(common.json, found.as_json(), lambda: show_signals.signals_reported(found))
