"""What stands in cells and columns of real exports, and what only chance puts there."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from tests.fuzz.company import Cell, Draft

TIMES: tuple[str, ...] = (
    *("2024-03-31 02:30", "2024-10-27 02:30", "2024-02-30", "2024-02-29", "2023-02-29", "2024-06-01 24:00"),
    *("2024-06-01T10:00:00Z", "2024-06-01T10:00:00+07:00", "2024-06-01 10:00 Asia/Jakarta", "2024-06-01 10:00 WIB"),
    *("2024-06-01 10:00:00 UTC", "01/06/2024", "1.6.2024 10:00", "06/01/24", "2024/6/1", "20240601", "June 1, 2024"),
    *("1717236000", "1717236000000", "1717236000.5", "45444.4167", "0", "-1", "0000-00-00 00:00:00", "0001-01-01"),
    *("9999-12-31 23:59:59", "294247-01-10 04:00:54", "290309-12-22 (BC) 00:00:00", "2024-13-01", "2024-06-01 25:61"),
    *("infinity", "-infinity", "epoch", "now", "today", "2024-06-01 10:00:00.123456789", "2024-06-01 10:00:60"),
    *("2024-W23-5", "10:00", "2024-06-01T", "2024-06-01 10:00 +25:00", "2024-06-01 10:00:00+07:00[Asia/Jakarta]"),
)
NUMBERS: tuple[str, ...] = (
    *("1e999", "-1e999", "1e308", "1e-400", "NaN", "nan", "Infinity", "-inf", "+5", "-0", "007", "0x1F", "1_000"),
    *("1,5", "1.000,50", "1 000", "Rp 15.000", "12%", "--", "-", ".", "1.", ".5", "5e", "½", "٣", "1e5000"),
    *("9223372036854775808", "18446744073709551616", "170141183460469231731687303715884105728", "9" * 400),
    *("9007199254740993", "true", "TRUE", "0.1e1", "1d", "1f", "1E+2", "\u22125"),
)
TEXTS: tuple[str, ...] = (
    *("", " ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\t", "NA", "N/A", "null", "NULL", "None", "#N/A", "-"),
    *("007", " KNR-0001", "KNR-0001 ", "knr-0001", "Ça", "Ça", "é", "é", "\u202egnp", "👩‍👩‍👧", "a\u0000b", "\x1a"),
    *("=1+1", "@SUM(A1)", '=HYPERLINK("x")', "'; DROP TABLE customers; --", "{value}", "%s%n", "\\", "\\N", "a\\"),
    *('"', '""', '"x', 'x"', 'x"y', "x,y", "x;y", "x\ny", "x\r\ny", "x\ry", "\n", "'", "#x", "x" * 70_000),
    *("9007199254740993", "1e5", "true", "2024-06-01", "\u2028", "\x85", "\x0b", "\x7f", "\ud7ff", "𐀀"),
)
ANY: tuple[Cell, ...] = (*TIMES, *NUMBERS, *TEXTS, None, True, False, 0, -1, 2**53 + 1, 2**63, -(2**63), 1e308, 5e-324)
FLOATS: tuple[Cell, ...] = (float("nan"), float("inf"), float("-inf"))


def some_cells(draft: Draft, rng: Random) -> None:
    """One to five cells hold something else."""
    for _ in range(rng.randint(1, 5)):
        if draft.rows and draft.columns:
            row = rng.choice(draft.rows)
            if row:
                row[rng.randrange(len(row))] = rng.choice((*ANY, *FLOATS))


def one_column(draft: Draft, rng: Random) -> None:
    """Half or all of a column is told another way."""
    if not draft.rows or not draft.columns:
        return
    place, change, share = rng.randrange(len(draft.columns)), rng.choice(CHANGES), rng.choice((0.5, 1.0))
    for row in draft.rows:
        if place < len(row) and rng.random() < share:
            row[place] = change(row[place], rng)


def _as_time(cell: Cell, change: Callable[[datetime], Cell]) -> Cell:
    try:
        return change(cell) if isinstance(cell, datetime) else cell
    except (OverflowError, ValueError):
        return cell


CHANGES: tuple[Callable[[Cell, Random], Cell], ...] = (
    lambda cell, rng: rng.choice(ANY),
    lambda cell, rng: rng.choice(TIMES),
    lambda cell, rng: rng.choice(NUMBERS),
    lambda cell, rng: rng.choice(TEXTS),
    lambda cell, rng: None,
    lambda cell, rng: "",
    lambda cell, rng: "KNR-0001",
    lambda cell, rng: rng.choice(FLOATS),
    lambda cell, rng: _as_time(cell, lambda time: int(time.timestamp())),
    lambda cell, rng: _as_time(cell, lambda time: int(time.timestamp() * 1000)),
    lambda cell, rng: _as_time(cell, lambda time: (time - datetime(1899, 12, 30)) / timedelta(days=1)),
    lambda cell, rng: _as_time(cell, lambda time: time.strftime("%d/%m/%Y %H:%M")),
    lambda cell, rng: _as_time(cell, lambda time: time.isoformat() + rng.choice(("Z", "+07:00", "-03:30", " CEST"))),
    lambda cell, rng: _as_time(cell, lambda time: time.replace(year=rng.choice((1, 1900, 1970, 2038, 2262, 9999)))),
    lambda cell, rng: _as_time(cell, lambda time: datetime(2024, 3, 31, 2, rng.randrange(60))),
    lambda cell, rng: _as_time(cell, lambda time: datetime(2024, 10, 27, 2, rng.randrange(60))),
    lambda cell, rng: str(cell).replace(".", ",") if isinstance(cell, int | float) else cell,
    lambda cell, rng: cell * 10.0**300 if isinstance(cell, float) else cell,
    lambda cell, rng: -cell if isinstance(cell, int | float) else cell,
    lambda cell, rng: f" {cell} " if isinstance(cell, str) else cell,
    lambda cell, rng: cell.upper() if isinstance(cell, str) else cell,
    lambda cell, rng: unicodedata.normalize(rng.choice(("NFC", "NFD")), f"{cell}é") if isinstance(cell, str) else cell,
    lambda cell, rng: "" if cell is None else str(cell),
)


def some_rows(draft: Draft, rng: Random) -> None:
    """Rows go, come twice, change places, or are shifted by a column."""
    rows = draft.rows
    if not rows:
        return
    match rng.randrange(8):
        case 0:
            del rows[rng.randrange(len(rows))]
        case 1:
            rows.insert(rng.randrange(len(rows)), list(rng.choice(rows)))
        case 2:
            rng.shuffle(rows)
        case 3:
            rows.extend([list(row) for row in rows])  # delivered twice
        case 4:
            del rows[rng.randrange(len(rows)) :]
        case 5:
            rows.clear()
        case 6:
            row = rng.choice(rows)
            row.insert(0, row.pop())
        case 7:
            rows.extend([list(row) for row in rng.choices(rows, k=rng.randint(1, 400))])


ODD_NAMES = (
    "",
    " ",
    "ID",
    "id ",
    "when",
    '"',
    "a.b",
    "a b",
    "1",
    "churnwatch row",
    "file_row_number",
    "rowid",
    "source",
)
MORE_ODD_NAMES = (
    "select",
    "x" * 300,
    "é",
    "é",
    "kolom\nbaru",
    "churnwatch rule",
    "filename",
    "row",
    "*",
    "log",
    "\x00",
)


def some_columns(draft: Draft, rng: Random) -> None:
    """Columns are renamed, lost, doubled, or change places."""
    columns = draft.columns
    if not columns:
        return
    place = rng.randrange(len(columns))
    match rng.randrange(7):
        case 0:
            columns[place] = rng.choice((*ODD_NAMES, *MORE_ODD_NAMES))
        case 1:
            columns[place] = rng.choice((columns[place].upper(), f" {columns[place]}", columns[place][:-1]))
        case 2:
            columns[place] = rng.choice(columns)
        case 3:
            del columns[place]
            for row in draft.rows:
                del row[place : place + 1]
        case 4:
            columns.insert(place, rng.choice((*columns, *ODD_NAMES, *MORE_ODD_NAMES)))
            for row in draft.rows:
                row.insert(place, rng.choice(ANY))
        case 5:
            other = rng.randrange(len(columns))
            columns[place], columns[other] = columns[other], columns[place]
        case 6:
            order = list(range(len(columns)))
            rng.shuffle(order)
            draft.columns[:] = [columns[index] for index in order]
            for row in draft.rows:
                row[:] = [row[index] for index in order if index < len(row)]


DRAFTED: tuple[Callable[[Draft, Random], None], ...] = (some_cells, one_column, some_rows, some_columns)
"""Mutations of a table before it is written: any format may hold the result."""
