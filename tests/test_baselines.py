"""Baselines: chance repeats, one column points the right way, the regression learns from training alone."""

from __future__ import annotations

import numpy as np
import pytest

from churnwatch.evaluation.baselines import column_scores, logistic_scores, random_scores
from churnwatch.evaluation.figures import auc

NAN = float("nan")


def test_chance_depends_on_customer_and_seed_only() -> None:
    """The same customers in another order keep their numbers; another seed gives others."""
    names = [f"C{i:04d}" for i in range(2_000)]
    scores = random_scores(names, seed=7)
    np.testing.assert_array_equal(scores[::-1], random_scores(names[::-1], seed=7))
    assert not np.array_equal(scores, random_scores(names, seed=8))
    assert len(names) == len(set(scores.tolist()))


def test_chance_is_spread_evenly() -> None:
    """Ten bins of 20,000 customers hold 2,000 each, within five standard errors."""
    scores = random_scores((str(i) for i in range(20_000)), seed=1)
    counts, _ = np.histogram(scores, bins=10, range=(0, 1))
    assert 20_000 == counts.sum()
    assert np.abs(counts - 2_000).max() < 5 * np.sqrt(20_000 * 0.1 * 0.9)


def test_a_column_points_towards_the_bad_outcome() -> None:
    """Up ranks as it is, down is negated, and a missing value takes the median of the others."""
    X = np.array([[1.0, 5.0], [3.0, NAN], [8.0, 9.0], [NAN, 6.0]])
    columns = ("days_quiet", "tenure")
    assert [1.0, 3.0, 8.0, 3.0] == column_scores(X, columns, name="days_quiet", direction="up").tolist()
    assert [-5.0, -6.0, -9.0, -6.0] == column_scores(X, columns, name="tenure", direction="down").tolist()
    assert np.isnan(X[3, 0])  # the matrix itself stays as it was


@pytest.mark.parametrize("name", [None, "last_nps", "empty"])
def test_what_a_deployment_does_not_have_ranks_nobody(name: str | None) -> None:
    """No such signal, or one missing for everybody: constant scores, AUC one half."""
    X = np.array([[1.0, NAN], [2.0, NAN], [3.0, NAN]])
    scores = column_scores(X, ("recency", "empty"), name=name)
    assert 0.5 == auc([0, 1, 0], scores)


def linear(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A matrix with a useful, a gappy, a constant and an empty column, and outcomes from the first."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=n), rng.exponential(size=n), np.full(n, 4.0), np.full(n, NAN)])
    X[rng.random(n) < 0.3, 1] = NAN
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(int)
    return X, y


def test_the_logistic_regression_finds_a_linear_signal() -> None:
    """Its AUC on fresh rows is within 0.01 of ranking by the truth itself."""
    X, y = linear(4_000, 1)
    X_test, y_test = linear(4_000, 2)
    assert auc(y_test, X_test[:, 0]) - 0.01 < auc(y_test, logistic_scores(X, y, X_test))


def test_the_logistic_regression_learns_from_training_alone() -> None:
    """A row's score is the same whoever else is scored beside it."""
    X, y = linear(500, 3)
    X_test, _ = linear(50, 4)
    alone = np.concatenate([logistic_scores(X, y, X_test[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(alone, logistic_scores(X, y, X_test)[:3], rtol=1e-12)


def test_a_freak_value_is_clipped() -> None:
    """A value a million times the usual scores like one five standard deviations out."""
    X, y = linear(500, 5)
    usual, freak = np.zeros((1, 4)), np.zeros((1, 4))
    freak[0, 0], usual[0, 0] = 1e300, 1e9
    np.testing.assert_array_equal(logistic_scores(X, y, usual), logistic_scores(X, y, freak))


def test_a_missing_value_counts_as_the_training_median() -> None:
    """Missing and the median of training give one score, also where the rows scored have another median."""
    X, y = linear(501, 6)
    median = float(np.nanmedian(X[:, 1]))
    present = ~np.isnan(X[:, 1])
    if present.sum() % 2 == 0:  # an even count's median lies between two rows, and between differs after the logarithm
        drop = np.flatnonzero(present)[0]
        X, y = np.delete(X, drop, axis=0), np.delete(y, drop)
        median = float(np.nanmedian(X[:, 1]))
    missing, at_median = np.array([[0.5, NAN, 4.0, NAN]]), np.array([[0.5, median, 4.0, NAN]])
    np.testing.assert_allclose(logistic_scores(X, y, at_median), logistic_scores(X, y, missing), rtol=1e-12)


def test_a_matrix_that_says_nothing_ranks_nobody() -> None:
    """Only constant and empty columns: all scores alike."""
    X = np.array([[1.0, NAN]] * 10)
    assert [0.0] * 10 == logistic_scores(X, np.array([0, 1] * 5), X).tolist()


def test_the_logistic_regression_is_repeatable() -> None:
    """Fitting twice gives the same bits."""
    X, y = linear(1_000, 8)
    np.testing.assert_array_equal(logistic_scores(X, y, X), logistic_scores(X, y, X))
