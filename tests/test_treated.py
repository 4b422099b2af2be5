"""Whose label tells of our contact, and who stands for them: by hand, and against a row-by-row oracle."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import aware, spine_of, tables_of
from test_outcomes import AS_OF, CLOSE, LATER, LEAVING, US, event, model_of

import churnwatch.runs.score
from churnwatch.outcomes import label
from churnwatch.outcomes.treated import treated
from churnwatch.sources import Contact, Tables, Unit, record_contacts

ANSWERS = model_of(
    outcome={"answer": {"nps": {"scale": [0, 10], "bad": {"at_most": 6}}}},
    grid={"every": "30d", "at": "survey sent"},
    gap=None,
    horizon=None,
    answering={"within": "14d"},
)


def contact(at: datetime, *, known_at: datetime | None = None, customer: str = "a", number: int = 1) -> Contact:
    return Contact(f"churnwatch:{number}", customer, aware(at), aware(known_at or at), None, "call_back", "a1")


def made(*contacts: Contact, units: tuple[Unit, ...] = (), events: Any = (), customers: Any = "abc") -> Tables:
    tables = tables_of(events, customers=[{"customer_id": one} for one in customers])
    record_contacts(tables.con, contacts, state="made")
    return dataclasses.replace(tables, units=units)


def unit(customer: str, arm: str, decided: datetime = AS_OF, *, closes: datetime = AS_OF + timedelta(days=60)) -> Unit:
    return Unit(customer, arm == "held_out", aware(decided), aware(closes))


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


TEN = [f"w{i}" for i in range(10)]
"""List-worthy customers, of whom the last two are held out."""
FOUR_DAYS = timedelta(days=4)


def weights_of(
    *worked: str,
    decided: datetime = AS_OF,
    closes: datetime = AS_OF + timedelta(days=60),
    at: datetime = AS_OF + FOUR_DAYS,
    known_before: datetime = LATER,
) -> dict[str, float]:
    """By customer of the ten, and ``c``, who was never list-worthy, how many they stand for; without those left out."""
    units = tuple(unit(one, "held_out" if one in TEN[8:] else "treated", decided, closes=closes) for one in TEN)
    rows = [contact(at, customer=one, number=i) for i, one in enumerate(worked)]
    tables = made(*rows, units=units, customers=[*TEN, "c"])
    spine = [(one, AS_OF) for one in (*TEN, "c")]
    ours, weights = treated(tables, LEAVING, spine_of(spine), known_before=known_before)
    assert sorted(worked) == [who for (who, _), out in zip(spine, ours, strict=True) if out]
    return {who: weight for (who, _), out, weight in zip(spine, ours, weights, strict=True) if not out}


@pytest.mark.parametrize(("worked", "expected"), [(8, 5.0), (4, 3.0), (1, 1.5), (0, 1.0)])
@pytest.mark.parametrize("decided", [AS_OF + timedelta(days=3), AS_OF, AS_OF - timedelta(days=20)])
def test_the_held_out_stand_for_those_left_out_and_for_nobody_who_was_not_worked(
    worked: int, expected: float, decided: datetime
) -> None:
    """Of 8 treated 4 are worked: the 2 held out stand for 1 + 4/2 = 3 each, the other 4 for themselves, 10 in all.

    Decided before as-of or after it, as a treated one is listed and called again, and one held out still is not.
    """
    found = weights_of(*TEN[:worked], decided=decided)
    assert 1.0 == found.pop("c")
    assert {**dict.fromkeys(TEN[worked:8], 1.0), **dict.fromkeys(TEN[8:], expected)} == found
    assert 10.0 == sum(found.values())


def test_one_held_out_who_was_called_all_the_same_is_stood_for_too() -> None:
    """Of 4 treated and one held out the other one stands: 1 + 5."""
    found = weights_of(*TEN[:4], TEN[8])
    assert {**dict.fromkeys(TEN[4:8], 1.0), TEN[9]: 6.0, "c": 1.0} == found


def test_where_all_the_held_out_were_called_nobody_stands_for_anybody() -> None:
    assert dict.fromkeys([*TEN[4:8], "c"], 1.0) == weights_of(*TEN[:4], *TEN[8:])


@pytest.mark.parametrize(
    ("decided", "closes", "expected"),
    [
        (CLOSE - US, CLOSE + US, 5.0),
        (CLOSE, CLOSE + US, 1.0),
        (AS_OF - FOUR_DAYS, AS_OF + US, 5.0),
        (AS_OF - FOUR_DAYS, AS_OF, 1.0),
    ],
)
def test_a_unit_counts_if_it_was_decided_before_the_labels_end_in_an_epoch_that_lasts_beyond_as_of(
    decided: datetime, closes: datetime, expected: float
) -> None:
    assert expected == weights_of(*TEN[:8], decided=decided, closes=closes)[TEN[9]]


def test_what_was_not_known_yet_weighs_nobody() -> None:
    """Known is what came before: neither a contact handed in then nor a unit decided then is."""
    at = AS_OF + FOUR_DAYS
    assert 5.0 == weights_of(*TEN[:8], at=at, known_before=aware(at + US))[TEN[9]]
    later = aware(AS_OF + 2 * FOUR_DAYS)
    assert 5.0 == weights_of(*TEN[:8], decided=AS_OF + 2 * FOUR_DAYS - US, known_before=later)[TEN[9]]
    assert 1.0 == weights_of(*TEN[:8], decided=AS_OF + 2 * FOUR_DAYS, known_before=later)[TEN[9]]


def test_no_held_out_customer_stands_for_more_than_ten() -> None:
    many = [f"t{i}" for i in range(30)]
    units = (unit("a", "held_out"), *(unit(one, "treated") for one in many))
    rows = [contact(AS_OF, customer=one, number=i) for i, one in enumerate(many)]
    for worked, expected in ((8, 9.0), (9, 10.0), (30, 10.0)):
        tables = made(*rows[:worked], units=units, customers=["a", *many])
        _, weights = treated(tables, LEAVING, spine_of([(one, AS_OF) for one in ("a", *many)]), known_before=LATER)
        assert expected == weights[0]


def test_each_as_of_is_weighed_by_itself() -> None:
    """a is called on day 4: in the label of day 0, not of day 5; b stands for them both only there."""
    tables = made(contact(AS_OF + FOUR_DAYS), units=(unit("a", "treated"), unit("b", "held_out")))
    spine = spine_of([(who, AS_OF + timedelta(days=days)) for days in (0, 5) for who in "ab"])
    ours, weights = treated(tables, LEAVING, spine, known_before=LATER)
    assert [True, False, False, False] == ours.tolist()
    assert [1.0, 2.0, 1.0, 1.0] == weights.tolist()


def test_at_events_where_each_has_an_as_of_of_their_own_the_epoch_is_weighed_as_a_whole() -> None:
    """a is surveyed on day 0 and called on day 4; b, held out, is surveyed on day 1; both stand for two."""
    tables = made(contact(AS_OF + FOUR_DAYS), units=(unit("a", "treated"), unit("b", "held_out")))
    spine = spine_of([("a", AS_OF), ("b", AS_OF + timedelta(days=1))])
    ours, weights = treated(tables, ANSWERS, spine, known_before=LATER)
    assert ([True, False], [1.0, 2.0]) == (ours.tolist(), weights.tolist())


def test_of_two_epochs_in_one_label_each_weighs_for_its_own_contacts_and_the_greater_weight_counts() -> None:
    """In the first epoch b and c are held out, d and e treated and called: 1 + 2/2. In the second b alone is held out,
    c and f are treated and called: 1 + 2/1. The call to f came before any draw, so it counts to their first.
    """
    ends, second = AS_OF + timedelta(days=20), AS_OF + timedelta(days=30)
    units = (
        *(unit(one, "held_out", closes=ends) for one in "bc"),
        *(unit(one, "treated", closes=ends) for one in "de"),
        unit("b", "held_out", second),
        *(unit(one, "treated", second) for one in "cf"),
    )
    days = {"d": 4, "e": 4, "c": 40, "f": 4}
    rows = [contact(AS_OF + timedelta(days=day), customer=who, number=day + ord(who)) for who, day in days.items()]
    tables = made(*rows, units=units, customers="bcdef")
    _, weights = treated(tables, LEAVING, spine_of([(one, AS_OF) for one in "bcdef"]), known_before=LATER)
    assert [3.0, 2.0] == weights[:2].tolist()


def test_exclude_weighs_nobody_and_keep_leaves_nobody_out() -> None:
    tables = made(contact(AS_OF), units=(unit("a", "treated"), unit("b", "held_out")))
    spine = spine_of([("a", AS_OF), ("b", AS_OF)])
    for handling, expected in (("weight", (True, 2.0)), ("exclude", (True, 1.0)), ("keep", (False, 1.0))):
        model = LEAVING.model_copy(update={"treated": handling})
        ours, weights = treated(tables, model, spine, known_before=LATER)
        assert (expected, False, 1.0) == ((bool(ours[0]), weights[1]), ours[1], weights[0])


def test_a_treated_row_has_no_outcome_to_learn_from_or_judge_by() -> None:
    """Both left; of the one we spoke to nobody knows what they would have done."""
    left = AS_OF + timedelta(days=20)
    tables = made(contact(AS_OF), events=[event(left, customer="a"), event(left, customer="b")])
    found = label(tables, LEAVING, spine_of([("a", AS_OF), ("b", AS_OF)]), known_before=LATER)
    assert [(True, False), (False, True)] == list(zip(found["treated"], found["told"], strict=True))
    assert [True, False] == found["known_at"].isna().tolist()
    assert [1.0, 1.0] == found["outcome"].tolist()


@pytest.mark.parametrize(
    ("handling", "trained", "said"),
    [("weight", 0.2, None), ("exclude", 0.2, "3.1 % at"), ("weight", 0.4, None), ("weight", 0.6, "20 % at")],
)
def test_the_base_rate_has_not_moved_because_those_worked_are_left_out(
    monkeypatch: pytest.MonkeyPatch, handling: str, trained: float, said: str | None
) -> None:
    """Of 40 list-worthy customers 36 are worked and 4 held out, of whom 2 leave, as do none of the 60 others: 2 of 64
    are told, 20 of 100 by weight. They tell as much as 100^2 / (60 + 4 * 10^2) = 22 alike: by those 20 % may be 40 %.
    """
    everybody = [f"c{i}" for i in range(100)]
    units = tuple(unit(one, "held_out" if i < 4 else "treated") for i, one in enumerate(everybody[:40]))
    tables = made(
        *(contact(AS_OF, customer=one, number=i) for i, one in enumerate(everybody[4:40])),
        units=units,
        customers=everybody,
        events=[event(AS_OF + timedelta(days=20), customer=one) for one in everybody[:2]],
    )
    model = LEAVING.model_copy(update={"treated": handling})
    monkeypatch.setattr(churnwatch.runs.score, "span", lambda *_: SimpleNamespace(end=LATER))
    monkeypatch.setattr(churnwatch.runs.score, "grid", lambda *_, **__: (aware(AS_OF),))
    monkeypatch.setattr(churnwatch.runs.score, "observe", lambda *_: spine_of([(one, AS_OF) for one in everybody]))
    workspace: Any = SimpleNamespace(spec=SimpleNamespace(deployment=SimpleNamespace(zone="UTC")))
    bundle: Any = SimpleNamespace(model=model, notes={}, fitted=SimpleNamespace(base_rate=trained))
    found = churnwatch.runs.score.base_rate_warnings(workspace, tables, bundle, LATER)
    assert [said is not None] == [bool(found)]
    assert said is None or said in found[0]


moments = st.integers(-40, 110).map(lambda days: AS_OF + timedelta(days=days))
CUSTOMERS = "abcde"


@settings(deadline=None, max_examples=60)
@given(
    contacts=st.lists(st.tuples(st.sampled_from(CUSTOMERS), moments, st.integers(0, 60)), max_size=8),
    drawn=st.dictionaries(
        st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from([-45, 45])),
        st.tuples(st.integers(0, 89), st.sampled_from(["treated", "held_out"])),
        max_size=8,
    ),
    known=st.integers(60, 130),
)
def test_it_agrees_with_a_plain_look_at_every_row(contacts: Any, drawn: Any, known: int) -> None:
    known_before = aware(AS_OF + timedelta(days=known))
    rows = [
        contact(at, known_at=at + timedelta(days=late), customer=who, number=i)
        for i, (who, at, late) in enumerate(contacts)
    ]
    units = tuple(
        unit(who, arm, AS_OF + timedelta(days=opens + day), closes=AS_OF + timedelta(days=opens + 90))
        for (who, opens), (day, arm) in drawn.items()
    )
    tables = made(*rows, units=units, customers=CUSTOMERS)
    spine = [(who, AS_OF + timedelta(days=days)) for days in (0, 30) for who in CUSTOMERS]
    ours, weights = treated(tables, LEAVING, spine_of(spine), known_before=known_before)

    def called(who: str, as_of: datetime) -> list[datetime]:
        opens, closes = aware(as_of), aware(as_of + timedelta(days=67))
        mine = [one for one in rows if one.customer_id == who and one.known_at < known_before]
        return [one.at for one in mine if opens <= one.at < closes]

    def drawn_of(who: str, as_of: datetime) -> list[Unit]:
        """In the order they were decided."""
        end = min(aware(as_of + timedelta(days=67)), known_before)
        mine = [one for one in units if one.customer_id == who and one.decided_at < end]
        return sorted((one for one in mine if one.closes_at > aware(as_of)), key=lambda one: one.decided_at)

    def left_out(one: Unit, as_of: datetime) -> bool:
        mine = drawn_of(one.customer_id, as_of)
        for at in called(one.customer_id, as_of):
            if one is ([mine[0], *(other for other in mine if other.decided_at <= at)])[-1]:
                return True
        return False

    for (who, as_of), is_ours, weight in zip(spine, ours, weights, strict=True):
        assert is_ours == bool(called(who, as_of))
        expected = 1.0
        for one in drawn_of(who, as_of):
            epoch = [
                other for others in CUSTOMERS for other in drawn_of(others, as_of) if other.closes_at == one.closes_at
            ]
            gone = [other for other in epoch if left_out(other, as_of)]
            alone = [other for other in epoch if other.held_out and other not in gone]
            if one in alone:
                expected = max(expected, min(10.0, 1 + len(gone) / len(alone)))
        assert expected == weight
