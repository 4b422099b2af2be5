"""The registry: verified copies, and a real MLflow store whose champion gives the learner's numbers."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_model import COLUMNS, matrix, tiny_bundle

from churnwatch.errors import DataRefused, NoUsableModel, ProjectError
from churnwatch.learner import risks
from churnwatch.registry import (
    Bundle,
    Logged,
    alias_version,
    champion_bundle,
    keep_copy,
    log_model,
    set_alias,
    store_uri,
    write_bundle,
)
from churnwatch.registry.serving import _load_pyfunc

NAME = "demo.churn"


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, str]:
    """A good bundle on disk and its version."""
    return tmp_path / "bundle", write_bundle(tmp_path / "bundle", tiny_bundle())


def test_a_kept_copy_is_the_bundle(tmp_path: Path, written: tuple[Path, str]) -> None:
    """The copy reads back as the bundle, lies where it is looked for, and nothing temporary stays."""
    bundle_dir, version = written
    kept = keep_copy(tmp_path / "state", NAME, bundle_dir, version)
    assert tmp_path / "state/models/demo.churn" / version == kept
    assert tiny_bundle() == champion_bundle(tmp_path / "state", NAME, version)
    assert [version] == [entry.name for entry in kept.parent.iterdir()]
    before = (kept / "booster.txt").stat().st_mtime_ns
    assert kept == keep_copy(tmp_path / "state", NAME, bundle_dir, version)
    assert before == (kept / "booster.txt").stat().st_mtime_ns


def test_a_damaged_copy_is_refused_and_can_be_replaced(tmp_path: Path, written: tuple[Path, str]) -> None:
    """Scoring does not load a damaged copy; keeping the good bundle again repairs it."""
    bundle_dir, version = written
    kept = keep_copy(tmp_path / "state", NAME, bundle_dir, version)
    (kept / "booster.txt").write_text((kept / "booster.txt").read_text()[:500])
    with pytest.raises(NoUsableModel, match=r"booster\.txt"):
        champion_bundle(tmp_path / "state", NAME, version)
    keep_copy(tmp_path / "state", NAME, bundle_dir, version)
    assert tiny_bundle() == champion_bundle(tmp_path / "state", NAME, version)
    assert [version] == [entry.name for entry in kept.parent.iterdir()]


def test_a_damaged_bundle_is_not_kept(tmp_path: Path, written: tuple[Path, str]) -> None:
    """Nothing appears under state when the source is not what it says."""
    bundle_dir, version = written
    (bundle_dir / "schema.json").write_text("{}")
    with pytest.raises(NoUsableModel, match=r"schema\.json"):
        keep_copy(tmp_path / "state", NAME, bundle_dir, version)
    assert not (tmp_path / "state").exists()


def test_a_version_that_is_not_kept_says_what_to_do(tmp_path: Path) -> None:
    """No copy: exit code 6, the model's name, and what to try."""
    with pytest.raises(NoUsableModel, match=r"no copy of demo\.churn version 0123456789ab") as refused:
        champion_bundle(tmp_path, NAME, "0123456789ab")
    assert 6 == refused.value.exit_code
    assert "train again" in refused.value.hint


@pytest.mark.parametrize("name", ["../demo", "a/b", "", ".new"])
def test_a_name_never_leaves_the_state_directory(tmp_path: Path, name: str) -> None:
    """A name that is a path is a bug, not a place to read from."""
    with pytest.raises(ValueError, match="not a name"):
        champion_bundle(tmp_path, name, "0123456789ab")


def frame(X: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=list(COLUMNS))


def test_serving_gives_the_learners_risks_to_the_bit(written: tuple[Path, str]) -> None:
    """Columns in any order, others ignored: the same bits."""
    X = matrix(200, 4)
    expected = risks(tiny_bundle().fitted, X)
    served = _load_pyfunc(str(written[0]))
    np.testing.assert_array_equal(expected, served.predict(frame(X)))
    shuffled = frame(X)[list(COLUMNS[::-1])].assign(other="text")
    np.testing.assert_array_equal(expected, served.predict(shuffled))


def test_serving_refuses_what_lightgbm_would_swallow(written: tuple[Path, str]) -> None:
    """A missing, renamed, repeated or otherwise typed column is refused by name."""
    served, good = _load_pyfunc(str(written[0])), frame(matrix(5, 5))
    with pytest.raises(DataRefused, match="quiet: 1 of the model's 3 columns are missing"):
        served.predict(good.rename(columns={"quiet": "Quiet"}))
    with pytest.raises(DataRefused, match="contacts_28d: the column is int64"):
        served.predict(good.astype({"contacts_28d": "int64"}))
    with pytest.raises(DataRefused, match="quiet: the column is float32"):
        served.predict(good.astype({"quiet": "float32"}))
    with pytest.raises(DataRefused, match="more than once"):
        served.predict(pd.concat([good, good[["quiet"]]], axis=1))
    with pytest.raises(DataRefused, match="no parameter is known"):
        served.predict(good, {"threshold": 1})


def test_serving_verifies_before_it_loads(written: tuple[Path, str]) -> None:
    """A tampered bundle does not reach LightGBM by way of MLflow either."""
    (written[0] / "booster.txt").write_text("tree\n")
    with pytest.raises(NoUsableModel, match="sha256"):
        _load_pyfunc(str(written[0]))


@dataclass(frozen=True)
class Store:
    """A state directory with one training logged in it, and what the first logging wrote on the terminal."""

    state: Path
    uri: str
    bundle_dir: Path
    version: str
    logged: Logged


def log(state: Path, bundle: Bundle, work: Path, experiment: str = "demo") -> tuple[Path, str, Logged]:
    """Write the bundle and log it into the state's own store."""
    bundle_dir = work / "bundle"
    version = write_bundle(bundle_dir, bundle)
    logged = log_model(
        uri=store_uri(state),
        artifact_root=state / "mlflow",
        experiment=experiment,
        name=NAME,
        bundle_dir=bundle_dir,
        version=version,
        parameters={"num_leaves": 5, **{f"p{i}": i for i in range(150)}},
        metrics={"auc": 0.8125, "nothing": float("nan")},
        tags={"deployment": "demo"},
        artifacts={"slices.json": '{"n": 3}', "plots/gain.png": b"\x89PNG"},
        signature_columns=COLUMNS,
        card="# churn\n\nWhat it predicts.\n",
    )
    return bundle_dir, version, logged


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One MLflow store for the module: creating its tables takes seconds."""
    place = tmp_path_factory.mktemp("store")
    bundle_dir, version, logged = log(place / "state", tiny_bundle(), place)
    return Store(place / "state", store_uri(place / "state"), bundle_dir, version, logged)


def test_a_training_is_a_run_with_everything_about_it(store: Store) -> None:
    """Parameters, finite metrics, hashes, the card and files are in the run, all of it under state."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
    run = client.get_run(store.logged.run_id)
    assert ("FINISHED", 151, "5") == (run.info.status, len(run.data.params), run.data.params["num_leaves"])
    assert {"auc": 0.8125} == run.data.metrics
    manifest = json.loads((store.bundle_dir / "manifest.json").read_text())
    tags = {name: run.data.tags[f"sha256.{name}"] for name in manifest["files"]}
    assert manifest["files"] == tags
    assert {"demo", store.version} == {run.data.tags["deployment"], run.data.tags["churnwatch.version"]}
    assert "mlflow.user" not in run.data.tags
    root = store.state / "mlflow" / store.logged.run_id / "artifacts"
    assert "# churn\n\nWhat it predicts.\n" == (root / "card.md").read_text()
    assert b"\x89PNG" == (root / "plots/gain.png").read_bytes()
    assert {"bundle", "mlflow", "state", "mlflow.db"} >= {
        entry.name for entry in (*store.state.parent.iterdir(), *store.state.iterdir())
    }
    registered = client.get_model_version(NAME, "1")
    assert (1, True) == (store.logged.registered_version, store.logged.new)
    assert store.version == registered.tags["churnwatch.version"]
    assert registered.description.startswith("# churn")


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_the_champion_served_by_mlflow_gives_the_learners_risks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """``models:/demo.churn@champion`` loaded by MLflow alone: its signature is ours, its risks are the
    learner's.
    """
    import mlflow

    set_alias(store.uri, NAME, "champion", store.version)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    served = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    inputs = served.metadata.get_input_schema()
    assert list(COLUMNS) == inputs.input_names()
    assert ["double"] * 3 == [column.type.name for column in inputs]
    X = matrix(400, 6)
    np.testing.assert_allclose(risks(tiny_bundle().fitted, X), served.predict(frame(X)), rtol=0, atol=1e-12)
    requirements = (store.state / "mlflow").glob("models/*/artifacts/requirements.txt")
    assert "churnwatch==" in next(requirements).read_text()


def test_the_same_training_again_registers_nothing(store: Store, tmp_path: Path) -> None:
    """Unchanged inputs: the same run and number come back, no run, version or alias is made or moved."""
    set_alias(store.uri, NAME, "champion", store.version)
    before = rows(store)
    _, version, again = log(store.state, tiny_bundle(), tmp_path)
    assert store.version == version
    assert replace(store.logged, new=False) == again
    assert before == rows(store)
    assert store.version == alias_version(store.uri, NAME, "champion")


def rows(store: Store) -> list[int]:
    """How many runs, versions and aliases the store holds."""
    with sqlite3.connect(store.state / "mlflow.db") as con:
        tables = ("runs", "model_versions", "registered_model_aliases")
        counts = [con.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]
    con.close()
    return counts


def test_another_training_is_a_new_version_and_the_alias_waits_for_promotion(store: Store, tmp_path: Path) -> None:
    """A changed bundle gets the next number; champion stays until it is moved, and can be moved back."""
    set_alias(store.uri, NAME, "champion", store.version)
    versions = rows(store)[1]
    other = replace(tiny_bundle(), notes={"choice": "another training"})
    _, version, logged = log(store.state, other, tmp_path)
    assert (versions + 1, True) == (logged.registered_version, logged.new)
    assert store.version == alias_version(store.uri, NAME, "champion")
    assert versions + 1 == set_alias(store.uri, NAME, "champion", version)
    assert version == alias_version(store.uri, NAME, "champion")
    assert 1 == set_alias(store.uri, NAME, "champion", store.version)
    assert store.version == alias_version(store.uri, NAME, "champion")


def test_what_is_not_registered_is_told_apart_from_an_error(store: Store) -> None:
    """No alias and no model are None; an alias to an unknown version is refused with exit code 6."""
    assert alias_version(store.uri, NAME, "challenger") is None
    assert alias_version(store.uri, "demo.satisfaction", "champion") is None
    with pytest.raises(NoUsableModel, match=r"no version ffffffffffff of demo\.churn"):
        set_alias(store.uri, NAME, "champion", "ffffffffffff")


def test_a_damaged_bundle_is_not_logged(store: Store, tmp_path: Path) -> None:
    """The bundle is verified before a run is opened."""
    before = rows(store)
    with pytest.raises(NoUsableModel, match="this is version"):
        log_model(
            uri=store.uri,
            artifact_root=store.state / "mlflow",
            experiment="demo",
            name=NAME,
            bundle_dir=store.bundle_dir,
            version="0123456789ab",
            parameters={},
            metrics={},
            tags={},
            artifacts={},
            signature_columns=COLUMNS,
            card="",
        )
    assert before == rows(store)


def test_a_copied_project_does_not_write_into_the_original(store: Store, tmp_path: Path) -> None:
    """MLflow stores an experiment's directory absolute; a copy of the state gets an experiment of its own."""
    copied = tmp_path / "state"
    copied.mkdir()
    (copied / "mlflow.db").write_bytes((store.state / "mlflow.db").read_bytes())
    before = sorted((store.state / "mlflow").rglob("*"))
    _, _, logged = log(copied, replace(tiny_bundle(), notes={"choice": "elsewhere"}), tmp_path)
    assert logged.new
    assert before == sorted((store.state / "mlflow").rglob("*"))
    assert (copied / "mlflow" / logged.run_id / "artifacts/card.md").is_file()


def test_logging_is_silent_and_leaves_mlflows_settings_alone(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output is one JSON object for machines, so MLflow must write nothing; a notebook's store stays
    set.
    """
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///notebook.db")
    log(store.state, replace(tiny_bundle(), notes={"choice": "silence"}), tmp_path)
    assert ("", "") == tuple(capfd.readouterr())
    assert "sqlite:///notebook.db" == os.environ["MLFLOW_TRACKING_URI"]


def test_a_store_that_is_none_is_a_message_not_a_traceback(tmp_path: Path) -> None:
    """A file that is no database: exit code 3, where it is written down, and what to try."""
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to be looked at\n" * 20)
    with pytest.raises(ProjectError, match="the tracking store cannot be used") as refused:
        alias_version(store_uri(tmp_path), NAME, "champion")
    assert (3, "tracking.yaml") == (refused.value.exit_code, refused.value.where)
