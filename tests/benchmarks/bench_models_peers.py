"""Our training beside peers on the same split: LightGBM as it comes on recency, frequency and money, and FLAML.

On the simulated company, and on Online Retail where its lines are there (`../shared/data/online_retail` beside the
repository, or the directory named by ONLINE_RETAIL). FLAML searches on our signals for four minutes in an environment
of its own, `.venv-flaml`, which `make bench-models` makes; without it the rows of FLAML are left out, and that is said.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import lightgbm as lgb
import numpy as np

from churnwatch.evaluation import auc, calibration_error, lift_at
from churnwatch.evaluation.figures import calibration_error_after_shift
from churnwatch.learner import risks
from churnwatch.outcomes import grid, span
from churnwatch.runs.observations import labelled
from churnwatch.runs.study import baseline_scores, fit_on, usable_columns
from churnwatch.runs.workspace import Workspace, load_tables, open_workspace
from churnwatch.spec import midnight
from churnwatch.synthetic import simulate
from tests.benchmarks.run import Figure

ROOT = Path(__file__).resolve().parents[2]
FLAML = ROOT / ".venv-flaml" / "bin" / "python"
BUDGET = 240
"""Seconds FLAML may search."""


@dataclass(frozen=True)
class Case:
    """A data set, the model judged on it, the as-of, and which of its signals are recency, frequency and money."""

    name: str
    workspace: Workspace
    model: str
    as_of: date
    rfm: tuple[str, str, str]


def measure() -> list[Figure]:
    """AUC, lift at 10 %, calibration error (as it is, and without the base-rate shift) and wall time of everybody."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as temporary:
        for case in cases(Path(temporary)):
            figures += beside_peers(case, Path(temporary))
    return figures


def cases(temporary: Path) -> Iterator[Case]:
    """The simulated company, and the shop where its data are there."""
    simulate(temporary / "company", customers=5_000, seed=1)
    now = datetime(2026, 7, 2, tzinfo=UTC)
    demo = open_workspace(ROOT, deployment="demo", data=temporary / "company" / "data", now=now)
    yield Case("demo", demo, "churn", date(2026, 4, 25), ("quiet_days", "active_days_28d", "spent_364d"))
    data = Path(os.environ.get("ONLINE_RETAIL", ROOT.parent / "shared" / "data" / "online_retail"))
    if not (data / "lines.parquet").exists():
        print("online_retail: no lines.parquet, left out", file=sys.stderr)
        return
    shop = open_workspace(ROOT, deployment="online_retail", data=data, now=now)
    rfm = ("days_since_purchase", "purchases_364d", "spent_364d")
    yield Case("online_retail", shop, "inactivity", date(2011, 4, 1), rfm)


def beside_peers(case: Case, temporary: Path) -> list[Figure]:
    """Everybody is fitted on what was complete at the as-of, and judged on it; signals are computed once for all."""
    workspace, model = case.workspace, case.workspace.model(case.model)
    tables = load_tables(workspace)
    columns, _ = usable_columns(workspace, tables, model)
    zone = workspace.spec.deployment.zone
    as_of = midnight(case.as_of, zone)
    dates = grid(model, zone=zone, span=span(tables, model), complete_by=as_of)
    train = labelled(tables, model, columns, dates, known_before=as_of).in_time()
    test = labelled(tables, model, columns, [as_of], known_before=workspace.now).in_time()
    X, y, X_test, y_test = train.matrix.values, train.outcome, test.matrix.values, test.outcome

    began = time.perf_counter()
    fitted, _ = fit_on(train, model, when=f"before {case.as_of}")
    seconds = time.perf_counter() - began
    figures = told(case.name, "churnwatch", y_test, risks(fitted, X_test), seconds)

    began = time.perf_counter()
    scores = baseline_scores(model, test.matrix, train)
    figures += told(case.name, "logistic regression", y_test, logistic(scores["logistic"]), time.perf_counter() - began)

    names = list(train.matrix.names)
    three = [names.index(name) for name in case.rfm]
    began = time.perf_counter()
    plain = lgb.LGBMClassifier(verbosity=-1).fit(X[:, three], y)
    found = plain.booster_.predict(X_test[:, three])
    figures += told(case.name, "LightGBM on R, F, M", y_test, found, time.perf_counter() - began)

    if FLAML.exists():
        split, out = temporary / f"{case.name}.npz", temporary / f"{case.name}.out.npz"
        order = np.argsort(train.as_of, kind="stable")
        np.savez(split, X=X[order], y=y[order], X_test=X_test)
        script = str(Path(__file__).with_name("models_flaml.py"))
        subprocess.run([str(FLAML), script, str(split), str(BUDGET), str(out)], check=True, capture_output=True)
        with np.load(out) as said:
            figures += told(case.name, f"FLAML ({said['best']})", y_test, said["risks"], float(said["seconds"]))
    else:
        print("FLAML: no .venv-flaml, left out; `make bench-models` makes it", file=sys.stderr)
    return figures


def told(case: str, who: str, y: np.ndarray, found: np.ndarray, seconds: float) -> list[Figure]:
    """The five figures of one peer."""
    return [
        Figure(f"{case}: AUC, {who}", auc(y, found), ""),
        Figure(f"{case}: lift at 10 %, {who}", lift_at(y, found, 0.1), ""),
        Figure(f"{case}: calibration error, {who}", calibration_error(y, found), ""),
        Figure(f"{case}: … without the shift, {who}", calibration_error_after_shift(y, found), ""),
        Figure(f"{case}: fitting, {who}", seconds, "s"),
    ]


def logistic(scores: np.ndarray) -> np.ndarray:
    """Log-odds as probabilities."""
    return 1 / (1 + np.exp(-scores))
