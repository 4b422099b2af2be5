"""People: who may be listed, what they are worth, and who works whose rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from small_tables import tables_of

from churnwatch.runs.people import last_of, people_of, team_of, values_of

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
NOW = AS_OF.replace(tzinfo=None)


def team(*agents: tuple[str, str | None, str | None, tuple[Any, Any] | None]) -> Any:
    """The team of agents (owner, lead, stand-in, away from and to in days from as-of)."""
    tables = tables_of()
    for owner, lead, stand_in, away in agents:
        days = [None if day is None else NOW + timedelta(days=day) for day in away or (None, None)]
        tables.con.execute(
            "insert into agents (owner, name, language, lead, stand_in, away_from, away_to, source) "
            "values (?, ?, 'id', ?, ?, ?, ?, 'test')",
            [owner, owner.title(), lead, stand_in, *days],
        )
    return team_of(tables, AS_OF)


def test_who_is_away_hands_over_to_the_stand_in_else_to_the_lead_who_is_there() -> None:
    away = (-1, 1)
    found = team(
        ("rina", "lead", "budi", away),
        ("budi", "lead", None, None),
        ("sari", "lead", "rina", away),  # the stand-in is away too
        ("tono", "boss", None, (-3, None)),  # until further notice; the lead is away, the lead's lead is not
        ("boss", "lead", None, away),
        ("lead", None, None, None),
        ("alone", None, None, away),
        ("ring", "ring2", None, away),
        ("ring2", "ring", None, away),
    )
    assert {
        "rina": "budi", "sari": "lead", "tono": "lead", "boss": "lead", "alone": None, "ring": None, "ring2": None
    } == found.stands_in  # fmt: skip
    assert "lead" == found.leads["rina"]
    assert "lead" not in found.leads
    assert ("Rina", "id") == (found.names["rina"], found.languages["rina"])


@pytest.mark.parametrize(
    ("away", "is_away"),
    [
        ((0, 1), True),
        ((-1, 0), False),
        ((1, 2), False),
        ((-5, None), True),
        ((None, 3), True),
        ((None, 0), False),
        (None, False),
    ],
)
def test_away_is_from_its_first_instant_to_before_its_last(away: tuple[Any, Any] | None, is_away: bool) -> None:
    assert is_away == ("rina" in team(("rina", None, None, away)).stands_in)


@pytest.mark.parametrize(
    ("customer", "refused", "required"),
    [
        ({}, False, True),
        ({"consent": True}, False, False),
        ({"consent": False}, True, True),
        ({"consent": True, "do_not_contact": True}, True, True),
        ({"consent": True, "ended_at": NOW}, True, True),
        ({"consent": True, "ended_at": NOW + timedelta(seconds=1)}, False, False),
    ],
)
def test_who_may_not_be_listed(customer: dict[str, Any], refused: bool, required: bool) -> None:
    tables = tables_of(customers=[{"customer_id": "c", **customer}])
    for consent, expected in (("refused", refused), ("required", required)):
        [told] = people_of(tables, AS_OF, consent=consent)["do_not_contact"]
        assert expected == told


def test_an_unknown_value_is_the_middle_of_its_segment_else_of_all() -> None:
    """Of the segment "a" 10 and 30 are known: 20. Of "b" nothing is, nor of who has none: of all, 10, 30 and 90: 30."""
    people = pd.DataFrame(
        {"value": [10.0, 30.0, None, None, None, 90.0], "segment": ["a", "a", "a", "b", None, "c"]}, dtype=object
    )
    assert [10.0, 30.0, 20.0, 30.0, 30.0, 90.0] == list(values_of(people))
    assert values_of(people.assign(value=None)) is None
    assert [0.0, 5.0] == list(values_of(pd.DataFrame({"value": [-3.0, 5.0], "segment": [None, None]})))


def test_the_last_survey_is_that_answered_last() -> None:
    """Two instruments; an answer at as-of is not known yet."""
    rows = [
        {"survey_id": f"s{i}", "customer_id": "c", "sent_at": NOW - timedelta(days=30), "instrument": name,
         "answered_at": NOW - timedelta(days=back), "raw_score": score, "scale_min": 0, "scale_max": 10,
         "higher_is_better": True}
        for i, (name, back, score) in enumerate((("nps", 9, 3.0), ("csat", 4, 2.0), ("nps", 0, 9.0)))
    ]  # fmt: skip
    [told] = last_of(tables_of(surveys=rows), AS_OF, ["c"]).to_dict("records")
    assert ("csat", 2.0) == (told["instrument"], told["raw_score"])
