"""The commands about signals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from churnwatch.cli.options import (
    Common,
    DataOption,
    DeploymentOption,
    JsonOption,
    LangOption,
    ProjectOption,
    parse_day,
    progress_bar,
    tell,
)
from churnwatch.errors import UsageError

signals = typer.Typer(name="signals", help="The numbers a model reads, computed as of any moment.")


@signals.callback()
def start() -> None:
    """The numbers a model reads, computed as of any moment."""


@signals.command()
def build(
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
    project: ProjectOption = Path(),
    deployment: DeploymentOption = "demo",
    data: DataOption = None,
    json_: JsonOption = False,
    lang: LangOption = "en",
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
    workspace = Common(project, deployment, data, json_, lang).workspace()
    with progress_bar() as report:
        built = run(workspace, days=days, spine=spine, out=out, engine=engine, master=master, report=report)
    tell(json_, built.as_json(), lambda: show.signals_built(built))
