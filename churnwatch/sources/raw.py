"""Raw files inside DuckDB: their rows, and the line of each, also of those that did not parse.

A large Parquet file is read in place: DuckDB holds a view of it, and no copy. Files of text are copied.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churnwatch.errors import DataRefused
from churnwatch.spec import Source

Ints = NDArray[np.int64]

ROW = '"churnwatch row"'
"""The position of the raw row, from 0. Names with a space collide with no one's."""
LARGE = 200_000
"""Rows from which on a Parquet file is read in place. Fewer are copied: memory answers many small questions faster."""

DELIMITERS = {";": ";", "\t": "\\t", "|": "|", ",": ","}
"""Signs that often stand between the values of a CSV, and how YAML writes them in double quotes."""
_NO_NAME = re.compile(r"[\s.,:/+-]*\d[\d\s.,:/+TZ-]*|.*@.*|.*\d{4}[-/]\d{1,2}[-/]\d{1,2}.*", re.DOTALL)
MOST_COLUMNS = 16_384
"""As many as a sheet can have. DuckDB's time to read a header grows with the square of its names."""
_OURS = ROW.strip('"').split()[0] + " "


def words(sql: str) -> frozenset[str]:
    """The words of ``sql``, in small letters."""
    return frozenset(re.findall(r"\w+", sql.casefold()))


def quoted(name: str) -> str:
    """``name`` as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as a DuckDB string."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Reject:
    """A row that has no columns: its line (1-based), the rule it breaks, the beginning of its text."""

    line: int
    rule: str
    found: str


@dataclass(frozen=True)
class RawTable:
    """One raw file inside DuckDB as ``raw.<name>``.

    A row's position among the parsed ones is its ``rowid``, or ROW where the file is read in place.
    """

    name: str
    file: str
    columns: dict[str, str]
    """DuckDB type by column, in file order."""
    rows: int
    rejects: tuple[Reject, ...] = ()
    first_line: int = 1
    free_lines: Ints | None = None
    """0-based lines that belong to parsed rows; ``None``: all from ``first_line`` on."""
    long_rows: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """Rows that hold line ends inside quotes, ascending."""
    extra_lines: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """How many further lines each of ``long_rows`` takes."""
    path: Path | None = None
    """The file (absolute) that is read in place; ``None`` where its rows were copied."""
    state: tuple[int, ...] = ()
    """What the system told of the file read in place: it must not change while it is in use."""

    @property
    def read(self) -> int:
        """Raw rows, the rejected ones included."""
        return self.rows + len(self.rejects)

    def lines_of(self, rows: Ints) -> Ints:
        """The 1-based line on which each row begins (CSV, JSON lines, XLSX), or its 1-based number (Parquet)."""
        before = np.concatenate([[0], np.cumsum(self.extra_lines)])[np.searchsorted(self.long_rows, rows)]
        position = rows + before
        if self.free_lines is None:
            return np.asarray(position + self.first_line, dtype=np.int64)
        return np.asarray(self.free_lines[position] + 1, dtype=np.int64)


def read_parquet(
    con: duckdb.DuckDBPyConnection, name: str, source: Source, path: Path, computed: frozenset[str]
) -> RawTable:
    """A Parquet file: copied, or left where it lies if it has LARGE rows; ``computed`` as in ``read_raw``."""
    file = path.resolve()  # of a link, what it means now
    rows = f"read_parquet({literal(str(file))})"
    try:
        columns, count = columns_of(con, rows), count_of(con, rows)
        refuse_names(columns, source.from_)
        _refuse_miscounted(con, file, source.from_)
        # A column of that name would stand before the number that DuckDB gives.
        if count < LARGE or "file_row_number" in map(str.casefold, columns):
            con.execute(f"CREATE TABLE raw.{quoted(name)} AS FROM {rows}")
            return RawTable(name, source.from_, columns, count)
        # The file's own statistics know nothing of NaN, which is greater than any number: DuckDB, led by them, would
        # pass rows over where it is compared. It does not look through a product.
        floats = [
            f"{quoted(column)} * CAST(1 AS {kind}) AS {quoted(column)}"
            for column, kind in columns.items()
            if kind in ("FLOAT", "DOUBLE") and words(column) & computed
        ]
        # They may also say that no value can break a rule where a damaged page holds one that does: look at it.
        con.execute("SET disabled_optimizers = 'statistics_propagation'")
        every = f"* REPLACE ({', '.join(floats)})" if floats else "*"
        con.execute(f"CREATE VIEW raw.{quoted(name)} AS SELECT {every}, file_row_number AS {ROW} FROM {rows}")
    except duckdb.Error as error:
        raise _no_parquet(source.from_, first_line(error).replace(str(file), str(path))) from None
    return RawTable(name, source.from_, columns, count, path=file, state=_state(file))


def _refuse_miscounted(con: duckdb.DuckDBPyConnection, file: Path, told: str) -> None:
    """Refuse a Parquet file whose footer does not agree with itself on how many rows there are.

    DuckDB believes one number when it counts and another when it reads, so rows would be lost or counted twice. A
    column within a column (its path has a comma) may hold more values than there are rows.
    """
    rows, groups, least, odd = con.execute(
        f"""SELECT any_value(num_rows), coalesce(sum(rows), 0), coalesce(min(rows), 0), coalesce(bool_or(odd), false)
            FROM parquet_file_metadata({literal(str(file))}) LEFT JOIN (
                SELECT any_value(row_group_num_rows) AS rows,
                       bool_or(num_values <> row_group_num_rows AND NOT contains(path_in_schema, ', ')) AS odd
                FROM parquet_metadata({literal(str(file))}) GROUP BY row_group_id) ON true"""
    ).fetchall()[0]
    if rows != groups or least < 0 or odd:
        raise _no_parquet(told, "the file is damaged: its footer gives more than one number of rows")


def _no_parquet(file: str, found: str) -> DataRefused:
    return DataRefused(found, where=file, allowed="a readable Parquet file")


def _state(file: Path) -> tuple[int, ...]:
    told = file.stat()
    return (told.st_ino, told.st_size, told.st_mtime_ns)


def refuse_damaged(con: duckdb.DuckDBPyConnection, raw: RawTable) -> None:
    """Raise ``DataRefused`` where a file that is read in place cannot be read to its end."""
    if raw.path is not None:
        try:
            con.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM raw.{quoted(raw.name)}")
        except duckdb.Error as error:
            raise _no_parquet(raw.file, first_line(error)) from None


def refuse_changed(raw: RawTable) -> None:
    """Raise ``DataRefused`` where a file that is read in place is no longer the one that was judged."""
    if raw.path is not None and (not raw.path.is_file() or _state(raw.path) != raw.state):
        raise DataRefused(
            "the file changed while it was read",
            where=raw.file,
            allowed="a file that stays as it is until the run is over",
            hint="run again when the export has finished",
        )


def looks_like_row(columns: Iterable[str]) -> bool:
    """Whether the names of the columns are a number, or hold a day or an address: the file has no header.

    Such a line may be a customer's, and no message repeats it.
    """
    return any(_NO_NAME.fullmatch(column) for column in columns)


def columns_of(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """DuckDB's type by column."""
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()}


def position_in(columns: Iterable[str]) -> str:
    """SQL of a row's position, from 0, in a table with ``columns`` that was filled in the order of its file.

    That is DuckDB's own ``rowid``, unless a column of that name (Oracle exports one) stands before it.
    """
    return "row_number() OVER () - 1" if "rowid" in map(str.casefold, columns) else "rowid"


def count_of(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """How many rows ``relation`` has."""
    return int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def first_line(error: Exception) -> str:
    """DuckDB's complaint without its excerpt of the query, and without the text that it could not read."""
    return str(error).strip().splitlines()[0].partition(': value "')[0]


def header_of(names: Iterable[str], file: str) -> list[str]:
    """The names of a header's cells; a column without a name is called ``column_<position>``.

    Raises ``DataRefused`` where one stands twice, or where there are more than MOST_COLUMNS.
    """
    header = [column or f"column_{position}" for position, column in enumerate(names, start=1)]
    if len(header) > MOST_COLUMNS:
        raise DataRefused(
            f"the header has {len(header):,} columns",
            where=f"{file}:1",
            allowed=f"{MOST_COLUMNS:,} at most",
            hint="look at the first line: the file may be damaged, or hold a column per customer or day",
        )
    refuse_names(header, file)
    seen: set[str] = set()
    for column in header:
        if column.casefold() in seen:
            told = "a value" if looks_like_row(header) else f"the column {column}"
            raise DataRefused(
                f"{told} stands twice in the header (capitals make no difference)",
                where=f"{file}:1",
                allowed="each column once",
            )
        seen.add(column.casefold())
    return header


def refuse_names(columns: Iterable[str], file: str) -> None:
    """Raise ``DataRefused`` for a name that SQL cannot hold, or that is one of our own."""
    for column in columns:
        if "\0" in column or column.casefold().startswith(_OURS):
            raise DataRefused(
                f"the name of a column {'holds a NUL' if chr(0) in column else 'begins with ' + _OURS.strip()}",
                where=file,
                allowed="names without NUL; those that begin with churnwatch are ours",
                hint="give it another name in the export",
            )


class Texts:
    """Rows of text on their way into ``raw.<name>``, each with its line; a column may show up late.

    ``add`` takes a row as a dict, ``finish`` gives the ``RawTable``.
    """

    _BATCH = 50_000

    def __init__(self, con: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str] = ()) -> None:
        self.con, self.name, self.columns = con, name, list(columns)
        self._made = 0
        self._rows: list[dict[str, str | None]] = []
        self._lines = array("q")
        self._rejects: list[Reject] = []

    def add(self, line: int, row: dict[str, str | None]) -> None:
        """The row of the 1-based ``line``; a column that ``columns`` does not name is missing."""
        self._lines.append(line - 1)
        self._rows.append(row)
        if len(self._rows) == self._BATCH:
            self._write()

    def reject(self, line: int, rule: str, found: str) -> None:
        """A row that does not parse."""
        self._rejects.append(Reject(line, rule, found[:200]))

    def finish(self, file: str) -> RawTable:
        """Everything written; ``file`` is the source's."""
        self._write()
        kinds = dict.fromkeys(self.columns, "VARCHAR")
        lines = np.frombuffer(self._lines, dtype=np.int64)
        return RawTable(self.name, file, kinds, len(lines), tuple(self._rejects), free_lines=lines)

    def _write(self) -> None:
        table = f"raw.{quoted(self.name)}"
        new = [f"{quoted(column)} VARCHAR" for column in self.columns[self._made :]]
        if self._made == 0:
            self.con.execute(f"CREATE TABLE {table} ({', '.join(new)})")
        else:
            for one in new:
                self.con.execute(f"ALTER TABLE {table} ADD COLUMN {one}")
        self._made = len(self.columns)
        if self._rows:
            arrays = [pa.array([row.get(column) for row in self._rows], pa.string()) for column in self.columns]
            self.con.register("churnwatch texts", pa.table(arrays, names=self.columns))
            self.con.execute(f'INSERT INTO {table} FROM "churnwatch texts"')
            self.con.unregister("churnwatch texts")
            self._rows = []
