"""The record of a run in the ledger: that it began, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import churnwatch
from churnwatch.runs.workspace import Workspace

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass
class Record:
    """A run that is on; what it fills in here is written down when it ends."""

    run_id: int
    model_version: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@contextmanager
def recorded(workspace: Workspace, engine: sa.Engine, *, command: str, as_of: date | None = None) -> Iterator[Record]:
    """Write down that a run begins, and at the end that it is done, or failed and by which kind of error."""
    from churnwatch.ledger import begin_run, finish_run

    record = Record(
        begin_run(
            engine,
            deployment=workspace.deployment,
            command=command,
            as_of=as_of,
            started_at=workspace.now,
            program_version=churnwatch.__version__,
        )
    )
    clock = workspace.clock or (lambda: workspace.now)
    try:
        yield record
    except BaseException as error:
        from sqlalchemy.exc import DBAPIError

        record.detail["error"] = type(error).__name__
        # What ended the run is told, and not that a ledger which cannot be read could not be written either.
        with suppress(DBAPIError):
            finish_run(engine, run_id=record.run_id, finished_at=clock(), status="failed", detail=record.detail)
        raise
    finish_run(
        engine,
        run_id=record.run_id,
        finished_at=clock(),
        status="done",
        model_version=record.model_version,
        detail=record.detail,
    )
