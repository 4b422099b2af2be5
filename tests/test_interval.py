"""The paired bootstrap against replicates built row by row."""

from __future__ import annotations

import numpy as np
import pytest

from churnwatch.errors import DataRefused
from churnwatch.evaluation import interval
from churnwatch.evaluation.figures import auc, precision_at_capacity
from churnwatch.evaluation.interval import paired_interval


def sample(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes, a good and a poor score with ties."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(int)
    return y, (y + rng.normal(size=n)).round(1), (0.3 * y + rng.normal(size=n)).round(0)


def draws(n: int, seed: int, replicates: int) -> list[np.ndarray]:
    """The rows of each replicate, spelt out from the same draws as the fast code's."""
    rng = np.random.default_rng(seed)
    return [np.repeat(np.arange(n), rng.multinomial(n, np.full(n, 1 / n))) for _ in range(replicates)]


def test_auc_interval_equals_resampling_row_by_row() -> None:
    """Weighted figures over a fixed order give what repeating the drawn rows gives."""
    y, a, b = sample(80, 5)
    expected = [auc(y[rows], a[rows]) - auc(y[rows], b[rows]) for rows in draws(80, 3, 60)]
    difference, low, high = paired_interval(y, a, b, seed=3, replicates=60)
    assert auc(y, a) - auc(y, b) == pytest.approx(difference, abs=1e-12)
    assert tuple(np.percentile(expected, [2.5, 97.5])) == pytest.approx((low, high), abs=1e-12)


def test_precision_interval_equals_resampling_row_by_row() -> None:
    """The same for precision at capacity, with owners."""
    y, a, b = sample(60, 6)
    owners = np.array([f"owner{i % 4}" for i in range(60)], dtype=object)
    capacity = {"owner0": 2, "owner1": 0, "owner2": 5, "owner3": 30}
    expected = [
        precision_at_capacity(y[rows], a[rows], owners=owners[rows], capacity=capacity)
        - precision_at_capacity(y[rows], b[rows], owners=owners[rows], capacity=capacity)
        for rows in draws(60, 4, 60)
    ]
    found = paired_interval(
        y, a, b, figure="precision_at_capacity", owners=owners, capacity=capacity, seed=4, replicates=60
    )
    assert tuple(np.percentile(expected, [2.5, 97.5])) == pytest.approx((found.low, found.high), abs=1e-12)


def test_a_customer_is_drawn_with_all_its_rows() -> None:
    """Doubling every row under the same customers leaves the interval as it was; as strangers it would
    narrow.
    """
    y, a, b = sample(150, 7)
    twice = [np.tile(column, 2) for column in (y, a, b)]
    customers = [f"c{i}" for i in range(150)] * 2
    once = paired_interval(y, a, b, replicates=400)
    assert once == pytest.approx(paired_interval(*twice, clusters=customers, replicates=400), abs=1e-12)
    strangers = paired_interval(*twice, replicates=400)
    assert strangers.high - strangers.low < 0.85 * (once.high - once.low)


def test_pairs_are_counted_within_a_slice() -> None:
    """A score that only knows the season, not the customer, is worth 0.5 once slices are told apart."""
    y = np.array([1, 1, 1, 0] * 25 + [1, 0, 0, 0] * 25)
    season = np.repeat([1.0, 0.0], 100)
    nothing = np.zeros(200)
    pooled = paired_interval(y, season, nothing, replicates=20)
    apart = paired_interval(y, season, nothing, slices=season, replicates=20)
    assert 0.75 - 0.5 == pytest.approx(pooled.difference)
    assert (0.0, 0.0, 0.0) == pytest.approx(apart, abs=1e-12)


def test_every_slice_has_its_own_list() -> None:
    """Capacity one on two dates is two rows, one from each, though the first date's scores are all higher."""
    y = [1, 0, 0, 1]
    s = [9.0, 8.0, 1.0, 2.0]
    slices = ["2026-01-01", "2026-01-01", "2026-02-01", "2026-02-01"]
    found = paired_interval(
        y,
        s,
        [0.0] * 4,
        figure="precision_at_capacity",
        slices=slices,
        owners=["a"] * 4,
        capacity={"a": 1},
        replicates=50,
    )
    assert 1.0 - 0.5 == pytest.approx(found.difference)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Two equally good scores: of 60 intervals, a 95 % one misses 0 in about three, hardly in ten."""
    missed = 0
    for seed in range(60):
        rng = np.random.default_rng(1_000 + seed)
        y = (rng.random(250) < 0.3).astype(int)
        a, b = y + rng.normal(size=250), y + rng.normal(size=250)
        _, low, high = paired_interval(y, a, b, seed=seed, replicates=120)
        missed += not low <= 0 <= high
    assert missed <= 9


def test_same_seed_same_interval() -> None:
    """The interval is a function of its inputs and the seed."""
    y, a, b = sample(100, 8)
    assert paired_interval(y, a, b, seed=1, replicates=30) == paired_interval(y, a, b, seed=1, replicates=30)
    assert paired_interval(y, a, b, seed=1, replicates=30) != paired_interval(y, a, b, seed=2, replicates=30)


def test_slices_of_one_kind_each_leave_nothing_to_compare() -> None:
    """Outcomes on one date and none on the other: no pair within a slice, so it is refused."""
    with pytest.raises(DataRefused, match="no slice holds customers both with and without"):
        paired_interval([1, 1, 0, 0], [1.0, 2.0, 3.0, 4.0], [0.0] * 4, slices=["a", "a", "b", "b"])


@pytest.mark.parametrize(("n", "expected"), [(1_000, 400), (200_000, 200), (600_000, 100)])
def test_the_more_rows_the_fewer_replicates(n: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of 100,000 customers draws a dozen intervals: it must not take minutes."""
    drawn = []
    monkeypatch.setattr(interval, "_weighted_auc", lambda *_: lambda weights: drawn.append(len(weights)) or 0.5)
    y = np.arange(n) % 2
    paired_interval(y, np.zeros(n), np.zeros(n), clusters=np.arange(n) % 2)
    # Both figures of each replicate, and of the rows themselves.
    assert 2 * expected + 2 == len(drawn)
