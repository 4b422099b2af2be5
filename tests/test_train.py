"""Training: what it may know, what it registers, when it promotes."""

from __future__ import annotations

import csv
import dataclasses
import random
import re
from datetime import UTC, datetime, timedelta

import lightgbm as lgb
import numpy as np
import pyarrow.parquet as pq
import pytest
from command_line import END, call, copied, facts, ok, tree

import churnwatch.runs.candidate
import churnwatch.runs.study
from churnwatch.evaluation import auc
from churnwatch.learner import margins
from churnwatch.learner.training import parameters
from churnwatch.registry import alias_version, champion_bundle, store_uri
from churnwatch.runs.train import train
from churnwatch.runs.workspace import open_workspace

NOW = datetime(2026, 7, 2, tzinfo=UTC)
GAP, HORIZON = timedelta(days=7), timedelta(days=60)
JAKARTA = timedelta(hours=7)


@dataclasses.dataclass
class Spied:
    """A training and what its steps were handed: rows to choose by, rows to judge on, rows to refit on."""

    root: object
    trained: object
    past: object
    fitted: object
    chosen: object
    refit_on: tuple
    refitted: object


@pytest.fixture(scope="module")
def spied(company, tmp_path_factory):
    root = tmp_path_factory.mktemp("training") / "project"
    copied(company.root, root, without=("state", "out", "truth"))
    seen = {}

    def fit_on(rows, model, **options):
        seen["past"] = rows
        seen["fitted"], seen["chosen"] = churnwatch.runs.study.fit_on(rows, model, **options)
        return seen["fitted"], seen["chosen"]

    def refit(rows, **options):
        seen["refit_on"] = (rows.X, rows.y)
        seen["refitted"] = real_refit(rows, **options)
        return seen["refitted"]

    with pytest.MonkeyPatch.context() as patched:
        real_refit = churnwatch.runs.candidate.refit
        patched.setattr(churnwatch.runs.candidate, "fit_on", fit_on)
        patched.setattr(churnwatch.runs.candidate, "refit", refit)
        workspace = open_workspace(root, deployment="demo", data=None, now=NOW)
        trained = train(workspace, "churn", by="tester")
    return Spied(root, trained, **seen)


def cancelled(root):
    """When each customer cancelled, naive UTC."""
    with (root / "data" / "cancellations.csv").open(newline="") as file:
        return {row["customer_no"]: datetime.fromisoformat(row["received"]) - JAKARTA for row in csv.DictReader(file)}


def oracle(rows, left, *, known_before):
    """The outcome of each row by the words of the design, one row at a time: (outcomes, too late)."""
    outcomes, late = [], []
    for customer, stamp in zip(rows.matrix.observations["customer_id"], rows.as_of, strict=True):
        as_of = stamp.astype("datetime64[us]").item()
        when = left.get(customer)
        known = when is not None and when < known_before
        outcomes.append(1.0 if known and as_of + GAP <= when < as_of + GAP + HORIZON else 0.0)
        late.append(bool(known and as_of <= when < as_of + GAP))
    return outcomes, late


def test_training_ends_gap_and_horizon_before_the_first_test_date(spied):
    first = min(one.rows.as_of.min() for one in spied.trained.judged)
    closed = spied.past.as_of.max() + np.timedelta64(67, "D")
    assert closed <= first
    # And it is no further apart than the grid's step forces.
    assert first - closed < np.timedelta64(30, "D")


def test_the_simulation_s_truth_reaches_no_training(company, spied):
    """Trained where there is no truth, the model is the same to the byte as where it lies beside the data."""
    assert (company.root / "truth" / "customers.parquet").is_file()
    assert not (spied.root / "truth").exists()
    assert company.said.json["train"]["version"] == spied.trained.version


def test_what_is_judged_agrees_with_its_parts(spied):
    """The list, the groups and the baselines of each date, worked out again from its rows."""
    model = open_workspace(spied.root, deployment="demo", data=None, now=NOW).model("churn")
    for one in spied.trained.judged:
        told = one.figures
        assert told["capacity_rows"] == pytest.approx(one.listed.sum())
        assert told["recall_at_capacity"] == pytest.approx(one.listed @ one.rows.outcome / one.rows.outcome.sum())
        assert one.rows.outcome.sum() == told["lead_time"]["leavers"]
        for name in ("segment", "language"):
            groups = [group for group in told["groups"] if group["by"] == name]
            assert told["n"] == sum(group["n"] for group in groups)
            assert one.rows.outcome.sum() == sum(group["outcomes"] for group in groups)
            # The demo's plans and languages are today's: its customers' table keeps no history.
            assert {True} == {group["today"] for group in groups}
        alone = churnwatch.runs.study.baseline_scores(model, one.rows.matrix, spied.past)
        assert list(alone) == list(one.baselines)
        for name, scores in alone.items():
            np.testing.assert_allclose(scores, one.baselines[name], rtol=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_permuted_labels_teach_nothing(spied, seed):
    """Who left at a date is drawn by lot: AUC 0.5 within three standard errors (Hanley & McNeil, no difference).

    The model learned what it was given all the same: on its own rows it ranks well above that.
    """
    lots = np.random.default_rng(seed)
    past = spied.past.in_time()
    drawn = np.zeros(len(past.outcome))
    for date in np.unique(past.as_of):
        rows = past.as_of == date
        drawn[rows] = lots.permutation(past.outcome[rows])
    rows = dataclasses.replace(past, labels=past.labels.assign(outcome=drawn))
    model = open_workspace(spied.root, deployment="demo", data=None, now=NOW).model("churn")
    fitted, _ = churnwatch.runs.study.fit_on(rows, model, when="by lot")
    assert auc(drawn, margins(fitted, past.matrix.values)) > 0.6
    for one in spied.trained.judged:
        outcome = lots.permutation(one.rows.outcome)
        bad, good = outcome.sum(), len(outcome) - outcome.sum()
        error = np.sqrt((bad + good + 1) / (12 * bad * good))
        assert abs(auc(outcome, margins(fitted, one.rows.matrix.values)) - 0.5) < 3 * error


def test_training_labels_know_nothing_from_the_first_test_date_on(spied):
    left = cancelled(spied.root)
    first = min(one.rows.as_of.min() for one in spied.trained.judged).astype("datetime64[us]").item()
    outcomes, late = oracle(spied.past, left, known_before=first)
    assert outcomes == spied.past.outcome.tolist()
    assert late == spied.past.too_late.tolist()
    assert 20 < sum(outcomes) < len(outcomes) / 5


def test_test_labels_are_what_became_of_everybody(spied):
    left = cancelled(spied.root)
    for one in spied.trained.judged:
        outcomes, late = oracle(one.rows, left, known_before=NOW.replace(tzinfo=None))
        assert outcomes == one.rows.outcome.tolist()
        assert not any(late)
        assert 0 < one.figures["too_late"]
        assert len(one.rows.outcome) == one.figures["n"]


def test_test_dates_are_the_last_complete_ones(spied):
    """Two of them, 30 days apart; the later label window closes within the data, a day more would not."""
    dates = [one.rows.as_of.min() + np.timedelta64(7, "h") for one in spied.trained.judged]
    assert [np.datetime64("2026-03-26"), np.datetime64("2026-04-25")] == dates
    assert np.datetime64(END) == dates[-1] + np.timedelta64(67, "D")


def test_the_judged_model_has_not_seen_the_test_rows(spied):
    """The figures are of the model fitted on the past alone, not of the one that is registered."""
    for one in spied.trained.judged:
        assert np.array_equal(margins(spied.fitted, one.rows.matrix.values), one.margins)
        assert not np.array_equal(margins(spied.refitted, one.rows.matrix.values), one.margins)


def test_the_registered_model_is_refitted_on_everything_with_the_chosen_rounds(spied):
    """Its margins are those of a plain lightgbm.train on all complete observations."""
    X, y = spied.refit_on
    in_time = len(spied.past.in_time().outcome)
    assert in_time < len(y) == spied.trained.observations
    bundle = champion_bundle(spied.root / "state" / "demo", "demo.churn", spied.trained.version)
    assert spied.chosen.rounds == bundle.fitted.rounds
    workspace = open_workspace(spied.root, deployment="demo", data=None, now=NOW)
    directions = {column.name: column.direction for column in workspace.spec.columns}
    settings = parameters(workspace.model("churn").learner, [directions[name] for name in bundle.fitted.columns])
    plain = lgb.train(settings, lgb.Dataset(X, y, params=settings), num_boost_round=spied.chosen.rounds)
    assert np.array_equal(plain.predict(X, raw_score=True), margins(bundle.fitted, X))


def test_a_promotion_is_in_the_ledger_and_in_mlflow(spied):
    [promotion] = facts(spied.root, "promotions")
    assert ("demo", "churn", "champion") == (promotion["deployment"], promotion["model"], promotion["alias"])
    assert (spied.trained.version, None, "tester") == (
        promotion["model_version"], promotion["previous_version"], promotion["moved_by"],
    )  # fmt: skip
    assert spied.trained.promoted
    uri = store_uri(spied.root / "state" / "demo")
    assert spied.trained.version == alias_version(uri, "demo.churn", "champion")
    [run] = facts(spied.root, "runs")
    assert ("train", "done", spied.trained.version) == (run["command"], run["status"], run["model_version"])


def test_a_worse_recipe_does_not_replace_the_champion(project):
    """The champion's recipe, from its own catalogue and fitted on what the candidate saw, beats two poor rounds."""
    own = project / "configs" / "demo" / "models" / "churn.yaml"
    text = own.read_text()
    worse = re.sub(r"families: .*", "families: [silence, surveys, tenure]", text).replace("rounds: 60", "rounds: 2")
    assert worse != text
    own.write_text(worse)
    # What the candidate's catalogue calls by the same name is another number now; the champion keeps its own.
    silence = project / "features" / "silence.yaml"
    silence.write_text(silence.read_text().replace("where: {kind: usage}", "where: {kind: [usage, visit]}"))
    said = call("train", "churn", "--project", project, "--json")
    checks = {check["name"]: check for check in said.json["gate"]["checks"]}
    assert not checks["champion"]["passed"]
    assert checks["champion"]["difference"] < -0.01
    assert not said.json["promoted"]
    assert 5 == said.code


@pytest.fixture(scope="module")
def forgotten(company, tmp_path_factory):
    """The company trained once more after MLflow's database was lost: (project, object)."""
    root = copied(company.root, tmp_path_factory.mktemp("forgotten") / "project")
    (root / "state" / "demo" / "mlflow.db").unlink()
    return root, ok(call("train", "churn", "--project", root, "--json")).json


def test_the_champion_s_own_recipe_is_not_compared_with_itself(forgotten):
    _, said = forgotten
    assert "champion" not in {check["name"] for check in said["gate"]["checks"]}
    [note] = [note for note in said["notes"] if "same recipe" in note]
    assert said["version"] in note


def test_an_alias_that_was_lost_comes_back_with_the_next_training(forgotten, company):
    """The ledger knows the champion; MLflow's store, made anew, learns it again."""
    root, told = forgotten
    assert (True, False) == (told["new"], told["promoted"])
    version = company.said.json["train"]["version"]
    assert version == alias_version(store_uri(root / "state" / "demo"), "demo.churn", "champion")


def test_unchanged_inputs_register_and_promote_nothing_new(project, company):
    """Not even where the champion's copy is damaged: the same version comes out, and the copy is whole again."""
    promotions, before = facts(project, "promotions"), tree(project)
    version = company.said.json["train"]["version"]
    booster = project / "state" / "demo" / "models" / "demo.churn" / version / "booster.txt"
    booster.write_bytes(booster.read_bytes()[:-100])
    told = " ".join(ok(call("train", "churn", "--project", project)).out.split())
    assert f"Version {version} of churn (unchanged, registered before as number 1) is the champion." in told
    assert "Gate: passed" in told
    assert promotions == facts(project, "promotions")
    # MLflow's database is opened, so its bytes may move; no file of a run, version or artifact has come or gone.
    after = tree(project)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed <= {"state/demo/mlflow.db"}
    last = facts(project, "runs")[-1]
    assert ("train", "done", version) == (last["command"], last["status"], last["model_version"])
    assert '"promoted": false' in last["detail"]


def test_a_gate_not_passed_registers_and_leaves_the_champion(project, company):
    """Cancellations of random customers teach nothing: code 5, version 2 is registered, the champion stays."""
    path = project / "data" / "cancellations.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    customers = [row["customer_no"] for row in rows]
    with (project / "data" / "customers.csv").open(newline="") as file:
        # Who left keeps their contract's end and so leaves the population: only those who stay can be taken.
        staying = [row["customer_no"] for row in csv.DictReader(file) if not row["contract_end"]]
    random.Random(4).shuffle(staying)
    swap = dict(zip(customers, staying, strict=False))
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows({**row, "customer_no": swap.get(row["customer_no"], row["customer_no"])} for row in rows)
    promotions = facts(project, "promotions")
    said = call("train", "churn", "--project", project, "--json")
    assert 5 == said.code
    told = said.json
    assert not told["gate"]["passed"]
    assert (True, 2, False) == (told["new"], told["registered_version"], told["promoted"])
    champion = company.said.json["train"]["version"]
    assert champion == told["champion"] != told["version"]
    assert "the gate is not passed: this training of churn is registered but not promoted" in said.err
    assert "daily --baseline recency" in said.err
    *before, moved = facts(project, "promotions")
    assert promotions == before
    assert ("challenger", told["version"]) == (moved["alias"], moved["model_version"])
    assert champion == alias_version(store_uri(project / "state" / "demo"), "demo.churn", "champion")
    # The list goes on with the champion.
    assert champion == ok(call("score", "--as-of", END, "--project", project, "--json")).json["model_version"]


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_mlflow_serves_the_champion_with_the_same_risks(project, monkeypatch):
    """``models:/demo.churn@champion`` on the signals that `score` wrote gives the risks that it wrote."""
    import mlflow

    told = ok(call("score", "--as-of", END, "--project", project, "--json")).json
    assert told["model_version"] == facts(project, "promotions")[-1]["model_version"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store_uri(project / "state" / "demo"))
    served = mlflow.pyfunc.load_model("models:/demo.churn@champion")
    signals = pq.read_table(told["files"]["signals.parquet"]).to_pandas()
    scores = pq.read_table(told["files"]["scores.parquet"]).to_pandas()
    assert scores["customer_id"].tolist() == signals["customer_id"].tolist()
    risks = np.asarray(served.predict(signals[served.metadata.get_input_schema().input_names()]))
    assert len(scores) == len(risks) > 500
    np.testing.assert_allclose(scores["risk"].to_numpy(), risks.ravel(), rtol=0, atol=1e-12)
    assert len(np.unique(risks)) > 5
