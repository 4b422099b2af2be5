"""Power: how small an effect a holdout can show, by hand and by drawing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnwatch.evaluation.power import is_rough, power, smallest_effect


def test_equal_arms_of_387_see_a_half_fall_to_two_fifths_four_times_in_five():
    """n = (1.96 sqrt(2 x 0.45 x 0.55) + 0.8416 sqrt(0.25 + 0.24))^2 / 0.1^2 = 387.3, the textbook's."""
    assert power(0.5, 0.4, n_first=387.34, n_second=387.34) == pytest.approx(0.8, abs=1e-5)


def test_unequal_arms_by_hand():
    """Pooled 50 / 400 = 0.125; null error sqrt(0.109375 / 75) = 0.038188; true error sqrt(0.0019) = 0.043589;
    (0.1 - 1.959964 x 0.038188) / 0.043589 = 0.57704, of which the normal distribution function is 0.71804.
    """
    assert 0.71804 == pytest.approx(power(0.2, 0.1, n_first=100, n_second=300), abs=1e-5)


def test_a_stricter_test_sees_less():
    """As above with 2.575829 for 1.959964: (0.1 - 0.098366) / 0.043589 = 0.03749, so 0.51495."""
    assert 0.51495 == pytest.approx(power(0.2, 0.1, n_first=100, n_second=300, alpha=0.01), abs=1e-4)


def test_no_difference_is_called_one_on_each_side_as_often_as_the_level_says():
    assert 0.025 == pytest.approx(power(0.3, 0.3, n_first=50, n_second=70))


def test_without_anybody_in_an_arm_nothing_is_seen():
    assert 0 == power(0.5, 0.1, n_first=0, n_second=1000)
    assert smallest_effect(0.5, held_out=0, treated=1000) is None


def test_where_nothing_is_left_to_chance_a_difference_is_seen_and_equality_is_not():
    assert 1 == power(1.0, 0.0, n_first=10, n_second=10)
    assert 0 == power(0.0, 0.0, n_first=10, n_second=10)


@pytest.mark.parametrize(
    ("base", "held_out", "treated", "effect"),
    [(0.3, 150, 1350, 0.11), (0.15, 300, 700, 0.06), (0.1, 1000, 1000, 0.035)],
)
def test_the_formula_agrees_with_drawing(base, held_out, treated, effect):
    """200,000 draws of both arms, each tested: its share of finds is known to 0.002, the formula is good to 0.02."""
    rng = np.random.default_rng(7)
    alone = rng.binomial(held_out, base, 200_000) / held_out
    contacted = rng.binomial(treated, base - effect, 200_000) / treated
    pooled = (alone * held_out + contacted * treated) / (held_out + treated)
    error = np.sqrt(pooled * (1 - pooled) * (1 / held_out + 1 / treated))
    found = float((alone - contacted > 1.959964 * error).mean())
    assert found == pytest.approx(power(base, base - effect, n_first=held_out, n_second=treated), abs=0.02)


@given(
    base=st.floats(0.02, 0.9),
    held_out=st.integers(5, 5000),
    treated=st.integers(5, 50_000),
)
def test_the_smallest_effect_is_where_the_power_begins(base, held_out, treated):
    """Just enough: at it four times in five, a little below it less often; none only where a fall to nothing hides."""
    least = smallest_effect(base, held_out=held_out, treated=treated)
    if least is None:
        assert power(base, 0, n_first=held_out, n_second=treated) < 0.8
        return
    assert 0 < least <= base
    assert power(base, base - least, n_first=held_out, n_second=treated) >= 0.8 - 1e-6
    assert power(base, base - least * 0.999, n_first=held_out, n_second=treated) < 0.8


def test_more_customers_or_a_larger_share_show_a_smaller_effect():
    """By hand, base 0.2, 200 held out of 1,000: an effect of 0.07896 has the null error sqrt(0.11811 x 0.00625), the
    true error sqrt(0.16 / 200 + 0.10639 / 800), so (0.07896 - 1.959964 x 0.02717) / 0.030545 = 0.8416, the 80 % point.
    """
    seen = [
        smallest_effect(0.2, held_out=share * n, treated=(1 - share) * n)
        for n, share in ((1000, 0.1), (1000, 0.2), (4000, 0.2))
    ]
    assert None not in seen
    assert 0.07896 == pytest.approx(seen[1], abs=1e-5)
    assert seen[0] > seen[1] > seen[2]


def test_an_arm_that_expects_fewer_than_five_is_rough():
    assert is_rough(0.1, 49)
    assert not is_rough(0.1, 50)
    assert is_rough(0.9, 49)
