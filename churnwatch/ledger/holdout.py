"""The holdout: who was treated and who was left alone in an epoch, decided once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Literal

import sqlalchemy as sa

from churnwatch.ledger import schema


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One customer's arm for the whole of an epoch.

    ``epoch`` is the epoch's first day, ``decided_on`` the day of the list on which the customer would first have got a
    place; owner, band, risk and worth are those of that day. ``risk`` is ``None`` where a baseline ranked, ``worth``
    where nothing is known to order by.
    """

    epoch: date
    customer_id: str
    arm: Literal["treated", "held_out"]
    owner: str
    band: str
    risk: float | None
    worth: float | None
    decided_on: date


def insert_assigned(connection: sa.Connection, *, list_id: int, deployment: str, assigned: Sequence[Assigned]) -> None:
    """Keep what a list decided, in that list's transaction.

    Raises SQLAlchemy's ``IntegrityError`` where a customer's arm of that epoch was decided before.
    """
    if assigned:
        of_list = {"list_id": list_id, "deployment": deployment}
        connection.execute(sa.insert(schema.assignments), [{**of_list, **asdict(one)} for one in assigned])


def assignments(
    engine: sa.Engine, *, deployment: str, epoch: date | None = None, before_list: int | None = None
) -> tuple[Assigned, ...]:
    """The arms decided, oldest first: of one ``epoch`` or of all; ``before_list``: by lists before this ``list_id``."""
    table = schema.assignments
    mine = table.c.deployment == deployment
    if epoch is not None:
        mine &= table.c.epoch == epoch
    if before_list is not None:
        mine &= table.c.list_id < before_list
    query = sa.select(*(table.c[field.name] for field in fields(Assigned))).where(mine)
    with engine.connect() as connection:
        found = connection.execute(query.order_by(table.c.assignment_id)).mappings()
        return tuple(Assigned(**row) for row in found)
