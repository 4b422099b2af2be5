"""Dirt that parses: ids, times and rows that look right one by one and are not, each counted under its own rule."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_files import CUSTOMERS, EVENTS, SURVEY_HEADER, changed, loaded, quarantine, with_surveys

import churnwatch.sources.raw
from churnwatch.errors import DataRefused
from churnwatch.sources import Tables

HEADER = "id,customer,when,amount\n"


def account(tables: Tables, source: int = 1) -> tuple[int, int, dict[str, int]]:
    """(read, accepted, quarantined) of the events; the law holds."""
    one = tables.accounting[source]
    assert one.read == one.accepted + sum(one.excluded.values()) + sum(one.quarantined.values())
    return one.read, one.accepted, one.quarantined


def ids(tables: Tables) -> list[str]:
    found = tables.con.execute("SELECT interaction_id FROM interactions ORDER BY 1").fetchall()
    return [interaction for (interaction,) in found]


def refusal(data: Path, sources: dict[str, Any] | None = None, **files: str | bytes) -> str:
    with pytest.raises(DataRefused) as caught:
        loaded(data, sources, **files)
    assert 4 == caught.value.exit_code
    assert caught.value.hint
    return caught.value.message


def strict(**source: Any) -> dict[str, Any]:
    """SOURCES in which no event may be quarantined."""
    return changed(shop={"allowance": 0, **source})


# Rows and files that come twice


def test_a_row_wholly_equal_to_an_earlier_one_is_told_apart_from_an_id_with_other_content(tmp_path: Path) -> None:
    first, second = EVENTS.splitlines()[1:]
    other = first.replace(",5", ",6")
    tables = loaded(tmp_path, events=EVENTS + "\n".join([first, other, second, other, first]) + "\n")
    repeats = "interactions.interaction_id repeats"
    assert (
        [
            (4, "exact duplicate", "e1"),
            (5, repeats, "e1"),
            (6, "exact duplicate", "e2"),
            (7, "exact duplicate", "e1"),  # of line 5
            (8, "exact duplicate", "e1"),
        ]
        == [row[1:] for row in quarantine(tables)]
    )
    assert (7, 2, {"exact duplicate": 4, repeats: 1}) == account(tables)
    assert [(5.0,), (7.5,)] == tables.con.execute("SELECT amount FROM interactions ORDER BY 1").fetchall()


def test_rows_without_a_value_in_some_columns_may_be_equal_too(tmp_path: Path) -> None:
    tables = loaded(tmp_path, events=EVENTS + "e3,8,2026-02-03,\ne3,8,2026-02-03,\n")
    assert {"exact duplicate": 1} == account(tables)[2]


def test_one_row_that_two_mappings_give_the_same_id_is_no_duplicate_of_itself(tmp_path: Path) -> None:
    sources = changed()
    sources["tables"]["interactions"] *= 2
    rule = "interactions.interaction_id repeats"
    with pytest.raises(DataRefused, match="the table is empty"):
        loaded(tmp_path, sources)
    sources["tables"]["interactions"][1] = {**sources["tables"]["interactions"][1], "where": "id = 'e1'"}
    assert (2, 1, {rule: 1}) == account(loaded(tmp_path, sources))


@pytest.mark.parametrize("in_place", [False, True])
def test_grouped_rows_may_be_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: bool) -> None:
    """Two lines of an invoice over the same article are no fault: a SELECT says what they mean."""
    monkeypatch.setattr(churnwatch.sources.raw, "LARGE", 0 if in_place else 10)
    select = """SELECT id AS interaction_id, any_value(customer) AS customer_id, min("when") AS "at",
        min("when") AS known_at, 'buy' AS kind, sum(amount) AS amount FROM shop GROUP BY id"""
    sources = changed(mapping={"source": "shop", "select": select, "measures": {"amount": "amount"}})
    tables = loaded(tmp_path, sources, events=EVENTS + EVENTS.splitlines()[1] + "\n")
    assert (3, 3, {}) == account(tables)
    assert [(7.5,), (10.0,)] == tables.con.execute("SELECT amount FROM interactions ORDER BY 1").fetchall()


def test_a_delivery_appended_to_the_last_one_is_refused_with_what_to_do(tmp_path: Path) -> None:
    twice = EVENTS + EVENTS.split("\n", 1)[1]
    assert refusal(tmp_path, changed(shop={"allowance": 0.01}), events=twice).splitlines() == [
        "events.csv: 2 of 4 rows break a rule, more than the allowance of 0.01",
        "    2 × exact duplicate",
        "    events.csv:4: exact duplicate",
        "    events.csv:5: exact duplicate",
        "  try: take out what was delivered twice: a whole file, a part of one, or rows that another source has",
    ]


def desk(file: str, interaction: str = "id", **source: Any) -> dict[str, Any]:
    """SOURCES and a second source of interactions."""
    sources = changed(desk={"from": file, **source})
    columns = sources["tables"]["interactions"][0]["columns"] | {"interaction_id": interaction}
    sources["tables"]["interactions"].append({"source": "desk", "columns": columns})
    return sources


def test_the_same_file_under_two_names_is_refused(tmp_path: Path) -> None:
    """With ids of their own its events would count twice without a word."""
    message = refusal(tmp_path, desk("more.csv", "'desk:' || id"), more=EVENTS)
    assert (
        "more.csv: the file is events.csv again, byte for byte\n"
        "  allowed: each delivery once\n"
        "  try: fetch the right file for desk; sources that are to read one file name the same"
    ) == message


def test_files_of_one_size_files_without_rows_and_one_file_for_two_sources_are_no_fault(tmp_path: Path) -> None:
    assert 4 == len(ids(loaded(tmp_path, desk("more.csv", "'desk:' || id"), more=EVENTS.replace("7.5", "7.6"))))
    assert 4 == len(ids(loaded(tmp_path, desk("events.csv", "'desk:' || id"))))
    (tmp_path / "link.csv").symlink_to(tmp_path / "events.csv")
    assert 4 == len(ids(loaded(tmp_path, desk("link.csv", "'desk:' || id"))))
    sources = desk("june.csv")
    sources["sources"]["may"] = {"from": "may.csv"}
    assert 2 == len(ids(loaded(tmp_path, sources, june=HEADER, may=HEADER)))


def test_rows_that_another_source_has_already_are_told_with_its_name(tmp_path: Path) -> None:
    rows = EVENTS + "e3,8,2026-02-03,\n"
    tables = loaded(tmp_path, desk("more.csv", allowance=1.0), more=rows)
    assert (3, 1, {"interactions.interaction_id repeats one of shop": 2}) == account(tables, 2)
    message = refusal(tmp_path, desk("more.csv"), more=rows)
    assert "    2 × interactions.interaction_id repeats one of shop\n" in message
    assert message.endswith(
        "take out what was delivered twice: a whole file, a part of one, or rows that another source has"
    )


# Ids


@pytest.mark.parametrize("file", ["csv", "parquet"])
def test_ids_stay_text_to_the_last_digit(tmp_path: Path, file: str) -> None:
    """2^53 + 1 is the first whole number that a float cannot hold."""
    names = ["007", "7", "NA", "null", "9007199254740993", "9007199254740992", "1e3"]
    customers = "id,since\n" + "".join(f"{name},2026-01-01\n" for name in names)
    rows = [(f"e{number}", name, "2026-02-01", "1") for number, name in enumerate(names)]
    content: str | bytes = HEADER + "".join(",".join(row) + "\n" for row in rows)
    if file == "parquet":
        out = io.BytesIO()
        pq.write_table(
            pa.table(dict(zip(HEADER.strip().split(","), map(list, zip(*rows, strict=True)), strict=True))), out
        )
        content = out.getvalue()
    tables = loaded(
        tmp_path, changed(shop={"from": f"events.{file}"}), customers=customers, **{f"events__{file}": content}
    )
    found = tables.con.execute("SELECT customer_id FROM interactions ORDER BY interaction_id").fetchall()
    assert [(name,) for name in names] == found


def numbers(kind: pa.DataType, customers: list[Any]) -> bytes:
    """Events as Parquet, whose customers are numbers."""
    out, count = io.BytesIO(), len(customers)
    columns = {"id": [f"e{number}" for number in range(count)], "when": ["2026-02-01"] * count, "amount": ["1"] * count}
    pq.write_table(pa.table({**columns, "customer": pa.array(customers, kind)}), out)
    return out.getvalue()


def test_whole_numbers_of_parquet_keep_their_digits(tmp_path: Path) -> None:
    tables = loaded(
        tmp_path,
        changed(shop={"from": "events.parquet"}),
        customers="id,since\n9007199254740993,2026-01-01\n7,2026-01-01\n",
        events__parquet=numbers(pa.int64(), [2**53 + 1, 7]),
    )
    assert [("e0", "9007199254740993"), ("e1", "7")] == tables.con.execute(
        "SELECT interaction_id, customer_id FROM interactions ORDER BY 1"
    ).fetchall()


@pytest.mark.parametrize(("kind", "most"), [(pa.float64(), 2**53), (pa.float32(), 2**24)])
@pytest.mark.parametrize("large", [0, 1000])
def test_an_id_that_lost_its_last_digits_in_a_float_is_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: pa.DataType, most: int, large: int
) -> None:
    """Its neighbours are the same number, and two customers would become one."""
    monkeypatch.setattr(churnwatch.sources.raw, "LARGE", large)
    tables = loaded(
        tmp_path,
        changed(shop={"from": "events.parquet"}),
        customers=f"id,since\n{most - 1},2026-01-01\n{most},2026-01-01\n",
        events__parquet=numbers(kind, [float(most - 1), float(most), -float(most)]),
    )
    rule = "interactions.customer_id lost digits as a float"
    assert [("events.parquet", line, rule, "") for line in (2, 3)] == quarantine(tables)
    assert ["e0"] == ids(tables)


COMPOSED, APART = "caf\u00e9", "cafe\u0301"
"""One word in two normal forms of Unicode: é as one sign, and as an e with an accent after it."""


def test_an_id_in_two_normal_forms_is_one_id_and_said_so(tmp_path: Path) -> None:
    tables = loaded(
        tmp_path,
        customers=f"id,since\n{APART},2026-01-01\n8,2026-01-01\n",
        events=f"{HEADER}e1,{COMPOSED},2026-02-01,1\ne2,{APART},2026-02-01,1\n{APART},8,2026-02-01,1\n",
    )
    assert [(COMPOSED, "8"), ("e1", COMPOSED), ("e2", COMPOSED)] == tables.con.execute(
        "SELECT interaction_id, customer_id FROM interactions ORDER BY 1"
    ).fetchall()
    form = "was not in Unicode's form NFC, and is mended: two spellings of one id are one id"
    assert (
        f"customers.csv: customer_id of 1 customers {form}",
        f"events.csv: interaction_id of 1 interactions {form}",
        f"events.csv: customer_id of 1 interactions {form}",
    ) == tables.warnings


@pytest.mark.parametrize("large", [0, 1000])
def test_ids_that_collide_in_their_normal_form_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(churnwatch.sources.raw, "LARGE", large)
    out = io.BytesIO()
    rows = {"id": [COMPOSED, APART], "customer": ["8", "8"], "when": ["2026-02-01"] * 2, "amount": ["1", "1"]}
    pq.write_table(pa.table(rows), out)
    tables = loaded(tmp_path, changed(shop={"from": "events.parquet"}), events__parquet=out.getvalue())
    assert [("events.parquet", 2, "interactions.interaction_id repeats", COMPOSED)] == quarantine(tables)
    assert [COMPOSED] == ids(tables)
    assert 1 == len(tables.warnings)


def test_other_texts_stay_as_they_are(tmp_path: Path) -> None:
    sources = changed()
    sources["tables"]["interactions"][0]["columns"]["text"] = "id"
    tables = loaded(tmp_path, sources, events=f"{HEADER}{APART},8,2026-02-01,1\n")
    assert [(APART,)] == tables.con.execute("SELECT text FROM interactions").fetchall()


# Times


def test_one_column_may_mix_offsets_and_the_declared_zone(tmp_path: Path) -> None:
    times = [
        "2026-02-01 10:00",
        "2026-02-01T10:00Z",
        "2026-02-01 10:00+09:00",
        "2026-02-01T10:00:00-0500",
        "2026-02-01",
        "2026-02-01 10:00:00 +07:00",
        "2026-02-01T10:00:00z",
        "2026-02-01 10:00:00.5 +0730",
    ]
    events = HEADER + "".join(f"e{number},8,{at},1\n" for number, at in enumerate(times))
    tables = loaded(tmp_path, events=events)
    assert [
        datetime(2026, 2, 1, 3),  # Jakarta
        datetime(2026, 2, 1, 10),
        datetime(2026, 2, 1, 1),
        datetime(2026, 2, 1, 15),
        datetime(2026, 1, 31, 17),
        datetime(2026, 2, 1, 3),
        datetime(2026, 2, 1, 10),
        datetime(2026, 2, 1, 2, 30, 0, 500_000),
    ] == [at for (at,) in tables.con.execute('SELECT "at" FROM interactions ORDER BY interaction_id').fetchall()]


@pytest.mark.parametrize("form", ["csv", "timestamp", "strptime"])
def test_civil_times_that_do_not_exist_or_exist_twice_are_read_by_one_rule(tmp_path: Path, form: str) -> None:
    """What is skipped is an hour later, of what comes twice the second is meant: London, March and October."""
    times = ["2026-03-29 00:59", "2026-03-29 01:30", "2026-03-29 02:30", "2025-10-26 01:30", "2025-10-26 02:00"]
    expected = [
        datetime(2026, 3, 29, 0, 59),
        datetime(2026, 3, 29, 1, 30),  # 01:30 was skipped: 02:30 in summer time
        datetime(2026, 3, 29, 1, 30),
        datetime(2025, 10, 26, 1, 30),  # in winter time
        datetime(2025, 10, 26, 2, 0),
    ]
    sources = changed(shop={"zone": "Europe/London"})
    files: dict[str, Any] = {}
    if form == "timestamp":
        out = io.BytesIO()
        local = pa.array([datetime.fromisoformat(one) for one in times], pa.timestamp("us"))
        columns = {"id": [f"e{n}" for n in range(5)], "customer": ["8"] * 5, "when": local, "amount": ["1"] * 5}
        pq.write_table(pa.table(columns), out)
        sources["sources"]["shop"]["from"] = "events.parquet"
        files["events__parquet"] = out.getvalue()
    else:
        files["events"] = HEADER + "".join(f"e{number},8,{at},1\n" for number, at in enumerate(times))
        if form == "strptime":
            columns = sources["tables"]["interactions"][0]["columns"]
            columns["at"] = columns["known_at"] = "strptime(\"when\", '%Y-%m-%d %H:%M')"
    tables = loaded(tmp_path, sources, customers="id,since\n8,2020-01-01\n", **files)
    found = tables.con.execute('SELECT "at" FROM interactions ORDER BY interaction_id').fetchall()
    assert expected == [at for (at,) in found]


SECONDS = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("raw", "sql", "rule"),
    [
        (SECONDS, "to_timestamp({})", None),
        (SECONDS * 1000, "to_timestamp({} / 1000)", None),
        (SECONDS * 1000 + 500, "to_timestamp({} / 1000)", None),
        (SECONDS, "to_timestamp({} / 1000)", "in January 1970"),
        (SECONDS * 1000, "to_timestamp({} / 1000000)", "in January 1970"),
        (SECONDS, "epoch_ms({})", "in January 1970"),
        (0, "to_timestamp({})", "in January 1970"),
        (SECONDS * 1000, "to_timestamp({})", "not from 1900 to 9999"),
        (-SECONDS * 2000, "to_timestamp({})", "not from 1900 to 9999"),
    ],
)
def test_numbers_read_in_the_wrong_unit_break_a_rule_of_their_own(
    tmp_path: Path, raw: int, sql: str, rule: str | None
) -> None:
    sources = changed(shop={"types": {"when": "integer", "amount": "number"}, "allowance": 0})
    columns = sources["tables"]["interactions"][0]["columns"]
    columns["at"] = columns["known_at"] = sql.format('"when"')
    events = f"{HEADER}e1,8,{raw},1\n"
    if rule is None:
        tables = loaded(tmp_path, sources, events=events)
        assert [(datetime(2026, 2, 1),)] == tables.con.execute(
            "SELECT date_trunc('second', \"at\") FROM interactions"
        ).fetchall()
        return
    message = refusal(tmp_path, sources, events=events)
    assert f"    events.csv:2: interactions.at {rule}: at " in message
    assert message.splitlines()[-1] == (
        "  try: a time in January 1970 or beyond the year 9999 is a number read in the wrong unit: for numbers "
        "since 1970 declare the column `integer` under `types` and write `to_timestamp(column)` of seconds, "
        "`to_timestamp(column / 1000)` of milliseconds"
    )


@pytest.mark.parametrize("types", [{}, {"when": "time"}])
@pytest.mark.parametrize("raw", [SECONDS, SECONDS * 1000])
def test_numbers_where_times_belong_are_told_how_to_read_them(tmp_path: Path, raw: int, types: dict[str, str]) -> None:
    message = refusal(tmp_path, strict(types=types), events=f"{HEADER}e1,8,{raw},1\n")
    assert "is not a time: #" in message
    assert message.splitlines()[-1].startswith("  try: for numbers since 1970 declare the column `integer`")
    assert "strptime" not in message


@pytest.mark.parametrize(
    ("ended", "rule"),
    [
        ("9999-12-31", None),  # says never
        ("1969-12-30", "customers.ended_at before started_at"),
        ("1970-01-01 00:00+00:00", "customers.ended_at in January 1970"),
        ("0001-01-01", "customers.ended_at not from 1900 to 9999"),
        ("1899-12-30", "customers.ended_at not from 1900 to 9999"),
    ],
)
def test_placeholders_are_no_times_but_for_never(tmp_path: Path, ended: str, rule: str | None) -> None:
    sources = changed(crm={"allowance": 1.0})
    sources["tables"]["customers"][0]["columns"]["ended_at"] = "until"
    customers = f"id,since,until\n007,2026-01-01,{ended}\n8,2026-01-01,\n"
    tables = loaded(tmp_path, sources, customers=customers)
    assert ({} if rule is None else {rule: 1}) == account(tables, 0)[2]


def test_a_time_of_the_future_is_counted_and_left_out(tmp_path: Path) -> None:
    surveys = SURVEY_HEADER + "s1,8,2026-02-01,2027-02-02,5,0,10\ns2,8,2026-02-01,,,,\n"
    tables = loaded(tmp_path, with_surveys(), events=EVENTS + "e3,8,2027-01-01,1\n", surveys=surveys)
    assert (3, 2, {"interactions.known_at in the future": 1}) == account(tables)
    assert (2, 1, {"surveys.answered_at in the future": 1}) == account(tables, 2)
    assert CUSTOMERS.count("\n") - 1 == account(tables, 0)[1]
