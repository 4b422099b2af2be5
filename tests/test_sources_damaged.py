"""Files that are damaged in a way their reader does not see: found by the fuzz, refused with one message."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_files import CUSTOMERS, changed, loaded, quarantine

import churnwatch.sources.raw
from churnwatch.errors import DataRefused

EVENT = {"id": "e1", "customer": "8", "when": "2026-02-01", "amount": 1.0}


@pytest.fixture(params=[0, 200_000], ids=["in place", "copied"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """From how many rows on a Parquet file is read in place."""
    monkeypatch.setattr(churnwatch.sources.raw, "LARGE", request.param)


def refusal(tmp_path: Path, file: str, content: bytes) -> str:
    """The message with which events in ``file`` are refused; their exit code is 4."""
    with pytest.raises(DataRefused) as caught:
        loaded(tmp_path, changed(shop={"from": file}), **{file.replace(".", "__"): content})
    assert 4 == caught.value.exit_code
    return caught.value.message


def table_bytes(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def parquet(columns: dict[str, object], rows: int) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({name: [value] * rows for name, value in columns.items()}), out, row_group_size=2)
    return out.getvalue()


def miscounted(data: bytes) -> list[bytes]:
    """``data`` with one bit of its footer flipped, where the rows of its groups no longer add up or are negative."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    found = []
    for place in range(footer, len(data) - 8):
        for bit in (0, 1):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            try:
                told = pq.read_metadata(io.BytesIO(bytes(flipped)))
                counts = [told.row_group(group).num_rows for group in range(told.num_row_groups)]
            except (pa.ArrowException, OSError, ValueError):
                continue
            if sum(counts) != told.num_rows and told.num_row_groups == 3:
                found.append(bytes(flipped))
    return found


@pytest.mark.usefixtures("large")
def test_a_footer_that_gives_two_numbers_of_rows_is_refused(tmp_path: Path) -> None:
    """DuckDB counts by one and reads by the other, so that a row would be lost or its number given twice."""
    damaged = miscounted(parquet(EVENT, 6))
    assert len(damaged) >= 4  # of the file and of each of its three groups
    for content in damaged:
        message = refusal(tmp_path, "events.parquet", content)
        assert message.startswith("events.parquet: ")
        assert "allowed: a readable Parquet file" in message


@pytest.mark.usefixtures("large")
def test_a_damaged_value_is_judged_though_the_statistics_say_that_it_cannot_be(tmp_path: Path) -> None:
    """A page without a checksum, one bit of it flipped: the middle one of three times lies in the far future."""
    times = [datetime(2026, 2, day) for day in (1, 2, 3)]  # UTC, see the source's zone
    columns = {
        "id": ["e1", "e2", "e3"],
        "customer": ["8"] * 3,
        "when": pa.array(times, pa.timestamp("us")),
        "amount": [1.0] * 3,
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="none", use_dictionary=False)
    data = out.getvalue()
    whole = int(times[1].replace(tzinfo=UTC).timestamp() * 1e6).to_bytes(8, "little")
    assert 1 == data.count(whole)  # in its page, and in no statistics
    damaged = data.replace(whole, whole[:6] + bytes([whole[6] ^ 0x10]) + whole[7:])
    sources = changed(shop={"from": "events.parquet", "zone": "UTC", "types": {}})
    tables = loaded(tmp_path, sources, events__parquet=damaged)
    assert {"interactions.known_at in the future": 1} == tables.accounting[1].quarantined
    assert [("e1",), ("e3",)] == tables.con.execute("SELECT interaction_id FROM interactions ORDER BY 1").fetchall()


@pytest.mark.usefixtures("large")
def test_a_text_that_is_no_utf8_is_not_repeated(tmp_path: Path) -> None:
    """A careless writer leaves Latin-1 in a column of texts."""
    name = "Siti Aminah é".encode("latin-1")
    offsets = b"".join((len(name) * row).to_bytes(4, "little") for row in range(3))
    customer = pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(offsets), pa.py_buffer(name * 2)])
    out = io.BytesIO()
    pq.write_table(pa.table({**{key: [value] * 2 for key, value in EVENT.items()}, "customer": customer}), out)
    message = refusal(tmp_path, "events.parquet", out.getvalue())
    assert "Invalid string encoding" in message
    assert "Siti" not in message


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("amo\0unt", "the name of a column holds a NUL"),
        ("Churnwatch row", "the name of a column begins with churnwatch"),
    ],
)
def test_a_name_that_sql_cannot_hold_or_that_is_ours_is_refused(tmp_path: Path, name: str, told: str) -> None:
    assert f"events.parquet: {told}" in refusal(tmp_path, "events.parquet", parquet({**EVENT, name: "x"}, 2))


def test_a_name_that_is_ours_is_refused_in_text_too(tmp_path: Path) -> None:
    told = "the name of a column begins with churnwatch"
    line = json.dumps({**EVENT, "churnwatch row": 1}).encode()
    assert f"events.jsonl:1: {told}" in refusal(tmp_path, "events.jsonl", line)
    assert f"events.csv: {told}" in refusal(tmp_path, "events.csv", b"id,customer,when,amount,churnwatch rule\n")


@pytest.mark.parametrize("sign", [";", "\t", "\x01"])
def test_a_first_row_of_another_delimiter_is_not_told_as_a_header(tmp_path: Path, sign: str) -> None:
    row = sign.join(["e1", "8", "2026-02-01 10:00", "Siti Aminah"])
    message = refusal(tmp_path, "events.csv", f"{row}\n{row}\n".encode())
    assert "Siti" not in message
    assert "the first line of the file looks like a row" in message


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("file", ["events.csv", "events.jsonl", "events.parquet"])
def test_a_column_called_rowid_is_a_column_like_others(tmp_path: Path, file: str) -> None:
    """Oracle exports one. DuckDB's own, which tells the rows apart, is not to be taken for it."""
    rows = [{**EVENT, "id": f"e{number}", "rowid": 7, "amount": number or None} for number in range(4)]
    rows[2]["customer"] = None
    table = pa.Table.from_pylist(rows)
    content = {
        "events.csv": 'id,customer,when,ROWID,amount\ne0,8,2026-02-01,7,\ne1,8,2026-02-01,"7\n",1\n'
        "e2,,2026-02-01,7,2\ne3,8,2026-02-01,7,3\n",
        "events.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
        "events.parquet": table_bytes(table),
    }[file]
    tables = loaded(tmp_path, changed(shop={"from": file}), **{file.replace(".", "__"): content})
    line = {"events.csv": 5, "events.jsonl": 3, "events.parquet": 3}[file]
    assert [(file, line, "interactions.customer_id is missing", "")] == quarantine(tables)
    left = tables.con.execute("SELECT interaction_id FROM interactions ORDER BY 1").fetchall()
    assert [("e0",), ("e1",), ("e3",)] == left


def test_a_header_without_end_is_refused_at_once(tmp_path: Path) -> None:
    """With 100,000 names DuckDB does not come back for minutes."""
    assert "events.csv:1: the header has 16,385 columns" in refusal(tmp_path, "events.csv", b"," * 16_384 + b"\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "cp1252"])
def test_utf16_that_was_declared_begins_with_its_mark(tmp_path: Path, encoding: str) -> None:
    sources = changed(shop={"encoding": "utf-16"})
    with pytest.raises(DataRefused, match=r"events\.csv:1: the file does not begin with the byte order mark of utf-16"):
        loaded(tmp_path, sources, events="id,customer,when,amount\n".encode(encoding))


def test_the_clean_files_of_these_tests_load(tmp_path: Path) -> None:
    for file, content in (("events.parquet", parquet(EVENT, 1)), ("events.jsonl", json.dumps(EVENT).encode())):
        sources = changed(shop={"from": file})
        tables = loaded(tmp_path, sources, customers=CUSTOMERS, **{file.replace(".", "__"): content})
        assert (1, 1) == (tables.accounting[1].read, tables.accounting[1].accepted)
