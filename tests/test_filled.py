"""Lists handed back, as spreadsheet programs save them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from test_delivery import FULL, GRACE, MAY_2, SITI

from churnwatch.delivery import outreach_csv, outreach_xlsx, parse_list_name, read_filled
from churnwatch.delivery.filled import FilledRow
from churnwatch.delivery.text import cell, clean, unguarded
from churnwatch.errors import DataRefused

NAME = "demo 2026-05-02 r1"


def filled(*outcomes: tuple[str, str], rows: Any = (SITI, GRACE)) -> list[list[str]]:
    """The cells of a list's table with outcome and why written into its lines."""
    header, *lines = csv.reader(io.StringIO(outreach_csv(rows, name=NAME).decode()))
    for line, (outcome, why) in zip(lines, outcomes, strict=False):
        line[header.index("outcome")], line[header.index("flag_wrong_reason")] = outcome, why
    return [header, *lines]


def saved(cells: list[list[str]], *, delimiter: str = ",", end: str = "\n") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(cells)
    return out.getvalue()


def read(tmp_path: Path, data: bytes | str, name: str = "outreach.csv") -> Any:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_filled(path)


SAID = (("terhubung; akan bertahan", ""), ("", "she was on holiday"))
EXPECTED = (
    FilledRow(2, "007", NAME, "terhubung; akan bertahan", ""),
    FilledRow(3, "C-9", NAME, "", "she was on holiday"),
)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_spreadsheets_csv_reads_the_same(tmp_path: Path, delimiter: str, end: str, encoding: str) -> None:
    text = saved(filled(*SAID), delimiter=delimiter, end=end)
    assert EXPECTED == read(tmp_path, text.encode(encoding)).rows


def test_a_declared_separator_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    text = "sep=;\r\n" + saved(filled(*SAID), delimiter=";", end="\r\n").replace("\r\n2;", "\r\n;;;\r\n\r\n2;")
    assert [3, 6] == [row.line for row in read(tmp_path, text).rows]


def test_columns_stand_in_any_order_and_others_beside_them(tmp_path: Path) -> None:
    cells = [[*reversed(line), note] for line, note in zip(filled(*SAID), ("my notes", "call at 5", ""), strict=True)]
    cells[0] = [title.upper().replace("_", " ") for title in cells[0]]
    assert EXPECTED == read(tmp_path, saved(cells)).rows


def test_a_workbook_reads_as_the_table_does(tmp_path: Path) -> None:
    """Saved again by a program, its header in either language, rows in another order."""
    for language, rows in (("en", (GRACE, SITI)), ("id", (SITI, GRACE))):
        path = tmp_path / f"{language}.xlsx"
        path.write_bytes(outreach_xlsx(rows, name=NAME, day=MAY_2, currency="IDR", language=language))
        book = load_workbook(path)
        sheet = book.active
        place = {one.value: one.column for one in sheet[1]}
        for line in (2, 3):
            outcome, why = SAID[sheet.cell(line, 2).value != "007"]
            sheet.cell(line, place.get("Outcome") or place["Hasil"]).value = outcome
            names = ("What was wrong with the reasons", "Apa yang keliru pada alasan")
            sheet.cell(line, next(place[name] for name in names if name in place)).value = why
        book.save(path)
        told = [(row.customer, row.list_name, row.outcome, row.why) for row in read_filled(path).rows]
        assert [(row.customer, row.list_name, row.outcome, row.why) for row in EXPECTED] == sorted(told)


def noted(tmp_path: Path, *, above: bool = False, copies: int = 1) -> Path:
    """A filled workbook with a sheet of notes before the list, or with the note above its header."""
    book = Workbook()
    notes = book.active
    assert notes is not None
    notes.append(["Call before noon, please"])
    for number in range(copies):
        sheet = notes if above else book.create_sheet(f"List {number + 1}")
        for cells in filled(*SAID):
            sheet.append(cells)
    book.save(tmp_path / "outreach.xlsx")
    return tmp_path / "outreach.xlsx"


def test_the_list_is_found_behind_a_sheet_of_notes(tmp_path: Path) -> None:
    assert EXPECTED == read_filled(noted(tmp_path)).rows


def test_two_lists_in_a_workbook_are_not_one(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="2 sheets are lists: List 1, List 2"):
        read_filled(noted(tmp_path, copies=2))


def test_a_note_above_the_header_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataRefused) as refused:
        read_filled(noted(tmp_path, above=True))
    assert ("the header stands below other lines", "outreach.xlsx:2") == (refused.value.found, refused.value.where)


def test_lines_are_told_as_a_reader_counts_them(tmp_path: Path) -> None:
    """A line end inside quotes counts, and so does the header."""
    multi = replace(SITI, action_steps="first")
    cells = filled(*SAID, rows=(multi, GRACE))
    cells[1][cells[0].index("action_steps")] = "first\nsecond"
    assert [2, 4] == [row.line for row in read(tmp_path, saved(cells)).rows]


@pytest.mark.parametrize("text", ["=1+1", "+62 812", "@x", "-5", "O'Neill", "'quoted'", "007", "a; -5;=1"])
def test_the_guard_against_formulas_is_taken_off(text: str) -> None:
    assert text == unguarded(cell(text))


@given(st.text())
def test_every_id_comes_back_as_the_list_wrote_it(text: str) -> None:
    """But for apostrophes that were there where a guard would be: both sides are compared guarded."""
    assert cell(clean(text)) == cell(unguarded(cell(text)))


def test_a_guarded_id_and_why_come_back(tmp_path: Path) -> None:
    [row] = read(
        tmp_path, saved(filled(("reached", "'=1+1 is no reason"), rows=(replace(SITI, customer_id="+62"),)))
    ).rows
    assert ("+62", "=1+1 is no reason") == (row.customer, row.why)


def test_a_line_with_more_cells_than_columns_is_told(tmp_path: Path) -> None:
    cells = filled(*SAID)
    cells[1].append("a note beside the table")
    found = read(tmp_path, saved(cells))
    assert ((2, "the line has more cells than the header has columns"),) == found.broken
    assert EXPECTED[1:] == found.rows


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"rank,customer\n1,C-1\n", "there is no column outcome"),
        (b"rank,outcome\n1,reached\n", "there is no column customer"),
        (b"customer,outcome,Hasil\nC,,\n", "the column outcome stands twice"),
        (b"Please hand in by Friday\n\ncustomer;outcome\nC-1;\n", "the header stands below other lines"),
        (b'customer,outcome\nC-1,"reached\n', "the file is no whole table"),
        (b'"customer,outcome,list"\n"C-1,reached,x"\n', "each line stands in one cell"),
        (b"\x00\x01\x02\x03", "the file is no text"),
        (b"PK\x03\x04 cut off", "the workbook is cut off or damaged"),
        (b"\xd0\xcf\x11\xe0 old", "the workbook is an old .xls"),
    ],
)
def test_what_is_no_list_is_refused_plainly(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataRefused) as refused:
        read(tmp_path, data)
    assert message in refused.value.message
    assert 4 == refused.value.exit_code


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="there is no such file"):
        read_filled(tmp_path / "outreach.csv")


def test_a_formula_of_an_agent_is_read_by_its_value_or_told(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["customer", "outcome"])
    book.active.append(["C-1", '=UPPER("reached")'])
    book.save(tmp_path / "x.xlsx")
    found = read_filled(tmp_path / "x.xlsx")
    assert ((), ((2, "a formula without its value"),)) == (found.rows, found.broken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo 2026-07-01 r1", ("demo", date(2026, 7, 1), 1)),
        ("online_retail 2011-06-01 r12", ("online_retail", date(2011, 6, 1), 12)),
        ("2026-07-01", None),
        ("demo 2026-02-30 r1", None),
        ("demo 2026-07-01 r0", None),
        ("", None),
    ],
)
def test_a_lists_name_tells_deployment_day_and_revision(text: str, expected: Any) -> None:
    assert expected == parse_list_name(text)


def test_the_same_cells_in_a_table_of_today_come_back_row_by_row(tmp_path: Path) -> None:
    found = read(tmp_path, saved(filled(rows=(FULL, GRACE))))
    assert [("007", "", ""), ("C-9", "", "")] == [(row.customer, row.outcome, row.why) for row in found.rows]
    assert 64 == len(found.sha256)
