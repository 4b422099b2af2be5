"""Horizons: the risk of leaving within other lengths of time; a longer one is never lower."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import DAY, tiny_bundle

from churnwatch.learner import Calibration, Horizon, horizon_risks, risk
from churnwatch.learner.horizons import FEWEST, fit_horizons
from churnwatch.spec import Duration

OWN = Duration("60d")
LENGTHS = tuple(map(Duration, ("20d", "30d", "60d", "90d", "120d")))


def simulated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Margins, and days until leaving: a constant hazard per day of exp(margin) / 100."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=n)
    return margins, rng.exponential(100 / np.exp(margins))


def fitted_on(margins: np.ndarray, days: np.ndarray, watched: np.ndarray | float) -> tuple[Horizon, ...]:
    seen = np.broadcast_to(np.asarray(watched, dtype=float), margins.shape)
    left = np.where(days < seen, days, np.nan) * DAY
    found, told = fit_horizons(LENGTHS, OWN, margins, left_after=left, watched=seen * DAY, dates=np.zeros(len(margins)))
    assert () == told
    return found


def test_steps_lead_away_from_the_own_horizon() -> None:
    """Below it the longest first, above it the shortest first; the own one needs none."""
    found = fitted_on(*simulated(4_000, 1), 365)
    assert ["30d", "20d", "90d", "120d"] == [one.length for one in found]


def test_each_step_is_the_rate_it_stands_for() -> None:
    """Every risk is within 3.5 points of 1 - exp(-days * hazard), the truth, also where half is watched for 60 days."""
    margins, days = simulated(200_000, 2)
    found = fitted_on(margins, days, np.where(np.arange(len(margins)) % 2, 60, 365))
    at = np.array([-1.0, 0.0, 1.0])
    # The own calibration is given as the truth, so that the steps alone are judged.
    own = Calibration("isotonic", tuple(at), tuple(1 - np.exp(-60 * np.exp(at) / 100)))
    model = replace(tiny_bundle().fitted, calibration=own, horizons=found)
    for length, told in horizon_risks(model, at, OWN).items():
        assert 1 - np.exp(-length.days * np.exp(at) / 100) == pytest.approx(told, abs=0.035), length


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=20), st.integers(0, 1_000))
@settings(max_examples=50, deadline=None)
def test_a_longer_horizon_is_never_lower_and_the_order_is_the_margins(margins: list[float], seed: int) -> None:
    """Whatever the steps: rising with the length, rising with the margin, between 0 and 1, the own one untouched."""
    rng = np.random.default_rng(seed)
    steps = tuple(
        Horizon(length, Calibration("platt", (float(rng.exponential()),), (float(rng.normal(scale=3)),)))
        for length in ("30d", "20d", "90d", "120d")
    )
    model = replace(tiny_bundle().fitted, horizons=steps)
    at = np.sort(np.array(margins))
    found = horizon_risks(model, at, OWN)
    assert list(LENGTHS) == list(found)
    np.testing.assert_array_equal(risk(model.calibration, at), found[OWN])
    table = np.array(list(found.values()))
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= -1e-15).all()
    assert ((table >= 0) & (table <= 1)).all()


def test_by_hand() -> None:
    """Risk 0.4; half of the leavers by 30 days, a quarter of the stayers by 90: 0.2, 0.4, 0.4 + 0.6 / 4."""
    quarter = float(np.log(1 / 3))
    model = replace(
        tiny_bundle().fitted,
        calibration=Calibration("platt", (0.0,), (float(np.log(2 / 3)),)),
        horizons=(
            Horizon("30d", Calibration("platt", (0.0,), (0.0,))),
            Horizon("90d", Calibration("platt", (0.0,), (quarter,))),
        ),
    )
    found = horizon_risks(model, np.zeros(1), OWN)
    assert {"30d": 0.2, "60d": 0.4, "90d": 0.55} == pytest.approx({str(k): v[0] for k, v in found.items()})


def test_without_further_horizons_there_is_nothing_to_tell() -> None:
    assert {} == horizon_risks(replace(tiny_bundle().fitted, horizons=()), np.zeros(3), OWN)


def test_what_was_not_watched_long_enough_is_said_and_left_out() -> None:
    """Watched for 100 days: 90 days can be told, 120 cannot, and nothing behind it is guessed."""
    margins, days = simulated(2_000, 3)
    left = np.where(days < 100, days, np.nan) * DAY
    found, told = fit_horizons(
        LENGTHS, OWN, margins, left_after=left, watched=np.full(2_000, 100.0 * DAY), dates=np.zeros(2_000)
    )
    assert ["30d", "20d", "90d"] == [one.length for one in found]
    assert (f"no risk within 120d: 0 of {FEWEST} outcomes to tell it apart from 90d",) == told
