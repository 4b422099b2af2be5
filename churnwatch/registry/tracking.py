"""MLflow as tracking and registry: one run per training, one registered version per bundle, aliases.

Nothing here is needed to score: that reads the verified copy (``store.py``).
"""

from __future__ import annotations

import math
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING

import churnwatch
from churnwatch.errors import NoUsableModel, ProjectError
from churnwatch.registry.bundle import bundle_hashes, read_bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

VERSION_TAG = "churnwatch.version"
LOADER = "churnwatch.registry.serving"
REQUIREMENTS = ("lightgbm", "numpy", "pandas", "scikit-learn", "pydantic", "mlflow")
"""What serving imports beside churnwatch, each pinned as installed; MLflow's own inference takes nine
seconds.
"""
MOST_PARAMETERS = 100
"""MLflow takes no more in one call."""
LONGEST_DESCRIPTION = 5_000
"""Characters MLflow's table keeps of a version's description; the whole card is an artifact of the run."""
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow calls a missing model and a missing alias."""
SQLITE = "sqlite:///"
SQLITE_MAGIC = b"SQLite format 3\x00"

ENVIRONMENT = {
    # Telemetry is on by default outside CI.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # With the default retries a dead server holds one call for four minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # With a server the end of a run is told on standard output, which is one JSON object.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True)
class Logged:
    """Where a training stands in MLflow: its run, its registered version's number, whether that is new."""

    run_id: str
    registered_version: int
    new: bool


def store_uri(state: Path) -> str:
    """The tracking store of a deployment that names none: ``mlflow.db`` in its state directory."""
    return f"{SQLITE}{(state / 'mlflow.db').resolve()}"


def log_model(
    *,
    uri: str,
    artifact_root: Path | None,
    experiment: str,
    name: str,
    bundle_dir: Path,
    version: str,
    parameters: Mapping[str, object],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    artifacts: Mapping[str, bytes | str],
    signature_columns: Sequence[str],
    card: str,
) -> Logged:
    """Log one training as a run and register its bundle under ``name``, ``<deployment>.<model>``.

    ``uri`` is the tracking store, ``artifact_root`` where its files go (None: where a server puts them).
    ``artifacts`` maps path to content; ``card`` is the model card in Markdown; ``signature_columns`` the
    matrix columns in order. Metrics that are not finite are left out. Where a version with this ``version``
    is registered already, nothing is logged: its run and number come back with ``new=False``. No alias is
    moved.

    Raises NoUsableModel when the bundle is not a good one of that version, ProjectError when the store cannot
    be used.
    """
    read_bundle(bundle_dir, expected_version=version)
    with opened(uri) as client:
        known = registered_as(client, name, version)
        if known is not None:
            return Logged(known.run_id or "", int(known.version), new=False)

        import mlflow

        experiment_id = _experiment(client, experiment, artifact_root)
        hashes = {f"sha256.{file}": digest for file, digest in bundle_hashes(bundle_dir).items()}
        run_tags = {**tags, **hashes, VERSION_TAG: version, "mlflow.source.name": "churnwatch"}
        run = client.create_run(experiment_id, run_name=f"{name} {version}", tags=run_tags)
        run_id: str = run.info.run_id
        # The run was made by the client, not by start_run, which would look up the user and the git commit.
        with mlflow.start_run(run_id=run_id, nested=True):
            items = list(parameters.items())
            for start in range(0, len(items), MOST_PARAMETERS):
                mlflow.log_params(dict(items[start : start + MOST_PARAMETERS]))
            # The model before the metrics: logged after them, MLflow would look each of them up again by itself.
            model_id = _log_pyfunc(bundle_dir, signature_columns)
            finite = {key: value for key, value in metrics.items() if math.isfinite(value)}
            mlflow.log_metrics(finite, model_id=model_id)
            _log_files(client, run_id, {**artifacts, "card.md": card})
            number = _register(client, name, model_id, run_id, version=version, card=card)
    return Logged(run_id, number, new=True)


def set_alias(uri: str, name: str, alias: str, version: str) -> int:
    """Point ``alias`` at the registered version whose bundle is ``version``; returns that version's number.

    Raises NoUsableModel when no such version is registered.
    """
    with opened(uri) as client:
        known = registered_as(client, name, version)
        if known is None:
            raise NoUsableModel(
                f"no version {version} of {name} is registered",
                hint="train again; `mlflow ui` on the tracking store shows what is registered",
            )
        client.set_registered_model_alias(name, alias, known.version)
        return int(known.version)


def alias_version(uri: str, name: str, alias: str) -> str | None:
    """The version (12 hex digits) that ``alias`` of ``name`` points at, None where there is no such alias or
    model.
    """
    with opened(uri) as client:
        from mlflow.exceptions import MlflowException

        try:
            found = client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code in ABSENT:
                return None
            raise
        tag: str | None = found.tags.get(VERSION_TAG)
        return tag


def drop_alias(uri: str, name: str, alias: str) -> None:
    """Take ``alias`` from whatever version of ``name`` it points at; nothing where there is no such alias."""
    with opened(uri) as client:
        from mlflow.exceptions import MlflowException

        try:
            client.delete_registered_model_alias(name, alias)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise


def registered_as(client: MlflowClient, name: str, version: str) -> ModelVersion | None:
    """The registered version of ``name`` whose bundle is ``version``, as MLflow has it."""
    for known in client.search_model_versions(f"name='{name}'"):
        if known.tags.get(VERSION_TAG) == version:
            return known
    return None


@contextmanager
def opened(uri: str) -> Iterator[MlflowClient]:
    """A client of the store, with MLflow's chatter off and its global settings put back afterwards."""
    for variable, value in ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    if uri.startswith(SQLITE):
        _check_file(Path(uri.removeprefix(SQLITE)))
    before = os.environ.get("MLFLOW_TRACKING_URI")
    with warnings.catch_warnings():
        # Said by MLflow 3.17 of its own classes when it is imported.
        warnings.filterwarnings("ignore", ".*Any type hint is inferred as AnyType", UserWarning)
        # MLflow 3.17 maps its tables with an option SQLAlchemy 2.1 is about to drop.
        warnings.filterwarnings("ignore", "The ``noload`` loader strategy", DeprecationWarning)
        # An input example would store rows of real customers; the signature is given instead.
        warnings.filterwarnings("ignore", ".*An input example was not provided", UserWarning)
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from mlflow.tracking._tracking_service.utils import _use_tracking_uri
        from mlflow.utils.logging_utils import MLFLOW_LOGGING_STREAM

        # Migrations, "Created version" and the like; what goes wrong is raised, not logged.
        chatty, MLFLOW_LOGGING_STREAM.enabled = MLFLOW_LOGGING_STREAM.enabled, False
        try:
            with _use_tracking_uri(uri):
                yield MlflowClient(tracking_uri=uri, registry_uri=uri)
        except MlflowException as error:
            raise _unusable(str(error).splitlines()[0]) from error
        finally:
            MLFLOW_LOGGING_STREAM.enabled = chatty
            if before is not None:
                os.environ["MLFLOW_TRACKING_URI"] = before


def _check_file(database: Path) -> None:
    """Make the directory of an SQLite store, and refuse a file there that is something else."""
    database.parent.mkdir(parents=True, exist_ok=True)
    if database.is_file() and database.stat().st_size:
        with database.open("rb") as file:
            if file.read(len(SQLITE_MAGIC)) != SQLITE_MAGIC:
                raise _unusable(f"{database.name} is not an SQLite database")


def _unusable(why: str) -> ProjectError:
    return ProjectError(
        f"the tracking store cannot be used: {why}",
        where="tracking.yaml",
        hint="check its uri and that the server runs, or leave uri out to keep models under state/",
    )


def _experiment(client: MlflowClient, name: str, artifact_root: Path | None) -> str:
    """The experiment's id. MLflow fixes an experiment's directory for good and stores it absolute.

    In a project that was copied or moved the old one would go on writing into the original's directory, so
    there another experiment is made, its name marked by the directory.
    """
    if artifact_root is None:
        known = client.get_experiment_by_name(name)
        return known.experiment_id if known else client.create_experiment(name)
    location = artifact_root.resolve().as_uri()
    mark = sha256(location.encode()).hexdigest()[:6]
    for candidate in (name, f"{name} ({mark})"):
        known = client.get_experiment_by_name(candidate)
        if known is None:
            return client.create_experiment(candidate, artifact_location=location)
        if known.artifact_location == location:
            return known.experiment_id
    raise ProjectError(
        f"the experiment {name} keeps its files elsewhere",
        where="tracking.yaml",
        hint="name another experiment",
    )


def _log_files(client: MlflowClient, run_id: str, contents: Mapping[str, bytes | str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        for path, content in contents.items():
            target = Path(temporary, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        client.log_artifacts(run_id, temporary)


def _log_pyfunc(bundle_dir: Path, columns: Sequence[str]) -> str:
    """Log the bundle as a pyfunc model of the active run; returns MLflow's id of the logged model."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    # Everything is double: int64 against double raises at scoring, and a category cannot be scored at all.
    inputs = Schema([ColSpec("double", name) for name in columns])
    logged = mlflow.pyfunc.log_model(
        name="model",
        loader_module=LOADER,
        data_path=str(bundle_dir),
        signature=ModelSignature(inputs=inputs, outputs=Schema([ColSpec("double")])),
        pip_requirements=[
            f"churnwatch=={churnwatch.__version__}",
            *(f"{package}=={installed(package)}" for package in REQUIREMENTS),
        ],
    )
    model_id: str = logged.model_id
    return model_id


def _register(client: MlflowClient, name: str, model_id: str, run_id: str, *, version: str, card: str) -> int:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # The tag comes with the version in one call: a version without it would be registered twice.
    registered = client.create_model_version(
        name,
        source=f"models:/{model_id}",
        run_id=run_id,
        tags={VERSION_TAG: version},
        description=card[:LONGEST_DESCRIPTION],
        model_id=model_id,
    )
    return int(registered.version)
