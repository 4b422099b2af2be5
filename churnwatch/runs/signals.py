"""Signals of many customers and moments as one file, for notebooks, other tools and clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import numpy as np
import pyarrow as pa

from churnwatch.errors import DataRefused, UsageError
from churnwatch.outcomes import check_as_of
from churnwatch.runs.score import extent
from churnwatch.runs.workspace import Report, Workspace, load_tables
from churnwatch.signals import Spine, available, calendar, spine_of, write
from churnwatch.spec import civil_day, midnight

if TYPE_CHECKING:
    from churnwatch.sources import Tables

SHOWN = 5
"""Wrong rows of a spine that a message names."""


@dataclass(frozen=True)
class Built:
    """What was written: how many rows (customers by as-ofs), which columns, and which signals are skipped and why."""

    file: Path
    rows: int
    customers: int
    as_ofs: int
    columns: tuple[str, ...]
    skipped: dict[str, str]
    engine: str

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``signals build --json``."""
        return {
            "file": str(self.file),
            "rows": self.rows,
            "customers": self.customers,
            "as_ofs": self.as_ofs,
            "columns": list(self.columns),
            "skipped": self.skipped,
            "engine": self.engine,
        }


def build(
    workspace: Workspace,
    *,
    days: Sequence[date] | None,
    spine: Path | None,
    out: Path,
    engine: Literal["local", "spark"] = "local",
    master: str | None = None,
    report: Report | None = None,
) -> Built:
    """Write the signals of everybody at each of ``days``, or of the rows of the file ``spine``, to ``out``.

    Raises UsageError where ``out`` cannot be written or ``spine`` read, DataRefused for an as-of outside the data and
    for a spine of wrong rows, ChurnwatchError where Spark cannot be had.
    """
    if out.is_dir() or not out.parent.is_dir():
        raise UsageError(f"{out} cannot be written", where="--out", allowed="a file in a directory that is there")
    tables = load_tables(workspace, report=report)
    if days is not None:
        first, end = extent(tables)
        zone = workspace.spec.deployment.zone
        asked = calendar(tables, [check_as_of(day, zone=zone, first=first, end=end) for day in days])
    else:
        assert spine is not None
        asked = read_spine(tables, spine)
    if len(asked) == 0:
        raise DataRefused(
            "nobody had started by then", where="--as-of", allowed="a day after the first customer's started_at"
        )
    columns, skipped = available(tables, workspace.spec.columns)
    if not columns:
        raise DataRefused(
            "no signal of the catalogue can be computed from these data",
            where=f"configs/{workspace.deployment}/sources.yaml",
            hint="`churnwatch check` says what each lacks",
        )
    if engine == "spark":
        from churnwatch.signals import spark

        rows = spark.write(tables, columns, asked, out=out, master=master, report=report)
    else:
        rows = write(tables, columns, asked, out=out, report=report)
    return Built(
        out,
        rows,
        int(np.count_nonzero(np.diff(asked.starts))),
        len(asked.moments),
        tuple(column.name for column in columns),
        skipped,
        engine,
    )


def read_spine(tables: Tables, path: Path) -> Spine:
    """The rows (customer_id, as_of) of a CSV or Parquet file.

    An as_of is an instant. In text without an offset it is civil time in the deployment's zone, a date the opening
    midnight of that day; a Parquet timestamp without a zone is UTC, as in every file written here.
    Raises UsageError where the file cannot be read or lacks a column, DataRefused for a row that names nobody or no
    moment within the data.
    """
    allowed = "a CSV or Parquet file with the columns customer_id and as_of"
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where="--spine", allowed=allowed)
    con = duckdb.connect()
    con.execute(f"set TimeZone = '{tables.zone}'")
    parquet = path.suffix in (".parquet", ".pq")
    reader = "read_parquet($file)" if parquet else "read_csv($file, header = true, all_varchar = true)"
    try:
        con.execute(f"create table given as select row_number() over () as row, * from {reader}", {"file": str(path)})
        have = {str(row[0]): str(row[1]) for row in con.execute("describe given").fetchall()}
        missing = [name for name in ("customer_id", "as_of") if name not in have]
        if missing:
            raise UsageError(f"{path} has no column {missing[0]}", where="--spine", allowed=allowed)
        plain = have["as_of"].startswith("TIMESTAMP") and "ZONE" not in have["as_of"]
        instant = "as_of::timestamp" if plain else "timezone('UTC', try_cast(as_of as timestamptz))"
        rows = con.execute(
            f"select row, customer_id::varchar as customer_id, {instant} as as_of from given order by row"
        ).to_arrow_table()
    except duckdb.Error as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}", where="--spine", allowed=allowed) from None
    finally:
        con.close()
    if rows.num_rows == 0:
        raise DataRefused("the file has no rows", where=str(path), allowed="at least one row")
    _check(tables, rows, path, header=0 if parquet else 1)
    return spine_of(rows)[0]


def _check(tables: Tables, rows: pa.Table, path: Path, *, header: int) -> None:
    first, end = extent(tables)
    end = midnight(civil_day(end - timedelta(microseconds=1), tables.zone) + timedelta(days=1), tables.zone)
    tables.con.register("given_spine", rows)
    try:
        wrong = tables.con.execute(
            """select case when as_of is null then 'as_of is no moment'
                           when as_of <= $first or as_of > $end then 'as_of lies outside the data'
                           else 'customer_id is no customer' end as why, count(*), list(row order by row)
               from given_spine where as_of is null or as_of <= $first or as_of > $end
                    or customer_id is null or customer_id not in (select customer_id from customers)
               group by 1 order by 2 desc, 1""",
            {"first": first.replace(tzinfo=None), "end": end.replace(tzinfo=None)},
        ).fetchall()
    finally:
        tables.con.unregister("given_spine")
    if wrong:
        what = "line" if header else "row"
        told = "; ".join(
            f"{why} in {count} rows, such as {what} {', '.join(str(row + header) for row in places[:SHOWN])}"
            for why, count, places in wrong
        )
        raise DataRefused(
            told,
            where=str(path),
            allowed=f"customers of the deployment; moments after {first:%Y-%m-%d %H:%M} up to {end:%Y-%m-%d %H:%M} UTC",
            hint="leave these rows out, or load the data they want",
        )
