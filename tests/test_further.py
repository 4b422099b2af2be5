"""Further models on the list: a real second model beside the listing model, from training to the rows."""

from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from command_line import END, call, copied, facts, forget_ledger, ok, refused, tree

from churnwatch.learner import contributions
from churnwatch.ledger import record_promotion
from churnwatch.runs.daily import counts_told, daily
from churnwatch.runs.explain import explain
from churnwatch.runs.further import reasons_of, score_further
from churnwatch.runs.score import scores
from churnwatch.runs.train import train
from churnwatch.runs.workspace import ledger, load_tables, open_workspace

DAY, NOW = date.fromisoformat(END), datetime(2026, 7, 2, tzinfo=UTC)
QUICK = {
    "every: 14d": "every: 30d",
    "rounds: 300": "rounds: 40",
    "folds: 12 ": "folds: 2 ",
    "test_slices: 5": "test_slices: 2",
    "min_data_in_leaf: 200": "min_data_in_leaf: 40",
    "minimum_outcomes: 100": "minimum_outcomes: 20",
    "logistic_margin: 0.01": "logistic_margin: 0.1",
}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def uses(root, names):
    """The deployment's file with these further models."""
    path = root / "configs" / "demo" / "deployment.yaml"
    lines = [
        f"also: [{', '.join(names)}]" if line.startswith("also:") else line for line in path.read_text().split("\n")
    ]
    path.write_text("\n".join(lines))


def workspace_of(root):
    return open_workspace(root, deployment="demo", data=None, now=NOW)


def promoted(root, model, version):
    """The ledger says that this version is in use."""
    with ledger(workspace_of(root)) as engine:
        record_promotion(
            engine, deployment="demo", model=model, model_version=version,
            moved_at=NOW, by="test", reason="gate passed", gate={},
        )  # fmt: skip


@pytest.fixture(scope="module")
def second(company, tmp_path_factory):
    """The company with a trained second model under ``also``, and its list of the last day; nobody writes into it."""
    root = tmp_path_factory.mktemp("further") / "project"
    copied(company.root, root, without=("out",))
    text = (root / "models" / "inactivity.yaml").read_text()
    for old, new in QUICK.items():
        assert old in text
        text = text.replace(old, new)
    (root / "configs" / "demo" / "models" / "inactivity.yaml").write_text(text)
    uses(root, ["inactivity"])
    alone(root)
    workspace = workspace_of(root)
    trained = train(workspace, "inactivity", by="test")
    assert trained.champion == trained.version
    daily(workspace, day=DAY, rerun="correct")
    return root


def alone(root):
    """No proactive rows and nobody held out, so that what is tested is of the models."""
    path = root / "configs" / "demo" / "outreach.yaml"
    text, times = re.subn(r"(?ms)^holdout:.*?^surveys:", "holdout: {share: 0}\nsurveys:", path.read_text())
    assert times == 1
    path.write_text(text)


@pytest.fixture
def project(second, tmp_path):
    """A copy of it, this test's own."""
    return copied(second, tmp_path / "project")


def rows_of(root, day=END):
    with (root / "out" / "demo" / day / "outreach.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def scores_of(root):
    return pq.read_table(root / "out" / "demo" / END / "scores.parquet").to_pylist()


def verified(root):
    told = ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", root, "--json")).json
    return told["status"] == "verified"


def manifest(root, day=END):
    return json.loads((root / "out" / "demo" / day / "run.json").read_text())


def table(root, name):
    with (root / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def parts(rows):
    """The listing model's rows, and the further model's."""
    return [[row for row in rows if row["listed_for"] == name] for name in ("churn", "inactivity")]


def reasons(row):
    return [row[key] for key in ("reason_1", "reason_2", "reason_3") if row[key]]


# --- who


def test_the_further_models_rows_follow_the_listing_models_under_the_same_capacity(second):
    """Nobody has more rows than a day holds; a quarter of a full day is theirs, and they fill what the others leave."""
    rows = rows_of(second)
    leaving, growing = parts(rows)
    assert leaving + growing == rows
    assert len(growing) > 10
    assert len({row["customer"] for row in rows}) == len(rows)
    capacity = {agent["agent_no"]: int(agent["daily_capacity"]) for agent in table(second, "agents")}
    for owner, places in capacity.items():
        mine = [row for row in rows if row["owner"] == owner]
        assert len(mine) <= places
        theirs = sum(row["listed_for"] == "inactivity" for row in mine)
        kept = {2: 0, 3: 1, 4: 1, 5: 1, 6: 1, 7: 2, 8: 2}[places]
        if theirs > kept:  # the leaving left room: every one of them who may be listed is
            wanted = worthy(second, owner)
            assert len(mine) - theirs == len(wanted)


def worthy(root, owner):
    """Whom the listing model would list of an owner's, had the day no end."""
    may = {
        one["customer_no"]
        for one in table(root, "customers")
        if one["account_manager"] == owner and one["may_contact"] != "no"
    }
    return {one["customer_id"] for one in scores_of(root) if one["band"] != "healthy"} & may


def test_they_are_healthy_by_the_listing_model_high_and_growing_by_their_own(second):
    """Two scores of two days, built apart, say the same as the one build of both."""
    _, growing = parts(rows_of(second))
    workspace = workspace_of(second)
    tables = load_tables(workspace)
    now, before = (
        scores(workspace, tables, "inactivity", day=day).frame.set_index("customer_id")
        for day in (DAY, DAY - timedelta(days=28))
    )
    for row in growing:
        who = row["customer"]
        assert ("healthy", "inactivity") == (row["band"], row["also_model"])
        assert (f"{now['risk'][who]:.4f}", now["band"][who]) == (row["also_risk"], row["also_band"])
        assert row["also_band"] != "healthy"
        assert f"{now['risk'][who] - before['risk'][who]:.4f}" == row["also_change"]
        assert float(row["also_change"]) >= 0.01
    fees = {one["customer_no"]: float(one["monthly_fee_idr"]) for one in table(second, "customers")}
    order = [(-now["risk"][row["customer"]] * fees[row["customer"]], row["customer"]) for row in growing]
    assert sorted(order) == order


def test_every_row_carries_both_numbers_and_the_version_that_lists_it(second):
    """Those of the leaving too, as far as the second model observes them: who buys."""
    leaving, growing = parts(rows_of(second))
    told = manifest(second)
    [also] = told["also"]
    assert {told["model_version"]} == {row["model_version"] for row in leaving}
    assert {also["model_version"]} == {row["model_version"] for row in growing}
    scored = {
        one["customer_id"]: one for one in pq.read_table(second / "out/demo" / END / "scores.parquet").to_pylist()
    }
    beside = 0
    for row in leaving + growing:
        one = scored[row["customer"]]
        assert f"{one['risk']:.4f}" == row["risk"]
        assert row["also_risk"] == ("" if one["inactivity_band"] is None else f"{one['inactivity_risk']:.4f}")
        assert ("", "") == (row["expected_score"], row["expected_change"])
        beside += row["also_risk"] != ""
    assert len(growing) < beside < len(leaving) + len(growing)


@pytest.mark.slow
def test_their_reasons_are_of_surveys_and_service_where_there_are_such(second):
    """The columns behind the sentences, as explain tells them: of the four families, or none of them says anything."""
    families = {}
    for family in workspace_of(second).spec.families:
        families |= {column.name: family.family for column in family.columns}
    first = {"surveys", "service", "contact", "wording", "fulfilment"}
    language = {agent["agent_no"]: agent["language"] for agent in table(second, "agents")}
    workspace = workspace_of(second)
    _, growing = parts(rows_of(second))
    with_such = 0
    for row in growing[:12]:
        [also] = explain(workspace, row["customer"], day=DAY, language=language[row["owner"]]).as_json()["also"]
        assert reasons(row) == [reason["sentence"] for reason in also["reasons"]]
        used = {families[reason["column"]] for reason in also["reasons"]}
        assert used <= first or not used & first
        with_such += bool(used & first)
        assert (row["also_risk"], row["also_change"]) == (f"{also['risk']:.4f}", f"{also['change']:.4f}")
        assert (row["model_version"], row["also_band"]) == (also["model_version"], also["band"])
        shares = [abs(one["contribution"]) for one in also["signals"]]
        assert sorted(shares, reverse=True) == shares
    assert with_such > 3


def test_everybody_is_counted_once_and_the_sentence_says_whose_the_rows_are(second):
    told = manifest(second)
    leaving, growing = parts(rows_of(second))
    counts = told["counts"]
    assert counts["observed"] == sum(n for name, n in counts.items() if name != "observed")
    assert counts["listed"] == len(leaving) + len(growing)
    [also] = told["also"]
    assert ("inactivity", len(growing)) == (also["model"], also["listed"])
    listed = f"{counts['listed']} listed ({len(leaving)} leaving, {len(growing)} not leaving yet, for inactivity)"
    assert f"{counts['observed']} observed = {listed} + " in counts_told(counts, told["also"])
    shown = ok(call("daily", "--as-of", END, "--project", second)).out
    assert listed in " ".join(shown.split())
    assert 3 == shown.count("early sign")


# --- the ledger, and making it again


def test_the_ledger_keeps_whose_row_it_is_and_both_numbers(second):
    issued = facts(second, "lists")[-1]
    [also] = manifest(second)["also"]
    assert [["inactivity", also["model_version"]]] == json.loads(issued["also"])
    kept = {row["customer_id"]: row for row in facts(second, "list_rows") if row["list_id"] == issued["list_id"]}
    for row in rows_of(second):
        one = kept[row["customer"]]
        assert (row["listed_for"], row["also_model"]) == (one["listed_for"], one["also_model"] or "")
        assert row["also_risk"] == ("" if one["also_risk"] is None else f"{one['also_risk']:.4f}")


def test_verify_uses_the_version_the_list_was_made_by_and_a_new_list_the_one_in_use(project):
    """Another version is promoted since, and the file names no further model any more: the same bytes all the same."""
    promoted(project, "inactivity", "ffffffffffff")
    before = tree(project), facts(project, "lists")
    assert verified(project)
    uses(project, [])
    assert (
        "verified"
        == ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", project, "--json")).json["status"]
    )
    assert before == (tree(project), facts(project, "lists"))
    uses(project, ["inactivity"])
    refused(call("daily", "--as-of", "2026-06-24", "--project", project), 6, "ffffffffffff")


def test_a_list_whose_directory_is_gone_comes_back_whole(project):
    directory = project / "out" / "demo" / END
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}
    told = manifest(project)["also"]
    shutil.rmtree(directory)
    assert "skipped" == ok(call("daily", "--as-of", END, "--project", project, "--json")).json["status"]
    assert before == {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}
    assert told == manifest(project)["also"]


def test_change_is_of_the_risk_of_leaving_also_for_whom_another_model_listed_before(project):
    """On the earlier list by the second model, today by the first, or the other way round: churn's own numbers."""
    ok(call("daily", "--as-of", "2026-06-24", "--project", project))
    ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project))
    earlier = {row["customer"]: row for row in rows_of(project, "2026-06-24")}
    again = [row for row in rows_of(project) if row["customer"] in earlier]
    assert {("churn", "churn"), ("inactivity", "inactivity")} <= {
        (earlier[row["customer"]]["listed_for"], row["listed_for"]) for row in again
    }
    for row in again:
        difference = float(row["risk"]) - float(earlier[row["customer"]]["risk"])
        assert abs(difference - float(row["change"])) < 0.00011


# --- what may be missing


def test_without_a_champion_the_list_goes_on_and_says_so_to_the_operator(company, tmp_path):
    """The same bytes as without a further model; the warning is in run.json and on the terminal, not on the page."""
    root = copied(company.root, tmp_path / "project")
    directory = root / "out" / "demo" / END
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}
    uses(root, ["inactivity"])
    shutil.rmtree(root / "out")
    shutil.rmtree(root / "state" / "demo" / "mlartifacts")
    forget_ledger(root)
    promoted(root, "churn", company.said.json["train"]["version"])
    said = ok(call("daily", "--as-of", END, "--project", root, "--json"))
    assert before == {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}
    [why] = [one for one in said.json["warnings"] if "no champion yet" in one]
    assert "The model inactivity (`also` in deployment.yaml) has no champion yet" in why
    assert "no champion" not in (directory / "outreach.html").read_text()
    [also] = manifest(root)["also"]
    assert (None, 0) == (also["model_version"], also["listed"])
    told = ok(call("explain", said.json["rows"][0]["customer"], "--as-of", END, "--project", root))
    assert "has no champion yet" in told.out


def test_beside_a_baseline_the_kept_places_are_the_further_models(project):
    """Everybody is worthy by a baseline; whom the second model wants is its row, with a risk and reasons of its own."""
    ok(call("daily", "--as-of", END, "--baseline", "recency", "--rerun", "correct", "--project", project))
    leaving, growing = parts(rows_of(project))
    assert len(growing) > 5
    assert {("baseline:recency", "")} == {(row["listed_by"], row["risk"]) for row in leaving}
    assert {("model", "", "")} == {(row["listed_by"], row["risk"], row["band"]) for row in growing}
    assert all(float(row["also_risk"]) > 0 and reasons(row) for row in growing)
    page = (project / "out" / "demo" / END / "outreach.html").read_text()
    assert "Early sign" in page
    assert "not leaving yet" not in page
    shown = ok(call("daily", "--as-of", END, "--baseline", "recency", "--project", project)).out
    assert "early sign" in shown
    assert (
        "verified"
        == ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", project, "--json")).json["status"]
    )


def test_a_cold_start_lists_by_the_rule_score_and_the_further_model(project):
    """Too few who left to train on, and no champion: the second model's rows stand beside the rule score's."""
    edit(project / "configs" / "demo" / "models" / "churn.yaml", "minimum_outcomes: 20", "minimum_outcomes: 5000")
    version = manifest(project)["also"][0]["model_version"]
    forget_ledger(project)
    promoted(project, "inactivity", version)
    shutil.rmtree(project / "out")
    told = ok(call("daily", "--as-of", END, "--project", project, "--json")).json
    by = [(row["listed_for"], row["listed_by"]) for row in told["rows"]]
    assert {("churn", "baseline:health"), ("inactivity", "model")} == set(by)
    assert all(row["rule_score"] is not None for row in told["rows"])


def test_without_owners_the_kept_places_are_of_the_whole_list(project):
    sources = project / "configs" / "demo" / "sources.yaml"
    edit(sources, "        owner: account_manager\n", "")
    ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project))
    leaving, growing = parts(rows_of(project))
    places = int(0.05 * manifest(project)["counts"]["observed"] + 0.5)
    assert places == len(leaving) + len(growing)
    assert -(-(places - 2) // 4) == len(growing)  # a quarter, to the nearest, a half down


def test_also_share_and_also_reasons_are_the_deployments(project):
    """All places, and any reason: the second model's rows first filled, worded by what weighs most."""
    path = project / "configs" / "demo" / "outreach.yaml"
    path.write_text(path.read_text() + "also_share: 1.0\nalso_reasons: []\n")
    before = parts(rows_of(project))
    ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project))
    after = parts(rows_of(project))
    assert len(after[1]) > len(before[1])
    assert len(after[0]) < len(before[0])
    same = {row["customer"]: row for row in after[1]}
    assert [] != [
        row for row in before[1] if row["customer"] in same and reasons(same[row["customer"]]) != reasons(row)
    ]


def test_who_was_not_observed_four_weeks_before_is_not_known_to_grow(second):
    """In the first weeks of the data nobody was: said in a sentence, and nobody is listed for it."""
    workspace = workspace_of(second)
    tables = load_tables(workspace)
    [(first,)] = tables.con.execute("select min(\"at\") from interactions where kind = 'purchase'").fetchall()
    found = score_further(workspace, tables, "inactivity", day=first.date() + timedelta(days=20))
    assert len(found.frame) > 5
    assert not found.frame["grows"].any()
    assert "nobody was observed 28 days before, so no risk can be seen to grow." in found.warnings


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("deployment.yaml", "also: [churn]", "the model churn is in use twice"),
        ("deployment.yaml", "also: [inactivity, inactivity]", "the model inactivity is in use twice"),
        ("deployment.yaml", "also: [inactivty]", "inactivity?"),
        ("outreach.yaml", "also_share: 1.5", "also_share"),
        ("outreach.yaml", "also_reasons: [survey]", "surveys?"),
    ],
)
def test_a_mistake_in_the_files_is_one_message(second, tmp_path, file, line, told):
    root = tmp_path / "project"
    copied(second, root, without=("state", "out", "data"))
    path = root / "configs" / "demo" / file
    kept = [one for one in path.read_text().split("\n") if not one.startswith(line.partition(":")[0] + ":")]
    path.write_text("\n".join([*kept, line, ""]))
    said = call("check", "--project", root)
    assert (3, "", False) == (said.code, said.out, "Traceback" in said.err)
    assert f"configs/demo/{file}:" in said.err
    assert told in said.err


# --- satisfaction


@pytest.mark.slow
def test_a_model_of_satisfaction_marks_the_unhappy_with_their_expected_score_and_stands_before_the_others(project):
    """Two further models: the first in the file's order comes first; the score and its change are those of two days."""
    text = (project / "models" / "satisfaction.yaml").read_text()
    for key, value in (("rounds", 40), ("min_data_in_leaf", 40), ("minimum_outcomes", 20), ("test_slices", 2)):
        text = re.sub(rf"{key}: \d+", f"{key}: {value}", text)
    (project / "configs" / "demo" / "models" / "satisfaction.yaml").write_text(text)
    uses(project, ["satisfaction", "inactivity"])
    agents = project / "data" / "agents.csv"  # days so long that both models have rows
    agents.write_text(re.sub(r',"(en|id)",\d+,', r',"\1",10,', agents.read_text()))
    outreach = project / "configs" / "demo" / "outreach.yaml"
    outreach.write_text(outreach.read_text() + "also_share: 1.0\n")
    workspace = workspace_of(project)
    trained = train(workspace, "satisfaction", by="test")
    if not trained.promoted:  # so small a company has few answers
        promoted(project, "satisfaction", trained.version)
    daily(workspace, day=DAY, rerun="correct")
    rows = rows_of(project)
    unhappy = [row for row in rows if row["listed_for"] == "satisfaction"]
    _, growing = parts(rows)
    assert min(len(unhappy), len(growing)) > 5
    assert rows[-len(growing) - len(unhappy) :] == [*unhappy, *growing]
    tables = load_tables(workspace)
    now, before = (
        scores(workspace, tables, "satisfaction", day=day).frame.set_index("customer_id")
        for day in (DAY, DAY - timedelta(days=28))
    )
    for row in rows:
        who = row["customer"]
        if row["also_model"] == "satisfaction":
            assert f"{now['expected_score'][who]:.4f}" == row["expected_score"]
            if who in before.index:
                change = now["expected_score"][who] - before["expected_score"][who]
                assert abs(change - float(row["expected_change"])) < 0.00006
    # Of the growing, the numbers are those of the model that lists them.
    assert {("satisfaction", True), ("inactivity", False)} == {
        (row["also_model"], row["expected_score"] != "") for row in unhappy + growing
    }
    assert all(float(row["expected_change"]) < 0 for row in unhappy)
    page = (project / "out" / "demo" / END / "outreach.html").read_text()
    for word in ("Growing unhappy", "Makin tidak puas", "Early sign", "Tanda awal", "Expected score", "Perkiraan skor"):
        assert word in page
    shown = ok(call("daily", "--as-of", END, "--project", project)).out
    said = f"{len(unhappy)} not leaving yet, for satisfaction, {len(growing)} not leaving yet, for inactivity)"
    assert said in " ".join(shown.split())
    assert "growing unhappy" in shown
    shown = ok(call("daily", "--as-of", END, "--project", project, "--lang", "id")).out
    assert f"{len(unhappy)} belum akan berhenti, untuk satisfaction" in " ".join(shown.split())
    told = ok(call("explain", unhappy[0]["customer"], "--as-of", END, "--project", project)).out
    score = round(100 * now["expected_score"][unhappy[0]["customer"]])
    assert f"Expected score {score} of 100, " in told
    assert "Risk of a bad answer" in told
    assert "Risk of leaving" in told
    assert verified(project)
    answers_list(project, now)


def answers_list(project, now):
    """The model of satisfaction lists, that of leaving beside it: every word is of answers, the score is its own."""
    edit(project / "configs" / "demo" / "deployment.yaml", "listing_model: churn", "listing_model: satisfaction")
    uses(project, ["churn"])
    ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project))
    rows = rows_of(project)
    for row in rows:
        assert f"{now['risk'][row['customer']]:.4f}" == row["risk"]
        assert (f"{now['expected_score'][row['customer']]:.4f}", "") == (row["expected_score"], row["expected_change"])
    beside = sum(row["listed_for"] == "churn" for row in rows)
    page = (project / "out" / "demo" / END / "outreach.html").read_text()
    assert "Risk of a bad answer" in page
    for wrong in ("Risk of leaving", "not leaving yet", "Risiko berhenti", "Growing unhappy"):
        assert wrong not in page
    own = len(rows) - beside
    for language, said in (
        ("en", (f"({own} unhappy, {beside} not unhappy yet, for churn)", "bad answer ", "was issued before")),
        ("id", (f"({own} tidak puas, {beside} belum tergolong tidak puas", "jawaban buruk ", "sudah terbit")),
    ):
        shown = " ".join(ok(call("daily", "--as-of", END, "--project", project, "--lang", language)).out.split())
        for words in said:
            assert words in shown
        assert "leaving" not in shown
    told = ok(call("explain", rows[0]["customer"], "--as-of", END, "--project", project)).out
    assert f"Risk of a bad answer {float(rows[0]['risk']):.0%}" in told
    assert f"Expected score {round(100 * now['expected_score'][rows[0]['customer']])} of 100" in told
    assert "Risk of leaving" not in told
    assert verified(project)


def test_the_sum_line_marks_thousands_in_both_languages():
    counts = {"observed": 13636, "listed": 1212, "below": 12000, "refused": 64, "spilled": 360}
    also = [{"model": "quiet", "model_version": "1", "listed": 1001}]
    assert (
        "13,636 observed = 1,212 listed (211 leaving, 1,001 not leaving yet, for quiet) + 12,000 below the listing "
        "band + 64 not to be contacted + 360 over capacity or left in peace for now"
    ) == counts_told(counts, also)
    assert (
        "13.636 diamati = 1.212 di daftar (211 tidak puas, 1.001 belum tergolong tidak puas, untuk quiet) + 12.000 di "
        "bawah tingkat daftar + 64 tidak boleh dihubungi + 360 di luar kapasitas atau belum diganggu dulu"
    ) == counts_told(counts, also, answers=True, language="id")
    assert "1,212 listed + 12,000" in counts_told(counts)


def test_where_nobody_is_over_capacity_the_sum_line_tells_nobody_left_in_peace():
    """Eleven are held out; no sum of the numbers told leaves 11 over."""
    counts = {"observed": 3632, "listed": 99, "below": 3458, "refused": 64, "spilled": 0, "held_out": 11}
    assert (
        "3,632 observed = 99 listed + 3,469 below the listing band or left in peace for now + 64 not to be contacted"
    ) == counts_told(counts)
    assert (
        "3.632 diamati = 99 di daftar + 3.466 di bawah tingkat daftar atau belum diganggu dulu + 64 tidak boleh "
        "dihubungi + 3 yang sudah menyatakan berhenti"
    ) == counts_told({**counts, "below": 3455, "announced": 3}, language="id")
    nobody_rests = counts_told({**counts, "below": 3469, "held_out": 0})
    assert counts_told(counts) == nobody_rests


def test_no_reason_of_a_further_model_lowers_its_risk(second):
    """Of everybody it observes; a sign of service may raise the risk and what says the same lower it by more."""
    workspace = workspace_of(second)
    one = score_further(workspace, load_tables(workspace), "inactivity", day=DAY)
    people = list(one.frame.index)
    shares = contributions(one.bundle.fitted, one.matrix.values)
    says = {column.name: column.signal.says or column.signal.name for column in one.matrix.columns}
    told = reasons_of(workspace, one, people, ["en"] * len(people))
    assert sum(map(len, told)) > 100
    for own, found in zip(shares, told, strict=True):
        for reason in found:
            alike = [says[name] == says[reason.column] for name in one.matrix.names]
            assert own[alike].sum() > 0


def test_explain_gives_no_reasons_to_the_healthy_whose_signs_lower_the_risk(second):
    """Of the least likely by the second model; in both languages one sentence says why there is none."""
    workspace = workspace_of(second)
    one = score_further(workspace, load_tables(workspace), "inactivity", day=DAY)
    least = one.frame["margin"].idxmin()
    [also] = explain(workspace, least, day=DAY, language="en").as_json()["also"]
    assert sum(sign["contribution"] for sign in also["signals"]) < 0
    assert ("healthy", []) == (also["band"], also["reasons"])
    for language, said in (("en", "the signs lower this risk"), ("id", "tanda-tandanya menurunkan risiko ini")):
        shown = ok(call("explain", least, "--as-of", END, "--project", second, "--lang", language)).out
        assert said in " ".join(shown.split())
