"""Leavers on a list in time, by hand."""

from __future__ import annotations

import pytest

from churnwatch.evaluation.caught import Caught, caught

GONE = [{"ani", "budi"}, {"budi", "citra"}, {"dewi"}]
LISTED = [{"ani", "citra"}, {"budi", "eka"}, set()]


def test_a_leaver_counts_once_and_by_a_list_whose_window_saw_them_leave() -> None:
    """Four left. Ani stood on the first list, Budi on the second; Citra only on a list of a window she outlived."""
    assert Caught(leavers=4, listed=2) == caught(GONE, LISTED)


def test_among_some_only() -> None:
    assert Caught(leavers=2, listed=1) == caught(GONE, LISTED, among={"budi", "dewi", "eka"})


def test_nobody_is_no_share() -> None:
    nobody = caught(GONE, LISTED, among=set())
    assert (None, None) == (nobody.share, nobody.interval)


def test_the_share_and_its_interval() -> None:
    """Wilson of 83 of 127, worked out apart."""
    found = Caught(127, 83)
    assert 83 / 127 == found.share
    assert (0.5674, 0.7307) == pytest.approx(found.interval, abs=1e-4)


def test_as_many_lists_as_dates() -> None:
    with pytest.raises(ValueError, match="shorter"):
        caught(GONE, LISTED[:2])
