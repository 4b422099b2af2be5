"""Whose label tells of our contact, and who stands for them: by hand, and against a row-by-row oracle."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import aware, spine_of, tables_of
from test_outcomes import AS_OF, CLOSE, LATER, LEAVING, US, event, model_of

from churnwatch.outcomes import label
from churnwatch.outcomes.treated import treated
from churnwatch.sources import Contact, HeldOut, Tables, record_contacts

ANSWERS = model_of(
    outcome={"answer": {"nps": {"scale": [0, 10], "bad": {"at_most": 6}}}},
    grid={"every": "30d", "at": "survey sent"},
    gap=None,
    horizon=None,
    answering={"within": "14d"},
)


def contact(at: datetime, *, known_at: datetime | None = None, customer: str = "a", number: int = 1) -> Contact:
    return Contact(f"churnwatch:{number}", customer, aware(at), aware(known_at or at), None, "call_back", "a1")


def made(*contacts: Contact, held_out: tuple[HeldOut, ...] = (), events: Any = ()) -> Tables:
    tables = tables_of(events, customers=[{"customer_id": one} for one in "abc"])
    record_contacts(tables.con, contacts, state="made")
    return dataclasses.replace(tables, held_out=held_out)


def looked_at(tables: Tables, *, model: Any = LEAVING, customer: str = "a", **options: Any) -> tuple[bool, float]:
    options = {"known_before": LATER, **options}
    ours, weight = treated(tables, model, spine_of([(customer, AS_OF)]), **options)
    return bool(ours[0]), float(weight[0])


@pytest.mark.parametrize(
    ("at", "expected"),
    [(AS_OF - US, False), (AS_OF, True), (AS_OF + timedelta(days=30), True), (CLOSE - US, True), (CLOSE, False)],
)
def test_a_contact_between_as_of_and_the_labels_end_treats(at: datetime, expected: bool) -> None:
    """The gap belongs to it: who was called in it may have stayed for that."""
    assert (expected, 1.0) == looked_at(made(contact(at)))


def test_only_the_customers_own_contacts_count() -> None:
    assert (False, 1.0) == looked_at(made(contact(AS_OF, customer="b")))


def test_a_contact_that_nobody_had_handed_in_yet_is_not_known() -> None:
    """What a replayed past could not know leaves it as it was."""
    late = made(contact(AS_OF, known_at=CLOSE + US))
    assert (False, 1.0) == looked_at(late, known_before=aware(CLOSE + US))
    assert (True, 1.0) == looked_at(late, known_before=aware(CLOSE + 2 * US))


def test_an_outreach_of_a_source_is_none_of_the_lists() -> None:
    """Whether it was on our list nobody knows; it is a row like any other."""
    tables = tables_of([event(AS_OF, "outreach")])
    assert (False, 1.0) == looked_at(tables)


def test_of_one_surveys_answer_the_time_is_what_an_answer_may_take() -> None:
    for days, expected in ((13, True), (14, False)):
        assert (expected, 1.0) == looked_at(made(contact(AS_OF + timedelta(days=days))), model=ANSWERS)


@pytest.mark.parametrize(
    ("decided", "expected"),
    [(AS_OF - US, 1.0), (AS_OF, 10.0), (CLOSE - US, 10.0), (CLOSE, 1.0)],
)
def test_who_was_held_out_in_that_time_stands_for_others(decided: datetime, expected: float) -> None:
    held = (HeldOut("a", aware(decided), 10.0), HeldOut("b", aware(AS_OF), 7.0))
    assert (False, expected) == looked_at(made(held_out=held))
    assert (False, 7.0) == looked_at(made(held_out=held), customer="b")
    assert (False, 1.0) == looked_at(made(held_out=held), customer="c")


def test_of_two_epochs_in_one_label_the_greater_weight_counts() -> None:
    held = tuple(HeldOut("a", aware(AS_OF + timedelta(days=days)), weight) for days, weight in ((1, 4.0), (50, 9.0)))
    assert (False, 9.0) == looked_at(made(held_out=held))


def test_exclude_weighs_nobody_and_keep_leaves_nobody_out() -> None:
    tables = made(contact(AS_OF), held_out=(HeldOut("b", aware(AS_OF), 10.0),))
    for handling, ours, weight in (("weight", True, 10.0), ("exclude", True, 1.0), ("keep", False, 1.0)):
        model = LEAVING.model_copy(update={"treated": handling})
        assert (ours, 1.0) == looked_at(tables, model=model)
        assert (False, weight) == looked_at(tables, model=model, customer="b")


def test_a_treated_row_has_no_outcome_to_learn_from_or_judge_by() -> None:
    """Both left; of the one we spoke to nobody knows what they would have done."""
    left = AS_OF + timedelta(days=20)
    tables = made(contact(AS_OF), events=[event(left, customer="a"), event(left, customer="b")])
    found = label(tables, LEAVING, spine_of([("a", AS_OF), ("b", AS_OF)]), known_before=LATER)
    assert [(True, False), (False, True)] == list(zip(found["treated"], found["told"], strict=True))
    assert [True, False] == found["known_at"].isna().tolist()
    assert [1.0, 1.0] == found["outcome"].tolist()


moments = st.integers(-40, 110).map(lambda days: AS_OF + timedelta(days=days))


@settings(deadline=None, max_examples=40)
@given(
    contacts=st.lists(st.tuples(st.sampled_from("ab"), moments, st.integers(0, 60)), max_size=8),
    held=st.lists(st.tuples(st.sampled_from("ab"), moments, st.integers(2, 10)), max_size=4),
    known=st.integers(60, 130),
)
def test_it_agrees_with_a_plain_look_at_every_row(contacts: Any, held: Any, known: int) -> None:
    known_before = aware(AS_OF + timedelta(days=known))
    rows = [
        contact(at, known_at=at + timedelta(days=late), customer=who, number=i)
        for i, (who, at, late) in enumerate(contacts)
    ]
    alone = tuple(HeldOut(who, aware(at), float(weight)) for who, at, weight in held)
    tables = made(*rows, held_out=alone)
    spine = [(who, AS_OF + timedelta(days=days)) for days in (0, 30) for who in "abc"]
    ours, weights = treated(tables, LEAVING, spine_of(spine), known_before=known_before)
    for (who, as_of), is_ours, weight in zip(spine, ours, weights, strict=True):
        opens, closes = aware(as_of), aware(as_of + timedelta(days=67))
        mine = [one for one in rows if one.customer_id == who and one.known_at < known_before]
        assert is_ours == any(opens <= one.at < closes for one in mine)
        told = [one.stands_for for one in alone if one.customer_id == who and one.decided_at < known_before]
        days = [one.decided_at for one in alone if one.customer_id == who and one.decided_at < known_before]
        assert weight == max([1.0, *(w for w, day in zip(told, days, strict=True) if opens <= day < closes)])
