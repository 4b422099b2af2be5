"""Leavers: whose announcement stands, and whose does not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from oracle import Event
from small_tables import tables_of

from churnwatch.ledger import Outcome, Seen
from churnwatch.project import load_project
from churnwatch.runs.leavers import leavers_of
from churnwatch.runs.people import Team
from churnwatch.runs.standing import Past
from churnwatch.runs.workspace import Workspace

DAY = date(2026, 6, 1)
AS_OF = datetime(2026, 5, 31, 17, tzinfo=UTC)  # midnight in Jakarta
NOW = AS_OF.replace(tzinfo=None)
TEAM = Team({"rina": "Rina"}, {"rina": "id"}, {}, {})


@pytest.fixture(scope="module")
def workspace(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("leavers")
    return Workspace(root, root, load_project(request.config.rootpath, "demo"), AS_OF)


def left(customer: str, back: float, known: float | None = None) -> Event:
    """A cancellation so many days before as-of, known as many days before."""
    at = NOW - timedelta(days=back)
    return Event(
        f"x{customer}", customer, at, NOW - timedelta(days=back if known is None else known), {"kind": "cancellation"}
    )


def spoken(customer: str, back: int, word: str, why: str | None = None) -> Outcome:
    on = DAY - timedelta(days=back)
    at = datetime(on.year, on.month, on.day, 3, tzinfo=UTC)
    return Outcome(
        deployment="demo", customer_id=customer, list_id=1, list_day=on, day=on, at=at, known_at=at, words=(word,),
        why=why, by="test", source="0", line=2, outcome_id=1,
    )  # fmt: skip


def told(workspace: Any, tables: Any, *outcomes: Outcome) -> list[Any]:
    came: dict[str, list[Outcome]] = {}
    for one in outcomes:
        came.setdefault(one.customer_id, []).append(one)
    past = Past({}, came, {}, Counter(), frozenset(), Seen(0, 0), DAY)
    return leavers_of(workspace, tables, workspace.model("churn"), past, TEAM, day=DAY, as_of=AS_OF)


def test_who_has_cancelled_and_is_still_there_is_listed_the_latest_first(workspace) -> None:
    """Not whose relation has ended, whose announcement is not known yet or old, nor who must not be contacted."""
    people = [
        {"customer_id": "a", "name": "Ani", "owner": "rina", "value": 5.0, "ended_at": NOW + timedelta(days=9)},
        {"customer_id": "b", "ended_at": NOW},
        {"customer_id": "c"},
        {"customer_id": "d", "do_not_contact": True},
        {"customer_id": "h", "consent": False},
        {"customer_id": "e"},
        {"customer_id": "f"},
        {"customer_id": "g"},
    ]
    events = [
        left("a", 3),
        left("b", 40),
        left("c", 1, known=-1),
        left("d", 3),
        left("h", 3),
        left("e", 91),
        left("f", 0),
        left("g", 1),
    ]
    found = told(workspace, tables_of(events, customers=people))
    assert ["g", "a"] == [one.customer_id for one in found]
    assert [date(2026, 5, 31), date(2026, 5, 29)] == [one.announced_on for one in found]
    assert ("Ani", "rina", "Rina", "id", date(2026, 6, 10), 5.0, None) == (
        found[1].customer_name, found[1].owner, found[1].owner_name, found[1].language, found[1].ends_on,
        found[1].value, found[1].said,
    )  # fmt: skip


def test_what_an_agent_was_told_counts_until_it_is_taken_back(workspace) -> None:
    people = [{"customer_id": name} for name in "abc"]
    found = told(
        workspace,
        tables_of(customers=people),
        spoken("a", 4, "will_leave", "too dear"),
        spoken("b", 9, "will_leave"),
        spoken("b", 2, "will_stay"),
        spoken("c", 90, "will_leave"),
    )
    assert [("a", date(2026, 5, 28), "too dear", "en")] == [
        (one.customer_id, one.announced_on, one.said, one.language) for one in found
    ]
