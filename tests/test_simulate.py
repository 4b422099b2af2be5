"""The simulated loop: real lists, agents who work them by the truth, outcomes handed back, and checks that can fail."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from command_line import call, ok, refused, spawn
from conftest import CUSTOMERS, SMALLER

import churnwatch.runs.simulation
from churnwatch.cli.simulate import show_simulated
from churnwatch.project import scaffold
from churnwatch.runs.simulation import DayOf, Simulated
from churnwatch.runs.simulation.checks import Issued, Watch
from churnwatch.runs.simulation.many import arrays
from churnwatch.runs.simulation.result import Estimate
from churnwatch.runs.simulation.worth import Unit, estimate, held_out_share
from churnwatch.runs.workspace import open_workspace
from churnwatch.synthetic import Heard, Team, after, found, write
from churnwatch.synthetic.contacts import SKIPS_DAY, UNREACHED

DAYS = 4
FIRST, LAST = date(2026, 6, 27), date(2026, 6, 30)


def quick(directory):
    """The reference project with the model of conftest's smaller company, and the listing model alone."""
    scaffold.init(directory)
    text = (directory / "models" / "churn.yaml").read_text()
    for old, new in SMALLER.items():
        text = text.replace(old, new)
    (directory / "configs" / "demo" / "models").mkdir()
    (directory / "configs" / "demo" / "models" / "churn.yaml").write_text(text)
    deployment = directory / "configs" / "demo" / "deployment.yaml"
    deployment.write_text(re.sub(r"(?m)^also: \[.*?\]", "also: []", deployment.read_text()))
    (directory / "data").mkdir()
    (directory / "data" / "simulated.json").write_text("{}")
    return directory


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A loop of some days through the command line; only read."""
    root = quick(tmp_path_factory.mktemp("simulate") / "project")
    said = ok(call("simulate", "--dir", root, "--days", DAYS, "--customers", CUSTOMERS, "--seed", 5, "--json"))
    return SimpleNamespace(root=root, told=said.json)


def test_every_day_has_a_list_that_keeps_to_the_rules_and_counts_everybody_once(done):
    told = done.told
    assert [] == told["broken"]
    assert [str(FIRST + timedelta(days=i)) for i in range(DAYS)] == [one["day"] for one in told["days"]]
    places = ("listed", "held_out", "cooling", "snoozed", "announced", "spilled", "below", "refused")
    for one in told["days"]:
        assert one["observed"] == sum(one[name] for name in places)
        assert one["listed"] == one["worked"] + one["ignored"]
        assert one["worked"] == one["reached"] + one["not_reached"]
    assert all(told["days"][0][name] == 0 for name in ("cooling", "snoozed", "announced", "repeats"))
    assert told["days"][-1]["cooling"] > 0
    share = told["holdout"]
    assert share["low"] <= 0.1 <= share["high"]


def test_the_report_is_written_beside_the_project_as_it_was_told(done):
    folder = done.root / "simulation"
    assert done.told == json.loads((folder / "report.json").read_text())
    rows = list(csv.DictReader(io.StringIO((folder / "days.csv").read_text())))
    assert [str(one["listed"]) for one in done.told["days"]] == [row["listed"] for row in rows]
    back = list(csv.DictReader(io.StringIO((folder / "handed_back" / f"{LAST}.csv").read_text(encoding="utf-8"))))
    assert done.told["days"][-1]["listed"] == len(back)
    assert done.told["days"][-1]["ignored"] == sum(not row["outcome"] for row in back)


def test_the_project_it_leaves_makes_the_same_last_list_from_its_files(done):
    """The loop read tables in memory, cut at each day; `daily` reads the files of the whole company, after all."""
    ok(call("daily", "--project", done.root, "--as-of", LAST, "--rerun", "verify"))


@pytest.fixture
def result(done, tmp_path):
    """What the loop gave, with an estimate of round numbers."""
    told = done.told
    days = [DayOf(**{**one, "day": date.fromisoformat(one["day"]), "broken": ()}) for one in told["days"]]
    names = ("customers", "seed", "model_version", "kept", "lost", "value_saved", "currency")
    return Simulated(
        directory=tmp_path,
        days=days,
        leavers_without=told["leavers_without_contact"],
        share=0.1,
        held_out_share=(0.1, 0.08, 0.12),
        estimate=Estimate(200, 20, 10, 2, -0.05, -0.2, 0.01, -0.02),
        **{name: told[name] for name in names},
    )


def test_the_terminal_tells_days_worth_and_checks(result, capsys):
    show_simulated(result)
    said = " ".join(capsys.readouterr().out.split())
    assert "10 of 200 treated cancelled and 2 of 20 left alone: -5.0 points (-20.0 to +1.0); the truth is -2.0" in said
    assert "✓" in said
    assert "06-27" in said


@pytest.mark.parametrize("columns", [80, 120])
def test_the_numbers_of_a_day_stay_whole_in_any_terminal(result, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    show_simulated(result)
    said = capsys.readouterr().out.splitlines()
    assert all(len(line) <= columns for line in said if not line.startswith("  /"))
    (day,) = (line for line in said if line.startswith("06-27"))
    assert f"{result.days[0].observed:,}" in day
    assert ("spilled" in " ".join(said), "snoozed" in said[3]) == (True, columns == 120)


def test_a_directory_with_lists_in_it_is_left_alone(done):
    refused(call("simulate", "--dir", done.root, "--days", 2), 2, "--dir", "an earlier run")


@pytest.mark.parametrize("wrong", [("--days", 0), ("--days", 181), ("--customers", 10), ("--project", "x")])
def test_what_cannot_be_simulated_is_refused_before_anything_is_written(tmp_path, wrong):
    said = call("simulate", "--dir", tmp_path / "s", *wrong)
    assert 2 == said.code
    assert wrong[0] in said.err
    assert not (tmp_path / "s").exists()


def test_a_list_that_forgets_the_cooldown_is_found(tmp_path, monkeypatch):
    """The checks know from the contacts alone what the list must keep to."""
    import churnwatch.runs.standing

    monkeypatch.setattr(churnwatch.runs.standing, "cooling_until", lambda row, *_rest: (date.min, row))
    told = arrays(quick(tmp_path / "s"), seed=5, days=2, customers=CUSTOMERS, now=datetime.now(UTC))
    first, second = (one.broken for one in told.days)
    assert () == first
    assert re.fullmatch(r"[1-9]\d* listed in their cooldown without a stated reason", second[0])
    assert [f"2026-06-30: {second[0]}"] == told.broken


def test_a_check_that_fails_ends_with_5_and_says_what_and_when(result, monkeypatch):
    day = replace(result.days[1], broken=("1 listed held out",))
    broken = replace(result, days=[result.days[0], day])
    monkeypatch.setattr(churnwatch.runs.simulation, "simulate", lambda *_given, **_options: broken)
    said = call("simulate", "--json")
    assert 5 == said.code
    assert ["2026-06-28: 1 listed held out"] == said.json["broken"]
    assert all(word in said.err for word in ("2026-06-28: 1 listed held out", "try: "))
    assert "✗" in call("simulate").out


def test_a_share_held_out_that_is_not_the_one_asked_for_is_found(result):
    assert [] == result.broken
    assert ["held out 20.0% (15.0% to 25.0%), which is not 10.0%"] == replace(
        result, held_out_share=(0.2, 0.15, 0.25)
    ).broken


# The checks, each against a list that breaks it.


def issued(rows, *, day=LAST, counts=None, **more):
    rows = [{"customer_id": "a", "owner": "A1", "back_early": None, **row} for row in rows]
    counts = counts or {"observed": 5, "listed": len(rows), "below": 5 - len(rows)}
    given = {"directory": None, "held_out": (), "capacity": {"A1": 2}, "away": (), **more}
    return Issued(day=day, rows=rows, counts=counts, **given)


def heard(customer="a", *words, until=None):
    return Heard(customer, words, until, "", np.datetime64("2026-06-01"), False, False)


@pytest.fixture
def watch(tmp_path):
    scaffold.init(tmp_path / "project")
    return Watch(
        open_workspace(tmp_path / "project", deployment="demo", data=None, now=datetime.now(UTC)).spec.outreach
    )


@pytest.mark.parametrize(
    ("words", "days", "broken"),
    [(("reached",), 13, True), (("reached",), 14, False), ((), 2, True), ((), 3, False), (("not_reached",), 2, True)],
)
def test_the_cooldown_is_14_days_from_a_contact_and_3_from_none(watch, words, days, broken):
    watch.learn(LAST - timedelta(days=days), [heard("a", *words)])
    assert broken == bool(watch.broken(issued([{}])))
    assert [] == watch.broken(issued([{"back_early": "the risk has risen"}]))


def test_who_is_put_off_or_says_that_they_leave_is_not_listed_whatever_the_reason(watch):
    early = {"back_early": "the risk has risen"}
    watch.learn(LAST - timedelta(days=30), [heard("a", "reached", "snooze", until=LAST + timedelta(days=1))])
    assert ["1 listed put off to a later day"] == watch.broken(issued([early]))
    assert [] == watch.broken(issued([early], day=LAST + timedelta(days=1)))
    watch.learn(LAST - timedelta(days=20), [heard("b", "reached", "will_leave")])
    assert ["1 listed who said they will leave"] == watch.broken(issued([{"customer_id": "b"}]))
    watch.learn(LAST - timedelta(days=19), [heard("b", "reached", "will_stay")])
    assert [] == watch.broken(issued([{"customer_id": "b"}]))


def test_a_list_over_capacity_of_the_absent_with_the_held_out_or_twice_is_found(watch):
    three = [{"customer_id": who} for who in "abc"]
    assert ["1 owners have more rows than places"] == watch.broken(issued(three))
    assert ["1 owners who are away have rows"] == watch.broken(issued([{}], away=["A1"]))
    assert ["1 listed held out"] == watch.broken(issued([{}], held_out=["a"]))
    assert ["1 listed more than once"] == watch.broken(issued([{}, {}]))


def test_counts_that_do_not_add_up_are_found(watch):
    assert ["5 observed, but 4 in listed, below"] == watch.broken(
        issued([{}], counts={"observed": 5, "listed": 1, "below": 3})
    )
    assert ["2 counted as listed, 1 rows"] == watch.broken(
        issued([{}], counts={"observed": 5, "listed": 2, "below": 3})
    )
    assert ["a count is below 0"] == watch.broken(issued([{}], counts={"observed": 0, "listed": 1, "below": -1}))


def test_a_file_that_shows_the_holdout_is_found(watch, tmp_path):
    import openpyxl

    def told(name, content):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "leavers.csv").write_text("customer\nC9\n")
        if isinstance(content, str):
            (directory / name).write_text(content)
        elif isinstance(content, pd.DataFrame):
            content.to_parquet(directory / name)
        else:
            content.save(directory / name)
        return watch.broken(issued([{}], directory=directory, held_out=["C7", "C9"]))

    book = openpyxl.Workbook()
    book.active.append(["customer", "C7"])
    assert ["outreach.xlsx names 1 who are held out"] == told("outreach.xlsx", book)
    assert ["outreach.csv names 1 who are held out"] == told("outreach.csv", "customer\nC7\n")
    assert ["outreach.html speaks of the holdout"] == told("outreach.html", "<p>Held out today: 3</p>")
    assert ["scores.parquet speaks of the holdout"] == told("scores.parquet", pd.DataFrame({"x": ["treated"]}))
    assert ["run.json names 1 who are held out"] == told("run.json", '{"held_out": ["C7"]}')
    # Everybody has a score, counts stand in run.json, and who announced it is on the list of leavers.
    assert [] == told("other.parquet", pd.DataFrame({"customer_id": ["C7"]}))
    assert [] == told("scores.json", '{"listed": 3}')


# The contacts, by the truth.


@pytest.fixture(scope="module")
def small():
    return found(customers=700, seed=3)


def test_the_truth_of_the_last_morning_is_that_of_the_truth_file(small, tmp_path):
    write(tmp_path, small)
    told = pd.read_parquet(tmp_path / "truth" / "effects.parquet").set_index(["customer_id", "action"])
    team = Team(small, 1)
    for customer in small.numbers[:50]:
        if (customer, "offer") in told.index:
            row = told.loc[(customer, "offer")]
            assert (row["leaving"], row["effect"]) == team.truth(customer, "offer", date(2026, 7, 1))


def test_contacts_keep_and_drive_away_as_many_as_the_truth_says(small):
    """Everybody called once on one day, over 200 seeds: whom it keeps and loses by the week's effects, to four standard
    errors. Kept are those of who would cancel within nine weeks; lost those of who would not, as far as the data reach.
    """
    day, action = date(2026, 3, 1), "call_back"
    rows = [(who, small.owners[0], action) for who in small.numbers]
    fresh = Team(small, 0)
    truths = np.array([fresh.truth(who, action, day) for who in small.numbers])
    leaving, effect = truths.T
    at = np.datetime64(day, "s")
    soon = (fresh.cancelled > at + np.timedelta64(17, "h")) & (fresh.cancelled <= at + np.timedelta64(63 * 24 + 9, "h"))
    stays = ~(fresh.cancelled <= at + np.timedelta64(63 * 24 + 16, "h"))
    keeps = np.where(soon & (effect < 0), -effect / leaving, 0.0)
    loses = np.where(stays & (effect > 0), effect / np.maximum(1 - leaving, 1e-9), 0.0)
    kept, lost, reached = [], [], []
    for seed in range(200):
        told = [one for one in Team(small, seed).work(day, rows) if one.words and "not_reached" not in one.words]
        reached.append(len(told))
        kept.append(sum(one.kept for one in told))
        lost.append(sum(one.lost for one in told))
    share = sum(reached) / (200 * len(rows))
    assert (1 - SKIPS_DAY) * (1 - UNREACHED) * 0.87 == pytest.approx(share, abs=0.06)
    assert keeps.sum() > 1
    for found_, wanted in ((kept, keeps.sum()), (lost, loses.sum())):
        error = np.std(found_) / np.sqrt(200)
        assert share * wanted == pytest.approx(np.mean(found_), abs=4 * error + 0.05 * wanted)


def test_the_same_rows_in_another_order_give_the_same(small):
    rows = [(who, small.owners[i % 3], "offer") for i, who in enumerate(small.numbers[:80])]
    one, other = Team(small, 4), Team(small, 4)
    assert one.work(LAST, rows) == other.work(LAST, rows[::-1])[::-1]
    assert np.array_equal(one.cancelled, other.cancelled, equal_nan=True)


def test_the_files_after_all_contacts_have_who_is_lost_and_not_who_is_kept(small):
    team = Team(small, 1)
    first = int(np.flatnonzero(~np.isnat(team.cancelled))[0])
    other = int(np.flatnonzero(np.isnat(team.cancelled))[0])
    team.cancelled[first] = team.ended[first] = np.datetime64("NaT")
    team.cancelled[other], team.ended[other] = (
        np.datetime64("2026-05-02T10:00:00"),
        np.datetime64("2026-06-01T00:00:00"),
    )
    absent = {small.owners[1]: (date(2026, 6, 29), date(2026, 7, 2))}
    tables = after(team, absent)
    said = tables["cancellations.csv"].to_pandas().set_index("customer_no")
    before = small.built.tables["cancellations.csv"]
    assert small.numbers[first] not in said.index
    assert pd.Timestamp("2026-05-02 10:00") == said.loc[small.numbers[other], "received"]
    assert date(2026, 6, 1) == said.loc[small.numbers[other], "service_ends"]
    assert before.num_rows == len(said)
    assert before.schema == tables["cancellations.csv"].schema
    people = tables["customers.csv"].to_pandas().set_index("customer_no")["contract_end"]
    assert pd.isna(people[small.numbers[first]])
    assert pd.Timestamp("2026-06-01") == people[small.numbers[other]]
    agents = tables["agents.csv"].to_pandas().set_index("agent_no")
    assert [small.owners[1]] == list(agents.index[agents["away_from"].notna()])
    assert pd.Timestamp("2026-07-02") == agents.loc[small.owners[1], "away_to"]


def test_nobody_is_away_twice_at_once_and_absences_end(small):
    days = [date(2026, 3, 1) + timedelta(days=i) for i in range(120)]
    away = Team(small, 2).absences(days)
    assert away
    for some in away.values():
        for (first, back), (following, _) in pairwise(some):
            assert first < back <= following
        assert all(2 <= (back - first).days <= 12 for first, back in some)


def test_the_estimate_by_hand(small):
    """Two treated, one cancels who would have anyway and one was kept; two held out, one cancels in time, one after the
    epoch: 1/2 against 1/2, and the truth is 1/2 - 2/2. A third treated was kept in an epoch before: that is no effect
    of this one, so then it is 1/3 - 2/3.
    """
    team = Team(small, 1)
    place = [int(i) for i in np.flatnonzero(np.isnat(team.company.built.cancelled))[:5]]
    never, soon, late = (np.datetime64(one) for one in ("NaT", "2026-05-10T09:00:00", "2026-05-30T09:00:00"))
    rows = [("treated", soon, soon), ("treated", soon, never), ("held_out", soon, soon), ("held_out", late, late)]
    for i, (_, _, now) in zip(place, rows, strict=False):
        team.cancelled[i] = now
    units = [
        Unit(small.numbers[i], arm, date(2026, 5, 1), date(2026, 5, 29), stood)
        for i, (arm, stood, _) in zip(place, rows, strict=False)
    ]
    told = estimate(team, units)
    assert (2, 2, 1, 1) == (told.treated, told.held_out, told.treated_left, told.held_out_left)
    assert (0, -0.5) == (told.difference, told.truth)
    assert told.low < 0 < told.high
    before = Unit(small.numbers[place[4]], "treated", date(2026, 5, 1), date(2026, 5, 29), never)
    assert -1 / 3 == pytest.approx(estimate(team, [*units, before]).truth)
    assert 0.5 == held_out_share(one.arm for one in units)[0]
    assert held_out_share(()) is None


def test_the_loop_by_arrays_makes_the_real_loops_first_list_and_nearly_its_others(done, tmp_path):
    """The same company through `daily` and by arrays: what chance decides is the same in both."""
    told = arrays(quick(tmp_path / "fast"), seed=5, days=DAYS, customers=CUSTOMERS, now=datetime.now(UTC))
    real = done.told["days"]
    assert [] == told.broken
    names = ("observed", "listed", "held_out", "spilled", "below", "refused", "decided", "decided_out", "worked")
    first = {name: getattr(told.days[0], name) for name in names}
    assert {name: real[0][name] for name in names} == first
    for one, other in zip(told.days, real, strict=True):
        assert other["observed"] == pytest.approx(one.observed, abs=3)
        assert other["listed"] == pytest.approx(one.listed, rel=0.15)
    assert done.told["leavers_without_contact"] == told.leavers_without


@pytest.mark.slow
def test_many_companies_are_told_together(tmp_path):
    said = ok(call("simulate", "--seeds", 2, "--days", 2, "--customers", 1500, "--json")).json
    assert [1, 2] == [one["seed"] for one in said["companies"]]
    rows = [one["rows"] for one in said["companies"]]
    assert sum(rows) / 2 == pytest.approx(said["means"]["rows"]["mean"])
    assert [] == said["broken"]


@pytest.mark.slow
def test_sixty_days_keep_to_every_rule(tmp_path):
    """Issue, done when 1, with the demo's own model."""
    said = ok(spawn("simulate", "--dir", tmp_path / "s", "--days", 60, "--json"))
    told = said.json
    assert [] == told["broken"]
    assert 60 == len(told["days"])
    assert 0 < told["repeat_rate"] < 1
    assert told["holdout"]["low"] <= 0.1 <= told["holdout"]["high"]
    assert max(one["announced"] for one in told["days"]) > 0
    assert max(one["snoozed"] for one in told["days"]) > 0
    assert max(one["spilled"] for one in told["days"]) > 0
    assert sum(one["handed"] for one in told["days"]) > 0
    assert told["kept"] > 0
