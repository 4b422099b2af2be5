"""How a run is written down, where the ledger allows it and where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from churnwatch.errors import DataRefused
from churnwatch.ledger import open_ledger, runs
from churnwatch.runs.record import recorded
from churnwatch.runs.workspace import Workspace

NOW = datetime(2026, 7, 1, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """As much of a workspace as writing down a run wants."""

    deployment: str = "demo"
    now: datetime = NOW
    clock: Any = None


@contextmanager
def run(engine: sa.Engine) -> Iterator[None]:
    with recorded(cast(Workspace, Place()), engine, command="daily"):
        yield


def test_how_a_run_ended_is_kept(tmp_path: Path) -> None:
    engine = open_ledger(tmp_path / "ledger.sqlite")
    with run(engine):
        pass
    with pytest.raises(DataRefused, match="no"), run(engine):
        raise DataRefused("no")
    told = [(one.status, one.detail) for one in runs(engine, deployment="demo")]
    assert [("done", {}), ("failed", {"error": "DataRefused"})] == told


def test_what_ended_a_run_is_told_where_that_cannot_be_written_down(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    engine = open_ledger(path)

    def ended() -> None:
        path.write_bytes(b"no database at all" * 1000)
        raise DataRefused("what ended it")

    with pytest.raises(DataRefused, match="what ended it"), run(engine):
        ended()
