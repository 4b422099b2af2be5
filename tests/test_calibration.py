"""Calibration: from margin to risk, against scikit-learn's own, and never turning the ranking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

from churnwatch.learner import Calibration, calibrate, risk
from churnwatch.learner.calibration import at_one_level, calibrate_score

# Spread and slope of margins as boosters give them.
MARGINS = st.floats(-40, 40, allow_nan=False).map(lambda x: round(x, 3))


def sample(n: int, seed: int, *, slope: float = 1.3, base: float = -1.0) -> tuple[np.ndarray, np.ndarray]:
    """Margins, and outcomes that follow a logistic of them."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(scale=1.5, size=n)
    return margins, (rng.random(n) < 1 / (1 + np.exp(-(slope * margins + base)))).astype(float)


@pytest.mark.parametrize("n", [40, 400, 20_000])
@pytest.mark.parametrize("slope", [0.5, 1.0, 4.0])
def test_platt_is_scikit_learns_sigmoid(n: int, slope: float) -> None:
    """The same risks as its sigmoid, which minimises the same loss on Platt's smoothed targets."""
    margins, outcomes = sample(n, n, slope=slope)
    a, b = _sigmoid_calibration(margins, outcomes)
    found = calibrate(margins, outcomes, method="platt")
    grid = np.linspace(-6, 6, 101)
    assert 1 / (1 + np.exp(a * grid + b)) == pytest.approx(risk(found, grid), abs=2e-4)


def test_platt_targets_are_smoothed_by_hand() -> None:
    """One margin for all: the risk is the mean target, of 3 bad and 1 good (3 * 4/5 + 1 * 1/3) / 4."""
    found = calibrate(np.zeros(4), np.array([1.0, 1.0, 1.0, 0.0]), method="platt")
    assert (3 * 4 / 5 + 1 / 3) / 4 == pytest.approx(risk(found, np.zeros(1))[0], abs=1e-5)


@pytest.mark.parametrize("n", [50, 5_000])
def test_isotonic_is_scikit_learns_between_its_ends(n: int) -> None:
    """The same steps, but for those of pure 0s and 1s: half an outcome on either side keeps them from certainty."""
    margins, outcomes = sample(n, n + 1)
    grid = np.linspace(-8, 8, 201)
    steps = IsotonicRegression().fit(margins, outcomes).predict(margins)
    others = steps[(steps > 0) & (steps < 1)]
    lowest = min(0.5 / (1 + (steps == 0).sum()), others.min())
    highest = max(1 - 0.5 / (1 + (steps == 1).sum()), others.max())
    found = risk(calibrate(margins, outcomes, method="isotonic"), grid)
    assert (lowest, highest) == pytest.approx((found.min(), found.max()), abs=1e-12)
    inner = (margins > -0.5) & (margins < 1)
    at_rows = IsotonicRegression().fit(margins, outcomes).predict(margins[inner])
    kept = (at_rows > 0) & (at_rows < 1)
    assert kept.sum() > 10
    told = risk(calibrate(margins, outcomes, method="isotonic"), margins[inner])
    assert at_rows[kept] == pytest.approx(told[kept], abs=1e-12)


def test_isotonic_by_hand() -> None:
    """0, 1, 0, 1 over rising margins: the middle pair is pooled to 0.5, the ends are 0.5 / 2 and 1.5 / 2."""
    found = calibrate(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0]), method="isotonic")
    assert [0.25, 0.25, 0.375, 0.5, 0.5, 0.75, 0.75] == pytest.approx(
        risk(found, np.array([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 9.0])).tolist()
    )


@pytest.mark.parametrize(("rarer", "method"), [(999, "platt"), (1_000, "isotonic")])
@pytest.mark.parametrize("rare", [0.0, 1.0])
def test_auto_takes_isotonic_from_a_thousand_of_the_rarer_outcome_on(rarer: int, method: str, rare: float) -> None:
    """Counted on the rarer side, whichever it is."""
    outcomes = np.repeat([rare, 1 - rare], [rarer, 3_000])
    assert method == calibrate(np.random.default_rng(1).normal(size=len(outcomes)), outcomes).method


@pytest.mark.parametrize("method", ["auto", "isotonic", "platt", "none"])
@pytest.mark.parametrize("only", [0.0, 1.0])
def test_one_class_calibrates_nothing(method: str, only: float) -> None:
    """There is nothing to fit: the logistic of the margin stays."""
    found = calibrate(np.array([-1.0, 0.0, 2.0]), np.full(3, only), method=method)  # type: ignore[arg-type]
    assert Calibration("none", (), ()) == found
    assert [0.5, 1 / (1 + np.exp(-2))] == pytest.approx(risk(found, np.array([0.0, 2.0])).tolist())


def test_none_is_the_logistic_even_with_both_outcomes() -> None:
    """The model file may ask for it."""
    found = calibrate(*sample(200, 3), method="none")
    assert 0.75 == pytest.approx(risk(found, np.array([np.log(3)]))[0])


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(MARGINS, st.booleans()), min_size=2, max_size=60),
    method=st.sampled_from(["isotonic", "platt", "none"]),
    asked=npst.arrays(float, 20, elements=st.floats(-1e6, 1e6)),
)
def test_a_calibration_never_turns_the_ranking_and_its_knots_are_finite(
    rows: list[tuple[float, bool]], method: str, asked: np.ndarray
) -> None:
    """Whatever margins and outcomes: risks rise with the margin, lie in [0, 1], and every knot can be written."""
    margins, outcomes = np.array([m for m, _ in rows]), np.array([float(bad) for _, bad in rows])
    found = calibrate(margins, outcomes, method=method)  # type: ignore[arg-type]
    assert all(np.isfinite([*found.x, *found.y]))
    told = risk(found, np.sort(asked))
    assert (np.diff(told) >= 0).all()
    assert (told >= 0).all()
    assert (told <= 1).all()
    if found.method == "isotonic":
        assert list(found.x) == sorted(set(found.x))
        assert all(0 < knot < 1 for knot in found.y)


def test_a_margin_that_ranks_the_wrong_way_is_flattened_not_turned() -> None:
    """The slope stops at nought: everybody gets the base rate."""
    margins, outcomes = sample(2_000, 4, slope=-2.0)
    for method in ("platt", "isotonic"):
        told = risk(calibrate(margins, outcomes, method=method), np.array([-3.0, 0.0, 3.0]))  # type: ignore[arg-type]
        assert told[0] == pytest.approx(told[-1], abs=0.02)
        assert outcomes.mean() == pytest.approx(told[1], abs=0.01)


def test_calibrated_risks_add_up_to_the_outcomes() -> None:
    """The mean risk of the rows it was fitted on is their base rate, though the raw margins are far off."""
    margins, outcomes = sample(5_000, 5, slope=0.4, base=-2.0)
    assert abs(risk(Calibration("none", (), ()), margins).mean() - outcomes.mean()) > 0.2
    for method in ("platt", "isotonic"):
        told = risk(calibrate(margins, outcomes, method=method), margins)  # type: ignore[arg-type]
        assert outcomes.mean() == pytest.approx(told.mean(), abs=1e-3)


def dates_of(n: int, levels: list[float], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins, outcomes and dates: on each date log-odds are the margin plus the date's level, which margins follow."""
    rng = np.random.default_rng(seed)
    dates = np.repeat(np.arange(len(levels)), n)
    margins = rng.normal(size=len(dates)) - np.array(levels)[dates]
    chance = 1 / (1 + np.exp(-(margins + 2 * np.array(levels)[dates])))
    return margins, (rng.random(len(dates)) < chance).astype(float), dates


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_what_moves_whole_dates_does_not_change_the_slope_within_them(method: str) -> None:
    """Levels -1, 0, 1 against the margins: pooled as they are the risks are flat, at one level they have slope 1."""
    margins, outcomes, dates = dates_of(20_000, [-1.0, 0.0, 1.0], 3)
    at = np.array([-1.0, 1.0])

    def slope(found: Calibration) -> float:
        low, high = risk(found, at)
        return float(np.log(high / (1 - high)) - np.log(low / (1 - low))) / 2

    assert 0.5 > slope(calibrate(margins, outcomes, method=method))
    assert 1.0 == pytest.approx(slope(calibrate(margins, outcomes, dates=dates, method=method)), abs=0.1)


def test_the_level_is_that_of_all_dates_together() -> None:
    """Whatever the dates' levels, the mean risk of the rows is their rate."""
    margins, outcomes, dates = dates_of(5_000, [-1.5, 0.5], 4)
    found = calibrate(margins, outcomes, dates=dates, method="isotonic")
    moved = at_one_level(margins, outcomes, dates)
    assert outcomes.mean() == pytest.approx(risk(found, moved).mean(), abs=1e-3)


def test_one_date_is_left_as_it_is() -> None:
    margins, outcomes = sample(500, 5)
    np.testing.assert_array_equal(margins, at_one_level(margins, outcomes, np.zeros(500)))


def test_a_date_without_an_outcome_does_not_run_away() -> None:
    """Its level is held by the others': a few log-odds apart, not without end."""
    margins, outcomes, dates = dates_of(300, [0.0, 0.0], 6)
    outcomes[dates == 1] = 0.0
    moved = at_one_level(margins, outcomes, dates) - margins
    apart = moved[dates == 0][0] - moved[dates == 1][0]
    assert 1 < apart < 12
    assert np.isfinite(risk(calibrate(margins, outcomes, dates=dates), margins)).all()


@given(st.integers(0, 10_000), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_levels_keep_the_order_within_a_date(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    margins, dates = rng.normal(size=60), rng.integers(0, count, 60)
    outcomes = (rng.random(60) < 0.3).astype(float)
    moved = at_one_level(margins, outcomes, dates)
    for date in range(count):
        mine = dates == date
        np.testing.assert_array_equal(np.argsort(margins[mine]), np.argsort(moved[mine]))


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_row_that_weighs_three_counts_as_three_rows(method: str) -> None:
    """Also where dates lie at different levels; but for the ends, which are kept from certainty by counts of rows."""
    margins, outcomes = sample(600, 3)
    dates = np.arange(600) % 3
    times = np.where(np.arange(600) % 2 == 0, 3, 1)
    again = np.repeat(np.arange(600), times)
    weighed = calibrate(margins, outcomes, dates=dates, weight=times.astype(float), method=method)  # type: ignore[arg-type]
    repeated = calibrate(margins[again], outcomes[again], dates=dates[again], method=method)  # type: ignore[arg-type]
    grid = np.linspace(-4, 4, 50)
    assert risk(repeated, grid) == pytest.approx(risk(weighed, grid), abs=0.015)


def test_the_expected_score_is_right_on_average_and_never_rises_with_the_margin() -> None:
    """The likelihood's equation for the level: by weight, what is foretold adds up to what came."""
    rng = np.random.default_rng(4)
    margins = rng.normal(size=2_000)
    badness = np.clip(1 / (1 + np.exp(-(0.8 * margins - 0.5))) + rng.normal(scale=0.2, size=2_000), 0, 1)
    weight = rng.uniform(0.5, 1.5, 2_000)
    found = calibrate_score(margins, (badness > 0.6).astype(float), badness, weight=weight)
    told = risk(found, margins)
    assert (weight * badness).sum() == pytest.approx((weight * told).sum(), rel=1e-4)
    assert np.all(np.diff(risk(found, np.sort(margins))) >= 0)
    assert 0 < told.min() < told.max() < 1
