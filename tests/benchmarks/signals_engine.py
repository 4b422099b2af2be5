"""Our engine on the same files, through its public door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from churnwatch import signals
from churnwatch.sources import Tables, new_tables
from tests.benchmarks.signals_catalogue import columns
from tests.benchmarks.signals_days import MEASURES, ZONE


def build(data: Path, as_ofs: Sequence[datetime], out: Path) -> None:
    """Write the signals of all as-ofs (aware) into the Parquet file ``out``."""
    tables = tables_of(data)
    try:
        signals.write(tables, columns(), signals.calendar(tables, as_ofs), out=out)
    finally:
        tables.con.close()


def tables_of(data: Path) -> Tables:
    """The generated Parquet files as canonical tables: views, so that nothing is read before it is needed."""
    con = new_tables(MEASURES)
    for table in ("customers", "interactions"):
        path = str(data / f"{table}.parquet").replace("'", "''")
        con.execute(f"drop table {table}")
        # Nobody says since when segments are known: the rhythm of `silence` is that of all, as the peers compute it.
        more = ", null::timestamp as known_at" if table == "customers" else ""
        con.execute(f"create view {table} as select *{more} from read_parquet('{path}')")
    return Tables(con, MEASURES, (), pa.table({}), (), ZONE)
