"""Train: fit, judge beside the baselines, log, register, gate, and promote when the gate is passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.evaluation import Verdict, gate
from churnwatch.runs.candidate import candidate, pooled
from churnwatch.runs.card import model_card, remarks_of
from churnwatch.runs.record import recorded
from churnwatch.runs.registration import register
from churnwatch.runs.rival import Rival, rival_of
from churnwatch.runs.study import Judged
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables, lock
from churnwatch.spec import Model

if TYPE_CHECKING:
    import sqlalchemy as sa


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
    found = candidate(workspace, tables, model, report=report)
    judged, bundle, tests = found.judged, found.bundle, [one.rows for one in found.judged]
    rival = rival_of(workspace, engine, tables, model, columns=found.columns, past=found.past, tests=tests)
    verdict = _verdict(model, judged, rival)
    remarks = remarks_of(model, rival=rival, intervals=found.intervals, suspects=found.suspects)
    card = model_card(
        workspace, model, judged=judged, verdict=verdict, notes=bundle.notes, intervals=found.intervals, remarks=remarks
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
        capacity_intervals=found.intervals,
        choice=found.choice,
        observations=bundle.notes["observations"],
        base_rate=found.fitted.base_rate,
        skipped=bundle.notes["skipped"],
        notes=tuple(remark.en for remark in remarks),
    )


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
