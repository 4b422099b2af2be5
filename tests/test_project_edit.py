"""Writing parameters into a model's file: what is not meant to change stays, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import ROOT
from ruamel.yaml import YAML

from churnwatch.errors import ProjectError
from churnwatch.project import parameters_yaml, set_parameters
from churnwatch.project.document import read_document
from churnwatch.spec import Model

MODELS = sorted([*ROOT.glob("models/*.yaml"), *ROOT.glob("configs/*/models/*.yaml")])
HEAD = """# Who will cancel.
model: churn
title: {en: "Cancels", id: 'Berhenti'}   # both
outcome: {event: {kind: cancellation}}
horizon: 60d
grid: {every: 30d, history: 120d}
families:
  - contact   # calls
  - service
baselines: {recency: quiet_days, last_score: null, tenure: tenure_days}
"""


def written(tmp_path: Path, text: str) -> str:
    (tmp_path / "models").mkdir(exist_ok=True)
    path = tmp_path / "models" / "churn.yaml"
    path.write_bytes(text.encode())
    set_parameters(tmp_path, "models/churn.yaml", {"num_leaves": 12, "learning_rate": 0.03})
    assert ["churn.yaml"] == [one.name for one in (tmp_path / "models").iterdir()]
    return path.read_bytes().decode()


def test_values_change_where_they_stand_and_comments_stay(tmp_path: Path) -> None:
    learner = """learner:
  # chosen by hand
  parameters:
    num_leaves: 8        # small trees
    learning_rate: 0.05  # slow
    lambda_l2: 5.0
  rounds: 300            # at most
"""
    expected = """learner:
  # chosen by hand
  parameters:
    num_leaves: 12       # small trees
    learning_rate: 0.03  # slow
  rounds: 300            # at most
"""
    assert HEAD + expected == written(tmp_path, HEAD + learner)


def test_a_flow_mapping_stays_one(tmp_path: Path) -> None:
    found = written(tmp_path, HEAD + "learner: {parameters: {num_leaves: 8}, rounds: 300}  # short\n")
    assert HEAD + "learner: {parameters: {num_leaves: 12, learning_rate: 0.03}, rounds: 300} # short\n" == found


@pytest.mark.parametrize("learner", ["", "learner: {rounds: 9}\n", "learner:\n  rounds: 9\n"])
def test_what_is_not_there_is_added(tmp_path: Path, learner: str) -> None:
    found = written(tmp_path, HEAD + learner)
    assert found.startswith(HEAD)
    model = read_document(tmp_path, "models/churn.yaml").parse(Model)
    assert {"num_leaves": 12, "learning_rate": 0.03} == model.learner.parameters
    assert (9 if learner else 200) == model.learner.rounds


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    text = (HEAD + "learner:\n  parameters:\n    num_leaves: 8\n").replace("\n", "\r\n")
    found = written(tmp_path, text)
    assert found.replace("\r\n", "").count("\n") == 0
    assert "num_leaves: 12\r\n" in found


@pytest.mark.parametrize("path", MODELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_model_of_the_project_keeps_every_other_byte(path: Path, tmp_path: Path) -> None:
    """Its own parameters written back leave the file as it is; the others change their lines alone."""
    text = path.read_text()
    (tmp_path / path.name).write_text(text)
    model = read_document(tmp_path, path.name).parse(Model)
    set_parameters(tmp_path, path.name, model.learner.parameters)
    assert text == (tmp_path / path.name).read_text()
    first, value = next(iter(model.learner.parameters.items()))
    set_parameters(tmp_path, path.name, {**model.learner.parameters, first: 0.0123})
    expected = [line for line in text.splitlines() if f"{first}: {value}" not in line]
    assert expected == [line for line in (tmp_path / path.name).read_text().splitlines() if "0.0123" not in line]


def test_a_file_that_is_wrong_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("model: [\n")
    with pytest.raises(ProjectError, match=r"wrong\.yaml"):
        set_parameters(tmp_path, "wrong.yaml", {"num_leaves": 5})
    assert "model: [\n" == (tmp_path / "wrong.yaml").read_text()


def test_parameters_the_file_may_not_hold_leave_it_alone(tmp_path: Path) -> None:
    (tmp_path / "churn.yaml").write_text(HEAD)
    with pytest.raises(ProjectError, match="seed"):
        set_parameters(tmp_path, "churn.yaml", {"seed": 5})
    assert HEAD == (tmp_path / "churn.yaml").read_text()
    assert ["churn.yaml"] == [one.name for one in tmp_path.iterdir()]


def test_the_yaml_to_paste_is_what_a_file_says() -> None:
    told = parameters_yaml({"num_leaves": 12, "learning_rate": 0.03, "boosting": "gbdt"})
    expected = {"learner": {"parameters": {"num_leaves": 12, "learning_rate": 0.03, "boosting": "gbdt"}}}
    assert expected == YAML(typ="safe").load(told)
    assert told.startswith("learner:\n  parameters:\n    num_leaves: 12\n")
