"""``churnwatch audit verify``: the ledger of a real project holds, and what is done to it past the program is told."""

from __future__ import annotations

import pytest
from command_line import END, call, facts, ledger_of, ok, refused
from postgres import connected


def garble(project, statement: str) -> None:
    """Change the ledger as somebody with every right to its database."""
    with connected(ledger_of(project)) as connection:
        if connection.dialect.name == "sqlite":
            names = connection.exec_driver_sql("select name from sqlite_master where type = 'trigger'").scalars().all()
            for name in names:
                connection.exec_driver_sql(f"drop trigger {name}")
        else:
            connection.exec_driver_sql("set session_replication_role = replica")
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
