"""Onset: where the curve of a risk began to rise, and that steady, falling and passing risks have none."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.health import rising_since
from churnwatch.health.onset import EXPLAINED, KEPT, LATELY, LEAST, RISE, TIE

Curve = np.ndarray[Any, np.dtype[np.float64]]

DAYS = tuple(date(2026, 4, 3) + timedelta(days=i) for i in range(90))
"""The last is 2026-07-01."""


def onset(curve: Curve) -> date | None:
    """Of one curve over the last days of DAYS."""
    [found] = rising_since(DAYS[-len(curve) :], curve[None, :])
    return found


def level(days: int, margin: float = -3.0) -> Curve:
    return np.full(days, margin)


def ramp(days: int, start: float, end: float) -> Curve:
    """From a step above ``start`` to ``end``."""
    return start + (end - start) * np.arange(1, days + 1) / days


def saw(days: int, height: float) -> Curve:
    """The week of somebody who comes on one day of it."""
    return height * (np.arange(days) % 7) / 6


def test_a_jump_began_on_its_day() -> None:
    """Three complaints come in: sixty days at one level, thirty at another."""
    assert DAYS[60] == onset(np.concatenate([level(60), level(30, -1.0)]))


def test_a_gradual_rise_began_with_its_first_step() -> None:
    """Somebody falls silent: the risk climbs a little every day until today."""
    assert DAYS[50] == onset(np.concatenate([level(50), ramp(40, -3.0, -0.5)]))


def test_a_rise_that_has_levelled_off_is_dated_by_its_beginning() -> None:
    """Up over three weeks, then as high for four."""
    assert DAYS[40] == onset(np.concatenate([level(40), ramp(21, -4.0 + 1.0, -1.0), level(29, -1.0)]))


def test_a_jump_five_days_ago_is_told_and_one_of_four_days_not_yet() -> None:
    """A sign of last weekend might be gone next week; five days are the least."""
    assert DAYS[85] == onset(np.concatenate([level(85), level(5, -1.0)]))
    assert onset(np.concatenate([level(86), level(4, -1.0)])) is None


@pytest.mark.parametrize(
    "curve",
    [
        pytest.param(level(90), id="steady"),
        pytest.param(level(90, 2.0), id="steady and high"),
        pytest.param(ramp(90, -1.0, -4.0), id="falling"),
        pytest.param(np.concatenate([level(30, -1.0), level(60, -3.0)]), id="fell at once"),
        pytest.param(level(90) + saw(90, 1.3), id="up and down with the week"),
        pytest.param(level(90) + saw(90, 3.0), id="far up and down with the week"),
        pytest.param(np.concatenate([level(30), level(30, -1.0), level(30)]), id="rose and came back"),
        pytest.param(
            np.concatenate([level(30), ramp(30, -3.0, -0.5), ramp(30, -0.5, -3.0)]), id="climbed and came back"
        ),
        pytest.param(
            np.concatenate([level(30), level(30, -1.0), level(30, -1.9)]), id="rose and came back for the most part"
        ),
        pytest.param(np.concatenate([level(60), level(30, -1.7)]), id="less than four times the odds"),
        pytest.param(np.concatenate([level(89), level(1, 1.0)]), id="one day"),
        pytest.param(np.full(90, np.nan), id="never observed"),
        pytest.param(np.concatenate([level(50), level(39, -1.0), [np.nan]]), id="not observed today"),
        pytest.param(
            np.concatenate([np.full(81, np.nan), level(4), level(5, -1.0)]), id="observed for four days before"
        ),
    ],
)
def test_no_onset(curve: Curve) -> None:
    """Nothing that is told of it would be true."""
    assert onset(curve) is None


def test_noise_around_a_steady_risk_is_no_onset() -> None:
    """A thousand curves of daily noise, and as many that wander a little: not one of them."""
    rng = np.random.default_rng(7)
    noisy = -3 + rng.normal(0, 0.5, (1000, 90))
    wandering = -3 + np.cumsum(rng.normal(0, 0.04, (1000, 90)), axis=1)
    assert [None] * 2000 == rising_since(DAYS, np.concatenate([noisy, wandering]))


def test_noise_around_a_jump_moves_its_day_little() -> None:
    """A jump of 2 under daily noise of 0.3: 98 of 100 are found, most on the day, and 95 of 100 of those within two."""
    rng = np.random.default_rng(8)
    curves = np.concatenate([level(55), level(35, -1.0)]) + rng.normal(0, 0.3, (500, 90))
    found = rising_since(DAYS, curves)
    away = np.array([abs((one - DAYS[55]).days) for one in found if one is not None])
    assert len(away) >= 490
    assert 0 == np.median(away)
    assert np.mean(away <= 2) >= 0.95


def test_an_earlier_rise_that_passed_does_not_hide_the_one_that_lasts() -> None:
    """A hump of two weeks in the first month, then the rise that holds."""
    curve = np.concatenate([level(10), level(14, -1.5), level(36), level(30, -0.5)])
    assert DAYS[60] == onset(curve)


def test_what_was_not_seen_is_dated_by_when_it_was_seen() -> None:
    """Unobserved for ten days and higher ever since: nobody knows the day, so it is the first one told."""
    assert DAYS[60] == onset(np.concatenate([level(50), np.full(10, np.nan), level(30, -1.0)]))


def test_days_before_the_customer_came_do_not_count() -> None:
    """Observed for forty days only, the last twenty higher."""
    assert DAYS[70] == onset(np.concatenate([np.full(50, np.nan), level(20), level(20, -1.0)]))


def test_a_curve_too_short_to_have_a_before_and_a_since_has_none() -> None:
    """Nine days hold no two levels of five."""
    assert onset(np.concatenate([level(4), level(5, 1.0)])) is None
    assert DAYS[-5] == onset(np.concatenate([level(5), level(5, 1.0)]))


def test_nobody_and_days_that_do_not_fit() -> None:
    """An empty list has no onsets; curves of other days are the caller's mistake."""
    assert [] == rising_since(DAYS, np.empty((0, 90)))
    with pytest.raises(ValueError, match="90 days for curves of 30"):
        rising_since(DAYS, np.zeros((2, 30)))


def slowly(curve: Curve) -> int | None:
    """The place of the onset by the words of the docstring: every pair of days fitted by numpy's least squares."""
    known = np.flatnonzero(~np.isnan(curve))
    if len(known) == 0 or known[-1] != len(curve) - 1:
        return None
    x = curve[known]
    total = float(((x - x.mean()) ** 2).sum())
    fits = []
    for c in range(LEAST, len(curve) - LEAST + 1):
        if (known < c).sum() < LEAST or (known >= c).sum() < LEAST:
            continue
        for e in range(c + 1, len(curve) + 1):
            climb = np.array([min(max((t - c + 1) / (e - c), 0.0), 1.0) for t in known])
            sides = np.column_stack([np.ones(len(x)), climb])
            (a, h), *_ = np.linalg.lstsq(sides, x, rcond=None)
            left = float(((x - a - h * climb) ** 2).sum())
            if h > 0:
                fits.append((left, -c, e, h))
    if not fits or total == 0:
        return None
    least = min(left for left, *_ in fits)
    left, c, _, h = min((fit for fit in fits if fit[0] <= least + TIE * total), key=lambda fit: fit[1:3])
    c = -c
    risen = float(np.median(curve[-LATELY:][~np.isnan(curve[-LATELY:])])) - float(curve[:c][known[known < c]].mean())
    good = 1 - left / total >= EXPLAINED and risen >= RISE and risen >= KEPT * h
    return c if good else None


@st.composite
def some_curves(draw: st.DrawFn) -> Curve:
    """Pieces of levels and ramps, with noise, humps and days unobserved."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    k = draw(st.integers(2 * LEAST, 26))
    pieces = draw(st.lists(st.tuples(st.integers(1, 12), st.floats(-4, 1), st.booleans()), min_size=1, max_size=4))
    curve: list[float] = [-3.0] * draw(st.integers(0, 12))
    for days, to, gradual in pieces:
        start = curve[-1] if curve else to
        curve += list(ramp(days, start, to)) if gradual else [to] * days
    whole = np.resize(np.array(curve or [-3.0]), k) + rng.normal(0, draw(st.sampled_from([0.05, 0.3, 1.0])), k)
    whole[: draw(st.integers(0, 6))] = np.nan
    whole[rng.random(k) < draw(st.sampled_from([0.0, 0.1, 0.3]))] = np.nan
    return whole


@settings(max_examples=150, deadline=None)
@given(st.lists(some_curves(), min_size=1, max_size=3))
def test_fast_and_slow_agree(curves: list[Curve]) -> None:
    """The vectorised search finds what trying every pair by least squares finds."""
    for curve in curves:
        place = slowly(curve)
        assert (None if place is None else DAYS[len(DAYS) - len(curve) + place]) == onset(curve)


def test_a_curve_is_judged_by_itself() -> None:
    """Whoever else is asked about changes nothing: over a thousand in one call, and one by one."""
    rng = np.random.default_rng(9)
    curves = np.cumsum(rng.normal(0.01, 0.15, (1100, 90)), axis=1) - 3
    curves[:, :30][rng.random((1100, 30)) < 0.2] = np.nan
    together = rising_since(DAYS, curves)
    assert 100 < sum(one is not None for one in together) < 1000
    assert together[::50] == [onset(curve) for curve in curves[::50]]
