"""CSV, JSON lines and XLSX, gzip and encodings: the same rows, the same account, damage told in one message."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from raw_files import CUSTOMERS, EVENTS, changed, loaded, quarantine

from churnwatch.errors import DataRefused, ProjectError
from churnwatch.sources import Tables, has_mark

SHEET = "xl/worksheets/sheet1.xml"
ROWS: list[dict[str, Any]] = [
    {"id": "e1", "customer": "007", "when": "2026-02-01 10:00", "amount": "5"},
    {"id": "e2", "customer": "8", "when": "2026-02-02 10:00", "amount": "7.5"},
    {"id": "é3", "customer": "8", "when": "2026-02-03", "amount": None},
    {"id": "e4", "customer": "9", "when": "2026-02-03", "amount": "1"},  # no customer
    {"id": "e5", "customer": "8", "when": "2026-02-03", "amount": "1e999"},
    {"id": "e6", "customer": "8", "when": "2026-02-03", "amount": "many"},
]


def comma() -> str:
    lines = [",".join(ROWS[0]), *(",".join(value or "" for value in row.values()) for row in ROWS)]
    return "\n".join(lines) + "\n"


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def book(*rows: tuple[Any, ...], title: str = "data", before: str = "") -> bytes:
    """A workbook whose sheet ``title`` holds ``rows``, after a sheet ``before`` if one is named."""
    workbook, file = Workbook(), io.BytesIO()
    sheet = workbook.active
    if before:
        sheet.title = before
        sheet.append(["nothing", "of use"])
        sheet = workbook.create_sheet()
    sheet.title = title
    for row in rows:
        sheet.append(row)
    workbook.save(file)
    return file.getvalue()


STRINGS = "xl/sharedStrings.xml"
CONTENT_TYPE = f"""<Override PartName="/{STRINGS}"
    ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" /></Types>"""


def with_shared_strings(content: bytes) -> bytes:
    """The workbook as Excel writes it: its texts in a part of their own."""
    out, texts = io.BytesIO(), list[str]()

    def number(match: re.Match[str]) -> str:
        texts.append(f"<si>{match[1]}</si>")
        return f't="s"><v>{len(texts) - 1}</v></c>'

    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w") as target:
        for name in archive.namelist():
            text = archive.read(name).decode()
            if name == SHEET:
                text = re.sub(r't="inlineStr"><is>(.*?)</is></c>', number, text)
            target.writestr(name, text.replace("</Types>", CONTENT_TYPE) if name == "[Content_Types].xml" else text)
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        target.writestr(STRINGS, f'<sst xmlns="{space}">{"".join(texts)}</sst>')
    return out.getvalue()


def sheet_of_rows() -> bytes:
    return with_shared_strings(book(tuple(ROWS[0]), *(tuple(row.values()) for row in ROWS)))


def parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), file)
    return file.getvalue()


FILES: dict[str, bytes] = {
    "csv": comma().encode(),
    "txt": comma().encode(),
    "csv.gz": gzip.compress(comma().encode(), mtime=0),
    "jsonl": lines(*ROWS).encode(),
    "ndjson": ("\ufeff" + lines(*ROWS).replace("\n", "\r\n\n")).encode(),
    "jsonl.gz": gzip.compress(lines(*ROWS).encode(), mtime=0),
    "xlsx": sheet_of_rows(),
    "parquet": parquet(),
}


def read(data: Path, name: str, content: bytes | str, **source: Any) -> Tables:
    """The events from a file called ``name``; amounts are numbers."""
    return loaded(data, changed(shop={"from": name, **source}), **{name.replace(".", "__"): content})


def refusal(data: Path, name: str, content: bytes | str, **source: Any) -> str:
    with pytest.raises(DataRefused) as caught:
        read(data, name, content, **source)
    assert 4 == caught.value.exit_code
    assert caught.value.allowed or caught.value.hint
    return caught.value.message


def account(tables: Tables) -> tuple[int, int, dict[str, int]]:
    """(read, accepted, quarantined) of the events; the law holds."""
    one = tables.accounting[1]
    assert one.read == one.accepted + sum(one.excluded.values()) + sum(one.quarantined.values())
    return one.read, one.accepted, one.quarantined


def events(tables: Tables, columns: str = 'interaction_id, customer_id, "at", amount') -> list[tuple[Any, ...]]:
    return tables.con.execute(f"SELECT {columns} FROM interactions ORDER BY ALL").fetchall()


@pytest.mark.parametrize("ending", FILES)
def test_the_same_rows_in_every_format_give_the_same_events_and_account(tmp_path: Path, ending: str) -> None:
    tables = read(tmp_path, f"events.{ending}", FILES[ending])
    assert [
        ("e1", "007", datetime(2026, 2, 1, 3), 5.0),
        ("e2", "8", datetime(2026, 2, 2, 3), 7.5),
        ("é3", "8", datetime(2026, 2, 2, 17), None),
    ] == events(tables)
    assert (6, 3, {"amount is not a number": 2, "interactions.customer_id is no customer": 1}) == account(tables)
    first = {"parquet": 4, "jsonl": 4, "jsonl.gz": 4, "ndjson": 7}.get(ending, 5)
    apart = 2 if ending == "ndjson" else 1  # there a blank line stands after each
    assert [
        (first, "interactions.customer_id is no customer", "9"),
        (first + apart, "amount is not a number", "1e999"),
        (first + 2 * apart, "amount is not a number", "many"),
    ] == [row[1:] for row in quarantine(tables)]


@pytest.mark.parametrize(("ending", "kind"), [("csv", "csv"), ("csv.gz", "csv"), ("xlsx", "xlsx"), ("jsonl", "jsonl")])
def test_a_format_may_be_declared_where_the_name_tells_none(tmp_path: Path, ending: str, kind: str) -> None:
    tables = read(tmp_path, "export.dat", FILES[ending], format=kind)
    assert 3 == account(tables)[1]


def test_an_unknown_ending_asks_for_the_format(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"allowed: csv, jsonl, parquet, xlsx\n  try: add `format: csv`"):
        read(tmp_path, "events.xls", FILES["xlsx"])


@pytest.mark.parametrize(("key", "value", "ending"), [("sheet", "a", "csv"), ("encoding", "utf-16", "xlsx")])
def test_a_key_of_another_format_is_refused(tmp_path: Path, key: str, value: str, ending: str) -> None:
    with pytest.raises(ProjectError, match=rf"sources\.shop: `{key}` says nothing of a {ending} file"):
        read(tmp_path, f"events.{ending}", FILES[ending], **{key: value})


# Encodings


NAMES = "id,customer,when,amount\né1,007,2026-02-01,1\nü2,8,2026-02-01,2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_declared_encoding_is_read(tmp_path: Path, encoding: str, zipped: bool) -> None:
    content = NAMES.encode(encoding)
    name, content = ("events.csv.gz", gzip.compress(content)) if zipped else ("events.csv", content)
    tables = read(tmp_path, name, content, encoding=encoding)
    assert [("é1",), ("ü2",)] == events(tables, "interaction_id")
    assert (2, 2, {}) == account(tables)


def test_json_lines_have_an_encoding_too(tmp_path: Path) -> None:
    tables = read(tmp_path, "events.jsonl", lines(*ROWS).encode("cp1252"), encoding="cp1252")
    assert "é3" == events(tables)[2][0]


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    assert (6, 3) == account(read(tmp_path, "events.csv", b"\xef\xbb\xbf" + FILES["csv"]))[:2]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz"])
def test_utf16_is_refused_with_the_way_out(tmp_path: Path, encoding: str, ending: str) -> None:
    content = (FILES["jsonl"] if ending == "jsonl" else FILES["csv"]).decode()
    raw = ("\ufeff" + content if encoding.endswith("be") else content).encode(encoding)
    raw = gzip.compress(raw) if ending.endswith("gz") else raw
    assert (f"events.{ending}:1: the file is UTF-16 text\n  allowed: UTF-8\n  try: add `encoding: utf-16`") == refusal(
        tmp_path, f"events.{ending}", raw
    )


WAY_OUT = "say what it is: `encoding: cp1252` (Windows, Western Europe), `latin-1` or `utf-16`; or export UTF-8"


def test_rows_that_are_no_utf8_are_quarantined_and_told_the_way_out(tmp_path: Path) -> None:
    tables = read(tmp_path, "events.csv", NAMES.encode("cp1252") + b"e3,8,2026-02-01,1\n")
    assert (3, 1, {"not UTF-8 text": 2}) == account(tables)
    message = refusal(tmp_path, "events.csv", NAMES.encode("cp1252"), allowance=0.01)
    assert "events.csv: 2 of 2 rows break a rule" in message
    assert message.splitlines()[-1].endswith(WAY_OUT)
    tables = read(tmp_path, "events.jsonl", lines(*ROWS).encode("cp1252"))
    assert 1 == account(tables)[2]["not UTF-8 text"]


def test_a_header_that_is_no_utf8_is_told_the_way_out(tmp_path: Path) -> None:
    assert WAY_OUT in refusal(tmp_path, "events.csv", EVENTS.replace("id", "identité", 1).encode("latin-1"))


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_utf8_is_not_read_as_something_else(tmp_path: Path, encoding: str) -> None:
    """Otherwise é would become Ã© in every name, without a word."""
    message = refusal(tmp_path, "events.csv", NAMES, encoding=encoding)
    assert f"events.csv: the file is UTF-8 text, and sources.yaml says {encoding}\n" in message
    assert "leave `encoding` out" in message
    assert (2, 2) == account(read(tmp_path, "events.csv", EVENTS, encoding=encoding))[:2]


def test_what_its_encoding_does_not_know_is_refused_with_its_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "events.csv", NAMES.encode("cp1252") + b"\x81,8,2026-02-01,1\n", encoding="cp1252")
    assert "events.csv:4: the file is not cp1252 text\n" in message
    assert "not utf-16 text" in refusal(tmp_path, "events.csv", NAMES.encode("utf-16")[:-1], encoding="utf-16")


# gzip


def test_gzip_is_known_by_its_bytes_whatever_the_name(tmp_path: Path) -> None:
    assert 3 == account(read(tmp_path, "events.csv", FILES["csv.gz"]))[1]
    # several members one after the other are one file
    halves = FILES["csv"][:40], FILES["csv"][40:]
    assert 3 == account(read(tmp_path, "events.csv.gz", b"".join(map(gzip.compress, halves))))[1]


@pytest.mark.parametrize("ending", ["csv.gz", "jsonl.gz"])
def test_a_gzip_file_that_is_cut_off_damaged_or_none_is_refused(tmp_path: Path, ending: str) -> None:
    whole, name = FILES[ending], f"events.{ending}"
    for end in (3, 10, len(whole) // 2, len(whole) - 1):
        assert f"{name}: the gzip file is cut off\n" in refusal(tmp_path, name, whole[:end])
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    assert f"{name}: the gzip file is damaged\n" in refusal(tmp_path, name, bytes(flipped))
    assert f"{name}: the gzip file is damaged\n" in refusal(tmp_path, name, whole + b"more")
    assert f"{name}: the file is no gzip file\n" in refusal(tmp_path, name, FILES["csv"])
    assert f"{name}: the file is empty\n" in refusal(tmp_path, name, b"")


def test_nothing_is_left_of_what_was_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    read(tmp_path, "events.csv.gz", FILES["csv.gz"])
    refusal(tmp_path, "events.csv.gz", FILES["csv.gz"][:-1])
    assert [] == list(place.iterdir())


# JSON lines


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("[1, 2]", "not a JSON object"),
        ('"e9"', "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"id": "e9"', "not a JSON object"),
        ('{"id": "e9"} {"id": "e8"}', "not a JSON object"),
        ("id,customer", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('{"id": ' + "[" * 100_000, "not a JSON object"),
        ('{"id": "e9", "id": "e8"}', "a key stands twice"),
        ('{"id": "e9", "ID": "e8"}', "a key stands twice"),
        ('{"": "e9"}', "a key has no name"),
        ("{}", "an object without a key"),
        ('{"id": "\\ud800"}', "not UTF-8 text"),
    ],
)
def test_a_line_that_is_no_object_is_quarantined_with_its_line(tmp_path: Path, line: str, rule: str) -> None:
    tables = read(tmp_path, "events.jsonl", lines(*ROWS[:2]) + line + "\n" + lines(ROWS[2]))
    assert (4, 3, {rule: 1}) == account(tables)
    assert [("events.jsonl", 3, rule, line[:200])] == quarantine(tables)


def test_values_become_the_text_that_stands_in_the_file(tmp_path: Path) -> None:
    values = (
        '9007199254740993, 1.10, 1e999, true, null, NaN, {"b": [1.0, "é", null, {}]}, "", "NA", 12345678901234567890123'
    )
    row = '{"id": "e1", "customer": "8", "when": "2026-02-01", ' + ", ".join(
        f'"v{number}": {value}' for number, value in enumerate(values.split(", ", 6)[:6])
    )
    row += ', "v6": {"b": [1.0, "é", null, {}]}, "v7": "", "v8": "NA", "v9": 12345678901234567890123}\n'
    sources = changed(shop={"from": "events.jsonl", "types": {}})
    sources["tables"]["interactions"][0]["measures"] = {}
    sources["tables"]["interactions"][0]["columns"]["text"] = "concat_ws('|', {})".format(
        ", ".join(f"coalesce(v{number}, '-')" for number in range(10))
    )
    tables = loaded(tmp_path, sources, events__jsonl=row)
    assert [('9007199254740993|1.10|1e999|true|-|-|{"b":[1.0,"é",null,{}]}|-|NA|12345678901234567890123',)] == events(
        tables, "text"
    )


def test_a_key_that_shows_up_late_is_a_column_and_capitals_make_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("churnwatch.sources.raw.Texts._BATCH", 2)
    more = [{**ROWS[0], "id": f"m{number}"} for number in range(3)] + [{**ROWS[0], "id": "last", "note": "yes"}]
    more[1]["AMOUNT"] = more[1].pop("amount")
    sources = changed(shop={"from": "events.jsonl"})
    sources["tables"]["interactions"][0]["columns"]["text"] = "note"
    tables = loaded(tmp_path, sources, events__jsonl=lines(*more))
    assert [("last", 5.0, "yes"), ("m0", 5.0, None), ("m1", 5.0, None), ("m2", 5.0, None)] == events(
        tables, "interaction_id, amount, text"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "events.jsonl:1: the file is empty\n"),
        (" \n\n", "events.jsonl:1: the file is empty\n"),
        ("\n[\n" + lines(*ROWS), "there is no"),
        ("[" + json.dumps(ROWS) + "]", "events.jsonl:1: no line holds an object with a key\n"),
        (json.dumps(ROWS, indent=1), "events.jsonl:1: no line holds an object with a key\n"),
        (
            lines({f"C{number}": 1 for number in range(1001)}),
            "events.jsonl:1: the lines up to here have more than 1,000",
        ),
    ],
)
def test_a_file_without_objects_is_refused(tmp_path: Path, content: str, told: str) -> None:
    if told == "there is no":  # one bad line among good ones is a row
        assert {"not a JSON object": 1} == {
            rule: count for rule, count in account(read(tmp_path, "events.jsonl", content))[2].items() if "JSON" in rule
        }
        return
    message = refusal(tmp_path, "events.jsonl", content)
    assert message.startswith(told)
    assert "C7" not in message


# XLSX


HEADER = ("id", "customer", "when", "amount")


def test_a_sheet_is_named_or_the_first(tmp_path: Path) -> None:
    content = book(HEADER, ("e1", "8", "2026-02-01", 1), title="Events", before="Notes")
    assert (1, 1, {}) == account(read(tmp_path, "events.xlsx", content, sheet="Events"))
    assert "events.xlsx: id: there is no column id" in refusal(tmp_path, "events.xlsx", content, types={})
    assert (
        "events.xlsx: there is no sheet events\n"
        "  allowed: the sheets of the workbook: Notes, Events\n"
        "  try: did you mean Events?"
    ) == refusal(tmp_path, "events.xlsx", content, sheet="events")


def test_cells_become_the_text_that_csv_would_have(tmp_path: Path) -> None:
    values: dict[str, tuple[Any, str]] = {
        "a": (900719925474099, "900719925474099"),
        "b": (13085.0, "13085"),
        "c": (7.25, "7.25"),
        "d": ("007", "007"),
        "e": ("NA", "NA"),
        "f": (True, "true"),
        "g": (datetime(2026, 2, 1, 10, 30), "2026-02-01 10:30:00"),
        "h": (date(2026, 2, 1), "2026-02-01 00:00:00"),
        "i": (time(10, 30), "10:30:00"),
        "j": (timedelta(hours=30, minutes=5), "30:05:00"),
        "k": (None, "-"),
        "l": ("", "-"),
        "m": ("#N/A", "#N/A"),
        "n": (-0.5, "-0.5"),
    }
    sources = changed(shop={"from": "events.xlsx", "types": {}})
    sources["tables"]["interactions"][0]["measures"] = {}
    sources["tables"]["interactions"][0]["columns"]["text"] = "concat_ws('|', {})".format(
        ", ".join(f"coalesce({name}, '-')" for name in values)
    )
    content = book(
        ("id", "customer", "when", *values), ("e1", 8, datetime(2026, 2, 1), *(value for value, _ in values.values()))
    )
    tables = loaded(tmp_path, sources, events__xlsx=content)
    assert [("8", datetime(2026, 1, 31, 17), "|".join(text for _, text in values.values()))] == events(
        tables, 'customer_id, "at", text'
    )


def test_a_line_is_a_row_of_the_sheet_and_blank_rows_are_none(tmp_path: Path) -> None:
    good = ("e1", "8", "2026-02-01", 1)
    rows = [HEADER, good, (), (None, "", None, None), ("e2", "8", "2026-02-01", "x"), ("e3", "8"), (*good, "more")]
    tables = read(tmp_path, "events.xlsx", book(*rows))
    assert [
        ("events.xlsx", 5, "amount is not a number", "x"),
        ("events.xlsx", 6, "interactions.at is missing", ""),
        ("events.xlsx", 7, "too many columns", ""),
    ] == quarantine(tables)
    assert (4, 1) == account(tables)[:2]


def rewritten(content: bytes, part: str, old: str, new: str) -> bytes:
    """The workbook with other XML in one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w") as target:
        for name in archive.namelist():
            text = archive.read(name).decode()
            if name == part:
                assert old in text
                text = text.replace(old, new)
            target.writestr(name, text)
    return out.getvalue()


def with_formula(value: str) -> bytes:
    """A workbook whose amount is =2*3, and ``value`` what the program kept of it, as XML."""
    content = book(HEADER, ("e1", "8", "2026-02-01", "=2*3"), ("e2", "8", "2026-02-01", 1))
    return rewritten(content, SHEET, "<v />", value)


def test_a_number_keeps_its_digits(tmp_path: Path) -> None:
    content = book(HEADER, (77777, 8.0, "2026-02-01", 1), (88888, 8, "2026-02-01", 1))
    content = rewritten(content, SHEET, "<v>77777</v>", "<v>9007199254740993</v>")
    content = rewritten(content, SHEET, "<v>88888</v>", "<v>1e999</v>")
    tables = read(tmp_path, "events.xlsx", content)
    assert [("9007199254740993", "8"), ("inf", "8")] == events(tables, "interaction_id, customer_id")


def test_of_a_formula_the_value_counts_that_was_kept(tmp_path: Path) -> None:
    tables = read(tmp_path, "events.xlsx", with_formula("<v>6</v>"))
    assert [("e1", 6.0), ("e2", 1.0)] == events(tables, "interaction_id, amount")


def test_a_formula_whose_value_was_never_kept_quarantines_its_row(tmp_path: Path) -> None:
    tables = read(tmp_path, "events.xlsx", with_formula(""))
    assert [("events.xlsx", 2, "a formula without its value", "")] == quarantine(tables)
    assert (2, 1) == account(tables)[:2]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (("id", None, "when", "amount"), "events.xlsx:1: the header has no name in column B\n"),
        (("id", "customer", " ", "amount"), "events.xlsx:1: the header has no name in column C\n"),
        (("id", "customer", "when", "When"), "events.xlsx:1: the column When stands twice in the header"),
        ((), "events.xlsx:1: the first row is empty\n"),
    ],
)
def test_a_header_with_blank_or_repeated_cells_is_refused(tmp_path: Path, header: tuple[Any, ...], told: str) -> None:
    message = refusal(tmp_path, "events.xlsx", book(header, ("e1", "8", "2026-02-01", 1)))
    assert message.startswith(told)


def test_a_merged_header_is_refused(tmp_path: Path) -> None:
    workbook, file = Workbook(), io.BytesIO()
    sheet = workbook.active
    sheet.append(HEADER)
    sheet.append(("e1", "8", "2026-02-01", 1))
    sheet.merge_cells("A1:B1")
    workbook.save(file)
    message = refusal(tmp_path, "events.xlsx", file.getvalue())
    assert message.startswith("events.xlsx:1: the header has no name in column B\n")
    assert "of merged cells only the first has one" in message


def test_an_empty_sheet_is_refused_and_a_header_alone_is_told(tmp_path: Path) -> None:
    assert "events.xlsx:1: the first row is empty\n" in refusal(tmp_path, "events.xlsx", book())
    assert "events.xlsx has a header and no rows\n" in refusal(tmp_path, "events.xlsx", book(HEADER))


def test_a_workbook_that_is_cut_off_damaged_or_none_is_refused(tmp_path: Path) -> None:
    whole = FILES["xlsx"]
    for content in (b"", b"PK", whole[: len(whole) // 2], whole[:-1], FILES["csv"]):
        message = refusal(tmp_path, "events.xlsx", content)
        assert message.startswith("events.xlsx: the workbook is cut off or damaged (")
    assert "an old .xls, or has a password" in refusal(tmp_path, "events.xlsx", b"\xd0\xcf\x11\xe0" + bytes(512))


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", STRINGS])
def test_a_workbook_whose_xml_is_broken_or_gone_is_refused(tmp_path: Path, part: str) -> None:
    for how in ("cut", "gone"):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(FILES["xlsx"])) as archive, zipfile.ZipFile(out, "w") as broken:
            for name in archive.namelist():
                text = archive.read(name)
                if name == part and how == "gone":
                    continue
                broken.writestr(name, text[: len(text) // 2] if name == part else text)
        assert "events.xlsx: " in refusal(tmp_path, "events.xlsx", out.getvalue())


@pytest.mark.parametrize("end", [0, 4, 100, -1])
def test_a_parquet_file_that_is_cut_off_is_refused(tmp_path: Path, end: int) -> None:
    message = refusal(tmp_path, "events.parquet", FILES["parquet"][:end])
    assert message.startswith("events.parquet: ")
    assert "allowed: a readable Parquet file" in message


def test_the_library_that_reads_workbooks_is_loaded_for_them_alone(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "customers.csv").write_text(CUSTOMERS)
    code = "import sys, churnwatch.sources.reading; sys.exit('openpyxl' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


@pytest.mark.parametrize(
    ("content", "marked"),
    [
        (b"\xef\xbb\xbfid,when\n", True),
        (gzip.compress(b"\xef\xbb\xbfid,when\n", mtime=0), True),
        (b"id,when\n", False),
        (gzip.compress(b"id,when\n", mtime=0), False),
        (b"", False),
    ],
)
def test_a_byte_order_mark_is_seen(tmp_path: Path, content: bytes, marked: bool) -> None:
    (tmp_path / "events.csv").write_bytes(content)
    assert marked == has_mark(tmp_path / "events.csv")
