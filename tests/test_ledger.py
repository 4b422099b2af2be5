"""The ledger keeps what was said: whole, in order, and for ever."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ledger_facts import MAY_1, NOON, assigned, at_schema, count, held, issue, outcome, promote, row
from sqlalchemy.exc import DBAPIError, StatementError

from churnwatch.errors import ProjectError
from churnwatch.ledger import (
    begin_run,
    champion,
    finish_run,
    latest_list,
    open_ledger,
    promotions,
    record_outcomes,
    record_veto,
    runs,
)
from churnwatch.ledger.opening import writing
from churnwatch.ledger.schema import APPEND_ONLY, REVISIONS, VERSION_TABLE, metadata

# --- runs


def test_a_run_is_written_when_it_begins_and_again_when_it_ends(ledger: sa.Engine) -> None:
    run = begin_run(
        ledger,
        deployment="demo",
        command="daily",
        as_of=MAY_1,
        started_at=NOON,
        program_version="0.1.0",
        detail={"seed": 7},
    )
    (begun,) = runs(ledger, deployment="demo")
    assert ("running", None, {"seed": 7}) == (begun.status, begun.finished_at, begun.detail)

    later = NOON + timedelta(seconds=9)
    finish_run(ledger, run_id=run, finished_at=later, status="done", model_version="ab", detail={"listed": 2})
    (ended,) = runs(ledger, deployment="demo")
    assert ("done", later, "ab") == (ended.status, ended.finished_at, ended.model_version)
    assert {"seed": 7, "listed": 2} == ended.detail
    assert (MAY_1, NOON) == (ended.as_of, ended.started_at)
    assert () == runs(ledger, deployment="another")


def test_an_ended_run_is_not_ended_again(ledger: sa.Engine) -> None:
    run = begin_run(ledger, deployment="demo", command="check", started_at=NOON, program_version="0.1.0")
    finish_run(ledger, run_id=run, finished_at=NOON, status="failed")
    with pytest.raises(ValueError, match=f"no run {run} is on"):
        finish_run(ledger, run_id=run, finished_at=NOON, status="done")
    assert "failed" == runs(ledger, deployment="demo")[0].status


def test_a_moment_in_any_zone_comes_back_as_the_same_moment_in_utc(ledger: sa.Engine) -> None:
    jakarta = datetime(2026, 5, 1, 19, 0, 0, 250, tzinfo=timezone(timedelta(hours=7)))
    begin_run(ledger, deployment="demo", command="check", started_at=jakarta, program_version="0.1.0")
    found = runs(ledger, deployment="demo")[0].started_at
    assert NOON == found
    assert timedelta(0) == found.utcoffset()


def test_a_time_without_a_zone_and_a_moment_given_as_a_day_are_refused(ledger: sa.Engine) -> None:
    with pytest.raises(StatementError, match="has no zone"):
        begin_run(
            ledger,
            deployment="demo",
            command="check",
            started_at=NOON.replace(tzinfo=None),
            program_version="0",
        )
    with pytest.raises(StatementError, match="is an instant"):
        begin_run(ledger, deployment="demo", command="daily", as_of=NOON, started_at=NOON, program_version="0")
    assert () == runs(ledger, deployment="demo")


# --- promotions


def test_the_champion_is_the_version_promoted_last_and_each_promotion_names_the_one_before(
    ledger: sa.Engine,
) -> None:
    assert champion(ledger, deployment="demo", model="churn") is None
    first, second = promote(ledger, "aaa"), promote(ledger, "bbb")
    promote(ledger, "zzz", model="satisfaction")
    back = promote(ledger, "aaa")
    assert [None, "aaa", "bbb"] == [first.previous_version, second.previous_version, back.previous_version]
    assert "aaa" == champion(ledger, deployment="demo", model="churn")
    assert "zzz" == champion(ledger, deployment="demo", model="satisfaction")
    assert champion(ledger, deployment="another", model="churn") is None
    assert (first, second, back) == promotions(ledger, deployment="demo", model="churn")
    assert ("cron", "gate passed", {"auc": 0.81}, NOON) == (
        second.moved_by,
        second.reason,
        second.gate,
        second.moved_at,
    )


# --- append-only


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE {table} SET {column} = {column}", id="update"),
        pytest.param("DELETE FROM {table}", id="delete"),
    ],
)
def test_the_database_itself_refuses_to_rewrite_what_was_said(ledger: sa.Engine, table: str, statement: str) -> None:
    issue(ledger, rows=[row("a")], assigned=[assigned("a")])
    record_outcomes(ledger, deployment="demo", outcomes=[outcome("a")])
    record_veto(ledger, deployment="demo", customer_id="a", reason="key account", by="lead", at=NOON)
    promote(ledger, "aaa")
    column = metadata.tables[table].columns.keys()[1]
    kept = count(ledger, table)
    assert kept > 0
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), writing(ledger) as connection:
        connection.execute(sa.text(statement.format(table=table, column=column)))
    assert kept == count(ledger, table)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_postgresql_empties_no_table_of_what_was_said(ledger: sa.Engine, table: str) -> None:
    issue(ledger, rows=[row("a")])
    with pytest.raises(DBAPIError, match="is append-only"), writing(ledger) as connection:
        connection.execute(sa.text(f"TRUNCATE {table} CASCADE"))
    assert 1 == count(ledger, "list_rows")


def test_sqlite_replace_does_not_slip_past_the_triggers(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    promote(ledger, "aaa")
    with pytest.raises(DBAPIError, match="promotions is append-only"), writing(ledger) as connection:
        connection.execute(
            sa.text(
                "REPLACE INTO promotions SELECT 1, deployment, model, alias, 'forged', "
                "previous_version, moved_at, moved_by, reason, gate FROM promotions"
            )
        )
    assert "aaa" == champion(ledger, deployment="demo", model="churn")


def test_another_program_meets_the_same_triggers(tmp_path: Path) -> None:
    promote(open_ledger(tmp_path / "ledger.db"), "aaa")
    plain = sqlite3.connect(tmp_path / "ledger.db")
    with pytest.raises(sqlite3.IntegrityError, match="promotions is append-only"):
        plain.execute("DELETE FROM promotions")
    plain.close()


# --- opening


def test_sqlite_keeps_a_rollback_journal_syncs_fully_and_checks_foreign_keys(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db").connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert {"journal_mode": "delete", "synchronous": 2, "foreign_keys": 1} == found


def test_the_migrations_lead_to_the_schema_the_program_uses(empty: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "churnwatch.ledger:migrations")
    config.set_main_option("path_separator", "os")
    steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    assert list(REVISIONS) == steps[::-1]
    with open_ledger(empty).connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert [] == compare_metadata(context, metadata)
        assert REVISIONS[-1] == context.get_current_revision()


def test_a_ledger_of_the_first_schema_is_brought_up_to_date_with_all_it_holds(empty: str) -> None:
    """As the program of schema 0001 left it: its list comes back, no further model spoke, still append-only."""
    with at_schema(empty, "0001") as connection:
        version = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()
        assert "0001" == version
        assert "also" not in {column["name"] for column in sa.inspect(connection).get_columns("lists")}
        for statement in (
            "INSERT INTO runs VALUES (1,'demo','daily','2026-05-01','2026-05-01 12:00:00','2026-05-01 12:00:00',"
            "'done','0.1.0','ab','{}')",
            "INSERT INTO lists VALUES (1,1,'demo','2026-05-01',1,'churn','ab',NULL,'{}','2026-05-01 12:00:00')",
            "INSERT INTO list_rows VALUES (1,'007',1,'a1',0.5,'at_risk',NULL,NULL,NULL,'[\"silent\"]',NULL,NULL,"
            "'Call back','2026-05-02')",
        ):
            connection.exec_driver_sql(statement)

    ledger = open_ledger(empty)
    found = latest_list(ledger, deployment="demo", as_of=MAY_1)
    assert found is not None
    assert () == found.also
    [kept] = found.rows
    assert ("007", 0.5, ("silent",)) == (kept["customer_id"], kept["risk"], kept["reasons"])
    later = ("listed_for", "also_model", "also_risk", "also_band", "also_change", "expected_score", "expected_change")
    assert {None} == {kept[name] for name in (*later, "proactive", "worth", "counterfactual")}
    assert ((), None) == (kept["signs"], found.seen)
    assert 2 == issue(ledger, rows=[row("008", listed_for="unhappy")])
    with pytest.raises(DBAPIError, match="list_rows is append-only"), writing(ledger) as connection:
        connection.execute(sa.text("UPDATE list_rows SET listed_for = 'churn'"))


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    promote(open_ledger(tmp_path / "ledger.db"), "aaa")
    again = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    assert "aaa" == champion(again, deployment="demo", model="churn")


def test_opening_a_current_ledger_loads_no_alembic_and_takes_well_under_a_second(tmp_path: Path) -> None:
    open_ledger(tmp_path / "ledger.db")
    program = (
        "import sys, time; start = time.process_time(); from churnwatch.ledger import open_ledger; "
        f"open_ledger({str(tmp_path / 'ledger.db')!r}); "
        "print(time.process_time() - start, any(name.startswith('alembic') for name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert "" == ran.stderr
    seconds, alembic = ran.stdout.split()
    assert "False" == alembic
    assert float(seconds) < 1.0  # 0.15 s measured; the rest is room for a busy machine


def test_a_ledger_that_has_lost_its_schemas_number_says_so_and_is_left_alone(full: sa.Engine) -> None:
    with writing(full) as connection:
        connection.execute(sa.text(f"DELETE FROM {VERSION_TABLE}"))
    before = held(full)
    with pytest.raises(ProjectError, match=f"its table {VERSION_TABLE} is empty"):
        open_ledger(full.url.render_as_string(hide_password=False))
    assert before == held(full)


def test_a_schema_newer_than_the_program_is_refused_and_left_alone(ledger: sa.Engine) -> None:
    with writing(ledger) as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '0099'"))
    with pytest.raises(ProjectError, match="schema is 0099, newer than this program") as caught:
        open_ledger(ledger.url.render_as_string(hide_password=False))
    assert 3 == caught.value.exit_code
    assert f"schemas up to {REVISIONS[-1]}" in caught.value.message
    with ledger.connect() as connection:
        version = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    assert "0099" == version


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    plain = sqlite3.connect(path)
    plain.execute("CREATE TABLE runs (run_uuid TEXT)")
    plain.close()
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="a table `runs` of another program"):
        open_ledger(path)
    assert before == path.read_bytes()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("not a database at all, but long enough to look at\n" * 50)
    with pytest.raises(ProjectError, match="file is not a database") as caught:
        open_ledger(path)
    assert str(path) == caught.value.where


def test_a_place_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="cannot be opened"):
        open_ledger(tmp_path / "file" / "ledger.db")
    with pytest.raises(ProjectError, match="cannot be opened"):
        open_ledger(tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://somewhere/ledger", "cannot live in mysql"),
        ("://", "cannot be read"),
        ("postgresql+nosuch://somewhere/ledger", "driver for PostgreSQL is not there"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        open_ledger(url)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(ProjectError) as caught:
        open_ledger("postgresql+nosuch://care:hunter2@somewhere/ledger")
    assert "hunter2" not in caught.value.message


def test_a_creation_that_fails_leaves_no_half_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    real = sa.Connection.execute

    def fails_at_the_last_table(self: sa.Connection, statement: Any, *more: Any, **options: Any) -> Any:
        if "promotions_no_delete" in str(statement):
            raise RuntimeError("power cut")
        return real(self, statement, *more, **options)

    monkeypatch.setattr(sa.Connection, "execute", fails_at_the_last_table)
    with pytest.raises(RuntimeError, match="power cut"):
        open_ledger(path)
    monkeypatch.undo()
    plain = sqlite3.connect(path)
    assert [] == plain.execute("SELECT name FROM sqlite_master").fetchall()
    plain.close()
    promote(open_ledger(path), "aaa")


def test_two_who_open_a_new_ledger_at_once_both_succeed(tmp_path: Path) -> None:
    program = (
        "import sys; from churnwatch.ledger import open_ledger; "
        f"print('ready', flush=True); sys.stdin.readline(); open_ledger({str(tmp_path / 'ledger.db')!r})"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout is not None
        assert "ready\n" == one.stdout.readline()
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    assert [(0, ""), (0, "")] == [(one.returncode, errors) for one in both for _, errors in [one.communicate()]]


def test_writers_wait_for_each_other_and_number_their_revisions_without_a_gap(ledger: sa.Engine) -> None:
    numbers: list[int] = []

    def write() -> None:
        for _ in range(3):
            numbers.append(issue(ledger, rows=[row("a")]))  # noqa: PERF401 (append is atomic, extend is not)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [1, 2, 3, 4, 5, 6, 7, 8, 9] == sorted(numbers)


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    issue(ledger, rows=[row("a")])
    with writing(ledger):
        start = time.monotonic()
        assert latest_list(ledger, deployment="demo", as_of=MAY_1) is not None
        assert time.monotonic() - start < 5  # a wait would last the 30 s of the busy timeout
