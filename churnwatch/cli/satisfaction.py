"""The command that tells today's satisfaction, of those who answer and of those who do not."""

from __future__ import annotations

from typing import Annotated

import typer

from churnwatch.cli.options import AsOfOption, Common, day_of, progress_bar, tell, with_common


@with_common
def satisfaction(
    common: Common,
    as_of: AsOfOption = None,
    model: Annotated[str, typer.Option("--model", help="A model of models/ that foretells answers.")] = "satisfaction",
) -> None:
    """NPS, CSAT and CES of everybody beside what the answers alone say, with intervals; a page of it."""
    from churnwatch.runs.satisfaction import satisfaction as run

    workspace = common.workspace()
    with progress_bar() as report:
        told = run(workspace, model, day=day_of(as_of, workspace), language=common.lang, report=report)

    def show() -> None:
        from churnwatch.cli.show_satisfaction import satisfaction as shown
        from churnwatch.cli.terminal import files

        shown(told, common.lang)
        files(told["files"])

    tell(common.json, told, show)
