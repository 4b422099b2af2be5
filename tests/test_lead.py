"""Lead times by hand, and against a slow count over every leaver."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnwatch.evaluation.lead import LEAD_DAYS, days_until, lead_times, weighted_median

NAN = math.nan


def test_five_leavers_by_hand() -> None:
    """Warned 40, 10 and 20 days before, one never, one watched for five days only."""
    found = lead_times([40.0, 10.0, 20.0, NAN, 5.0], [100.0, 60.0, 20.0, 33.0, 5.0])
    told = {one.days: (one.warned, one.leavers, one.recall) for one in found.recall}
    assert {7: (3, 4, 3 / 4), 14: (2, 4, 2 / 4), 30: (1, 3, 1 / 3), 60: (0, 2, 0.0), 90: (0, 1, 0.0)} == told
    assert (5, 4.0, 15.0) == (found.leavers, found.warned, found.median_days)


def test_nobody_watched_that_long_is_no_recall() -> None:
    """A share of nobody is no number."""
    found = lead_times([8.0], [10.0])
    assert [1.0, None, None, None, None] == [one.recall for one in found.recall]
    assert [1, 0, 0, 0, 0] == [one.leavers for one in found.recall]


def test_a_leaver_without_a_date_counts_nowhere() -> None:
    """Of a snapshot nobody knows when they left."""
    found = lead_times([NAN, NAN], [NAN, NAN])
    assert (0, 0.0, None) == (found.leavers, found.warned, found.median_days)
    assert {None} == {one.recall for one in found.recall}


def test_who_had_left_before_they_were_watched_cannot_be_warned() -> None:
    """Silent for longer than n days when first observed: gone already. A listing after leaving warns nobody."""
    found = lead_times([-10.0, 0.0, -5.0, 20.0], [-10.0, 0.0, 40.0, 20.0])
    assert (2, 1.0, 20.0) == (found.leavers, found.warned, found.median_days)
    assert [1 / 2, 1 / 2, 0.0, None, None] == [one.recall for one in found.recall]


def test_ties_are_shared() -> None:
    """Two leavers share one place: half a warning each."""
    found = lead_times([20.0, 40.0], [20.0, 40.0], listed=[0.5, 0.5])
    assert (1.0, 30.0) == (found.warned, found.median_days)
    assert [0.5, 0.5, 0.5, None, None] == [one.recall for one in found.recall]


def test_a_listing_before_the_first_observation_is_a_bug() -> None:
    with pytest.raises(ValueError, match="before anybody watched them"):
        lead_times([11.0], [10.0])


def test_days_are_of_86400_seconds_and_fractional() -> None:
    left = np.array(["2026-03-08T12:00", "NaT"], dtype="datetime64[us]")
    found = days_until(left, np.datetime64("2026-03-01T00:00", "us"))
    assert 7.5 == found[0]
    assert np.isnan(found[1])


def test_the_json_is_plain() -> None:
    told = lead_times([10.0], [10.0]).as_json()
    assert {"days": 7, "leavers": 1, "warned": 1.0, "recall": 1.0} == told["recall"][0]
    assert {"days": 90, "leavers": 0, "warned": 0.0, "recall": None} == told["recall"][-1]
    assert (1, 1.0, 10.0) == (told["leavers"], told["warned"], told["median_warning_days"])


leaver = st.tuples(st.integers(0, 120), st.one_of(st.none(), st.integers(0, 120)), st.sampled_from([0.0, 0.25, 1.0]))


@given(st.lists(leaver, max_size=20))
def test_counting_leaver_by_leaver_gives_the_same(cases: list[tuple[int, int | None, float]]) -> None:
    watched = [float(days) for days, _, _ in cases]
    warning = [NAN if early is None else float(min(early, days)) for days, early, _ in cases]
    chance = [share for _, _, share in cases]
    found = lead_times(warning, watched, listed=chance)
    for least, one in zip(LEAD_DAYS, found.recall, strict=True):
        long = [i for i, days in enumerate(watched) if days >= least]
        early = sum(chance[i] for i in long if warning[i] >= least)
        assert (len(long), pytest.approx(early)) == (one.leavers, one.warned)
    recalls = [one.warned for one in found.recall]
    assert sorted(recalls, reverse=True) == recalls


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=15))
def test_the_median_of_equal_weights_is_the_median(values: list[int]) -> None:
    numbers = np.array(values, dtype=float)
    assert np.median(numbers) == weighted_median(numbers, np.full(len(numbers), 0.3))
    doubled = weighted_median(numbers, np.arange(1.0, len(numbers) + 1))
    assert np.median(np.repeat(numbers, np.arange(1, len(numbers) + 1))) == doubled
