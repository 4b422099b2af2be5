"""Scoring: margins, risks and contributions of a fitted model, the contributions against Shapley's own formula."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from learned_rows import rows_of

from churnwatch.errors import NoUsableModel
from churnwatch.learner import Calibration, Chosen, Fitted, contributions, margins, refit, risks
from churnwatch.spec import LearnerSettings

COLUMNS = ("a", "b", "c", "d")


def tiny(*, rounds: int = 3, calibration: Calibration | None = None) -> tuple[Fitted, np.ndarray]:
    """A model of a few small trees on four columns with missing values, and the matrix it was fitted on."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 4)).round(2)
    X[rng.random(X.shape) < 0.15] = np.nan
    score = 2 * np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1], nan=1.0) + np.nan_to_num(X[:, 2], nan=-1.0)
    y = (rng.random(400) < 1 / (1 + np.exp(-score))).astype(float)
    own = LearnerSettings(parameters={"num_leaves": 6, "min_data_in_leaf": 10, "learning_rate": 0.5, "num_threads": 1})
    chosen = Chosen(rounds, calibration or Calibration("none", (), ()), 0, "")
    return refit(rows_of(X, y), columns=COLUMNS, directions=["any"] * 4, settings=own, chosen=chosen), X


def goes_left(node: dict[str, Any], value: float) -> bool:
    """LightGBM's numerical decision; missing values go where the node says."""
    assert "<=" == node["decision_type"]
    if np.isnan(value) and node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool(np.nan_to_num(value) <= node["threshold"])


def expectation(node: dict[str, Any], row: np.ndarray, known: frozenset[int]) -> float:
    """The tree's mean where only ``known`` columns are known: other splits by how training rows took them."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return expectation(left if goes_left(node, row[node["split_feature"]]) else right, row, known)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    weights = np.array(counts) / sum(counts)
    return float(weights @ [expectation(left, row, known), expectation(right, row, known)])


def shapley(trees: list[dict[str, Any]], row: np.ndarray) -> list[float]:
    """Shapley's formula over all subsets of the four columns (Lundberg & Lee 2017, path-dependent expectations)."""
    value = {
        frozenset(known): sum(expectation(tree, row, frozenset(known)) for tree in trees)
        for size in range(5)
        for known in combinations(range(4), size)
    }
    return [
        sum(
            factorial(len(known)) * factorial(3 - len(known)) / factorial(4) * (value[known | {i}] - value[known])
            for known in value
            if i not in known
        )
        for i in range(4)
    ]


def test_contributions_are_shapley_values_spelt_out() -> None:
    """Sixteen subsets per row, trees walked by hand, rows with and without missing numbers."""
    model, X = tiny()
    trees = [one["tree_structure"] for one in lgb.Booster(model_str=model.booster_text).dump_model()["tree_info"]]
    assert 3 == len(trees)
    rows = X[:40]
    assert np.isnan(rows).any()
    told = contributions(model, rows)
    assert np.array([shapley(trees, row) for row in rows]) == pytest.approx(told, abs=1e-9)
    assert np.abs(told).max() > 0.3


def test_contributions_add_up_to_the_margin() -> None:
    """Together with one number that is the same for every row, the model's mean over training."""
    model, X = tiny(rounds=20)
    rest = margins(model, X) - contributions(model, X).sum(axis=1)
    assert rest[0] == pytest.approx(rest, abs=1e-9)
    assert margins(model, X).mean() == pytest.approx(rest[0], abs=0.05)


def test_margins_are_those_of_the_text_model() -> None:
    """Raw scores, not probabilities."""
    model, X = tiny()
    bare = lgb.Booster(model_str=model.booster_text)
    assert bare.predict(X, raw_score=True).tolist() == margins(model, X).tolist()


def test_risks_go_through_the_calibration() -> None:
    """Platt with a = 2, b = -1 by hand; without one, LightGBM's own probability."""
    model, X = tiny(calibration=Calibration("platt", (2.0,), (-1.0,)))
    assert 1 / (1 + np.exp(-(2 * margins(model, X) - 1))) == pytest.approx(risks(model, X))
    plain, _ = tiny()
    assert lgb.Booster(model_str=plain.booster_text).predict(X) == pytest.approx(risks(plain, X))


def test_a_row_scores_the_same_alone_and_in_company() -> None:
    """Neither margins nor contributions depend on the other rows, nor on how the matrix lies in memory."""
    model, X = tiny()
    assert margins(model, X)[7] == margins(model, X[7:8])[0]
    assert contributions(model, X)[7].tolist() == contributions(model, X[7:8])[0].tolist()
    assert margins(model, X).tolist() == margins(model, np.asfortranarray(X)).tolist()


def test_no_rows_give_no_numbers() -> None:
    """An empty day is no error."""
    model, _ = tiny()
    empty = np.empty((0, 4))
    assert ((0,), (0,), (0, 4)) == (
        margins(model, empty).shape,
        risks(model, empty).shape,
        contributions(model, empty).shape,
    )


@pytest.mark.parametrize("ask", [margins, risks, contributions])
@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((5, 3), "the model wants 4 signals, the matrix has 3"),
        ((0, 5), "the model wants 4 signals, the matrix has 5"),
        ((4,), "the model wants a matrix of 4 signals, the array has shape (4,)"),
        ((2, 2, 4), "the model wants a matrix of 4 signals, the array has shape (2, 2, 4)"),
    ],
)
def test_a_matrix_of_another_shape_is_refused(ask: Any, shape: tuple[int, ...], told: str) -> None:
    """Exit code 6, and what to do; LightGBM would guess."""
    with pytest.raises(NoUsableModel) as refused:
        ask(tiny()[0], np.zeros(shape))
    assert (6, told) == (refused.value.exit_code, refused.value.found)
    assert "churnwatch train" in refused.value.hint
