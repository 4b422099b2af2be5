"""Bands: multiples of the training base rate; the rule score: how far everything stands on the bad side."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.health import BANDS, bands, places, rule_scores
from churnwatch.spec import Bands, Column, Family

EDGES = Bands(watch=1.0, at_risk=2.0, critical=4.0)


@pytest.mark.parametrize(
    ("risk", "band"),
    [
        (0.0, "healthy"),
        (0.1249, "healthy"),
        (0.125, "watch"),
        (0.2499, "watch"),
        (0.25, "at_risk"),
        (0.4999, "at_risk"),
        (0.5, "critical"),
        (1.0, "critical"),
    ],
)
def test_a_band_begins_at_its_lower_end(risk: float, band: str) -> None:
    """Base rate 12.5 %: once, twice and four times it."""
    assert [band] == bands(np.array([risk]), base_rate=0.125, edges=EDGES)


def test_the_edges_are_the_model_files() -> None:
    """Base rate 10 %, edges at half, three times and nine times it."""
    edges = Bands(watch=0.5, at_risk=3.0, critical=9.0)
    expected = ["healthy", "watch", "at_risk", "critical"]
    assert expected == bands(np.array([0.04, 0.06, 0.4, 0.95]), base_rate=0.1, edges=edges)


def test_a_high_base_rate_leaves_bands_that_nobody_reaches() -> None:
    """Four times 45 % is no risk: the best that can be said is at risk."""
    assert ["at_risk"] == bands(np.array([1.0]), base_rate=0.45, edges=EDGES)


def test_nobody_has_no_band() -> None:
    """An empty day."""
    assert [] == bands(np.empty(0), base_rate=0.2, edges=EDGES)


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.001, 0.9))
def test_a_higher_risk_is_never_in_a_better_band(risks: list[float], base_rate: float) -> None:
    """One band each, in the risks' order, and the band's own multiples hold."""
    found = bands(np.array(sorted(risks)), base_rate=base_rate, edges=EDGES)
    places = [BANDS.index(band) for band in found]
    assert sorted(places) == places
    expected = [sum(risk >= k * base_rate for k in (1.0, 2.0, 4.0)) for risk in sorted(risks)]
    assert expected == places


# --- the rule score


def columns(*directions: str) -> tuple[Column, ...]:
    family = {
        "family": "probe",
        "description": "Numbers.",
        "table": "interactions",
        "signals": [
            {
                "name": f"number_{i}",
                "description": "A number.",
                "aggregate": "count",
                "windows": ["28d"],
                "direction": direction,
                "reason": {"en": "{value}", "id": "{value}"},
            }
            for i, direction in enumerate(directions)
        ],
        "examples": [{"as_of": date(2026, 3, 1), "rows": [], "expect": {"number_0_28d": 0}}],
    }
    return Family.model_validate(family).columns


def test_places_by_hand() -> None:
    """Four numbers stand at -3/4, -1/4, 1/4, 3/4; equals share the middle; missing and undirected have no opinion."""
    nan = np.nan
    values = np.array([[1.0, 5.0, 7.0, nan], [2.0, 5.0, 8.0, 3.0], [3.0, 0.0, 9.0, nan], [4.0, 5.0, 1.0, 4.0]])
    expected = [[-0.75, -0.25, 0.0, 0.0], [-0.25, -0.25, 0.0, 0.5], [0.25, 0.75, 0.0, 0.0], [0.75, -0.25, 0.0, -0.5]]
    assert expected == places(values, columns("up", "down", "any", "down")).tolist()
    assert [50 + 50 * sum(row) / 3 for row in expected] == pytest.approx(
        rule_scores(values, columns("up", "down", "any", "down")).tolist()
    )


def test_where_nobody_differs_or_nothing_has_a_direction_everybody_is_in_the_middle() -> None:
    assert [50.0] * 3 == rule_scores(np.ones((3, 2)), columns("up", "down")).tolist()
    assert [50.0] * 3 == rule_scores(np.arange(3.0)[:, None], columns("any")).tolist()
    assert [50.0] * 3 == rule_scores(np.full((3, 1), np.nan), columns("up")).tolist()


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 10_000))
def test_the_rule_score_is_bounded_ordered_and_blind_to_scale(n: int, seed: int) -> None:
    """Between 0 and 100; whoever is worse in all ranks worse; only places count, not sizes; nor the rows' order."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, (n, 3)).astype(float)
    values[rng.random(values.shape) < 0.2] = np.nan
    made = columns("up", "down", "up")
    scores = rule_scores(values, made)
    assert ((scores >= 0) & (scores <= 100)).all()
    np.testing.assert_allclose(scores, rule_scores(np.exp(values), made))
    turned = rng.permutation(n)
    np.testing.assert_allclose(scores[turned], rule_scores(values[turned], made))
    worst, best = np.array([[9.0, -9.0, 9.0]]), np.array([[-9.0, 9.0, -9.0]])
    together = rule_scores(np.concatenate([values, worst, best]), made)
    assert together[-2] == together.max()
    assert together[-1] == together.min()
