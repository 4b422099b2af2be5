"""CSV: a declared dialect and nothing sniffed.

Every physical line of the file must belong to the header, to a row, to a rejected row or be blank; a file in which
lines vanish (a quote that is never closed swallows what follows) is refused.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from churnwatch.errors import DataRefused, ProjectError
from churnwatch.sources.plain import ENCODINGS, NOT_UTF8
from churnwatch.sources.raw import (
    DELIMITERS,
    Ints,
    RawTable,
    Reject,
    columns_of,
    count_of,
    first_line,
    header_of,
    literal,
    position_in,
    quoted,
)
from churnwatch.spec import Source

_LONGEST_TOLD = 10_000  # DuckDB cuts the text of a rejected row there
_ONE_END = "one kind of line end in the whole file"


def read_csv(con: duckdb.DuckDBPyConnection, name: str, source: Source, path: Path) -> RawTable:
    """The UTF-8 text at ``path`` as ``raw.<name>``: all columns text, an empty field missing."""
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
        raise DataRefused("the header is not UTF-8 text", where=where, allowed="UTF-8", hint=ENCODINGS) from None
    except csv.Error as error:
        # Quoted names and another delimiter: `"id";"name"` is no CSV with commas.
        others = [sign for sign in set(DELIMITERS) - {source.delimiter} if f'"{sign}' in text or f'{sign}"' in text]
        hint = f'`delimiter: "{DELIMITERS[others[0]]}"`' if len(others) == 1 else ""
        raise DataRefused(f"the header is broken: {error}", where=f"{source.from_}:1", hint=hint) from None
    if "\0" in text:
        raise DataRefused("the file is not UTF-8 text", where=f"{source.from_}:1", allowed="UTF-8", hint=ENCODINGS)
    return header_of(names, source.from_)


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
    rows = count_of(con, f"raw.{quoted(name)}")
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
        columns_of(con, f"raw.{quoted(name)}"),
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
        f"SELECT row, lines FROM (SELECT {position_in(header)} AS row, {ends} AS lines FROM raw.{quoted(name)}) "
        "WHERE lines > 0 ORDER BY row"
    ).fetchnumpy()
    return np.asarray(found["row"], dtype=np.int64), np.asarray(found["lines"], dtype=np.int64)


_RULES = {
    "MISSING COLUMNS": "too few columns",
    "TOO MANY COLUMNS": "too many columns",
    "UNQUOTED VALUE": "a quote is not closed",
    "INVALID ENCODING": NOT_UTF8,
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
