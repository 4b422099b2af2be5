"""A candidate: what a training learns from the data, before it meets the model in use and before a word is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.errors import CheckFailed
from churnwatch.evaluation import paired_interval
from churnwatch.learner import Fitted, refit
from churnwatch.outcomes import grid, span
from churnwatch.runs.observations import Labelled, complete_by, labelled, lists_of, relabelled
from churnwatch.runs.study import TEST_FIFTH, Judged, fifths, fit_on, judge, usable_columns
from churnwatch.runs.suspects import refuse_suspects
from churnwatch.runs.weighing import hygiene, weighted
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.spec import Column, Family, Model, civil_day

if TYPE_CHECKING:
    from churnwatch.evaluation import Suspect
    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables

TRAINED_UNTIL = "trained_until"
"""The note of a bundle that says when its last training label closed."""


@dataclass(frozen=True)
class Candidate:
    """A model judged on the test dates and refitted on everything; the same data give the same candidate."""

    bundle: Bundle
    columns: tuple[Column, ...]
    past: Labelled
    """What the judged model was fitted on."""
    fitted: Fitted
    """The judged model; the bundle's is the refitted one."""
    judged: Sequence[Judged]
    intervals: Mapping[str, tuple[float, float, float]]
    choice: str
    suspects: tuple[Suspect, ...]

    @property
    def model(self) -> Model:
        """The model file it was made by."""
        return self.bundle.model


def candidate(workspace: Workspace, tables: Tables, model: Model, *, report: Report | None = None) -> Candidate:
    """Fit, judge and refit a model as ``train`` says; nothing is written, and nothing depends on earlier versions.

    Raises CheckFailed where there is too little to train on, and where a column may be the outcome in disguise and the
    model's file does not acknowledge it.
    """
    columns, skipped = usable_columns(workspace, tables, model)
    as_ofs, tests, known = dates_of(workspace, tables, model)
    suspects = refuse_suspects(workspace, tables, model, report=report)
    everything = labelled(tables, model, columns, as_ofs, known_before=workspace.now, report=report)
    if model.outcome.given is not None:
        test = fifths(everything, model) == TEST_FIFTH
        past, later, when = everything.take(~test), everything.take(test), "outside the test"
    else:
        # Labels for choosing are those known at the first test date, not those that came in late.
        earlier = everything.take(everything.at(known)).matrix
        past = relabelled(tables, model, earlier, known, known_before=tests[0])
        later, when = everything, f"before {civil_day(tests[0], workspace.spec.deployment.zone)}"
    fitted, chosen = fit_on(past, model, when=when, report=report)
    judged = judge(workspace, tables, model, fitted=fitted, train=past, tests=later, as_ofs=tests)
    rows, weighing = weighted(everything, model)
    cared = hygiene(everything, model)
    final = rows.in_time()
    registered = refit(
        final.rows(),
        columns=final.matrix.names,
        directions=[column.direction for column in columns],
        settings=model.learner,
        chosen=chosen,
    )
    notes = {
        TRAINED_UNTIL: (as_ofs[-1] + timedelta(seconds=model.reach)).isoformat(),
        "as_ofs": [str(civil_day(t, workspace.spec.deployment.zone)) for t in as_ofs],
        "test_dates": [str(civil_day(t, workspace.spec.deployment.zone)) for t in tests],
        "observations": len(final.outcome),
        "choice": chosen.note,
        "skipped": skipped,
        **({"weighing": weighing.as_json()} if weighing else {}),
        **({"treated": cared.as_json()} if cared else {}),
    }
    return Candidate(
        bundle=_bundle(workspace, model, registered, notes),
        columns=columns,
        past=past,
        fitted=fitted,
        judged=judged,
        intervals=capacity_intervals(workspace, tables, judged, seed=model.learner.seed),
        choice=chosen.note,
        suspects=suspects,
    )


def dates_of(
    workspace: Workspace, tables: Tables, model: Model
) -> tuple[list[datetime], list[datetime], list[datetime]]:
    """All as-ofs with complete labels, the last of them that are for testing, and those complete by the first of these.

    Raises CheckFailed where there are none to learn from.
    """
    within = span(tables, model)
    as_ofs = grid(model, zone=workspace.spec.deployment.zone, span=within, complete_by=within.end)
    tests = as_ofs[-model.test_slices :]
    known = complete_by(as_ofs, model, tests[0]) if tests else []
    if not known:
        raise CheckFailed(
            f"not enough history for the model {model.model}: {len(as_ofs)} dates with complete labels, the last "
            f"{model.test_slices} are for testing and none before them is complete by the first test date",
            allowed=f"history {model.history}, then gap and horizon, then {model.test_slices} test dates",
            hint="wait for more history, shorten the horizon, or list by a baseline: `daily --baseline recency`",
        )
    return as_ofs, tests, known


def pooled(judged: Sequence[Judged]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[str], list[str]]:
    """Outcomes, margins, customers and dates of all test rows, one after the other."""
    outcomes = np.concatenate([one.rows.outcome for one in judged])
    scores = np.concatenate([one.margins for one in judged])
    customers = [c for one in judged for c in one.rows.matrix.observations["customer_id"]]
    dates = [str(one.figures["as_of"]) for one in judged for _ in range(len(one.rows.outcome))]
    return outcomes, scores, customers, dates


def capacity_intervals(
    workspace: Workspace, tables: Tables, judged: Sequence[Judged], *, seed: int
) -> dict[str, tuple[float, float, float]]:
    """Precision at capacity minus each baseline's over all test dates: (difference, low, high), 95 %."""
    outcomes, scores, customers, dates = pooled(judged)
    # Today's owners, on rows of all dates at once: one missing owner makes one list of them all.
    lists = lists_of(tables, workspace.spec.outreach, pd.Series(customers), dates=len(judged))
    if "watched" in judged[0].figures:
        share = float(sum(one.listed.sum() for one in judged) / len(outcomes))
        lists = {"owners": None, "capacity": None, "capacity_total": share}
    return {
        name: paired_interval(
            outcomes,
            scores,
            np.concatenate([one.baselines[name] for one in judged]),
            figure="precision_at_capacity",
            clusters=customers,
            slices=dates,
            seed=seed,
            **lists,
        )
        for name in judged[0].baselines
    }


def _bundle(workspace: Workspace, model: Model, fitted: Fitted, notes: dict[str, Any]) -> Bundle:
    from churnwatch.registry import Bundle

    families: tuple[Family, ...] = tuple(
        family for family in workspace.spec.families if family.family in model.families
    )
    return Bundle(fitted, model, families, workspace.deployment, notes)
