"""Standing: who is left in peace, who is not, and what ends it early."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from ledger_facts import assigned, issue, outcome, row

from churnwatch.ledger import Outcome, PastRow, Seen, latest_list, record_outcomes, record_veto
from churnwatch.outreach import LEFT_ALONE
from churnwatch.project import load_project
from churnwatch.reasons import Reason, raising
from churnwatch.runs.ranking import Ranking, Why
from churnwatch.runs.standing import Past, announced_on, past_of, standings_of
from churnwatch.runs.workspace import Workspace
from churnwatch.signals import Matrix
from churnwatch.spec import Outreach

DAY = date(2026, 6, 30)
OUTREACH = Outreach(default_action="check_in")
NOTHING = Matrix(pd.DataFrame({"customer_id": [], "as_of": []}), (), np.empty((0, 0)))


def came(back: int, *words: str, number: int = 1, list_id: int | None = 7, **more: Any) -> Outcome:
    """An outcome so many days before today."""
    on = DAY - timedelta(days=back)
    at = datetime(on.year, on.month, on.day, 5, tzinfo=UTC)
    return Outcome(
        deployment="demo", customer_id="c", list_id=list_id, list_day=None, day=on, at=at, known_at=at, words=words,
        by="test", source="0", line=2, outcome_id=number, **more,
    )  # fmt: skip


def listed(back: int, *, risk: float | None = 0.2, version: str = "v1", signs: tuple[str, ...] = ("quiet",)) -> PastRow:
    """A row on the list of so many days before today."""
    return PastRow(
        list_id=7, as_of=DAY - timedelta(days=back), customer_id="c", owner="rina", risk=risk, band="at_risk",
        signs=signs, listed_for="churn", model_version=version, action_name="check_in", proactive="",
    )  # fmt: skip


def past(row: PastRow | None = None, *outcomes: Outcome, arm: str = "", vetoed: bool = False) -> Past:
    return Past(
        rows={"c": row} if row else {},
        outcomes={"c": outcomes} if outcomes else {},
        arms={"c": arm} if arm else {},
        decided=Counter(),
        vetoed=frozenset({"c"} if vetoed else ()),
        seen=Seen(0, 0),
        epoch=date(2026, 6, 1),
    )


def stands(
    known: Past, *, risk: float = 0.2, worthy: bool = True, signs: tuple[tuple[str, float], ...] = (), **more: Any
) -> tuple[str, Any]:
    """The standing of one customer whose reasons today have these signs, and why they are early."""
    asked: list[int] = []

    def reasons(positions: Any, languages: Any) -> list[Why]:
        asked.extend(positions)
        told = tuple(Reason(f"{name} says so", name, share, None, name) for name, share in signs)
        return [Why(told) for _ in positions]

    frame = pd.DataFrame({"customer_id": ["c"], "risk": [risk], "worthy": [worthy]})
    as_of = datetime(2026, 6, 29, 17, tzinfo=UTC)
    ranking = Ranking(frame, more.get("version", "v1"), more.get("baseline"), as_of, (), reasons, NOTHING)
    found = standings_of(frame, known, ranking, OUTREACH, day=DAY)
    assert found.standing[0] in ("", *LEFT_ALONE)
    return found.standing[0], found.early.get("c")


def test_who_was_never_listed_and_never_spoken_with_stands_open() -> None:
    assert ("", None) == stands(past())


@pytest.mark.parametrize(("back", "standing"), [(1, "cooling"), (2, "cooling"), (3, ""), (20, "")])
def test_a_row_that_brought_nothing_leaves_in_peace_for_three_days(back: int, standing: str) -> None:
    """Listed on the 29th and ignored: not on the 30th, 1st; again on the 2nd, three days later."""
    assert standing == stands(past(listed(back)))[0]


@pytest.mark.parametrize(("back", "standing"), [(0, "cooling"), (13, "cooling"), (14, ""), (15, "")])
@pytest.mark.parametrize("word", ["reached", "solved", "offer_accepted", "will_stay", "wrong_flag"])
def test_a_row_somebody_worked_leaves_in_peace_for_fourteen_days_from_that_day(
    word: str, back: int, standing: str
) -> None:
    """It runs from the day of the contact, not from the list's, which was two days before."""
    assert standing == stands(past(listed(back + 2), came(back, word)))[0]


@pytest.mark.parametrize(("back", "standing"), [(2, "cooling"), (3, ""), (13, "")])
def test_who_was_not_reached_is_tried_again_after_three_days(back: int, standing: str) -> None:
    assert standing == stands(past(listed(back + 1), came(back, "not_reached")))[0]


def test_what_came_of_a_day_came_of_its_later_revision_too(ledger: sa.Engine, tmp_path: Path) -> None:
    """Snoozed until the 2nd from the first list of the 1st, which then was made again: on the 2nd they are back.

    Who stands on the second list alone brought nothing, nor did a list to whom somebody spoke beside it.
    """
    one, two = date(2026, 5, 1), date(2026, 5, 2)
    issue(ledger, as_of=one, rows=[row("snoozed"), row("struck", rank=2)])
    said = [
        outcome("snoozed", "snooze", snooze_until=two),
        outcome("struck", "snooze", snooze_until=two),
        outcome("beside", "snooze", snooze_until=two, list_id=None, list_day=None),
    ]
    record_outcomes(ledger, deployment="demo", outcomes=said)
    issue(ledger, as_of=one, rows=[row("snoozed"), row("beside", rank=2), row("silent", rank=3)])
    workspace = Workspace(tmp_path, tmp_path, load_project(Path(__file__).parents[1], "demo"), datetime.now(UTC))
    names = ["snoozed", "struck", "beside", "silent"]
    frame = pd.DataFrame({"customer_id": names, "risk": 0.5, "worthy": True})
    ranking = Ranking(frame, None, "health", datetime(2026, 5, 1, 17, tzinfo=UTC), (), lambda *_: [], NOTHING)
    found = standings_of(frame, past_of(workspace, ledger, day=two), ranking, OUTREACH, day=two)
    assert ["", "", "cooling", "cooling"] == list(found.standing)


def test_who_was_not_reached_first_and_then_was_is_left_in_peace_from_the_second() -> None:
    assert "cooling" == stands(past(listed(12), came(12, "not_reached"), came(10, "reached", number=2)))[0]


@pytest.mark.parametrize(("until", "standing"), [(date(2026, 7, 1), "snoozed"), (DAY, ""), (date(2026, 6, 1), "")])
def test_who_is_put_off_comes_back_on_that_day(until: date, standing: str) -> None:
    assert standing == stands(past(listed(40), came(40, "snooze", snooze_until=until)))[0]


def test_the_last_word_on_a_snooze_counts() -> None:
    """Put off for long, then spoken with and put off to a day that has come."""
    first = came(40, "snooze", snooze_until=date(2026, 12, 1))
    later = came(20, "snooze", number=2, snooze_until=date(2026, 6, 20))
    assert "" == stands(past(None, first, later))[0]
    assert "snoozed" == stands(past(None, first))[0]


def test_an_announcement_holds_until_it_is_taken_back_or_is_old() -> None:
    """Ninety days; who says later that they stay is back, and left in peace as anybody spoken with."""
    assert "announced" == stands(past(None, came(20, "reached", "will_leave")))[0]
    assert "" == stands(past(None, came(90, "will_leave")))[0]
    took_back = (came(40, "will_leave"), came(20, "will_stay", number=2))
    assert "" == stands(past(None, *took_back))[0]
    assert announced_on(took_back, day=DAY) is None
    assert DAY - timedelta(days=40) == announced_on(took_back[:1], day=DAY)


def test_who_is_held_out_is_left_alone_whatever_else_unless_vetoed() -> None:
    assert "held_out" == stands(past(arm="held_out"))[0]
    assert "held_out" == stands(past(listed(1), arm="held_out"), risk=0.9)[0]
    assert "" == stands(past(arm="treated"))[0]
    assert "" == stands(past(arm="held_out", vetoed=True))[0]


def test_a_clear_rise_ends_the_cooldown_and_says_by_how_much() -> None:
    """From 20 % to 30 %: ten points are enough, and 29.9 % are not."""
    assert ("cooling", None) == stands(past(listed(5), came(4, "reached")), risk=0.299)
    standing, early = stands(past(listed(5), came(4, "reached")), risk=0.30)
    assert "" == standing
    assert "the risk has risen by 10 points since 25 Jun 2026" == early.sentence("en", ())
    assert "risikonya naik 10 poin sejak 25 Jun 2026" == early.sentence("id", ())


@pytest.mark.parametrize(
    "how", [{"version": "v2"}, {"baseline": "health"}, {"worthy": False}], ids=["model", "baseline", "band"]
)
def test_no_rise_is_seen_between_two_models_by_a_baseline_or_below_the_band(how: dict[str, Any]) -> None:
    assert ("cooling", None) == stands(past(listed(5), came(4, "reached")), risk=0.9, **how)


def test_a_clear_rise_ends_the_cooldown_of_who_was_growing_unhappy_or_named_by_a_rule(
    ledger: sa.Engine, tmp_path: Path
) -> None:
    """Every row has the risk by the listing model, so it can be compared, whatever listed it."""
    rows = [
        row("by the model", risk=0.2),
        row("by another", rank=2, risk=0.2, listed_for="unhappy", also_model="unhappy"),
        row("by a rule", rank=3, risk=0.2, proactive="renewal"),
        row("no rise", rank=4, risk=0.2, listed_for="unhappy", also_model="unhappy"),
    ]
    day = date(2026, 5, 3)
    issue(ledger, as_of=day - timedelta(days=2), rows=rows, also=(("unhappy", "cafecafecafe"),))
    workspace = Workspace(tmp_path, tmp_path, load_project(Path(__file__).parents[1], "demo"), datetime.now(UTC))
    names = [one["customer_id"] for one in rows]
    frame = pd.DataFrame({"customer_id": names, "risk": [0.3, 0.3, 0.3, 0.21], "worthy": True})
    as_of = datetime(2026, 5, 2, 17, tzinfo=UTC)

    def reasons(positions: Any, languages: Any) -> list[Why]:
        return [Why(()) for _ in positions]

    ranking = Ranking(frame, "0123456789ab", None, as_of, (), reasons, NOTHING)
    found = standings_of(frame, past_of(workspace, ledger, day=day), ranking, OUTREACH, day=day)
    assert ["", "", "", "cooling"] == list(found.standing)
    assert set(names[:3]) == set(found.early)


def test_a_new_sign_ends_the_cooldown_where_the_risk_is_up_a_little() -> None:
    """It was told that they are quiet; now there is a complaint. A weak sign, and an old one, are none."""
    known = past(listed(5), came(4, "reached"))
    standing, early = stands(known, risk=0.23, signs=(("quiet", 2.0), ("complaints", 0.6)))
    assert "" == standing
    why = [Reason("2 keluhan", "complaints_28d", 0.6, None, "complaints")]
    assert "baru sejak 25 Jun 2026: 2 keluhan" == early.sentence("id", why)
    assert "a new sign since 25 Jun 2026" == early.sentence("en", ())
    assert ("cooling", None) == stands(known, risk=0.23, signs=(("quiet", 2.0), ("complaints", 0.4)))
    assert ("cooling", None) == stands(known, risk=0.21, signs=(("complaints", 0.9),))
    assert ("cooling", None) == stands(known, risk=0.23, signs=(("quiet", 0.9),))


def test_a_list_knows_what_came_of_earlier_ones_and_not_of_itself(ledger: sa.Engine, tmp_path: Path) -> None:
    """Of May 1 and May 2, both worked on the 2nd: that of the 2nd knows the first alone, that of the 3rd both.

    Made again it knows what it had seen; a customer's arm is that of the epoch the day lies in.
    """
    one, two, three = date(2026, 5, 1), date(2026, 5, 2), date(2026, 5, 3)
    # Epochs of 90 days from 2020-01-01: one begins on 2026-02-28, the next on 2026-05-29.
    epoch = date(2026, 2, 28)
    issue(
        ledger,
        as_of=one,
        rows=[row("a")],
        assigned=[assigned("a", epoch=epoch), assigned("h", "held_out", epoch=epoch)],
    )
    issue(ledger, as_of=two, rows=[row("b")], assigned=[assigned("b", epoch=epoch)])
    said = [outcome("a"), outcome("b", list_id=2, list_day=two)]
    record_outcomes(ledger, deployment="demo", outcomes=said)
    workspace = Workspace(tmp_path, tmp_path, load_project(Path(__file__).parents[1], "demo"), datetime.now(UTC))
    assert {"a"} == set(past_of(workspace, ledger, day=two).outcomes)
    later = past_of(workspace, ledger, day=three)
    assert {"a", "b"} == set(later.outcomes) == set(later.rows)
    assert (epoch, {"a": "treated", "h": "held_out", "b": "treated"}) == (later.epoch, later.arms)
    assert {("a1", "at_risk"): 3} == later.decided
    issued = latest_list(ledger, deployment="demo", as_of=two)
    assert issued is not None
    again = past_of(workspace, ledger, day=two, issued=replace(issued, seen=Seen(0, 0)))
    assert ({}, {"a", "h"}) == (again.outcomes, set(again.arms))
    assert {} == past_of(workspace, ledger, day=date(2026, 5, 29)).arms


def test_a_veto_holds_until_the_epoch_is_over_even_where_it_was_lifted(ledger: sa.Engine, tmp_path: Path) -> None:
    """Who was listed under it was contacted by choice. Lifted before the epoch it is gone; said again it stands."""
    workspace = Workspace(tmp_path, tmp_path, load_project(Path(__file__).parents[1], "demo"), datetime.now(UTC))
    before, within = datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC)
    for customer, said in (
        ("stands", [(before, False)]),
        ("lifted", [(before, False), (within, True)]),
        ("gone", [(before, False), (before + timedelta(days=1), True)]),
        ("again", [(before, False), (before + timedelta(days=1), True), (within, False)]),
    ):
        for at, lifted in said:
            record_veto(ledger, deployment="demo", customer_id=customer, reason="r", by="b", at=at, lifted=lifted)
    assert {"stands", "lifted", "again"} == past_of(workspace, ledger, day=date(2026, 5, 3)).vetoed
    assert {"stands", "again"} == past_of(workspace, ledger, day=date(2026, 6, 3)).vetoed


def test_a_sign_is_all_that_says_the_same_from_the_least_on() -> None:
    """Of the demo's catalogue: complaints of two windows together 0.3, one lowered by another, and one too weak."""
    catalogue = {one.name: one for one in load_project(Path(__file__).parents[1], "demo").columns}
    shares = {"complaints_28d": 0.2, "complaints_84d": 0.1, "open_cases": 0.4, "quiet_for": 0.24}
    columns = [catalogue[name] for name in shares if name in catalogue]
    told = np.array([shares[one.name] for one in columns])
    assert ("complaints", "open_cases") == raising(columns, told, least=0.25)
    assert () == raising(columns, -told, least=0.25)
