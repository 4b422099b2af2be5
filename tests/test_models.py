"""Versions: which there are, moving between them, the log of it, and learning one again to prove its figures."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from command_line import END, call, copied, facts, ok, refused, tree
from ruamel.yaml import YAML

from churnwatch.registry import alias_version, registered, store_uri

TODAY = f"{datetime.now(ZoneInfo('Asia/Jakarta')):%Y-%m-%d}"
"""In the company's zone."""


def mlflow_alias(project: Path, alias: str) -> str | None:
    return alias_version(store_uri(project / "state" / "demo"), "demo.churn", alias)


@pytest.fixture(scope="module")
def trained_thrice(company, tmp_path_factory):
    """Three versions: the company's, one of another seed that took over, and one of two rounds that did not pass."""
    root = copied(company.root, tmp_path_factory.mktemp("models") / "project")
    own = root / "configs" / "demo" / "models" / "churn.yaml"
    text = own.read_text()
    told = [company.said.json["train"]]
    for change in (("seed: 1", "seed: 2"), ("rounds: 60", "rounds: 2")):
        assert change[0] in own.read_text()
        own.write_text(own.read_text().replace(*change))
        told.append(call("train", "churn", "--project", root, "--json").json)
    own.write_text(text)
    assert [True, True, False] == [one["promoted"] for one in told]
    assert not told[2]["gate"]["passed"]
    return root, [one["version"] for one in told]


@pytest.fixture
def three(trained_thrice, tmp_path):
    """A copy of it, this test's own, and the three versions."""
    root, versions = trained_thrice
    return copied(root, tmp_path / "project"), versions


def test_a_training_that_is_not_promoted_is_the_challenger(trained_thrice):
    """In MLflow and in the log, with the reason; the one before it took the champion's place and no challenger's."""
    root, (first, second, third) = trained_thrice
    assert (second, third) == (mlflow_alias(root, "champion"), mlflow_alias(root, "challenger"))
    moves = [(one["alias"], one["model_version"], one["previous_version"]) for one in facts(root, "promotions")]
    assert [("champion", first, None), ("champion", second, first), ("challenger", third, None)] == moves
    assert "trained; the gate was not passed" == facts(root, "promotions")[2]["reason"]


def test_models_tells_each_version_with_its_gate_role_and_time_in_use(trained_thrice):
    root, versions = trained_thrice
    told = ok(call("models", "churn", "--project", root, "--json")).json["versions"]
    assert versions == [one["version"] for one in told]
    assert [True, True, False] == [one["gate_passed"] for one in told]
    assert [None, "champion", "challenger"] == [one["role"] for one in told]
    assert [True] * 3 == [one["kept"] for one in told]
    assert all(0.6 < one["auc"] < 0.95 and one["trained_until"].startswith("2026-06-30") for one in told)
    first, second, third = (one["live"] for one in told)
    assert first[0]["to"] == second[0]["from"]
    assert second[0]["to"] is None
    assert [] == third
    said = ok(call("models", "churn", "--project", root)).out
    assert re.search(rf"{versions[2]} +2026-06-30 +0\.\d{{3}} +not passed +challenger", said)
    assert max(map(len, said.splitlines())) <= 100


def test_models_on_a_day_answers_from_the_log(trained_thrice):
    """Both champions of today in their order, each with who and why; nobody on a day before the first."""
    root, (first, second, _) = trained_thrice
    [today] = ok(call("models", "churn", "--on", TODAY, "--project", root, "--json")).json["models"]
    assert [first, second] == [one["version"] for one in today["live"]]
    assert ["the gate was passed"] * 2 == [one["why"] for one in today["live"]]
    [before] = ok(call("models", "churn", "--on", "2026-01-01", "--project", root, "--json")).json["models"]
    assert [] == before["live"]
    assert "nothing was in use on 2026-01-01; the first was promoted on" in (
        ok(call("models", "churn", "--on", "2026-01-01", "--project", root)).out
    )


def test_a_version_that_did_not_pass_is_promoted_only_on_ones_own_responsibility(three):
    """Exit code 5 and nothing moved; with --despite-gate it is champion, and the log says who and why."""
    project, (_, second, third) = three
    before = facts(project, "promotions")
    said = call("promote", "churn", third, "--why", "I like it", "--project", project)
    refused(said, 5, f"version {third} of churn has not passed its gate")
    assert before == facts(project, "promotions")
    assert second == mlflow_alias(project, "champion")
    told = ok(
        call("promote", "churn", third[:6], "--despite-gate", "--why", "the  old one is broken", "--project", project,
             "--json")
    ).json  # fmt: skip
    assert (third, second, True) == (told["version"], told["previous"], told["moved"])
    last = facts(project, "promotions")[-1]
    assert ("champion", third, second) == (last["alias"], last["model_version"], last["previous_version"])
    assert "the old one is broken" == last["reason"]
    assert {"passed": False} == json.loads(last["gate"])
    assert last["moved_by"]
    # What was promoted is no candidate any more.
    assert (third, None) == (mlflow_alias(project, "champion"), mlflow_alias(project, "challenger"))
    roles = {one["version"]: one["role"] for one in ok(call("models", "--project", project, "--json")).json["versions"]}
    assert ["champion"] == [role for role in roles.values() if role]
    assert third == ok(call("score", "--as-of", END, "--project", project, "--json")).json["model_version"]


def test_promoting_the_champion_moves_nothing(three):
    project, (_, second, _) = three
    before = facts(project, "promotions")
    said = ok(call("promote", "churn", second, "--why", "again", "--project", project))
    assert "is the champion already; nothing was changed" in said.out
    assert before == facts(project, "promotions")


def test_rollback_goes_back_one_by_one_and_training_does_not_undo_it(three):
    """From the third to the second to the first; the version that was left waits for a person, gate or no gate."""
    project, (first, second, third) = three
    ok(call("promote", "churn", third, "--despite-gate", "--why", "try", "--project", project))
    assert second == ok(call("rollback", "churn", "--project", project, "--json")).json["version"]
    told = ok(call("rollback", "churn", "--why", "lists look odd", "--project", project, "--json")).json
    assert (first, second) == (told["version"], told["previous"])
    assert first == mlflow_alias(project, "champion")
    last = facts(project, "promotions")[-1]
    assert ("lists look odd", {"rolled_back": second}) == (last["reason"], json.loads(last["gate"]))
    said = call("rollback", "churn", "--project", project)
    refused(said, 6, "the model churn has no version to go back to")
    # The files of the second version again: it passes its gate, and stays where it was put.
    own = project / "configs" / "demo" / "models" / "churn.yaml"
    own.write_text(own.read_text().replace("seed: 1", "seed: 2"))
    again = ok(call("train", "churn", "--project", project, "--json")).json
    assert (second, False, first) == (again["version"], again["promoted"], again["champion"])
    [held] = [note for note in again["notes"] if "rolled back" in note]
    assert f"was rolled back on {TODAY} " in held
    assert "(lists look odd)" in held
    assert f"`churnwatch promote churn {second} --why …` does" in held
    assert (first, second) == (mlflow_alias(project, "champion"), mlflow_alias(project, "challenger"))


def test_rollback_without_the_kept_copy_fetches_and_verifies_it(three):
    """A copy that is gone, and one that is damaged, come back from MLflow; a damaged one there is refused."""
    project, (first, second, _) = three
    copy = project / "state" / "demo" / "models" / "demo.churn" / first
    whole = {path.name: path.read_bytes() for path in copy.iterdir()}
    shutil.rmtree(copy)
    told = ok(call("rollback", "churn", "--project", project, "--json")).json
    assert (first, True) == (told["version"], told["fetched"])
    assert whole == {path.name: path.read_bytes() for path in copy.iterdir()}
    ok(call("promote", "churn", second, "--why", "and back", "--project", project))
    (copy / "booster.txt").write_bytes(whole["booster.txt"][:-5])
    assert ok(call("rollback", "churn", "--project", project, "--json")).json["fetched"]
    assert whole == {path.name: path.read_bytes() for path in copy.iterdir()}
    # The champion promoted again is no move, but its copy is mended, and that is said.
    (copy / "booster.txt").write_bytes(whole["booster.txt"][:-5])
    said = ok(call("promote", "churn", first, "--why", "mend", "--project", project))
    assert "is the champion already; its copy under state/ was gone or damaged" in " ".join(said.out.split())
    assert whole == {path.name: path.read_bytes() for path in copy.iterdir()}


def test_a_bundle_that_is_damaged_everywhere_is_not_rolled_back_to(three):
    """Neither the kept copy nor MLflow's is whole: exit code 6, and the champion stays."""
    project, (first, second, _) = three
    # A copied project's store names the original's artifacts; this damages its own, so point the store at them.
    with sqlite3.connect(project / "state" / "demo" / "mlflow.db") as con:
        [(location,)] = con.execute(
            "select artifact_location from logged_models where model_id = "
            "(select substr(source, 9) from model_versions where version = 1)"
        ).fetchall()
        mine = (project / location.split("/project/")[1]) if "/project/" in location else None
        mine = mine or project / "state" / "demo" / "mlartifacts" / location.split("/mlartifacts/")[1]
        con.execute("update logged_models set artifact_location = ?", (mine.as_uri(),))
        con.execute("update model_versions set storage_location = ? where version = 1", (mine.as_uri(),))
    con.close()
    [booster] = mine.rglob("booster.txt")
    booster.write_bytes(booster.read_bytes().replace(b"leaf_value=", b"leaf_value=1", 1))
    shutil.rmtree(project / "state" / "demo" / "models" / "demo.churn" / first)
    before = facts(project, "promotions")
    refused(call("rollback", "churn", "--project", project), 6, "sha256")
    assert before == facts(project, "promotions")
    assert second == mlflow_alias(project, "champion")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("promote", "churn", "ffffffffffff", "--why", "x"), 6, "there is no version ffffffffffff of churn"),
        (("promote", "churn", "1", "--why", "x"), 6, "there is no version 1 of churn"),
        (("promote", "chrun", "ffffffffffff", "--why", "x"), 3, "there is no model chrun"),
        (("rollback", "inactivity"), 6, "the model inactivity has no version to go back to: none was in use yet"),
        (("rollback", "churn"), 6, "is the first that was in use"),
        (("models", "chrun"), 3, "there is no model chrun"),
        (("verify-model", "chrun"), 3, "there is no model chrun"),
        (("verify-model", "inactivity"), 6, "the model inactivity has no champion yet"),
        (("verify-model", "churn", "--version", "ffffffffffff"), 6, "there is no version ffffffffffff"),
    ],
)
def test_what_is_not_there_is_one_message(arguments, code, told, project):
    before = facts(project, "promotions")
    refused(call(*arguments, "--project", project), code, told)
    assert before == facts(project, "promotions")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("promote", "churn", "ffffffffffff"), "Missing option"),
        (("promote", "churn", "ffffffffffff", "--why", "  "), "the reason is empty"),
        (("models", "--on", "2026-02-30"), "--on: 2026-02-30 is no day"),
        (("models", "--on", "yesterday"), "--on: yesterday is no day"),
        (("models", "--on", "2199-01-01"), "2199-01-01 is yet to come"),
    ],
)
def test_a_wrong_question_is_usage(arguments, told, company):
    said = call(*arguments, "--project", company.root)
    assert 2 == said.code
    assert told in " ".join(said.err.split())
    assert "" == said.out


def test_before_the_first_training_there_are_no_versions(untrained):
    assert [] == ok(call("models", "--project", untrained, "--json")).json["versions"]
    assert "No version of churn is trained yet: `churnwatch train churn`." in (
        ok(call("models", "churn", "--project", untrained)).out
    )
    [one] = ok(call("models", "churn", "--on", TODAY, "--project", untrained, "--json")).json["models"]
    assert [] == one["live"]
    assert not (untrained / "state").exists()


@pytest.mark.slow
def test_a_model_learned_again_comes_out_the_same(three):
    """Not by the files as they are now: by the catalogue, model file and clock of the training."""
    project, (first, _, third) = three
    silence = project / "features" / "silence.yaml"
    silence.write_text(silence.read_text().replace("where: {kind: usage}", "where: {kind: [usage, visit]}"))
    before = tree(project)
    for version in (first, third):
        told = ok(call("verify-model", "churn", "--version", version, "--project", project, "--json")).json
        assert (True, version, []) == (told["same"], told["version_again"], told["differences"])
        assert told["metrics"] > 40
        assert not told["fetched"]
    changed = {name for name, digest in tree(project).items() if before.get(name) != digest}
    assert changed <= {"state/demo/mlflow.db"}
    # What it learned beside was not the damaged copy that scoring refused: it says so.
    (project / "state" / "demo" / "models" / "demo.churn" / first / "booster.txt").write_text("tree\n")
    said = ok(call("verify-model", "churn", "--version", first, "--project", project))
    assert "its copy under state/ was gone or damaged, and was fetched again" in " ".join(said.out.split())


def test_a_metric_that_was_logged_otherwise_fails_the_verification(project, company):
    """One unit in the last place of one metric: exit code 5, its name, what was logged and what came out."""
    with sqlite3.connect(project / "state" / "demo" / "mlflow.db") as con:
        [(auc,)] = con.execute("select value from latest_metrics where key = 'auc'").fetchall()
        con.execute("update latest_metrics set value = ? where key = 'auc'", (auc + 2**-53,))
    con.close()
    said = call("verify-model", "churn", "--project", project, "--json")
    assert 5 == said.code
    assert "does not come out the same: auc\n" in said.err
    assert [{"what": "auc", "logged": auc + 2**-53, "found": auc}] == said.json["differences"]
    assert company.said.json["train"]["version"] == said.json["version_again"]
    assert "0." in call("verify-model", "churn", "--project", project).out


def test_other_data_are_refused_by_the_name_of_the_source(project):
    """A row more in one file: exit code 5 before anything is learned; the others are not named."""
    with (project / "data" / "visits.csv").open("a") as file:
        file.write("\n")
    said = call("verify-model", "churn", "--project", project)
    refused(said, 5, "the data are not those version", ": visits (visits.csv) changed")
    (project / "data" / "agents.csv").unlink()
    refused(call("verify-model", "churn", "--project", project), 5, "team (agents.csv), visits (visits.csv) changed")


def test_other_project_files_are_refused_unless_they_say_the_same(project):
    """A comment is no change; another capacity is, as figures at capacity depend on it."""
    outreach = project / "configs" / "demo" / "outreach.yaml"
    text = outreach.read_text()
    outreach.write_text(f"# a remark\n{text}")
    ok(call("verify-model", "churn", "--project", project))
    changed = re.sub(r"^capacity: \d+", "capacity: 9", text, flags=re.M)
    assert changed != text
    outreach.write_text(changed)
    refused(call("verify-model", "churn", "--project", project), 5, "outreach.yaml changed")


def test_a_run_says_what_it_was_made_from_and_nothing_of_the_machine(project, company):
    """Hashes of data, files and catalogue, git state, the clock; no path, no user, no customer."""
    version = company.said.json["train"]["version"]
    found = registered(store_uri(project / "state" / "demo"), "demo.churn", version)
    told = YAML(typ="safe", pure=True).load(project / "configs" / "demo" / "sources.yaml")
    sources = set(told["sources"])
    hashed = {tag.removeprefix("churnwatch.data.") for tag in found.tags if tag.startswith("churnwatch.data.")}
    assert sources == hashed != set()
    assert all(re.fullmatch("[0-9a-f]{64}", found.tags[f"churnwatch.data.{name}"]) for name in sources)
    for tag in ("churnwatch.data", "churnwatch.catalogue", "churnwatch.model_file", "churnwatch.config.sources.yaml"):
        assert re.fullmatch("[0-9a-f]{64}", found.tags[tag])
    assert found.tags["churnwatch.git"] in ("none", "clean", "dirty")
    assert datetime.fromisoformat(found.tags["churnwatch.now"]).tzinfo
    [artifacts] = (project / "state" / "demo" / "mlartifacts").glob(f"{found.run_id}/artifacts")
    environment = json.loads((artifacts / "environment.json").read_text())
    assert {"python", "implementation", "platform", "packages"} == set(environment)
    assert environment["packages"]["lightgbm"].startswith("4.")
    evaluation = json.loads((artifacts / "evaluation.json").read_text())
    assert len(company.said.json["train"]["slices"]) == len(evaluation["slices"])
    told = [*found.tags.values(), *found.tags, json.dumps(environment)]
    own = (str(Path.home()), str(company.root), "/home/", "/tmp/")
    assert [] == [text for text in told if any(path in text for path in own)]


def test_the_git_state_is_the_commit_and_whether_the_files_are_as_committed(tmp_path):
    from churnwatch.runs.provenance import git_state

    assert ("none", None) == git_state(tmp_path)

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "contact.yaml").write_text("family: contact\n")
    assert ("none", None) == git_state(tmp_path)
    git("add", "-A")
    git("commit", "-qm", "all")
    commit = git("rev-parse", "HEAD")
    assert ("clean", commit) == git_state(tmp_path)
    (tmp_path / "data.csv").write_text("1\n")
    assert ("clean", commit) == git_state(tmp_path)
    (tmp_path / "features" / "contact.yaml").write_text("family: contacts\n")
    assert ("dirty", commit) == git_state(tmp_path)
