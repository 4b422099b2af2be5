"""Promotions: which version of a model was made champion when, by whom, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from churnwatch.ledger import schema
from churnwatch.ledger.opening import writing


@dataclass(frozen=True)
class Promotion:
    """One move of an alias.

    ``previous_version`` is ``None`` at a model's first; ``gate`` holds the gate's figures.
    """

    promotion_id: int
    deployment: str
    model: str
    alias: str
    model_version: str
    previous_version: str | None
    moved_at: datetime
    moved_by: str
    reason: str
    gate: Mapping[str, Any]


def record_promotion(
    engine: sa.Engine,
    *,
    deployment: str,
    model: str,
    model_version: str,
    moved_at: datetime,
    by: str,
    reason: str,
    gate: Mapping[str, Any],
    alias: str = "champion",
) -> Promotion:
    """Append a promotion; the version it takes over from is read from the ledger itself."""
    table = schema.promotions
    with writing(engine) as connection:
        values = {
            "deployment": deployment,
            "model": model,
            "alias": alias,
            "model_version": model_version,
            "previous_version": _holder(connection, deployment=deployment, model=model, alias=alias),
            "moved_at": moved_at,
            "moved_by": by,
            "reason": reason,
            "gate": dict(gate),
        }
        kept = connection.execute(sa.insert(table).values(values).returning(table))
        return Promotion(**kept.mappings().one())


def champion(engine: sa.Engine, *, deployment: str, model: str) -> str | None:
    """The version promoted last; ``None`` where none ever was."""
    with engine.connect() as connection:
        return _holder(connection, deployment=deployment, model=model, alias="champion")


def promotions(engine: sa.Engine, *, deployment: str, model: str) -> tuple[Promotion, ...]:
    """Every promotion of a model, oldest first."""
    table = schema.promotions
    mine = (table.c.deployment == deployment) & (table.c.model == model)
    with engine.connect() as connection:
        found = connection.execute(sa.select(table).where(mine).order_by(table.c.promotion_id)).mappings()
        return tuple(Promotion(**row) for row in found)


def _holder(connection: sa.Connection, *, deployment: str, model: str, alias: str) -> str | None:
    table = schema.promotions
    query = (
        sa.select(table.c.model_version)
        .where(table.c.deployment == deployment, table.c.model == model, table.c.alias == alias)
        .order_by(table.c.promotion_id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()
