"""The daily list: issued once, made again, corrected; whom it names and whom never."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from command_line import END, ROOT, call, copied, environment, facts, ledger, ok, refused, tree, untouched
from openpyxl import load_workbook
from ruamel.yaml import YAML

import churnwatch.runs.cold_start
import churnwatch.runs.ranking
import churnwatch.runs.score
from churnwatch.runs.daily import daily
from churnwatch.runs.workspace import open_workspace

EARLIER = "2026-06-24"


def rows_of(directory):
    with (directory / "outreach.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(project, name):
    with (project / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def listed(company):
    """The rows of the last day's list."""
    rows = rows_of(company.root / "out" / "demo" / END)
    assert len(rows) > 20
    return rows


def reasons(row):
    return [row[key] for key in ("reason_1", "reason_2", "reason_3") if row[key]]


def test_every_row_says_whom_why_and_what_to_do(listed):
    assert [str(place) for place in range(1, len(listed) + 1)] == [row["rank"] for row in listed]
    for row in listed:
        assert 1 <= len(reasons(row)) <= 3
        for column in ("customer", "customer_name", "owner", "owner_name", "band", "action", "due", "model_version"):
            assert row[column]
        assert "model" == row["listed_by"]
        assert ("", "") == (row["outcome"], row["flag_wrong_reason"])


def test_every_reason_contains_a_number(listed):
    assert [] == [reason for row in listed for reason in reasons(row) if not re.search(r"\d", reason)]


def test_an_owner_reads_their_own_language(company, listed):
    """Both languages occur, and each row's action is the playbook's in the language of its owner."""
    playbook = YAML(typ="safe", pure=True).load(company.root / "configs" / "playbook.yaml")["actions"]
    language = {agent["agent_no"]: agent["language"] for agent in table(company.root, "agents")}
    assert {"en", "id"} == {language[row["owner"]] for row in listed}
    for row in listed:
        assert row["action"] in {action["title"][language[row["owner"]]] for action in playbook.values()}


def test_no_owner_is_over_capacity_though_more_would_fill_it(company, listed):
    capacity = {agent["agent_no"]: int(agent["daily_capacity"]) for agent in table(company.root, "agents")}
    count = {owner: sum(row["owner"] == owner for row in listed) for owner in capacity}
    assert [] == [owner for owner in capacity if count[owner] > capacity[owner]]
    assert [] != [owner for owner in capacity if count[owner] == capacity[owner]]
    assert 0 < company.said.json["daily"]["counts"]["spilled"]


def test_who_may_not_be_contacted_is_never_listed_however_high_the_risk(company, listed):
    refused_ = {one["customer_no"] for one in table(company.root, "customers") if one["may_contact"] == "no"}
    scored = pq.read_table(company.root / "out" / "demo" / END / "scores.parquet").to_pylist()
    least = min(float(row["risk"]) for row in listed)
    assert [] != [one for one in scored if one["customer_id"] in refused_ and one["risk"] > least]
    assert set() == refused_ & {row["customer"] for row in listed}


def test_a_row_stands_on_its_owners_list_or_says_why_on_anothers(company, listed):
    """Who is away hands over to the lead, whose own list it is then."""
    customers = {one["customer_no"]: one for one in table(company.root, "customers")}
    agents = {one["agent_no"]: one for one in table(company.root, "agents")}
    for row in listed:
        owner = customers[row["customer"]]["account_manager"]
        assert (owner, customers[row["customer"]]["full_name"]) == (row["account_owner"], row["customer_name"])
        assert row["owner"] == (agents[owner]["team_lead"] if row["handed"] else owner)
        assert (row["handed"] == "away") == bool(agents[owner]["away_from"]) or row["handed"] == "overflow"
    assert "away" in {row["handed"] for row in listed}


def test_the_rows_are_those_with_most_to_save_of_each_owner(company, listed):
    """Nobody who could be listed and is not has more risk times value than the last row of a full owner."""
    customers = {one["customer_no"]: one for one in table(company.root, "customers")}
    scored = pq.read_table(company.root / "out" / "demo" / END / "scores.parquet").to_pylist()
    worth = {
        one["customer_id"]: one["risk"] * float(customers[one["customer_id"]]["monthly_fee_idr"]) for one in scored
    }
    at_risk = [row for row in listed if not row["proactive"]]
    for row in at_risk:
        assert pytest.approx(worth[row["customer"]], abs=1e-3) == float(row["worth"])
    left_alone = {one["customer_id"] for one in facts(company.root, "assignments") if one["arm"] == "held_out"}
    assert not left_alone & {row["customer"] for row in listed}
    on = {row["customer"] for row in at_risk} | left_alone
    away = {one["agent_no"] for one in table(company.root, "agents") if one["away_from"]}
    last = {row["owner"]: worth[row["customer"]] for row in at_risk if not row["handed"]}
    for one in scored:
        customer = customers[one["customer_id"]]
        who = customer["account_manager"]
        if one["customer_id"] in on or customer["may_contact"] == "no" or one["band"] == "healthy" or who in away:
            continue
        assert worth[one["customer_id"]] <= last[who]


def test_risk_and_band_are_those_of_the_scores(company, listed):
    scored = pq.read_table(company.root / "out" / "demo" / END / "scores.parquet").to_pylist()
    by_customer = {one["customer_id"]: one for one in scored}
    assert len(scored) == len(by_customer) == company.said.json["daily"]["counts"]["observed"]
    for row in listed:
        assert f"{by_customer[row['customer']]['risk']:.4f}" == row["risk"]
        assert by_customer[row["customer"]]["band"] == row["band"]
        assert bool(row["proactive"]) == (row["band"] == "healthy")


def test_the_holdout_is_kept_and_never_shown(company, listed):
    """Who was decided on is in the ledger, and only the number of those left alone in run.json."""
    drawn = facts(company.root, "assignments")
    held = {one["customer_id"] for one in drawn if one["arm"] == "held_out"}
    manifest = json.loads((company.root / "out" / "demo" / END / "run.json").read_text())
    assert {row["customer"] for row in listed} == {one["customer_id"] for one in drawn} - held
    assert len(held) == manifest["counts"]["held_out"] > 0
    for name in ("outreach.csv", "outreach.html", "leavers.csv"):
        text = (company.root / "out" / "demo" / END / name).read_text()
        assert not [one for one in held if one in text]
        assert "held" not in text


def test_the_ledger_holds_the_list_as_issued(company, listed):
    [issued] = facts(company.root, "lists")
    assert (END, 1, None) == (issued["as_of"], issued["revision"], issued["baseline"])
    assert company.said.json["train"]["version"] == issued["model_version"]
    manifest = json.loads((company.root / "out" / "demo" / END / "run.json").read_text())
    assert manifest["files"] == json.loads(issued["files"])
    kept = sorted(facts(company.root, "list_rows"), key=lambda row: row["rank"])
    assert [row["customer"] for row in listed] == [row["customer_id"] for row in kept]
    assert [reasons(row) for row in listed] == [json.loads(row["reasons"]) for row in kept]
    assert ["train", "daily"] == [run["command"] for run in facts(company.root, "runs")]
    assert {"done"} == {run["status"] for run in facts(company.root, "runs")}


def test_the_same_day_again_is_skipped_also_when_an_agent_wrote_into_it(project):
    """The default: the list stands as it is, outcome filled in by hand and all."""
    path = project / "out" / "demo" / END / "outreach.csv"
    text = path.read_text()
    path.write_text(text.rstrip("\n") + "reached\n")
    with untouched(project):
        told = ok(call("daily", "--as-of", END, "--project", project, "--json")).json
    assert "skipped" == told["status"]
    assert len(text.splitlines()) - 1 == len(told["rows"])


@pytest.mark.parametrize(
    ("saved", "readable"),
    [("utf-8-sig", True), ("utf-16", False)],
)
def test_a_list_saved_by_a_spreadsheet_is_given_back_or_refused_in_words(project, saved, readable):
    """A byte-order mark does no harm; another encoding is one message, not a traceback."""
    path = project / "out" / "demo" / END / "outreach.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode(saved))
    if readable:
        said = ok(call("daily", "--as-of", END, "--project", project, "--json"))
        assert len(company_rows(path)) == len(said.json["rows"])
    else:
        said = call("daily", "--as-of", END, "--project", project)
        refused(said, 5, "outreach.csv cannot be read any more", "save outreach.csv as UTF-8 with commas")


@pytest.mark.parametrize("last", ["listed_by", "rule_score"])
def test_a_list_of_an_earlier_version_of_the_program_is_given_back(project, last):
    """It has no columns of further models, the first versions none of the rule score: they are empty."""
    path = project / "out" / "demo" / END / "outreach.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    with path.open("w", newline="", encoding="utf-8") as file:
        kept = rows[0].index(last) + 1
        csv.writer(file, lineterminator="\n").writerows(row[:kept] + row[-2:] for row in rows)
    told = ok(call("daily", "--as-of", END, "--project", project, "--json")).json
    assert [row[1] for row in rows[1:]] == [row["customer"] for row in told["rows"]]
    assert {("", None, None)} == {(row["listed_for"], row["also_risk"], row["rule_score"]) for row in told["rows"]}
    assert "listed" in ok(call("daily", "--as-of", END, "--project", project)).out
    header, *others = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header.replace(",band", ""), *others]), encoding="utf-8")
    refused(call("daily", "--as-of", END, "--project", project), 5, "outreach.csv cannot be read any more")


def test_a_list_saved_with_semicolons_is_refused_in_words(project):
    path = project / "out" / "demo" / END / "outreach.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    refused(call("daily", "--as-of", END, "--project", project), 5, "outreach.csv cannot be read any more")


def company_rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_a_list_whose_manifest_is_gone_or_torn_is_not_shown(project, damage):
    manifest = project / "out" / "demo" / END / "run.json"
    if damage == "gone":
        manifest.unlink()
    else:
        manifest.write_text(manifest.read_text()[:50])
    with untouched(project):
        said = call("daily", "--as-of", END, "--project", project)
    refused(said, 5, "its run.json is gone" if damage == "gone" else "run.json cannot be read any more")


def test_a_list_whose_directory_is_gone_is_restored_not_reissued(project):
    """The same bytes from the ledger's own hashes; revision 1 stays the only one."""
    directory = project / "out" / "demo" / END
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}
    shutil.rmtree(directory)
    assert "skipped" == ok(call("daily", "--as-of", END, "--project", project, "--json")).json["status"]
    assert before == {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}
    assert [1] == [one["revision"] for one in facts(project, "lists")]


KILLED = """
import os, signal, churnwatch.delivery as delivery
real = delivery.publish
def publish(*args, **options):
    real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
delivery.publish = publish
from churnwatch.cli import main
main()
"""


def killed_once_published(project, *options):
    """`daily` in a process of its own, which ends between showing the list and keeping it in the ledger."""
    command = [sys.executable, "-c", KILLED, "daily", "--project", str(project), *options]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert -signal.SIGKILL == done.returncode, done.stderr


def published(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}


def test_a_list_the_ledger_does_not_know_is_not_handed_out(project):
    """Its correction killed half-way: the list issued is back, and only that; the next correction is revision 2."""
    directory = project / "out" / "demo" / END
    before = published(directory)
    killed_once_published(project, "--as-of", END, "--rerun", "correct")
    assert 2 == json.loads((directory / "run.json").read_text())["revision"]
    assert [1] == [one["revision"] for one in facts(project, "lists")]
    told = ok(call("daily", "--as-of", END, "--project", project, "--json")).json
    assert ("skipped", 1) == (told["status"], told["revision"])
    assert before == published(directory)
    told = ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project, "--json")).json
    assert ("corrected", 2) == (told["status"], told["revision"])
    assert [1, 2] == [one["revision"] for one in facts(project, "lists")]


def test_what_an_agent_wrote_into_a_list_the_ledger_does_not_know_is_not_deleted(project):
    directory = project / "out" / "demo" / END
    killed_once_published(project, "--as-of", END, "--rerun", "correct")
    path = directory / "outreach.csv"
    path.write_text(path.read_text().rstrip("\n") + "reached\n")
    before = published(directory)
    said = call("daily", "--as-of", END, "--project", project)
    refused(said, 5, "has changed since it was published: outreach.csv was changed", "move the directory away")
    assert before == published(directory)
    shutil.move(directory, directory.with_name("kept"))
    assert 1 == ok(call("daily", "--as-of", END, "--project", project, "--json")).json["revision"]


def test_a_first_list_the_ledger_does_not_know_is_issued(project):
    killed_once_published(project, "--as-of", EARLIER)
    assert (project / "out" / "demo" / EARLIER / "run.json").exists()
    told = ok(call("daily", "--as-of", EARLIER, "--project", project, "--json")).json
    assert ("issued", 1) == (told["status"], told["revision"])
    assert [(END, 1), (EARLIER, 1)] == [(one["as_of"], one["revision"]) for one in facts(project, "lists")]


def test_another_ranking_than_the_issued_one_is_not_given_back_in_silence(project):
    with untouched(project):
        said = call("daily", "--as-of", END, "--baseline", "recency", "--project", project)
    refused(said, 5, f"the list of {END} was issued by the model, not by baseline recency", "--rerun correct")


def test_verify_makes_the_same_bytes_whatever_was_handed_back_or_listed_since(project):
    """An agent's outcome is no difference, nor a list of an earlier day that was issued later."""
    ok(call("daily", "--as-of", EARLIER, "--project", project))
    path = project / "out" / "demo" / END / "outreach.csv"
    path.write_text(path.read_text().rstrip("\n") + "reached\n")
    before = tree(project), facts(project, "lists")
    told = ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", project, "--json")).json
    assert "verified" == told["status"]
    assert before == (tree(project), facts(project, "lists"))


def test_verify_sees_a_changed_reason(project):
    path = project / "out" / "demo" / END / "outreach.csv"
    reason = company_rows(path)[0]["reason_1"]
    path.write_text(path.read_text().replace(reason, "Nothing to worry about 1"))
    said = call("daily", "--as-of", END, "--rerun", "verify", "--project", project)
    refused(said, 5, "is not as it was published: outreach.csv was changed")


def test_a_day_that_was_never_issued_is_not_verified(project):
    with untouched(project):
        said = call("daily", "--as-of", EARLIER, "--rerun", "verify", "--project", project)
    refused(said, 5, f"no list of {EARLIER} was issued")


def test_verify_says_so_when_the_data_have_changed(project):
    """One ticket more of the first of the list; code 5, the run is on record, and every list stands as it stood."""
    customer = rows_of(project / "out" / "demo" / END)[0]["customer"]
    with (project / "data" / "tickets.csv").open("a") as file:
        file.write(
            f'"K9999999","{customer}","2026-06-29 10:00:00","phone","complaint","billing","A001",,,,,,"late",,\n'
        )
    before = tree(project), facts(project, "lists")
    said = call("daily", "--as-of", END, "--rerun", "verify", "--project", project)
    refused(said, 5, f"the list of {END} made again differs: ", "outreach.csv", "--rerun correct")
    assert before == (tree(project), facts(project, "lists"))
    assert ("daily", "failed") == tuple(facts(project, "runs")[-1][key] for key in ("command", "status"))


def test_a_feed_that_stopped_is_told_on_the_list_and_in_the_manifest(project):
    """Usage that ends six weeks before as-of makes everybody look quiet: the list says so."""
    path = project / "data" / "usage.parquet"
    table = pq.read_table(path)
    pq.write_table(
        table.filter(pc.less(table["started"], pa.scalar(datetime(2026, 5, 20), table["started"].type))), path
    )
    told = ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project, "--json")).json
    assert 1 == len(told["warnings"])
    assert told["warnings"][0].startswith("usage has brought nothing for 4")
    page = (project / "out" / "demo" / END / "outreach.html").read_text()
    assert "usage has brought nothing for 4" in page


def test_what_agents_wrote_into_table_and_workbook_is_no_difference(project):
    """Both saved by a spreadsheet program with outcomes in them; what stands beside those is looked at."""
    directory = project / "out" / "demo" / END
    book = load_workbook(directory / "outreach.xlsx")
    place = {cell.value: cell.column for cell in book.active[1]}
    book.active.cell(2, place["Outcome"]).value = "reached; will stay"
    book.active.cell(3, place["What was wrong with the reasons"]).value = "was on holiday"
    book.save(directory / "outreach.xlsx")
    text = (directory / "outreach.csv").read_text(encoding="utf-8")
    (directory / "outreach.csv").write_text(text.rstrip("\n").removesuffix(",,") + ",solved,\n", encoding="utf-8-sig")
    verify = ("daily", "--as-of", END, "--rerun", "verify", "--project", project)
    assert "verified" == ok(call(*verify, "--json")).json["status"]
    book.active.cell(2, place["Why"]).value = "no reason at all"
    book.save(directory / "outreach.xlsx")
    refused(call(*verify), 5, "not as it was published: outreach.xlsx was changed", "move the directory away")


def test_correct_issues_a_second_revision(project):
    before = ledger(project)
    told = ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project, "--json")).json
    assert ("corrected", 2) == (told["status"], told["revision"])
    assert [1, 2] == [one["revision"] for one in facts(project, "lists")]
    assert before["lists"] == facts(project, "lists")[:1]
    assert 2 * len(before["list_rows"]) == len(facts(project, "list_rows"))
    # Nothing has changed, so the correction is the same list; only which revision it is stands on what people read.
    files = [json.loads(one["files"]) for one in facts(project, "lists")]
    read = {"outreach.csv", "outreach.html", "outreach.xlsx"}
    assert read == {name for name in files[0] if files[0][name] != files[1][name]}


def test_correct_never_deletes_what_an_agent_wrote(project):
    path = project / "out" / "demo" / END / "outreach.csv"
    path.write_text(path.read_text() + "\n")
    before = tree(project)
    said = call("daily", "--as-of", END, "--rerun", "correct", "--project", project)
    refused(said, 5, "has changed since it was published: outreach.csv was changed", "move the directory away")
    assert before == tree(project)
    assert [1] == [one["revision"] for one in facts(project, "lists")]
    assert "failed" == facts(project, "runs")[-1]["status"]


def test_change_is_against_the_list_before(project):
    """An earlier day's list is issued, then the last day's corrected: change is the difference of the two risks."""
    ok(call("daily", "--as-of", EARLIER, "--project", project))
    ok(call("daily", "--as-of", END, "--rerun", "correct", "--project", project))
    day = {one["list_id"]: (one["as_of"], one["revision"]) for one in facts(project, "lists")}
    rows = {(*day[row["list_id"]], row["customer_id"]): row for row in facts(project, "list_rows")}
    earlier = {customer: row["risk"] for (as_of, _, customer), row in rows.items() if as_of == EARLIER}
    last = {customer: row for (as_of, revision, customer), row in rows.items() if (as_of, revision) == (END, 2)}
    both = earlier.keys() & last.keys()
    assert 5 < len(both) < len(last)
    for customer, row in last.items():
        assert (row["risk"] - earlier[customer] if customer in both else None) == row["change"]
    told = {row["customer"]: row["change"] for row in rows_of(project / "out" / "demo" / END)}
    assert {customer for customer, change in told.items() if change} == both
    # The first list ever knows no change, and one's own day is not the list before.
    assert {None} == {row["change"] for (as_of, *_), row in rows.items() if as_of == EARLIER}


def test_nothing_is_half_written_when_publishing_fails(project, monkeypatch):
    """The disk is full at the third file: code 8, no new directory, the ledger knows a failed run and no list."""
    calls = iter(range(100))
    sync = os.fsync

    def full(descriptor):
        if next(calls) == 2:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    before, known = tree(project), ledger(project)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        said = call("daily", "--as-of", EARLIER, "--project", project)
    refused(said, 8, "No space left on device", "nothing is left half-written")
    assert known["lists"] == facts(project, "lists")
    assert known["list_rows"] == facts(project, "list_rows")
    [failed] = [run for run in facts(project, "runs") if run not in known["runs"]]
    assert ("daily", "failed") == (failed["command"], failed["status"])
    assert not (project / "out" / "demo" / EARLIER).exists()
    # The run after it starts clean.
    assert "issued" == ok(call("daily", "--as-of", EARLIER, "--project", project, "--json")).json["status"]
    after = tree(project)
    assert before == {name: after[name] for name in before}
    assert [] == [name for name in after if ".new" in name or ".old" in name]


def test_only_listed_customers_are_explained(project, monkeypatch):
    """TreeSHAP costs milliseconds a row: it is asked once, for the rows of the list."""
    explained = []
    real = churnwatch.runs.ranking.contributions

    def counted(fitted, X):
        explained.append(len(X))
        return real(fitted, X)

    monkeypatch.setattr(churnwatch.runs.ranking, "contributions", counted)
    told = ok(call("daily", "--as-of", EARLIER, "--project", project, "--json")).json
    proactive = sum(bool(row["proactive"]) for row in told["rows"])
    assert [told["counts"]["listed"] - proactive] == explained
    assert told["counts"]["listed"] < told["counts"]["observed"] / 5


def test_an_empty_list_is_a_list(project):
    """Nobody has time today: files without rows, and a fact in the ledger."""
    lines = (project / "data" / "agents.csv").read_text().splitlines()
    kept = [lines[0], *(re.sub(r',"(en|id)",\d+,', r',"\1",0,', line) for line in lines[1:])]
    (project / "data" / "agents.csv").write_text("\n".join(kept) + "\n")
    told = ok(call("daily", "--as-of", EARLIER, "--project", project, "--json")).json
    assert [] == told["rows"]
    assert 0 < told["counts"]["spilled"]
    assert [END, EARLIER] == [one["as_of"] for one in facts(project, "lists")]
    warning = "nobody works today: every owner is away or has a capacity of 0, so nobody can be listed"
    assert warning in told["warnings"]
    page = (project / "out" / "demo" / EARLIER / "outreach.html").read_text()
    shown = " ".join(ok(call("daily", "--as-of", EARLIER, "--project", project)).out.split())
    assert " = 0 listed + " in shown
    assert warning in shown
    for words in (page, shown):
        assert "customers are worth a call, but there is no place for any of them today" in words
        assert "Nobody needs a call" not in words


def test_a_day_shorter_than_any_action_is_told(project):
    """The shortest action takes 10 minutes: at 9 nobody fits, at 10 somebody does."""
    rules = project / "configs" / "demo" / "outreach.yaml"
    plain = rules.read_text()
    warning = "minutes of outreach.yaml is 9, and the shortest action of the playbook takes 10: nobody can be listed"
    for minutes, warned in ((9, True), (10, False)):
        rules.write_text(f"{plain}minutes: {minutes}\n")
        told = ok(call("daily", "--as-of", EARLIER, "--project", project, "--rerun", "correct", "--json")).json
        assert warned == (warning in told["warnings"]) == (told["rows"] == [])


@pytest.fixture(scope="module")
def without_model(company, tmp_path_factory):
    """A workspace that was never trained, and its lists of one day by each baseline."""
    root = tmp_path_factory.mktemp("baselines") / "project"
    copied(company.root, root, without=("state", "out"))
    workspace = open_workspace(root, deployment="demo", data=None, now=datetime(2026, 7, 2, tzinfo=UTC))
    lists = {}
    for name in ("logistic", "random", "last_score", "tenure", "recency"):
        lists[name] = daily(workspace, day=date(2026, 7, 1), baseline=name, rerun="correct")
    return root, lists


def test_a_baseline_lists_without_a_risk_and_says_so_in_every_row(without_model):
    _, lists = without_model
    for name, made in lists.items():
        assert len(made.rows) > 20
        assert {f"baseline:{name}"} == {row["listed_by"] for row in made.rows}
        assert {("", "", "")} == {(row["risk"], row["band"], row["change"]) for row in made.rows}
        assert [] == [reason for row in made.rows for reason in reasons(row) if not re.search(r"\d", reason)]
    # The five orders are five orders.
    assert 5 == len({tuple(row["customer"] for row in made.rows) for made in lists.values()})


def test_a_baselines_reason_is_the_number_it_ranks_by(without_model):
    _, lists = without_model
    told = [row["reason_1"] for row in lists["recency"].rows]
    # Who never got in touch has no such number: they rank in the middle, without a reason.
    assert 0.8 * len(told) < sum(bool(reason) for reason in told)
    for reason in filter(None, told):
        assert re.match(
            r"(No contact, purchase or use for|Tidak ada kontak, pembelian, atau pemakaian selama) \d", reason
        )
    assert {""} == {row["reason_2"] for row in lists["recency"].rows}
    assert {""} == {row["reason_1"] for row in lists["random"].rows}


def test_the_ledger_and_the_page_know_that_a_baseline_ranked(without_model):
    root, lists = without_model
    assert list(lists) == [one["baseline"] for one in facts(root, "lists")]
    assert {None} == {row["risk"] for row in facts(root, "list_rows")}
    manifest = json.loads((root / "out" / "demo" / END / "run.json").read_text())
    assert "recency" == manifest["baseline"]
    scored = pq.read_table(root / "out" / "demo" / END / "scores.parquet")
    assert set(scored["risk"].to_pylist()) <= {None} or all(map(math.isnan, scored["risk"].to_pylist()))


def test_verify_makes_a_baselines_list_by_that_baseline(without_model):
    root, _ = without_model
    before = tree(root), facts(root, "lists")
    said = ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", root, "--json"))
    assert "verified" == said.json["status"]
    assert before == (tree(root), facts(root, "lists"))


def test_an_unknown_baseline_is_refused_with_the_nearest(company):
    said = call("daily", "--as-of", END, "--baseline", "recncy", "--project", company.root)
    allowed = "random, recency, last_score, tenure, health, logistic"
    refused(said, 2, "there is no baseline recncy", allowed, "recency?")


# --- before there is a model


def with_fewest_outcomes(project, count):
    """The model's file asks for ``count`` outcomes of each kind at least."""
    path = project / "configs" / "demo" / "models" / "churn.yaml"
    text = path.read_text()
    assert "minimum_outcomes: 20" in text
    path.write_text(text.replace("minimum_outcomes: 20", f"minimum_outcomes: {count}"))


def daily_told(project, *more):
    return ok(call("daily", "--as-of", END, "--project", project, "--json", *more)).json


def test_without_outcomes_enough_the_rule_score_lists_and_says_so(untrained):
    """No model, and too little to train one: listed by the rule score, with reasons, the same on every run."""
    with_fewest_outcomes(untrained, 5_000)
    told = daily_told(untrained)
    assert len(told["rows"]) > 20
    assert {"baseline:health"} == {row["listed_by"] for row in told["rows"]}
    assert {None} == {row["risk"] for row in told["rows"]}
    scores = [row["rule_score"] for row in told["rows"]]
    assert all(50 < score <= 100 for score in scores)
    assert sorted(scores, reverse=True) == scores
    [why] = [sentence for sentence in told["warnings"] if "outcomes" in sentence]
    assert re.search(r"too few outcomes to learn from, [1-9]\d* of 5000 bad ones", why)
    assert 0.9 * len(told["rows"]) < sum(bool(row["reason_1"]) for row in told["rows"])
    assert ["health"] == [one["baseline"] for one in facts(untrained, "lists")]
    shown = ok(call("daily", "--as-of", END, "--project", untrained)).out
    assert "rule score, 0 to 100" in shown
    assert f"rule {scores[0]:.0f}" in shown
    assert "skipped" == daily_told(untrained)["status"]
    assert "verified" == daily_told(untrained, "--rerun", "verify")["status"]


def test_the_rule_score_lists_as_long_as_training_finds_too_few(untrained):
    """Training leaves the test dates out of its count; so does the list, or neither would make one."""
    with_fewest_outcomes(untrained, 5_000)
    [why] = [sentence for sentence in daily_told(untrained)["warnings"] if "outcomes" in sentence]
    [count] = re.findall(r"(\d+) of 5000 bad ones", why)
    refused(call("train", "churn", "--project", untrained), 5, f"not enough data: {count} of 5000 bad outcomes in ")


def test_with_outcomes_enough_but_no_model_there_is_no_list_in_silence(untrained):
    said = call("daily", "--as-of", END, "--project", untrained)
    refused(said, 6, "has no champion yet", "churnwatch train churn")


def test_a_young_models_risks_stand_beside_the_rule_score(project, monkeypatch):
    """A model of fewer outcomes than would make it grown up: both numbers in every row, the same order."""
    path = project / "out" / "demo" / END
    before = rows_of(path)
    assert {""} == {row["rule_score"] for row in before}
    monkeypatch.setattr(churnwatch.runs.cold_start, "YOUNG", 10_000)
    workspace = open_workspace(project, deployment="demo", data=None, now=datetime(2026, 7, 2, tzinfo=UTC))
    daily(workspace, day=date.fromisoformat(END), rerun="correct")
    rows = rows_of(path)
    assert [(row["customer"], row["risk"]) for row in before] == [(row["customer"], row["risk"]) for row in rows]
    assert all(0 <= int(row["rule_score"]) <= 100 for row in rows)
    assert len({row["rule_score"] for row in rows}) > 5


def test_the_switch_from_the_rule_to_the_model_is_told_and_kept(project):
    """One day by the rule, the next by the model: said on the list, in the manifest and in the ledger."""
    ok(call("daily", "--as-of", EARLIER, "--baseline", "health", "--project", project))
    told = daily_told(project, "--rerun", "correct")
    assert (None, "baseline:health") == (told["baseline"], told["previously_by"])
    [switched] = [sentence for sentence in told["warnings"] if "From this list on" in sentence]
    assert "From this list on the model ranks; until the list before it was the rule score." in switched
    assert {"health", None} == {one["baseline"] for one in facts(project, "lists")}


def test_a_base_rate_that_moved_since_training_is_told_on_the_list(project, monkeypatch):
    """As if training had met four times the leavers: said once, among the warnings, with the date it is measured at."""
    workspace = open_workspace(project, deployment="demo", data=None, now=datetime(2026, 7, 2, tzinfo=UTC))
    real = churnwatch.runs.score.champion_of

    def grown(*args, **options):
        version, bundle = real(*args, **options)
        return version, dataclasses.replace(
            bundle, fitted=dataclasses.replace(bundle.fitted, base_rate=4 * bundle.fitted.base_rate)
        )

    monkeypatch.setattr(churnwatch.runs.score, "champion_of", grown)
    made = daily(workspace, day=date.fromisoformat(END), rerun="correct")
    [said] = [sentence for sentence in made.summary["warnings"] if "base rate moved" in sentence]
    assert re.search(r"training, [0-9.]+ % at 2026-04-\d\d, the last date .* too high", said)
