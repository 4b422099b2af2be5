"""``churnwatch audit verify``: the ledger of a real project holds, and what is done to it past the program is told."""

from __future__ import annotations

import pytest
from command_line import END, call, facts, ledger_of, ok, refused
from ledger_facts import past_the_program
from postgres import connected

from churnwatch.ledger import open_ledger


def garble(project, statement: str) -> None:
    """Change the ledger as somebody with every right to its database."""
    engine = open_ledger(ledger_of(project))
    with past_the_program(engine) as connection:
        connection.exec_driver_sql(statement)


def test_the_ledger_of_a_training_and_a_list_holds(project):
    """Three facts at least: the promotion, the list, and the ends of both runs."""
    said = ok(call("audit", "verify", "--project", project, "--json")).json
    assert {"ok": True, "entries": 4, "first_bad": None} == {name: said[name] for name in said if name != "head"}
    assert [1, 2, 3, 4] == [one["entry"] for one in facts(project, "audit")]
    shown = ok(call("audit", "verify", "--project", project, "--noted", said["head"])).out
    assert "4 facts in the chain, each as it was written." in shown
    assert said["head"] in shown.split()
    ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project))
    later = ok(call("audit", "verify", "--project", project, "--noted", said["head"], "--json")).json
    assert (True, 6) == (later["ok"], later["entries"])


def test_a_row_changed_past_the_program_is_told_by_its_list_and_not_by_its_customer(project):
    customer = facts(project, "list_rows")[0]["customer_id"]
    garble(project, f"update list_rows set owner = 'me' where customer_id = '{customer}'")
    [number] = [one["entry"] for one in facts(project, "audit") if one["kind"] == "list"]
    said = call("audit", "verify", "--project", project)
    refused(said, 5, f"the ledger is not what was written: entry {number}: list 1 is not what was entered")
    assert customer not in said.err
    said = call("audit", "verify", "--project", project, "--json")
    bad = {"entry": number, "kind": "list", "number": 1, "found": "is not what was entered"}
    assert (5, bad, False) == (said.code, said.json["first_bad"], said.json["ok"])


def test_what_was_cut_off_is_found_by_a_head_noted_down(project):
    noted = ok(call("audit", "verify", "--project", project, "--json")).json["head"]
    garble(project, "delete from audit where kind = 'run' and number = 2")
    garble(project, "update runs set status = 'running', finished_at = null where run_id = 2")
    ok(call("audit", "verify", "--project", project))
    refused(call("audit", "verify", "--project", project, "--noted", noted), 5, "entry 4", "which was noted")


def test_without_a_ledger_there_is_nothing_to_verify_and_none_is_made(untrained):
    refused(call("audit", "verify", "--project", untrained), 5, "has no ledger yet", "CHURNWATCH_LEDGER")
    assert [] == facts(untrained, "runs")
    assert not (untrained / "state").exists()


@pytest.mark.parametrize("noted", ["7", "4:xyz"])
def test_a_head_that_is_none_is_refused(project, noted):
    refused(call("audit", "verify", "--project", project, "--noted", noted), 2, "is no head of a chain")


def test_a_chain_that_is_gone_is_one_message(project):
    with connected(ledger_of(project)) as connection:
        connection.exec_driver_sql("drop table audit")
    found = "the ledger is not what was written: the table audit cannot be read any more"
    refused(call("audit", "verify", "--project", project), 5, found)
    said = call("audit", "verify", "--project", project, "--json").json
    assert (False, 0) == (said["ok"], said["entries"])


def test_a_table_that_is_gone_is_named_without_a_number(project):
    """No outcome was handed back, so no entry misses it."""
    with connected(ledger_of(project)) as connection:
        connection.exec_driver_sql("drop table outcomes")
    found = "the ledger is not what was written: the table outcomes cannot be read any more"
    refused(call("audit", "verify", "--project", project), 5, found)


def test_a_trigger_that_is_gone_is_named_and_a_restore_puts_it_back(project, tmp_path):
    on_file = ledger_of(project).startswith("sqlite")
    name = "list_rows_no_update" if on_file else "list_rows_append_only"
    with connected(ledger_of(project)) as connection:
        connection.exec_driver_sql(f"drop trigger {name}" if on_file else f"drop trigger {name} on list_rows")
    refused(
        call("audit", "verify", "--project", project),
        5,
        f"the database no longer refuses every change; triggers gone or changed: {name}",
    )
    assert (5 if on_file else 0) == call("ledger", "backup", tmp_path / "b.db", "--project", project).code
    ok(call("ledger", "restore", tmp_path / "b.db", "--replace", "--project", project))
    ok(call("audit", "verify", "--project", project))
