"""Intervals of figures: against replicates built row by row, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from churnwatch.evaluation import bootstrap
from churnwatch.evaluation.bootstrap import draws, error_by_chance, figure_intervals
from churnwatch.evaluation.figures import at_capacity, auc, average_precision, brier, calibration_error, log_loss


def sample(n: int, seed: int, *, ties: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes that come by their risks, margins with ties where wanted, risks."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(-1, 1, n)
    margins = margins.round(1) if ties else margins
    risks = 1 / (1 + np.exp(-margins))
    return (rng.random(n) < risks).astype(int), margins, risks


@pytest.mark.parametrize("n", [37, 80])
@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("at_once", [100_000, 200])
@pytest.mark.parametrize("customers", [None, 0.7, 0.2])
def test_intervals_equal_figures_of_rows_drawn_again(
    n: int, ties: bool, at_once: int, customers: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every figure of every replicate is what the plain figure says of the drawn rows, in portions or at once; where
    some customers have several rows, of all rows of the customers drawn.
    """
    monkeypatch.setattr(bootstrap, "AT_ONCE", at_once)
    y, s, risks = sample(n, 5, ties=ties)
    owners = np.array([f"agent {i % 3}" for i in range(n)], dtype=object)
    room = {"agent 0": 2, "agent 1": 0, "agent 2": 50}
    plain: dict[str, list[float]] = {}
    whose = np.arange(n) if customers is None else np.random.default_rng(2).integers(0, int(customers * n), n)
    # Customers are drawn in the order in which their first rows stand.
    names = list(dict.fromkeys(whose.tolist()))
    codes = np.array([names.index(one) for one in whose])
    for drawn in np.concatenate(list(draws(len(names), replicates=60, seed=3))):
        weights = drawn[codes]
        rows = np.repeat(np.arange(n), weights.astype(int))
        caught = at_capacity(y[rows], s[rows], owners=owners[rows], capacity=room)
        figures = {
            "auc": auc(y[rows], s[rows]),
            "average_precision": average_precision(y[rows], s[rows]),
            "precision_at_capacity": caught.precision,
            "recall_at_capacity": caught.recall,
            "lift_at_capacity": caught.lift,
            "brier": brier(y[rows], risks[rows]),
            "log_loss": log_loss(y[rows], risks[rows]),
            "ece": calibration_error(y[rows], risks[rows]),
        }
        for name, value in figures.items():
            plain.setdefault(name, []).append(value)
    expected = {name: tuple(np.percentile(values, [2.5, 97.5])) for name, values in plain.items()}
    low, _ = expected["ece"]
    error = calibration_error(y, risks)
    assert error <= error_by_chance(risks, seed=3, replicates=60)
    expected["ece"] = (0.0, max(0.0, 2 * error - low))
    told = None if customers is None else [f"c{one}" for one in whose]
    found = figure_intervals(y, s, risks, owners=owners, capacity=room, customers=told, seed=3, replicates=60)
    assert set(expected) == set(found)
    for name, ends in expected.items():
        assert ends == pytest.approx(found[name], abs=1e-10), name


def test_the_error_by_chance_is_that_of_outcomes_drawn_by_the_risks() -> None:
    """About one slice in 40 shows more; by hand for one risk: 400 customers of 0.5 are one rate, 0.025 its error."""
    assert 2.24 * 0.025 == pytest.approx(error_by_chance([0.5] * 400, replicates=4_000), abs=0.004)
    beyond = 0
    for seed in range(200):
        y, _, risks = sample(500, seed)
        beyond += calibration_error(y, risks) > error_by_chance(risks, replicates=200)
    assert 0 <= beyond <= 13


def test_many_customers_are_drawn_less_often() -> None:
    assert [300, 300, 200, 100, 100] == [bootstrap.replicates_of(n) for n in (2, 33_000, 50_000, 100_000, 2_000_000)]


def test_every_draw_is_of_as_many_customers_as_there_are() -> None:
    drawn = np.concatenate(list(draws(30, replicates=7, seed=1)))
    assert (7, 30) == drawn.shape
    assert {30.0} == set(drawn.sum(axis=1))
    assert np.array_equal(drawn, np.concatenate(list(draws(30, replicates=7, seed=1))))
    assert not np.array_equal(drawn, np.concatenate(list(draws(30, replicates=7, seed=2))))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """60 slices of risks that are right: truth by a slice of a million; a 95 % interval misses in about three.

    Right risks have no calibration error, so its interval has to begin at 0.
    """
    y, s, risks = sample(1_000_000, 99)
    truth = {
        "auc": auc(y, s),
        "average_precision": average_precision(y, s),
        "precision_at_capacity": at_capacity(y, s).precision,
        "recall_at_capacity": at_capacity(y, s).recall,
        "brier": brier(y, risks),
        "log_loss": log_loss(y, risks),
        "ece": 0.0,
    }
    missed = dict.fromkeys(truth, 0)
    for seed in range(60):
        found = figure_intervals(*sample(1_500, seed), seed=seed, replicates=150)
        for name, value in truth.items():
            low, high = found[name]
            # A slice is finite: its perfect risks show an error, though the intervals begin at or near 0.
            missed[name] += not low <= value + (0.004 if name == "ece" else 0) or not value <= high
    assert max(missed.values()) <= 9, missed


def test_the_interval_of_a_real_calibration_error_is_about_it() -> None:
    """Risks 10 points too high on 3,000 customers: a figure near 0.1, between the ends, neither of them far."""
    y, s, risks = sample(3_000, 7, ties=False)
    wrong = np.clip(risks + 0.1, 0, 1)
    low, high = figure_intervals(y, s, wrong)["ece"]
    assert low < calibration_error(y, wrong) < high
    assert 0.07 < low < 0.1 < high < 0.13


def test_one_leaver_gives_intervals_without_a_number_that_is_none() -> None:
    """A third of the draws lack the only leaver: they are left out."""
    y, s, risks = [1, 0, 0, 0], [3.0, 2.0, 1.0, 0.0], [0.4, 0.3, 0.2, 0.1]
    found = figure_intervals(y, s, risks)
    assert (1.0, 1.0) == found["auc"]
    assert all(np.isfinite(ends).all() for ends in found.values())
