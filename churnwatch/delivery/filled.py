"""A list as an agent hands it back: ``outreach.csv`` or ``outreach.xlsx``, from any spreadsheet program."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from churnwatch.delivery.text import clean, unguarded
from churnwatch.delivery.workbook import TITLES
from churnwatch.errors import DataRefused, nearest

NEEDED = ("customer", "outcome")
READ = ("customer", "list", "outcome", "flag_wrong_reason")
"""The columns that are read; others may be there, in any order."""
DELIMITERS = (",", ";", "\t", "|")
_ZIP = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0"
_LIST = re.compile(r"(?P<deployment>\S+) (?P<day>\d{4}-\d{2}-\d{2}) r(?P<revision>[1-9]\d{0,5})")
_LOOKED_AT = 20
"""Rows in which a header is looked for, to say that something stands above it."""
_WHERE = "a list as `daily` writes it, saved by a spreadsheet program as CSV or .xlsx"


@dataclass(frozen=True)
class FilledRow:
    """One line of the file, its cells as text without a guard's apostrophe; ``line`` is 1-based."""

    line: int
    customer: str
    list_name: str
    outcome: str
    why: str


@dataclass(frozen=True)
class Filled:
    """A file read: its rows, the lines that are none with why, its sha256."""

    file: str
    rows: tuple[FilledRow, ...]
    broken: tuple[tuple[int, str], ...]
    sha256: str


def read_filled(path: Path) -> Filled:
    """The rows of a list handed back.

    CSV in UTF-8, UTF-16 or Windows' own letters, separated by comma, semicolon, tab or bar, with or without a
    byte-order mark, lines ending in any way; or the sheet of a workbook that is a list, wherever it stands. Columns are
    found by their names, ours or those of outreach.xlsx in either language, and further ones do no harm. Raises
    DataRefused for what is no table.
    """
    if not path.is_file():
        raise DataRefused("there is no such file", where=str(path), hint="name the list file that was filled in")
    data = path.read_bytes()
    if data[:4] in (_ZIP, _OLD):
        header, rows, broken = _sheet(path, _list_sheet(path) if data[:4] == _ZIP else None)
    else:
        header, rows, broken = _separated(_text(data, path.name), path.name)
    found = _columns(header, path.name)
    read = []
    for line, cells in rows:
        told = {name: cells[place] if place < len(cells) else "" for name, place in found.items()}
        if any(cells[place].strip() for place in range(len(header), len(cells))):
            broken.append((line, "the line has more cells than the header has columns"))
        elif any(told.values()):
            own = {name: unguarded(clean(told.get(name, ""))) for name in READ}
            read.append(
                FilledRow(line, own["customer"], own["list"], told["outcome"].strip(), own["flag_wrong_reason"])
            )
    return Filled(path.name, tuple(read), tuple(broken), sha256(data).hexdigest())


def parse_list_name(text: str) -> tuple[str, date, int] | None:
    """(deployment, day, revision) of a list's name as ``table.list_name`` makes it; ``None`` for any other text."""
    found = _LIST.fullmatch(text)
    if found is None:
        return None
    try:
        return found["deployment"], date.fromisoformat(found["day"]), int(found["revision"])
    except ValueError:
        return None


def separated_rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(1-based line, cells) of every row that is not blank; raises ``csv.Error`` where quotes do not close."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, line = [], 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append((line, cells))
        line = reader.line_num + 1
    return rows


def _text(data: bytes, file: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        # A spreadsheet on Windows saves CSV in the system's own letters unless it is told UTF-8.
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataRefused("the file is no text", where=file, allowed=_WHERE)


def _separated(text: str, file: str) -> tuple[list[str], list[tuple[int, list[str]]], list[tuple[int, str]]]:
    declared = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    skipped = 1 if declared else 0
    if declared:
        text = text[declared.end() :]
    first = text.strip("\r\n").splitlines()[:_LOOKED_AT] if text.strip() else []
    if not first:
        raise DataRefused("the file is empty", where=file, allowed=_WHERE)

    def names(delimiter: str) -> int:
        return max(len({_key(cell) for cell in cells} & set(READ)) for cells in csv.reader(first, delimiter=delimiter))

    try:
        delimiter = max(DELIMITERS, key=names)
        (line, header), *rows = separated_rows(text, delimiter)
    except csv.Error as error:
        raise DataRefused(
            f"the file is no whole table: {error}",
            where=file,
            allowed="quotes that close, and cells of ordinary length",
            hint="open it in the spreadsheet program once more and save it as CSV, or use outreach.xlsx",
        ) from None
    if not _is_header(header):
        late = next((place for place, cells in rows[:_LOOKED_AT] if _is_header(cells)), None)
        if late is not None:
            _refuse_late_header(f"{file}:{late + skipped}")
    if len(header) == 1 and sum(header[0].count(sign) for sign in ",;") >= len(NEEDED):
        raise DataRefused(
            "each line stands in one cell",
            where=f"{file}:{line}",
            allowed="one cell per column",
            hint="let the spreadsheet program split the text at commas when it opens the file, or use outreach.xlsx",
        )
    return header, [(place + skipped, cells) for place, cells in rows], []


def _refuse_late_header(where: str) -> NoReturn:
    raise DataRefused(
        "the header stands below other lines",
        where=where,
        allowed="the header first, then the rows",
        hint="delete what stands above it",
    )


def _is_header(cells: Iterable[str]) -> bool:
    return {_key(cell) for cell in cells}.issuperset(NEEDED)


def _list_sheet(path: Path) -> str | None:
    """The title of the one sheet with a list's header; ``None`` where there is none."""
    from churnwatch.sources.sheets import first_rows

    titles = []
    for title, rows in first_rows(path, _LOOKED_AT):
        places = [place for place, row in enumerate(rows, start=1) if _is_header(row)]
        if places:
            titles.append((title, places[0]))
    if len(titles) > 1:
        raise DataRefused(
            f"{len(titles)} sheets are lists: {', '.join(title for title, _ in titles)}",
            where=path.name,
            allowed="one list in a workbook",
            hint="save each as a workbook of its own",
        )
    if titles and titles[0][1] > 1:
        _refuse_late_header(f"{path.name}:{titles[0][1]}")
    return titles[0][0] if titles else None


def _sheet(path: Path, title: str | None) -> tuple[list[str], list[tuple[int, list[str]]], list[tuple[int, str]]]:
    import duckdb
    import numpy as np

    from churnwatch.sources.sheets import read_sheet
    from churnwatch.spec import Source

    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA raw")
        raw = read_sheet(con, "filled", Source.model_validate({"from": path.name, "sheet": title}), path)
        header = list(raw.columns)
        rows = con.execute("SELECT * FROM raw.filled ORDER BY rowid").fetchall() if raw.rows else []
        lines = raw.lines_of(np.arange(len(rows), dtype=np.int64))
    texts = [
        (int(line), ["" if cell is None else str(cell) for cell in row]) for line, row in zip(lines, rows, strict=True)
    ]
    return header, texts, [(one.line, one.rule) for one in raw.rejects]


def _key(title: str) -> str:
    """The column that a header's cell names; the cell itself where it is none of those that are read."""
    plain = " ".join(clean(title).casefold().replace("_", " ").split())
    for name in READ:
        if plain in (name.replace("_", " "), *(said.casefold() for said in TITLES[name])):
            return name
    return plain


def _columns(header: Iterable[str], file: str) -> dict[str, int]:
    """Where the columns that are read stand."""
    keys = [_key(title) for title in header]
    for name in READ:
        if keys.count(name) > 1:
            raise DataRefused(f"the column {name} stands twice", where=f"{file}:1", allowed="each column once")
    missing = [name for name in NEEDED if name not in keys]
    if missing:
        raise DataRefused(
            f"there is no column {missing[0]}",
            where=f"{file}:1",
            allowed=f"the columns {', '.join(READ)}, and any others, in any order",
            hint=nearest(missing[0], keys) or "hand back the list's own file with its header",
        )
    return {name: keys.index(name) for name in READ if name in keys}
