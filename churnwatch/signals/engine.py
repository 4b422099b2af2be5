"""The signal engine: the matrix of signals for any spine of (customer, as-of).

A row enters iff ``known_at < as_of`` and ``as_of - window <= at < as_of`` (DESIGN §4). DuckDB reads the event rows and
turns texts into codes, `blocks` gathers and orders them by customer, `walk` computes every column of every observation
in one compiled pass over a customer's rows. docs/signals.md tells it on one page.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from churnwatch.signals.blocks import BLOCK_ROWS, IN_MEMORY, Blocks, gather
from churnwatch.signals.events import Events, civil_shifts, events_sql, span_of, texts_of
from churnwatch.signals.plan import Work, reading_of, work_of
from churnwatch.signals.priors import add_gaps, usual_gaps
from churnwatch.signals.rows import AT, CUSTOMER, FIRST_MEASURE, KNOWN, Array
from churnwatch.signals.segments import Segments, segments_of
from churnwatch.signals.spine import Spine, sorted_ids, spine_of
from churnwatch.signals.tallies import new_tallies
from churnwatch.signals.walk import walk
from churnwatch.sources import one_thread
from churnwatch.spec import Column

if TYPE_CHECKING:
    import duckdb

    from churnwatch.sources import Tables

Report = Callable[[str, int, int], None]

MOST_TIES = 4_000_000
"""Tied rows that are put in the order of their ids at a time."""


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


@dataclass(frozen=True)
class Limits:
    """How the work is cut; none of it changes a number."""

    threads: int = 0
    """0: as many as there are cores."""
    block_rows: int = BLOCK_ROWS
    room: int = IN_MEMORY
    """Bytes of event rows per table that stay in memory; more goes to a temporary file."""


def build(
    tables: Tables,
    columns: Sequence[Column],
    spine: pd.DataFrame,
    *,
    report: Report | None = None,
    limits: Limits | None = None,
) -> Matrix:
    """Compute ``columns`` for every row of ``spine``.

    ``spine`` has customer_id (text) and as_of (naive UTC, microseconds), one row per observation; a customer without
    rows gets each aggregate's value over no rows. The result depends on nothing known at as-of or later, and not on who
    else is in the spine.
    """
    spine = spine[["customer_id", "as_of"]].reset_index(drop=True)
    asked, order = spine_of(spine)
    values = np.full((len(columns), len(spine)), np.nan)
    for start, part in parts(tables, columns, asked, report=report, limits=limits):
        values[:, order[start : start + part.shape[1]]] = part
    return Matrix(spine, tuple(columns), np.ascontiguousarray(values.T))


def parts(
    tables: Tables,
    columns: Sequence[Column],
    spine: Spine,
    *,
    report: Report | None = None,
    limits: Limits | None = None,
) -> Iterator[tuple[int, Array]]:
    """The matrix in parts, by the spine's order: where each begins, and its values (n_columns, n_observations)."""
    if len(spine) == 0:
        return
    as_ofs = int(spine.as_ofs.min()), int(spine.as_ofs.max())
    held = hold(tables, columns, as_ofs, also=spine.customers, report=report, limits=limits)
    yield from held.parts(spine, report=report)


def hold(
    tables: Tables,
    columns: Sequence[Column],
    as_ofs: tuple[int, int],
    *,
    also: pa.Array | None = None,
    report: Report | None = None,
    limits: Limits | None = None,
) -> Held:
    """The event rows that ``columns`` may want at as-ofs from the first to the second (µs since 1970 in UTC), read
    once for as many spines as are asked for between them.

    Spines are of customers of the table ``customers``, and of those that are named ``also`` (different ids).
    """
    con = tables.con
    # The prior of a silence is of all customers, whoever is in the spine.
    found = con.execute("select customer_id from customers").to_arrow_table()["customer_id"]
    everyone = sorted_ids(*([] if also is None else [also]), found.combine_chunks())
    sql: dict[str, str] = {
        table: events_sql(
            table,
            tables.measures_of(table),
            tables.mentions,
            [column.signal for column in columns if column.table == table],
        )
        for table in sorted({column.table for column in columns})
    }
    with _who(con, everyone) as who:
        gathered = gather_all(con, sql, who, tables.zone, columns, everyone, as_ofs, report=report, limits=limits)
    return Held(everyone, tuple(columns), gathered, segments_of(con), as_ofs, limits)


@dataclass(frozen=True)
class Held:
    """Event rows gathered and in order; made by ``hold``. They take the memory or the temporary file they are in."""

    customers: pa.Array
    columns: tuple[Column, ...]
    gathered: tuple[Gathered, ...]
    segments: Segments
    as_ofs: tuple[int, int]
    limits: Limits | None

    def build(self, spine: pd.DataFrame, *, report: Report | None = None) -> Matrix:
        """As ``signals.build``."""
        spine = spine[["customer_id", "as_of"]].reset_index(drop=True)
        asked, order = spine_of(spine)
        values = np.full((len(self.columns), len(spine)), np.nan)
        for start, part in self.parts(asked, report=report):
            values[:, order[start : start + part.shape[1]]] = part
        return Matrix(spine, self.columns, np.ascontiguousarray(values.T))

    def parts(self, spine: Spine, *, report: Report | None = None) -> Iterator[tuple[int, Array]]:
        """As ``signals.parts``. Raises ValueError for a customer or an as-of it does not hold."""
        if len(spine) == 0:
            return
        spine = spine.widened(self.customers)
        first, last = self.as_ofs
        if len(spine.customers) != len(self.customers) or spine.as_ofs.min() < first or spine.as_ofs.max() > last:
            raise ValueError("the spine asks for customers or as-ofs whose rows are not held")
        threads = (self.limits or Limits()).threads or os.cpu_count() or 1
        priors = {
            one.work.table: usual_gaps(gap_changes(one, spine, self.segments, spine.moments, threads=threads))
            for one in self.gathered
        }
        yield from values(self.gathered, spine, self.segments, priors, report=report, limits=self.limits)


@dataclass(frozen=True)
class Gathered:
    """The rows of one event table, in order, and the work to be done on them."""

    work: Work
    blocks: Blocks


def gather_all(
    con: duckdb.DuckDBPyConnection,
    sql: Mapping[str, str],
    who: str,
    zone: str,
    columns: Sequence[Column],
    customers: pa.Array,
    as_ofs: tuple[int, int],
    *,
    report: Report | None = None,
    limits: Limits | None = None,
) -> tuple[Gathered, ...]:
    """The event rows that ``columns`` may want at as-ofs from the first to the second.

    ``sql`` has a SELECT of event rows per table (see ``events_sql``), ``who`` is a table of the ``customers`` and their
    codes.
    """
    limits = limits or Limits()
    if not sql:
        return ()
    since, before = as_ofs
    rows = max(int(con.execute(f"select count(*) from ({select})").fetchall()[0][0]) for select in sql.values())
    blocks = max(-(-rows // limits.block_rows), 1)
    per_block = max(-(-len(customers) // blocks), 1)
    gathered = []
    for done, (table, select) in enumerate(sorted(sql.items())):
        if report:
            report("reading events", done, len(sql))
        reading = reading_of(column for column in columns if column.table == table)
        texts = texts_of(con, select, reading.levels)
        work = work_of(table, columns, reading, sizes={level: len(found) for level, found in texts.items()})
        shifts = civil_shifts(zone, *span_of(con, select)) if reading.days else None
        events = Events(con, select, who, texts)
        # More threads take a quarter more CPU and no less time: one loop takes what they bring.
        with one_thread(con):
            found = gather(
                events.batches(work, before=before, since=since),
                work.combination,
                width=work.reading.width,
                measures=len(work.reading.measures),
                customers=len(customers),
                per_block=per_block,
                in_turn=work.in_turn,
                shifts=shifts,
                room=limits.room,
                threads=limits.threads or os.cpu_count() or 1,
            )
        _untie(found, events, work)
        gathered.append(Gathered(work, found))
    return tuple(gathered)


def gap_changes(gathered: Gathered, spine: Spine, segments: Segments, moments: Array, *, threads: int = 1) -> Array:
    """(silences, groups, as-ofs + 1, 3): the changes of the sums that priors are made of; those of blocks add up.

    They are whole numbers, so that it makes no difference which of the ``threads`` adds which of them.
    """
    work, blocks = gathered.work, gathered.blocks
    shape = len(work.silences), segments.groups, len(moments) + 1, 3
    if not work.silences:
        return np.zeros(shape, np.int64)
    members = segments.of(spine.customers)

    def added(thread: int) -> Array:
        changes = np.zeros(shape, np.int64)
        for block in range(thread, len(blocks), threads):
            rows, starts = blocks.block(block)
            first, last = blocks.span(block)
            for silence, (condition, high) in enumerate(work.silences):
                meets = work.plan.meets[condition]
                add_gaps(rows, starts, meets, high, moments, members[first:last], changes[silence])
        return changes

    with ThreadPoolExecutor(threads) as pool:
        changes: Array = np.sum(list(pool.map(added, range(threads))), axis=0)
    return changes


def values(
    gathered: Sequence[Gathered],
    spine: Spine,
    segments: Segments,
    priors: Mapping[str, Array],
    *,
    report: Report | None = None,
    limits: Limits | None = None,
) -> Iterator[tuple[int, Array]]:
    """The values (n_columns, n_observations) block by block, and where among the spine's observations they begin.

    ``priors`` has by table the usual gaps (silences, groups, as-ofs). The threads differ in nothing but speed.
    """
    if not gathered:
        return
    limits = limits or Limits()
    threads = limits.threads or os.cpu_count() or 1
    moments, members, count = spine.moments, segments.of(spine.customers), len(gathered[0].blocks)
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[tuple[int, Array]]] = deque()
        for block in range(count + threads):
            if block < count:
                ahead.append(pool.submit(_block_values, gathered, spine, moments, members, priors, block))
            if block >= threads:
                if report:
                    report("signals", block - threads, count)
                yield ahead.popleft().result()
    if report:
        report("signals", count, count)


def _block_values(
    gathered: Sequence[Gathered],
    spine: Spine,
    moments: Array,
    members: Array,
    priors: Mapping[str, Array],
    block: int,
) -> tuple[int, Array]:
    first, last = gathered[0].blocks.span(block)
    starts = spine.starts[first : last + 1]
    as_ofs = spine.as_ofs[starts[0] : starts[-1]]
    if len(as_ofs) == 0:
        # Of a few customers most blocks have none, and need not be read.
        return int(starts[0]), np.empty((sum(one.work.columns for one in gathered), 0))
    out = np.empty((sum(one.work.columns for one in gathered), len(as_ofs)))
    for one in gathered:
        rows, row_starts = one.blocks.block(block)
        walk(
            rows,
            row_starts,
            one.work.plan,
            new_tallies(one.work.plan),
            starts - starts[0],
            as_ofs,
            np.searchsorted(moments, as_ofs),
            members[first:last],
            priors[one.work.table],
            one.work.reach,
            out,
        )
    return int(starts[0]), out


@contextmanager
def _who(con: duckdb.DuckDBPyConnection, customers: pa.Array) -> Iterator[str]:
    codes = pa.array(np.arange(len(customers), dtype=np.int32))
    con.register("signals_who", pa.table({"customer_id": customers, "code": codes}))
    try:
        yield "signals_who"
    finally:
        con.unregister("signals_who")


def _untie(blocks: Blocks, events: Events, work: Work) -> None:
    """Put rows of one customer, at and known_at into the order of their ids, which nothing else asks for.

    Only where they hold different values; a few at a time, as in data of whole days all rows may be tied.
    """
    block = 0
    while block < len(blocks):
        some = [block]
        while some[-1] + 1 < len(blocks) and sum(len(blocks.tied[one]) for one in some) < MOST_TIES:
            some.append(some[-1] + 1)
        block = some[-1] + 1
        tied = np.concatenate([blocks.rows(one)[blocks.tied[one]] for one in some])
        if len(tied) == 0:
            continue
        keys = np.unique(np.stack([tied[:, CUSTOMER] >> 32, tied[:, AT], tied[:, KNOWN]], axis=1), axis=0)
        ties = pa.table({name: keys[:, i] for i, name in enumerate(("_customer", "_at", "_known"))})
        customer, at, known, code, *further = events.tied(work, ties)
        ordered = tied.copy()
        ordered[:, CUSTOMER] = (customer.astype(np.int64) << 32) | work.combination[code]
        ordered[:, AT], ordered[:, KNOWN] = at, known
        for column, numbers in enumerate(further, start=FIRST_MEASURE):
            ordered[:, column] = numbers.view(np.int64)
        done = 0
        for one in some:
            rows = blocks.rows(one)
            rows[blocks.tied[one]] = ordered[done : done + len(blocks.tied[one])]
            blocks.replace(one, rows)
            done += len(blocks.tied[one])
