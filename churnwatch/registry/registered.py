"""What MLflow holds of a version: its run, what was logged there, and its bundle where the kept copy is gone."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from churnwatch.errors import NoUsableModel
from churnwatch.registry.bundle import MANIFEST
from churnwatch.registry.store import keep_copy
from churnwatch.registry.tracking import opened, registered_as

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Registered:
    """A registered version: its number in MLflow, its run, and the metrics and tags that were logged there."""

    number: int
    run_id: str
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


def registered(uri: str, name: str, version: str) -> Registered:
    """The registered version of ``name`` whose bundle is ``version``.

    Raises NoUsableModel when no such version is registered, ProjectError when the store cannot be used.
    """
    with opened(uri) as client:
        known = _known(registered_as(client, name, version), name, version)
        run = client.get_run(known.run_id or "")
        return Registered(int(known.version), run.info.run_id, dict(run.data.metrics), dict(run.data.tags))


def logged_text(uri: str, name: str, version: str, path: str) -> str:
    """A text file of the run of a registered version, such as ``card.md``.

    Raises NoUsableModel when no such version is registered or the run has no such file.
    """
    with opened(uri) as client:
        from mlflow.artifacts import load_text
        from mlflow.exceptions import MlflowException

        known = _known(registered_as(client, name, version), name, version)
        try:
            text: str = load_text(f"runs:/{known.run_id}/{path}")
        except (MlflowException, OSError):
            raise NoUsableModel(
                f"the run of {name} version {version} has no {path}",
                hint="it was trained by an earlier churnwatch, or the store's artifacts are gone: train again",
            ) from None
        return text


def fetch_copy(uri: str, name: str, version: str, *, state: Path) -> Path:
    """Fetch the bundle of a registered version from MLflow, verify it and keep it as ``keep_copy`` does.

    Nothing of what was fetched is loaded or run: its files are read as text, and must be those of ``version``. Raises
    NoUsableModel when no such version is registered or its files are not there or not whole.
    """
    with opened(uri) as client:
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        known = _known(registered_as(client, name, version), name, version)
        state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=state) as temporary:
            try:
                download_artifacts(artifact_uri=f"models:/{name}/{known.version}", dst_path=temporary)
            except (MlflowException, OSError) as error:
                raise _gone(name, version, str(error).splitlines()[0]) from None
            manifests = sorted(Path(temporary).rglob(MANIFEST))
            if not manifests:
                raise _gone(name, version, "there is no bundle among its files")
            return keep_copy(state, name, manifests[0].parent, version)


def _known(found: ModelVersion | None, name: str, version: str) -> ModelVersion:
    if found is None:
        raise NoUsableModel(
            f"no version {version} of {name} is registered in MLflow",
            hint="train again; `mlflow ui` on the tracking store shows what is registered",
        )
    return found


def _gone(name: str, version: str, why: str) -> NoUsableModel:
    return NoUsableModel(
        f"the files of {name} version {version} cannot be fetched from MLflow: {why}",
        where="tracking.yaml",
        hint="put back the tracking store's artifacts, or train again",
    )
