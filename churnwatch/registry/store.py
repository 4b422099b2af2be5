"""Verified copies of bundles under a deployment's state, so that scoring needs no MLflow."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from churnwatch.errors import NoUsableModel
from churnwatch.registry.bundle import Bundle, read_bundle


def keep_copy(state: Path, name: str, bundle_dir: Path, version: str) -> Path:
    """Keep the bundle under ``state/models/<name>/<version>/`` and return that directory.

    The source is verified first, the copy appears whole or not at all. A good copy that is there already is
    left as it is, a damaged one is replaced. Raises NoUsableModel when ``bundle_dir`` is not a good bundle of
    that version.
    """
    read_bundle(bundle_dir, expected_version=version)
    kept = _place(state, name, version)
    if kept.exists():
        try:
            read_bundle(kept, expected_version=version)
        except NoUsableModel:
            pass
        else:
            return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=kept.parent) as temporary:
        new = Path(temporary) / version
        new.mkdir()
        for source in sorted(bundle_dir.iterdir()):
            shutil.copyfile(source, new / source.name)
            _flush(new / source.name)
        _flush(new)
        read_bundle(new, expected_version=version)
        if kept.exists():
            # A directory cannot be renamed over a full one: the damaged copy steps aside and is deleted.
            kept.rename(Path(temporary) / "damaged")
        new.rename(kept)
        _flush(kept.parent)
    return kept


def champion_bundle(state: Path, name: str, version: str) -> Bundle:
    """The kept bundle of a registered model, verified now. Raises NoUsableModel when missing or damaged."""
    kept = _place(state, name, version)
    if not kept.is_dir():
        raise NoUsableModel(
            f"no copy of {name} version {version} is kept here",
            where=f"state/models/{name}",
            hint="train again, or roll back to an earlier version",
        )
    return read_bundle(kept, expected_version=version)


def _place(state: Path, name: str, version: str) -> Path:
    for part in (name, version):
        if not part or part.startswith(".") or "/" in part or os.sep in part:
            raise ValueError(f"not a name of a model or version: {part!r}")
    return state / "models" / name / version


def _flush(path: Path) -> None:
    """Wait until the file or directory is on disk, so that a rename never reveals an empty file after a
    crash.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
