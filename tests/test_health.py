"""Bands: multiples of the training base rate, each band's lower end included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnwatch.health import BANDS, bands
from churnwatch.spec import Bands

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
