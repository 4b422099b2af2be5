"""Whom to ask next: information by hand, the plan against a plain oracle, and what always holds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.asking import Counts, Expected, entropy, information, plan
from churnwatch.spec import Duration

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
FATIGUE, QUIET = Duration("90d"), Duration("182d")
QUARTER = 0.5 + 0.75 * math.log2(4 / 3)
"""Bits at a risk of 1/4: 1/4 x 2 + 3/4 x log2(4/3) = 0.8113."""


def ago(days: float | None) -> Any:
    if days is None:
        return np.datetime64("NaT", "us")
    return np.datetime64(AS_OF.replace(tzinfo=None) - timedelta(days=days), "us")


def frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """(id, risk, answers or None, do_not_contact, days since asked or None, days since answered or None)."""
    ids, risks, answers, refused, asked, answered = zip(*rows, strict=True) if rows else ((),) * 6
    return pd.DataFrame(
        {
            "customer_id": pd.Series(ids, dtype=object),
            "risk": np.array(risks, dtype=float),
            "answers": np.array(answers, dtype=float),
            "do_not_contact": np.array(refused, dtype=bool),
            "asked_at": np.array([ago(one) for one in asked], dtype="datetime64[us]"),
            "answered_at": np.array([ago(one) for one in answered], dtype="datetime64[us]"),
        }
    )


def planned(rows: list[tuple[Any, ...]], size: int, **rest: Any) -> Any:
    return plan(frame(rows), as_of=AS_OF, size=size, fatigue=FATIGUE, quiet=QUIET, **rest)


def test_uncertainty_is_in_bits():
    """One bit at one half, none where it is certain; 1/8 x 3 + 7/8 x log2(8/7) = 0.5436."""
    found = entropy(np.array([0.0, 0.125, 0.25, 0.5, 0.75, 1.0]))
    assert pytest.approx([0.0, 0.5435644431995964, QUARTER, 1.0, QUARTER, 0.0], abs=1e-15) == found


def test_information_is_bits_times_the_chance_of_an_answer():
    risk = np.array([0.5, 0.25, 0.5])
    assert pytest.approx([0.2, 0.5 * QUARTER, 0.0]) == information(risk, np.array([0.2, 0.5, 0.0]))
    assert pytest.approx([1.0, QUARTER, 1.0]) == information(risk, None)


def test_a_plan_by_hand():
    """Five may be asked: 0.4, 0.3, 0.2 and twice 0.1 bits; the others are counted under the first that holds."""
    rows = [
        ("far", 0.5, 0.1, False, None, None),
        ("sure", 0.0, 0.9, False, None, None),
        ("best", 0.5, 0.4, False, 200, 300),
        ("good", 0.5, 0.2, False, 91, None),
        ("next", 0.5, 0.3, False, None, 183),
        ("same", 0.5, 0.1, False, None, None),
        ("no", 0.5, 1.0, True, 3, 2),
        ("tired", 0.5, 1.0, False, 10, 5),
        ("heard", 0.5, 1.0, False, 120, 119),
    ]
    found = planned(rows, 4)
    assert ["best", "next", "good", "far"] == list(found.chosen["customer_id"])
    assert [1, 2, 3, 4] == list(found.chosen["rank"])
    assert pytest.approx([0.4, 0.3, 0.2, 0.1]) == list(found.chosen["bits"])
    assert Counts(observed=9, chosen=4, refused=1, asked=1, answered=1, over=2) == found.counts
    assert 6 == found.counts.eligible
    assert Expected(pytest.approx(1.0), pytest.approx(1.0)) == found.expected
    # 4 of the 6, each as likely as the others: 4/6 of 2.0 answers and of 1.1 bits.
    assert Expected(pytest.approx(4 / 3), pytest.approx(4 / 6 * 1.1)) == found.at_random
    assert found.expected == found.ranked


@pytest.mark.parametrize(("column", "window"), [(4, 90), (5, 182)])
def test_a_window_holds_its_first_instant(column, window):
    """Asked exactly 90 days ago is within the window; an instant more is not."""
    for days, chosen in ((window, 0), (window + 1e-6, 1)):
        row: list[Any] = ["a", 0.5, 0.5, False, None, None]
        row[column] = days
        assert chosen == planned([tuple(row)], 1).counts.chosen


def test_where_nobody_knows_who_answers_uncertainty_alone_ranks():
    rows = [("a", 0.25, None, False, None, None), ("b", 0.5, None, False, None, None)]
    found = planned(rows, 1)
    assert ["b"] == list(found.chosen["customer_id"])
    assert (Expected(None, 1.0), Expected(None, pytest.approx((1 + QUARTER) / 2))) == (found.expected, found.at_random)


def test_some_places_are_drawn_whatever_the_model_thinks():
    """Ten places of forty, a fifth of them drawn: two by the hash, eight by information."""
    rows = [(f"c{i:02}", 0.5, (40 - i) / 40, False, None, None) for i in range(40)]
    found = planned(rows, 10, random_share=0.2, key="demo 2026-07-01")
    keyed = blake2b(b"demo 2026-07-01", digest_size=32).digest()
    lot = sorted((blake2b(row[0].encode(), key=keyed, digest_size=16).digest(), row[0]) for row in rows)
    drawn = {one for _, one in lot[:2]}
    assert drawn == set(found.chosen.loc[found.chosen["drawn"], "customer_id"])
    best = [row[0] for row in rows if row[0] not in drawn][:8]
    assert best == list(found.chosen.loc[~found.chosen["drawn"], "customer_id"])
    assert sum((40 - i) / 40 for i in range(10)) == pytest.approx(found.ranked.bits)
    assert found.ranked.bits >= found.expected.bits


def test_a_place_is_drawn_as_often_as_chance_has_it():
    """Of 50 eligible 10 places, half of them drawn, 400 plans: each in 5/50 of the draws, four standard errors."""
    rows = [(f"c{i:02}", 0.5, 0.5, False, None, None) for i in range(50)]
    customers, times = frame(rows), 400
    drawn = np.zeros(50)
    for day in range(times):
        made = plan(
            customers, as_of=AS_OF, size=10, fatigue=FATIGUE, quiet=QUIET, random_share=0.5, key=str(day)
        ).chosen
        drawn[[int(one[1:]) for one in made.loc[made["drawn"], "customer_id"]]] += 1
    assert 5 * times == drawn.sum()
    assert np.abs(drawn / times - 0.1).max() < 4 * math.sqrt(0.1 * 0.9 / times)


def oracle(rows: list[tuple[Any, ...]], size: int, share: float, key: str) -> tuple[list[str], set[str], Counts]:
    """One customer after the other."""
    counted = {"refused": 0, "asked": 0, "answered": 0}
    eligible = []
    for one in rows:
        _, _, _, refused, asked, answered = one
        if refused:
            counted["refused"] += 1
        elif asked is not None and asked <= 90:
            counted["asked"] += 1
        elif answered is not None and answered <= 182:
            counted["answered"] += 1
        else:
            eligible.append(one)
    places = min(size, len(eligible))
    keyed = blake2b(key.encode(), digest_size=32).digest()
    lot = sorted(eligible, key=lambda one: blake2b(one[0].encode(), key=keyed, digest_size=16).digest())
    # Where there is room for all nothing is drawn.
    drawn = {one[0] for one in lot[: math.floor(places * share + 0.5)] if places < len(eligible)}
    chosen = set(drawn)
    # The risks are 0, 1/4, 1/2 and the probabilities quarters: no two ways of adding up differ.
    bits = {one[0]: one[2] * {0.0: 0.0, 0.25: QUARTER, 0.5: 1.0}[one[1]] for one in eligible}
    for one in sorted(bits, key=lambda name: (-bits[name], name)):
        if len(chosen) < places:
            chosen.add(one)
    told = sorted(chosen, key=lambda name: (-bits[name], name))
    return told, drawn, Counts(len(rows), places, **counted, over=len(eligible) - places)


DAYS = st.none() | st.sampled_from([0.5, 89.9, 90.0, 90.5, 120.0, 182.0, 182.5, 400.0])
ROWS = st.lists(
    st.tuples(
        st.text("abc01", min_size=1, max_size=3),
        st.sampled_from([0.0, 0.25, 0.5]),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        st.booleans(),
        DAYS,
        DAYS,
    ),
    max_size=25,
    unique_by=lambda row: row[0],
)


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, size=st.integers(1, 12), share=st.sampled_from([0, 0.2, 0.5, 1]), key=st.text("xy", max_size=3))
def test_a_plan_is_that_of_a_plain_walk_and_everybody_is_counted_once(
    rows: list[tuple[Any, ...]], size: int, share: float, key: str
) -> None:
    """Nobody refused, tired or heard of lately is in it, its size is kept, and the same is chosen every time."""
    found = planned(rows, size, random_share=share, key=key)
    chosen, drawn, counts = oracle(rows, size, share, key)
    assert chosen == list(found.chosen["customer_id"])
    assert drawn == set(found.chosen.loc[found.chosen["drawn"], "customer_id"])
    assert counts == found.counts
    told = found.counts
    assert told.observed == told.chosen + told.refused + told.asked + told.answered + told.over
    by_id = {row[0]: row for row in rows}
    for one in found.chosen["customer_id"]:
        _, _, _, refused, asked, answered = by_id[one]
        assert not refused
        assert asked is None or asked > 90
        assert answered is None or answered > 182
    assert len(found.chosen) <= size


@settings(deadline=None)
@given(rows=ROWS, size=st.integers(1, 12), order=st.randoms())
def test_the_order_of_the_customers_changes_nothing(rows: list[tuple[Any, ...]], size: int, order: Any) -> None:
    mixed = list(rows)
    order.shuffle(mixed)
    first, second = (planned(some, size, random_share=0.2, key="k").chosen for some in (rows, mixed))
    pd.testing.assert_frame_equal(first, second)
