"""Satisfaction of everybody in the demo as it comes: a risk for every customer, and risks that mean what they say."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from command_line import END, call, ok, spawn

from churnwatch.evaluation.figures import calibration_error
from churnwatch.learner import expected_scores
from churnwatch.runs.candidate import candidate
from churnwatch.runs.workspace import load_tables, open_workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    root = tmp_path_factory.mktemp("satisfied") / "demo"
    said = spawn("demo", "--dir", root, "--json")
    assert said.code in (0, 5), said.err
    return root, said.json


def test_every_customer_has_a_risk_and_an_expected_score(demo, tmp_path):
    """Everybody who is there and has not cancelled, whether or not they ever answered; worse risks, lower scores."""
    root, _ = demo
    project = shutil.copytree(root, tmp_path / "demo")
    told = ok(call("score", "--as-of", END, "--model", "satisfaction", "--project", project, "--json")).json
    scores = pd.read_parquet(told["files"]["scores.parquet"])
    people = pd.read_csv(root / "data" / "customers.csv")
    surveys = pd.read_csv(root / "data" / "surveys.csv")
    leaving = pd.read_parquet(root / "truth" / "customers.parquet").set_index("customer_id")["cancelled_at"]
    there = {one for one in people["customer_no"] if one in leaving.index and pd.isna(leaving[one])}
    assert len(there) > 3_500
    assert there <= set(scores["customer_id"])
    silent = there - set(surveys.loc[surveys["answered"].notna(), "customer_no"])
    assert len(silent) > 300
    assert scores["risk"].between(0, 1).all()
    assert scores["expected_score"].between(0, 1).all()
    assert np.all(np.diff(scores.sort_values("margin")["expected_score"]) <= 0)


def test_risks_are_right_among_those_who_later_answer(demo):
    """Calibration error under 0.04 over all test dates, and the model finds more than the last score does."""
    root, told = demo
    workspace = open_workspace(root, deployment="demo", data=None, now=pd.Timestamp(f"{END}T12:00Z").to_pydatetime())
    found = candidate(workspace, load_tables(workspace), workspace.model("satisfaction"))
    outcome = np.concatenate([one.rows.outcome for one in found.judged])
    risks = np.concatenate([one.risks for one in found.judged])
    score = np.concatenate([one.rows.labels["score"] for one in found.judged])
    expected = np.concatenate([expected_scores(one.fitted, one.margins) for one in found.judged])
    assert len(outcome) > 4_000
    assert calibration_error(outcome, risks) < 0.04
    assert abs(score.mean() - expected.mean()) < 0.04
    [trained] = told["also"]
    for one in trained["slices"]:
        assert one["auc"] > one["baselines"]["last_score"]["auc"]
    assert trained["gate"]["passed"], json.dumps(trained["gate"])
