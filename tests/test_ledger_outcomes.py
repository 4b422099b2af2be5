"""The ledger keeps what came of a row, once each, with every correction."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from ledger_facts import MAY_1, MAY_2, NOON, count, issue, outcome, row
from sqlalchemy.exc import IntegrityError

from churnwatch.ledger import Recorded, outcomes, record_outcomes


@pytest.fixture
def listed(ledger: sa.Engine) -> sa.Engine:
    """A ledger with a list of a and b, and one of the next day."""
    issue(ledger, rows=[row("a"), row("b", rank=2)])
    issue(ledger, as_of=MAY_2, rows=[row("a")])
    return ledger


def test_an_outcome_comes_back_as_it_was_handed_in(listed: sa.Engine) -> None:
    full = outcome(
        "a",
        "reached",
        "snooze",
        snooze_until=date(2026, 8, 1),
        why="on holiday",
        action_name="call_back",
        channel="phone",
        owner="a1",
        known_at=NOON + timedelta(hours=3),
    )
    assert Recorded(new=2, repeated=0) == record_outcomes(listed, deployment="demo", outcomes=[full, outcome("b")])
    first, second = outcomes(listed, deployment="demo")
    assert (1, 2) == (first.outcome_id, second.outcome_id)
    assert (full.__class__(**{**full.__dict__, "outcome_id": 1}), ("reached",)) == (first, second.words)
    assert (second,) == outcomes(listed, deployment="demo", customer_id="b")
    assert () == outcomes(listed, deployment="other")


def test_the_same_fact_again_is_repeated_and_not_written(listed: sa.Engine) -> None:
    """From another file, on another line, with its words in another order."""
    said = outcome("a", "reached", "will_stay")
    again = outcome("a", "will_stay", "reached", source="f2", line=9)
    assert Recorded(1, 0) == record_outcomes(listed, deployment="demo", outcomes=[said])
    assert Recorded(0, 2) == record_outcomes(listed, deployment="demo", outcomes=[said, again])
    assert 1 == count(listed, "outcomes")


def test_another_word_on_the_same_row_corrects_the_one_before(listed: sa.Engine) -> None:
    record_outcomes(listed, deployment="demo", outcomes=[outcome("a", "not_reached")])
    put_right = [outcome("a", "reached", source="f2"), outcome("a", "reached", list_id=2, list_day=MAY_2, source="f2")]
    assert Recorded(2, 0, corrected=1) == record_outcomes(listed, deployment="demo", outcomes=put_right)
    assert [(2, 1), (3, None)] == [(one.outcome_id, one.replaces) for one in outcomes(listed, deployment="demo")]
    assert [1, 2, 3] == [one.outcome_id for one in outcomes(listed, deployment="demo", replaced=True)]
    # What was known before the correction: the first word stood.
    assert [1] == [one.outcome_id for one in outcomes(listed, deployment="demo", up_to=1)]


def test_an_old_file_handed_in_again_takes_back_no_correction(listed: sa.Engine) -> None:
    """But the old word in a new file is somebody's last word."""
    wrong, right = outcome("a", "not_reached", source="f1"), outcome("a", "reached", source="f2")
    for one, expected in ((wrong, Recorded(1, 0)), (right, Recorded(1, 0, 1)), (wrong, Recorded(0, 1))):
        assert expected == record_outcomes(listed, deployment="demo", outcomes=[one])
    assert [("reached",)] == [one.words for one in outcomes(listed, deployment="demo")]
    asked = record_outcomes(listed, deployment="demo", outcomes=[wrong], correct=True)
    assert Recorded(1, 0, 1) == asked
    assert Recorded(0, 1) == record_outcomes(listed, deployment="demo", outcomes=[wrong], correct=True)
    assert Recorded(1, 0, 1) == record_outcomes(listed, deployment="demo", outcomes=[right], correct=True)
    back = outcome("a", "not_reached", source="f3")
    assert Recorded(1, 0, 1) == record_outcomes(listed, deployment="demo", outcomes=[back])
    assert [("not_reached",)] == [one.words for one in outcomes(listed, deployment="demo")]


def test_two_words_on_a_row_in_one_file_are_a_correction_too(listed: sa.Engine) -> None:
    both = [outcome("a", "reached", line=2), outcome("a", "solved", line=7)]
    assert Recorded(2, 0, corrected=1) == record_outcomes(listed, deployment="demo", outcomes=both)
    assert [("solved",)] == [one.words for one in outcomes(listed, deployment="demo")]
    assert Recorded(0, 2) == record_outcomes(listed, deployment="demo", outcomes=both)


def test_contacts_of_no_list_are_one_fact_a_day(listed: sa.Engine) -> None:
    on_two_days = [outcome("a", list_id=None, list_day=None, day=day) for day in (MAY_1, MAY_2)]
    assert Recorded(2, 0) == record_outcomes(listed, deployment="demo", outcomes=on_two_days)
    later = outcome("a", "solved", list_id=None, list_day=None, day=MAY_2, source="f2")
    assert Recorded(1, 0, corrected=1) == record_outcomes(listed, deployment="demo", outcomes=[later])
    assert 2 == len(outcomes(listed, deployment="demo"))


def test_outcomes_are_kept_all_or_none(listed: sa.Engine) -> None:
    with pytest.raises(IntegrityError):
        record_outcomes(listed, deployment="demo", outcomes=[outcome("a"), outcome("b", list_id=99)])
    assert 0 == count(listed, "outcomes")


def test_an_outcome_of_another_deployment_is_refused(listed: sa.Engine) -> None:
    with pytest.raises(ValueError, match="not of the deployment other"):
        record_outcomes(listed, deployment="other", outcomes=[outcome("a")])


def test_another_day_of_the_same_contact_corrects_it(listed: sa.Engine) -> None:
    """From that day the cooldown runs, so it is no detail."""
    early = outcome("a", day=MAY_1)
    assert Recorded(1, 0) == record_outcomes(listed, deployment="demo", outcomes=[early])
    assert Recorded(1, 0, corrected=1) == record_outcomes(
        listed, deployment="demo", outcomes=[outcome("a", source="f2")]
    )
    assert [MAY_2] == [one.day for one in outcomes(listed, deployment="demo")]
