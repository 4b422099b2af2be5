"""Promotions: which version of a model was made champion or challenger when, by whom, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from churnwatch.ledger import schema
from churnwatch.ledger.audit import enter
from churnwatch.ledger.opening import writing

CHAMPION = "champion"
CHALLENGER = "challenger"
ROLLED_BACK = "rolled_back"


@dataclass(frozen=True)
class Promotion:
    """One move of an alias.

    ``previous_version`` is ``None`` at a model's first; ``gate`` holds the gate's figures, and of a rollback the
    version it left under ``rolled_back``.
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

    @property
    def rolled_back(self) -> bool:
        """Whether this move went back to an earlier champion."""
        return ROLLED_BACK in self.gate


@dataclass(frozen=True)
class Term:
    """A time in which one version was champion; ``until`` is ``None`` while it lasts."""

    model_version: str
    since: datetime
    until: datetime | None
    move: Promotion


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
    alias: str = CHAMPION,
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
        kept = connection.execute(sa.insert(table).values(values).returning(table)).mappings().one()
        enter(connection, "promotion", kept["promotion_id"])
        return Promotion(**kept)


def champion(engine: sa.Engine, *, deployment: str, model: str) -> str | None:
    """The version promoted last; ``None`` where none ever was."""
    with engine.connect() as connection:
        return _holder(connection, deployment=deployment, model=model, alias=CHAMPION)


def promotions(engine: sa.Engine, *, deployment: str, model: str) -> tuple[Promotion, ...]:
    """Every promotion of a model, oldest first."""
    table = schema.promotions
    mine = (table.c.deployment == deployment) & (table.c.model == model)
    with engine.connect() as connection:
        found = connection.execute(sa.select(table).where(mine).order_by(table.c.promotion_id)).mappings()
        return tuple(Promotion(**row) for row in found)


def terms(moves: Sequence[Promotion]) -> tuple[Term, ...]:
    """Who was champion from when to when, by a model's ``promotions``, oldest first."""
    mine = [move for move in moves if move.alias == CHAMPION]
    ends = [*(move.moved_at for move in mine[1:]), None]
    return tuple(Term(move.model_version, move.moved_at, end, move) for move, end in zip(mine, ends, strict=False))


def challenger(moves: Sequence[Promotion]) -> str | None:
    """The version that waits for a promotion: every promotion decides among the candidates, so there is none after it.

    A rollback decides nothing about them.
    """
    waiting = None
    for move in moves:
        if move.alias == CHALLENGER:
            waiting = move.model_version
        elif not move.rolled_back:
            waiting = None
    return waiting


def before_champion(moves: Sequence[Promotion]) -> str | None:
    """The version a rollback goes to: the one in use before the champion's own promotion; ``None`` where there is none.

    Rollbacks undo promotions one after the other: after one from 3 to 2, the next goes to what was in use before 2.
    """
    held: list[str] = []
    for move in moves:
        if move.alias != CHAMPION:
            continue
        if move.rolled_back and move.model_version in held:
            while held[-1] != move.model_version:
                held.pop()
        elif not held or held[-1] != move.model_version:
            held.append(move.model_version)
    return held[-2] if len(held) > 1 else None


def left_by_rollback(moves: Sequence[Promotion]) -> dict[str, Promotion]:
    """The versions that were rolled back from and have not been promoted since, each with the move that left it."""
    left: dict[str, Promotion] = {}
    for move in moves:
        if move.alias != CHAMPION:
            continue
        left.pop(move.model_version, None)
        if move.rolled_back:
            left[move.gate[ROLLED_BACK]] = move
    return left


def _holder(connection: sa.Connection, *, deployment: str, model: str, alias: str) -> str | None:
    table = schema.promotions
    query = (
        sa.select(table.c.model_version)
        .where(table.c.deployment == deployment, table.c.model == model, table.c.alias == alias)
        .order_by(table.c.promotion_id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()
