"""The audit chain: whatever is changed in the ledger afterwards is found, and where."""

from __future__ import annotations

import math
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_facts import NOON, at_schema, count, issue, past_the_program, row
from sqlalchemy.exc import StatementError

from churnwatch.errors import UsageError
from churnwatch.ledger import (
    Break,
    begin_run,
    chain_head,
    finish_run,
    open_ledger,
    record_veto,
    verify_chain,
)
from churnwatch.ledger import audit as audit_module
from churnwatch.ledger.opening import writing

NOTHING = "0" * 64


def test_every_fact_enters_once_it_is_one(full: sa.Engine) -> None:
    """The run that is still on is none yet."""
    with full.connect() as connection:
        told = connection.execute(sa.text("SELECT entry, kind, number FROM audit ORDER BY entry")).all()
    assert [
        (1, "list", 1),
        (2, "list", 2),
        (3, "outcome", 1),
        (4, "outcome", 2),
        (5, "veto", 1),
        (6, "promotion", 1),
        (7, "run", 1),
    ] == [tuple(one) for one in told]
    chain = verify_chain(full)
    assert (7, True, None, chain_head(full)) == (chain.entries, chain.ok, chain.first_bad, chain.head)


def test_an_empty_ledger_holds(ledger: sa.Engine) -> None:
    chain = verify_chain(ledger)
    assert (0, f"0:{NOTHING}", True) == (chain.entries, chain.head, chain.ok)


def test_a_link_is_what_anybody_can_compute(ledger: sa.Engine) -> None:
    """With sha256sum over 64 zeros, 1, veto, the moment and the fact as JSON, a line each; so on each database."""
    record_veto(ledger, deployment="demo", customer_id="a", reason="penting – é", by="lead", at=NOON)
    assert "1:44d4e0a58390d658e4e958a1af3e981d2073337d450460f130f5534437e11918" == chain_head(ledger)


def test_a_fact_that_fails_leaves_no_entry(ledger: sa.Engine) -> None:
    with pytest.raises(StatementError):
        issue(ledger, rows=[row("a"), row("a", rank=2)])
    assert 0 == count(ledger, "audit")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_none_is_no_fact(ledger: sa.Engine, bad: float) -> None:
    with pytest.raises(StatementError, match="no finite number"):
        issue(ledger, rows=[row("a", worth=bad)])
    assert 0 == count(ledger, "lists")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE list_rows SET risk = 0.4 WHERE customer_id = 'b'", Break(1, "list", 1, "is not what was entered")),
        ("UPDATE list_rows SET owner = 'a2' WHERE customer_id = 'a'", Break(1, "list", 1, "is not what was entered")),
        ("UPDATE lists SET files = '{}' WHERE list_id = 2", Break(2, "list", 2, "is not what was entered")),
        ("DELETE FROM list_rows WHERE customer_id = 'a'", Break(1, "list", 1, "is not what was entered")),
        ("UPDATE list_rows SET list_id = 2 WHERE rank = 2", Break(1, "list", 1, "is not what was entered")),
        ("UPDATE assignments SET arm = 'treated'", Break(1, "list", 1, "is not what was entered")),
        ("DELETE FROM assignments", Break(1, "list", 1, "is not what was entered")),
        ("DELETE FROM lists WHERE list_id = 2", Break(2, "list", 2, "is not there any more")),
        ("DELETE FROM outcomes", Break(3, "outcome", 1, "is not there any more")),
        (
            "UPDATE outcomes SET words = '[\"solved\"]' WHERE outcome_id = 2",
            Break(4, "outcome", 2, "is not what was entered"),
        ),
        ("UPDATE outcomes SET why = NULL", Break(4, "outcome", 2, "is not what was entered")),
        ("UPDATE vetoes SET reason = 'none'", Break(5, "veto", 1, "is not what was entered")),
        ("UPDATE promotions SET model_version = 'bbb'", Break(6, "promotion", 1, "is not what was entered")),
        ("UPDATE runs SET status = 'failed' WHERE run_id = 1", Break(7, "run", 1, "is not what was entered")),
        ("UPDATE audit SET hash = 'ab' WHERE entry = 5", Break(5, "veto", 1, "is not what was entered")),
        ("UPDATE audit SET number = 2 WHERE entry = 5", Break(5, "veto", 2, "is not there any more")),
        ("UPDATE audit SET kind = 'word' WHERE entry = 5", Break(5, "word", 1, "is not there any more")),
        ("DELETE FROM audit WHERE entry = 4", Break(4, None, None, "the entry is not there")),
        ("DELETE FROM audit WHERE entry = 7", Break(None, "run", 1, "never entered the chain")),
        ("UPDATE audit SET entry = 8 WHERE entry = 7", Break(7, None, None, "the entry is not there")),
        ("DELETE FROM audit", Break(None, "run", 1, "never entered the chain")),
        (
            "INSERT INTO promotions SELECT 2, deployment, model, alias, 'forged', previous_version, moved_at, "
            "moved_by, reason, gate FROM promotions",
            Break(None, "promotion", 2, "never entered the chain"),
        ),
        (
            "INSERT INTO assignments SELECT 99, 9999, deployment, '2026-12-11', customer_id, arm, owner, band, risk, "
            "worth, decided_on FROM assignments LIMIT 1",
            Break(None, "list", 9999, "has rows in assignments, but never entered the chain"),
        ),
        (
            "INSERT INTO list_rows (list_id, customer_id, rank, owner, reasons, action, due) VALUES "
            "(9999, 'z', 1, 'a1', '[]', 'Call back', '2026-05-02')",
            Break(None, "list", 9999, "has rows in list_rows, but never entered the chain"),
        ),
    ],
)
def test_what_was_changed_past_the_program_is_found_where_it_was(full: sa.Engine, statement: str, found: Break) -> None:
    with past_the_program(full) as connection:
        connection.exec_driver_sql(statement)
    chain = verify_chain(full)
    assert (found, False) == (chain.first_bad, chain.ok)


@pytest.mark.parametrize("full", ["sqlite"], indirect=True)
def test_what_cannot_be_read_any_more_is_found_too(full: sa.Engine) -> None:
    """PostgreSQL itself refuses such a text."""
    with past_the_program(full) as connection:
        connection.exec_driver_sql("UPDATE outcomes SET words = 'not json' WHERE outcome_id = 2")
    assert Break(4, "outcome", 2, "is not there any more") == verify_chain(full).first_bad


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("list_rows", Break(1, "list", 1, "is not there any more")),
        ("vetoes", Break(5, "veto", 1, "is not there any more")),
        ("audit", Break(None, None, None, "the table audit cannot be read any more")),
    ],
)
def test_a_table_that_is_gone_is_found_at_its_first_fact(full: sa.Engine, table: str, found: Break) -> None:
    with past_the_program(full) as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    assert found == verify_chain(full).first_bad


@pytest.mark.parametrize(
    ("table", "kind"), [("list_rows", "list"), ("assignments", "list"), ("outcomes", "outcome"), ("vetoes", "veto")]
)
def test_a_table_that_is_gone_is_found_where_there_were_no_facts(ledger: sa.Engine, table: str, kind: str) -> None:
    with past_the_program(ledger) as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    found = Break(None, kind, None, f"the table {table} cannot be read any more")
    assert found == verify_chain(ledger).first_bad


def test_a_column_of_the_chain_that_is_gone_is_found(full: sa.Engine) -> None:
    with past_the_program(full) as connection:
        connection.exec_driver_sql("ALTER TABLE audit DROP COLUMN hash")
    assert Break(None, None, None, "the table audit cannot be read any more") == verify_chain(full).first_bad


@pytest.mark.parametrize("full", ["postgresql"], indirect=True)
def test_a_server_that_goes_away_is_no_break(full: sa.Engine) -> None:
    """It says nothing of what it holds."""
    number = 0

    def gone(connection: sa.Connection, *_: object) -> None:
        nonlocal number
        number += 1
        if number == 5:
            connection.connection.driver_connection.close()  # type: ignore[union-attr]

    sa.event.listen(full, "before_cursor_execute", gone)
    with pytest.raises(sa.exc.DBAPIError):
        verify_chain(full)


def test_the_break_is_found_in_whatever_block_it_lies(full: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with past_the_program(full) as connection:
        connection.exec_driver_sql("UPDATE promotions SET reason = 'none'")
    for block in (1, 2, 3, 6, 7, 8):
        monkeypatch.setattr(audit_module, "BLOCK", block)
        found = verify_chain(full)
        assert (7, Break(6, "promotion", 1, "is not what was entered")) == (found.entries, found.first_bad)


def test_a_head_noted_down_elsewhere_shows_what_was_cut_off(full: sa.Engine) -> None:
    """The last run with its entry leaves a chain that holds, and so does a chain made anew; neither holds the head."""
    noted = chain_head(full)
    assert verify_chain(full, noted=noted).ok
    with past_the_program(full) as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE entry = 7")
        connection.exec_driver_sql("UPDATE runs SET status = 'running', finished_at = NULL")
    assert verify_chain(full).ok
    missing = Break(7, None, None, "the chain ends before entry 7, which was noted")
    assert missing == verify_chain(full, noted=noted).first_bad
    finish_run(full, run_id=1, finished_at=NOON, status="failed")
    assert verify_chain(full).ok
    other = Break(7, "run", 1, "is not the entry that was noted down")
    assert other == verify_chain(full, noted=noted).first_bad
    assert verify_chain(full, noted=chain_head(full)).ok


@pytest.mark.parametrize("noted", ["", "7", "7:ab", "x:" + NOTHING, "-1:" + NOTHING, "²:" + NOTHING])
def test_what_is_no_head_is_refused(ledger: sa.Engine, noted: str) -> None:
    with pytest.raises(UsageError, match="no head of a chain"):
        verify_chain(ledger, noted=noted)


def test_an_ended_run_is_not_rewritten_and_none_is_deleted(full: sa.Engine) -> None:
    for statement in ("UPDATE runs SET status = 'failed' WHERE run_id = 1", "DELETE FROM runs WHERE run_id = 2"):
        with pytest.raises(StatementError, match="runs is append-only"), writing(full) as connection:
            connection.exec_driver_sql(statement)
    finish_run(full, run_id=2, finished_at=NOON, status="done")
    assert verify_chain(full).ok


# What PostgreSQL cannot keep in a text is refused by it; the rest comes back as it was.
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.floats(0, 1), NUMBERS, TEXTS, st.dates()), max_size=4),
    detail=st.dictionaries(TEXTS, st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, TEXTS), max_size=3),
)
def test_whatever_is_written_is_found_to_be_what_was_entered(
    ledger: sa.Engine, rows: list[tuple[float, float, str, date]], detail: dict[str, Any]
) -> None:
    """No database gives back a number, a text or a day in another form than it took."""
    said = [
        row(str(rank), rank=rank, risk=risk, worth=worth, reasons=(text,), counterfactual=text, rising_since=day)
        for rank, (risk, worth, text, day) in enumerate(rows, start=1)
    ]
    issue(ledger, rows=said)
    run = begin_run(ledger, deployment="demo", command="x", started_at=NOON, program_version="0", detail=detail)
    finish_run(ledger, run_id=run, finished_at=NOON, status="done")
    assert verify_chain(ledger).first_bad is None


def test_facts_older_than_the_chain_enter_it_in_the_order_they_became_known(empty: str) -> None:
    """As the program of schema 0002 left them; from then on they are held like all others."""
    with at_schema(empty, "0002") as connection:
        for statement in (
            "INSERT INTO runs VALUES (1,'demo','daily','2026-05-01','2026-05-01 12:00:00','2026-05-01 12:00:09',"
            "'done','0.1.0','ab','{\"b\": 1.5, \"a\": null}')",
            "INSERT INTO runs VALUES (2,'demo','daily',NULL,'2026-05-01 12:00:00',NULL,'running','0.1.0','ab','{}')",
            "INSERT INTO lists VALUES (1,1,'demo','2026-05-01',1,'churn','ab',NULL,'{}','2026-05-01 12:00:00.5','[]')",
            "INSERT INTO list_rows VALUES (1,'007',1,'a1',0.1,'at_risk',NULL,NULL,1e6,'[\"silent\"]',NULL,NULL,"
            "'Call back','2026-05-02','churn',NULL,NULL,NULL,NULL,NULL,NULL)",
            "INSERT INTO promotions VALUES (1,'demo','churn','champion','ab',NULL,'2026-04-30','cron','good','{}')",
        ):
            connection.exec_driver_sql(statement)
    ledger = open_ledger(empty)
    with ledger.connect() as connection:
        told = connection.execute(sa.text("SELECT entry, kind, number FROM audit ORDER BY entry")).all()
    assert [(1, "promotion", 1), (2, "list", 1), (3, "run", 1)] == [tuple(one) for one in told]
    assert verify_chain(ledger).ok
    finish_run(ledger, run_id=2, finished_at=NOON, status="failed")
    assert (4, True) == (verify_chain(ledger).entries, verify_chain(ledger).ok)
    with past_the_program(ledger) as connection:
        connection.exec_driver_sql("UPDATE list_rows SET risk = 0.2")
    assert Break(2, "list", 1, "is not what was entered") == verify_chain(ledger).first_bad


@pytest.mark.parametrize("full", ["sqlite"], indirect=True)
def test_a_flipped_bit_in_the_file_is_found(full: sa.Engine) -> None:
    """Which SQLite itself does not notice."""
    path = Path(str(full.url.database))
    with path.open("r+b") as file:
        held = file.read()
        place = held.index(b"3 complaints in the last 28 days")
        file.seek(place)
        file.write(bytes([held[place] ^ 1]))
    plain = sqlite3.connect(path)
    assert [("ok",)] == plain.execute("PRAGMA integrity_check").fetchall()
    plain.close()
    assert Break(1, "list", 1, "is not what was entered") == verify_chain(full).first_bad
