"""Pauses between events: percentiles with and without the open ones, and what each n would call gone, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnwatch.evaluation.pauses import CalledGone, Pauses, called_gone, proposed_days

NAN = float("nan")


def pauses(closed: list[float], still: list[float] | None = None) -> Pauses:
    return Pauses(np.array(closed, dtype=float), np.array(still or [], dtype=float))


def test_a_percentile_is_the_shortest_pause_that_so_many_do_not_exceed() -> None:
    """Of ten pauses of 1 to 10 days nine are no longer than 9, and five no longer than 5."""
    ten = pauses([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], [400])
    assert 9 == ten.percentile(0.9)
    assert 5 == ten.percentile(0.5)
    assert 10 == ten.percentile(0.95)


def test_the_proposed_n_is_the_ninetieth_percentile_in_whole_days_upwards() -> None:
    assert 9 == proposed_days(pauses([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    assert 10 == proposed_days(pauses([1, 2, 3, 4, 5, 6, 7, 8, 9.01, 10]))
    assert 1 == proposed_days(pauses([0.2, 0.3]))
    assert None is proposed_days(pauses([], [30]))


def test_open_pauses_are_longer_than_they_are_so_far() -> None:
    """Closed after 1, 2, 4; open after 2 and 3. By hand: at 1 day 5 at risk, S = 4/5; at 2 days 4 at risk (the open one
    of 2 days still is), S = 4/5 · 3/4 = 3/5; at 4 days 1 at risk, S = 0.
    """
    five = pauses([4, 1, 2], [3, 2])
    lengths, surviving = five.survival()
    assert [1, 2, 4] == lengths.tolist()
    assert pytest.approx([0.8, 0.6, 0.0]) == surviving.tolist()
    assert 2 == five.censored_percentile(0.4)
    assert 4 == five.censored_percentile(0.5)
    assert 2 == five.percentile(0.5)


def test_a_share_that_the_data_do_not_reach_has_no_percentile() -> None:
    """One of two pauses closes; the other one is still open, longer: half is all that is known."""
    two = pauses([5], [9])
    assert 5 == two.censored_percentile(0.5)
    assert None is two.censored_percentile(0.51)
    assert None is pauses([], [9]).censored_percentile(0.5)
    assert None is pauses([], [9]).percentile(0.5)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9, 0.99]))
def test_without_open_pauses_both_percentiles_are_the_same(lengths: list[int], share: float) -> None:
    closed = pauses([float(one) for one in lengths])
    assert closed.percentile(share) == closed.censored_percentile(share)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.lists(st.integers(1, 30), max_size=30))
def test_survival_is_the_product_over_days_counted_one_pause_at_a_time(closed: list[int], still: list[int]) -> None:
    lengths, surviving = pauses([float(one) for one in closed], [float(one) for one in still]).survival()
    expected = 1.0
    for length, found in zip(lengths, surviving, strict=True):
        at_risk = sum(one >= length for one in [*closed, *still])
        expected *= 1 - closed.count(int(length)) / at_risk
        assert pytest.approx(expected) == found


def test_gone_is_half_open_like_a_label() -> None:
    """An event exactly after n days is no longer in time; one a second earlier is."""
    wait = np.array([30.0, 30 - 1 / 86_400, NAN])
    assert CalledGone(30, 3, 2, 2, 1) == called_gone(wait, np.full(3, 90.0), days=30)


def test_nobody_is_called_gone_before_the_n_days_are_over_in_the_data() -> None:
    """Seen 29 days: left out. Seen 30: gone, but nothing later is seen of them. Seen 31: gone, and seen later."""
    found = called_gone(np.array([NAN, NAN, NAN]), np.array([29.0, 30.0, 31.0]), days=30)
    assert CalledGone(30, 2, 2, 1, 0) == found
    assert 1.0 == found.base_rate
    assert 0.0 == found.returning


def test_shares_of_nobody_are_unknown() -> None:
    nobody = called_gone(np.array([]), np.array([]), days=30)
    assert (None, None) == (nobody.base_rate, nobody.returning)
    assert None is pauses([]).share_reaching(30)
    assert 0.5 == pauses([29, 30]).share_reaching(30)
