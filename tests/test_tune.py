"""Tuning: what it may know, what a kill costs, what it writes and logs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import ROOT, call, copied, environment, facts, ok, refused
from filelock import FileLock

import churnwatch.runs.tune
from churnwatch.learner import Search, Trial
from churnwatch.registry import store_uri
from churnwatch.runs.candidate import dates_of
from churnwatch.runs.tune import past_of, tune
from churnwatch.runs.workspace import Workspace, load_tables, open_workspace
from churnwatch.spec import civil_day

NOW = datetime(2026, 7, 2, tzinfo=UTC)
OWN = "configs/demo/models/churn.yaml"


def opened(root: Path) -> Workspace:
    return open_workspace(root, deployment="demo", data=None, now=NOW)


def first_test(workspace: Workspace) -> datetime:
    _, tests, _ = dates_of(workspace, load_tables(workspace), workspace.model("churn"))
    return tests[0]


@pytest.fixture(scope="module")
def tuned(company: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Eight trials of an untrained copy of the company, through the command line: (project, object)."""
    root = tmp_path_factory.mktemp("tune") / "project"
    copied(company.root, root, without=("state", "out"))
    return root, ok(call("tune", "churn", "--trials", 8, "--project", root, "--json")).json


def test_the_search_says_what_it_found(tuned: Any) -> None:
    _, told = tuned
    keys = [
        "model", "trials", "asked", "went_on_at", "stopped", "before", "observations", "folds", "file", "best",
        "difference", "standard_error", "left_out_difference", "left_out_error", "better", "model_file", "written",
        "run_id", "history",
    ]  # fmt: skip
    assert keys == list(told)
    assert (8, 8, None, OWN) == (told["trials"], told["asked"], told["went_on_at"], told["model_file"])
    assert told["file"] == told["history"][0]
    whole = [one for one in told["history"] if not one["stopped"]]
    assert told["best"]["auc"] == max(one["auc"] for one in whole)
    assert 2 <= len(told["folds"])
    assert all(len(told["folds"]) == len(one["fold_aucs"]) for one in whole)
    pairs = np.array(told["best"]["fold_aucs"]) - np.array(told["file"]["fold_aucs"])
    assert pytest.approx(pairs.mean()) == told["difference"]
    assert pytest.approx(pairs.std(ddof=1) / len(pairs) ** 0.5) == told["standard_error"]


def test_every_fold_lies_before_the_first_test_date_by_the_time_its_labels_take(tuned: Any) -> None:
    root, told = tuned
    workspace = opened(root)
    test = first_test(workspace)
    assert str(civil_day(test, "Asia/Jakarta")) == told["before"]
    for fold in told["folds"]:
        date = datetime.fromisoformat(fold["date"]).replace(tzinfo=UTC)
        assert date + timedelta(days=7 + 60) <= test


def test_nothing_known_at_the_first_test_date_or_later_makes_a_difference(tuned: Any) -> None:
    """Everything known from then on becomes garbage: cancellations, of huge amounts, and other answers.

    The observations are the same to the bit, and so is the search, which goes by their hash.
    """
    root, told = tuned
    clean, dirty = opened(root), opened(root)
    test = first_test(clean)
    instant = f"timestamp '{test.astimezone(UTC).replace(tzinfo=None)}'"
    tables = load_tables(dirty)
    numbers = ", ".join(f'"{name}" = 1e9 + "{name}"' for name in tables.measures)
    changed = tables.con.execute(
        f"""update interactions set kind = 'cancellation', channel = 'x', topic = 'x', agent = 'x', {numbers}
        where known_at >= {instant}"""
    ).fetchall()
    assert changed[0][0] > 1000
    tables.con.execute(f"update surveys set raw_score = scale_max - raw_score where answered_at >= {instant}")
    tables.con.execute(f"update customers set segment = 'x', \"value\" = 1e9 where known_at >= {instant}")
    expected, _ = past_of(clean, load_tables(clean), clean.model("churn"))
    found, _ = past_of(dirty, tables, dirty.model("churn"))
    assert expected.matrix.values.tobytes() == found.matrix.values.tobytes()
    assert expected.outcome.tolist() == found.outcome.tolist()
    assert 0 < expected.outcome.sum()
    again = tune(dirty, "churn", trials=8)
    assert 8 == again.search.before
    assert [one["auc"] for one in told["history"]] == [one.auc for one in again.search.trials]


def test_what_was_known_before_does_make_a_difference(tuned: Any) -> None:
    """The same garbage a day earlier is seen: the test above can fail."""
    root, _ = tuned
    clean, dirty = opened(root), opened(root)
    instant = (first_test(clean) - timedelta(days=30)).astimezone(UTC).replace(tzinfo=None)
    tables = load_tables(dirty)
    tables.con.execute(f"update interactions set kind = 'cancellation' where known_at >= timestamp '{instant}'")
    expected, _ = past_of(clean, load_tables(clean), clean.model("churn"))
    found, _ = past_of(dirty, tables, dirty.model("churn"))
    assert expected.outcome.sum() < found.outcome.sum()


def finished(file: Path) -> int:
    if not file.exists():
        return 0
    con = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return int(con.execute("select count(*) from trials where state in ('COMPLETE', 'PRUNED')").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # it is just being made
    finally:
        con.close()


@pytest.mark.slow
def test_a_killed_search_goes_on_and_finds_the_same(tuned: Any, tmp_path: Path) -> None:
    """SIGKILL once three trials are done; then as many trials as the one left alone made, and the same ones."""
    root, told = tuned
    mine = copied(root, tmp_path / "killed", without=("state", "out"))
    command = [sys.executable, "-m", "churnwatch", "tune", "churn", "--trials", "8", "--project", str(mine), "--json"]
    running = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    file = mine / "state" / "demo" / "tune-churn.db"
    until = time.monotonic() + 120
    while finished(file) < 3 and running.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    assert "" == running.communicate()[0]
    done = finished(file)
    assert 3 <= done < 8
    found = ok(call("tune", "churn", "--trials", 8, "--project", mine, "--json")).json
    assert done + 1 == found["went_on_at"]
    assert told["history"] == found["history"]
    assert told["best"] == found["best"]
    assert [8, 1] == [len(nested(mine)), len(searches(mine))]


def runs(root: Path, query: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store_uri(root / "state" / "demo"))
    # A project that was copied goes on in an experiment of its own.
    experiments = client.search_experiments(filter_string="name LIKE 'demo%'")
    return list(client.search_runs([one.experiment_id for one in experiments], query))


def searches(root: Path) -> list[Any]:
    return runs(root, "tags.`churnwatch.search` LIKE 'demo.churn-%'")


def nested(root: Path) -> list[Any]:
    [parent] = searches(root)
    return runs(root, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")


def test_each_trial_is_a_run_below_the_search(tuned: Any) -> None:
    from mlflow import MlflowClient

    root, told = tuned
    [parent] = searches(root)
    assert told["run_id"] == parent.info.run_id
    assert "FINISHED" == parent.info.status
    assert pytest.approx(told["best"]["auc"]) == parent.data.metrics["best_auc"]
    assert pytest.approx(told["difference"]) == parent.data.metrics["difference"]
    assert "4 to 63, log" == parent.data.params["search.num_leaves"]
    found = {int(run.data.tags["churnwatch.trial"]): run for run in nested(root)}
    assert set(range(8)) == set(found)
    for number, one in enumerate(told["history"]):
        run = found[number]
        assert {name: str(value) for name, value in one["parameters"].items()} == run.data.params
        assert pytest.approx(one["auc"]) == run.data.metrics["auc"]
        assert one["rounds"] == run.data.metrics["rounds"]
        assert ("KILLED" if one["stopped"] else "FINISHED") == run.info.status
        client = MlflowClient(tracking_uri=store_uri(root / "state" / "demo"))
        folds = client.get_metric_history(run.info.run_id, "fold_auc")
        assert pytest.approx(one["fold_aucs"]) == [entry.value for entry in sorted(folds, key=lambda m: m.step)]


def test_asked_for_more_it_makes_only_those(tuned: Any, tmp_path: Path) -> None:
    root, told = tuned
    mine = copied(root, tmp_path / "more")
    said = ok(call("tune", "churn", "--trials", 9, "--project", mine))
    assert "Went on at trial 9 of 9." in said.out
    said = ok(call("tune", "churn", "--trials", 8, "--project", mine, "--json")).json
    assert told["history"] == said["history"]
    assert "All of them had been made before." in ok(call("tune", "churn", "--trials", 8, "--project", mine)).out
    last = facts(mine, "runs")[-3:]
    assert [("tune", "done")] * 3 == [(run["command"], run["status"]) for run in last]
    assert {"model": "churn", "trials": 9, "written": False} == json.loads(last[0]["detail"])


def test_a_changed_model_file_begins_anew(tuned: Any, tmp_path: Path) -> None:
    root, _ = tuned
    mine = copied(root, tmp_path / "changed")
    text = (mine / OWN).read_text()
    (mine / OWN).write_text(text.replace("lambda_l2: 5.0", "lambda_l2: 4.0"))
    told = ok(call("tune", "churn", "--trials", 1, "--project", mine, "--json")).json
    assert None is told["went_on_at"]
    assert 4.0 == told["file"]["parameters"]["lambda_l2"]
    assert 2 == len(searches(mine))


def test_the_model_file_says_where_to_search(tuned: Any, tmp_path: Path) -> None:
    root, _ = tuned
    mine = copied(root, tmp_path / "ranges", without=("state", "out"))
    text = (mine / OWN).read_text()
    ranges = (
        "  search: {num_leaves: [3, 5], lambda_l2: {range: [1.0, 2.0], log: true}, extra_trees: {choices: [true]}}\n"
    )
    (mine / OWN).write_text(text.replace("  folds: 2\n", f"  folds: 2\n{ranges}"))
    told = ok(call("tune", "churn", "--trials", 3, "--project", mine, "--json")).json
    for one in told["history"][1:]:
        changed = {name for name, value in one["parameters"].items() if told["file"]["parameters"].get(name) != value}
        assert {"extra_trees"} <= changed <= {"num_leaves", "lambda_l2", "extra_trees"}
        assert 3 <= one["parameters"]["num_leaves"] <= 5
    wrong = text.replace("  folds: 2\n", "  folds: 2\n  search: {max_bin: [15, 63]}\n")
    (mine / OWN).write_text(wrong)
    said = call("tune", "churn", "--trials", 3, "--project", mine)
    assert 3 == said.code
    assert "`max_bin` is no parameter to search" in said.err


def outcome(root: Path, *, gain: float) -> Search:
    """A search whose best trial lies ``gain`` above the file's, with a standard error of 0.01."""
    file = dict(opened(root).model("churn").learner.parameters)
    first = Trial(0, file, (0.70, 0.70), 20, False)
    second = Trial(1, {**file, "num_leaves": 5}, (0.69 + gain, 0.71 + gain), 58, False)
    return Search((first, second), (900, 900), ("2025-10-01", "2025-11-01"), 0)


@pytest.mark.parametrize(("gain", "written"), [(0.0632, True), (0.0631, False)])
def test_only_what_is_surely_better_is_written(
    untrained: Path, monkeypatch: pytest.MonkeyPatch, gain: float, written: bool
) -> None:
    """More than 6.314 standard errors (Student's, of two folds): into the file, and nothing but its value changes.

    Less: the file stays as it is.
    """
    found = outcome(untrained, gain=gain)

    def told(*arguments: Any, on_begin: Any, **options: Any) -> Search:
        on_begin("churn-000000000000")
        return found

    monkeypatch.setattr(churnwatch.runs.tune, "search", told)
    text = (untrained / OWN).read_text()
    said = ok(call("tune", "churn", "--trials", 2, "--write", "--project", untrained))
    expected = text.replace("num_leaves: 8", "num_leaves: 5") if written else text
    assert expected == (untrained / OWN).read_text()
    assert ("Written into" in said.out) == written
    assert ("is left as it is" in said.out) != written
    assert f"+{gain:.4f} ± 0.0100 AUC over what {OWN} has" in said.out
    assert "looks better than it is" in said.out
    assert "58 of at most 60 rounds" in said.out
    assert ("num_leaves: 5" in said.out) != written


def test_without_write_the_parameters_are_yaml_to_paste(untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = outcome(untrained, gain=0.07)

    def told(*arguments: Any, on_begin: Any, **options: Any) -> Search:
        on_begin("churn-000000000000")
        return found

    monkeypatch.setattr(churnwatch.runs.tune, "search", told)
    text = (untrained / OWN).read_text()
    said = ok(call("tune", "churn", "--trials", 2, "--project", untrained))
    assert text == (untrained / OWN).read_text()
    assert "learner:\n  parameters:\n    learning_rate: 0.05\n    num_leaves: 5\n" in said.out


def test_time_that_is_over_ends_the_search(untrained: Path) -> None:
    """No minute at all: the file's own parameters are tried, and it says how to go on."""
    said = ok(call("tune", "churn", "--trials", 50, "--timeout", 0, "--project", untrained))
    assert "1 trial of 50" in said.out
    assert "The time was over; ask again, and it goes on here." in said.out


def test_one_search_of_a_model_at_a_time(untrained: Path) -> None:
    """Another search of the same model is refused; a list is not."""
    state = untrained / "state" / "demo"
    state.mkdir(parents=True)
    with FileLock(state / "tune-churn.lock"):
        refused(call("tune", "churn", "--trials", 1, "--project", untrained), 7, "is being tuned already")


def test_what_cannot_be_tuned_is_said(untrained: Path) -> None:
    said = call("tune", "chrun", "--trials", 1, "--project", untrained)
    assert 3 == said.code
    assert "did you mean churn?" in said.err
    assert 2 == call("tune", "churn", "--trials", 0, "--project", untrained).code
    assert 2 == call("tune", "churn", "--project", untrained).code
    text = (untrained / OWN).read_text()
    (untrained / OWN).write_text(text.replace("history: 210d", "history: 420d"))
    refused(call("tune", "churn", "--trials", 1, "--project", untrained), 5, "not enough history")
