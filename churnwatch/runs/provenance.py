"""Provenance: what a training was made from, as hashes and versions, so that it can be made again and compared.

Nothing here enters a bundle: the same data and files give the same version on another machine, another day.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from hashlib import file_digest, sha256
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

import churnwatch
from churnwatch.runs.contacts import recall_now
from churnwatch.runs.workspace import Recall, Workspace, has_ledger, ledger

if TYPE_CHECKING:
    from churnwatch.registry import Bundle

NOW = "churnwatch.now"
"""The clock of the training: what was known later was no label yet."""
PROGRAM = "churnwatch.program"
DATA = "churnwatch.data"
CONFIG = "churnwatch.config"
GIT = "churnwatch.git"
LEDGER = "churnwatch.ledger"
"""What the ledger told at the training: the last outcome's number, that of the list that would have come next,
and the last veto's (0 where a training did not write it down).
"""
PATIENCE = 5.0
"""Seconds for git; our choice: a work tree on a slow disk must not hold a training up."""


def data_hashes(workspace: Workspace) -> dict[str, str]:
    """The sha256 of every source's file, by the source's name; ``missing`` where there is no such file."""
    found = {}
    for name, source in sorted(workspace.spec.sources.sources.items()):
        path = workspace.data / source.from_
        if not path.is_file():
            found[name] = "missing"
            continue
        with path.open("rb") as file:
            found[name] = file_digest(file, "sha256").hexdigest()
    return found


def config_hashes(workspace: Workspace) -> dict[str, str]:
    """The sha256 of what the deployment's files say that decides a figure, by file; comments and order do not count.

    The model file and the catalogue are not among them: they are in the bundle.
    """
    spec = workspace.spec
    said = {
        "deployment.yaml": {"zone": spec.deployment.zone},
        "outreach.yaml": {"capacity": spec.outreach.capacity, "capacity_total": spec.outreach.capacity_total},
        "sources.yaml": spec.sources.model_dump(mode="json", by_alias=True),
    }
    return {file: _digest(content) for file, content in said.items()}


def tags_of(workspace: Workspace, bundle: Bundle, *, data: Mapping[str, str]) -> dict[str, str]:
    """The tags of a run that say what it was made from: the clock, hashes (64 hex digits), program and git state.

    ``data`` is ``data_hashes``. No path, no customer, no user.
    """
    git, commit = git_state(workspace.root)
    catalogue = [family.model_dump(mode="json", by_alias=True) for family in bundle.families]
    return {
        NOW: workspace.now.isoformat(),
        PROGRAM: churnwatch.__version__,
        DATA: _digest(dict(data)),
        **{f"{DATA}.{name}": digest for name, digest in data.items()},
        **{f"{CONFIG}.{file}": digest for file, digest in config_hashes(workspace).items()},
        "churnwatch.catalogue": _digest(catalogue),
        "churnwatch.model_file": _digest(bundle.model.model_dump(mode="json", by_alias=True)),
        GIT: git,
        **_ledger(workspace),
        **({"mlflow.source.git.commit": commit} if commit else {}),
    }


def recall_of(tags: Mapping[str, str]) -> Recall:
    """What the ledger told at the training of a run with these tags; nothing, where it had no outcome."""
    return Recall(*map(int, tags.get(LEDGER, "0 0").split()))


def _ledger(workspace: Workspace) -> dict[str, str]:
    """The tag of what the ledger tells; none while nothing has come back, as nothing is left out or weighed then."""
    if not has_ledger(workspace):
        return {}
    with ledger(workspace) as engine:
        recall = workspace.recall or recall_now(workspace, engine)
    told = f"{recall.outcome_id} {recall.before_list} {recall.veto_id}"
    return {LEDGER: told} if recall.outcome_id else {}


def git_state(root: Path) -> tuple[str, str | None]:
    """``clean``, ``dirty`` or ``none``, and the commit of the work tree the project is in (None without one).

    Dirty: something in features/, models/ or configs/ is not as committed. Without git, outside a work tree, before a
    first commit, or where git takes longer than ``PATIENCE``: none.
    """
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", "features", "models", "configs")
    if not commit or changed is None:
        return "none", None
    return ("dirty" if changed else "clean"), commit


def environment() -> str:
    """The machine's Python, platform and packages with their versions, as JSON."""
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    told = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }
    return json.dumps(told, indent=1) + "\n"


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; ``None`` where it cannot."""
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (fixed words and the project's own directory)
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _digest(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
