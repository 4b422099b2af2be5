"""Raw files as they lie: rows into DuckDB, rows that do not parse set aside with their line.

A large Parquet file is read in place: DuckDB holds a view of it, and no copy.

CSV is read with a declared dialect and nothing sniffed. Every physical line of the file must belong to the
header, to a row, to a rejected row or be blank; a file in which lines vanish (a quote that is never closed
swallows what follows) is refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from churnwatch.errors import DataRefused, ProjectError, nearest
from churnwatch.spec import Source

Ints = NDArray[np.int64]

ROW = '"churnwatch row"'
"""The position of the raw row, from 0. Names with a space collide with no one's."""
LARGE = 200_000
"""Rows from which on a Parquet file is read in place. Fewer are copied: memory answers many small questions faster."""

_CSV = {".csv": ",", ".tsv": "\t", ".txt": ","}
_PARQUET = {".parquet", ".pq"}
DELIMITERS = {";": ";", "\t": "\\t", "|": "|", ",": ","}
"""Signs that often stand between the values of a CSV, and how YAML writes them in double quotes."""
_LONGEST_TOLD = 10_000  # DuckDB cuts the text of a rejected row there
_NO_NAME = re.compile(r"[\s.,:/+-]*\d[\d\s.,:/+TZ-]*|.*@.*", re.DOTALL)
_ONE_END = "one kind of line end in the whole file"


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
        """The 1-based line on which each row begins (CSV), or its 1-based number (Parquet)."""
        before = np.concatenate([[0], np.cumsum(self.extra_lines)])[np.searchsorted(self.long_rows, rows)]
        position = rows + before
        if self.free_lines is None:
            return np.asarray(position + self.first_line, dtype=np.int64)
        return np.asarray(self.free_lines[position] + 1, dtype=np.int64)


def read_raw(
    con: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    *,
    data: Path,
    told: str,
    computed: frozenset[str] = frozenset(),
) -> RawTable:
    """Read the file of ``source`` below ``data`` into ``raw.<name>``; ``told`` names the project file.

    ``computed`` are the words, in small letters, of the project's SQL that does more than take a column as it stands.
    CSV columns are all text and an empty field is missing. Raises ``DataRefused`` where the file is missing,
    empty, has no usable header or cannot be read; ``ProjectError`` where its format is not known.
    """
    path = data / source.from_
    if not path.is_file():
        folder = path.parent
        there = sorted(item.name for item in folder.iterdir() if item.is_file()) if folder.is_dir() else []
        raise DataRefused(
            f"no such file, and the deployment {Path(told).parent.name} asks for it ({told}: sources.{name})",
            where=source.from_,
            allowed=f"a file below {data}; there: {', '.join(there[:20]) or 'no files'}",
            hint=nearest(path.name, there)
            or "name the data directory with --data, or another deployment with --deployment",
        )
    kind = source.format or ("csv" if path.suffix in _CSV else "parquet" if path.suffix in _PARQUET else None)
    if kind == "csv":
        return _read_csv(con, name, source, path)
    if kind == "parquet":
        return _read_parquet(con, name, source, path, computed)
    raise ProjectError(
        f"the format of {source.from_} is not clear from its name",
        where=f"{told}: sources.{name}",
        allowed="csv, parquet",
        hint="add `format: csv`",
    )


def _read_parquet(
    con: duckdb.DuckDBPyConnection, name: str, source: Source, path: Path, computed: frozenset[str]
) -> RawTable:
    file = path.resolve()  # of a link, what it means now
    rows = f"read_parquet({literal(str(file))})"
    try:
        columns, count = _columns(con, rows), _count(con, rows)
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
        every = f"* REPLACE ({', '.join(floats)})" if floats else "*"
        con.execute(f"CREATE VIEW raw.{quoted(name)} AS SELECT {every}, file_row_number AS {ROW} FROM {rows}")
    except duckdb.Error as error:
        raise _no_parquet(source.from_, first_line(error).replace(str(file), str(path))) from None
    return RawTable(name, source.from_, columns, count, path=file, state=_state(file))


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


def _read_csv(con: duckdb.DuckDBPyConnection, name: str, source: Source, path: Path) -> RawTable:
    header = _header(source, path)
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in header)
    table = f"raw.{quoted(name)}"
    try:
        # One thread: several threads guess where rows begin, and after an unclosed quote they drop rows
        # without a word, more or fewer as the file is cut. It is no slower.
        con.execute(
            f"""CREATE TABLE {table} AS FROM read_csv(
                {literal(str(path))}, auto_detect = false, header = true, delim = {literal(source.delimiter)},
                quote = '"', escape = '"', nullstr = '', strict_mode = true, parallel = false,
                columns = {{{columns}}}, store_rejects = true,
                rejects_table = {literal(name + "_rejects")}, rejects_scan = {literal(name + "_scans")})"""
        )
    except duckdb.Error as error:
        if "invalid state" in str(error):
            found = "the line ends are mixed, or a quote stands where none may"
            raise DataRefused(found, where=source.from_, allowed=_ONE_END) from None
        raise DataRefused(first_line(error), where=source.from_, allowed="a CSV file") from None
    rejected = con.execute(
        f"""SELECT line_byte_position, min_by(error_type::VARCHAR, column_idx), min_by(csv_line, column_idx)
            FROM {quoted(name + "_rejects")} GROUP BY line_byte_position ORDER BY line_byte_position"""
    ).fetchall()
    return _account(con, name, source, path, header, rejected)


def _header(source: Source, path: Path) -> list[str]:
    """The column names of the first line; a column without a name is called ``column_<position>``."""
    if len(source.delimiter) != 1:
        raise ProjectError(
            f"the delimiter of {source.from_} is '{source.delimiter}'", allowed="one character, such as ;"
        )
    with path.open("rb") as file:
        line = file.readline()
    if not line.strip(b"\xef\xbb\xbf \r\n"):
        found = "the first line is empty" if line else "the file is empty"
        raise DataRefused(found, where=f"{source.from_}:1", allowed="a header, then rows")
    if line.rstrip(b"\r\n").find(b"\r") >= 0:
        found = "the lines end with carriage returns alone"
        raise DataRefused(found, where=source.from_, allowed="lines that end with \\n or \\r\\n")
    try:
        text = line.decode("utf-8-sig")
        names = next(csv.reader([text], delimiter=source.delimiter, strict=True))
    except UnicodeDecodeError:
        where = f"{source.from_}:1"
        raise DataRefused("the header is not UTF-8 text", where=where, allowed="UTF-8") from None
    except csv.Error as error:
        # Quoted names and another delimiter: `"id";"name"` is no CSV with commas.
        others = [sign for sign in set(DELIMITERS) - {source.delimiter} if f'"{sign}' in text or f'{sign}"' in text]
        hint = f'`delimiter: "{DELIMITERS[others[0]]}"`' if len(others) == 1 else ""
        raise DataRefused(f"the header is broken: {error}", where=f"{source.from_}:1", hint=hint) from None
    if "\0" in text:
        raise DataRefused("the file is not UTF-8 text", where=f"{source.from_}:1", allowed="UTF-8")
    header = [column or f"column_{position}" for position, column in enumerate(names, start=1)]
    seen: set[str] = set()
    for column in header:
        if column.casefold() in seen:
            told = "a value" if looks_like_row(header) else f"the column {column}"
            raise DataRefused(
                f"{told} stands twice in the header (capitals make no difference)",
                where=f"{source.from_}:1",
                allowed="each column once",
            )
        seen.add(column.casefold())
    return header


def looks_like_row(columns: Iterable[str]) -> bool:
    """Whether the names of the columns hold a number, a time or an address: the file has no header.

    Such a line may be a customer's, and no message repeats it.
    """
    return any(_NO_NAME.fullmatch(column) for column in columns)


def _account(
    con: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    path: Path,
    header: list[str],
    rejected: list[Any],
) -> RawTable:
    """Give every physical line of the file its row, or refuse the file."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    ends = np.flatnonzero(data == 10)
    starts = np.concatenate([[0], ends + 1])
    if starts[-1] == len(data):
        starts = starts[:-1]
    else:
        ends = np.concatenate([ends, [len(data)]])
    lengths = ends - starts
    blank = (lengths == 0) | ((lengths == 1) & (data[starts] == 13))
    if len(header) == 1:
        blank[:] = False  # there an empty line is a row whose one value is missing
    rejects, taken = _rejects(source, rejected, data, starts)
    rows = _count(con, f"raw.{quoted(name)}")
    long_rows = extra = np.empty(0, np.int64)
    if int((~(taken | blank)).sum()) != rows:
        # A row with line ends inside quotes has at least two lines that are not blank, so it shows here.
        long_rows, extra = _long_rows(con, name, header)
        lines = np.flatnonzero(blank)
        before = np.searchsorted(np.flatnonzero(data == 34), starts[lines])
        blank[lines[before % 2 == 1]] = False  # inside quotes: an odd number of them stands before the line
    free = np.flatnonzero(~(taken | blank))
    used = rows + int(extra.sum())
    if len(free) != used:
        line = f":{free[used] + 1}" if used < len(free) else ""
        raise _unclosed(f"{source.from_}{line}", f"{len(free)} lines should hold rows, {used} do")
    return RawTable(
        name,
        source.from_,
        _columns(con, f"raw.{quoted(name)}"),
        rows,
        tuple(rejects),
        first_line=2,
        free_lines=None if len(free) == len(starts) - 1 else free,
        long_rows=long_rows,
        extra_lines=extra,
    )


def _rejects(
    source: Source, rejected: list[Any], data: NDArray[np.uint8], starts: Ints
) -> tuple[list[Reject], NDArray[np.bool_]]:
    """The rejected rows, and a mark on each line that is theirs or the header's."""
    taken = np.zeros(len(starts), dtype=bool)
    taken[0] = True
    rejects = []
    for byte, kind, text in rejected:
        first = _line_at(data, starts, byte)
        told = (text or "").strip("\r\n")
        lines = told.count("\n") + 1
        cut = kind == "LINE SIZE OVER MAXIMUM" or len(told) >= _LONGEST_TOLD
        if cut or (kind == "UNQUOTED VALUE" and lines > 1):
            raise _unclosed(f"{source.from_}:{first + 1}", "the next rows cannot be told")
        taken[first : first + lines] = True
        rejects.append(Reject(first + 1, _RULES.get(kind, kind.lower()), told[:200]))
    return rejects, taken


def _long_rows(con: duckdb.DuckDBPyConnection, name: str, header: list[str]) -> tuple[Ints, Ints]:
    """The rows whose values hold line ends, and how many each holds."""
    ends = " + ".join(
        f"coalesce(length({quoted(column)}) - length(replace({quoted(column)}, chr(10), '')), 0)" for column in header
    )
    found = con.sql(
        f"SELECT row, lines FROM (SELECT rowid AS row, {ends} AS lines FROM raw.{quoted(name)}) "
        "WHERE lines > 0 ORDER BY row"
    ).fetchnumpy()
    return np.asarray(found["row"], dtype=np.int64), np.asarray(found["lines"], dtype=np.int64)


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()}


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def first_line(error: Exception) -> str:
    """DuckDB's complaint without its excerpt of the query."""
    return str(error).strip().splitlines()[0]


_RULES = {
    "MISSING COLUMNS": "too few columns",
    "TOO MANY COLUMNS": "too many columns",
    "UNQUOTED VALUE": "a quote is not closed",
    "INVALID ENCODING": "not UTF-8 text",
}


def _unclosed(where: str, told: str) -> DataRefused:
    return DataRefused(
        f"a quote opened here is not closed where its value ends: {told}",
        where=where,
        allowed=f'values in "…", a quote inside them doubled, and {_ONE_END}',
    )


def _line_at(data: NDArray[np.uint8], starts: Ints, byte: int) -> int:
    """The 0-based line that holds ``byte``; DuckDB may point at the line end before the row."""
    while byte < len(data) and data[byte] in (10, 13):
        byte += 1
    return int(np.searchsorted(starts, byte, side="right")) - 1
