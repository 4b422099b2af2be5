"""The stability index between as-ofs, with the missing as a bin, and what chance alone gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.evaluation import drift
from churnwatch.evaluation.drift import stability_index

NAN = float("nan")


def test_the_index_by_hand():
    """Counts 1, 3 against 3, 1, each with a half added: shares 0.3, 0.7 against 0.7, 0.3."""
    assert 0.8 * math.log(7 / 3) == pytest.approx(stability_index([1, 3], [3, 1]))
    assert 0.0 == stability_index([5, 5], [50, 50])


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8))
def test_the_index_is_the_same_both_ways_and_never_below_0(pairs):
    here, there = zip(*pairs, strict=True)
    assert stability_index(there, here) == pytest.approx(stability_index(here, there), abs=1e-12)
    assert -1e-12 <= stability_index(here, there)


def test_each_as_of_is_measured_against_all_before_it_together():
    """Bins: 1 (twelve of sixteen, tenth 4 of 10) and 2 (four). Second: 4, 0 against 4, 0; third: 0, 4 against 8, 0."""
    values = [1.0] * 4 + [1.0] * 4 + [2.0] * 4 + [1.0] * 4
    found = drift(values, np.repeat([0, 1, 2, 3], 4))
    assert found is not None
    expected = [stability_index([4, 0], [4, 0]), stability_index([0, 4], [8, 0]), stability_index([4, 0], [8, 4])]
    assert found.index[0] is None
    assert expected == pytest.approx(list(found.index[1:]))
    assert found.chance[0] is None
    # chi-squared with one degree of freedom exceeds 3.8415 in one of 20 cases
    assert [3.8415 * (1 / 4 + 1 / n) for n in (4, 8, 12)] == pytest.approx(list(found.chance[1:]), abs=1e-3)
    assert ("steady", "changed") == (found.verdict, found.worst)


def test_values_that_go_missing_are_a_change():
    """Also where it is the low ones: missing is no low value."""
    steady = np.tile(np.repeat([0.0, 1.0], 50), 2)
    lost = np.concatenate([np.repeat([0.0, 1.0], 50), np.repeat([NAN, 1.0], 50)])
    periods = np.repeat([0, 1], 100)
    assert "steady" == drift(steady, periods).verdict
    assert "changed" == drift(lost, periods).verdict


def test_a_shift_has_three_names():
    """Of 10,000, so many move from the lower value to the upper: 0.1 and 0.25 are the limits."""
    periods = np.repeat([0, 1], 10_000)
    for moved, verdict in ((0, "steady"), (1_000, "steady"), (1_800, "moved"), (3_000, "changed")):
        values = np.concatenate([np.repeat([0.0, 1.0], 5_000), np.repeat([0.0, 1.0], [5_000 - moved, 5_000 + moved])])
        # A share m of all moved: the index is m (ln(1 + 2m) − ln(1 − 2m)), here 0, 0.04, 0.14 and 0.42.
        assert verdict == drift(values, periods).verdict


def test_few_rows_differ_by_chance():
    """Twenty rows of the same population: an index of 0.4 and more is no news, and is not called a change."""
    rng = np.random.default_rng(3)
    found = [drift(rng.normal(size=40), np.repeat([0, 1], 20)) for _ in range(200)]
    assert 100 < sum(one.index[1] > 0.25 for one in found)
    assert 25 > sum(one.verdict != "steady" for one in found)


def test_one_as_of_has_nothing_to_differ_from():
    assert drift([1.0, 2.0], [0, 0]) is None


def test_one_value_for_all_never_changes():
    found = drift([3.0] * 6, [0, 0, 1, 1, 2, 2])
    assert (None, 0.0, 0.0) == found.index
    assert "steady" == found.worst
