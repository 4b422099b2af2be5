"""The commands and their options: the contract other tools rely on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from churnwatch.cli.audit import audit
from churnwatch.cli.backtest import backtest
from churnwatch.cli.label import label
from churnwatch.cli.ledger import ledger
from churnwatch.cli.models import account, models
from churnwatch.cli.options import AsOfOption, Common, day_of, now, progress_bar, tell, with_common
from churnwatch.cli.outcomes import outcomes
from churnwatch.cli.outreach import outreach
from churnwatch.cli.satisfaction import satisfaction
from churnwatch.cli.signals import signals
from churnwatch.cli.simulate import simulate
from churnwatch.cli.streams import patient
from churnwatch.cli.surveys import surveys
from churnwatch.cli.tune import tune
from churnwatch.errors import CheckFailed, ChurnwatchError, UsageError

if TYPE_CHECKING:
    from churnwatch.runs.train import Trained

app = typer.Typer(
    name="churnwatch",
    help="An early warning for customers who are about to leave: signals, calibrated risk, reasons, a daily list.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(signals)
app.add_typer(surveys)
app.add_typer(outreach)
app.add_typer(outcomes)
app.add_typer(audit)
app.add_typer(ledger)
app.add_typer(label)
app.add_typer(tune)

# What Typer raises where it cannot read the command line. Its click is click's own or a copy it carries,
# depending on its version; the parent of the one it shows is the right one in both.
Unreadable: type[Exception] = typer.BadParameter.__mro__[1]


def main() -> None:
    """The entry point: a user's mistake is one message and its exit code, anything else a traceback and 1."""
    with patient():
        try:
            code = app(standalone_mode=False) or 0
        except ChurnwatchError as error:
            _fail(error)
        except Unreadable as error:
            _fail(_unreadable(error))
        except (KeyboardInterrupt, typer.Abort):
            code = 130
        except SystemExit as end:
            # Typer hides every broken pipe behind this; standard output's is dealt with, so it is a bug.
            raise end.__context__ or end from None
        if code == 130:
            sys.stderr.write("interrupted; nothing half-written is left\n")
        sys.exit(code)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.", is_eager=True)] = False,
) -> None:
    """An early warning for customers who are about to leave: signals, calibrated risk, reasons, a daily list."""
    if version:
        from churnwatch import __version__

        print(f"churnwatch {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stderr.write(f"{context.get_help()}\n")
        raise typer.Exit(2)


def _unreadable(error: Exception) -> UsageError:
    """What Typer found wrong with the command line, as a message of ours."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "churnwatch"
    return UsageError(error.format_message(), hint=f"{command} --help")  # type: ignore[attr-defined]


def _fail(error: ChurnwatchError) -> NoReturn:
    if "--json" in sys.argv[1:]:
        told = {"error": {"kind": type(error).__name__, "exit_code": error.exit_code, "message": error.message}}
        print(json.dumps(told, ensure_ascii=False))
    sys.stderr.write(f"{error.message}\n")
    sys.exit(error.exit_code)


@app.command()
@with_common
def init(
    common: Common,
    directory: Annotated[Path | None, typer.Argument(help="Where the project goes.", show_default=False)] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show how the project differs from the reference.")] = False,
) -> None:
    """Copy the reference project into a directory, or show how a project has drifted from it."""
    from churnwatch.cli import show
    from churnwatch.project import scaffold

    if diff:
        found = scaffold.diff(directory or common.project)
        told = {"differences": [{"path": one.path, "state": one.state, "diff": one.text} for one in found]}
        tell(common.json, told, lambda: show.differences(found))
        return
    if directory is None:
        raise UsageError(
            "where should the project go?", where="init", hint="churnwatch init DIR, or churnwatch init --diff"
        )
    written = scaffold.init(directory)
    tell(
        common.json,
        {"directory": str(directory), "files": written},
        lambda: show.scaffolded(directory, written),
    )


@app.command()
@with_common
def demo(
    common: Common,
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo's project goes.")] = Path("demo"),
    customers: Annotated[int, typer.Option("--customers", help="How many customers the company has.")] = 5000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, another company.")] = 1,
    nonresponse: Annotated[
        Literal["mild", "observed", "latent"],
        typer.Option(
            "--nonresponse",
            help="Why surveys stay unanswered: little that is seen, much that is, or what nothing shows.",
        ),
    ] = "mild",
) -> None:
    """Simulate a company, check, train, and make the list of the last day; prints the list."""
    from churnwatch.cli import show
    from churnwatch.runs.demo import demo as run

    if (common.project, common.deployment, common.data) != (Path(), "demo", None):
        raise UsageError("demo makes its own project; use --dir", where="--project, --deployment, --data")
    with progress_bar() as report:
        done = run(
            directory,
            customers=customers,
            seed=seed,
            nonresponse=nonresponse,
            now=now(),
            clock=now,
            by=account(),
            report=report,
        )
    tell(common.json, done.as_json(), lambda: show.demo(done, common.lang))
    _gate(done.trained, "churn")


@app.command()
@with_common
def check(common: Common) -> None:
    """Check project files, examples and sources: the accounting table, what is skipped and why."""
    from churnwatch.cli import show
    from churnwatch.runs.check import check as run

    workspace = common.workspace()
    with progress_bar() as report:
        found = run(workspace, report=report)
    tell(common.json, found.as_json(), lambda: show.checked(found))


@app.command()
@with_common
def train(
    common: Common,
    model: Annotated[str, typer.Argument(help="A model of models/.")],
) -> None:
    """Fit, calibrate, evaluate beside baselines, log, register, gate; promote when the gate is passed."""
    from churnwatch.cli import show_figures
    from churnwatch.runs.train import train as run

    workspace = common.workspace()
    with progress_bar() as report:
        trained = run(workspace, model, by=account(), report=report)
    tell(common.json, trained.as_json(), lambda: show_figures.trained(trained))
    _gate(trained, model)


def _gate(trained: Trained, model: str) -> None:
    """A gate not passed is the exit code of a training whose result is printed already: one object, not two."""
    if not trained.verdict.passed:
        goes_on = (
            f"lists go on by {trained.champion}, the model in use; or" if trained.champion else "until one passes,"
        )
        error = CheckFailed(
            f"the gate is not passed: this training of {model} is registered but not promoted.\n"
            f"{trained.verdict.plainly}",
            hint=f"read the gate's checks; {goes_on} list by a baseline: `daily --baseline recency`",
        )
        sys.stderr.write(f"{error.message}\n")
        raise typer.Exit(error.exit_code)


app.command()(backtest)
app.command()(satisfaction)


@app.command()
@with_common
def score(
    common: Common,
    as_of: AsOfOption = None,
    model: Annotated[
        str | None, typer.Option("--model", help="A model of models/.", show_default="the listing model")
    ] = None,
) -> None:
    """The calibrated risk of every observed customer, as scores.parquet beside the signals it came from."""
    from churnwatch.cli import show
    from churnwatch.runs.score import score as run
    from churnwatch.runs.score import score_json

    workspace = common.workspace()
    name = model or workspace.spec.deployment.listing_model
    with progress_bar() as report:
        scored, directory = run(workspace, name, day=day_of(as_of, workspace), report=report)
    told = score_json(scored, directory)
    tell(common.json, told, lambda: show.scored(told))


@app.command()
@with_common
def daily(
    common: Common,
    as_of: AsOfOption = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", help="List by random, recency, last_score, tenure or logistic, without a model."),
    ] = None,
    rerun: Annotated[
        Literal["skip", "verify", "correct"],
        typer.Option(
            "--rerun", help="Where that day's list exists: give it back, make it again and compare, or reissue."
        ),
    ] = "skip",
) -> None:
    """Score, explain, list, and write outreach.xlsx, outreach.csv, outreach.html, scores.parquet and run.json."""
    from churnwatch.cli import show_list
    from churnwatch.runs.daily import daily as run

    workspace = common.workspace()
    with progress_bar() as report:
        made = run(workspace, day=day_of(as_of, workspace), baseline=baseline, rerun=rerun, report=report)
    tell(common.json, made.as_json(), lambda: show_list.daily(made, common.lang))


@app.command()
@with_common
def explain(
    common: Common,
    customer: Annotated[str, typer.Argument(help="A customer's id.")],
    as_of: AsOfOption = None,
    page: Annotated[bool, typer.Option("--page", help="Publish the story as a page of its own, too.")] = False,
) -> None:
    """One customer's whole story: the risk and its curve, reasons with numbers, what happened, past lists."""
    from churnwatch.cli import show_explained
    from churnwatch.cli.terminal import files
    from churnwatch.runs.explain import explain as run
    from churnwatch.runs.explain import publish_story

    workspace = common.workspace()
    with progress_bar() as report:
        told = run(workspace, customer, day=day_of(as_of, workspace), language=common.lang, report=report)
    written = {"page": str(publish_story(workspace, told, language=common.lang))} if page else {}

    def show() -> None:
        show_explained.explained(told, common.lang)
        files(written)

    tell(common.json, {**told.as_json(), "files": written}, show)


app.registered_commands += simulate.registered_commands
app.registered_commands += models.registered_commands
