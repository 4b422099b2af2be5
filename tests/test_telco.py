"""A real flat snapshot with a trap in it: the satisfaction score was given by people who knew that they had left."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import ok, refused, spawn

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "telco"
SCORES = ("last_score", "last_csat", "mean_score_182d", "worst_score_182d")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside this repository"),
]


@pytest.fixture
def telco(tmp_path):
    """A scaffold, and the options that run a command on it and the two workbooks."""
    directory = tmp_path / "project"
    ok(spawn("init", directory))
    return directory, ("--project", directory, "--deployment", "telco", "--data", DATA)


def change(project, old, new):
    path = project / "configs" / "telco" / "models" / "churn.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_satisfaction_score_is_named_and_refused_until_it_is_acknowledged(telco):
    project, options = telco
    told = ok(spawn("check", *options, "--json")).json
    assert list(SCORES) == [one["column"] for one in told["suspects"]]
    assert all(abs(one["auc"] - 0.95) < 0.005 for one in told["suspects"])
    [model] = told["models"]
    assert (7043, 1869) == (model["observations"], model["outcomes"])
    assert [7043, 7043] == [one["accepted"] for one in told["sources"]]
    refused(spawn("train", "churn", *options), 5, "4 of the model's columns may be the outcome in disguise", *SCORES)
    change(project, "families:", f"acknowledge: [{', '.join(SCORES)}]\nfamilies:")
    told = ok(spawn("train", "churn", *options, "--json")).json
    [judged] = told["slices"]
    assert 0.97 < judged["auc"]
    assert 4 == sum("Acknowledged in the model's file" in note for note in told["notes"])


def test_without_the_score_the_model_ranks_as_others_do_on_this_file(telco):
    """About 0.85 is what everybody gets of it who does not look at the answer."""
    project, options = telco
    change(project, "families: [surveys, ", "families: [")
    change(project, "last_score: last_score", "last_score: null")
    told = ok(spawn("train", "churn", *options, "--json")).json
    [judged] = told["slices"]
    assert 0.83 < judged["auc"] < 0.87
    assert told["promoted"]
