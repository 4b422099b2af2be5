"""A study: a model fitted on what was known by a date, and judged on later dates beside the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.errors import CheckFailed
from churnwatch.evaluation import (
    Ranker,
    column_scores,
    days_until,
    listed_at_capacity,
    logistic_ranker,
    random_scores,
    risk_figures,
    slice_figures,
)
from churnwatch.health import rule_scores
from churnwatch.learner import Chosen, Fitted, Leaving, fit, horizon_risks, margins, risk
from churnwatch.outcomes import check_labels
from churnwatch.runs.groups import groupings_of
from churnwatch.runs.observations import Labelled, lists_of
from churnwatch.runs.weighing import weighted
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.signals import Matrix, available, model_columns
from churnwatch.spec import Column, Model, civil_day

if TYPE_CHECKING:
    from churnwatch.sources import Tables

Array = np.ndarray[Any, np.dtype[np.float64]]


TEST_FIFTH = 4
"""The fifth of the customers of one snapshot that a model is judged on."""


@dataclass(frozen=True)
class Judged:
    """One test date: its rows (too-late leavers left out), the model, its margins and risks, how surely each row is
    listed at capacity (0 to 1), the baselines' scores, the figures; arrays have one number per row.
    """

    rows: Labelled
    fitted: Fitted
    margins: Array
    risks: Array
    listed: Array
    baselines: Mapping[str, Array]
    figures: Mapping[str, Any]


def usable_columns(workspace: Workspace, tables: Tables, model: Model) -> tuple[tuple[Column, ...], dict[str, str]]:
    """The model's columns this deployment has inputs for, and {signal: why it is skipped}."""
    columns, skipped = available(tables, model_columns(workspace.spec, model))
    if not columns:
        raise CheckFailed(
            f"no signal of the model {model.model} can be computed from this deployment's data",
            where=f"{model.file}: families",
            hint="look at `churnwatch check`: what is skipped, and why",
        )
    return columns, skipped


def fit_on(rows: Labelled, model: Model, *, when: str, report: Report | None = None) -> tuple[Fitted, Chosen]:
    """Fit on labelled rows; leavers inside the gap are left out.

    Of one snapshot, rounds and calibration are chosen by groups of customers in place of dates.
    """
    import pandas as pd

    kept = weighted(rows, model)[0].in_time()
    check_labels(pd.Series(kept.outcome), model, when=when)
    snapshot = model.outcome.given is not None
    fitted, chosen = fit(
        kept.rows(fifths(kept, model).astype("datetime64[s]") if snapshot else None),
        columns=kept.matrix.names,
        directions=[column.direction for column in kept.matrix.columns],
        settings=model.learner,
        leaving=_leaving(kept, model) if model.horizons else None,
        report=report,
    )
    if snapshot:
        how = "no" if chosen.calibration.method == "none" else chosen.calibration.method
        note = f"{chosen.rounds} rounds and {how} calibration by {chosen.folds} groups of other customers"
        chosen = replace(chosen, note=note)
    return fitted, chosen


def _leaving(rows: Labelled, model: Model) -> Leaving:
    opens: np.ndarray[Any, Any] = rows.as_of + np.timedelta64(model.gap.seconds, "s")
    watched: np.ndarray[Any, Any] = np.datetime64(rows.until.astimezone(UTC).replace(tzinfo=None), "us") - opens
    second = np.timedelta64(1, "s")
    # NaT over a second is NaN.
    return Leaving(model.horizons, model.label_length, (rows.ended_at - opens) / second, watched / second)


def _within_horizons(rows: Labelled, model: Model, fitted: Fitted, margin: Array) -> dict[str, dict[str, float | int]]:
    """The figures of each horizon that is complete at these rows' as-of, with both outcomes in it."""
    leaving = _leaving(rows, model)
    found: dict[str, dict[str, float | int]] = {}
    for length, risks in horizon_risks(fitted, margin, model.label_length).items():
        gone = leaving.left_after < length.seconds
        if (leaving.watched >= length.seconds).all() and 0 < gone.sum() < len(gone):
            found[str(length)] = risk_figures(gone.astype(np.float64), risks)
    return found


def fifths(rows: Labelled, model: Model) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Which fifth of the customers (n,), 0 to 4, each row is of, by a keyed hash of the id."""
    # Another key than that of the random baseline, which would otherwise rank by what it was drawn by.
    places = random_scores(rows.matrix.observations["customer_id"], seed=-1 - model.learner.seed)
    return np.floor(5 * places).astype(np.int64)


def logistic_of(train: Labelled) -> Ranker:
    """The logistic baseline fitted on ``train``; leavers inside the gap are left out."""
    kept = train.in_time()
    return logistic_ranker(kept.matrix.values, kept.outcome)


def baseline_scores(
    model: Model, matrix: Matrix, train: Labelled | None, *, logistic: Ranker | None = None
) -> dict[str, Array]:
    """The score of each baseline for the rows of ``matrix``, all of one as-of; the logistic one only with ``train``
    to fit it on, or fitted already.
    """
    direction = {column.name: column.direction for column in matrix.columns}

    def column(name: str | None) -> Array:
        return column_scores(matrix.values, matrix.names, name=name, direction=direction.get(name or "", "up"))

    scores = {
        "random": random_scores(matrix.observations["customer_id"], seed=model.learner.seed),
        "recency": column(model.baselines.recency),
        "last_score": column(model.baselines.last_score),
        "tenure": column(model.baselines.tenure),
        "health": rule_scores(matrix.values, matrix.columns),
    }
    if logistic is None and train is not None:
        logistic = logistic_of(train)
    if logistic is not None:
        scores["logistic"] = logistic(matrix.values)
    return scores


def lists_among(
    workspace: Workspace, tables: Tables, model: Model, everybody: Labelled, rows: Labelled
) -> dict[str, Any]:
    """The lists (``lists_of``) that ``rows``, those with an outcome, are judged by, of ``everybody`` of one date."""
    answers = model.outcome.answer is not None
    return lists_of(
        tables,
        workspace.spec.outreach,
        rows.matrix.observations["customer_id"],
        watched=len(everybody.outcome) if answers else None,
        days=max(1.0, model.slice_length / 86_400),
    )


def judge(
    workspace: Workspace,
    tables: Tables,
    model: Model,
    *,
    fitted: Fitted,
    train: Labelled,
    tests: Labelled,
    as_ofs: Sequence[datetime],
    logistic: Ranker | None = None,
) -> list[Judged]:
    """Judge a fitted model at each of ``as_ofs``: the figures of the issue's slices, and what they came from."""
    parts = [tests.take(tests.at([as_of])) for as_of in as_ofs]
    # Fitted once: the regression is the same at every date.
    logistic = logistic or logistic_of(train)
    judged = []
    for as_of, everybody in zip(as_ofs, parts, strict=True):
        rows = everybody.in_time()
        lists = lists_among(workspace, tables, model, everybody, rows)
        margin = margins(fitted, rows.matrix.values)
        risks = risk(fitted.calibration, margin)
        scores = baseline_scores(model, rows.matrix, None, logistic=logistic)
        figures = slice_figures(
            rows.outcome,
            margin,
            as_of=civil_day(as_of, workspace.spec.deployment.zone),
            risks=risks,
            baselines=scores,
            customers=rows.matrix.observations["customer_id"].to_numpy(),
            days_left=days_until(rows.left_at, rows.as_of),
            groupings=groupings_of(tables, rows.matrix.observations),
            trained_base_rate=fitted.base_rate,
            profit=model.outcome.answer is None,
            seed=model.learner.seed,
            **lists,
        )
        figures["too_late"] = int(everybody.too_late.sum())
        if everybody.treated.any():
            figures["treated"] = int(everybody.treated.sum())
        if model.outcome.answer is not None:
            figures["watched"] = len(everybody.outcome)
        if fitted.horizons:
            figures["horizons"] = _within_horizons(rows, model, fitted, margin)
        judged.append(Judged(rows, fitted, margin, risks, listed_at_capacity(margin, **lists), scores, figures))
    return judged
