"""Figures against brute force: pair counting, and averages over every order of the tied rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.errors import DataRefused
from churnwatch.evaluation.figures import (
    at_capacity,
    auc,
    average_precision,
    base_rate_shift,
    brier,
    calibration_error,
    calibration_error_after_shift,
    lift_at,
    listed_at_capacity,
    log_loss,
    precision_at_capacity,
    shifted_to,
)
from churnwatch.evaluation.slices import ranking_figures, slice_figures

Slice = tuple[list[int], list[float]]


@st.composite
def slices(draw: st.DrawFn, largest: int = 7) -> Slice:
    """A few outcomes of both kinds, and scores from few levels, so that ties are the rule."""
    rest = draw(st.lists(st.sampled_from([0, 1]), max_size=largest - 2))
    y = draw(st.permutations([0, 1, *rest]))
    s = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=len(y), max_size=len(y)))
    return y, s


def over_all_orders(y: list[int], s: list[float], figure: Callable[[list[int]], float]) -> float:
    """The mean of a figure of the ranked outcomes over every order the scores allow."""
    total = 0.0
    for order in permutations(range(len(y))):
        if all(s[order[i]] >= s[order[i + 1]] for i in range(len(y) - 1)):
            total += figure([y[i] for i in order])
    levels = [s.count(level) for level in set(s)]
    return total / np.prod([factorial(size) for size in levels])


def pairs_right(y: list[int], s: list[float]) -> float:
    """AUC by looking at every pair."""
    pairs = [(a, b) for a, bad in zip(s, y, strict=True) for b, other in zip(s, y, strict=True) if bad > other]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def precision_by_rank(ranked: list[int]) -> float:
    """Average precision of one order without ties, from its definition."""
    return sum(sum(ranked[: i + 1]) / (i + 1) for i, bad in enumerate(ranked) if bad) / sum(ranked)


@given(slices(largest=12))
def test_auc_is_the_share_of_pairs_ranked_right(case: Slice) -> None:
    """The fast AUC equals counting every pair, ties counting half."""
    y, s = case
    assert pairs_right(y, s) == pytest.approx(auc(y, s), abs=1e-12)


@given(slices(largest=6))
@settings(deadline=None)
def test_average_precision_is_the_mean_over_all_orders_of_ties(case: Slice) -> None:
    """The closed form for tied groups equals averaging over every order they allow."""
    y, s = case
    assert over_all_orders(y, s, precision_by_rank) == pytest.approx(average_precision(y, s), abs=1e-12)


@given(slices(largest=6), st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]))
@settings(deadline=None)
def test_lift_is_the_mean_over_all_orders_of_ties(case: Slice, share: float) -> None:
    """Lift in the top share equals averaging over every order the ties allow."""
    y, s = case
    k = max(1, int(share * len(y) + 0.5))
    expected = over_all_orders(y, s, lambda ranked: sum(ranked[:k]) / k) / (sum(y) / len(y))
    assert expected == pytest.approx(lift_at(y, s, share), abs=1e-12)


@given(slices(largest=6), st.data())
@settings(deadline=None)
def test_precision_at_capacity_is_the_mean_over_all_orders_within_each_owner(case: Slice, data: st.DataObject) -> None:
    """Per owner the hits are averaged over every order of that owner's ties; then hits over listed rows."""
    y, s = case
    owners = data.draw(st.lists(st.sampled_from(["ani", "budi"]), min_size=len(y), max_size=len(y)))
    capacity = {"ani": data.draw(st.integers(0, 3)), "budi": data.draw(st.integers(1, 3))}
    hits, rows = 0.0, 0
    for owner, k in capacity.items():
        mine = [i for i, name in enumerate(owners) if name == owner]
        listed = min(k, len(mine))
        hits += over_all_orders([y[i] for i in mine], [s[i] for i in mine], lambda ranked, k=k: sum(ranked[:k]))
        rows += listed
    if rows == 0:
        with pytest.raises(DataRefused):
            precision_at_capacity(y, s, owners=owners, capacity=capacity)
        return
    caught = at_capacity(y, s, owners=owners, capacity=capacity)
    assert rows == caught.rows
    assert hits / rows == pytest.approx(caught.precision, abs=1e-12)
    assert hits / sum(y) == pytest.approx(caught.recall, abs=1e-12)
    assert hits / rows / (sum(y) / len(y)) == pytest.approx(caught.lift, abs=1e-12)
    listed = listed_at_capacity(s, owners=owners, capacity=capacity)
    assert (rows, hits) == pytest.approx((listed.sum(), listed @ np.array(y)), abs=1e-12)


@given(slices(largest=30), st.randoms(use_true_random=False))
def test_no_figure_depends_on_the_order_of_the_rows(case: Slice, random: object) -> None:
    """Shuffling the rows changes nothing, however many ties there are."""
    y, s = case
    owners = ["ani" if i % 3 else "budi" for i in range(len(y))]
    order = list(range(len(y)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = [[column[i] for i in order] for column in (y, s, owners)]
    risks, shuffled_risks = ([(v + 1) / 4 for v in column] for column in (s, shuffled[1]))
    capacity = {"ani": 2, "budi": 1}
    assert ranking_figures(y, s, owners=owners, capacity=capacity) == pytest.approx(
        ranking_figures(shuffled[0], shuffled[1], owners=shuffled[2], capacity=capacity), abs=1e-12
    )
    for figure in (brier, calibration_error, base_rate_shift, calibration_error_after_shift):
        assert figure(y, risks) == pytest.approx(figure(shuffled[0], shuffled_risks), abs=1e-12)


def test_a_slice_worked_out_by_hand() -> None:
    """Five customers, two gone, no ties: each figure computed on paper."""
    y, s = [1, 0, 1, 0, 0], [5.0, 4.0, 3.0, 2.0, 1.0]
    assert 5 / 6 == pytest.approx(auc(y, s))  # of 2 x 3 pairs only (third, second) is the wrong way round
    assert (1 / 1 + 2 / 3) / 2 == pytest.approx(average_precision(y, s))
    assert (1 / 2) / (2 / 5) == pytest.approx(lift_at(y, s, 0.4))
    caught = at_capacity(y, s, owners=["a", "a", "a", "b", "b"], capacity={"a": 2, "b": 1})
    assert (3, 1.0, 1 / 3, 1 / 2) == (caught.rows, caught.hits, caught.precision, caught.recall)
    assert (1 / 3) / (2 / 5) == pytest.approx(caught.lift)


def test_ties_at_the_end_of_the_list_share_the_last_place() -> None:
    """Two rows of three tied for one place, one of them gone: a third of a hit each."""
    caught = at_capacity([0, 0, 1, 0], [9.0, 1.0, 1.0, 1.0], owners=["a"] * 4, capacity={"a": 2})
    assert 1 / 3 == pytest.approx(caught.hits)
    assert 2 == caught.rows


def test_average_precision_agrees_with_scikit_learn_where_nothing_ties() -> None:
    """Without ties the figure is the one everybody knows."""
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(3)
    y, s = (rng.random(500) < 0.2).astype(int), rng.normal(size=500)
    assert average_precision_score(y, s) == pytest.approx(average_precision(y, s), abs=1e-12)


def test_labels_that_mean_nothing_have_an_auc_of_a_half() -> None:
    """Permuted labels stay within three standard errors of 0.5 (Hanley & McNeil under no difference)."""
    rng = np.random.default_rng(11)
    y = rng.permutation(np.repeat([1, 0], [400, 3_600]))
    s = rng.normal(size=4_000)
    error = np.sqrt((400 + 3_600 + 1) / (12 * 400 * 3_600))
    assert abs(auc(y, s) - 0.5) < 3 * error


def test_an_owner_with_few_customers_lists_them_all() -> None:
    """A capacity of ten over two customers is two rows."""
    caught = at_capacity([1, 0, 0], [1.0, 2.0, 3.0], owners=["a", "a", "b"], capacity={"a": 10, "b": 0})
    assert (2, 1.0) == (caught.rows, caught.hits)


def test_a_customer_without_an_owner_is_on_nobodys_list() -> None:
    """A missing owner, however it is spelt, competes for no place."""
    caught = at_capacity([1, 1, 0], [9.0, 8.0, 1.0], owners=[None, float("nan"), "a"], capacity={"a": 2})
    assert (1, 0.0) == (caught.rows, caught.hits)


def test_an_owner_without_a_capacity_is_refused_by_name() -> None:
    """A forgotten agent does not silently list nobody."""
    with pytest.raises(DataRefused, match="the owner budi has no capacity"):
        precision_at_capacity([1, 0], [1.0, 2.0], owners=["ani", "budi"], capacity={"ani": 1})


def test_without_owners_a_share_of_the_observed_is_listed() -> None:
    """Five per cent of 40 customers are two rows."""
    y = [1, 0, *[0] * 37, 1]
    s = [float(i) for i in range(40)]
    assert at_capacity(y, s, capacity_total=0.05) == at_capacity(y, s)
    assert (2, 1.0) == (at_capacity(y, s).rows, at_capacity(y, s).hits)


@pytest.mark.parametrize(("y", "counts"), [([0, 0, 0], "0 of 3"), ([1, 1], "2 of 2"), ([], "0 of 0")])
def test_one_class_is_refused_with_the_counts(y: list[int], counts: str) -> None:
    """A slice in which everybody or nobody left cannot be ranked, and the message says how many it had."""
    with pytest.raises(DataRefused, match=counts) as refused:
        slice_figures(y, [0.5] * len(y), as_of=date(2026, 3, 1), risks=[0.5] * len(y), baselines={})
    assert 4 == refused.value.exit_code
    assert "as-of 2026-03-01" == refused.value.where


@pytest.mark.parametrize(
    ("y", "s", "message"),
    [
        ([0, 1], [1.0], "one number per row"),
        ([0, 2], [1.0, 2.0], "neither 0 nor 1"),
        ([0, 1], [1.0, float("nan")], "NaN"),
    ],
)
def test_what_cannot_be_ranked_is_an_error_and_no_number(y: list[int], s: list[float], message: str) -> None:
    """Wrong shapes, other outcomes than 0 and 1, and missing scores are bugs of the caller."""
    with pytest.raises(ValueError, match=message):
        auc(y, s)


def test_risks_that_are_the_rates_have_no_calibration_error() -> None:
    """Twenty customers at 0.1 with two gone and ten at 0.5 with five gone: foretold exactly."""
    risks = [0.1] * 20 + [0.5] * 10
    y = [1, 1, *[0] * 18, *[1] * 5, *[0] * 5]
    assert 0.0 == pytest.approx(calibration_error(y, risks), abs=1e-12)
    assert 0.0 == pytest.approx(base_rate_shift(y, risks), abs=1e-12)


def test_calibration_error_worked_out_by_hand() -> None:
    """Ten bins of two rows: nine foretold at 0.2 without outcomes, one at 0.6 with both gone."""
    risks = [0.2 + i * 1e-6 for i in range(18)] + [0.6, 0.6]
    y = [0] * 18 + [1, 1]
    expected = (18 * 0.2 + sum(i * 1e-6 for i in range(18)) + 2 * 0.4) / 20
    assert expected == pytest.approx(calibration_error(y, risks), abs=1e-12)
    assert 2 / 20 - (sum(risks) / 20) == pytest.approx(base_rate_shift(y, risks), abs=1e-12)


def test_brier_worked_out_by_hand() -> None:
    """Squares of 0.1, 0.4 and 0.5, averaged."""
    assert (0.01 + 0.16 + 0.25) / 3 == pytest.approx(brier([0, 1, 1], [0.1, 0.6, 0.5]))


def test_log_loss_worked_out_by_hand() -> None:
    """What came had been given 0.9, 0.6 and 0.5; certainty that fails is punished, not infinite."""
    assert -np.log(0.9 * 0.6 * 0.5) / 3 == pytest.approx(log_loss([0, 1, 1], [0.1, 0.6, 0.5]))
    assert -np.log(1e-9) / 2 == pytest.approx(log_loss([0, 1], [1.0, 1.0]), abs=1e-6)


def test_the_shift_is_taken_out_on_the_log_odds_scale() -> None:
    """Risks moved by 0.7 in log-odds come back to their calibrated values when moved to the observed rate."""
    right = np.repeat([0.05, 0.2, 0.6], [400, 200, 100])
    y = np.concatenate([np.repeat([1, 0], [k, m]) for k, m in ((20, 380), (40, 160), (60, 40))])
    moved = 1 / (1 + np.exp(-(np.log(right / (1 - right)) + 0.7)))
    assert calibration_error(y, moved) > 0.05
    assert 0.0 == pytest.approx(calibration_error_after_shift(y, moved), abs=1e-9)
    np.testing.assert_allclose(right, shifted_to(moved, float(y.mean())), atol=1e-12)


def test_risks_of_nothing_and_of_certainty_can_be_shifted() -> None:
    """Isotonic steps reach 0 and 1 exactly; the shift stays finite and meets the rate."""
    moved = shifted_to(np.array([0.0, 0.0, 1.0, 0.3]), 0.4)
    assert np.isfinite(moved).all()
    assert 0.4 == pytest.approx(moved.mean(), abs=1e-12)
