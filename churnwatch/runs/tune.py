"""Tune: search parameters on what was complete before the first test date, and say whether they are worth having."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from churnwatch.errors import RunBusy, UsageError
from churnwatch.learner import SPACE, Search, Trial, search
from churnwatch.outcomes import check_labels
from churnwatch.project import parameters_yaml, set_parameters
from churnwatch.runs.candidate import dates_of
from churnwatch.runs.observations import Labelled, labelled
from churnwatch.runs.record import recorded
from churnwatch.runs.study import TEST_FIFTH, fifths, usable_columns
from churnwatch.runs.suspects import model_file
from churnwatch.runs.weighing import weighted
from churnwatch.runs.workspace import Report, Workspace, hold, ledger, load_tables
from churnwatch.spec import Model, civil_day

if TYPE_CHECKING:
    from churnwatch.sources import Tables

PRESSED = 0.95
"""A best trial whose rounds reach this share of ``learner.rounds`` may want more of them."""


@dataclass(frozen=True)
class Tuned:
    """A search and what became of it.

    ``before`` the first test date (a civil day; None where the outcome is ``given``) everything it saw was complete.
    ``asked`` is how many trials were wanted; fewer were made where the time was over. ``written`` names the model's
    file where it was changed, ``file`` names it anyway; ``run_id`` is the search's run in MLflow.
    """

    model: Model
    search: Search
    asked: int
    before: str | None
    observations: int
    file: str
    written: bool
    run_id: str

    @property
    def snippet(self) -> str:
        """The best parameters as YAML for the model's file."""
        return parameters_yaml(self.search.best.parameters)

    @property
    def wants_more_rounds(self) -> bool:
        """Whether the best trial ran into the upper end of the rounds."""
        return self.search.best.rounds >= PRESSED * self.model.learner.rounds

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``tune --json``."""
        found = self.search
        return {
            "model": self.model.model,
            "trials": len(found.trials),
            "asked": self.asked,
            "went_on_at": found.before + 1 if found.before else None,
            "stopped": sum(one.stopped for one in found.trials),
            "before": self.before,
            "observations": self.observations,
            "folds": [{"date": date, "n": rows} for date, rows in zip(found.held_dates, found.held, strict=True)],
            "file": _trial_json(found.file),
            "best": _trial_json(found.best),
            "difference": found.difference,
            "standard_error": found.error,
            "left_out_difference": found.left_out,
            "left_out_error": found.left_out_error,
            "better": found.better,
            "model_file": self.file,
            "written": self.written,
            "run_id": self.run_id,
            "history": [_trial_json(one) for one in found.trials],
        }


def _trial_json(one: Trial) -> dict[str, Any]:
    return {
        "trial": one.number + 1,
        "parameters": dict(one.parameters),
        "auc": one.auc,
        "fold_aucs": list(one.aucs),
        "rounds": one.rounds,
        "stopped": one.stopped,
    }


def tune(
    workspace: Workspace,
    name: str,
    *,
    trials: int,
    minutes: float | None = None,
    write: bool = False,
    report: Report | None = None,
) -> Tuned:
    """Search ``trials`` sets of parameters for the model ``name``, or as many as begin within ``minutes``.

    They are ranked by the mean AUC over expanding, time-ordered folds of the observations that were complete before
    the first test date; nothing known at that date or later is read, so training's test stays a test. The search is
    kept in ``state/<deployment>/tune-NAME.db``: the same one goes on where it ended, and asked for more trials it makes
    those. With ``write`` the best parameters go into the model's file, where they beat its own by more than the
    standard error, and where choosing surely gains on dates that had no say in it too. Raises CheckFailed and
    DataRefused where there is too little to learn from, RunBusy where the same model is being tuned.
    """
    if trials < 1:
        raise UsageError(f"{trials} trials", where="--trials", allowed="at least 1: the first is the file's own")
    model = workspace.model(name)
    with (
        _alone(workspace, name),
        ledger(workspace) as engine,
        recorded(workspace, engine, command="tune") as record,
    ):
        record.detail["model"] = name
        tuned = _tune(workspace, model, trials=trials, minutes=minutes, write=write, report=report)
        record.detail |= {"trials": len(tuned.search.trials), "written": tuned.written}
    return tuned


def past_of(
    workspace: Workspace, tables: Tables, model: Model, *, report: Report | None = None
) -> tuple[Labelled, str | None]:
    """The observations that training chooses by, in time, and the first test date they were complete before."""
    columns, _ = usable_columns(workspace, tables, model)
    _, tests, known = dates_of(workspace, tables, model)
    if model.outcome.given is not None:
        everything = labelled(tables, model, columns, known, known_before=workspace.now, report=report)
        return everything.take(fifths(everything, model) != TEST_FIFTH).in_time(), None
    past = labelled(tables, model, columns, known, known_before=tests[0], report=report)
    return weighted(past, model)[0].in_time(), str(civil_day(tests[0], workspace.spec.deployment.zone))


def _tune(
    workspace: Workspace, model: Model, *, trials: int, minutes: float | None, write: bool, report: Report | None
) -> Tuned:
    from churnwatch.registry import SearchLog, store_uri

    tables = load_tables(workspace, report=report)
    past, before = past_of(workspace, tables, model, report=report)
    check_labels(pd.Series(past.outcome), model, when=f"before {before}" if before else "outside the test")
    tracking = workspace.spec.tracking
    file = model_file(workspace, model.model)
    log: SearchLog | None = None
    clock = workspace.clock or (lambda: workspace.now)
    end = clock() + timedelta(minutes=minutes) if minutes is not None else None

    def begin(key: str) -> None:
        nonlocal log
        log = SearchLog(
            uri=tracking.uri or store_uri(workspace.state),
            artifact_root=None if tracking.uri else workspace.state / "mlartifacts",
            experiment=tracking.experiment or workspace.deployment,
            name=f"{workspace.deployment}.{model.model}",
            key=f"{workspace.deployment}.{key}",
            parameters={
                "seed": model.learner.seed,
                "observations": len(past.outcome),
                "before": before or "one snapshot",
                **{f"search.{name}": _range_words(one) for name, one in (model.learner.search or SPACE).items()},
            },
        )

    def on_trial(one: Trial, done: int) -> None:
        assert log is not None
        log.trial(
            one.number,
            parameters=one.parameters,
            aucs=one.aucs,
            auc=one.auc,
            rounds=one.rounds,
            stopped=one.stopped,
        )
        if report:
            report("trying parameters", done, trials)

    snapshot = model.outcome.given is not None
    found = search(
        past.rows(fifths(past, model).astype("datetime64[s]") if snapshot else None),
        columns=past.matrix.names,
        directions=[column.direction for column in past.matrix.columns],
        settings=model.learner,
        trials=trials,
        file=workspace.state / f"tune-{model.model}.db",
        name=model.model,
        on_begin=begin,
        on_trial=on_trial,
        enough=(lambda: clock() >= end) if end is not None else None,
    )
    assert log is not None
    log.end(_metrics(found))
    written = write and found.better
    if written:
        set_parameters(workspace.root, file, found.best.parameters)
    return Tuned(model, found, trials, before, len(past.outcome), file, written, log.run_id)


def _metrics(found: Search) -> dict[str, float]:
    told = {
        "best_auc": found.best.auc,
        "file_auc": found.file.auc,
        "difference": found.difference,
        "best_trial": float(found.best.number + 1),
        "trials": float(len(found.trials)),
    }
    fair = {
        "standard_error": found.error,
        "left_out_difference": found.left_out,
        "left_out_error": found.left_out_error,
    }
    return told | {name: value for name, value in fair.items() if value is not None}


def _range_words(one: Any) -> str:
    """A searched parameter as MLflow shows it."""
    told: Mapping[str, Any] = one.model_dump(exclude_none=True)
    if "choices" in told:
        return " or ".join(str(value) for value in told["choices"])
    low, high = told["range"]
    return f"{low} to {high}{', log' if told['log'] else ''}"


@contextmanager
def _alone(workspace: Workspace, name: str) -> Iterator[None]:
    """One search of a model at a time. It takes hours, so it does not hold the deployment's lock: lists go on."""
    busy = RunBusy(
        f"the model {name} of the deployment {workspace.deployment} is being tuned already",
        hint="wait until that has finished; a search that is ended goes on when it is asked for again",
    )
    with hold(workspace.state / f"tune-{name}.lock", busy=busy):
        yield
