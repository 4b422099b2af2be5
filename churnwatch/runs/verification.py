"""Verification: a registered version learned again from the data it was trained on, and compared to the last digit."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnwatch.errors import CheckFailed
from churnwatch.runs.candidate import candidate
from churnwatch.runs.models import keep_version, the_version
from churnwatch.runs.provenance import CONFIG, DATA, NOW, PROGRAM, config_hashes, data_hashes, recall_of
from churnwatch.runs.registration import metrics
from churnwatch.runs.tracking import tracking_uri
from churnwatch.runs.workspace import Recall, Report, Workspace, ledger, load_tables, lock

if TYPE_CHECKING:
    from churnwatch.registry import Bundle

SHOWN = 20
"""Differences that a message names; --json has all."""
PARTS = ("booster.txt", "calibration.json", "catalogue.json", "model.json", "schema.json")


@dataclass(frozen=True)
class Difference:
    """A metric or a file of the bundle that came out otherwise; of a file its sha256, ``None`` where there is none."""

    what: str
    logged: float | str | None
    found: float | str | None


@dataclass(frozen=True)
class Verified:
    """What was compared, and what differs."""

    model: str
    version: str
    metrics: int
    """How many metrics were logged."""
    again: str
    """The version that came out now."""
    differences: tuple[Difference, ...]
    trained_with: str
    """The program that trained it."""
    fetched: bool
    """Whether the kept copy was gone or damaged and had to be fetched from MLflow."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object."""
        return {
            "model": self.model,
            "version": self.version,
            "same": self.same,
            "metrics": self.metrics,
            "version_again": self.again,
            "differences": [{"what": one.what, "logged": one.logged, "found": one.found} for one in self.differences],
            "trained_with": self.trained_with,
            "fetched": self.fetched,
        }


def verify_model(
    workspace: Workspace, name: str, *, version: str | None = None, report: Report | None = None
) -> Verified:
    """Learn a version (the champion) again and compare its bundle and all logged metrics with what is registered.

    The model file and the catalogue are those of the bundle and the clock is the training's; the data must be those of
    the logged hashes, and what the deployment's files say must be what they said. Raises CheckFailed, naming each
    source or file, where they are not; NoUsableModel where the version or its run is not there. What differs is no
    error here: look at ``differences``.
    """
    from churnwatch.registry import champion_bundle, registered

    model = workspace.model(name).model
    with lock(workspace):
        with ledger(workspace) as engine:
            version = the_version(workspace, engine, model, version)
        full = f"{workspace.deployment}.{model}"
        fetched = keep_version(workspace, model, version)
        logged = registered(tracking_uri(workspace), full, version)
        bundle = champion_bundle(workspace.state, full, version)
        _refuse_other_inputs(workspace, logged.tags, version)
        then = _as_trained(workspace, bundle, datetime.fromisoformat(logged.tags[NOW]), recall_of(logged.tags))
        tables = load_tables(then, report=report)
        found = candidate(then, tables, bundle.model, report=report)
        again, files = _written(workspace, found.bundle)
        kept = workspace.state / "models" / full / version
        differences = [
            Difference(part, logged.tags.get(f"sha256.{part}"), files[part])
            for part in PARTS
            if files[part] != _hashes(kept)[part]
        ]
        differences += _moved(logged.metrics, metrics(found.judged))
    return Verified(
        model=model,
        version=version,
        metrics=len(logged.metrics),
        again=again,
        differences=tuple(differences),
        trained_with=logged.tags.get(PROGRAM, "unknown"),
        fetched=fetched,
    )


def _refuse_other_inputs(workspace: Workspace, tags: Mapping[str, str], version: str) -> None:
    """CheckFailed where the data or what the deployment's files say are not those of the training."""
    if NOW not in tags or DATA not in tags:
        raise CheckFailed(
            f"version {version} was registered without the hashes of its data",
            hint="it was trained by an earlier churnwatch: train again, the new version can be verified",
        )
    now = {f"{DATA}.{name}": digest for name, digest in data_hashes(workspace).items()}
    now |= {f"{CONFIG}.{file}": digest for file, digest in config_hashes(workspace).items()}
    then = {tag: value for tag, value in tags.items() if tag in now or tag.startswith(f"{DATA}.")}
    changed = sorted(tag for tag in now.keys() | then.keys() if now.get(tag) != then.get(tag))
    sources = [_source(workspace, tag.removeprefix(f"{DATA}.")) for tag in changed if tag.startswith(f"{DATA}.")]
    files = [tag.removeprefix(f"{CONFIG}.") for tag in changed if tag.startswith(f"{CONFIG}.")]
    if sources:
        raise CheckFailed(
            f"the data are not those version {version} was trained on: {', '.join(sources)} changed",
            where=f"configs/{workspace.deployment}/sources.yaml",
            allowed="files with the sha256 that the run's tags churnwatch.data.SOURCE name",
            hint="name a directory that holds the data of that training with --data",
        )
    if files:
        raise CheckFailed(
            f"the deployment's files do not say what they said when version {version} was trained: "
            f"{', '.join(files)} changed",
            where=f"configs/{workspace.deployment}",
            hint="check out the commit that the run's tag mlflow.source.git.commit names, or train again",
        )


def _source(workspace: Workspace, name: str) -> str:
    source = workspace.spec.sources.sources.get(name)
    return f"{name} ({source.from_})" if source else f"{name} (no longer declared)"


def _as_trained(workspace: Workspace, bundle: Bundle, now: datetime, recall: Recall) -> Workspace:
    """The workspace with the bundle's catalogue and model file, the training's clock and what the ledger told then; its
    tables are not yet read.
    """
    spec = workspace.spec.model_copy(
        update={"families": bundle.families, "models": {**workspace.spec.models, bundle.model.model: bundle.model}}
    )
    return replace(workspace, spec=spec, now=now, kept={}, recall=recall)


def _written(workspace: Workspace, bundle: Bundle) -> tuple[str, dict[str, str]]:
    from churnwatch.registry import write_bundle

    with tempfile.TemporaryDirectory(dir=workspace.state) as temporary:
        directory = Path(temporary) / "bundle"
        return write_bundle(directory, bundle), _hashes(directory)


def _hashes(directory: Path) -> dict[str, str]:
    from churnwatch.registry import bundle_hashes

    return bundle_hashes(directory)


def _moved(logged: Mapping[str, float], found: Mapping[str, float]) -> list[Difference]:
    finite = {name: value for name, value in found.items() if math.isfinite(value)}
    names = sorted(logged.keys() | finite.keys())
    return [
        Difference(name, logged.get(name), finite.get(name)) for name in names if logged.get(name) != finite.get(name)
    ]
