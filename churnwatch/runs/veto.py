"""Veto: a critical account that the holdout must never touch, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churnwatch.errors import DataRefused, UsageError, nearest
from churnwatch.runs.workspace import Report, Workspace, ledger, load_tables, lock
from churnwatch.spec import civil_day

if TYPE_CHECKING:
    from churnwatch.ledger import Veto


@dataclass(frozen=True)
class Said:
    """A word on a customer: the ``veto`` that stands now or was lifted, the one that stood ``before`` (``None``: none),
    and whether anything was written down.
    """

    veto: Veto
    before: Veto | None
    written: bool


def veto(
    workspace: Workspace,
    customer_id: str,
    *,
    reason: str,
    by: str,
    lift: bool = False,
    report: Report | None = None,
) -> Said:
    """Write down that ``customer_id`` is vetoed from now on, or that the veto is lifted; under the lock.

    From the next list on a vetoed customer is in neither arm: listed like everybody else, never held out, and not
    counted when the arms are compared. Lists that were issued stay as they are. A veto that stands already for the
    same reason is not written down again; another reason is, beside the first. Raises UsageError without a reason and
    where there is no veto to lift, DataRefused for a customer there is not.
    """
    from churnwatch.ledger import record_veto, vetoed

    reason = " ".join(reason.split())
    if not reason:
        raise UsageError(
            "no reason is given",
            where="--reason",
            allowed="a few words: they are kept with the veto",
            hint='--reason "our largest account"',
        )
    with lock(workspace), ledger(workspace) as engine:
        standing = vetoed(engine, deployment=workspace.deployment)
        before = standing.get(customer_id)
        if lift:
            if before is None:
                raise UsageError(
                    f"there is no veto of {customer_id} to lift",
                    hint=nearest(customer_id, standing) or "`churnwatch outreach vetoes` lists those that stand",
                )
        elif before is not None and before.reason == reason:
            return Said(before, before, written=False)
        else:
            _check_there(workspace, customer_id, report=report)
        kept = record_veto(
            engine,
            deployment=workspace.deployment,
            customer_id=customer_id,
            reason=reason,
            by=by,
            at=workspace.now,
            lifted=lift,
        )
        return Said(kept, before, written=True)


def standing_vetoes(workspace: Workspace) -> tuple[Veto, ...]:
    """The vetoes that stand, by customer."""
    from churnwatch.ledger import vetoed

    with ledger(workspace) as engine:
        found = vetoed(engine, deployment=workspace.deployment)
    return tuple(found[customer] for customer in sorted(found))


def veto_json(workspace: Workspace, one: Veto) -> dict[str, Any]:
    """A veto as ``--json`` tells it."""
    return {
        "customer": one.customer_id,
        "reason": one.reason,
        "by": one.by,
        "at": one.at.isoformat(),
        "day": str(civil_day(one.at, workspace.spec.deployment.zone)),
        "lifted": one.lifted,
    }


def said_json(workspace: Workspace, said: Said) -> dict[str, Any]:
    """A word on a customer as ``--json`` tells it, with the veto that stood ``before`` it."""
    before = None if said.before is None else veto_json(workspace, said.before)
    return {**veto_json(workspace, said.veto), "written": said.written, "before": before}


def _check_there(workspace: Workspace, customer_id: str, *, report: Report | None) -> None:
    tables = load_tables(workspace, report=report)
    known = {one for (one,) in tables.con.execute("select customer_id from customers").fetchall()}
    if customer_id not in known:
        raise DataRefused(
            f"there is no customer {customer_id}",
            hint=nearest(customer_id, known) or "look the id up in outreach.csv or scores.parquet",
        )
