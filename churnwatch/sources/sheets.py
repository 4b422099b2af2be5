"""XLSX: one sheet of a workbook, its values to text the way CSV has them."""

from __future__ import annotations

import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time, timedelta
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from churnwatch.errors import DataRefused, nearest
from churnwatch.sources.raw import RawTable, Texts, header_of
from churnwatch.spec import Source

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),  # the archive
    *(SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, AssertionError),
)
"""What openpyxl raises of workbooks that are cut off or damaged; an error of XML is a SyntaxError."""
_FORMULA = re.compile(rb"<(\w+:)?f[ />]")
_OLE = b"\xd0\xcf\x11\xe0"


def read_sheet(con: duckdb.DuckDBPyConnection, name: str, source: Source, path: Path) -> RawTable:
    """The sheet ``source.sheet`` (else the first) of the workbook at ``path`` as ``raw.<name>``, all columns text.

    The first row is the header, a line is a row of the sheet, rows without a value are none. A number is written with
    as many digits as it has and no ``.0``, a date in ISO 8601, true and false as words, a formula as the value that
    the spreadsheet program kept of it; a formula without one quarantines its row.
    Raises ``DataRefused`` for a damaged workbook, a sheet that is not there, a header with a blank cell.
    """
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise DataRefused(
                "the workbook is an old .xls, or has a password",
                where=source.from_,
                allowed="an .xlsx without a password",
                hint="open it in a spreadsheet program and save it as .xlsx",
            )
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")  # of styles and charts, which nobody reads
        cells = _rows(_opened(stack, path, source, values=True), source)
        # A second look, only where there are formulas: at them, since one without a value looks like an empty cell.
        formulas: Iterator[tuple[Any, ...]] = repeat(())
        if _has_formulas(path, source):
            formulas = _rows(_opened(stack, path, source, values=False), source)
        header = _header(next(cells, ()), source.from_)
        next(formulas, None)
        rows = Texts(con, name, header)
        for line, (row, written) in enumerate(zip(cells, formulas, strict=False), start=2):
            texts = [_text(value) for value in row]
            lacking = any(_is_formula(one) and value is None for one, value in zip(written, texts, strict=False))
            if lacking:
                rows.reject(line, "a formula without its value", "")
            elif any(text is not None for text in texts[len(header) :]):
                rows.reject(line, "too many columns", "")
            elif any(text is not None for text in texts):
                rows.add(line, dict(zip(header, texts, strict=False)))
        return rows.finish(source.from_)


def first_rows(path: Path, most: int) -> list[tuple[str, list[list[str]]]]:
    """Each sheet of a workbook: its title, and the first ``most`` rows as text, blank cells as nothing.

    Raises ``DataRefused`` for a damaged workbook.
    """
    with warnings.catch_warnings(), _whole(path.name), path.open("rb") as file:
        warnings.simplefilter("ignore")
        from openpyxl import load_workbook

        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        found = []
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = list(sheet.iter_rows(max_row=most, values_only=True))
            found.append((sheet.title, [[_text(cell) or "" for cell in row] for row in rows]))
        book.close()
    return found


@contextmanager
def _whole(file: str) -> Iterator[None]:
    """Say of what openpyxl and zipfile raise inside that the workbook is damaged."""
    try:
        yield
    except _DAMAGE as error:
        raise DataRefused(
            f"the workbook is cut off or damaged ({type(error).__name__})",
            where=file,
            allowed="a readable .xlsx workbook",
            hint="open it in a spreadsheet program and save it again, or export CSV",
        ) from None


def _opened(stack: ExitStack, path: Path, source: Source, *, values: bool) -> Worksheet:
    """The sheet of ``source``; its cells hold values, or else formulas."""
    from openpyxl import load_workbook

    file = stack.enter_context(path.open("rb"))
    with _whole(source.from_):
        book = load_workbook(file, read_only=True, data_only=values, keep_links=False)
    stack.callback(book.close)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    wanted = source.sheet if source.sheet is not None else next(iter(sheets), "")
    if wanted not in sheets:
        raise DataRefused(
            f"there is no sheet {wanted}" if wanted else "the workbook has no sheet",
            where=source.from_,
            allowed=f"the sheets of the workbook: {', '.join(sheets) or 'none'}",
            hint=nearest(wanted, sheets) or "name one of these under `sheet`, or leave it out for the first",
        )
    return sheets[wanted]


def _rows(sheet: Worksheet, source: Source) -> Iterator[tuple[Any, ...]]:
    with _whole(source.from_):
        sheet.reset_dimensions()  # what a workbook says of its size is often wrong
        yield from sheet.iter_rows(values_only=True)


def _header(row: tuple[Any, ...], file: str) -> list[str]:
    names = [(_text(cell) or "").strip() for cell in row]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise DataRefused("the first row is empty", where=f"{file}:1", allowed="a header, then rows")
    for position, column in enumerate(names, start=1):
        if not column:
            from openpyxl.utils import get_column_letter

            raise DataRefused(
                f"the header has no name in column {get_column_letter(position)}",
                where=f"{file}:1",
                allowed="a name in each cell of the first row; of merged cells only the first has one",
                hint="name the column, or delete it; the header is the first row of the sheet",
            )
    return header_of(names, file)


def _has_formulas(path: Path, source: Source) -> bool:
    """Whether any sheet of the workbook holds a formula."""
    with _whole(source.from_), zipfile.ZipFile(path) as archive:
        for part in archive.namelist():
            if part.startswith("xl/worksheets/") and part.endswith(".xml"):
                with archive.open(part) as file:
                    end = b""
                    while chunk := file.read(1 << 20):
                        if _FORMULA.search(end + chunk):
                            return True
                        end = chunk[-64:]
    return False


def _is_formula(value: Any) -> bool:
    """Whether openpyxl read a formula: a text that begins with =, or an array formula."""
    return value.startswith("=") if isinstance(value, str) else type(value).__name__.endswith("Formula")


def _text(value: Any) -> str | None:
    """A cell's value as CSV has it; ``None`` where it is blank."""
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case float() if value == value // 1 and abs(value) < 2**53:
            return str(int(value))
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return str(value)
