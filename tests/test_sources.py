"""Raw tables to canonical tables: the accounting law, times, types, ids, grouped rows, data ends."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_files import CUSTOMERS, EVENTS, NOW, SURVEY_HEADER, changed, loaded, project, quarantine, with_surveys
from ruamel.yaml import YAML

from churnwatch.project import load_project
from churnwatch.sources import Accounting, Tables, load
from churnwatch.sources.mapping import one_thread

NINTH = datetime(2026, 2, 9)
GROUPED = {
    "source": "shop",
    "select": """SELECT customer || ':' || "when" AS interaction_id, customer AS customer_id, min("when") AS "at",
                 min("when") AS known_at,
                 'purchase' AS kind, sum(amount) AS amount FROM shop GROUP BY ALL -- one a day""",
    "measures": {"amount": "amount"},
}


def holds(item: Accounting) -> bool:
    return item.read == item.accepted + sum(item.excluded.values()) + sum(item.quarantined.values())


def rows(tables: Tables, query: str) -> list[tuple[object, ...]]:
    return tables.con.execute(query).fetchall()


def test_rows_become_canonical_rows_with_ids_as_text(tmp_path: Path) -> None:
    tables = loaded(tmp_path, events=EVENTS + "e0,8,2026-02-02 10:00,\n")
    assert [("007", datetime(2025, 12, 31, 17)), ("8", datetime(2026, 1, 1, 17))] == rows(
        tables, "SELECT customer_id, started_at FROM customers ORDER BY ALL"
    )
    # 10:00 in Jakarta is 03:00 UTC
    columns = 'interaction_id, customer_id, "at", known_at, kind, amount, source'
    assert [
        ("e0", "8", datetime(2026, 2, 2, 3), datetime(2026, 2, 2, 3), "purchase", None, "shop"),
        ("e1", "007", datetime(2026, 2, 1, 3), datetime(2026, 2, 1, 3), "purchase", 5.0, "shop"),
        ("e2", "8", datetime(2026, 2, 2, 3), datetime(2026, 2, 2, 3), "purchase", 7.5, "shop"),
    ] == rows(tables, f"SELECT {columns} FROM interactions ORDER BY interaction_id")
    assert ("amount",) == tables.measures
    assert [(False,)] == rows(tables, "SELECT DISTINCT do_not_contact FROM customers")
    assert [(0, 0)] == rows(tables, "SELECT (SELECT count(*) FROM surveys), (SELECT count(*) FROM agents)")


VALUES = {
    # what stands in the row: (id, customer, when, amount), and the rule it must be counted under
    "accepted": ("7", "2026-02-01", "1"),
    "a test": ("TEST", "no time", "no number"),
    "amount is not a number": ("007", "no time", "1_000"),
    "interactions.at is not a time": ("7", "2026-02-30", ""),
    "interactions.at is missing": ("7", " ", "1"),
    "interactions.known_at in the future": ("7", "2026-06-02", "1"),
    "interactions.customer_id is no customer": ("9", "2026-02-01", "1"),
    "interactions.customer_id is missing": ("", "2026-02-01", "1"),
    "too few columns": (),
    "too many columns": ("7", "2026-02-01", "1", "more"),
}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=40),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.sampled_from(["", "x\ny", 'a "b"', "x\n\ny", ","]), min_size=40, max_size=40),
)
def test_every_raw_row_is_accepted_excluded_or_quarantined_under_its_rule_and_line(
    kinds: list[str], end: str, notes: list[str]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(["note", "id", "customer", "when", "amount"])
    expected: dict[int, str] = {}
    for number, (kind, note) in enumerate(zip(kinds, notes, strict=False)):
        if kind not in ("accepted", "a test"):
            expected[text.getvalue().count("\n") + 1] = kind
        writer.writerow([note, f"e{number}", *VALUES[kind]])
        if number % 5 == 4:
            text.write(end)  # a blank line is no row
    # one row that is right, so that the table is never empty
    writer.writerow(["", "last", *VALUES["accepted"]])
    sources = changed(shop={"exclude": [{"rule": "a test", "when": "customer = 'TEST'"}]})
    with tempfile.TemporaryDirectory() as directory:
        tables = loaded(Path(directory), sources, customers="id,since\n7,2026-01-01\n", events=text.getvalue())
    item = tables.accounting[1]
    assert holds(item)
    assert len(kinds) + 1 == item.read
    counts = Counter(kinds)
    assert {"a test": counts["a test"]} == item.excluded
    assert counts["accepted"] + 1 == item.accepted == item.events["interactions"]
    assert Counter(expected.values()) == item.quarantined
    assert expected == {line: rule for _, line, rule, _ in quarantine(tables)}


def test_a_row_that_breaks_a_rule_in_one_mapping_gives_no_events_at_all(tmp_path: Path) -> None:
    sources = changed(shop={"types": {}})
    first = sources["tables"]["interactions"][0]
    second = {
        "source": "shop",
        "where": "amount <> ''",
        "columns": {**first["columns"], "interaction_id": "id || ':paid'", "kind": "'paid'"},
        "measures": {"amount": "amount"},
    }
    first["measures"] = {}
    sources["tables"]["interactions"] = [first, second]
    events = EVENTS + "e3,8,2026-02-03,free\ne4,8,2026-02-03,\n"
    tables = loaded(tmp_path, sources, events=events)
    assert [("e1",), ("e1:paid",), ("e2",), ("e2:paid",), ("e4",)] == rows(
        tables, "SELECT interaction_id FROM interactions ORDER BY ALL"
    )
    assert [("events.csv", 4, "interactions.amount is not a number", "free")] == quarantine(tables)
    assert 5 == tables.accounting[1].events["interactions"]
    assert 3 == tables.accounting[1].accepted


def test_of_rows_with_one_id_the_first_stays(tmp_path: Path) -> None:
    tables = loaded(tmp_path, events=EVENTS + "e1,8,2026-03-01,1\n")
    assert [("events.csv", 4, "interactions.interaction_id repeats", "e1")] == quarantine(tables)
    assert [("007",)] == rows(tables, "SELECT customer_id FROM interactions WHERE interaction_id = 'e1'")


def test_an_event_of_a_quarantined_customer_is_quarantined_too(tmp_path: Path) -> None:
    tables = loaded(
        tmp_path,
        changed(crm={"allowance": 1.0}),
        customers=CUSTOMERS + "9,soon\n",
        events=EVENTS + "e3,9,2026-02-02,\n",
    )
    assert [
        ("customers.csv", 4, "customers.started_at is not a time", "soon"),
        ("events.csv", 4, "interactions.customer_id is no customer", "9"),
    ] == quarantine(tables)


@pytest.mark.parametrize(
    ("raw", "zone", "expected"),
    [
        # text without an offset is civil time in the zone: Jakarta is 7 h ahead, London 1 h in summer
        ("2026-02-01 10:00:00", "Asia/Jakarta", datetime(2026, 2, 1, 3)),
        ("2026-02-01T10:00", "Asia/Jakarta", datetime(2026, 2, 1, 3)),
        ("2026-05-01", "Europe/London", datetime(2026, 4, 30, 23)),
        ("2026-02-01", "Europe/London", datetime(2026, 2, 1)),
        # with an offset it is an instant
        ("2026-02-01T10:00:00Z", "Asia/Jakarta", datetime(2026, 2, 1, 10)),
        ("2026-02-01 10:00:00.25+02:00", "Asia/Jakarta", datetime(2026, 2, 1, 8, 0, 0, 250_000)),
        # the hour that occurs twice means the second (01:30 GMT), the one that is skipped an hour later
        ("2025-10-26 01:30", "Europe/London", datetime(2025, 10, 26, 1, 30)),
        ("2026-03-29 01:30", "Europe/London", datetime(2026, 3, 29, 1, 30)),
    ],
)
@pytest.mark.parametrize("types", [{}, {"when": "time"}])
def test_times_follow_their_offset_else_the_declared_zone(
    tmp_path: Path, raw: str, zone: str, expected: datetime, types: dict[str, str]
) -> None:
    sources = changed(shop={"zone": zone, "types": types}, crm={"zone": "UTC"})
    tables = loaded(tmp_path, sources, events=f"id,customer,when,amount\ne1,007,{raw},1\n")
    assert [(expected,)] == rows(tables, 'SELECT "at" FROM interactions')


def test_parquet_keeps_its_types_and_gives_row_numbers(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array(["a", "b", "c", "d"]),
            "customer": pa.array([13085.0, 13085.0, None, 13085.0]),
            "local": pa.array([datetime(2026, 2, 1, 10)] * 4, pa.timestamp("ns")),
            "instant": pa.array([datetime(2026, 2, 1, 10, tzinfo=UTC)] * 4, pa.timestamp("us", tz="UTC")),
            "day": pa.array([date(2026, 2, 1)] * 4),
            "amount": pa.array([1.5, float("nan"), 1.0, float("inf")]),
        }
    )
    pq.write_table(table, tmp_path / "events.parquet")
    columns = {"interaction_id": "id", "customer_id": "customer", "at": '"day"', "known_at": "instant", "kind": "'x'"}
    sources = changed(
        shop={"from": "events.parquet", "types": {}},
        mapping={"source": "shop", "columns": columns, "measures": {"amount": "amount"}},
    )
    tables = loaded(tmp_path, sources, customers="id,since\n13085,2026-01-01\n")
    # midnight in Jakarta; an id that passed through a float column has no .0; NaN is a missing number
    assert [
        ("a", "13085", datetime(2026, 1, 31, 17), datetime(2026, 2, 1, 10), 1.5),
        ("b", "13085", datetime(2026, 1, 31, 17), datetime(2026, 2, 1, 10), None),
    ] == rows(tables, 'SELECT interaction_id, customer_id, "at", known_at, amount FROM interactions')
    assert [
        ("events.parquet", 3, "interactions.customer_id is missing", ""),
        ("events.parquet", 4, "interactions.amount is not a number", "inf"),
    ] == quarantine(tables)
    sources["tables"]["interactions"][0]["columns"] = {**columns, "at": "local"}
    assert [(datetime(2026, 2, 1, 3),)] == rows(
        loaded(tmp_path, sources, customers="id,since\n13085,2026-01-01\n"),
        'SELECT DISTINCT "at" FROM interactions',
    )


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("number", " -1.5e3 ", "-1500"),
        ("number", "1_000", None),
        ("number", "nan", None),
        ("number", "1e999", None),
        ("number", "'1,5'", None),
        ("integer", "12345678901234567", "12345678901234567"),
        ("integer", "1.5", None),
        ("boolean", "YES", "true"),
        ("boolean", "0", "false"),
        ("boolean", "perhaps", None),
        ("time", "epoch", None),
        ("time", "10:00", None),
        ("time", "01-02-2026", None),
        ("text", "NA", "NA"),
    ],
)
def test_a_value_fits_its_declared_type_or_quarantines_the_row(
    tmp_path: Path, kind: str, raw: str, expected: str | None
) -> None:
    sources = changed(shop={"types": {"amount": kind}, "delimiter": ";"})
    mapping = sources["tables"]["interactions"][0]
    mapping["measures"], mapping["columns"]["text"] = {}, "amount"
    events = f"id;customer;when;amount\nfirst;8;2026-02-01;\ne1;8;2026-02-01;{raw}\n"
    tables = loaded(tmp_path, sources, events=events)
    found = rows(tables, "SELECT text FROM interactions WHERE interaction_id = 'e1'")
    assert ([] if expected is None else [(expected,)]) == found
    assert (0 if expected else 1) == len(quarantine(tables))


SURVEY_CASES = {
    "s,8,2026-02-01,2026-02-02,10,0,10": None,
    "s,8,2026-02-01,,,,": None,
    "s,8,2026-02-01,2026-02-02,11,0,10": "surveys.raw_score outside its scale",
    "s,8,2026-02-01,2026-02-02,-1,0,10": "surveys.raw_score outside its scale",
    "s,8,2026-02-01,2026-02-02,5,10,0": "surveys.scale_min not below scale_max",
    "s,8,2026-02-01,2026-02-02,5,5,5": "surveys.scale_min not below scale_max",
    "s,8,2026-02-01,2026-02-02,5,,10": "surveys.scale_min is missing",
    "s,8,2026-02-01,2026-02-02,,0,10": "surveys.raw_score is missing",
    "s,8,2026-02-01,2026-02-02,good,0,10": "surveys.raw_score is not a number",
    "s,8,2026-02-01,,5,0,10": "surveys.raw_score without answered_at",
    "s,8,2026-02-02,2026-02-01,5,0,10": "surveys.answered_at before sent_at",
    "s,8,2026-02-02,2026-07-01,5,0,10": "surveys.answered_at in the future",
    "s,8,2026-07-01,,,,": "surveys.sent_at in the future",
    "s,8,,,,,": "surveys.sent_at is missing",
    "s,9,2026-02-01,,,,": "surveys.customer_id is no customer",
    "ok,8,2026-02-01,,,,": "surveys.survey_id repeats",
}


@pytest.mark.parametrize(("row", "rule"), SURVEY_CASES.items())
def test_surveys_meet_their_rules(tmp_path: Path, row: str, rule: str | None) -> None:
    surveys = f"{SURVEY_HEADER}ok,8,2026-02-01,2026-02-01,3,0,10\n{row}\n"
    tables = loaded(tmp_path, with_surveys(), surveys=surveys)
    assert ({} if rule is None else {rule: 1}) == tables.accounting[2].quarantined
    assert (2 if rule is None else 1) == tables.accounting[2].events["surveys"]


def test_customers_and_agents_meet_their_rules(tmp_path: Path) -> None:
    sources = changed(crm={"allowance": 1.0}, team={"from": "agents.csv", "allowance": 1.0})
    sources["tables"]["customers"][0]["columns"] |= {"ended_at": "until", "language": "speaks", "owner": "agent"}
    sources["tables"]["agents"] = [
        {"source": "team", "columns": {"owner": "id", "capacity": "rows", "away_from": "a", "away_to": "b"}}
    ]
    tables = loaded(
        tmp_path,
        sources,
        customers="id,since,until,speaks,agent\n007,2026-01-01,2027-01-01,id,A\n8,2026-01-01,,,X\n"
        "9,2026-01-02,2026-01-01,en,A\n10,2026-01-01,,fr,A\n11,,,en,A\n",
        agents="id,rows,a,b\nA,3,,\nB,-1,,\nC,1.5,,\nD,,2026-02-02,2026-02-01\n,1,,\n",
    )
    assert [
        ("customers.csv", 4, "customers.ended_at before started_at"),
        ("customers.csv", 5, "customers.language is neither en nor id"),
        ("customers.csv", 6, "customers.started_at is missing"),
        ("agents.csv", 3, "agents.capacity is negative"),
        ("agents.csv", 4, "agents.capacity is not a whole number"),
        ("agents.csv", 5, "agents.away_to before away_from"),
        ("agents.csv", 6, "agents.owner is missing"),
    ] == [row[:3] for row in quarantine(tables)]
    assert [("A", 3)] == rows(tables, "SELECT owner, capacity FROM agents")
    assert ("1 customers have an owner who is not in agents",) == tables.warnings


VALUE_CASES = {
    "0": True, "-0": True, "0.01": True, "1e15": True, "": True, "-0.01": False, "-500000": False, "1e16": False,
    "1e308": False,
}  # fmt: skip


@pytest.mark.parametrize(("value", "fits"), VALUE_CASES.items())
def test_a_value_is_money_that_somebody_pays(tmp_path: Path, value: str, fits: bool) -> None:
    sources = changed(crm={"allowance": 1.0})
    sources["tables"]["customers"][0]["columns"]["value"] = "pays"
    tables = loaded(tmp_path, sources, customers=f"id,since,pays\n007,2026-01-01,5\n8,2026-01-01,{value}\n")
    assert ({} if fits else {"customers.value is below 0 or above 10^15": 1}) == tables.accounting[0].quarantined


def test_blanks_around_an_agents_id_make_no_other_agent(tmp_path: Path) -> None:
    """In whatever table and column; inside it they stay."""
    sources = changed(team={"from": "agents.csv"})
    sources["tables"]["customers"][0]["columns"]["owner"] = "agent"
    sources["tables"]["agents"] = [{"source": "team", "columns": {"owner": "id", "lead": "lead", "stand_in": "other"}}]
    tables = loaded(
        tmp_path,
        sources,
        customers="id,since,agent\n007,2026-01-01, A 1\n8,2026-01-01,B\n",
        agents="id,lead,other\nA 1,B ,\n\tB\u00a0,,  A 1\n",
    )
    assert [("007", "A 1"), ("8", "B")] == rows(tables, "SELECT customer_id, owner FROM customers ORDER BY 1")
    assert [("A 1", "B", None), ("B", None, "A 1")] == rows(
        tables, "SELECT owner, lead, stand_in FROM agents ORDER BY 1"
    )
    told = "had blanks around it or was not in Unicode's form NFC, and is mended: two spellings of one id are one id"
    assert {
        f"customers.csv: owner of 1 customers {told}",
        *(f"agents.csv: {column} of 1 agents {told}" for column in ("owner", "lead", "stand_in")),
    } == set(tables.warnings)


def test_a_select_groups_what_is_neither_excluded_nor_quarantined(tmp_path: Path) -> None:
    sources = changed(shop={"exclude": [{"rule": "a gift", "when": "amount = 0"}]}, mapping=GROUPED)
    events = EVENTS + "e3,007,2026-02-01 10:00,2\ne4,007,2026-02-01 10:00,x\ne5,007,2026-03-01,0\n"
    tables = loaded(tmp_path, sources, events=events)
    # 5 + 2; the row whose amount is x is gone, and so is the gift on a day of its own
    assert [("007:2026-02-01 10:00", 7.0), ("8:2026-02-02 10:00", 7.5)] == rows(
        tables, "SELECT interaction_id, amount FROM interactions ORDER BY ALL"
    )
    item = tables.accounting[1]
    assert (5, 3, {"a gift": 1}, {"amount is not a number": 1}, {"interactions": 2}) == (
        item.read,
        item.accepted,
        item.excluded,
        item.quarantined,
        item.events,
    )


@pytest.mark.parametrize("how", ["select", "subquery"])
def test_a_sum_of_floats_is_the_same_to_the_last_bit_at_every_load(tmp_path: Path, how: str) -> None:
    # Whatever the order of 10^16, 1 and -10^16, a one next to the great ones is lost or kept: any change shows.
    count = 300_000
    numbers = np.arange(count)
    prices = np.array([1e16, 1.0, -1e16, 0.1, 3e-7])[numbers * 7 % 5] * (1 + numbers % 11)
    customers = pa.array(numbers * 31 % 20).cast(pa.string())
    columns = {"id": pa.array(numbers).cast(pa.string()), "customer": customers, "price": pa.array(prices)}
    pq.write_table(pa.table(columns), tmp_path / "lines.parquet")
    if how == "select":
        select = """SELECT customer AS interaction_id, customer AS customer_id, TIMESTAMP '2026-02-01' AS "at",
                    TIMESTAMP '2026-02-01' AS known_at, 'purchase' AS kind, sum(price) AS amount
                    FROM shop GROUP BY customer"""
        mapping: dict[str, Any] = {"source": "shop", "select": select, "measures": {"amount": "amount"}}
    else:
        day = "TIMESTAMP '2026-02-01'"
        given = {"interaction_id": "id", "customer_id": "customer", "at": day, "known_at": day, "kind": "'purchase'"}
        total = "(select sum(price) from staged.shop) + try_cast(id as integer)"
        mapping = {
            "source": "shop",
            "columns": given,
            "where": "try_cast(id as integer) < 20",
            "measures": {"amount": total},
        }
    sources = changed(shop={"from": "lines.parquet", "types": {}, "allowance": 0}, mapping=mapping)
    crm = "id,since\n" + "".join(f"{customer},2026-01-01\n" for customer in range(20))
    loads = [
        rows(loaded(tmp_path, sources, customers=crm), "SELECT interaction_id, amount FROM interactions ORDER BY ALL")
        for _ in range(4)
    ]
    assert 20 == len(loads[0])
    assert [loads[0]] * 3 == loads[1:]


def test_a_select_runs_on_one_thread_and_the_others_come_back() -> None:
    con = duckdb.connect()
    con.execute("SET threads = 3")
    with one_thread(con):
        assert [(1,)] == con.execute("SELECT current_setting('threads')").fetchall()
    assert [(3,)] == con.execute("SELECT current_setting('threads')").fetchall()
    with pytest.raises(duckdb.BinderException), one_thread(con):
        con.execute("SELECT nothing")
    assert [(3,)] == con.execute("SELECT current_setting('threads')").fetchall()


def test_grouped_rows_of_unknown_customers_are_left_out_and_counted_apart(tmp_path: Path) -> None:
    tables = loaded(tmp_path, changed(mapping=GROUPED), events=EVENTS + "e3,9,2026-02-01 10:00,2\n")
    item = tables.accounting[1]
    assert holds(item)
    assert {"interactions": 2, "interactions, left out: customer_id is no customer": 1} == item.events
    assert ("events.csv: 1 grouped interactions left out: their customer_id is no customer",) == tables.warnings


def test_a_select_does_not_see_rows_that_another_mapping_quarantined(tmp_path: Path) -> None:
    sources = changed(shop={"types": {}})
    sources["tables"]["customers"] = [
        {
            "source": "shop",
            "select": 'SELECT customer AS customer_id, min("when") AS started_at FROM shop GROUP BY customer',
        }
    ]
    tables = loaded(tmp_path, sources, events=EVENTS + "e3,9,2026-09-01,1\ne4,8,later,1\n")
    assert [("007", datetime(2026, 2, 1, 3)), ("8", datetime(2026, 2, 2, 3))] == rows(
        tables, "SELECT customer_id, started_at FROM customers ORDER BY ALL"
    )


def test_a_column_may_be_quoted_hold_a_byte_order_mark_and_have_no_name(tmp_path: Path) -> None:
    events = '\ufeffid,customer,"when",amount,\r\ne1,007,"2026-02-01","5",x\r\n'
    tables = loaded(tmp_path, events=events.encode())
    assert [("e1", 5.0)] == rows(tables, "SELECT interaction_id, amount FROM interactions")


def test_data_end_is_declared_or_the_last_thing_known(tmp_path: Path) -> None:
    surveys = SURVEY_HEADER + "s1,8,2026-02-05 07:00,2026-02-09 07:00,3,0,10\ns2,8,2026-02-08 07:00,,,,\n"
    tables = loaded(tmp_path, with_surveys(), surveys=surveys)
    assert [None, datetime(2026, 2, 2, 3, tzinfo=UTC), datetime(2026, 2, 9, tzinfo=UTC)] == [
        item.data_end for item in tables.accounting
    ]
    assert datetime(2026, 2, 2, 3, tzinfo=UTC) == tables.data_end("interactions")
    assert datetime(2026, 2, 9, tzinfo=UTC) == tables.data_end("surveys", {"instrument": ["nps", "csat"]})
    # a declared date is the local midnight that opens it, a declared time without an offset is local
    tables = loaded(tmp_path, with_surveys(data_end=date(2026, 3, 1)), surveys=surveys)
    assert datetime(2026, 2, 28, 17, tzinfo=UTC) == tables.data_end("surveys")
    tables = loaded(tmp_path, with_surveys(data_end=datetime(2026, 3, 1, 12)), surveys=surveys)
    assert datetime(2026, 3, 1, 5, tzinfo=UTC) == tables.data_end("surveys")
    assert () == tables.warnings


def test_a_data_end_yet_to_come_is_now_and_told(tmp_path: Path) -> None:
    """Labels are complete up to the data end: of days yet to come everybody would count as having stayed."""
    surveys = SURVEY_HEADER + "s1,8,2026-02-05 07:00,2026-02-09 07:00,3,0,10\n"
    tables = loaded(tmp_path, with_surveys(data_end=(NOW + timedelta(days=90)).date()), surveys=surveys)
    assert NOW == tables.data_end("surveys")
    [told] = tables.warnings
    assert "is yet to come, so the file is taken to be complete until now" in told


def test_data_end_is_the_least_over_the_sources_that_feed_such_rows(tmp_path: Path) -> None:
    sources = changed(desk={"from": "calls.csv"})
    columns = {"interaction_id": "id", "customer_id": "customer", "at": '"when"', "known_at": '"when"', "kind": "kind"}
    sources["tables"]["interactions"].append({"source": "desk", "columns": columns})
    calls = "id,customer,when,kind\nc1,8,2026-01-05 07:00,call\nc2,8,2026-01-07 07:00,call\n"
    tables = loaded(tmp_path, sources, calls=calls)
    assert datetime(2026, 1, 7, tzinfo=UTC) == tables.data_end("interactions")
    assert datetime(2026, 1, 7, tzinfo=UTC) == tables.data_end("customers")
    assert datetime(2026, 2, 2, 3, tzinfo=UTC) == tables.data_end("interactions", {"kind": "purchase"})
    assert datetime(2026, 2, 2, 3, tzinfo=UTC) == tables.data_end("interactions", {"amount": 5})


def test_the_same_files_give_the_same_rows_and_steps_are_told(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    first = loaded(tmp_path)
    again = load(project(changed()), data=tmp_path, now=NOW, report=lambda *step: steps.append(step))
    assert rows(first, "FROM interactions ORDER BY ALL") == rows(again, "FROM interactions ORDER BY ALL")
    assert list(range(len(steps))) == [done for _, done, _ in steps]
    assert all(done < total for _, done, total in steps)


def examples() -> list[Any]:
    """The YAML blocks of configs/README.md that stand under "From raw to canonical", in order."""
    page = (Path(__file__).parents[1] / "configs" / "README.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", page.split("## From raw to canonical")[1], re.DOTALL)
    return [YAML(typ="safe", pure=True).load(block) for block in blocks]


def test_the_examples_of_surveys_and_agents_read_what_they_say(tmp_path: Path) -> None:
    _, surveys, agents, _, _ = examples()
    sources = changed()
    for block in (surveys, agents):
        sources["sources"] |= block["sources"]
        sources["tables"] |= block["tables"]
    tables = loaded(
        tmp_path,
        sources,
        zone="UTC",
        nps="id,customer,sent,answered,score,remark\n1,8,2026-02-01,2026-02-03,9,thanks\n2,007,2026-02-01,,,\n",
        team="login,full_name,mail,per_day,off_from,off_to\nsari,Sari,s@example.org,6,,\n",
    )
    assert [
        ("nps:1", "8", datetime(2026, 2, 3), "nps", 9.0, 0.0, 10.0, True, "thanks"),
        ("nps:2", "007", None, "nps", None, 0.0, 10.0, True, None),
    ] == rows(
        tables,
        """SELECT survey_id, customer_id, answered_at, instrument, raw_score, scale_min, scale_max,
           higher_is_better, comment FROM surveys ORDER BY survey_id""",
    )
    assert [("sari", "Sari", "id", 6, "rina")] == rows(
        tables, "SELECT owner, name, language, capacity, lead FROM agents"
    )
    assert 0 == tables.quarantine.num_rows


def test_the_example_of_grouped_rows_derives_customers_when_they_could_be_known(tmp_path: Path) -> None:
    lines = """invoice,customer,sold,entered,price
i1,8,2026-02-01,2026-02-03,0.10
i1,8,2026-02-01,2026-02-04,0.20
i2,8,2026-02-02,2026-02-09,5
"""
    tables = loaded(tmp_path, examples()[-1], zone="UTC", invoice_lines=lines)
    # sold on the 1st, but the first invoice is entered in full on the 4th
    assert [("8", datetime(2026, 2, 4))] == rows(tables, "SELECT customer_id, started_at FROM customers")
    assert [("i1", datetime(2026, 2, 1), datetime(2026, 2, 4), 0.3), ("i2", datetime(2026, 2, 2), NINTH, 5.0)] == rows(
        tables, 'SELECT interaction_id, "at", known_at, amount FROM interactions ORDER BY ALL'
    )


def test_the_example_of_times_that_are_not_iso_is_the_format_it_says(tmp_path: Path) -> None:
    sources = changed(shop={"zone": "UTC"})
    sources["tables"]["interactions"][0]["columns"] |= examples()[3]
    tables = loaded(tmp_path, sources, events="id,customer,opened,amount\ne1,8,14/02/2026 10:00,1\n")
    assert [(datetime(2026, 2, 14, 10),)] == rows(tables, 'SELECT "at" FROM interactions')


def test_real_invoices_are_accounted_for() -> None:
    data = Path(__file__).parents[2] / "shared" / "data" / "online_retail"
    if not data.is_dir():
        pytest.skip("the real invoices are not here")
    tables = load(load_project(Path(__file__).parents[1], "online_retail"), data=data, now=NOW)
    item = tables.accounting[0]
    assert holds(item)
    # Counted with pandas over the file: lines, bad debts, other lines without a customer, customers, invoices.
    assert (748_841, 579_620, {"accounting adjustment": 3, "no customer": 169_218}, {}) == (
        item.read,
        item.accepted,
        item.excluded,
        item.quarantined,
    )
    assert {"customers": 5_106, "interactions": 33_391} == item.events
    assert [("order_cancelled", 6_149), ("purchase", 27_242)] == rows(
        tables, "SELECT kind, count(*) FROM interactions GROUP BY kind ORDER BY kind"
    )
    # The first invoice, and one that was cancelled: 9 lines, 100 pieces and 196.10 taken back.
    assert [
        ("13085", datetime(2009, 12, 1, 7, 45), 505.3, 8.0),
        ("16321", datetime(2009, 12, 1, 10, 33), 196.1, 9.0),
    ] == rows(
        tables,
        """SELECT customer_id, "at", amount, items FROM interactions
           WHERE interaction_id IN ('489434', 'C489449') ORDER BY "at" """,
    )
    # Nobody is a customer before an invoice of theirs is known in full.
    assert [(0,)] == rows(
        tables,
        """SELECT count(*) FROM customers
           JOIN (SELECT customer_id, min(known_at) AS known FROM interactions GROUP BY ALL) USING (customer_id)
           WHERE started_at <> known""",
    )
    # A summer morning: 08:39 in London is 07:39 UTC.
    assert [(datetime(2010, 7, 1, 7, 39),)] == rows(
        tables, "SELECT \"at\" FROM interactions WHERE interaction_id = '514217'"
    )
    assert datetime(2011, 6, 30, 19, 8, tzinfo=UTC) == tables.data_end("interactions", {"kind": "purchase"})
