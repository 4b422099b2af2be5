"""The audit chain of a deployment's ledger, computed again from the facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from churnwatch.errors import CheckFailed
from churnwatch.runs.workspace import Workspace, has_ledger, ledger

if TYPE_CHECKING:
    from churnwatch.ledger import Chain


def verify(workspace: Workspace, *, noted: str | None = None) -> Chain:
    """The whole chain of the ledger, compared with its facts and with a head ``noted`` down earlier.

    The ledger may serve several deployments; its chain is one. Raises CheckFailed where there is no ledger yet.
    """
    from churnwatch.ledger import verify_chain

    if not has_ledger(workspace):
        raise CheckFailed(
            f"the deployment {workspace.deployment} has no ledger yet, so there is none to verify",
            hint="the first training or list makes one; look at --project, --deployment and CHURNWATCH_LEDGER",
        )
    with ledger(workspace) as engine:
        return verify_chain(engine, noted=noted)


def chain_json(chain: Chain) -> dict[str, Any]:
    """The machine-readable object."""
    first = chain.first_bad
    return {
        "ok": chain.ok,
        "entries": chain.entries,
        "head": chain.head,
        "first_bad": None if first is None else asdict(first),
    }


def failure(chain: Chain) -> CheckFailed | None:
    """Where and how the chain does not hold; ``None`` where it does."""
    bad = chain.first_bad
    if bad is None:
        return None
    what = f"{bad.kind} {bad.number} " if bad.number is not None else ""
    where = f"entry {bad.entry}: " if bad.entry else ""
    return CheckFailed(
        f"the ledger is not what was written: {where}{what}{bad.found}",
        allowed="facts are added, never changed, taken out or put in past churnwatch",
        hint="find out who has the right to write there; a backup from before holds what was said, and once restored "
        "has every trigger (`churnwatch ledger restore`)",
    )
