"""Publish a directory of files whole or not at all.

The files are written into a hidden sibling, everything is synced to the disk, and one rename shows them. A
run killed at any moment leaves the old directory, the new one, or, between the two renames of a replacement,
the old one under its hidden name, from where ``recover`` (and so the next ``publish``) brings it back.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from churnwatch.errors import CheckFailed, DeliveryFailed, UsageError

MANIFEST = "run.json"


def publish(
    directory: Path, files: Mapping[str, bytes], *, manifest: Mapping[str, Any], replace: bool = False
) -> dict[str, Any]:
    """Make ``directory`` hold exactly ``files`` and ``run.json``, the manifest; returns it as written.

    The manifest gets a key ``files``: every other file's sha256 and size in bytes. It is written last.
    Raises ``UsageError`` where the directory is there and ``replace`` is not set; ``CheckFailed`` where it
    would replace a directory that somebody has written into since; ``DeliveryFailed`` where the disk refuses.
    """
    for name in files:
        if name in ("", MANIFEST) or name.startswith(".") or Path(name).name != name:
            raise ValueError(f"{name!r} cannot be published: a file has a plain name and is not {MANIFEST}")
    written = {**manifest, "files": file_facts(files)}
    content = {**files, MANIFEST: _manifest_bytes(written)}
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        recover(directory)
        if directory.exists():
            _may_replace(directory, replace=replace)
        _write_new(_new(directory), content)
        if directory.exists():
            directory.rename(_old(directory))
        _new(directory).rename(directory)
        _sync_directory(directory.parent)
        _remove(_old(directory))
    except OSError as error:
        raise DeliveryFailed(
            f"could not be published: {error.strerror or error}",
            where=str(directory),
            hint="make room or set the rights, then run again; nothing is left half-written",
        ) from error
    return written


def replace_file(path: Path, data: bytes) -> None:
    """Make one file hold ``data``, whole or not at all; raises ``DeliveryFailed`` where the disk refuses."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise DeliveryFailed(f"could not be written: {error.strerror or error}", where=str(path)) from error


def recover(directory: Path) -> None:
    """Tidy up after a killed ``publish``: what stood there before is back in its place, the rest is gone."""
    # The old one is whole when the kill fell between the renames, in pieces when it fell into its removal.
    if _old(directory).exists() and not directory.exists() and not differences(_old(directory)):
        _old(directory).rename(directory)
        _sync_directory(directory.parent)
    _remove(_old(directory))
    _remove(_new(directory))


def file_facts(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """What the manifest and the ledger say of each file: ``{name: {"sha256": …, "bytes": …}}``."""
    return {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in sorted(files.items())
    }


def differences(directory: Path) -> tuple[str, ...]:
    """How a published directory differs from its own manifest, one line each; empty where it does not."""
    try:
        said = json.loads((directory / MANIFEST).read_bytes())["files"]
    except FileNotFoundError:
        return (f"{MANIFEST} is missing",)
    except (ValueError, KeyError, TypeError):
        return (f"{MANIFEST} cannot be read",)
    there = {path.name: path for path in directory.iterdir() if path.name != MANIFEST}
    found = []
    for name in sorted({*said, *there}):
        if name not in there:
            found.append(f"{name} is missing")
        elif name not in said:
            found.append(f"{name} was added")
        elif not there[name].is_file() or file_facts({name: there[name].read_bytes()})[name] != said[name]:
            found.append(f"{name} was changed")
    return tuple(found)


def _may_replace(directory: Path, *, replace: bool) -> None:
    if not replace:
        raise UsageError("is already published", where=str(directory))
    # An agent may have filled in outcomes right here; that is not ours to delete.
    changed = differences(directory)
    if changed:
        raise CheckFailed(
            f"has changed since it was published: {', '.join(changed)}",
            where=str(directory),
            hint="move the directory away to keep what was written into it, then run again",
        )


def _write_new(new: Path, content: Mapping[str, bytes]) -> None:
    new.mkdir()
    for name, data in content.items():
        with (new / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    _sync_directory(new)


def _manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return (text + "\n").encode()


def _new(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.new")


def _old(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.old")


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
