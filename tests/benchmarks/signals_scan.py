"""The limit: reading the columns that the signals need, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

COLUMNS = ("customer_id", "at", "known_at", "kind", "channel", "topic", "amount", "minutes", "resolution_hours")


def build(data: Path, as_ofs: Sequence[datetime], out: Path) -> None:
    """Read every value once; nothing is written."""
    with duckdb.connect() as con:
        con.execute("set threads = 1")
        values = ", ".join(f'max("{name}")' for name in COLUMNS)
        con.execute(f"select {values} from read_parquet(?)", [str(data / "interactions.parquet")]).fetchall()
