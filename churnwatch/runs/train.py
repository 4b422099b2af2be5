"""Train: fit, judge beside the baselines, log, register, gate, and promote when the gate is passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.errors import CheckFailed, NoUsableModel
from churnwatch.evaluation import Verdict, gate, paired_interval
from churnwatch.learner import Fitted, margins, refit
from churnwatch.outcomes import grid, span
from churnwatch.runs.card import model_card
from churnwatch.runs.observations import Labelled, capacities, complete_by, labelled, owners_of
from churnwatch.runs.record import recorded
from churnwatch.runs.registration import register
from churnwatch.runs.study import Judged, fit_on, judge, usable_columns
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables, lock
from churnwatch.spec import Column, Family, Model, civil_day

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
    skipped: Mapping[str, str]

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
        }


def train(workspace: Workspace, name: str, *, by: str, report: Report | None = None) -> Trained:
    """One training of a model, start to finish, under the deployment's lock.

    The last ``test_slices`` complete as-ofs are the test dates; rounds and calibration are chosen on what was
    complete by the first of them, and that model is judged. The model that is registered is then refitted on all
    complete observations with those rounds. Raises CheckFailed where there is too little to train on; a gate not passed
    is no error here: look at ``verdict``.
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
            allowed=f"history {model.grid.history}, then gap and horizon, then {model.test_slices} test dates",
            hint="wait for more history, shorten the horizon, or list by a baseline: `daily --baseline recency`",
        )
    everything = labelled(tables, model, columns, as_ofs, known_before=workspace.now, report=report)
    # Labels for choosing are those known at the first test date, not those that came in late.
    past = labelled_again(tables, model, everything, known, known_before=tests[0])
    when = f"before {civil_day(tests[0], workspace.spec.deployment.zone)}"
    fitted, chosen = fit_on(past, model, when=when, report=report)
    judged = judge(workspace, tables, model, fitted=fitted, train=past, tests=everything, as_ofs=tests)
    champion = _champion(workspace, engine, model)
    verdict = _verdict(model, judged, champion, columns)
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
    notes = {
        TRAINED_UNTIL: (as_ofs[-1] + timedelta(seconds=model.reach)).isoformat(),
        "as_ofs": [str(civil_day(t, workspace.spec.deployment.zone)) for t in as_ofs],
        "test_dates": [str(civil_day(t, workspace.spec.deployment.zone)) for t in tests],
        "observations": len(final.outcome),
        "choice": chosen.note,
        "skipped": skipped,
    }
    bundle = _bundle(workspace, model, registered, notes)
    card = model_card(workspace, model, judged=judged, verdict=verdict, notes=notes, intervals=intervals)
    if report:
        report("logging to MLflow", 0, 1)
    in_use = champion[0] if champion else None
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
        skipped=skipped,
    )


def labelled_again(
    tables: Tables, model: Model, rows: Labelled, as_ofs: Sequence[datetime], *, known_before: datetime
) -> Labelled:
    """The rows of ``as_ofs`` with labels that read nothing known at ``known_before`` or later."""
    from churnwatch.outcomes import label

    kept = rows.take(rows.at(as_ofs))
    labels = label(tables, model, kept.matrix.observations, known_before=known_before)
    return Labelled(kept.matrix, labels["outcome"].to_numpy(), labels["too_late"].to_numpy())


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
    owners = [owners_of(tables, one.rows.matrix.observations["customer_id"]) for one in judged]
    outreach = workspace.spec.outreach
    known = None if owners[0] is None else np.concatenate([o for o in owners if o is not None])
    return {
        name: paired_interval(
            outcomes,
            scores,
            np.concatenate([one.baselines[name] for one in judged]),
            figure="precision_at_capacity",
            clusters=customers,
            slices=dates,
            seed=seed,
            owners=known,
            capacity=None if known is None else capacities(tables, default=outreach.capacity),
            capacity_total=outreach.capacity_total,
        )
        for name in judged[0].baselines
    }


def _champion(workspace: Workspace, engine: sa.Engine, model: Model) -> tuple[str, Bundle | None] | None:
    """The version in use and its bundle (``None`` where its copy is damaged: the candidate then replaces it)."""
    from churnwatch.ledger import champion
    from churnwatch.registry import champion_bundle

    version = champion(engine, deployment=workspace.deployment, model=model.model)
    if version is None:
        return None
    try:
        return version, champion_bundle(workspace.state, f"{workspace.deployment}.{model.model}", version)
    except NoUsableModel:
        return version, None


def _verdict(
    model: Model,
    judged: Sequence[Judged],
    champion: tuple[str, Bundle | None] | None,
    columns: Sequence[Column],
) -> Verdict:
    outcomes, scores, customers, dates = pooled(judged)
    return gate(
        outcomes,
        scores,
        baselines={name: np.concatenate([one.baselines[name] for one in judged]) for name in judged[0].baselines},
        gates=model.gates,
        champion=_champion_margins(judged, champion, columns),
        clusters=customers,
        slices=dates,
        seed=model.learner.seed,
    )


def _champion_margins(
    judged: Sequence[Judged], champion: tuple[str, Bundle | None] | None, columns: Sequence[Column]
) -> np.ndarray[Any, Any] | None:
    """The champion's margins on the test rows; ``None`` where it has seen any of their outcomes.

    A champion trained on the test dates would be judged on what it learned by heart, and no candidate would pass.
    """
    if champion is None or champion[1] is None:
        return None
    bundle = champion[1]
    until = np.datetime64(datetime.fromisoformat(bundle.notes[TRAINED_UNTIL]).replace(tzinfo=None), "us")
    names = [column.name for column in columns]
    if any(one.rows.as_of.min() < until for one in judged) or not set(bundle.fitted.columns) <= set(names):
        return None
    order = [names.index(name) for name in bundle.fitted.columns]
    return np.concatenate([margins(bundle.fitted, one.rows.matrix.values[:, order]) for one in judged])


def _bundle(workspace: Workspace, model: Model, fitted: Fitted, notes: dict[str, Any]) -> Bundle:
    from churnwatch.registry import Bundle

    families: tuple[Family, ...] = tuple(
        family for family in workspace.spec.families if family.family in model.families
    )
    return Bundle(fitted, model, families, workspace.deployment, notes)
