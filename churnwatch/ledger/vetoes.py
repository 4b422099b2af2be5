"""Vetoes: critical accounts that the holdout must never touch, each with who said so and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from churnwatch.ledger import schema
from churnwatch.ledger.audit import enter
from churnwatch.ledger.opening import writing


@dataclass(frozen=True, kw_only=True)
class Veto:
    """A word on one customer: in neither arm of the holdout from now on, or, ``lifted``, no longer so."""

    veto_id: int
    deployment: str
    customer_id: str
    reason: str
    by: str
    at: datetime
    lifted: bool


def record_veto(
    engine: sa.Engine,
    *,
    deployment: str,
    customer_id: str,
    reason: str,
    by: str,
    at: datetime,
    lifted: bool = False,
) -> Veto:
    """Append a veto, or that it is ``lifted``; what was said before stays."""
    table = schema.vetoes
    values = {
        "deployment": deployment,
        "customer_id": customer_id,
        "reason": reason,
        "by": by,
        "at": at,
        "lifted": lifted,
    }
    with writing(engine) as connection:
        kept = connection.execute(sa.insert(table).values(values).returning(table)).mappings().one()
        enter(connection, "veto", kept["veto_id"])
        return Veto(**kept)


def vetoes(engine: sa.Engine, *, deployment: str, up_to: int | None = None) -> tuple[Veto, ...]:
    """Every word said, oldest first; ``up_to`` leaves out those after this ``veto_id``."""
    table = schema.vetoes
    mine = table.c.deployment == deployment
    if up_to is not None:
        mine &= table.c.veto_id <= up_to
    with engine.connect() as connection:
        found = connection.execute(sa.select(table).where(mine).order_by(table.c.veto_id)).mappings()
        return tuple(Veto(**row) for row in found)


def vetoed(engine: sa.Engine, *, deployment: str, up_to: int | None = None) -> dict[str, Veto]:
    """By customer, the veto that stands: the last word on each, where it does not lift the one before."""
    last = {veto.customer_id: veto for veto in vetoes(engine, deployment=deployment, up_to=up_to)}
    return {customer: veto for customer, veto in last.items() if not veto.lifted}
