"""Backtest: at each date, train only on what was complete then, and judge what came after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from churnwatch.errors import CheckFailed, DataRefused
from churnwatch.outcomes import Span, grid, span
from churnwatch.runs.observations import labelled
from churnwatch.runs.study import fit_on, judge, usable_columns
from churnwatch.runs.suspects import refuse_suspects
from churnwatch.runs.workspace import Report, Workspace, load_tables
from churnwatch.spec import Model, civil_day, midnight

if TYPE_CHECKING:
    from churnwatch.sources import Tables


def backtest(workspace: Workspace, name: str, *, days: Sequence[date], report: Report | None = None) -> dict[str, Any]:
    """``{"model": …, "slices": […]}``: one slice per day.

    Raises DataRefused where the label of a day is not complete within the data, CheckFailed where there was too little
    to train on by then, or a column is suspect and not acknowledged.
    """
    model = workspace.model(name)
    if model.outcome.given is not None:
        raise CheckFailed(
            f"the model {name} knows one snapshot of customers: there is no earlier day to test it on",
            where=f"models/{name}.yaml: outcome",
            allowed="an outcome that is an event, or inactivity",
            hint="`churnwatch train` judges it on customers it did not learn from",
        )
    tables = load_tables(workspace, report=report)
    within = span(tables, model)
    as_ofs = [_testable(workspace, model, day, within) for day in days]
    refuse_suspects(workspace, tables, model, report=report)
    slices = [_slice(workspace, tables, model, as_of, within, report) for as_of in as_ofs]
    return {"model": name, "deployment": workspace.deployment, "slices": slices}


def _testable(workspace: Workspace, model: Model, day: date, within: Span) -> datetime:
    zone = workspace.spec.deployment.zone
    as_of = midnight(day, zone)
    closes = as_of + timedelta(seconds=model.reach)
    if closes > within.end or as_of <= within.first:
        latest = within.end - timedelta(seconds=model.reach)
        raise DataRefused(
            f"as-of {day}: its outcomes are complete on {civil_day(closes, zone)}, the data run from "
            f"{civil_day(within.first, zone)} to {civil_day(within.end, zone)}",
            allowed=f"after {civil_day(within.first, zone)}, at the latest {civil_day(latest, zone)}",
            hint="choose an earlier as-of, or load newer data",
        )
    return as_of


def _slice(
    workspace: Workspace, tables: Tables, model: Model, as_of: datetime, within: Span, report: Report | None
) -> dict[str, Any]:
    zone = workspace.spec.deployment.zone
    columns, _ = usable_columns(workspace, tables, model)
    dates = grid(model, zone=zone, span=within, complete_by=as_of)
    when = f"before {civil_day(as_of, zone)}"
    if not dates:
        raise CheckFailed(
            f"not enough data: no observation of the model {model.model} has a complete label {when}",
            allowed=f"history of {model.history}, then gap and horizon, before the as-of",
            hint="choose a later as-of",
        )
    train = labelled(tables, model, columns, dates, known_before=as_of, report=report)
    tests = labelled(tables, model, columns, [as_of], known_before=workspace.now)
    fitted, chosen = fit_on(train, model, when=when, report=report)
    (judged,) = judge(workspace, tables, model, fitted=fitted, train=train, tests=tests, as_ofs=[as_of])
    trained = {"as_ofs": len(dates), "n": len(train.outcome), "choice": chosen.note}
    return {**judged.figures, "trained": trained}
