"""The outcome rate by tenth: equal mass, ties together, the missing apart, intervals for customers seen often."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.evaluation import Bin, Deciles, deciles
from churnwatch.evaluation.deciles import equal_mass, wilson


def test_tenths_of_twenty_different_values_hold_two_each():
    assert [i // 2 for i in range(20)] == equal_mass(np.arange(20.0)).tolist()


def test_equal_values_stay_together_where_their_middle_belongs():
    """Eight zeros are the middle of the fourth tenth, the two others lie in the ninth and tenth."""
    assert [0] * 8 + [1, 2] == equal_mass([0.0] * 8 + [5.0, 7.0]).tolist()
    assert [0] * 5 == equal_mass([3.0] * 5).tolist()


def test_the_missing_have_no_bin():
    nan = float("nan")
    assert [0, -1, 1] == equal_mass([1.0, nan, 2.0]).tolist()
    assert [-1, -1] == equal_mass([nan, nan]).tolist()
    assert [] == equal_mass([]).tolist()


@pytest.mark.parametrize(
    ("rate", "n", "low", "high"),
    # NIST handbook 7.2.4.1 for 4 of 20; the others by the quadratic formula.
    [(0.2, 20, 0.0807, 0.4160), (0.0, 10, 0.0, 0.2775), (1.0, 10, 0.7225, 1.0), (0.5, 10, 0.2366, 0.7634)],
)
def test_an_interval_is_wilsons(rate, n, low, high):
    assert (low, high) == tuple(round(end, 4) for end in wilson(rate, n))


def test_a_customer_seen_four_times_is_no_four_customers():
    """Ten customers, half of them leavers on all four dates: between customers 40, times 10/9, against 10 within
    observations, so a design effect of 40/9 and 9 effective observations of 40.
    """
    customers = np.repeat(np.arange(10), 4)
    found = deciles(np.ones(40), (customers < 5).astype(float), customers)
    [one] = found.bins
    assert (40, 10, 20, 0.5) == (one.n, one.customers, one.outcomes, one.rate)
    assert wilson(0.5, 9) == pytest.approx((one.floor, one.ceiling))
    alone = deciles(np.ones(10), np.arange(10) < 5, np.arange(10)).bins[0]
    # Of ten that are seen once the effect is 10/9: drawn customers are one fewer in the variance.
    assert (alone.floor, alone.ceiling) == pytest.approx((one.floor, one.ceiling))


def test_where_nobody_left_the_interval_is_that_of_so_many_customers():
    [one] = deciles(np.ones(40), np.zeros(40), np.repeat(np.arange(10), 4)).bins
    assert (0.0, 0.2775) == (one.floor, round(one.ceiling, 4))


def plain(values, outcome, customers):
    """The same by counting, one bin after the other."""
    known = sorted(value for value in values if not math.isnan(value))
    groups: dict[int | None, list[int]] = {}
    for i, value in enumerate(values):
        if math.isnan(value):
            groups.setdefault(None, []).append(i)
            continue
        middle = (known.index(value) + len(known) - 1 - known[::-1].index(value) + 1) / 2 / len(known)
        groups.setdefault(math.floor(10 * middle + 1e-12), []).append(i)
    found = []
    for key in [*sorted(key for key in groups if key is not None), *([None] if None in groups else [])]:
        rows = groups[key]
        rate = statistics.fmean(outcome[i] for i in rows)
        who = sorted({customers[i] for i in rows})
        effective = float(len(who))
        if 0 < rate < 1 and len(who) > 1:
            sums = [sum(outcome[i] - rate for i in rows if customers[i] == one) for one in who]
            between = sum(s * s for s in sums) * len(who) / (len(who) - 1) / len(rows) ** 2
            effective = len(rows) / max(1.0, between / (rate * (1 - rate) / len(rows)))
        low, high = (None, None) if key is None else (min(values[i] for i in rows), max(values[i] for i in rows))
        found.append((low, high, len(rows), len(who), rate, *wilson(rate, effective)))
    return found


values_ = st.one_of(st.just(float("nan")), st.integers(-3, 6).map(float), st.floats(-2, 2))
rows_ = st.lists(st.tuples(values_, st.integers(0, 1), st.integers(0, 8)), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(rows_)
def test_bins_are_those_one_counts_by_hand(rows):
    values, outcome, customers = (list(column) for column in zip(*rows, strict=True))
    found = deciles(values, outcome, customers)
    told = [
        (one.low, one.high, one.n, one.customers, one.rate, one.floor, one.ceiling)
        for one in [*found.bins, *([found.missing] if found.missing else [])]
    ]
    expected = plain(values, outcome, customers)
    assert [one[:4] for one in expected] == [one[:4] for one in told]
    for one, other in zip(expected, told, strict=True):
        assert one[4:] == pytest.approx(other[4:], abs=1e-9)


def bins(*rates, n=400):
    """Bins of so many observations each, one per customer."""
    rows = [(i, y) for i, rate in enumerate(rates) for y in [1] * round(rate * n) + [0] * (n - round(rate * n))]
    values, outcome = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return deciles(values, outcome, np.arange(len(rows)))


@pytest.mark.parametrize(
    ("rates", "shape", "up", "down"),
    [
        ((0.02, 0.05, 0.12), "rises", "agrees", "against"),
        ((0.12, 0.05, 0.02), "falls", "against", "agrees"),
        ((0.02, 0.20, 0.06), "turns", "partly", "against"),
        ((0.02, 0.20, 0.02), "turns", "partly", "partly"),
        ((0.05, 0.06, 0.05), "flat", "unclear", "unclear"),
        ((0.05,), "flat", "unclear", "unclear"),
    ],
)
def test_a_direction_is_judged_by_what_became_of_customers(rates, shape, up, down):
    """A difference counts where two intervals lie apart: 5 % of 400 reaches from 3.3 to 7.6 %, 6 % from 4.1 to 8.8."""
    found = bins(*rates)
    assert (shape, up, down, "free") == (found.shape, *(found.agreement(one) for one in ("up", "down", "any")))


def test_a_trend_alone_is_not_enough():
    """Rising in every bin, but no two intervals apart: nobody would see it in the picture."""
    low, high = (
        Bin(value, value, 100, 100, 1, rate, rate - 0.05, rate + 0.05) for value, rate in ((0, 0.1), (1, 0.15))
    )
    assert "flat" == Deciles((low, high), None, 2.5).shape


def test_two_bins_apart_are_not_enough_either():
    """Two small bins differ, but over all the rate does not go that way."""
    low, high = (Bin(value, value, 9, 9, 1, rate, rate - 0.05, rate + 0.05) for value, rate in ((0, 0.1), (1, 0.3)))
    assert "flat" == Deciles((low, high), None, 0.5).shape
    assert "rises" == Deciles((low, high), None, 2.0).shape


def test_the_trend_is_the_score_test_over_customers():
    """Two bins, a customer each: (−½)(0 − ½) + (½)(1 − ½) = ½ over √(⅟16 + ⅟16)."""
    assert math.sqrt(2) == pytest.approx(deciles([1, 2], [0, 1], [0, 1]).trend)
    # What became of those without a value has no part in it.
    nan = float("nan")
    assert math.sqrt(2) == pytest.approx(deciles([1, 2, nan, nan], [0, 1, 1, 1], [0, 1, 2, 3]).trend)
    # The same two seen three times each are still two customers.
    assert math.sqrt(2) == pytest.approx(deciles([1, 2] * 3, [0, 1] * 3, [0, 1] * 3).trend)
