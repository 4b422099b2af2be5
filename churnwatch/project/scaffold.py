"""The reference project: copied out by ``init``, compared by ``init --diff``.

The three folders of data travel inside the wheel as ``churnwatch/_project``; in a checkout they are the
root's own (docs/decisions/0002-wheel-carries-the-project.md).
"""

from __future__ import annotations

import difflib
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from churnwatch.errors import UsageError

FOLDERS = ("features", "models", "configs")

State = Literal["added", "changed", "missing"]


@dataclass(frozen=True)
class Difference:
    """One file in which a project differs from the reference.

    ``path`` is relative to the project, with ``/``. ``state`` is seen from the project: ``added`` stands
    only there, ``missing`` only in the reference, ``changed`` in both. ``text`` is a unified diff from the
    reference to the project, empty where a file is no text.
    """

    path: str
    state: State
    text: str


def reference() -> Path:
    """The directory that holds the reference project's three folders."""
    package = Path(str(resources.files("churnwatch")))
    carried = package / "_project"
    return carried if carried.is_dir() else package.parent


def init(directory: Path) -> list[str]:
    """Copy the reference project into ``directory``, byte for byte, and name the files written.

    The directory may exist and hold other things, but not one of the three folders with anything in it: a
    project is never overwritten. Raises ``UsageError`` naming what is there; nothing is written then.
    """
    _refuse_conflicts(directory)
    source = reference()
    paths = _files(source)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # Filled under another name, then moved folder by folder: an interrupted copy leaves no half project.
        with tempfile.TemporaryDirectory(prefix=".churnwatch-init-", dir=directory) as draft:
            for path in paths:
                target = Path(draft) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((source / path).read_bytes())
            for folder in FOLDERS:
                if (directory / folder).is_dir():
                    (directory / folder).rmdir()
                (Path(draft) / folder).rename(directory / folder)
    except OSError as error:
        raise UsageError(
            f"cannot write to {directory}: {error.strerror}", hint="choose a directory you may write to"
        ) from error
    return paths


def diff(directory: Path) -> list[Difference]:
    """How the project in ``directory`` differs from the reference, by path; empty where it does not.

    Raises ``UsageError`` where ``directory`` holds none of the three folders, so is no project.
    """
    if not any((directory / folder).is_dir() for folder in FOLDERS):
        raise UsageError(
            f"{directory} is no project: it has no {', '.join(FOLDERS)}",
            hint="name a project with --project DIR, or make one with `churnwatch init DIR`",
        )
    source = reference()
    ours, theirs = set(_files(source)), set(_files(directory))
    differences = []
    for path in sorted(ours | theirs):
        before = (source / path).read_bytes() if path in ours else b""
        after = (directory / path).read_bytes() if path in theirs else b""
        if path in ours and path in theirs and before == after:
            continue
        state: State = "added" if path not in ours else "missing" if path not in theirs else "changed"
        differences.append(Difference(path, state, _unified(path, before, after)))
    return differences


def _refuse_conflicts(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file", allowed="a directory, new or without a project in it")
    for folder in FOLDERS:
        target = directory / folder
        if target.is_symlink() or target.is_file():
            found = f"{target} is there already"
        elif target.is_dir() and any(target.iterdir()):
            there = sorted(item.name for item in target.iterdir())
            more = f" and {len(there) - 3} more" if len(there) > 3 else ""
            found = f"{target} is there already, with {', '.join(there[:3])}{more}"
        else:
            continue
        raise UsageError(
            found,
            allowed=f"a directory without {', '.join(FOLDERS)}",
            hint="choose another directory, or see what differs with `churnwatch init --diff`",
        )


def _files(root: Path) -> list[str]:
    """Every file of the three folders below ``root``, relative, sorted; hidden ones are not the project's."""
    found = []
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            relative = path.relative_to(root)
            if path.is_file() and not any(part.startswith((".", "__")) for part in relative.parts):
                found.append(relative.as_posix())
    return sorted(found)


def _unified(path: str, before: bytes, after: bytes) -> str:
    try:
        old, new = before.decode(), after.decode()
    except UnicodeDecodeError:
        return ""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        fromfile=f"reference/{path}",
        tofile=f"project/{path}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n" for line in lines)
