"""``churnwatch tune``: search parameters, and say whether the found ones are worth having."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from churnwatch.cli.options import Common, progress_bar, tell, with_common

if TYPE_CHECKING:
    from churnwatch.runs.tune import Tuned

tune = typer.Typer()

SHOWN = 5
"""The best trials the terminal shows; --json and MLflow have all."""


@tune.command("tune")
@with_common
def tune_(
    common: Common,
    model: Annotated[str, typer.Argument(help="A model of models/.")],
    trials: Annotated[int, typer.Option("--trials", min=1, help="Sets of parameters, the file's own first.")],
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", min=0, help="Begin no trial after so many minutes.", show_default="none"),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Put better parameters into the model's file, keeping its comments.")
    ] = False,
) -> None:
    """Search LightGBM parameters on time-ordered folds before the first test date; goes on where it was ended."""
    from churnwatch.runs.tune import tune as run

    workspace = common.workspace()
    with progress_bar() as report:
        tuned = run(workspace, model, trials=trials, minutes=timeout, write=write, report=report)
    tell(common.json, tuned.as_json(), lambda: show_tuned(tuned, asked_to_write=write))


def show_tuned(tuned: Tuned, *, asked_to_write: bool) -> None:
    """The best trials beside the file's, the difference with its standard error, and the parameters as YAML."""
    from churnwatch.cli.terminal import console, indented, numbered, table, titled

    page = console()
    found = tuned.search
    stopped = sum(one.stopped for one in found.trials)
    seen = f"complete before the first test date, {tuned.before}" if tuned.before else "outside the test fifth"
    page.print(
        f"{numbered(len(found.trials), 'trial')} of {tuned.asked} on {tuned.observations:,} observations {seen}; "
        f"{stopped} stopped early."
    )
    if found.before:
        page.print(
            f"Went on at trial {found.before + 1} of {tuned.asked}."
            if found.before < len(found.trials)
            else "All of them had been made before."
        )
    apart = "held-out date" if tuned.before else "held-out group"
    folds = f"{numbered(len(found.held), apart)}, {min(found.held):,} to {max(found.held):,} rows each"
    ranked = sorted((one for one in found.trials if not one.stopped), key=lambda one: (-one.auc, one.number))
    shown = table("trial", "mean AUC", "lowest", "highest", "rounds", right=("mean AUC", "lowest", "highest", "rounds"))
    top = ranked[:SHOWN]
    for one in top if found.file in top else [*top, found.file]:
        name = f"{one.number + 1}, the file's" if one is found.file else f"{one.number + 1}"
        style = "bold" if one is found.best else ""
        shown.add_row(
            name, f"{one.auc:.4f}", f"{min(one.aucs):.4f}", f"{max(one.aucs):.4f}", f"{one.rounds}", style=style
        )
    titled(page, f"Best by mean AUC over {folds}", shown)
    page.print(f"\n{verdict(tuned)}")
    notes = []
    if found.best is not found.file:
        notes.append(
            f"The best of {len(found.trials)} looks better than it is: it was chosen by these very rows. Those of the "
            "test have not been looked at: train, and they tell."
        )
    if tuned.wants_more_rounds:
        notes.append(
            f"It used {found.best.rounds} of at most {tuned.model.learner.rounds} rounds: more of them "
            "(learner.rounds) may do better still."
        )
    if len(found.trials) < tuned.asked:
        notes.append("The time was over; ask again, and it goes on here.")
    indented(page, [("!", note, "yellow") for note in notes])
    _what_now(tuned, asked_to_write)


def verdict(tuned: Tuned) -> str:
    """One sentence: by how much the best lies above what the file has, and how sure that is."""
    found = tuned.search
    if found.best is found.file:
        return f"None is better than what {tuned.file} has."
    if found.error is None:
        return f"{found.difference:+.4f} AUC over what {tuned.file} has, on one fold: no telling how sure that is."
    assert found.left_out is not None
    assert found.left_out_error is not None
    sure = "more" if found.difference > found.error else "not more"
    return (
        f"{found.difference:+.4f} ± {found.error:.4f} AUC over what {tuned.file} has (trial {found.best.number + 1}, "
        f"standard error over the folds): {sure} than the error. On folds that had no say in the choice: "
        f"{found.left_out:+.4f} ± {found.left_out_error:.4f}. {'Better.' if found.better else 'Not surely better.'}"
    )


def _what_now(tuned: Tuned, asked_to_write: bool) -> None:
    from churnwatch.cli.terminal import console

    page = console()
    if tuned.written:
        page.print(f"\nWritten into {tuned.file}; its comments are kept. Next: churnwatch train {tuned.model.model}")
        return
    if asked_to_write:
        page.print(f"\n{tuned.file} is left as it is.")
    if tuned.search.best is not tuned.search.file:
        page.print(f"\nFor {tuned.file}:\n")
        print(tuned.snippet, end="")
