"""Which columns say the same."""

from __future__ import annotations

import math

import numpy as np
import pytest

from churnwatch.evaluation import clusters
from churnwatch.evaluation.clusters import rank_correlation


@pytest.fixture
def columns():
    """Two readings of one number, its opposite, one of another number, and a constant; a third are missing."""
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 400))
    X = np.column_stack([one, np.exp(one), -one + 0.1 * rng.normal(size=400), other, np.ones(400)])
    X[rng.random(X.shape) < 0.3] = np.nan
    X[:, 3] = np.where(rng.random(400) < 0.5, np.round(other), np.nan)
    return X


def spearman(a, b):
    """Pearson's correlation of mean ranks over the rows with both values, counted one by one."""
    both = [(x, y) for x, y in zip(a, b, strict=True) if not (math.isnan(x) or math.isnan(y))]

    def ranks(values):
        return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]

    first, second = ranks([x for x, _ in both]), ranks([y for _, y in both])
    return np.corrcoef(first, second)[0, 1]


def test_ranks_are_taken_over_the_rows_that_have_both_values(columns):
    found = rank_correlation(columns)
    for i in range(4):
        for j in range(i):
            assert spearman(columns[:, i], columns[:, j]) == pytest.approx(found[i, j])
            assert found[i, j] == found[j, i]


def test_a_constant_and_too_few_common_rows_say_nothing(columns):
    assert np.isnan(rank_correlation(columns)[4, :4]).all()
    few = np.full((100, 2), np.nan)
    few[:29] = few[50:79] = np.column_stack([np.arange(29.0), np.arange(29.0)])
    few[50:79, 0] = np.nan
    assert np.isnan(rank_correlation(few)[0, 1])
    few[50, 0] = 50.0
    assert 1.0 == pytest.approx(rank_correlation(few)[0, 1], abs=0.2)


def test_columns_that_rise_or_fall_together_are_one_cluster(columns):
    """The first three tell one number, one of them upside down; the other and the constant stand alone."""
    [found] = clusters(["a", "b", "c", "d", "e"], columns)
    assert ("a", "b", "c") == found.columns
    sizes = np.abs(rank_correlation(columns)[:3, :3])
    assert sizes.min() == pytest.approx(found.least)
    assert 0.95 < found.least < 1.0


def test_the_mean_decides_not_the_closest_pair():
    """Of a chain, a with b 0.9, b with c 0.9, a with c 0.62: joining c would be at (0.9 + 0.62) / 2 = 0.76."""
    rng = np.random.default_rng(5)
    root = np.linalg.cholesky(np.array([[1, 0.91, 0.64], [0.91, 1, 0.9], [0.64, 0.9, 1]]))
    X = rng.normal(size=(5_000, 3)) @ root.T
    assert [("a", "b")] == [one.columns for one in clusters(["a", "b", "c"], X)]
    assert [("a", "b", "c")] == [one.columns for one in clusters(["a", "b", "c"], X, alike=0.7)]


def test_one_column_is_like_no_other():
    assert () == clusters(["a"], np.ones((50, 1)))
    assert () == clusters([], np.empty((50, 0)))
