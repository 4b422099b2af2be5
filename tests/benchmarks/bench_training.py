"""What our training, scoring and logging cost over LightGBM's own on the same matrix, parameters and rounds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import lightgbm as lgb
import numpy as np

from churnwatch.learner import Calibration, Chosen, Rows, fit, margins, parameters, refit
from churnwatch.registry import Bundle, log_model, write_bundle
from churnwatch.spec import Family, LearnerSettings, Model
from tests.benchmarks.run import Figure

LIMIT = 1.05
"""Times the peer, of training and of scoring."""
LOGGING = 0.5
"""Seconds for a model after the first."""
ROWS, COLUMNS, ROUNDS, RUNS = 1_200_000, 100, 100, 2
SCORED = 200_000
DAY = 86_400


def measure() -> list[Figure]:
    """CPU seconds of 1.2 M observations by 100 signals, 100 rounds of 31 leaves, the least of two alternating runs."""
    X, y, as_of = matrix()
    names = [f"signal_{i}" for i in range(COLUMNS)]
    directions = [("up", "down", "any")[i % 3] for i in range(COLUMNS)]
    settings = LearnerSettings(
        parameters={"learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 100}, rounds=ROUNDS
    )
    chosen = Chosen(ROUNDS, Calibration("none", (), ()), 0, "")

    def raw() -> None:
        lgb.train(
            parameters(settings, directions),
            lgb.Dataset(X, y, feature_name=names, params={"verbosity": -1}),
            num_boost_round=ROUNDS,
        )

    def ours() -> None:
        refit(Rows(X, y, as_of, as_of), columns=names, directions=directions, settings=settings, chosen=chosen)

    bare, own = least({"raw": raw, "ours": ours}, RUNS)

    few = np.arange(0, ROWS, 20)
    known_at = as_of[few] + np.timedelta64(67 * DAY, "s")
    small = Rows(X[few], y[few], as_of[few], known_at)
    fitted, _ = fit(small, columns=names, directions=directions, settings=settings)
    booster = lgb.Booster(model_str=fitted.booster_text)
    rows = X[:SCORED]
    margins(fitted, rows)  # reads the text once, as a run does
    predicted, scored = least(
        {"predict": lambda: booster.predict(rows, raw_score=True), "margins": lambda: margins(fitted, rows)}, 3
    )
    first, next_one = logging(names)
    return [
        Figure(f"lightgbm.train, {ROWS:,} x {COLUMNS}, {ROUNDS} rounds", bare, "CPU s"),
        Figure("learner.refit, the same", own, "CPU s"),
        Figure("training, ours over LightGBM's", own / bare, "times", LIMIT),
        Figure(f"Booster.predict, {SCORED:,} rows", predicted, "CPU s"),
        Figure("scoring, ours over LightGBM's", scored / predicted, "times", LIMIT),
        Figure("logging a first model, the store made", first, "s"),
        Figure("logging a model after the first", next_one, "s", LOGGING),
    ]


def least(steps: dict[str, Callable[[], object]], runs: int) -> list[float]:
    """The least CPU seconds of each step, alternating, so that what else the machine does meets both."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(runs):
        for name, step in steps.items():
            began = time.process_time()
            step()
            seconds[name].append(time.process_time() - began)
    return [min(taken) for taken in seconds.values()]


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


def logging(names: list[str]) -> tuple[float, float]:
    """Seconds to log and register a first model into a new store, and the least of three after it."""
    taken = []
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(4):
            directory = Path(temporary, f"bundle_{number}")
            version = write_bundle(directory, bundle(names, number))
            began = time.perf_counter()
            log_model(
                uri=f"sqlite:///{temporary}/mlflow.db",
                artifact_root=Path(temporary, "artifacts"),
                experiment="bench",
                name="bench.churn",
                bundle_dir=directory,
                version=version,
                parameters=dict.fromkeys(names, 1),
                metrics={f"figure_{i}": float(i) for i in range(200)},
                tags={"kind": "bench"},
                artifacts={"plots/one.png": b"x" * 50_000},
                signature_columns=names,
                card="A card.",
            )
            taken.append(time.perf_counter() - began)
    return taken[0], min(taken[1:])


def bundle(names: list[str], number: int) -> Bundle:
    """A small model of all the columns, another one for each number."""
    random = np.random.default_rng(number)
    X = random.normal(size=(1_000, len(names)))
    y = (random.random(1_000) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    words = {"en": "{value}", "id": "{value}"}
    family = Family.model_validate(
        {
            "family": "bench",
            "description": "Numbers.",
            "table": "interactions",
            "signals": [
                {
                    "name": name,
                    "description": "A number.",
                    "aggregate": "days_since",
                    "direction": "any",
                    "reason": words,
                }
                for name in names
            ],
            "examples": [{"as_of": date(2026, 3, 1), "rows": [], "expect": {names[0]: None}}],
        }
    )
    model = Model.model_validate(
        {
            "model": "churn",
            "title": {"en": "Leaves", "id": "Pergi"},
            "outcome": {"event": {"kind": "cancellation"}},
            "grid": {"every": "30d"},
            "horizon": "60d",
            "families": ["bench"],
            "baselines": {"recency": None, "last_score": None, "tenure": names[0]},
        }
    )
    chosen = Chosen(50, Calibration("none", (), ()), 0, "")
    day = np.full(len(y), np.datetime64("2026-01-01", "us"))
    fitted = refit(
        Rows(X, y, day, day), columns=names, directions=["any"] * len(names), settings=model.learner, chosen=chosen
    )
    return Bundle(fitted, model, (family,), "bench", {"observations": 1_000})
