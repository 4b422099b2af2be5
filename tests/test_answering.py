"""Small models of answering: nobody is told by a model that has seen them, and the weights are those of the books."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.evaluation import auc, calibration_error, log_loss
from churnwatch.learner import cross_fit, effective_size, fold_of, inverse_weights


def asked(n: int, seed: int, *, each: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X (n, 4) with gaps, the chance of an answer, whether one came, and the customer, who is asked ``each`` times."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    chance = 1 / (1 + np.exp(0.8 - 1.2 * X[:, 0] + 0.8 * X[:, 1]))
    answered = (rng.random(n) < chance).astype(float)
    X[rng.random(X.shape) < 0.05] = np.nan
    return X, chance, answered, np.array([f"c{row // each}" for row in range(n)])


def test_probabilities_of_unseen_customers_rank_and_are_calibrated() -> None:
    X, chance, answered, customers = asked(6_000, 1)
    found = cross_fit(X, answered, groups=customers, kind="binary")
    assert 10 < found.rounds < 200
    assert auc(answered, found.told) > auc(answered, chance) - 0.02
    assert 0.03 > calibration_error(answered, found.told)
    assert 0.02 > abs(found.told.mean() - answered.mean())
    # Other customers of the same company, seen by no fold.
    X, chance, answered, _ = asked(6_000, 2)
    told = found.predict(X)
    assert 0.03 > calibration_error(answered, told)
    assert log_loss(answered, told) < log_loss(answered, np.full(6_000, answered.mean())) - 0.05


def test_scores_come_close_and_stay_within_the_range_of_those_given() -> None:
    """A score of a signal and noise: the error is hardly more than the noise, 0.1, and the mean is right."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4_000, 3))
    truth = np.clip(0.5 + 0.2 * X[:, 0], 0, 1)
    y = np.clip(truth + rng.normal(0, 0.1, 4_000), 0, 1)
    found = cross_fit(X, y, groups=np.arange(4_000), kind="score")
    assert 0.11 > np.sqrt(np.mean((found.told - y) ** 2))
    assert y.mean() == pytest.approx(found.told.mean(), abs=0.005)
    told = found.predict(np.array([[9.0, 0, 0], [-9.0, 0, 0]]))
    assert ((told >= 0) & (told <= 1)).all()
    assert 0.7 < told[0] - told[1]


def test_noise_is_told_as_its_mean() -> None:
    """Where nothing is to be learned, no tree may pretend: the out-of-fold loss is not above that of the mean."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(2_000, 5)), (rng.random(2_000) < 0.3).astype(float)
    found = cross_fit(X, y, groups=np.arange(2_000), kind="binary")
    assert 0.04 > found.told.std()
    assert log_loss(y, np.full(2_000, y.mean())) + 0.001 > log_loss(y, found.told)


def test_the_same_rows_give_the_same_numbers_and_another_seed_other_folds() -> None:
    X, _, answered, customers = asked(1_000, 5)
    told = [cross_fit(X, answered, groups=customers, kind="binary", seed=seed).told for seed in (1, 1, 2)]
    assert np.array_equal(told[0], told[1])
    assert not np.array_equal(told[0], told[2])


def test_no_prediction_of_a_customer_knows_an_answer_of_theirs() -> None:
    """Turning every answer of one fold's customers round moves nothing told of them, but what is told of others.

    The number of rounds is that of all held-out rows together, so it is held fixed here.
    """
    X, _, answered, customers = asked(1_500, 6, each=5)
    before = cross_fit(X, answered, groups=customers, kind="binary")
    one = fold_of(customers, seed=1, folds=5) == 3
    after = cross_fit(X, np.where(one, 1 - answered, answered), groups=customers, kind="binary")
    rounds = min(before.rounds, after.rounds)
    assert rounds > 0
    for rows, same in ((one, True), (~one, False)):
        fold = [b.boosters[3] if same else b.boosters[0] for b in (before, after)]
        told = [booster.predict(X[rows], num_iteration=rounds) for booster in fold]
        assert same == np.array_equal(told[0], told[1])
    assert np.array_equal(before.told, before.predict(X, groups=customers))
    assert not np.array_equal(before.told, before.predict(X))


@settings(max_examples=100, deadline=None)
@given(names=st.lists(st.text(max_size=3), min_size=1, max_size=40), seed=st.integers(0, 9), folds=st.integers(2, 6))
def test_a_customer_is_in_one_fold_whoever_else_is_there(names: list[str], seed: int, folds: int) -> None:
    found = fold_of(names, seed=seed, folds=folds)
    assert set(range(folds)) >= set(found.tolist())
    for name, fold in zip(names, found, strict=True):
        assert [fold] == fold_of([name], seed=seed, folds=folds).tolist()


def test_folds_of_many_customers_are_about_equal() -> None:
    counts = np.bincount(fold_of([f"c{i}" for i in range(5_000)], seed=1, folds=5))
    assert 900 < counts.min() <= counts.max() < 1_100


def _constant(y: list[float], *, kind: str = "binary", columns: int = 2, groups: list[str] | None = None) -> Any:
    X = np.random.default_rng(1).normal(size=(len(y), columns))
    names = groups or [f"c{i}" for i in range(len(y))]
    return cross_fit(X, np.array(y), groups=names, kind=kind, weight=np.arange(1.0, len(y) + 1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (1.0, {"y": [1.0] * 200}),
        (0.0, {"y": [0.0] * 200}),
        (0.7, {"y": [0.7] * 200, "kind": "score"}),
        # One customer: nobody else to learn from. Weights 1, 2, 3: (2 + 3) / 6.
        (5 / 6, {"y": [0.0, 1.0, 1.0], "groups": ["c1"] * 3}),
        (5 / 6, {"y": [0.0, 1.0, 1.0], "columns": 0}),
    ],
)
def test_one_class_one_customer_or_no_column_is_told_as_the_weighted_mean(expected: float, given: Any) -> None:
    found = _constant(**given)
    assert 0 == found.rounds
    assert [expected] * len(given["y"]) == pytest.approx(found.told)
    assert [expected] * 2 == pytest.approx(found.predict(np.zeros((2, found.columns))))
    assert [expected] == pytest.approx(found.predict(np.zeros((1, found.columns)), groups=["new"]))


def test_weights_count_rows_as_often() -> None:
    """Nothing to learn but the level: 0s of weight 3 and 1s of weight 1 are a quarter."""
    y = np.tile([0.0, 1.0], 300)
    found = cross_fit(np.zeros((600, 1)), y, groups=np.arange(600), kind="binary", weight=np.tile([3.0, 1.0], 300))
    assert [0.25] * 600 == pytest.approx(found.told, abs=0.02)


def test_rows_of_another_shape_are_refused() -> None:
    found = _constant([0.0, 1.0])
    with pytest.raises(ValueError, match="2 columns are wanted"):
        found.predict(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="as many"):
        cross_fit(np.zeros((2, 1)), np.zeros(3), groups=["a", "b", "c"], kind="binary")
    assert 0 == len(found.predict(np.zeros((0, 2))))


def test_weights_are_one_over_the_chance_clipped_from_below() -> None:
    weights, clipped = inverse_weights(np.array([0.5, 0.25, 0.1, 0.04]), least=0.1)
    assert [2.0, 4.0, 10.0, 10.0] == pytest.approx(weights)
    assert 0.25 == clipped
    with pytest.raises(ValueError, match="no least probability"):
        inverse_weights(np.array([0.5]), least=0.0)


def test_the_effective_size_is_that_of_kish() -> None:
    """1, 1 and 2: 4^2 / 6."""
    assert 16 / 6 == pytest.approx(effective_size(np.array([1.0, 1.0, 2.0])))
    assert 3.0 == pytest.approx(effective_size(np.full(3, 7.0)))
    assert 0.0 == effective_size(np.empty(0))


@settings(max_examples=150, deadline=None)
@given(chances=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50), least=st.floats(0.01, 1.0))
def test_no_weight_is_beyond_its_limits_and_no_more_rows_count_than_there_are(
    chances: list[float], least: float
) -> None:
    weights, clipped = inverse_weights(np.array(chances), least=least)
    assert ((weights >= 1) & (weights <= 1 / least + 1e-9)).all()
    assert clipped == sum(chance < least for chance in chances) / len(chances)
    order = np.argsort(chances)
    assert (np.diff(weights[order]) <= 1e-12).all()
    assert 1 - 1e-9 <= effective_size(weights) <= len(chances) + 1e-9
