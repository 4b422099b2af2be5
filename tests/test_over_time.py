"""The marks of pictures over time: where an axis ends, a line breaks and a band stands."""

from __future__ import annotations

import pytest

from churnwatch.delivery.over_time import HIGH, WIDE, dates_shown, line, nice_top, reaches, ticks
from churnwatch.evaluation import Rate


def test_an_axis_ends_above_what_it_shows():
    assert [0.04, 0.1, 0.2, 0.4, 0.4, 1.0, 1.0] == pytest.approx(
        [nice_top(value) for value in (0.031, 0.1, 0.11, 0.21, 0.4, 0.9, 1.2)]
    )
    assert [0, 1, 2, 3] == dates_shown(4)
    assert [0, 4, 7, 11] == dates_shown(12)


def test_a_line_breaks_where_nothing_is_known():
    drawn = line([0.1, None, 0.2, 0.4], 0.4)
    assert "M75.0 150.0M375.0 100.0L525.0 0.0" == drawn["path"]
    assert 3 == len(drawn["dots"])


def test_an_interval_is_as_high_as_it_is_wide():
    [one] = reaches([Rate(5, 10, 0.25, 0.75)], 1.0)
    assert (f"{HIGH / 4:.1f}", f"{HIGH / 2:.1f}", f"{WIDE / 2 - 18:.1f}") == (one["y"], one["h"], one["x"])
    [none, thin] = [*reaches([None], 1.0), None], reaches([Rate(5, 10, 0.25, 0.75)], 1.0, widest=10, aside=7)[0]
    assert [None] == none
    assert (f"{WIDE / 2 + 7 - 5:.1f}", "10.0") == (thin["x"], thin["w"])


def test_a_line_beside_the_middle_of_its_dates():
    assert "M143.0 100.0L443.0 0.0" == line([0.5, 1.0], 1.0, aside=-7)["path"]


def test_an_axis_is_marked_at_its_ends_and_its_middle():
    assert [("0.0", "8"), ("50.0", "4"), ("100.0", "0")] == [
        (one["at"], one["told"]) for one in ticks(8.0, "{:.0f}".format)
    ]
