"""A replay's figures on lists small enough to count by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnwatch.evaluation import PastList, replay
from churnwatch.evaluation.deciles import Z, wilson
from churnwatch.evaluation.replay import watched_leavings

JANUARY = np.datetime64("2026-01-01", "us")


def past(day, people, *, counts=None, owners=None, scores=None, baselines=None):
    """A list ``day`` days after the first of January of {customer: (listed, outcome, too_late, days until left)}."""
    as_of = JANUARY + np.timedelta64(day, "D")
    names = list(people)
    told = list(people.values())
    left = [np.datetime64("NaT", "us") if t[3] is None else as_of + np.timedelta64(t[3], "D") for t in told]
    listed = np.array([bool(t[0]) for t in told])
    n = len(names)
    return PastList(
        day=date.fromisoformat(str(as_of)[:10]),
        as_of=as_of,
        customers=np.array(names, dtype=object),
        listed=listed,
        open_to=np.ones(n, dtype=bool),
        lists=np.array(owners or ["everybody"] * n, dtype=object),
        outcome=np.array([float(t[1]) for t in told]),
        too_late=np.array([bool(t[2]) for t in told]),
        left_at=np.array(left, dtype="datetime64[us]"),
        scores=np.array(scores if scores is not None else listed, dtype=float),
        risks=np.full(n, 0.25),
        baselines={name: np.array(s, dtype=float) for name, s in (baselines or {}).items()},
        counts=counts or {"observed": n, "listed": int(listed.sum()), "below": 0, "refused": 0, "spilled": 0},
    )


@pytest.fixture
def three():
    """Ana leaves on day 40, Budi on day 33, Citra on day 65 and Dewi stays; a list of two every thirty days.

    Gap 7, horizon 60: Ana and Budi are outcomes at day 0; at day 30 Budi leaves too soon to act; at day 60 Citra does.
    """
    return [
        past(0, {"ana": (1, 1, 0, 40), "budi": (0, 1, 0, 33), "citra": (0, 1, 0, 65), "dewi": (1, 0, 0, None)}),
        past(30, {"ana": (1, 1, 0, 10), "budi": (1, 0, 1, 3), "citra": (0, 1, 0, 35), "dewi": (0, 0, 0, None)}),
        past(60, {"citra": (0, 0, 1, 5), "dewi": (1, 0, 0, None), "eka": (1, 1, 0, 20), "fajar": (0, 0, 0, None)}),
    ]


def test_each_list_is_counted_by_hand(three):
    found = replay(three, gap_days=7.0)
    first, second, third = found.lists
    assert (2, 1, 0) == (first.rows, first.hits, first.too_late)
    assert (2, 1, 1) == (second.rows, second.hits, second.too_late)
    assert (2, 1, 0) == (third.rows, third.hits, third.too_late)
    # Three of four left in the window, then two of four, then one of four.
    assert (0.75, 0.5, 0.25) == tuple(one.chance for one in found.lists)
    assert (1 / 3, 1 / 2, 1.0) == tuple(one.recall for one in found.lists)
    assert 0.5 == first.precision.share
    assert wilson(0.5, 2) == (first.precision.low, first.precision.high)
    # Who left before the gap was over is not among those whose rate was foretold: 3 of 4, 2 of 3, 1 of 3.
    assert [(3, 4), (2, 3), (1, 3)] == [(one.base_rate.hits, one.base_rate.n) for one in found.lists]
    assert (6, 0.5) == (found.rows, found.precision.share)
    assert 6 / 12 == found.chance


def test_who_stands_on_it_again_is_told_from_who_returns(three):
    """Ana stays on the second list; Dewi, on the first and the third, returns; Budi and Eka are new."""
    found = replay(three, gap_days=7.0)
    assert [(0, 0), (1, 0), (0, 1)] == [(one.kept, one.returned) for one in found.lists]
    assert [0.0, 0.5, 0.5] == [one.repeat_rate for one in found.lists]


def test_the_warning_runs_from_the_first_list(three):
    """Ana 40 days before (watched 40), Budi 3 of 33, Citra never of 65, Eka 20 of 20."""
    found = replay(three, gap_days=7.0)
    assert (4, 3.0, 20.0) == (found.lead.leavers, found.lead.warned, found.lead.median_days)
    told = {one.days: (one.warned, one.leavers) for one in found.lead.recall}
    assert {7: (2, 4), 14: (2, 4), 30: (1, 3), 60: (0, 1), 90: (0, 0)} == told
    # At random half of each list's four are drawn. Ana might stand on two lists at least 7 days before (3/4), Budi on
    # one (1/2), Citra on two, Eka on one.
    chances = (2.5 / 4, 2.25 / 4, 1.75 / 3, 0.5)
    assert (*map(pytest.approx, chances), None) == found.lead_by_chance
    # Budi's three days are less than the gap: too late to act.
    assert (4, 2) == (found.coverage.leavers, found.coverage.in_time)
    assert (4, 6) == (found.coverage.customers, found.coverage.observed)
    assert (0, 0) == (found.coverage.owners, found.coverage.all_owners)


def test_a_second_leaving_begins_after_the_first():
    """Listed before the first leaving, back, unlisted before the second; and one known only after it happened."""
    lists = [
        past(0, {"ana": (1, 1, 0, 10), "late": (0, 0, 1, -2), "stay": (0, 0, 0, None)}),
        past(30, {"ana": (0, 1, 0, 25), "late": (1, 0, 0, None), "stay": (0, 0, 0, None)}),
    ]
    found = watched_leavings(lists)
    assert [(10.0, 10.0), (None, 25.0)] == [
        (None if math.isnan(one.warning) else one.warning, one.watched) for one in found
    ]


def test_a_baseline_fills_the_same_places():
    """Owner A lists one of two, owner B two of three; the baseline ranks A's other one and all of B's alike."""
    people = {
        "a1": (1, 1, 0, 9), "a2": (0, 0, 0, None),
        "b1": (1, 1, 0, 9), "b2": (1, 0, 0, None), "b3": (0, 0, 0, None),
    }  # fmt: skip
    one = past(0, people, owners=["A", "A", "B", "B", "B"], baselines={"tenure": [0, 1, 5, 5, 5]})
    found = replay([one], gap_days=0.0, all_owners=4)
    # A's place finds nobody, B's two places each hold b1 in one case of three.
    assert {"tenure": pytest.approx(2 / 3 / 3)} == found.lists[0].baselines
    difference, low, high = found.against["tenure"]
    assert 2 / 3 - 2 / 9 == pytest.approx(difference)
    # The list's places had 2/3 on average, the baseline's 2/9: a1 is on the list alone, a2 only on the baseline's, of
    # B's three the baseline holds 2/3 each.
    sums = np.array(
        [1 - 2 / 3, 0 - (0 - 2 / 9), (1 - 2 / 3) - 2 / 3 * (1 - 2 / 9), (0 - 2 / 3) + 2 / 3 * 2 / 9, 2 / 3 * 2 / 9]
    )
    assert pytest.approx(0) == sums.sum()
    spread = math.sqrt(5 * sums.var(ddof=1)) / 3
    assert (difference - Z * spread, difference + Z * spread) == pytest.approx((low, high))
    assert (2, 4) == (found.coverage.owners, found.coverage.all_owners)
    assert 2 == found.lists[0].owners


def test_the_same_customer_on_many_lists_is_not_many_facts():
    """Ten lists of the same four customers, of whom one always leaves, say as little as one list does."""
    people = {"a": (1, 1, 0, None), "b": (1, 0, 0, None), "c": (1, 0, 0, None), "d": (1, 0, 0, None)}
    once, often = (replay([past(30 * i, people) for i in range(n)], gap_days=0.0) for n in (1, 10))
    assert 0.25 == once.precision.share == often.precision.share
    assert 40 == often.precision.n
    assert once.precision.high - once.precision.low <= often.precision.high - often.precision.low + 0.1
    assert often.precision.low < 0.1


def test_a_customer_with_two_surveys_in_a_slice_stands_there_twice():
    """Ana's two surveys are both on the first list, Budi's on none; then one of Ana's and Budi's.

    Rows are counted, not customers, so that those who stand on it again and the new ones add up to the rows.
    """

    def twice(day, whose, listed, outcome):
        one = past(day, {str(i): (on, bad, 0, None) for i, (on, bad) in enumerate(zip(listed, outcome, strict=True))})
        return replace(one, customers=np.array(whose, dtype=object), last_day=date(2026, 3, 1))

    found = replay(
        [
            twice(0, ["ana", "ana", "budi", "citra"], [1, 1, 0, 0], [1, 1, 0, 0]),
            twice(30, ["ana", "ana", "budi", "budi"], [1, 1, 1, 0], [1, 0, 0, 0]),
        ],
        gap_days=0.0,
    )
    first, second = found.lists
    assert [(2, 0, 0), (3, 2, 0)] == [(one.rows, one.kept, one.returned) for one in found.lists]
    assert 2 / 3 == second.repeat_rate
    assert (2, 3) == (found.coverage.customers, found.coverage.observed)
    assert "2026-03-01" == first.as_json()["last_day"]
    # Both of Ana's answers are one customer's word, so that the interval is that of one of three, not of two of four.
    assert (0.5, 4) == (first.base_rate.share, first.base_rate.n)
    low, high = wilson(0.5, 4)
    assert first.base_rate.low < low < high < first.base_rate.high
    # By hand: three customers, whose sums about the rate are 1, -1/2, -1/2: 1.5 * 3/2 over 4 * 1/4 is 2.25 times.
    assert wilson(0.5, 4 / 2.25) == pytest.approx((first.base_rate.low, first.base_rate.high))
    assert 0 == found.lead.leavers


def test_the_gain_of_a_perfect_order_is_everybody_at_their_share():
    """Two of ten leave and are ranked first: a fifth of the customers holds them all, a tenth half of them."""
    people = {f"c{i}": (i < 1, i < 2, 0, None) for i in range(10)}
    found = replay([past(0, people, scores=10 - np.arange(10), baselines={"flat": np.zeros(10)})], gap_days=0.0)
    curve = found.as_json()["gain"]
    at = dict(zip(curve["share"], curve["model"], strict=True))
    assert (0.0, 0.5, 1.0, 1.0) == pytest.approx((at[0.0], at[0.1], at[0.2], at[1.0]))
    assert curve["share"] == pytest.approx(curve["flat"])


def test_a_base_rate_that_moves_is_named():
    """Of 100 customers a date 18, 22 and 50 leave."""
    lists = [
        past(30 * i, {f"c{i}-{k}": (k < 2, k < leavers, 0, None) for k in range(100)})
        for i, leavers in enumerate((18, 22, 50))
    ]
    found = replay(lists, gap_days=0.0)
    # The average is 30 %: the interval of 18 % ends at 26.7 %, that of 22 % at 31.1 %, that of 50 % begins at 40.4 %.
    assert [lists[0].day, lists[2].day] == list(found.moved)


def test_a_date_without_a_list_says_so_and_breaks_nothing():
    people = {"a": (0, 1, 0, 20), "b": (0, 0, 0, None)}
    found = replay([past(0, people, scores=[1, 0], baselines={"tenure": [1, 0]})], gap_days=0.0)
    [one] = found.lists
    assert (0, None, None, {}) == (one.rows, one.precision, one.repeat_rate, dict(one.baselines))
    assert (None, {}, None) == (found.precision, dict(found.against), found.lead.median_days)
    assert (1, 0) == (found.coverage.leavers, found.coverage.in_time)
    assert found.as_json()["precision"] is None


def test_no_date_is_no_replay():
    with pytest.raises(ValueError, match="no date"):
        replay([], gap_days=0.0)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abcd"),
            st.tuples(st.booleans(), st.one_of(st.none(), st.integers(0, 60))),
            min_size=1,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_warnings_by_looking_at_every_day(told):
    """Against a plain oracle: of each leaving, every day from the one before it is looked at."""
    lists = [past(30 * i, {c: (on, 0, 0, days) for c, (on, days) in one.items()}) for i, one in enumerate(told)]
    lefts = {(c, 30 * i + days) for i, one in enumerate(told) for c, (_, days) in one.items() if days is not None}
    expected = []
    for customer, left in lefts:
        seen = warned = None
        for day in range(left, -1, -1):
            if day < left and (customer, day) in lefts:
                break
            i, rest = divmod(day, 30)
            if rest == 0 and i < len(told) and customer in told[i]:
                seen = left - day
                warned = seen if told[i][customer][0] else warned
        if seen is not None:
            expected.append((-1 if warned is None else warned, seen))
    found = [(float(np.nan_to_num(one.warning, nan=-1)), one.watched) for one in watched_leavings(lists)]
    assert sorted(expected) == sorted(found)
