"""The same signals computed by Spark, to the last bit: the engine's own block function, run by any number of machines.

The event rows and the observations are written as Parquet, each with the number of its block of neighbouring
customers. Spark brings the rows of a block together, and ``groupBy("block").applyInArrow`` gives them to the engine's
`gather_all`, `gap_changes` and `values`, on a fresh DuckDB. Only the priors are of all customers: a first pass adds up
whole numbers for them.

The same churnwatch has to be installed on every machine, and the directory that is worked in has to be one that they
share, under one name. Java, 17 or newer, is the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from churnwatch.signals.cluster import check_spark, run, session
from churnwatch.signals.engine import Gathered, Limits, Report, gap_changes, gather_all, values
from churnwatch.signals.events import BATCH, events_sql
from churnwatch.signals.file import write_parts
from churnwatch.signals.plan import reading_of, work_of
from churnwatch.signals.priors import usual_gaps
from churnwatch.signals.rows import Array
from churnwatch.signals.segments import Segments, segments_of
from churnwatch.signals.spine import Spine, spine_of
from churnwatch.spec import Column

if TYPE_CHECKING:
    from churnwatch.sources import Tables

BLOCK_ROWS = 500_000
"""Event rows and observations of a block on average; our choice: some seconds of work, some hundred megabytes."""
PIECE = 2**20
"""Values that a worker hands over at a time."""

OBSERVATIONS = -1
"""The number of the table of observations; event tables are counted from 0."""

_ROWS = (
    ("block", pa.int32()),
    ("table", pa.int32()),
    ("customer_id", pa.string()),
    ("at", pa.int64()),
    ("known", pa.int64()),
    ("id", pa.string()),
    ("part", pa.int32()),
)
"""What rows of all tables have. Clocks are µs: no zone comes near them. An observation's ``at`` is its as-of."""
_RESULTS = "block int, begin long, data binary"
"""What comes back: the bytes of numbers, and where within the block they begin."""


def write(
    tables: Tables,
    columns: Sequence[Column],
    spine: Spine,
    *,
    out: Path,
    master: str | None = None,
    report: Report | None = None,
    directory: Path | None = None,
) -> int:
    """Compute ``columns`` for the spine on Spark and write the file that `signals.write` writes, byte for byte.

    What passes between the machines is in a new directory inside ``directory``, or beside ``out``, until it is done.
    See `parts` for ``master`` and what is raised.
    """
    made = parts(tables, columns, spine, master=master, report=report, directory=directory or out.parent)
    return write_parts((some for _, some in made), columns, spine, out=out)


def parts(
    tables: Tables,
    columns: Sequence[Column],
    spine: Spine,
    *,
    master: str | None = None,
    report: Report | None = None,
    directory: Path | None = None,
    block_rows: int = BLOCK_ROWS,
) -> Iterator[tuple[int, Array]]:
    """The matrix in parts, by the spine's order: where each begins, and its values (n_columns, n_observations).

    ``master`` is Spark's master URL, None for all cores of this machine. A Spark session that is open in this process
    is used and left open, otherwise one is started and stopped. ``directory`` holds what passes between the machines;
    without one it is where temporary files are. ``block_rows`` is how the work is cut, which changes no number.

    Raises UsageError where pyspark or Java is missing, where the master cannot be had, and where Spark fails.
    """
    if len(spine) == 0 or not columns:
        return
    job = _Job(tuple(columns), tables.zone, spine.moments, _shapes(tables, columns), segments_of(tables.con))
    check_spark(master)
    with TemporaryDirectory(prefix="churnwatch-", dir=directory) as made:
        place = Path(made)
        blocks = _write_rows(tables, job.shapes, spine, place, block_rows=block_rows, report=report)
        with session(master, place) as spark:
            on = _Spark(spark, place, blocks, report)
            priors = _priors(on, job)
            everything = (OBSERVATIONS, *range(len(job.shapes)))
            found = on.each_block("signals", partial(_values, job, priors), everything, _schema(job.shapes).names)
        done = 0
        for _, data in found:
            part = np.frombuffer(data, np.float64).reshape(len(columns), -1)
            yield done, part
            done += part.shape[1]
        assert done == len(spine), f"{done} of {len(spine)} observations came back"


@dataclass(frozen=True)
class _Shape:
    """An event table among the rows of all: its levels are called t0, t1 …, its measures n0, n1 …"""

    table: str
    events: str
    """The SELECT of its event rows, where the tables are."""
    names: dict[str, str]
    """Of each such column the name it has in the table."""
    silences: tuple[Column, ...]
    """The signals that need a prior."""

    def there(self, number: int, names: Sequence[str]) -> str:
        """The event rows with these columns; ``signals_blocks`` is a table of customer_id and block."""
        more = [f'rows."{self.names[name]}" as {name}' if name in self.names else f"null as {name}" for name in names]
        return f"""
            select who.block, {number} as "table", rows.customer_id, epoch_us(rows._at) as "at",
                   epoch_us(rows._known) as known, rows._id as id, {", ".join(["rows._part as part", *more])}
            from ({self.events}) as rows join signals_blocks as who using (customer_id)"""

    def back(self, rows: str, names: Sequence[str]) -> str:
        """Event rows as the engine reads them, from a table ``rows`` that has the columns ``names``."""
        more = [f'{name} as "{self.names[name]}"' for name in names if name in self.names]
        return f"""
            select id as _id, part as _part, customer_id, make_timestamp("at") as _at,
                   {", ".join(["make_timestamp(known) as _known", *more])}
            from {rows}"""


def _shapes(tables: Tables, columns: Sequence[Column]) -> tuple[_Shape, ...]:
    """The event tables that are wanted; raises what the engine has against the columns before any work is done."""
    shapes = []
    for table in sorted({column.table for column in columns}):
        mine = tuple(column for column in columns if column.table == table)
        reading = reading_of(mine)
        work_of(table, columns, reading, sizes=dict.fromkeys(reading.levels, 0))
        names = {f"t{i}": level for i, level in enumerate(sorted({*reading.mentioned, *reading.levels}))}
        names |= {f"n{i}": measure for i, measure in enumerate(reading.measures)}
        silences = tuple(column for column in mine if column.signal.aggregate == "silence")
        signals = [column.signal for column in mine]
        sql = events_sql(table, tables.measures_of(table), tables.mentions, signals)
        shapes.append(_Shape(table, sql, names, silences))
    return tuple(shapes)


def _schema(shapes: Sequence[_Shape]) -> pa.Schema:
    names = sorted({name for shape in shapes for name in shape.names})
    return pa.schema([*_ROWS, *((name, pa.string() if name[0] == "t" else pa.float64()) for name in names)])


def _write_rows(
    tables: Tables, shapes: Sequence[_Shape], spine: Spine, place: Path, *, block_rows: int, report: Report | None
) -> int:
    """Write the rows that are wanted to ``place``, one file per table; how many blocks they make."""
    con, schema = tables.con, _schema(shapes)
    if any(shape.silences for shape in shapes):
        # The prior is of all customers, whoever is in the spine.
        everyone = con.execute("select customer_id from customers").to_arrow_table()["customer_id"]
        spine = spine.widened(everyone.combine_chunks())
    counts = (con.execute(f"select count(*) from ({shape.events})").fetchall()[0][0] for shape in shapes)
    blocks = max(-(-(sum(counts) + len(spine)) // block_rows), 1)
    block = (np.arange(len(spine.customers)) // -(-len(spine.customers) // blocks)).astype(np.int32)
    con.register("signals_blocks", pa.table({"customer_id": spine.customers, "block": block}))
    try:
        for number, shape in enumerate(shapes):
            if report:
                report("reading events", number, len(shapes))
            select = shape.there(number, schema.names[len(_ROWS) :])
            with pq.ParquetWriter(_file(place, number), schema) as writer:
                for batch in con.execute(select).to_arrow_reader(BATCH):
                    writer.write_batch(batch.cast(schema))
    finally:
        con.unregister("signals_blocks")
    code = np.repeat(np.arange(len(spine.customers)), np.diff(spine.starts))
    with pq.ParquetWriter(_file(place, OBSERVATIONS), schema) as writer:
        for start in range(0, len(spine), BATCH):
            some = code[start : start + BATCH]
            known = {
                "block": pa.array(block[some]),
                "table": pa.array(np.full(len(some), OBSERVATIONS, np.int32)),
                "customer_id": spine.customers.take(pa.array(some)),
                "at": pa.array(spine.as_ofs[start : start + BATCH]),
            }
            filled = [known.get(field.name, pa.nulls(len(some), field.type)) for field in schema]
            writer.write_table(pa.table(filled, schema=schema))
    return int(block[-1]) + 1


def _file(place: Path, table: int) -> Path:
    return place / ("observations.parquet" if table == OBSERVATIONS else f"events-{table}.parquet")


@dataclass(frozen=True)
class _Job:
    """What a worker has to know."""

    columns: tuple[Column, ...]
    zone: str
    moments: Array
    """The different as-ofs of the whole spine."""
    shapes: tuple[_Shape, ...]
    segments: Segments


_Work = Callable[[pa.Table], Iterator[tuple[int, bytes]]]
"""From the rows of a block, numbers as bytes and where they begin."""


@dataclass(frozen=True)
class _Spark:
    """A session, and the files it reads and writes."""

    session: Any
    place: Path
    blocks: int
    report: Report | None

    def each_block(
        self, what: str, work: _Work, tables: Sequence[int], names: Sequence[str]
    ) -> Iterator[tuple[int, bytes]]:
        """Do ``work`` on each block's rows of these tables; what it gave, in the order of the blocks."""

        def of_block(key: tuple[pa.Scalar, ...], batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            block = pa.array([key[0].as_py()], pa.int32())
            for begin, data in work(pa.Table.from_batches(list(batches))):
                some = [block, pa.array([begin], pa.int64()), pa.array([data])]
                yield pa.RecordBatch.from_arrays(some, ["block", "begin", "data"])

        found = self.place / what

        def job() -> None:
            files = [_file(self.place, table).as_uri() for table in tables]
            rows = self.session.read.parquet(*files).select(*names).repartition(self.blocks, "block")
            results = rows.groupBy("block").applyInArrow(of_block, schema=_RESULTS)
            # Row groups of a few pieces: a block is read back without its neighbours.
            results.write.option("parquet.block.size", 4 * 8 * PIECE).parquet(found.as_uri())

        run(self.session.sparkContext, what, job, self.report)
        return self._results(found)

    def _results(self, found: Path) -> Iterator[tuple[int, bytes]]:
        results = ds.dataset(found, format="parquet")
        for block in range(self.blocks):
            rows = results.to_table(filter=ds.field("block") == block).sort_by("begin")
            yield from zip(rows["begin"].to_pylist(), rows["data"].to_pylist(), strict=True)


def _priors(on: _Spark, job: _Job) -> dict[str, Array]:
    """By table the usual gaps (silences, groups, as-ofs), of the sums that the blocks' changes add up to."""
    size = (job.segments.groups, len(job.moments) + 1, 3)
    changes = {shape.table: np.zeros((0, *size), np.int64) for shape in job.shapes}
    tables = [number for number, shape in enumerate(job.shapes) if shape.silences]
    if tables:
        # Gaps have no use for measures.
        names = [field.name for field in _schema(job.shapes) if field.type != pa.float64()]
        for number, data in on.each_block("priors", partial(_changes, job, tables), tables, names):
            some, table = np.frombuffer(data, np.int64).reshape(-1, *size), job.shapes[number].table
            changes[table] = changes[table] + some if len(changes[table]) else some
    return {table: usual_gaps(some) for table, some in changes.items()}


def _changes(job: _Job, tables: Sequence[int], rows: pa.Table) -> Iterator[tuple[int, bytes]]:
    """(number of the table, its `gap_changes`) of one block, for all as-ofs of the whole spine."""
    customers = pc.unique(rows["customer_id"])
    customers = customers.take(pc.sort_indices(customers))
    # Whose as-ofs they are makes no difference here: the first customer stands for all.
    starts = np.concatenate([[0], np.full(len(customers), len(job.moments))]).astype(np.int64)
    columns = [column for number in tables for column in job.shapes[number].silences]
    spine = Spine(customers, starts, job.moments)
    for one in _gathered(job, rows, columns, spine, tables):
        number = next(number for number in tables if job.shapes[number].table == one.work.table)
        yield number, gap_changes(one, spine, job.segments, job.moments).tobytes()


def _values(job: _Job, priors: Mapping[str, Array], rows: pa.Table) -> Iterator[tuple[int, bytes]]:
    """(first observation of the block, values) of one block, in the order of the spine."""
    observed = rows.filter(pc.equal(rows["table"], OBSERVATIONS))
    if len(observed) == 0:
        return
    as_of = observed["at"].cast(pa.timestamp("us"))
    spine, _ = spine_of(pa.table({"customer_id": observed["customer_id"], "as_of": as_of}))
    # Others with rows are here for the priors alone; the engine wants to know of everybody who has some.
    spine = spine.widened(pc.unique(rows["customer_id"]))
    own = {table: usual[:, :, np.searchsorted(job.moments, spine.moments)] for table, usual in priors.items()}
    gathered = _gathered(job, rows, job.columns, spine, range(len(job.shapes)))
    step = max(PIECE // len(job.columns), 1)
    for begin, part in values(gathered, spine, job.segments, own, limits=Limits(threads=1)):
        for start in range(0, part.shape[1], step):
            yield begin + start, part[:, start : start + step].tobytes()


def _gathered(
    job: _Job, rows: pa.Table, columns: Sequence[Column], spine: Spine, tables: Sequence[int]
) -> tuple[Gathered, ...]:
    """The rows of a block as the engine gathers those of all."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'; set threads = 1")
        sql = {}
        for number in tables:
            con.register(f"rows_{number}", rows.filter(pc.equal(rows["table"], number)))
            sql[job.shapes[number].table] = job.shapes[number].back(f"rows_{number}", rows.schema.names)
        codes = pa.array(np.arange(len(spine.customers), dtype=np.int32))
        con.register("signals_who", pa.table({"customer_id": spine.customers, "code": codes}))
        as_ofs = int(spine.as_ofs.min()), int(spine.as_ofs.max())
        return gather_all(con, sql, "signals_who", job.zone, columns, spine.customers, as_ofs, limits=Limits(threads=1))
