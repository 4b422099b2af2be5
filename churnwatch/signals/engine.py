"""The signal engine: the matrix of signals for any spine of (customer, as-of).

A row enters iff ``known_at < as_of`` and ``as_of - window <= at < as_of`` (DESIGN §4). One SQL statement per as-of and
event table; every column is an aggregate over the rows of one customer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from churnwatch.aggregates import AGGREGATES, DAY, Rows
from churnwatch.signals.events import make_events
from churnwatch.spec import Column, Duration, where_sql

if TYPE_CHECKING:
    from churnwatch.sources import Tables

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Matrix:
    """Signals of a spine: ``observations`` (customer_id, as_of in naive UTC), ``values`` float64 (n_rows, n_columns).

    NaN is missing. Rows are in the order of the spine, columns in the order asked for.
    """

    observations: pd.DataFrame
    columns: tuple[Column, ...]
    values: np.ndarray[Any, np.dtype[np.float64]]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """One column, shape (n_rows,)."""
        values: np.ndarray[Any, np.dtype[np.float64]] = self.values[:, self.names.index(name)]
        return values

    def take(self, rows: np.ndarray[Any, Any]) -> Matrix:
        """The rows at these positions or where this mask holds."""
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Matrix(self.observations.iloc[positions].reset_index(drop=True), self.columns, self.values[positions])


def build(tables: Tables, columns: Sequence[Column], spine: pd.DataFrame, *, report: Report | None = None) -> Matrix:
    """Compute ``columns`` for every row of ``spine``.

    ``spine`` has customer_id (text) and as_of (naive UTC, microseconds), one row per observation; a customer without
    rows gets each aggregate's value over no rows. The result depends on nothing known at as-of or later, and not on who
    else is in the spine.
    """
    make_events(tables)
    con = tables.con
    spine = spine[["customer_id", "as_of"]].reset_index(drop=True)
    values = np.full((len(spine), len(columns)), np.nan)
    slices = list(spine.groupby("as_of", sort=True).indices.items())
    # Float sums differ from run to run on two threads (FACTS); one thread keeps every byte.
    con.execute("set threads = 1")
    try:
        for done, (as_of, rows) in enumerate(slices):
            if report:
                report("signals", done, len(slices))
            who = pa.table({"place": rows, "customer_id": spine["customer_id"].iloc[rows].astype(object).to_list()})
            con.register("spine_now", who)
            as_of_us = int(np.datetime64(as_of, "us").astype(np.int64))
            for table in sorted({column.table for column in columns}):
                places = [i for i, column in enumerate(columns) if column.table == table]
                part = con.sql(_statement(table, [columns[i] for i in places], as_of_us)).to_arrow_table()
                for i, name in zip(places, part.column_names, strict=True):
                    values[rows, i] = part[name].to_numpy()
            con.unregister("spine_now")
        if report:
            report("signals", len(slices), len(slices))
    finally:
        con.execute("reset threads")
    values[~np.isfinite(values)] = np.nan
    return Matrix(spine, tuple(columns), values)


def _statement(table: str, columns: Sequence[Column], as_of_us: int) -> str:
    inner: list[str] = []
    outer: list[str] = []
    for i, column in enumerate(columns):
        aggregate = AGGREGATES[column.signal.aggregate]
        inner.append(f"{aggregate.sql(_rows(column, before=False))} as c{i}")
        value = aggregate.finish(f"c{i}", "grouped") if aggregate.finish else f"c{i}"
        if column.change:
            inner.append(f"{aggregate.sql(_rows(column, before=True))} as p{i}")
            value = f"{value} - p{i}"
        if aggregate.empty is not None:
            value = f"coalesce({value}, {aggregate.empty!r})"
        outer.append(f"({value})::double as v{i}")
    return f"""
        with aged as (
            select *, {as_of_us} - _at as _age from events_{table} where _known < {as_of_us} and _at < {as_of_us}
        ), grouped as (select customer_id, {", ".join(inner)} from aged group by customer_id)
        select {", ".join(outer)} from spine_now left join grouped using (customer_id) order by place"""


def _rows(column: Column, *, before: bool) -> Rows:
    """The rows of the column's window, or of the window before it."""
    signal = column.signal
    length = _microseconds(column.window)
    low = length if before and length is not None else 0
    high = None if length is None else low + length
    window = "true" if high is None else f"_age > {low} and _age <= {high}"
    return Rows(
        keep=f"{where_sql(signal.where)} and {window}",
        base=f"{where_sql(signal.of or {})} and {window}",
        measure=f'"{signal.measure}"' if signal.measure else "",
        by=f'"{signal.by}"' if signal.by else "",
        low=low,
        high=high,
    )


def _microseconds(window: Duration | None) -> int | None:
    return None if window is None else round(window.days * DAY)
