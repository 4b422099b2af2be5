"""Runs: which command ran when, for what, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa

from churnwatch.ledger import schema
from churnwatch.ledger.audit import enter
from churnwatch.ledger.opening import writing


@dataclass(frozen=True)
class Run:
    """One run. ``finished_at`` is ``None`` while it is on, and for ever where it was killed."""

    run_id: int
    deployment: str
    command: str
    as_of: date | None
    started_at: datetime
    finished_at: datetime | None
    status: str
    program_version: str
    model_version: str | None
    detail: Mapping[str, Any]


def begin_run(
    engine: sa.Engine,
    *,
    deployment: str,
    command: str,
    started_at: datetime,
    program_version: str,
    as_of: date | None = None,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Write down that a run begins; its number is what ``finish_run`` and ``record_list`` ask for."""
    with writing(engine) as connection:
        run_id: int = connection.execute(
            sa.insert(schema.runs)
            .values(
                deployment=deployment,
                command=command,
                as_of=as_of,
                started_at=started_at,
                status="running",
                program_version=program_version,
                detail=dict(detail or {}),
            )
            .returning(schema.runs.c.run_id)
        ).scalar_one()
        return run_id


def finish_run(
    engine: sa.Engine,
    *,
    run_id: int,
    finished_at: datetime,
    status: Literal["done", "failed"],
    model_version: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down how a run ended; ``detail`` is added to what ``begin_run`` said.

    Raises ``ValueError`` where no such run is on: an ended run is not ended again.
    """
    with writing(engine) as connection:
        table = schema.runs
        on = (table.c.run_id == run_id) & (table.c.status == "running")
        before = connection.execute(sa.select(table.c.detail).where(on)).scalar_one_or_none()
        if before is None:
            raise ValueError(f"no run {run_id} is on")
        connection.execute(
            sa.update(table)
            .where(on)
            .values(
                finished_at=finished_at,
                status=status,
                model_version=model_version,
                detail={**before, **(detail or {})},
            )
        )
        enter(connection, "run", run_id)


def runs(engine: sa.Engine, *, deployment: str) -> tuple[Run, ...]:
    """Every run of a deployment, oldest first."""
    table = schema.runs
    query = sa.select(table).where(table.c.deployment == deployment).order_by(table.c.run_id)
    with engine.connect() as connection:
        return tuple(Run(**row) for row in connection.execute(query).mappings())
