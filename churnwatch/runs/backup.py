"""Backup: the deployment's ledger in one file, and a ledger from such a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from churnwatch.errors import CheckFailed
from churnwatch.runs.workspace import Workspace, has_ledger, ledger, lock

if TYPE_CHECKING:
    from churnwatch.ledger import Chain, Restored


def backup(workspace: Workspace, file: Path) -> Chain:
    """Write the ledger into a new file; a run that is on need not end first. Raises CheckFailed where there is none."""
    from churnwatch.ledger import back_up

    if not has_ledger(workspace):
        raise CheckFailed(
            f"the deployment {workspace.deployment} has no ledger yet, so there is nothing to back up",
            hint="the first training or list makes one; look at --project, --deployment and CHURNWATCH_LEDGER",
        )
    with ledger(workspace) as engine:
        return back_up(engine, file)


def restore(workspace: Workspace, file: Path, *, replace: bool) -> Restored:
    """Put the ledger of a backup in place, under the lock; ``replace``: also where there are facts, which are kept."""
    from churnwatch.ledger import restore as put

    with lock(workspace):
        return put(
            file,
            workspace.ledger,
            deployment=workspace.deployment,
            replace=replace,
            beside=workspace.state,
            at=workspace.now,
        )
