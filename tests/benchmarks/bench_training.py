"""What our training costs over a bare `lightgbm.train` on the same matrix, parameters and rounds."""

from __future__ import annotations

import time
from collections.abc import Callable

import lightgbm as lgb
import numpy as np

from churnwatch.learner import Calibration, Chosen, fit, parameters, refit
from churnwatch.spec import LearnerSettings
from tests.benchmarks.run import Figure

LIMIT = 10.0
ROWS, COLUMNS, ROUNDS, RUNS = 60_000, 80, 200, 5
DAY = 86_400


def measure() -> list[Figure]:
    """The least of five alternating runs; 60,000 observations of 12 as-ofs by 80 signals, 200 rounds."""
    X, y, as_of = matrix()
    names = [f"signal_{i}" for i in range(COLUMNS)]
    directions = [("up", "down", "any")[i % 3] for i in range(COLUMNS)]
    settings = LearnerSettings(
        parameters={"learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 100}, rounds=ROUNDS
    )
    chosen = Chosen(ROUNDS, Calibration("none", (), ()), 0, "")

    def raw() -> None:
        lgb.train(
            parameters(settings, directions),
            lgb.Dataset(X, y, feature_name=names, params={"verbosity": -1}),
            num_boost_round=ROUNDS,
        )

    def ours() -> None:
        refit(X, y, columns=names, directions=directions, settings=settings, chosen=chosen)

    def everything() -> None:
        fit(X, y, as_of, columns=names, directions=directions, settings=settings, reach=67 * DAY)

    raw()  # wakes threads and caches
    seconds: dict[str, list[float]] = {"raw": [], "ours": []}
    for _ in range(RUNS):
        seconds["raw"].append(timed(raw))
        seconds["ours"].append(timed(ours))
    bare, own = min(seconds["raw"]), min(seconds["ours"])
    return [
        Figure("lightgbm.train, 60,000 x 80, 200 rounds", bare, "s"),
        Figure("learner.refit, the same", own, "s"),
        Figure("training overhead", 100 * (own / bare - 1), "%", LIMIT),
        Figure("learner.fit, rounds and calibration chosen on 3 dates", timed(everything), "s"),
    ]


def matrix() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X (n_rows, n_columns) with every tenth value missing, y of about one in ten, as_of of 12 months."""
    random = np.random.default_rng(1)
    X = random.normal(size=(ROWS, COLUMNS))
    margin = X[:, :6] @ np.array([0.8, -0.6, 0.4, 0.4, -0.3, 0.2]) - 2.6
    y = (random.random(ROWS) < 1 / (1 + np.exp(-margin))).astype(float)
    X[random.random(X.shape) < 0.1] = np.nan
    first = np.datetime64("2025-01-01", "us")
    as_of = first + np.sort(random.integers(0, 12, ROWS)) * np.timedelta64(30 * DAY, "s")
    return X, y, as_of


def timed(work: Callable[[], None]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
