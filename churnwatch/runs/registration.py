"""Registration: a trained bundle into MLflow, kept as a verified copy, and promoted when the gate was passed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from churnwatch.evaluation import Verdict
from churnwatch.runs.study import Judged
from churnwatch.runs.workspace import Workspace

if TYPE_CHECKING:
    import sqlalchemy as sa

    from churnwatch.registry import Bundle, Logged


def register(
    workspace: Workspace,
    engine: sa.Engine,
    bundle: Bundle,
    *,
    judged: Sequence[Judged],
    verdict: Verdict,
    champion: str | None,
    card: str,
    by: str,
) -> tuple[str, Logged, bool]:
    """Log and register the bundle, keep its copy, and make it champion where the gate was passed.

    Returns the version, where it stands in MLflow, and whether it was promoted now: a version that is the
    ``champion`` already is not promoted again. The alias moves before the ledger writes it down: of the two, scoring
    goes by the ledger.
    """
    from churnwatch.ledger import record_promotion
    from churnwatch.registry import alias_version, keep_copy, log_model, set_alias, store_uri, write_bundle

    tracking = workspace.spec.tracking
    uri = tracking.uri or store_uri(workspace.state)
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
            metrics=_metrics(judged),
            tags={"churnwatch.deployment": workspace.deployment, "churnwatch.gate": str(verdict.passed).lower()},
            artifacts={},
            signature_columns=bundle.fitted.columns,
            card=card,
        )
        keep_copy(workspace.state, bundle.name, directory, version)
    promoted = verdict.passed and champion != version
    # Also where the version is champion already: its alias may have been moved by hand, or lost with the store.
    if (promoted or champion == version) and alias_version(uri, bundle.name, "champion") != version:
        set_alias(uri, bundle.name, "champion", version)
    if promoted:
        record_promotion(
            engine,
            deployment=workspace.deployment,
            model=bundle.model.model,
            model_version=version,
            moved_at=workspace.now,
            by=by,
            reason="the gate was passed",
            gate={check.name: [check.difference, check.low, check.high] for check in verdict.checks},
        )
    return version, logged, promoted


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


def _metrics(judged: Sequence[Judged]) -> dict[str, float]:
    """The mean of each figure over the test dates, and each date's own as ``figure.date``."""
    found: dict[str, float] = {}
    names = [name for name, value in judged[0].figures.items() if isinstance(value, (int, float))]
    for name in names:
        found[name] = float(np.mean([one.figures[name] for one in judged]))
        for one in judged:
            found[f"{name}.{one.figures['as_of']}"] = float(one.figures[name])
    for baseline in judged[0].baselines:
        for name in ("auc", "precision_at_capacity"):
            values = [one.figures["baselines"][baseline][name] for one in judged]
            found[f"{baseline}.{name}"] = float(np.mean(values))
    return found
