"""The list as a workbook: what an agent opens, fills in and hands back."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from test_delivery import FULL, GRACE, MAY_2, PROACTIVE, SITI, UNHAPPY

from churnwatch.delivery import changed_files, outreach_xlsx
from churnwatch.delivery.workbook import _runs

NAME = "demo 2026-05-02 r1"


def made(*rows: Any, language: str = "en") -> bytes:
    return outreach_xlsx(rows, name=NAME, day=MAY_2, currency="IDR", language=language)


def sheet_of(data: bytes) -> Any:
    return load_workbook(io.BytesIO(data)).active


def by_title(data: bytes) -> list[dict[str, Any]]:
    header, *rows = sheet_of(data).iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_a_row_says_whom_why_and_what_to_do_in_cells_of_their_kinds() -> None:
    """Risk is a number shown in percent, a day a day; reasons stand below each other in one cell."""
    data = made(FULL)
    [row] = by_title(data)
    assert {
        "No.": 1,
        "ID pelanggan": "007",
        "Nama": "Siti Rahmawati",
        "Petugas": "Budi",
        "Risiko berhenti": 0.7344,
        "Tingkat": "Kritis",
        "Perubahan": 0.12,
        "Naik sejak": datetime(2026, 4, 11),
        "Mengapa": "3 keluhan dalam 28 hari terakhir\nDiam selama 41 hari\n"
        "Kembali sebelum waktunya: risiko naik 14 poin sejak 21 Apr 2026\n"
        "Bila kasus yang terbuka selesai: 73% → 41%",
        "Yang perlu dilakukan": "Telepon kembali (sekitar 15 menit)\nKarena ada 3 keluhan dalam 28 hari.\n"
        "Minta maaf, lalu dengarkan.",
        "Tenggat": datetime(2026, 5, 2),
        "Hasil": None,
        "Apa yang keliru pada alasan": None,
        "Aktivitas terakhir": datetime(2026, 4, 20),
        "Survei terakhir": "NPS 3 (30 Apr 2026)",
        "Nilai berisiko, IDR per bulan": 1_250_000,
        "Biasanya ditangani oleh": "Dewi",
        "Daftar": NAME,
    } == row
    formats = [cell.number_format for cell in sheet_of(data)[2]]
    assert ("0%", "+0%;-0%;0%", "d mmm yyyy", "@") == (formats[4], formats[6], formats[7], formats[11])


def test_the_header_speaks_the_owners_language_or_the_deployments_where_they_differ() -> None:
    assert ["Customer ID", "ID pelanggan", "ID pelanggan"] == [
        sheet_of(data)["B1"].value for data in (made(GRACE), made(SITI), made(SITI, GRACE, language="id"))
    ]
    english, indonesian = by_title(made(GRACE, SITI))
    assert ("Watch", "Kritis") == (english["Level"], indonesian["Level"])


def test_columns_that_no_row_fills_are_left_out() -> None:
    titles = [cell.value for cell in sheet_of(made(replace(GRACE, change=None)))[1]]
    assert [
        *("No.", "Customer ID", "Name", "Owner", "Risk of leaving", "Level", "Why", "What to do", "Due", "Outcome"),
        *("What was wrong with the reasons", "Last activity", "List"),
    ] == titles


def test_who_is_listed_by_another_model_or_by_a_baseline_says_so_first() -> None:
    early = replace(UNHAPPY, answers=False, title="Will buy less")
    rows = by_title(
        made(
            replace(GRACE, further=UNHAPPY, listed_for=UNHAPPY.model),
            replace(GRACE, further=early, listed_for=early.model),
            replace(GRACE, baseline="recency", risk=None, band="", change=None),
        )
    )
    assert [
        "Growing unhappy: Risk of a bad answer 31%",
        "Early sign: Will buy less 31%",
        "Ranked by recency",
    ] == [row["Why"].split("\n")[0] for row in rows]
    assert "Risk of a bad answer" in by_title(made(replace(GRACE, answers=True)))[0]


def test_a_fall_of_less_than_half_a_point_is_none() -> None:
    [row] = by_title(made(replace(GRACE, change=-0.004)))
    assert 0 == row["Change"]


@pytest.mark.parametrize("text", ["=1+1", "+62 812", "@SUM(A1)", '=HYPERLINK("x")', "-5"])
def test_no_text_of_data_is_a_formula(text: str) -> None:
    """Each stands as text and as it is, marked for who edits it, wherever it came from."""
    hostile = replace(FULL, customer_id=text, customer_name=text, owner_name=text, reasons=(text,), action=text)
    texts = [cell for cell in sheet_of(made(hostile))[2] if isinstance(cell.value, str)]
    assert {"s"} <= {cell.data_type for cell in texts} <= {"s", "inlineStr"}
    assert 5 == sum(cell.value.startswith(text) for cell in texts)
    assert {True: 5} == Counter(bool(cell.quotePrefix) for cell in texts if cell.value.startswith(text))
    assert not any(cell.quotePrefix for cell in texts if not cell.value.startswith(text))
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(made(hostile))).read("xl/worksheets/sheet1.xml")


def test_a_drop_down_offers_the_words_of_each_rows_owner_and_takes_others() -> None:
    choices = sheet_of(made(SITI, GRACE, PROACTIVE, SITI)).data_validations.dataValidation
    assert [
        ("L3:L4", "reached,not reached,solved,offer accepted,will stay,will leave,wrong flag,snooze until 2026-05-16"),
        (
            "L2 L5",
            "terhubung,tidak terhubung,selesai,tawaran diterima,akan bertahan,akan berhenti,tanda keliru,"
            "tunda sampai 2026-05-16",
        ),
    ] == [(str(one.sqref), one.formula1.strip('"')) for one in choices]
    assert [False, False] == [bool(one.showErrorMessage) for one in choices]
    assert all(len(one.formula1) <= 255 and len(one.prompt) <= 255 and len(one.promptTitle) <= 32 for one in choices)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([2], [(2, 2)]), ([2, 3, 4], [(2, 4)]), ([2, 4, 5, 9], [(2, 2), (4, 5), (9, 9)])],
)
def test_neighbours_are_one_run(numbers: list[int], expected: list[tuple[int, int]]) -> None:
    assert expected == list(_runs(numbers))


def test_what_is_filled_in_stands_in_sight_and_long_reasons_are_wrapped() -> None:
    sheet = sheet_of(made(FULL, GRACE))
    assert ("D2", "A1:R3", "landscape", True) == (
        sheet.freeze_panes,
        sheet.auto_filter.ref,
        sheet.page_setup.orientation,
        sheet.sheet_properties.pageSetUpPr.fitToPage,
    )
    assert sheet["I2"].alignment.wrap_text
    # Four lines, the third (why they are back early) of two in a column of 58: five of 15 points and a little.
    assert 78 == sheet.row_dimensions[2].height


def test_equal_rows_give_equal_bytes_whatever_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zip and properties keep fixed clocks, and no zone of the machine is in them."""
    first = made(FULL, GRACE)
    monkeypatch.setenv("TZ", "Asia/Jakarta")
    time.tzset()
    real = time.localtime
    monkeypatch.setattr(time, "localtime", lambda *given: real(1_000_000_000))
    try:
        assert first == made(FULL, GRACE)
    finally:
        monkeypatch.undo()
        os.environ.pop("TZ", None)
        time.tzset()
    members = zipfile.ZipFile(io.BytesIO(first)).infolist()
    assert {(1980, 1, 1, 0, 0, 0)} == {member.date_time for member in members}


def test_an_empty_list_is_a_sheet_with_a_header() -> None:
    assert [] == by_title(made())


def test_what_an_agent_wrote_into_the_workbook_is_no_change_and_another_cell_is(tmp_path: Path) -> None:
    published = made(SITI, GRACE)
    path = tmp_path / "outreach.xlsx"

    def saved(*cells: tuple[str, Any]) -> tuple[str, ...]:
        book = load_workbook(io.BytesIO(published))
        for place, value in cells:
            book.active[place] = value
        book.save(path)
        return changed_files(tmp_path, {"outreach.xlsx": published})

    titles = {cell.value: cell.column_letter for cell in sheet_of(published)[1]}
    outcome, why = titles["Outcome"], titles["What was wrong with the reasons"]
    assert () == saved((f"{outcome}2", "terhubung; akan bertahan"), (f"{why}3", "she was on holiday"))
    assert ("outreach.xlsx was changed",) == saved((f"{titles['Why']}3", "no reason at all"))
    path.write_bytes(b"PK\x03\x04 no workbook")
    assert ("outreach.xlsx was changed",) == changed_files(tmp_path, {"outreach.xlsx": published})


def test_rows_in_another_order_are_no_change(tmp_path: Path) -> None:
    """An agent sorts by owner; the rank still tells the order."""
    (tmp_path / "outreach.xlsx").write_bytes(made(GRACE, SITI))
    assert () == changed_files(tmp_path, {"outreach.xlsx": made(SITI, GRACE)})
