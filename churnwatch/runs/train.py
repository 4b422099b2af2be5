"""Train: fit, judge beside the baselines, log, register, gate, and promote when the gate is passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.errors import CheckFailed
from churnwatch.evaluation import Verdict, gate, paired_interval
from churnwatch.learner import Fitted, refit
from churnwatch.outcomes import grid, span
from churnwatch.runs.card import SNAPSHOT, model_card
from churnwatch.runs.observations import Labelled, complete_by, labelled, lists_of, relabelled
from churnwatch.runs.record import recorded
from churnwatch.runs.registration import register
from churnwatch.runs.rival import Rival, rival_of
from churnwatch.runs.study import TEST_FIFTH, Judged, fifths, fit_on, judge, usable_columns
from churnwatch.runs.suspects import refuse_suspects, suspect_words
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables, lock
from churnwatch.spec import Family, Model, civil_day

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables

TRAINED_UNTIL = "trained_until"
"""The note of a bundle that says when its last training label closed."""


@dataclass(frozen=True)
class Trained:
    """What a training gave: version, figures per test date, the gate's verdict, whether it was promoted now."""

    model: str
    version: str
    registered: int
    new: bool
    promoted: bool
    champion: str | None
    judged: Sequence[Judged]
    verdict: Verdict
    capacity_intervals: Mapping[str, tuple[float, float, float]]
    choice: str
    observations: int
    base_rate: float
    """Of the observations the judged model was fitted on."""
    skipped: Mapping[str, str]
    notes: tuple[str, ...]
    """What the gate does not decide by, and a reader should know."""

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            "model": self.model,
            "slices": [dict(one.figures) for one in self.judged],
            "version": self.version,
            "registered_version": self.registered,
            "new": self.new,
            "promoted": self.promoted,
            "champion": self.champion,
            "gate": {"passed": self.verdict.passed, "checks": [asdict(c) for c in self.verdict.checks]},
            "precision_at_capacity_minus": {
                name: {"difference": d, "low": low, "high": high}
                for name, (d, low, high) in self.capacity_intervals.items()
            },
            "choice": self.choice,
            "observations": self.observations,
            "skipped": dict(self.skipped),
            "notes": list(self.notes),
        }


def train(workspace: Workspace, name: str, *, by: str, report: Report | None = None) -> Trained:
    """One training of a model, start to finish, under the deployment's lock.

    The last ``test_slices`` complete as-ofs are the test dates; rounds and calibration are chosen on what was
    complete by the first of them, and that model is judged. One snapshot has no dates: there a fifth of the customers
    is the test, and fifths of the others choose. The model that is registered is then refitted on all complete
    observations with those rounds. Raises CheckFailed where there is too little to train on, and where a column may be
    the outcome in disguise and the model's file does not acknowledge it; a gate not passed is no error here: look at
    ``verdict``.
    """
    model = workspace.model(name)
    with lock(workspace), ledger(workspace) as engine, recorded(workspace, engine, command="train") as record:
        record.detail["model"] = model.model
        trained = _train(workspace, engine, model, by=by, report=report)
        record.model_version = trained.version
        record.detail |= {"gate": trained.verdict.passed, "promoted": trained.promoted}
    return trained


def _train(workspace: Workspace, engine: sa.Engine, model: Model, *, by: str, report: Report | None) -> Trained:
    tables = load_tables(workspace, report=report)
    columns, skipped = usable_columns(workspace, tables, model)
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
    suspects = refuse_suspects(workspace, tables, model, report=report)
    everything = labelled(tables, model, columns, as_ofs, known_before=workspace.now, report=report)
    if model.outcome.given is not None:
        test = fifths(everything, model) == TEST_FIFTH
        past, later, when = everything.take(~test), everything.take(test), "outside the test"
    else:
        # Labels for choosing are those known at the first test date, not those that came in late.
        past = labelled_again(tables, model, everything, known, known_before=tests[0])
        later, when = everything, f"before {civil_day(tests[0], workspace.spec.deployment.zone)}"
    fitted, chosen = fit_on(past, model, when=when, report=report)
    judged = judge(workspace, tables, model, fitted=fitted, train=past, tests=later, as_ofs=tests)
    rival = rival_of(workspace, engine, tables, model, columns=columns, past=past, tests=[one.rows for one in judged])
    verdict = _verdict(model, judged, rival)
    final = everything.in_time()
    registered = refit(
        final.matrix.values,
        final.outcome,
        columns=final.matrix.names,
        directions=[column.direction for column in columns],
        settings=model.learner,
        chosen=chosen,
    )
    intervals = capacity_intervals(workspace, tables, judged, seed=model.learner.seed)
    remarks = (
        *([SNAPSHOT] if model.outcome.given is not None else []),
        *([rival.note] if rival and rival.note else []),
        *_worse_at_capacity(intervals),
        *(f"Acknowledged in the model's file: {one.column}, though {suspect_words(one)}." for one in suspects),
    )
    notes = {
        TRAINED_UNTIL: (as_ofs[-1] + timedelta(seconds=model.reach)).isoformat(),
        "as_ofs": [str(civil_day(t, workspace.spec.deployment.zone)) for t in as_ofs],
        "test_dates": [str(civil_day(t, workspace.spec.deployment.zone)) for t in tests],
        "observations": len(final.outcome),
        "choice": chosen.note,
        "skipped": skipped,
    }
    bundle = _bundle(workspace, model, registered, notes)
    card = model_card(
        workspace, model, judged=judged, verdict=verdict, notes=notes, intervals=intervals, remarks=remarks
    )
    if report:
        report("logging to MLflow", 0, 1)
    in_use = rival.version if rival else None
    version, logged, promoted = register(
        workspace, engine, bundle, judged=judged, verdict=verdict, champion=in_use, card=card, by=by
    )
    if report:
        report("logging to MLflow", 1, 1)
    return Trained(
        model=model.model,
        version=version,
        registered=logged.registered_version,
        new=logged.new,
        promoted=promoted,
        champion=version if promoted else in_use,
        judged=judged,
        verdict=verdict,
        capacity_intervals=intervals,
        choice=chosen.note,
        observations=len(final.outcome),
        base_rate=fitted.base_rate,
        skipped=skipped,
        notes=remarks,
    )


def _worse_at_capacity(intervals: Mapping[str, tuple[float, float, float]]) -> tuple[str, ...]:
    """A sentence for each baseline that surely lists better; the gate itself goes by AUC (DESIGN §7)."""
    return tuple(
        f"At the owners' capacity {name} lists better: {100 * difference:+.1f} points of precision for the model "
        f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f})."
        for name, (difference, low, high) in intervals.items()
        if high < 0
    )


def labelled_again(
    tables: Tables, model: Model, rows: Labelled, as_ofs: Sequence[datetime], *, known_before: datetime
) -> Labelled:
    """The rows of ``as_ofs`` with labels that read nothing known at ``known_before`` or later."""
    return relabelled(tables, model, rows.take(rows.at(as_ofs)).matrix, known_before=known_before)


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


def _verdict(
    model: Model,
    judged: Sequence[Judged],
    rival: Rival | None,
) -> Verdict:
    outcomes, scores, customers, dates = pooled(judged)
    return gate(
        outcomes,
        scores,
        baselines={name: np.concatenate([one.baselines[name] for one in judged]) for name in judged[0].baselines},
        gates=model.gates,
        champion=None if rival is None else rival.margins,
        clusters=customers,
        slices=dates,
        seed=model.learner.seed,
    )


def _bundle(workspace: Workspace, model: Model, fitted: Fitted, notes: dict[str, Any]) -> Bundle:
    from churnwatch.registry import Bundle

    families: tuple[Family, ...] = tuple(
        family for family in workspace.spec.families if family.family in model.families
    )
    return Bundle(fitted, model, families, workspace.deployment, notes)
