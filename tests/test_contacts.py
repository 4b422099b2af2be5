"""Recorded contacts are interactions: known from when they were handed in, seen by all who read the tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_tables import aware, tables_of
from test_handback import ANA, BUDI, filed, hand_in, issue
from test_outcomes import event

import churnwatch.sources
from churnwatch.ledger import Assigned, Outcome, Veto
from churnwatch.project import scaffold
from churnwatch.runs.contacts import contacts_of, units_of
from churnwatch.runs.provenance import LEDGER, recall_of
from churnwatch.runs.workspace import Recall, Workspace, load_tables, open_workspace
from churnwatch.sources import RECORDED, Contact, Unit, as_known, record_contacts
from churnwatch.sources.recorded import recorded_state

JULY_1 = date(2026, 7, 1)
NOON = datetime(2026, 7, 1, 5, tzinfo=UTC)


def contact(number: int, customer: str = "a", **other: Any) -> Contact:
    told = {"at": NOON, "known_at": NOON, "channel": None, "topic": "call_back", "agent": "a1", **other}
    return Contact(f"churnwatch:{number}", customer, **told)


def ids(con: Any) -> list[str]:
    return [one for (one,) in con.execute("select interaction_id from interactions order by 1").fetchall()]


def test_contacts_stand_among_the_interactions_and_take_each_others_place() -> None:
    tables = tables_of([event(datetime(2026, 6, 1), "contact")])
    [own] = ids(tables.con)
    assert recorded_state(tables.con) is None
    record_contacts(tables.con, [contact(1), contact(2, "nobody")], state="2")
    assert [own, "churnwatch:1"] == ids(tables.con)
    assert ("outreach", "out", None, "call_back", "a1", None, RECORDED, datetime(2026, 7, 1, 5)) == tables.con.execute(
        """select kind, direction, channel, topic, agent, "text", source, "at" from interactions
        where interaction_id = 'churnwatch:1'"""
    ).fetchone()
    record_contacts(tables.con, [contact(3)], state="2")
    assert [own, "churnwatch:1"] == ids(tables.con), "the same state is the same contacts"
    record_contacts(tables.con, [contact(3), contact(4)], state="4")
    assert [own, "churnwatch:3", "churnwatch:4"] == ids(tables.con)
    record_contacts(tables.con, [], state="0")
    assert [own] == ids(tables.con)


def test_where_the_interactions_are_a_view_over_files_it_is_extended() -> None:
    tables = tables_of([event(datetime(2026, 6, 1), "contact")], measures=["amount"])
    [own] = ids(tables.con)
    tables.con.execute("alter table interactions rename to read_in_place")
    tables.con.execute("create view interactions as from read_in_place")
    for state, numbers in (("1", [1]), ("2", [1, 2]), ("0", [])):
        record_contacts(tables.con, [contact(number) for number in numbers], state=state)
        assert [own, *(f"churnwatch:{number}" for number in numbers)] == ids(tables.con)
    assert 1 == tables.con.execute("select count(*) from read_in_place").fetchone()[0]


def test_the_tables_of_an_earlier_day_know_only_what_was_handed_in_by_then() -> None:
    tables = tables_of([event(datetime(2026, 6, 1), "contact")])
    past = as_known(tables, aware(datetime(2026, 7, 2)))
    late = contact(2, known_at=datetime(2026, 7, 2, tzinfo=UTC))
    record_contacts(past.con, [contact(1), late], state="2")
    assert ["churnwatch:1"] == ids(past.con)[-1:]
    assert {"churnwatch:1", "churnwatch:2"} < set(ids(tables.con))


def test_recorded_contacts_are_no_source_whose_end_or_silence_anybody_waits_for() -> None:
    tables = tables_of([event(datetime(2026, 6, 1), "contact")], data_end=datetime(2026, 6, 30, tzinfo=UTC))
    record_contacts(tables.con, [contact(n) for n in range(100)], state="100")
    assert datetime(2026, 6, 30, tzinfo=UTC) == tables.data_end("interactions")
    assert () == tables.stale(datetime(2026, 9, 1, tzinfo=UTC))
    assert ["test"] == [one.source for one in tables.lateness()]


def outcome(number: int, *words: str, customer: str = "a") -> Outcome:
    return Outcome(
        deployment="demo", customer_id=customer, list_id=1, list_day=JULY_1, day=JULY_1, at=NOON, known_at=NOON,
        words=words, action_name="call_back", owner="a1", by="ratna", source="0" * 64, line=2, outcome_id=number,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "spoken"),
    [
        (("reached",), True),
        (("solved",), True),
        (("offer_accepted",), True),
        (("will_stay",), True),
        (("will_leave",), True),
        (("reached", "wrong_flag"), True),
        (("wrong_flag",), False),
        (("not_reached",), False),
        (("snooze",), False),
        (("not_reached", "snooze"), False),
    ],
)
def test_only_where_somebody_was_reached_there_was_a_contact(words: tuple[str, ...], spoken: bool) -> None:
    assert ([contact(7)] if spoken else []) == contacts_of([outcome(7, *words)])


def assigned(customer: str, arm: Any, *, epoch: date = JULY_1, day: date = JULY_1) -> Assigned:
    return Assigned(
        epoch=epoch, customer_id=customer, arm=arm, owner="a1", band="critical", risk=0.5, worth=1.0, decided_on=day
    )


def test_units_are_of_both_arms_from_the_midnight_of_their_day_to_that_after_the_epochs_last() -> None:
    """Midnight in Jakarta is 17:00 of the day before; 90 days from 1 July are over on 29 September."""
    found = units_of([assigned("a", "held_out"), assigned("b", "treated")], [], length=90, zone="Asia/Jakarta")
    opens, closes = datetime(2026, 6, 30, 17, tzinfo=UTC), datetime(2026, 9, 28, 17, tzinfo=UTC)
    assert (Unit("a", True, opens, closes), Unit("b", False, opens, closes)) == found


def veto(at: datetime, *, lifted: bool = False, customer: str = "a") -> Veto:
    return Veto(
        veto_id=1, deployment="demo", customer_id=customer, reason="ours", by="ratna", at=at, lifted=lifted
    )  # fmt: skip


OPENS = datetime(2026, 7, 1, tzinfo=UTC)
CLOSES = OPENS + timedelta(days=90)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ([(CLOSES - MOMENT, False)], False),
        ([(CLOSES, False)], True),
        ([(OPENS - timedelta(days=500), False)], False),
        ([(OPENS - timedelta(days=5), False), (OPENS, True)], True),
        ([(OPENS - timedelta(days=5), False), (OPENS + MOMENT, True)], False),
        ([(OPENS + timedelta(days=1), False), (OPENS + timedelta(days=2), True)], False),
        ([(OPENS - timedelta(days=5), False), (OPENS, True), (CLOSES - MOMENT, False)], False),
        ([(OPENS - timedelta(days=5), False), (OPENS - MOMENT, False), (OPENS, True), (OPENS, True)], True),
        ([(OPENS, True)], True),
    ],
)
@pytest.mark.parametrize("arm", ["held_out", "treated"])
def test_who_was_vetoed_at_any_time_of_an_epoch_is_in_neither_arm(
    said: list[tuple[datetime, bool]], there: bool, arm: str
) -> None:
    vetoes = [veto(at, lifted=lifted) for at, lifted in said]
    found = units_of([assigned("a", arm), assigned("b", arm)], vetoes, length=90, zone="UTC")
    assert (["a"] if there else []) + ["b"] == [one.customer_id for one in found]


def chain(*told: tuple[int, str]) -> list[Outcome]:
    """Outcomes of one row, each correcting the one before: handed in so many days after noon, in that word."""
    return [
        replace(outcome(i, word), known_at=NOON + timedelta(days=days), replaces=i - 1 or None)
        for i, (days, word) in enumerate(told, start=1)
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(0, "reached"), (30, "solved")], 0),
        ([(0, "reached"), (2, "solved"), (30, "will_stay")], 0),
        ([(0, "not_reached"), (2, "reached"), (30, "solved")], 2),
        ([(0, "reached"), (2, "not_reached"), (30, "reached")], 0),
        ([(0, "not_reached"), (30, "reached")], 30),
    ],
)
def test_a_corrected_contact_is_known_since_it_was_first_told(told: list[tuple[int, str]], expected: int) -> None:
    """Those who were served with it on the second day would otherwise train as if they had not been."""
    [found] = contacts_of(chain(*told))
    assert (f"churnwatch:{len(told)}", NOON + timedelta(days=expected)) == (found.interaction_id, found.known_at)


def test_a_contact_corrected_away_is_none_and_one_moved_to_a_later_day_is_not_known_before_it() -> None:
    assert [] == contacts_of(chain((0, "reached"), (2, "not_reached")))
    first, second = chain((0, "reached"), (5, "solved"))
    [found] = contacts_of([first, replace(second, at=NOON + timedelta(days=3))])
    assert NOON + timedelta(days=3) == found.known_at


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A project whose data are one interaction of each of two customers."""
    root = tmp_path / "project"
    scaffold.init(root)
    events = [event(datetime(2026, 6, 1), "contact", customer=one.customer_id) for one in (ANA, BUDI)]
    monkeypatch.setattr(churnwatch.sources, "load", lambda *_, **__: tables_of(events, zone="Asia/Jakarta"))
    return open_workspace(root, deployment="demo", data=None, now=datetime(2026, 7, 3, 11, tzinfo=UTC))


def recorded(workspace: Workspace) -> list[str]:
    tables = load_tables(workspace)
    rows = tables.con.execute(f"select customer_id from interactions where source = '{RECORDED}' order by 1")
    return [one for (one,) in rows.fetchall()]


def test_a_workspace_sees_what_comes_back_while_it_is_open(workspace: Workspace, tmp_path: Path) -> None:
    """So does one as of before; a correction takes the contact away, but not from what was made before it."""
    assert [] == recorded(workspace)
    assert not (workspace.state / "ledger.db").exists(), "reading the tables makes no ledger"
    issue(workspace, JULY_1, ANA, BUDI)
    assert [] == recorded(workspace)
    assert recorded_state(load_tables(workspace).con) is None
    hand_in(workspace, filed(tmp_path, (ANA, "reached", ""), (BUDI, "not reached", "")))
    assert ["00123"] == recorded(workspace)
    hand_in(workspace, filed(tmp_path, (BUDI, "solved", "")), correct=True)
    assert ["00123", "C-9"] == recorded(workspace)
    hand_in(workspace, filed(tmp_path, (ANA, "not reached", "")), correct=True)
    assert ["C-9"] == recorded(workspace)
    for known, expected in ((0, []), (2, ["00123"]), (3, ["00123", "C-9"]), (4, ["C-9"])):
        assert expected == recorded(replace(workspace, recall=Recall(known, before_list=2)))
    assert ["C-9"] == recorded(workspace)


def test_a_training_says_what_the_ledger_told_and_is_made_again_with_that() -> None:
    assert Recall(17, before_list=4, veto_id=2) == recall_of({LEDGER: "17 4 2"})
    assert Recall(17, before_list=4) == recall_of({LEDGER: "17 4"}), "vetoes were not looked at then"
    assert Recall(0, before_list=0) == recall_of({}), "nothing had come back, so nothing did"
