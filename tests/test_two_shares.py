"""The difference of two shares: the published intervals."""

from __future__ import annotations

import pytest

from churnwatch.evaluation import difference_of_shares


@pytest.mark.parametrize(
    ("first", "n_first", "second", "n_second", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1.0),
        (0, 10, 0, 20, -0.1611, 0.2775),
    ],
)
def test_the_intervals_are_those_of_newcombe(first, n_first, second, n_second, low, high):
    """Newcombe 1998, table II, method 10; the first arm without anybody turned over where the table has it so."""
    found = difference_of_shares(first, n_first, second, n_second)
    assert first / n_first - second / n_second == pytest.approx(found.difference)
    assert (low, high) == (pytest.approx(found.low, abs=5e-5), pytest.approx(found.high, abs=5e-5))


def test_the_other_way_round_is_the_same_with_its_sign_turned():
    one, other = difference_of_shares(3, 40, 30, 200), difference_of_shares(30, 200, 3, 40)
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
