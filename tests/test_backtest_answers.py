"""Backtest of answers at events: slices of surveys, each judged by its own answer, learned from what came before."""

from __future__ import annotations

import csv
import random
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import call, ok, refused, untouched

import churnwatch.runs.backtest
import churnwatch.runs.study
from churnwatch.runs.backtest import replayed
from churnwatch.runs.candidate import candidate, dates_of
from churnwatch.runs.tune import past_of
from churnwatch.runs.workspace import load_tables, open_workspace

NOW = datetime(2026, 8, 1, tzinfo=UTC)
FIRST, END = datetime(2025, 11, 1), datetime(2026, 7, 1)
DAYS = [date(2026, 4, 1), date(2026, 5, 10)]
UNTIL = date(2026, 6, 16)
FILES = {
    "deployment.yaml": "deployment: moments\ntitle: Moments\nzone: UTC\ncurrency: EUR\nlisting_model: moment\n",
    "outreach.yaml": "default_action: check_in\ncapacity_total: 0.2\n",
    "sources.yaml": """
sources:
  asked:
    from: asked.csv
    zone: UTC
    data_end: 2026-07-01
    types: {sent: time, answered: time, score: number}
  calls:
    from: calls.csv
    zone: UTC
    data_end: 2026-07-01
    types: {at: time}
tables:
  customers:
    - source: calls
      select: SELECT who AS customer_id, min("at") AS started_at FROM calls GROUP BY who
  interactions:
    - source: calls
      columns: {interaction_id: number, customer_id: who, at: '"at"', known_at: '"at"', kind: what}
  surveys:
    - source: asked
      columns:
        survey_id: number
        customer_id: who
        sent_at: sent
        answered_at: answered
        instrument: "'csat'"
        raw_score: score
        scale_min: "1"
        scale_max: "5"
        higher_is_better: "true"
""",
    "models/moment.yaml": """
model: moment
title: {en: The answer will be a bad one, id: Jawabannya akan buruk}
outcome: {answer: {csat: {scale: [1, 5], bad: {at_most: 2}, about: case}}}
grid: {at: survey sent, every: 30d, history: 30d}
answering: {within: 10d}
families: [contact, tenure]
learner:
  parameters: {num_leaves: 4, min_data_in_leaf: 20}
  rounds: 20
  folds: 2
  calibration: platt
  minimum_outcomes: 20
baselines: {recency: tenure_days, last_score: null, tenure: tenure_days}
bands: {watch: 1.0, at_risk: 1.5, critical: 2.0}
""",
}
CALENDAR = FILES["models/moment.yaml"].replace("model: moment", "model: month").replace("at: survey sent, ", "")
CALENDAR = CALENDAR.replace("answering:", "horizon: 30d\nanswering:")


class Asked(NamedTuple):
    """A survey as the file holds it."""

    who: str
    sent: datetime
    answered: datetime | None
    score: int | None


def company() -> tuple[list[Asked], list[tuple[str, datetime, str]]]:
    """Customers asked every forty days, one in ten again three days later; who has complained lately is unhappy, and
    two of three answer, some after three weeks.
    """
    chance = random.Random(1)
    surveys, calls = [], []
    for number in range(250):
        who = f"c{number:03}"
        calls.append((who, FIRST + timedelta(hours=number % 24), "contact"))
        at = FIRST + timedelta(days=chance.randrange(40), hours=1)
        while at < END:
            complains = chance.random() < 0.4
            if complains:
                calls.append((who, at - timedelta(hours=chance.randrange(1, 48)), "complaint"))
            for sent in (at, at + timedelta(days=3)) if chance.random() < 0.1 else (at,):
                took = timedelta(days=chance.choice((1, 2, 3, 3, 5, 21)), minutes=chance.randrange(600))
                bad = chance.random() < (0.6 if complains else 0.1)
                heard = chance.random() < 0.67 and sent + took < END
                if sent < END:
                    score = chance.choice((1, 2) if bad else (3, 4, 5))
                    surveys.append(Asked(who, sent, sent + took if heard else None, score if heard else None))
            at += timedelta(days=40)
    return surveys, calls


SURVEYS, CALLS = company()


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    """A project with a model at surveys and one on a calendar. Nothing is published in it: take a copy for that."""
    directory = tmp_path_factory.mktemp("answers") / "moments"
    ok(call("init", directory))
    for name, text in {**FILES, "models/month.yaml": CALENDAR}.items():
        file = directory / "configs" / "moments" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    asked = [f"s{i},{a.who},{a.sent},{a.answered or ''},{a.score or ''}" for i, a in enumerate(SURVEYS)]
    called = [f"i{i},{who},{at},{what}" for i, (who, at, what) in enumerate(CALLS)]
    (directory / "data").mkdir()
    (directory / "state" / "moments").mkdir(parents=True)
    heads = {"asked": ("number,who,sent,answered,score", asked), "calls": ("number,who,at,what", called)}
    for name, (head, lines) in heads.items():
        (directory / "data" / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n")
    return directory


def options(project, model="moment", days=DAYS):
    at = ",".join(map(str, days))
    return ("backtest", model, "--as-of", at, "--project", project, "--deployment", "moments")


@pytest.fixture(scope="module")
def told(moments, tmp_path_factory):
    """What the backtest of two slices tells, and what it shows."""
    moments = shutil.copytree(moments, tmp_path_factory.mktemp("told") / "moments")
    shown = ok(call(*options(moments), "--until", UNTIL)).out
    return ok(call(*options(moments), "--until", UNTIL, "--json")).json, shown


def test_a_slice_holds_the_surveys_from_its_day_to_the_next(told):
    """Counted in the files: April 1 to May 9, May 10 to June 15; judged are those with an answer, however late."""
    found, _ = told
    lists = found["replay"]["lists"]
    assert [("2026-04-01", "2026-05-09"), ("2026-05-10", "2026-06-15")] == [(o["as_of"], o["last_day"]) for o in lists]
    for one, opens, closes in zip(lists, DAYS, (DAYS[1], UNTIL), strict=True):
        sent = [a for a in SURVEYS if opens <= a.sent.date() < closes]
        answered = [a for a in sent if a.answered]
        bad = sum(a.score <= 2 for a in answered)
        assert (len(answered), len(sent) - len(answered)) == (one["observed"], one["unanswered"])
        assert bad / len(answered) == one["base_rate"]["share"]
        assert one["observed"] == one["listed"] + one["below"] + one["refused"] + one["spilled"]
        assert max(a.answered - a.sent for a in answered) > timedelta(days=20)
    assert [one["observed"] for one in lists] == [one["n"] for one in found["slices"]]


def test_a_customer_may_stand_in_a_slice_with_two_surveys(told):
    found, _ = told
    [first, second] = (
        [a.who for a in SURVEYS if a.answered and opens <= a.sent.date() < closes]
        for opens, closes in zip(DAYS, (DAYS[1], UNTIL), strict=True)
    )
    assert len(set(first)) < len(first)
    assert len({*first, *second}) == found["replay"]["coverage"]["customers_observed"]
    with Path(found["replay"]["files"]["lists.csv"]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {"bad", "good"} == {row["outcome"] for row in rows}
    for one in found["replay"]["lists"]:
        mine = [row for row in rows if row["as_of"] == one["as_of"]]
        assert (one["listed"], one["hits"]) == (len(mine), sum(row["outcome"] == "bad" for row in mine))
    before = {row["customer"] for row in rows if row["as_of"] == "2026-04-01"}
    again = [row for row in rows if row["as_of"] == "2026-05-10" and row["customer"] in before]
    assert len(again) == found["replay"]["lists"][1]["kept"] > 0


def test_what_was_answered_later_is_not_trained_on(moments, monkeypatch):
    """Every answer from the first day on is turned round: the first model is the same, the second is another."""
    models = []

    def fit_on(rows, model, **options):
        found = churnwatch.runs.study.fit_on(rows, model, **options)
        models.append((found[0].booster_text, rows))
        return found

    monkeypatch.setattr(churnwatch.runs.backtest, "fit_on", fit_on)
    for garbled in (False, True):
        workspace = open_workspace(moments, deployment="moments", data=None, now=NOW)
        if garbled:
            load_tables(workspace).con.execute(
                f"update surveys set raw_score = 6 - raw_score where answered_at >= timestamp '{DAYS[0]}'"
            )
        replayed(workspace, "moment", days=DAYS, until=UNTIL)
    (first, rows), (second, _), (again, _), (other, _) = models
    assert first == again
    assert second != other
    opens, closes = rows.dates.min().item(), datetime(2026, 4, 1)
    answered = [a.answered for a in SURVEYS if opens <= a.sent < closes and a.answered]
    known = sum(at < closes for at in answered)
    assert 300 < known < len(answered)
    assert known == rows.labels["told"].sum()


def test_training_and_tuning_choose_by_answers_known_at_the_first_test_date(moments):
    """What was answered from then on is turned round, for surveys sent before too: the judged model stays the same, the
    one that is registered does not; nor do the weights, as who answered stays the same.
    """
    found = []
    for garbled in (False, True):
        workspace = open_workspace(moments, deployment="moments", data=None, now=NOW)
        model = workspace.model("moment")
        tables = load_tables(workspace)
        _, tests, _ = dates_of(workspace, tables, model)
        if garbled:
            tables.con.execute(
                f"update surveys set raw_score = 6 - raw_score where answered_at >= timestamp '{tests[0]:%Y-%m-%d}'"
            )
        past, _ = past_of(workspace, tables, model)
        found.append((candidate(workspace, tables, model), past))
    (one, searched), (other, again) = found
    assert one.fitted == other.fitted
    assert one.bundle.fitted.booster_text != other.bundle.fitted.booster_text
    assert searched.outcome.tobytes() == again.outcome.tobytes()
    assert searched.weight is not None
    assert again.weight is not None
    assert searched.weight.tobytes() == again.weight.tobytes()
    assert searched.weight.std() > 0
    told = one.bundle.notes["weighing"]
    assert 0.5 < told["answered"] / told["asked"] < 0.8
    late = [a for a in SURVEYS if a.answered and a.sent < tests[0].replace(tzinfo=None) <= a.answered]
    assert len(late) > 10


def test_check_and_label_count_the_same_slices(moments):
    """Each survey whose time to be answered was over within the data, with its answer however late."""
    where = ("--project", moments, "--deployment", "moments")
    [checked] = [one for one in ok(call("check", *where, "--json")).json["models"] if one["model"] == "moment"]
    told = ok(call("label", "moment", *where, "--json")).json
    names = ("observations", "outcomes", "base_rate")
    assert [checked[name] for name in names] == [told[name] for name in names]
    assert told["unanswered"] > 0
    assert not told["only_answers"]
    slices = f"in {len(checked['as_ofs'])} slices of {checked['slice_days']} days"
    for command in (("label", "moment"), ("check",)):
        shown = " ".join(ok(call(*command, *where)).out.split())
        assert f"{told['observations']:,} complete observations {slices}" in shown


def test_the_terminal_and_the_page_speak_of_answers(told):
    found, shown = told
    lists = found["replay"]["lists"]
    answered, unanswered = (sum(one[name] for one in lists) for name in ("observed", "unanswered"))
    plain = " ".join(shown.split())
    assert f"judged among those who answered: {answered:,} of {answered + unanswered:,} surveys sent from" in plain
    assert "places went to customers who answered badly" in plain
    assert "leavers" not in plain
    page = Path(found["replay"]["files"]["backtest.html"]).read_text(encoding="utf-8")
    assert "the last until 15 Jun 2026" in page
    # The file ranks recency by how old a customer is: nobody is said to be quiet.
    assert "one sign alone (tenure_days)" in page
    assert "who was quiet longest" not in page


def test_without_until_the_last_slice_ends_with_the_data(moments, tmp_path):
    moments = shutil.copytree(moments, tmp_path / "moments")
    found = ok(call(*options(moments, days=DAYS[1:]), "--json")).json
    sent = [a for a in SURVEYS if a.sent.date() >= DAYS[1]]
    [one] = found["replay"]["lists"]
    assert len(sent) == one["observed"] + one["unanswered"]


@pytest.mark.parametrize(
    ("model", "days", "until", "code", "words"),
    [
        ("moment", DAYS, "2026-05-10", 2, "until 2026-05-10 there is no observation from 2026-05-10 on"),
        ("moment", DAYS, "2026-03-01", 2, "until 2026-03-01 there is no observation"),
        ("month", DAYS, "2026-06-16", 2, "a slice of it has no end"),
        ("moment", [date(2026, 9, 1)], None, 4, "its first survey may be sent on 2026-09-01"),
        ("moment", [date(2026, 6, 30)], None, 4, "so nothing tells what its list was worth"),
    ],
    ids=["on the day", "before it", "calendar", "after the data", "no answer yet"],
)
def test_a_slice_that_cannot_be_is_one_message(moments, model, days, until, code, words):
    more = () if until is None else ("--until", until)
    with untouched(moments):
        refused(call(*options(moments, model, days), *more), code, words)
