"""A backup holds the whole ledger and goes back into either database; nothing is replaced before all is checked."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from ledger_facts import MAY_2, NOON, at_schema, held, issue, past_the_program, promote, row
from sqlalchemy.exc import DBAPIError

from churnwatch.errors import CheckFailed, ChurnwatchError, DeliveryFailed, ProjectError, UsageError
from churnwatch.ledger import (
    Restored,
    back_up,
    begin_run,
    chain_head,
    latest_list,
    open_ledger,
    promotions,
    restore,
    verify_chain,
)
from churnwatch.ledger import backup as backup_module
from churnwatch.ledger.opening import writing
from churnwatch.ledger.schema import REVISIONS, VERSION_TABLE

KEPT = "ledger-before-20260501T120000.000250Z.db"


@pytest.fixture
def backup(filled_on_sqlite: Path, tmp_path: Path) -> Path:
    """A backup of a filled ledger, which is in source.db."""
    back_up(open_ledger(shutil.copy(filled_on_sqlite, tmp_path / "source.db")), tmp_path / "backup.db")
    return tmp_path / "backup.db"


def put(file: Path, place: str | sa.Engine, tmp_path: Path, *, replace: bool = False) -> Restored:
    if isinstance(place, sa.Engine):
        place = place.url.render_as_string(hide_password=False)
    beside = tmp_path / "kept"
    return restore(file, place, deployment="demo", replace=replace, beside=beside, at=NOON)


def leftovers(tmp_path: Path) -> list[str]:
    return [path.name for path in tmp_path.rglob(".*") if path.is_file()]


def test_what_is_backed_up_comes_back_on_either_database(full: sa.Engine, empty: str, tmp_path: Path) -> None:
    """Every row with its number, the same chain, the same triggers; and the next facts are numbered on."""
    file = tmp_path / "new" / "backup.db"
    written = back_up(full, file)
    assert (7, True, chain_head(full)) == (written.entries, written.ok, written.head)
    assert Restored(written, None) == put(file, empty, tmp_path)
    target = open_ledger(empty)
    assert held(full) == held(target)
    assert [] == leftovers(tmp_path)
    with pytest.raises(DBAPIError, match="append-only"), writing(target) as connection:
        connection.exec_driver_sql("DELETE FROM outcomes")
    assert 2 == issue(target, as_of=MAY_2, rows=[row("z")])
    found = latest_list(target, deployment="demo", as_of=MAY_2)
    assert found is not None
    assert (3, 3) == (found.list_id, found.run_id)
    promote(target, "bbb")
    assert [1, 2] == [one.promotion_id for one in promotions(target, deployment="demo", model="churn")]
    assert (9, True) == (verify_chain(target).entries, verify_chain(target).ok)


def test_a_backup_is_a_ledger_by_itself(full: sa.Engine, tmp_path: Path) -> None:
    back_up(full, tmp_path / "backup.db")
    assert held(full) == held(open_ledger(tmp_path / "backup.db"))


def test_a_ledger_that_holds_facts_is_replaced_only_when_told_and_is_kept(
    ledger: sa.Engine, backup: Path, tmp_path: Path
) -> None:
    issue(ledger, as_of=date(2026, 6, 1), rows=[row("mine")])
    before = held(ledger)
    with pytest.raises(UsageError, match="the ledger in place is not empty"):
        put(backup, ledger, tmp_path)
    assert before == held(ledger)
    done = put(backup, ledger, tmp_path, replace=True)
    directory = Path(str(ledger.url.database)).parent if ledger.dialect.name == "sqlite" else tmp_path / "kept"
    assert directory / KEPT == done.aside
    assert held(open_ledger(tmp_path / "source.db")) == held(ledger)
    assert done.aside is not None
    assert before == held(open_ledger(done.aside))
    assert [] == leftovers(tmp_path)
    # And back again: what was kept is a backup too.
    with pytest.raises(DeliveryFailed, match="could not be written"):
        put(done.aside, ledger, tmp_path, replace=True)
    moved = shutil.move(done.aside, tmp_path / "mine.db")
    put(moved, ledger, tmp_path, replace=True)
    assert before == held(ledger)


def test_a_ledger_that_is_empty_is_replaced_without_a_word(ledger: sa.Engine, backup: Path, tmp_path: Path) -> None:
    assert put(backup, ledger, tmp_path).aside is None
    assert held(open_ledger(tmp_path / "source.db")) == held(ledger)


def test_a_run_alone_is_a_fact(ledger: sa.Engine, backup: Path, tmp_path: Path) -> None:
    begin_run(ledger, deployment="demo", command="check", started_at=NOON, program_version="0")
    with pytest.raises(UsageError, match="is not empty"):
        put(backup, ledger, tmp_path)


def test_a_backup_of_an_earlier_schema_is_brought_up_to_date_and_left_as_it_is(empty: str, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    with at_schema(str(old), "0002") as connection:
        connection.exec_driver_sql(
            "INSERT INTO runs VALUES (1,'demo','daily','2026-05-01','2026-05-01','2026-05-01','done','0.1.0','ab','{}')"
        )
    before = old.read_bytes()
    assert 1 == put(old, empty, tmp_path).chain.entries
    assert before == old.read_bytes()
    assert (1, True) == (verify_chain(open_ledger(empty)).entries, verify_chain(open_ledger(empty)).ok)


def test_a_ledger_of_an_earlier_schema_is_kept_before_it_is_replaced(empty: str, backup: Path, tmp_path: Path) -> None:
    with at_schema(empty, "0002") as connection:
        connection.exec_driver_sql(
            "INSERT INTO runs VALUES (9,'demo','tune',NULL,'2026-05-01','2026-05-01','done','0.1.0','ab','{}')"
        )
    done = put(backup, empty, tmp_path, replace=True)
    assert done.aside is not None
    with open_ledger(done.aside).connect() as connection:
        assert [(9, "tune")] == [tuple(one) for one in connection.execute(sa.text("SELECT run_id, command FROM runs"))]
    assert held(open_ledger(tmp_path / "source.db")) == held(open_ledger(empty))


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0099'")


def _garbled(path: Path) -> None:
    with past_the_program(open_ledger(path)) as connection:
        connection.exec_driver_sql("UPDATE list_rows SET owner = 'me'")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("not a database at all, but long enough to look at\n" * 50)


def _of_others(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (run_uuid TEXT)")


def _elsewhere(path: Path) -> None:
    with past_the_program(open_ledger(path)) as connection:
        connection.exec_driver_sql("UPDATE runs SET deployment = 'shop'")


@pytest.mark.parametrize(
    ("harm", "kind", "message"),
    [
        (_newer, ProjectError, "schema is 0099, newer than this program"),
        (_garbled, CheckFailed, "its chain is broken"),
        (_cut, ChurnwatchError, "damaged|no backup of a ledger"),
        (_empty, ProjectError, "no backup of a ledger"),
        (_text, ProjectError, "no backup of a ledger"),
        (_of_others, ProjectError, "no backup of a ledger"),
        (_elsewhere, UsageError, "knows nothing of the deployment demo"),
        (Path.unlink, UsageError, "no such file"),
    ],
)
def test_a_backup_that_cannot_be_trusted_changes_nothing(
    full: sa.Engine, backup: Path, tmp_path: Path, harm, kind: type[ChurnwatchError], message: str
) -> None:
    harm(backup)
    before = held(full)
    with pytest.raises(kind, match=message) as caught:
        put(backup, full, tmp_path, replace=True)
    assert str(backup) in caught.value.message
    assert before == held(full)
    assert [] == leftovers(tmp_path)
    assert [] == list(tmp_path.rglob("ledger-before-*"))


def test_a_ledger_newer_than_the_program_is_not_replaced(ledger: sa.Engine, backup: Path, tmp_path: Path) -> None:
    with writing(ledger) as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '0099'")
    with pytest.raises(ProjectError, match="schema is 0099, newer"):
        put(backup, ledger, tmp_path, replace=True)
    with ledger.connect() as connection:
        assert "0099" == connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()


@pytest.mark.parametrize("moment", ["_copy_tables", "_count_on", "migrate"])
@pytest.mark.parametrize("full", ["postgresql"], indirect=True)
def test_a_restore_that_fails_in_the_middle_leaves_the_ledger_as_it_was(
    full: sa.Engine, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def power_cut(*_: object) -> None:
        raise RuntimeError("power cut")

    before = held(full)
    with monkeypatch.context() as patched:
        patched.setattr(backup_module, moment, power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            put(backup, full, tmp_path, replace=True)
    assert before == held(full)
    assert [] == leftovers(tmp_path)
    assert verify_chain(full).ok


def test_a_file_that_is_damaged_is_replaced_and_kept(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    path.parent.mkdir()
    path.write_bytes(b"what is left of a disk" * 100)
    with pytest.raises(UsageError, match="is not empty"):
        put(backup, str(path), tmp_path)
    done = put(backup, str(path), tmp_path, replace=True)
    assert done.aside is not None
    assert b"what is left of a disk" * 100 == done.aside.read_bytes()
    assert held(open_ledger(tmp_path / "source.db")) == held(open_ledger(path))


def test_the_journal_of_a_lost_file_does_not_garble_the_one_that_takes_its_place(backup: Path, tmp_path: Path) -> None:
    """SQLite would put into the new file the pages that a killed write had changed in the old one."""
    path = tmp_path / "state" / "ledger.db"
    open_ledger(path)
    journal = path.with_name("ledger.db-journal")
    with sqlite3.connect(path, isolation_level=None) as killed:
        killed.execute("PRAGMA cache_size = 1")
        killed.execute("BEGIN IMMEDIATE")
        for number in range(200):
            killed.execute("INSERT INTO vetoes VALUES (?, 'demo', ?, 'x', 'y', '2026-05-01', 0)", (number, "c" * 500))
        hot = journal.read_bytes()
        killed.execute("ROLLBACK")
    killed.close()
    path.unlink()
    journal.write_bytes(hot)
    put(backup, str(path), tmp_path)
    assert hot == path.with_name(f"{KEPT}-journal").read_bytes()
    assert held(open_ledger(tmp_path / "source.db")) == held(open_ledger(path))


# --- writing a backup


def test_a_backup_takes_no_files_place(full: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    file.write_text("mine")
    with pytest.raises(UsageError, match="such a file already"):
        back_up(full, file)
    assert "mine" == file.read_text()


def test_a_backup_that_fails_leaves_no_file(full: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(backup_module, "verify_chain", power_cut)
    with pytest.raises(RuntimeError, match="power cut"):
        back_up(full, tmp_path / "there" / "backup.db")
    assert [] == list((tmp_path / "there").iterdir())


def test_a_backup_where_nothing_can_be_written_is_one_message(full: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeliveryFailed, match="could not be written"):
        back_up(full, tmp_path / "file" / "backup.db")


def test_a_ledger_that_does_not_hold_is_written_as_evidence(full: sa.Engine, tmp_path: Path) -> None:
    with past_the_program(full) as connection:
        connection.exec_driver_sql("UPDATE promotions SET reason = 'none'")
    assert not back_up(full, tmp_path / "backup.db").ok
    assert held(full) == held(open_ledger(tmp_path / "backup.db"))


def test_a_backup_says_its_schema(full: sa.Engine, tmp_path: Path) -> None:
    back_up(full, tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "backup.db") as connection:
        assert [(REVISIONS[-1],)] == connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()
