"""The deployments of real exports: every raw row is accounted for, and their faults are told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import call, ok

from churnwatch.project import load_project
from churnwatch.sources import Tables, load

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
NOW = datetime(2026, 7, 1, tzinfo=UTC)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside this repository"),
]


def tables_of(deployment: str) -> Tables:
    return load(load_project(ROOT, deployment), data=DATA / deployment, now=NOW)


def kinds(tables: Tables) -> dict[str, int]:
    return dict(tables.con.execute("SELECT kind, count(*) FROM interactions GROUP BY kind").fetchall())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("real") / "project"
    ok(call("init", directory))
    return directory


@pytest.fixture(scope="module")
def ravenstack() -> Tables:
    return tables_of("ravenstack")


@pytest.fixture(scope="module")
def incidents() -> Tables:
    return tables_of("incidents")


# RavenStack, a synthetic software company: dates day first, a byte order mark, repeated ids, leavers at random.


def test_every_row_is_accounted_for_and_repeated_ids_are_set_aside(ravenstack: Tables) -> None:
    assert {
        "accounts": (500, 500, {}),
        "subscriptions": (5000, 5000, {}),
        "usage": (25000, 24979, {"interactions.interaction_id repeats": 21}),
        "tickets": (2000, 2000, {}),
        "churns": (600, 600, {}),
    } == {one.source: (one.read, one.accepted, one.quarantined) for one in ravenstack.accounting}


def test_dates_are_read_day_first(ravenstack: Tables) -> None:
    # A-2e4581 signed up on 16-10-2024, A-43a9e3 on 17-08-2023, both beyond any twelfth month.
    found = ravenstack.con.execute(
        "SELECT started_at FROM customers WHERE customer_id IN ('A-2e4581', 'A-43a9e3') ORDER BY customer_id"
    ).fetchall()
    assert [(datetime(2024, 10, 16),), (datetime(2023, 8, 17),)] == found


def test_the_steps_of_tickets_and_use_that_cannot_be_are_kinds_of_their_own(ravenstack: Tables) -> None:
    found = kinds(ravenstack)
    # 77 % of the file's rows are from before their subscription, 19,142; 14 of them have an id that stood before.
    assert (5851, 19128) == (found["usage"], found["usage_before_subscription"])
    assert {"contact": 2000, "first_response": 2000, "escalated": 95, "resolved": 2000, "cancellation": 600} == {
        kind: found[kind] for kind in ("contact", "first_response", "escalated", "resolved", "cancellation")
    }
    answered = ravenstack.con.execute("SELECT count(*), count(answered_at) FROM surveys").fetchone()
    assert (2000, 1175) == answered


def test_check_tells_of_byte_order_marks_and_of_events_before_the_sign_up(project: Path) -> None:
    found = ok(
        call("check", "--project", project, "--deployment", "ravenstack", "--data", DATA / "ravenstack", "--json")
    ).json
    early = {one.split(":")[0]: one for one in found["warnings"] if "started_at" in one}
    assert ["ravenstack_feature_usage.csv", "ravenstack_support_tickets.csv"] == sorted(early)
    [marks] = [one for one in found["warnings"] if "byte order mark" in one]
    assert 5 == marks.count("ravenstack_")
    assert "(53%)" in early["ravenstack_feature_usage.csv"]


def test_nothing_can_be_learnt_here_and_nothing_is_promoted(project: Path) -> None:
    """The negative control: leavers were drawn at random."""
    said = call(
        "train", "churn", "--project", project, "--deployment", "ravenstack", "--data", DATA / "ravenstack", "--json"
    )
    assert 5 == said.code, said.err
    assert "the gate is not passed: this training of churn is registered but not promoted" in said.err
    assert "not surely better at finding the right customers than picking customers at random" in said.err
    assert not said.json["promoted"]
    assert "random" in [one["name"] for one in said.json["gate"]["checks"] if not one["passed"]]


# A help desk's log: a row is a ticket as an update left it, known when it was written.


def test_every_row_is_accounted_for(incidents: Tables) -> None:
    [log] = incidents.accounting
    assert 119_998 == log.read == log.accepted + sum(log.excluded.values()) + sum(log.quarantined.values())
    assert {"no caller": 29, "written before the ticket was opened": 5} == log.excluded
    assert {} == log.quarantined
    assert 4828 == log.events["customers"]
    assert datetime(2016, 5, 13, tzinfo=UTC) == log.data_end


def test_each_change_is_an_event_counted_as_by_hand(incidents: Tables) -> None:
    """The same log told again, row after row, by a loop."""
    import duckdb

    log = duckdb.sql(
        f"""SELECT number, incident_state, reassignment_count, reopen_count, priority, made_sla
            FROM '{DATA / "incidents" / "incident_event_log.parquet"}'
            WHERE caller_id IS NOT NULL AND sys_updated_at >= opened_at
            ORDER BY number, sys_updated_at, sys_mod_count"""
    ).fetchall()
    states = {"Active": "in_progress", "Resolved": "resolved", "Closed": "closed"}
    states |= {
        "Awaiting User Info": "awaiting_caller",
        "Awaiting Vendor": "awaiting_vendor",
        "Awaiting Problem": "awaiting_problem",
        "Awaiting Evidence": "awaiting_evidence",
    }
    expected: Counter[str] = Counter()
    before = None
    for row in log:
        number, state, handed, reopened, priority, in_time = row
        same = before is not None and before[0] == number
        expected["contact"] += not same
        if same:
            expected["handoff"] += handed > before[2]
            expected["reopened"] += reopened > before[3]
            expected["escalated"] += priority[0] < before[4][0]
            expected["sla_missed"] += before[5] and not in_time
        if state in states and not (same and before[1] == state):
            expected[states[state]] += 1
        before = row
    assert dict(expected) == kinds(incidents)


def test_nothing_is_known_before_its_row_was_written(incidents: Tables) -> None:
    # INC0000045: opened 01:16, first row 01:23, resolved 08:53, closed 2016-03-05 12:00; the row says resolved_at
    # 11:29 from the start, which nobody could know then.
    found = incidents.con.execute(
        """SELECT kind, "at", known_at, resolution_hours, first_contact FROM interactions
           WHERE interaction_id LIKE 'INC0000045:%' ORDER BY known_at"""
    ).fetchall()
    assert [
        ("contact", datetime(2016, 2, 29, 1, 16), datetime(2016, 2, 29, 1, 23), None, None),
        ("resolved", datetime(2016, 2, 29, 8, 53), datetime(2016, 2, 29, 8, 53), 457 / 60, 1.0),
        ("closed", datetime(2016, 3, 5, 12), datetime(2016, 3, 5, 12), None, None),
    ] == found


def test_callers_begin_with_the_first_row_of_a_ticket_of_theirs(incidents: Tables) -> None:
    later = incidents.con.execute(
        """SELECT customer_id FROM customers LEFT JOIN
           (SELECT customer_id, min(known_at) AS first FROM interactions GROUP BY customer_id) USING (customer_id)
           WHERE started_at IS DISTINCT FROM first"""
    ).fetchall()
    # Caller 290 took a ticket over from another: their first row changed nothing that is watched.
    assert [("Caller 290",)] == later


def test_check_says_what_the_log_does_not_have(project: Path) -> None:
    found = ok(
        call("check", "--project", project, "--deployment", "incidents", "--data", DATA / "incidents", "--json")
    ).json
    [model] = found["models"]
    assert ("inactivity", "configs/incidents/models/inactivity.yaml") == (model["model"], model["file"])
    assert "surveys has no row" in found["skipped"]["last_score"]
    assert not [one for one in found["warnings"] if "started_at" in one]
