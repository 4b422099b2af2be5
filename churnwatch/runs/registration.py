"""Registration: a trained bundle into MLflow, kept as a verified copy, and promoted when the gate was passed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnwatch.evaluation import Verdict
from churnwatch.runs.candidate import Candidate
from churnwatch.runs.provenance import data_hashes, environment, tags_of
from churnwatch.runs.study import Judged
from churnwatch.runs.tracking import tracking_uri
from churnwatch.runs.workspace import Workspace
from churnwatch.spec import civil_day

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.registry import Bundle, Logged

GATE = "churnwatch.gate"
"""The tag that says whether the gate was passed."""


@dataclass(frozen=True)
class Registration:
    """Where a training stands: its version, its place in MLflow, whether it was promoted now.

    ``held`` says why a version whose gate was passed is not in use all the same.
    """

    version: str
    logged: Logged
    promoted: bool
    held: str | None


def register(
    workspace: Workspace,
    engine: sa.Engine,
    found: Candidate,
    *,
    verdict: Verdict,
    champion: str | None,
    cards: Mapping[str, str],
    pictures: Mapping[str, bytes],
    remarks: Sequence[str],
    by: str,
) -> Registration:
    """Log and register the candidate, keep its copy, and make it champion where the gate was passed, else challenger.

    ``cards`` are the model cards by language, ``pictures`` PNG files by path below the run. A version that is champion
    already is not promoted again, and one that was rolled back from is left to a person. The alias moves before the
    ledger writes it down: of the two, scoring goes by the ledger.
    """
    from churnwatch.ledger import challenger, left_by_rollback, promotions, record_promotion
    from churnwatch.registry import alias_version, drop_alias, keep_copy, log_model, set_alias, write_bundle

    bundle, tracking, uri = found.bundle, workspace.spec.tracking, tracking_uri(workspace)
    with tempfile.TemporaryDirectory(dir=workspace.state) as temporary:
        directory = Path(temporary) / "bundle"
        version = write_bundle(directory, bundle)
        logged = log_model(
            uri=uri,
            artifact_root=None if tracking.uri else workspace.state / "mlartifacts",
            experiment=tracking.experiment or workspace.deployment,
            name=bundle.name,
            bundle_dir=directory,
            version=version,
            parameters=_parameters(bundle),
            metrics=metrics(found.judged),
            tags={
                "churnwatch.deployment": workspace.deployment,
                GATE: str(verdict.passed).lower(),
                **tags_of(workspace, bundle, data=data_hashes(workspace)),
            },
            artifacts={
                **{f"card.{language}.md": card for language, card in cards.items() if language != "en"},
                **pictures,
                "evaluation.json": _evaluation(found, verdict, remarks),
                "environment.json": environment(),
            },
            signature_columns=bundle.fitted.columns,
            card=cards["en"],
        )
        keep_copy(workspace.state, bundle.name, directory, version)
    name, model = bundle.name, bundle.model.model
    moves = promotions(engine, deployment=workspace.deployment, model=model)
    left = left_by_rollback(moves).get(version)
    promoted = verdict.passed and champion != version and left is None
    gate = {check.name: [check.difference, check.low, check.high] for check in verdict.checks}
    about = {"deployment": workspace.deployment, "model": model, "model_version": version}
    # Also where the version is champion already: its alias may have been moved by hand, or lost with the store.
    if (promoted or champion == version) and alias_version(uri, name, "champion") != version:
        set_alias(uri, name, "champion", version)
    if promoted:
        drop_alias(uri, name, "challenger")
        record_promotion(engine, **about, moved_at=workspace.now, by=by, reason="the gate was passed", gate=gate)
    elif champion != version:
        if alias_version(uri, name, "challenger") != version:
            set_alias(uri, name, "challenger", version)
        if challenger(moves) != version:
            why = "the gate was passed, but it was rolled back before" if verdict.passed else "the gate was not passed"
            record_promotion(
                engine, **about, alias="challenger", moved_at=workspace.now, by=by, reason=f"trained; {why}", gate=gate
            )
    held = None
    if left is not None and verdict.passed:
        day = civil_day(left.moved_at, workspace.spec.deployment.zone)
        held = (
            f"Version {version} was rolled back on {day} ({left.reason}), so training does not "
            f"promote it again; `churnwatch promote {model} {version} --why …` does."
        )
    return Registration(version, logged, promoted, held)


def metrics(judged: Sequence[Judged]) -> dict[str, float]:
    """The mean of each figure over the test dates, and each date's own as ``figure.date``; NaN where one is missing.

    Figures of figures are named by their path, such as ``recall_by_lead.30``.
    """
    slices = [dict(_numbers(one.figures)) for one in judged]
    found: dict[str, float] = {}
    for name in dict.fromkeys(name for one in slices for name in one):
        values = [one.get(name, float("nan")) for one in slices]
        found[name] = float(np.mean(values))
        for one, value in zip(judged, values, strict=True):
            found[f"{name}.{one.figures['as_of']}"] = value
    for baseline in judged[0].baselines:
        for name in ("auc", "precision_at_capacity"):
            values = [one.figures["baselines"][baseline][name] for one in judged]
            found[f"{baseline}.{name}"] = float(np.mean(values))
    return found


def _numbers(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        # MLflow takes no other signs in a metric's name; a segment's may hold any.
        path = prefix + re.sub(r"[^\w.\- :/]", "_", str(name))
        if isinstance(value, Mapping) and name != "baselines":
            yield from _numbers(value, f"{path}.")
        elif isinstance(value, (int, float)):
            yield path, float(value)


def _evaluation(found: Candidate, verdict: Verdict, remarks: Sequence[str]) -> str:
    """Every figure of the training, as ``train --json`` has them."""
    told = {
        "slices": [dict(one.figures) for one in found.judged],
        "gate": {"passed": verdict.passed, "checks": [asdict(check) for check in verdict.checks]},
        "precision_at_capacity_minus": {
            name: {"difference": d, "low": low, "high": high} for name, (d, low, high) in found.intervals.items()
        },
        "notes": list(remarks),
    }
    return json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n"


def _parameters(bundle: Bundle) -> dict[str, object]:
    model = bundle.model
    return {
        **model.learner.parameters,
        "rounds": bundle.fitted.rounds,
        "calibration": bundle.fitted.calibration.method,
        "seed": model.learner.seed,
        "gap": str(model.gap),
        "horizon": "none: one snapshot" if model.outcome.given else str(model.label_length),
        "signals": len(bundle.fitted.columns),
        "observations": bundle.notes["observations"],
        "acknowledged": ", ".join(model.acknowledge) or "none",
    }
