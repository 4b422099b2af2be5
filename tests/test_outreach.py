"""The list: who is on it, against a plain oracle, and what is suggested."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.outreach import Counts, choose, suggest
from churnwatch.spec import Action

NAMES = ("customer_id", "score", "worthy", "do_not_contact", "owner")


def frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Scored customers; an owner of None is nobody."""
    return pd.DataFrame({name: pd.Series([row[i] for row in rows], dtype=object) for i, name in enumerate(NAMES)})


def listed(rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, total: float = 0.05) -> list[str]:
    """The ids on the list, best first."""
    return list(choose(frame(rows), capacity=capacity, total=total)[0]["customer_id"])


def oracle(rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, total: float) -> tuple[list[str], Counts]:
    """One customer after the other, the highest score first, as long as there is room."""
    chosen: list[str] = []
    full = dict(capacity) if capacity is not None else {}
    places = max(1, int(total * len(rows) + 0.5))
    below = refused = spilled = 0
    for customer, _, worthy, do_not_contact, owner in sorted(rows, key=lambda row: (-row[1], row[0])):
        if do_not_contact:
            refused += 1
        elif not worthy:
            below += 1
        elif (len(chosen) < places) if capacity is None else (full.get(owner, 0) > 0):
            chosen.append(customer)
            if capacity is not None:
                full[owner] -= 1
        else:
            spilled += 1
    return chosen, Counts(len(rows), len(chosen), below, refused, spilled)


ROWS = st.lists(
    st.tuples(
        st.text("abc01", min_size=1, max_size=3),
        st.integers(0, 5).map(float),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["rina", "budi", "stranger", None]),
    ),
    max_size=25,
    unique_by=lambda row: row[0],
)
CAPACITY = st.none() | st.fixed_dictionaries({"rina": st.integers(0, 4), "budi": st.integers(0, 4)})


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, capacity=CAPACITY, total=st.floats(0.01, 1))
def test_the_list_is_that_of_a_plain_walk_and_everybody_is_counted_once(
    rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, total: float
) -> None:
    """Any customers, ties, owners and capacities: the same rows, ranks 1 to n, and counts that add up."""
    found, counts = choose(frame(rows), capacity=capacity, total=total)
    assert oracle(rows, capacity, total) == (list(found["customer_id"]), counts)
    assert list(range(1, len(found) + 1)) == list(found["rank"])
    assert counts.observed == counts.listed + counts.below + counts.refused + counts.spilled
    if capacity is not None:
        assert all(n <= capacity[owner] for owner, n in found["owner"].value_counts().items())


@given(rows=ROWS, capacity=CAPACITY, order=st.randoms())
def test_the_order_of_the_customers_changes_nothing(
    rows: list[tuple[Any, ...]], capacity: dict[str, int] | None, order: Any
) -> None:
    """Ties go to the smaller id, wherever it stood."""
    shuffled = order.sample(rows, len(rows))
    first, second = (choose(frame(some), capacity=capacity, total=0.3)[0] for some in (rows, shuffled))
    assert first.to_dict("records") == second.to_dict("records")


def test_each_owner_gets_their_own_best_and_the_list_is_in_one_order() -> None:
    """Rina's third is left out though it scores above all of Budi's."""
    rows = [
        ("r1", 0.9, True, False, "rina"),
        ("r2", 0.8, True, False, "rina"),
        ("r3", 0.7, True, False, "rina"),
        ("b1", 0.6, True, False, "budi"),
        ("b2", 0.85, True, False, "budi"),
    ]
    assert ["r1", "b2", "r2", "b1"] == listed(rows, {"rina": 2, "budi": 5})
    assert ["b2", "b1"] == listed(rows, {"rina": 0, "budi": 5})


def test_ties_go_to_the_smaller_id() -> None:
    """As text: C10 before C2."""
    rows = [(name, 0.5, True, False, "rina") for name in ("C2", "C3", "C10")]
    assert ["C10", "C2"] == listed(rows, {"rina": 2})


def test_who_may_not_be_contacted_takes_nobodys_place() -> None:
    """The next one moves up; being refused counts before being below."""
    rows = [
        ("a", 0.9, True, True, "rina"),
        ("b", 0.8, True, False, "rina"),
        ("c", 0.1, False, True, "rina"),
        ("d", 0.1, False, False, "rina"),
    ]
    found, counts = choose(frame(rows), capacity={"rina": 1}, total=1)
    assert ["b"] == list(found["customer_id"])
    assert Counts(observed=4, listed=1, below=1, refused=2, spilled=0) == counts


def test_whom_nobody_owns_is_spilled_not_lost() -> None:
    """With owners, a customer without one has nobody to call them, nor has one whose owner is unknown."""
    rows = [("a", 0.9, True, False, None), ("b", 0.8, True, False, "stranger"), ("c", 0.7, True, False, "rina")]
    found, counts = choose(frame(rows), capacity={"rina": 5}, total=1)
    assert (["c"], 2) == (list(found["customer_id"]), counts.spilled)


@pytest.mark.parametrize(("customers", "total", "expected"), [(100, 0.05, 5), (3, 0.05, 1), (130, 0.05, 7), (4, 1, 4)])
def test_without_owners_the_top_share_of_the_observed_is_listed(customers: int, total: float, expected: int) -> None:
    """At least one; the share is of everybody observed."""
    rows = [(f"c{i:03}", float(i), True, False, None) for i in range(customers)]
    ids = [f"c{i:03}" for i in reversed(range(customers - expected, customers))]
    assert ids == listed(rows, None, total)


@pytest.mark.parametrize("capacity", [None, {}, {"rina": 3}])
def test_nobody_observed_is_an_empty_list(capacity: dict[str, int] | None) -> None:
    """With the columns the next step reads."""
    found, counts = choose(frame([]), capacity=capacity, total=0.5)
    assert Counts(0, 0, 0, 0, 0) == counts
    assert ["rank", *NAMES] == list(found.columns)
    assert [] == found.to_dict("records")


def test_other_columns_stay_with_their_customer() -> None:
    """Whatever the caller put beside."""
    scored = frame([("a", 0.1, True, False, "rina"), ("b", 0.9, True, False, "rina")]).assign(position=[0, 1])
    found, _ = choose(scored, capacity={"rina": 2}, total=1)
    assert [1, 0] == list(found["position"])
    assert ["customer_id", "score"] == list(scored.columns[:2]), "the caller's frame is left alone"


ACTIONS = {
    name: Action.model_validate(
        {"title": {"en": name, "id": f"{name}-id"}, "steps": {"en": "Do.", "id": "Lakukan."}, "minutes": 5}
    )
    for name in ("call_back", "check_in", "write")
}


@pytest.mark.parametrize(
    ("wanted", "title"),
    [
        (["call_back", "write"], "call_back"),
        (["given_up", "write"], "write"),
        ([None, "write"], "write"),
        ([None], "check_in"),
        ([], "check_in"),
    ],
)
def test_the_strongest_reason_with_an_action_decides(wanted: list[str | None], title: str) -> None:
    """Without any, the deployment's default."""
    assert (title, "Do.") == suggest(wanted, default="check_in", actions=ACTIONS, language="en")
    assert (f"{title}-id", "Lakukan.") == suggest(wanted, default="check_in", actions=ACTIONS, language="id")
