"""``churnwatch ledger backup`` and ``restore``: a project's ledger into a file, and back, also where it moves house."""

from __future__ import annotations

import postgres
import pytest
from command_line import END, call, facts, ledger, ledger_of, ok, refused, untouched
from filelock import FileLock


@pytest.fixture
def backup(project, tmp_path):
    """A backup of the project's ledger as the demo left it."""
    said = ok(call("ledger", "backup", tmp_path / "kept" / "ledger.db", "--project", project, "--json")).json
    assert (4, True, None) == (said["entries"], said["ok"], said["first_bad"])
    assert str(tmp_path / "kept" / "ledger.db") == said["file"]
    return tmp_path / "kept" / "ledger.db"


def test_what_was_said_since_the_backup_is_kept_aside(project, backup):
    before = ledger(project)
    ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project))
    later = ledger(project)
    with untouched(project):
        refused(call("ledger", "restore", backup, "--project", project), 2, "is not empty", "--replace")
    said = ok(call("ledger", "restore", backup, "--replace", "--project", project, "--json")).json
    assert before == ledger(project)
    aside = said["aside"]
    assert "ledger-before-" in aside
    shown = ok(call("ledger", "restore", aside, "--replace", "--project", project)).out
    assert "6 facts are restored; the ledger from before is in " in shown
    assert later == ledger(project)
    ok(call("audit", "verify", "--project", project, "--noted", said["head"]))


def test_a_ledger_moves_to_postgresql_and_the_lists_go_on(project, backup, postgresql, monkeypatch):
    """The environment names the new place; yesterday's list is found there, and the one in the file stands still."""
    place = postgres.create(postgresql)
    monkeypatch.setenv("CHURNWATCH_LEDGER", place)
    ok(call("ledger", "restore", backup, "--project", project))
    before = ledger(project)
    skipped = ok(call("daily", "--as-of", END, "--project", project, "--json")).json
    assert "skipped" == skipped["status"]
    assert (
        "verified"
        == ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", project, "--json")).json["status"]
    )
    with postgres.connected(place) as connection:
        runs = connection.exec_driver_sql("select command from runs order by run_id").scalars().all()
    assert ["train", "daily", "daily"] == runs
    assert before == ledger(project)
    assert place != ledger_of(project)
    postgres.drop(place, place)


def test_a_backup_of_a_ledger_that_does_not_hold_is_written_and_says_so(project, tmp_path):
    with postgres.connected(ledger_of(project)) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("drop trigger promotions_no_update")
        else:
            connection.exec_driver_sql("set session_replication_role = replica")
        connection.exec_driver_sql("update promotions set reason = 'none'")
    said = call("ledger", "backup", tmp_path / "backup.db", "--project", project)
    assert 5 == said.code
    assert "promotion 1 is not what was entered" in said.err
    assert (tmp_path / "backup.db").exists()
    refused(call("ledger", "restore", tmp_path / "backup.db", "--replace", "--project", project), 5, "chain is broken")


def test_a_file_that_is_there_is_not_overwritten(project, backup):
    refused(call("ledger", "backup", backup, "--project", project), 2, "such a file already")


def test_without_a_ledger_there_is_nothing_to_back_up(untrained, tmp_path):
    refused(call("ledger", "backup", tmp_path / "b.db", "--project", untrained), 5, "has no ledger yet")
    assert not (untrained / "state").exists()
    assert [] == facts(untrained, "runs")


def test_nothing_is_restored_while_a_run_is_on(project, backup):
    with FileLock(project / "state" / "demo" / "lock"), untouched(project):
        refused(call("ledger", "restore", backup, "--replace", "--project", project), 7, "another run")
