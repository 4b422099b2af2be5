"""A published list read back: what stands there now, and whether it is what was published."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from churnwatch.delivery.publish import MANIFEST
from churnwatch.delivery.table import COLUMNS, LATER
from churnwatch.delivery.text import unguarded
from churnwatch.delivery.workbook import TITLES
from churnwatch.errors import CheckFailed

HANDED_BACK = ("outcome", "flag_wrong_reason")
"""Empty when published, for the agent to fill in."""


def read_list(directory: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The manifest (without its ``files``) and the rows of ``outreach.csv``, as text by column without its guards.

    Raises CheckFailed where one of them is gone or can no longer be read as it was written.
    """
    hint = "save outreach.csv as UTF-8 with commas, or move the directory away: the next run of that day restores it"
    for name in (MANIFEST, "outreach.csv"):
        if not (directory / name).is_file():
            raise CheckFailed(f"the list was issued, but its {name} is gone", where=str(directory), hint=hint)
    try:
        manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_bytes())
    except ValueError:
        raise CheckFailed(f"{MANIFEST} cannot be read any more", where=str(directory), hint=hint) from None
    rows = _rows((directory / "outreach.csv").read_bytes())
    if rows is None:
        raise CheckFailed("outreach.csv cannot be read any more", where=str(directory), hint=hint)
    manifest.pop("files", None)
    return manifest, [{name: unguarded(text) for name, text in row.items()} for row in rows]


def is_another(directory: Path, facts: Mapping[str, Any]) -> bool:
    """Whether a directory's ``run.json`` tells of other files than those of ``facts`` (see ``file_facts``).

    Where it cannot be read nobody knows: ``read_list`` says so.
    """
    try:
        return bool(json.loads((directory / MANIFEST).read_bytes())["files"] != facts)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def changed_files(directory: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Which of ``files`` do not stand in ``directory`` as they were published, one word each.

    What an agent wrote into the columns to hand back is no change, nor is how a spreadsheet program writes the same
    cells: line ends, a mark at the beginning, the parts of a workbook, the order of its rows.
    """
    if not directory.is_dir():
        return ("the directory is gone",)
    found = []
    for name, data in files.items():
        path = directory / name
        if not path.is_file():
            found.append(f"{name} is gone")
        elif path.read_bytes() != data and not _same_list(name, path.read_bytes(), data):
            found.append(f"{name} was changed")
    return tuple(found)


def _rows(data: bytes) -> list[dict[str, str]] | None:
    """The rows of a list; ``None`` where it is no such table any more. A byte-order mark does no harm.

    What a list of an earlier version of the program lacks is empty.
    """
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error):
        return None
    header = tuple(reader.fieldnames or ())
    if header != tuple(name for name in COLUMNS if name in header or name not in LATER):
        return None
    if any(None in row or None in row.values() for row in rows):
        return None
    return [{name: row.get(name, "") for name in COLUMNS} for row in rows]


def _same_list(name: str, there: bytes, published: bytes) -> bool:
    """Whether a list file says what it said, but for what was handed back."""
    if name == "outreach.csv":
        return _kept(there) == _kept(published)
    return name == "outreach.xlsx" and (_cells(there) or []) == _cells(published)


def _kept(data: bytes) -> list[dict[str, str]] | None:
    rows = _rows(data)
    return rows and [{name: row[name] for name in row if name not in HANDED_BACK} for row in rows]


def _cells(data: bytes) -> list[list[Any]] | None:
    """What stands in the sheet, row by row in the order of their first cells; ``None`` where it is no workbook."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    blank = {title for name in HANDED_BACK for title in TITLES[name]}
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        header, *rows = book.worksheets[0].iter_rows(values_only=True)
    except (zipfile.BadZipFile, InvalidFileException, LookupError, OSError, SyntaxError, TypeError, ValueError):
        return None
    places = [place for place, title in enumerate(header) if title not in blank]

    def said(row: Sequence[Any]) -> list[Any]:
        cells = [row[place] if place < len(row) else None for place in places]
        while cells and cells[-1] is None:
            cells.pop()
        return cells

    kept = [cells for row in rows if (cells := said(row))]
    return [said(header), *sorted(kept, key=repr)]
