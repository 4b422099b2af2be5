"""Backtest: at each day the model knows what was known then, and nothing else."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from command_line import call, copied, ok, refused, tree, untouched
from filelock import FileLock

import churnwatch.runs.backtest
import churnwatch.runs.study
from churnwatch.errors import DataRefused, UsageError
from churnwatch.evaluation import BASELINES
from churnwatch.outcomes import grid, span
from churnwatch.runs.backtest import backtest, replay_days, replayed
from churnwatch.runs.observations import labelled
from churnwatch.runs.study import judge, usable_columns
from churnwatch.runs.workspace import load_tables, open_workspace
from churnwatch.spec import midnight

NOW = datetime(2026, 7, 2, tzinfo=UTC)
DAY = date(2026, 3, 1)
CUT = "timestamp '2026-02-28 17:00:00'"
"""The midnight that opens the day in Jakarta, in UTC."""

GARBLE = (
    # Everybody who was anybody's customer does everything at once, from the as-of on.
    f"""update interactions set kind = 'cancellation', channel = 'phone', direction = 'in', topic = 'billing',
        amount = 1e9, minutes = 1e9, resolution_hours = 1e9, response_minutes = 1e9,
        customer_id = (select max(customer_id) from customers) where known_at >= {CUT}""",
    f"update surveys set raw_score = scale_min, answered_at = answered_at + interval 1 hour where answered_at >= {CUT}",
    f"delete from surveys where sent_at >= {CUT}",
    f"update customers set ended_at = null where ended_at >= {CUT}",
)


@pytest.fixture
def fitted(monkeypatch):
    """The models a backtest fits, as it goes."""
    models = []

    def fit_on(rows, model, **options):
        found, chosen = churnwatch.runs.study.fit_on(rows, model, **options)
        models.append((found, chosen, rows))
        return found, chosen

    monkeypatch.setattr(churnwatch.runs.backtest, "fit_on", fit_on)
    return models


@pytest.fixture(scope="module")
def replay(company, tmp_path_factory):
    """A project with the lists of four dates, the last the latest there can be; what was told and what was shown."""
    root = copied(company.root, tmp_path_factory.mktemp("replay") / "project")
    asked = ("backtest", "churn", "--from", "2026-01-01", "--to", "2026-04-25", "--every", "30d", "--project", root)
    shown = ok(call(*asked)).out
    first = tree(root)
    told = ok(call(*asked, "--json")).json
    return root, told, shown, first


def test_a_garbled_future_changes_nothing_in_the_model(project, fitted):
    """Every event, answer and end from the as-of on is another; the model is the same to the last digit."""
    plain = open_workspace(project, deployment="demo", data=None, now=NOW)
    garbled = open_workspace(project, deployment="demo", data=None, now=NOW)
    for statement in GARBLE:
        load_tables(garbled).con.execute(statement)
    told = backtest(plain, "churn", days=[DAY])
    with pytest.raises(DataRefused, match="observations have the outcome"):
        # What came after as-of has become nonsense, so there is nothing to judge by.
        backtest(garbled, "churn", days=[DAY])
    (model, chosen, rows), (again, rechosen, _) = fitted
    assert model.booster_text == again.booster_text
    assert chosen == rechosen
    assert model == again
    assert rows.as_of.max() + np.timedelta64(67, "D") <= np.datetime64("2026-02-28T17:00")
    assert 0.6 < told["slices"][0]["auc"] < 1


def test_an_as_of_whose_outcomes_are_not_complete_is_refused_with_the_latest(project):
    """The data end on 2026-06-30; 67 days before the midnight after it is 2026-04-25, with which ``replay`` ends."""
    with untouched(project):
        said = call("backtest", "churn", "--as-of", "2026-03-01,2026-04-26", "--project", project)
    refused(said, 4, "as-of 2026-04-26: its outcomes are complete on 2026-07-02", "at the latest 2026-04-25")


def test_an_as_of_with_nothing_complete_before_it_is_too_early(company):
    """120 days of history, gap and horizon after the first event: no label is complete by the summer."""
    said = call("backtest", "churn", "--as-of", "2025-06-01", "--project", company.root)
    refused(said, 5, "no observation of the model churn has a complete label before 2025-06-01", "a later as-of")


def test_an_as_of_before_the_data_is_outside(company):
    said = call("backtest", "churn", "--as-of", "2020-01-01", "--project", company.root)
    refused(said, 4, "the data run from 2025-01-01 to 2026-06-30", "choose")


def one_by_one(workspace, model, day):
    """The plain way: every date computes its own signals, reads its own labels, and knows no other date."""
    tables = load_tables(workspace)
    zone = workspace.spec.deployment.zone
    as_of = midnight(day, zone)
    columns, _ = usable_columns(workspace, tables, model)
    dates = grid(model, zone=zone, span=span(tables, model), complete_by=as_of)
    train = labelled(tables, model, columns, dates, known_before=as_of)
    tests = labelled(tables, model, columns, [as_of], known_before=workspace.now)
    found, chosen = churnwatch.runs.study.fit_on(train, model, when="then")
    [judged] = judge(workspace, tables, model, fitted=found, train=train, tests=tests, as_ofs=[as_of])
    trained = {"as_ofs": len(dates), "n": len(train.in_time().outcome), "choice": chosen.note}
    return found, train, {**judged.figures, "trained": trained}


def test_all_dates_at_once_are_each_date_alone(company, fitted):
    """Byte for byte, where a cancellation becomes known 40 days late: what one date knows, an earlier one does not."""
    days = [date(2026, 1, 10), date(2026, 3, 17)]
    workspace = open_workspace(company.root, deployment="demo", data=None, now=NOW)
    load_tables(workspace).con.execute(
        "update interactions set known_at = known_at + interval 40 day where kind = 'cancellation'"
    )
    done = replayed(workspace, "churn", days=days)
    alone = [one_by_one(workspace, workspace.model("churn"), day) for day in days]
    assert [json.dumps(told) for _, _, told in alone] == [json.dumps(told) for told in done.slices]
    for (model, _, rows), (own, train, _) in zip(fitted, alone, strict=True):
        assert own.booster_text == model.booster_text
        assert train.matrix.values.tobytes() == rows.matrix.values.tobytes()
        assert train.outcome.tobytes() == rows.outcome.tobytes()
    # The dates do share rows, and these do become known in between: else the above would prove little.
    shared = [rows for _, _, rows in fitted]
    early, late = shared[0].matrix.observations, shared[1].matrix.observations
    assert set(early["as_of"]) != set(late["as_of"])
    tables, model, day = load_tables(workspace), workspace.model("churn"), midnight(date(2025, 11, 4), "Asia/Jakarta")
    known, later = (
        labelled(tables, model, (), [day], known_before=instant).outcome.sum()
        for instant in (midnight(days[0], "Asia/Jakarta"), NOW)
    )
    assert known < later


def test_the_dates_step_back_from_the_last():
    """Of a range that is no multiple of the step the last day is judged, the first is not."""
    days = replay_days(date(2026, 1, 1), date(2026, 3, 15), every=30)
    assert [date(2026, 1, 14), date(2026, 2, 13), date(2026, 3, 15)] == days
    assert [date(2026, 1, 1)] == replay_days(date(2026, 1, 1), date(2026, 1, 1), every=30)
    with pytest.raises(UsageError, match="there is no day"):
        replay_days(date(2026, 1, 2), date(2026, 1, 1), every=30)
    with pytest.raises(UsageError, match="a step of no day"):
        replay_days(date(2026, 1, 1), date(2026, 1, 2), every=0)


def test_a_range_is_its_dates(replay):
    """2026-01-01 itself is 24 days before the first step back that still lies in the range."""
    _, told, _, _ = replay
    assert ["model", "deployment", "outcome", "slices", "replay"] == list(told)
    days = ["2026-01-25", "2026-02-24", "2026-03-26", "2026-04-25"]
    assert days == [one["as_of"] for one in told["slices"]] == [one["as_of"] for one in told["replay"]["lists"]]


def test_the_lists_are_those_of_daily_and_add_up(replay):
    """Each owner's best, by risk, at most as many as their capacity; nobody who may not be contacted."""
    root, told, _, _ = replay
    rows = read_rows(told)
    workspace = open_workspace(root, deployment="demo", data=None, now=NOW)
    con = load_tables(workspace).con
    capacity = dict(con.execute("select owner, capacity from agents").fetchall())
    barred = {one for (one,) in con.execute("select customer_id from customers where do_not_contact").fetchall()}
    assert barred
    assert not barred & {row["customer"] for row in rows}
    for one in told["replay"]["lists"]:
        mine = [row for row in rows if row["as_of"] == one["as_of"]]
        assert one["listed"] == len(mine) > 10
        assert one["observed"] == one["listed"] + one["below"] + one["refused"] + one["spilled"]
        assert [str(i + 1) for i in range(len(mine))] == [row["rank"] for row in mine]
        risks = [float(row["risk"]) for row in mine]
        assert risks == sorted(risks, reverse=True)
        assert {"watch", "at_risk", "critical"} >= {row["band"] for row in mine}
        served = [row["owner"] for row in mine]
        assert all(served.count(owner) <= capacity[owner] for owner in set(served))
        assert one["owners_served"] == len(set(served))
        left = [row for row in mine if row["outcome"] == "left"]
        assert (one["hits"], one["hits"] / len(mine)) == (len(left), one["precision"]["share"])
        assert one["too_late"] == sum(row["outcome"] == "left_too_soon" for row in mine)
        assert all(7 <= float(row["days_until_left"]) < 67 for row in left)
        assert all(row["days_until_left"] == "" for row in mine if row["outcome"] == "stayed")
    # The risk ranks well enough that chance is far below.
    found = told["replay"]
    assert found["precision"]["low"] > 2 * found["chance"]
    assert set(BASELINES) == set(found["precision_minus"])


def read_rows(told):
    with Path(told["replay"]["files"]["lists.csv"]).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_repeats_and_coverage_are_those_of_the_rows(replay):
    _, told, _, _ = replay
    rows = read_rows(told)
    before: set[str] = set()
    for one in told["replay"]["lists"]:
        mine = {row["customer"] for row in rows if row["as_of"] == one["as_of"]}
        assert len(mine & before) / len(mine) == pytest.approx(one["repeat_rate"])
        before |= mine
    assert len(before) == told["replay"]["coverage"]["customers_listed"]


def test_what_was_published_is_whole_and_the_same_again(replay):
    """Twice the same bytes, but for the manifest, which says when; the page names no customer."""
    root, told, _, first = replay
    files = told["replay"]["files"]
    assert ["backtest.html", "backtest.json", "lists.csv", "run.json"] == sorted(files)
    again = tree(root)
    differ = {name for name in {*first, *again} if first.get(name) != again.get(name)}
    assert {"out/demo/backtest-churn/run.json"} >= differ
    kept = json.loads(Path(files["backtest.json"]).read_text())
    told["replay"].pop("files")
    assert told == kept
    told["replay"]["files"] = files
    page = Path(files["backtest.html"]).read_text()
    assert [] == [row["customer"] for row in read_rows(told) if row["customer"] in page]
    manifest = json.loads(Path(files["run.json"]).read_text())
    assert ["backtest.html", "backtest.json", "lists.csv"] == sorted(manifest["files"])


def test_the_terminal_has_a_line_for_each_date_and_ends_with_the_files(replay):
    _, told, shown, _ = replay
    lines = shown.splitlines()
    assert max(len(line) for line in lines if "/" not in line) <= 120
    for one in told["replay"]["lists"]:
        [line] = [line for line in lines if line.startswith(one["as_of"])]
        assert f"{one['precision']['share']:.1%}" in line
    assert [Path(line).name for line in lines[-4:]] == ["backtest.html", "backtest.json", "lists.csv", "run.json"]


def test_what_somebody_wrote_into_is_not_replaced(replay, tmp_path):
    root = copied(replay[0], tmp_path / "project")
    page = root / "out" / "demo" / "backtest-churn" / "backtest.html"
    page.write_text("my notes")
    said = call("backtest", "churn", "--as-of", "2026-03-01", "--project", root)
    refused(said, 5, "has changed since it was published: backtest.html was changed", "move the directory away")
    assert "my notes" == page.read_text()


def test_another_backtest_of_the_model_is_waited_for(project):
    folder = project / "state" / "demo" / "backtest-churn"
    folder.mkdir(exist_ok=True)  # a refused backtest of the company leaves it
    with FileLock(folder / "lock"):
        said = call("backtest", "churn", "--as-of", "2026-03-01", "--project", project)
    refused(said, 7, "another backtest-churn of the deployment demo is on")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--from", "2026-03-02", "--to", "2026-03-01"), 2, "from 2026-03-02 to 2026-03-01 there is no day"),
        (("--from", "2026-01-01", "--to", "2026-03-01", "--every", "0d"), 2, "--every: 0d is no step"),
        (("--from", "2026-01-01", "--to", "2026-03-01", "--every", "12h"), 2, "--every: 12h is no step"),
        (("--from", "2026-01-01"), 2, "--from alone is no range"),
        (("--every", "30d"), 2, "--every alone is no range"),
        (("--as-of", "2026-03-01", "--to", "2026-03-01"), 2, "--as-of, --to: there are two answers to when"),
        ((), 2, "at which days?"),
        (("--from", "2026-1-1", "--to", "2026-03-01"), 2, "--from: 2026-1-1 is no day"),
        (
            ("--from", "2026-01-01", "--to", "2026-06-30"),
            4,
            "as-of 2026-06-30: its outcomes are complete on 2026-09-05",
        ),
        (("--from", "2024-12-01", "--to", "2025-01-01"), 4, "the data run from 2025-01-01"),
        # 210 days of history from January 1, then 67 days until the first label is complete.
        (("--from", "2025-08-01", "--to", "2026-03-01"), 5, "2025-10-05 is the first day"),
    ],
)
def test_a_range_that_cannot_be_is_one_message(options, code, words, project):
    with untouched(project):
        said = call("backtest", "churn", *options, "--project", project)
    assert code == said.code, said.err
    assert words in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert "" == said.out


def test_too_few_outcomes_are_said_before_anything_is_computed(project):
    """The file wants 60 of each here: the first dates know fewer, and the message names the first that knows more."""
    file = project / "configs" / "demo" / "models" / "churn.yaml"
    file.write_text(file.read_text().replace("minimum_outcomes: 20", "minimum_outcomes: 60"))
    said = call("backtest", "churn", "--from", "2025-10-20", "--to", "2026-04-18", "--project", project)
    refused(said, 5, "not enough data: before 2025-10-20 only", "of 60 bad outcomes", "the first is 2025-")


def test_where_nobody_may_be_contacted_there_is_no_list_to_judge(project):
    file = project / "configs" / "demo" / "sources.yaml"
    assert "do_not_contact: may_contact = 'no'" in file.read_text()
    file.write_text(file.read_text().replace("do_not_contact: may_contact = 'no'", 'do_not_contact: "true"'))
    said = call("backtest", "churn", "--as-of", "2026-04-01", "--project", project)
    refused(said, 4, "customers observed on 2026-04-01 may be contacted", "customers.do_not_contact")
