"""The list as ``outreach.xlsx``: one sheet that an agent works through and hands back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from churnwatch.delivery import words
from churnwatch.delivery.card_words import ranking_words
from churnwatch.delivery.outcome_words import offered
from churnwatch.delivery.text import clean, is_formula
from churnwatch.outreach import Further, ListRow

Kind = Literal["text", "wrapped", "whole", "percent", "points", "day", "money", "input"]

TITLES: dict[str, tuple[str, str]] = {
    "rank": ("No.", "No."),
    "customer": ("Customer ID", "ID pelanggan"),
    "name": ("Name", "Nama"),
    "owner": ("Owner", "Petugas"),
    "risk": ("Risk of leaving", "Risiko berhenti"),
    "band": ("Level", "Tingkat"),
    "change": ("Change", "Perubahan"),
    "rising_since": ("Rising since", "Naik sejak"),
    "why": ("Why", "Mengapa"),
    "do": ("What to do", "Yang perlu dilakukan"),
    "due": ("Due", "Tenggat"),
    "outcome": ("Outcome", "Hasil"),
    "flag_wrong_reason": ("What was wrong with the reasons", "Apa yang keliru pada alasan"),
    "last_contact": ("Last activity", "Aktivitas terakhir"),
    "last_survey": ("Last survey", "Survei terakhir"),
    "value": ("Value at risk, {currency} a month", "Nilai berisiko, {currency} per bulan"),
    "account_owner": ("Usually looked after by", "Biasanya ditangani oleh"),
    "list": ("List", "Daftar"),
}
"""What stands over each column, in English and Indonesian."""
BAD_ANSWER = ("Risk of a bad answer", "Risiko jawaban buruk")
_SHEET = ("Customers to contact", "Pelanggan dihubungi")
_HINT = (
    (
        "What came of it",
        "Choose a word, or write several joined by ; such as: reached; will stay. "
        "To be reminded later: snooze until and a day as year-month-day. "
        "A wrong flag needs a why in the next column.",
    ),
    (
        "Hasil kontak",
        "Pilih satu kata, atau tulis beberapa dipisah ; misalnya: terhubung; akan bertahan. "
        "Agar diingatkan nanti: tunda sampai, lalu hari sebagai tahun-bulan-tanggal. "
        "Tanda keliru perlu alasan di kolom sebelahnya.",
    ),
)
_MINUTES = ("about {n} minutes", "sekitar {n} menit")
SNOOZE_DAYS = 14
"""How far ahead the drop-down offers to snooze; an agent writes another day over it."""
_FIXED = datetime(2000, 1, 1)  # noqa: DTZ001 (XLSX keeps its clocks without a zone)
_WIDTHS: Mapping[str, float] = {
    "rank": 5, "customer": 14, "name": 24, "owner": 18, "risk": 9, "band": 11, "change": 11, "rising_since": 13,
    "why": 58, "do": 52, "due": 13, "outcome": 26, "flag_wrong_reason": 36, "last_contact": 13, "last_survey": 23,
    "value": 17, "account_owner": 20, "list": 24,
}  # fmt: skip
_FORMATS: Mapping[Kind, str] = {
    "whole": "0",
    "percent": "0%",
    "points": "+0%;-0%;0%",
    "day": "d mmm yyyy",
    "money": "#,##0",
}
_DAY_0 = date(1899, 12, 30)
"""From which on spreadsheets count days."""
FROZEN = 3
"""Columns that stay in sight: number, id, name."""


@dataclass(frozen=True)
class _Column:
    key: str
    kind: Kind
    value: Callable[[ListRow], Any]


def outreach_xlsx(rows: Sequence[ListRow], *, name: str, day: date, currency: str, language: str = "en") -> bytes:
    """The rows in their order as a workbook of one sheet; equal rows give equal bytes.

    The header is in the language that all owners read, else in ``language``; a row is in its owner's. Risk is a number
    shown in percent, days are days, ``name`` is the list's (``table.list_name``). The columns outcome (with a drop-down
    of the words, which takes others too) and the one beside it are empty, to hand back. Columns that no row fills are
    left out. Every text cell is one by its type, and one that a program would take for a formula when somebody edits it
    is marked as a text (the program's own apostrophe, which is no part of the value).
    """
    from openpyxl import Workbook

    spoken = {row.language for row in rows}
    head = words.known(spoken.pop() if len(spoken) == 1 else language)
    columns = [one for one in _columns(name) if one.kind == "input" or _kept(one, rows)]
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_SHEET[head == "id"])
    _write(sheet, columns, rows, [_title(column, rows, head=head, currency=currency) for column in columns])
    _offer(sheet, columns, rows, day=day)
    return _bytes(book, title=f"{_SHEET[head == 'id']}: {name}")


def _kept(column: _Column, rows: Sequence[ListRow]) -> bool:
    return column.key not in ("account_owner", "value", "last_survey", "rising_since", "change") or any(
        column.value(row) not in (None, "") for row in rows
    )


def _columns(name: str) -> Iterator[_Column]:
    yield _Column("rank", "whole", lambda row: row.rank)
    yield _Column("customer", "text", lambda row: clean(row.customer_id))
    yield _Column("name", "text", lambda row: clean(row.customer_name))
    yield _Column("owner", "text", lambda row: clean(row.owner_name or row.owner))
    yield _Column("risk", "percent", lambda row: None if row.risk is None else round(row.risk, 4))
    yield _Column("band", "text", lambda row: words.say(row.band, language=row.language) if row.band else "")
    yield _Column("change", "points", _points)
    yield _Column("rising_since", "day", lambda row: row.rising_since)
    yield _Column("why", "wrapped", _why)
    yield _Column("do", "wrapped", _do)
    yield _Column("due", "day", lambda row: row.due)
    yield _Column("outcome", "input", lambda _: None)
    yield _Column("flag_wrong_reason", "input", lambda _: None)
    yield _Column("last_contact", "day", lambda row: row.last_contact)
    yield _Column("last_survey", "text", lambda row: clean(words.days_in(row.last_survey or "", language=row.language)))
    yield _Column("value", "money", lambda row: row.value_at_risk)
    yield _Column(
        "account_owner", "text", lambda row: clean(row.account_owner_name or row.account_owner) if row.handed else ""
    )
    yield _Column("list", "text", lambda _: clean(name))


def _points(row: ListRow) -> float | None:
    """The change in whole points, so that a little less is not shown as -0 %."""
    return None if row.change is None else round(100 * row.change) / 100


def _why(row: ListRow) -> str:
    """What lists the row, then its reasons, one to a line."""
    own = row.language
    first = []
    if row.baseline:
        first.append(words.say("row_by_baseline", language=own, baseline=ranking_words(row.baseline, own)))
    if row.further and row.by_further:
        first.append(_further(row.further, own))
    early = words.say("back_early", language=own, why=row.back_early) if row.back_early else ""
    told = [*first, *row.reasons, early, row.counterfactual or ""]
    return "\n".join(filter(None, map(clean, told)))


def _further(further: Further, language: str) -> str:
    mark = words.say("growing_unhappy" if further.answers else "early_sign", language=language)
    label = words.say("bad_answer", language=language) if further.answers else further.title
    return f"{mark}: {label} {words.percent(further.risk, language=language)}"


def _do(row: ListRow) -> str:
    """The action with its minutes, why that one, its steps."""
    title = row.action
    if row.action_minutes is not None:
        title += f" ({_MINUTES[row.language == 'id'].format(n=row.action_minutes)})"
    return "\n".join(filter(None, (clean(text or "") for text in (title, row.action_why, row.action_steps))))


def _title(column: _Column, rows: Sequence[ListRow], *, head: str, currency: str) -> str:
    both = BAD_ANSWER if column.key == "risk" and any(row.answers for row in rows) else TITLES[column.key]
    return both[head == "id"].format(currency=currency)


def _write(sheet: Any, columns: Sequence[_Column], rows: Sequence[ListRow], titles: Sequence[str]) -> None:
    """Header and rows, one after the other: a cell of each column is dressed once and written again and again."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    letters = [get_column_letter(place) for place in range(1, len(columns) + 1)]
    for letter, column in zip(letters, columns, strict=True):
        sheet.column_dimensions[letter].width = _WIDTHS[column.key]
    sheet.freeze_panes = f"{letters[FROZEN]}2"
    sheet.auto_filter.ref = f"A1:{letters[-1]}{len(rows) + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    head = _cell(sheet, Alignment(vertical="center", wrap_text=True))
    head.font = Font(bold=True, color="FFFFFFFF")
    head.fill = PatternFill("solid", fgColor="FF2F4858")
    sheet.row_dimensions[1].height = 32
    _append(sheet, [(head, head)] * len(columns), titles)
    line = Border(bottom=Side("thin", color="FFD0D4D9"))
    paper = PatternFill("solid", fgColor="FFFFF8DC")
    cells = []
    for column in columns:
        texts = column.kind in ("wrapped", "input", "text")
        pair = []
        for quoted in (False, True):
            made = _cell(sheet, Alignment(vertical="top", wrap_text=texts))
            made.border = line
            made.number_format = _FORMATS.get(column.kind, "General" if column.kind == "wrapped" else "@")
            if column.kind == "input":
                made.fill = paper
            made.quotePrefix = quoted
            pair.append(made)
        cells.append((pair[0], pair[1]))
    for at, row in enumerate(rows, start=2):
        values = [column.value(row) for column in columns]
        sheet.row_dimensions[at].height = 15 * max(map(_lines, columns, values)) + 3
        _append(sheet, cells, values)


def _cell(sheet: Any, alignment: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    made = WriteOnlyCell(sheet)
    made.alignment = alignment
    return made


def _append(sheet: Any, cells: Sequence[tuple[Any, Any]], values: Sequence[Any]) -> None:
    """Write the cells with these values, of each pair the second where a text begins as a formula does."""

    def filled() -> Iterator[Any]:
        for (plain, quoted), value in zip(cells, values, strict=True):
            at = quoted if isinstance(value, str) and is_formula(value) else plain
            if isinstance(value, date):
                value = (value - _DAY_0).days  # as a date it would bring a format of its own
            at.value = None if value == "" else value
            if isinstance(value, str) and value:
                at.data_type = "s"
            yield at

    sheet.append(filled())


def _lines(column: _Column, value: Any) -> int:
    """About how many lines a cell's text takes: a program that opens the file does not measure it again."""
    if column.kind not in ("wrapped", "text"):
        return 1
    fit = int(_WIDTHS[column.key] * 0.88)  # words are not broken, so that a line is seldom full
    return sum(max(1, -(-len(line) // fit)) for line in str(value or "").split("\n"))


def _offer(sheet: Any, columns: Sequence[_Column], rows: Sequence[ListRow], *, day: date) -> None:
    """A drop-down of the words over each owner's rows, in their language; it takes what is written, too."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    letter = get_column_letter(next(place for place, one in enumerate(columns, start=1) if one.key == "outcome"))
    until = day + timedelta(days=SNOOZE_DAYS)
    for language in ("en", "id"):
        lines = [at for at, row in enumerate(rows, start=2) if words.known(row.language) == language]
        if not lines:
            continue
        title, prompt = _HINT[language == "id"]
        choice = DataValidation(type="list", formula1=f'"{",".join(offered(language, until=until))}"', allow_blank=True)
        choice.showErrorMessage = False
        choice.showInputMessage = True
        choice.promptTitle, choice.prompt = title, prompt
        for first, last in _runs(lines):
            choice.add(f"{letter}{first}:{letter}{last}")
        sheet.data_validations.append(choice)


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours in rising ``numbers``."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _bytes(book: Any, *, title: str) -> bytes:
    """The workbook's file with fixed clocks: those of its properties and of its archive's members."""
    from openpyxl.writer.excel import ExcelWriter

    book.properties.creator = "churnwatch"
    book.properties.title = title
    book.properties.created = book.properties.modified = _FIXED
    written, out = io.BytesIO(), io.BytesIO()
    # `Workbook.save` would set the clock to now.
    ExcelWriter(book, zipfile.ZipFile(written, "w")).save()
    with zipfile.ZipFile(written) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fixed:
        for part in made.namelist():
            member = zipfile.ZipInfo(part, date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 0  # the same on every system
            fixed.writestr(member, made.read(part))
    return out.getvalue()
