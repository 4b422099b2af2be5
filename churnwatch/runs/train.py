"""Train: fit, judge beside the baselines, log, register, gate, and promote when the gate is passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.evaluation import Verdict, gate
from churnwatch.runs.candidate import TRAINED_UNTIL, candidate, pooled
from churnwatch.runs.card import model_card, remarks_of
from churnwatch.runs.doubts import unasked
from churnwatch.runs.plots import training_plots
from churnwatch.runs.record import recorded
from churnwatch.runs.registration import register
from churnwatch.runs.rival import Rival, rival_of
from churnwatch.runs.study import Judged
from churnwatch.runs.tracking import check_tracking
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
    trained_until: str
    """When the last training label closed, an instant in ISO 8601."""
    skipped: Mapping[str, str]
    notes: tuple[str, ...]
    """What the gate does not decide by, and a reader should know."""
    weighing: Mapping[str, Any] | None = None
    """Of an outcome ``answer``: how the answers learned from were weighed, ``weighing.Weighing`` as JSON."""
    treated: Mapping[str, Any] | None = None
    """What became of the customers we contacted, ``weighing.Hygiene`` as JSON; ``None`` where there are none."""

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
            "weighing": None if self.weighing is None else dict(self.weighing),
            "treated": None if self.treated is None else dict(self.treated),
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
        record.detail |= {
            "gate": trained.verdict.passed,
            "promoted": trained.promoted,
            "auc": float(np.mean([one.figures["auc"] for one in trained.judged])),
            TRAINED_UNTIL: trained.trained_until,
        }
    return trained


def _train(workspace: Workspace, engine: sa.Engine, model: Model, *, by: str, report: Report | None) -> Trained:
    check_tracking(workspace)
    tables = load_tables(workspace, report=report)
    found = candidate(workspace, tables, model, report=report)
    judged, bundle, tests = found.judged, found.bundle, [one.rows for one in found.judged]
    rival = rival_of(workspace, engine, tables, model, columns=found.columns, past=found.past, tests=tests)
    verdict = _verdict(model, judged, rival)
    remarks = remarks_of(
        model, rival=rival, intervals=found.intervals, suspects=found.suspects, treated=bundle.notes.get("treated")
    )
    cards = {
        language: model_card(
            workspace,
            model,
            judged=judged,
            verdict=verdict,
            notes=bundle.notes,
            intervals=found.intervals,
            remarks=remarks,
            language=language,
        )
        for language in ("en", "id")
    }
    if report:
        report("drawing", 0, 1)
    pictures = training_plots(judged)
    if report:
        report("drawing", 1, 1)
        report("logging to MLflow", 0, 1)
    in_use = rival.version if rival else None
    done = register(
        workspace,
        engine,
        found,
        verdict=verdict,
        champion=in_use,
        cards=cards,
        pictures=pictures,
        remarks=[remark.en for remark in remarks],
        by=by,
    )
    if report:
        report("logging to MLflow", 1, 1)
    return Trained(
        model=model.model,
        version=done.version,
        registered=done.logged.registered_version,
        new=done.logged.new,
        promoted=done.promoted,
        champion=done.version if done.promoted else in_use,
        judged=judged,
        verdict=verdict,
        capacity_intervals=found.intervals,
        choice=found.choice,
        observations=bundle.notes["observations"],
        base_rate=found.fitted.base_rate,
        trained_until=bundle.notes[TRAINED_UNTIL],
        skipped=bundle.notes["skipped"],
        notes=(*(remark.en for remark in remarks), *unasked(tables, model), *([done.held] if done.held else [])),
        weighing=bundle.notes.get("weighing"),
        treated=bundle.notes.get("treated"),
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
