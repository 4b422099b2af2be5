"""Pictures of a model: real PNG files, the same bytes again, and nothing global left behind."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from matplotlib import pyplot

from churnwatch.evaluation.slices import slice_figures
from churnwatch.evaluation.training_pictures import (
    beeswarm_picture,
    dependence_picture,
    gain_picture,
    reliability_picture,
)

NAMES = ("calls_28d", "quiet_days", "never_there", "plan")
PNG = b"\x89PNG\r\n\x1a\n"


def a_slice(day: int, *, rate: float = -3.0):
    rng = np.random.default_rng(day)
    margins = rng.normal(rate, 1, 300).round(2)
    risks = 1 / (1 + np.exp(-margins))
    y = (rng.random(300) < risks).astype(int)
    y[:2] = (0, 1)
    noise = {"random": rng.random(300), "recency": margins + rng.normal(size=300)}
    return slice_figures(y, margins, as_of=date(2026, 3, day), risks=risks, baselines=noise, replicates=20)


def shares(n=120, columns=4):
    """Contributions and values, a tenth of the first column and all of the third missing."""
    rng = np.random.default_rng(8)
    values = rng.poisson(2, (n, columns)).astype(float)
    contributions = 0.1 * (values - 2) * np.arange(columns, 0, -1)
    values[: n // 10, 0] = np.nan
    if columns > 2:
        values[:, 2] = np.nan
        contributions[:, 2] = 0
    return contributions, values


@pytest.mark.parametrize("draw", [gain_picture, reliability_picture])
@pytest.mark.parametrize("dates", [1, 2, 5])
def test_slices_are_drawn_the_same_every_time(draw, dates):
    slices = [a_slice(day, rate=-3.0 if day % 2 else 0.0) for day in range(1, dates + 1)]
    drawn = draw(slices)
    assert drawn.startswith(PNG)
    assert drawn == draw(slices)
    assert drawn != draw([a_slice(9), *slices[1:]])


def test_pictures_for_a_page_are_svg():
    drawn = gain_picture([a_slice(1)], kind="svg")
    assert b"<svg" in drawn
    assert drawn == gain_picture([a_slice(1)], kind="svg")


@pytest.mark.parametrize("draw", [beeswarm_picture, dependence_picture])
@pytest.mark.parametrize("columns", [1, 4])
def test_what_shap_draws_is_the_same_every_time(draw, columns):
    contributions, values = shares(columns=columns)
    kept = contributions.copy(), values.copy()
    drawn = draw(contributions, values, NAMES[:columns])
    np.random.seed(77)  # noqa: NPY002
    assert drawn.startswith(PNG)
    assert drawn == draw(contributions, values, NAMES[:columns])
    np.testing.assert_array_equal(kept[0], contributions)
    np.testing.assert_array_equal(kept[1], values)


@pytest.mark.parametrize("draw", [beeswarm_picture, dependence_picture])
def test_what_others_draw_and_draw_at_random_is_left_alone(draw):
    """Someone's own figure stays the present one, and numpy's generator goes on where it was."""
    pyplot.close("all")
    own = pyplot.figure()
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    draw(*shares(), NAMES)
    np.testing.assert_array_equal(expected, np.random.random(3))  # noqa: NPY002
    assert [own.number] == pyplot.get_fignums()
    assert own is pyplot.gcf()
    pyplot.close(own)
