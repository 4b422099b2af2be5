"""What `daily` pays to explain its list: contributions for the listed rows only, not for everybody scored."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from churnwatch.learner import Calibration, Chosen, Rows, contributions, margins, refit
from churnwatch.project import load_project
from churnwatch.reasons import reasons
from churnwatch.spec import LearnerSettings
from tests.benchmarks.run import Figure

CUSTOMERS, SHARE, ROUNDS, RUNS = 10_000, 0.05, 300, 3
LIMIT = 7.5
"""Percent of the cost of explaining everybody: one and a half times the listed share."""


def measure() -> list[Figure]:
    """The least of three alternating runs; 300 trees of 15 leaves on the demo's catalogue, 5 % of 10,000 listed."""
    columns = load_project(Path(__file__).resolve().parents[2], "demo").columns
    random = np.random.default_rng(1)
    X = random.exponential(size=(CUSTOMERS, len(columns)))
    margin = X[:, :8] @ np.array([0.6, -0.5, 0.5, 0.4, -0.4, 0.3, 0.3, 0.2]) - 2.5
    y = (random.random(CUSTOMERS) < 1 / (1 + np.exp(-margin))).astype(float)
    X[random.random(X.shape) < 0.1] = np.nan
    day = np.full(CUSTOMERS, np.datetime64("2026-01-01", "us"))
    fitted = refit(
        Rows(X, y, day, day),
        columns=[column.name for column in columns],
        directions=["any"] * len(columns),
        settings=LearnerSettings(parameters={"learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 50}),
        chosen=Chosen(ROUNDS, Calibration("none", (), ()), 0, ""),
    )
    listed = X[np.argsort(-margins(fitted, X), kind="stable")[: round(SHARE * CUSTOMERS)]]
    shares = contributions(fitted, listed)  # also wakes threads and caches

    def words() -> None:
        for values, pushes in zip(listed, shares, strict=True):
            reasons(columns, values, pushes, usual=fitted.usual, language="id", currency="IDR")

    steps: dict[str, Callable[[], object]] = {
        "score": lambda: margins(fitted, X),
        "listed": lambda: contributions(fitted, listed),
        "everybody": lambda: contributions(fitted, X),
        "words": words,
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(RUNS):
        for name, step in steps.items():
            seconds[name].append(timed(step))
    least = {name: min(taken) for name, taken in seconds.items()}
    return [
        Figure(f"scores of {CUSTOMERS:,} customers, {ROUNDS} trees x {len(columns)} signals", least["score"], "s"),
        Figure(f"contributions of the {len(listed)} listed", least["listed"], "s"),
        Figure("contributions of everybody", least["everybody"], "s"),
        Figure("contributions, listed / everybody", 100 * least["listed"] / least["everybody"], "%", LIMIT),
        Figure("contributions, a listed row", 1_000 * least["listed"] / len(listed), "ms"),
        Figure("wording the reasons, a listed row", 1_000 * least["words"] / len(listed), "ms"),
    ]


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
