"""The difference of two shares, with its interval."""

from __future__ import annotations

import math

from churnwatch.evaluation.deciles import wilson
from churnwatch.evaluation.interval import Interval


def difference_of_shares(first: int, n_first: int, second: int, n_second: int) -> Interval:
    """``first / n_first - second / n_second`` with its 95 % interval, for independent arms of at least one member.

    The interval is made of the two Wilson intervals and holds for small arms and shares near 0. Source: R. G. Newcombe,
    Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998), method 10.
    """
    one, two = first / n_first, second / n_second
    (low_one, high_one), (low_two, high_two) = wilson(one, n_first), wilson(two, n_second)
    difference = one - two
    return Interval(
        difference,
        difference - math.hypot(one - low_one, high_two - two),
        difference + math.hypot(high_one - one, two - low_two),
    )
