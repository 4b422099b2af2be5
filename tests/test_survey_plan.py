"""The plan of whom to ask: what it reads of each customer, what it writes, what it says where nothing is known."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from command_line import END, call, copied, ok, refused
from oracle import Event
from small_tables import aware, spine_of, tables_of

from churnwatch.cli.surveys import show_plan
from churnwatch.delivery import survey_plan_csv
from churnwatch.errors import DataRefused, NoUsableModel, ProjectError, UsageError
from churnwatch.project import scaffold
from churnwatch.runs import survey_plan
from churnwatch.runs.score import Scored
from churnwatch.runs.survey_plan import plan_surveys
from churnwatch.runs.workspace import Workspace, load_tables, open_workspace
from churnwatch.signals import Matrix
from churnwatch.sources import Tables

DAY = timedelta(days=1)
TODAY = date(2026, 6, 1)
AS_OF = datetime(2026, 5, 31, 17)
"""The midnight that opens it in Jakarta, UTC."""
BEGIN = AS_OF - 500 * DAY
QUICK = {
    "every: 14d, history: 120d": "every: 60d, history: 120d",
    "rounds: 300": "rounds: 30",
    "folds: 6": "folds: 2",
    "test_slices: 6": "test_slices: 1",
    "minimum_outcomes: 100": "minimum_outcomes: 20",
    "min_data_in_leaf: 100": "min_data_in_leaf: 40",
}
"""The model of a company of 1,200 in a quick test."""


@pytest.fixture
def place(tmp_path) -> Workspace:
    """The reference project; the tables are the tests' own."""
    scaffold.init(tmp_path / "project")
    return open_workspace(tmp_path / "project", deployment="demo", data=None, now=aware(AS_OF + DAY))


def survey(customer: str, sent: datetime, answered: datetime | None = None, instrument: str = "nps") -> dict[str, Any]:
    lowest, highest = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "party": (0, 10)}[instrument]
    return {
        "survey_id": f"{customer} {sent} {instrument}",
        "customer_id": customer,
        "sent_at": sent,
        "answered_at": answered,
        "raw_score": None if answered is None else 3.0,
        "instrument": instrument,
        "scale_min": lowest,
        "scale_max": highest,
        "higher_is_better": instrument != "ces",
    }


def crowd(*, silent: bool = True) -> tuple[list[Event], list[dict[str, Any]]]:
    """Forty who always answer and forty who never do (else do too), each asked four times, long ago; who answers also
    uses the product every other day.
    """
    events, surveys = [], []
    for one in range(80):
        name, busy = f"crowd{one:02}", one % 2 == 0
        events += [used(name, BEGIN + (one % 7) * DAY)]
        events += [used(name, BEGIN + step * 2 * DAY) for step in range(250) if busy]
        for turn in range(4):
            sent = AS_OF - (200 + 40 * turn + one % 30) * DAY
            surveys.append(survey(name, sent, sent + DAY if busy or not silent else None))
    return events, surveys


def used(customer: str, at: datetime) -> Event:
    return Event(f"{customer} {at}", customer, at, at, {"kind": "usage"})


def scored_as(monkeypatch: pytest.MonkeyPatch, risks: dict[str, float], *, until: datetime | None = None) -> None:
    """The champion of these risks, whose last training label closed ``until`` (aware; else at as-of)."""

    def scores(*_: Any, **__: Any) -> Scored:
        spine = spine_of((name, AS_OF) for name in risks)
        frame = pd.DataFrame({"customer_id": spine["customer_id"], "risk": list(risks.values())})
        matrix = Matrix(spine, (), np.empty((len(spine), 0)))
        bundle = SimpleNamespace(notes={"trained_until": (until or aware(AS_OF)).isoformat()})
        return Scored(frame, matrix, bundle, "0123456789ab", aware(AS_OF), ("The model is old.",))  # type: ignore[arg-type]

    monkeypatch.setattr(survey_plan, "scores", scores)


def holding(place: Workspace, tables: Tables) -> Workspace:
    place.kept["tables"] = tables
    return place


def test_a_plan_by_hand(place, monkeypatch):
    """Equal risks: first who would answer, then who would not; the others are left in peace, each for one reason."""
    events, surveys = crowd()
    customers = [
        {"customer_id": "crowd00", "name": "=Ani", "owner": "a1"},
        {"customer_id": "crowd02", "do_not_contact": True},
        {"customer_id": "crowd04", "ended_at": AS_OF},
        {"customer_id": "crowd06", "ended_at": AS_OF + DAY, "name": "Budi"},
    ]
    surveys += [
        survey("crowd08", AS_OF - 90 * DAY, instrument="party"),
        survey("crowd10", AS_OF - 91 * DAY, AS_OF - 90 * DAY),
        # Known at as-of or later: as if it had not been.
        survey("crowd12", AS_OF),
        survey("crowd14", AS_OF - 100 * DAY, AS_OF),
        # An answer that the model does not look at says nothing of the model's outcome.
        survey("crowd16", AS_OF - 100 * DAY, AS_OF - 99 * DAY, "party"),
    ]
    asked = ["crowd00", "crowd01", "crowd06", "crowd12", "crowd14", "crowd16"]
    names = sorted([*asked, "crowd02", "crowd04", "crowd08", "crowd10"])
    scored_as(monkeypatch, dict.fromkeys(names, 0.5))
    holding(place, tables_of(events, customers=customers, surveys=surveys, zone="Asia/Jakarta"))
    made = plan_surveys(place, day=TODAY, size=8)
    told = made.as_json()
    counts = {"observed": 10, "chosen": 6, "refused": 2, "asked": 1, "answered": 1, "over": 0}
    assert counts == told["counts"]
    assert set(asked) == {row["customer"] for row in told["rows"]}
    assert "crowd01" == told["rows"][-1]["customer"]
    assert 0 < told["rows"][-1]["answers"] < told["rows"][-2]["answers"] < 1
    assert ("nps", "information", 8) == (told["instrument"], told["ranked_by"], told["size"])
    # All who may be asked are: nothing is drawn.
    assert 0 == told["drawn"] == [row["chosen_by"] for row in told["rows"]].count("draw")
    by_name = {row["customer"]: row for row in told["rows"]}
    # 100 days before June 1, and 213: crowd14's answer of as-of is not known, the one before is.
    assert "2026-02-21" == by_name["crowd16"]["last_asked"] == by_name["crowd14"]["last_asked"]
    assert "2025-10-31" == by_name["crowd14"]["last_answered"]
    for row in told["rows"]:
        assert row["answers"] == pytest.approx(row["bits"])
    assert told["expected"]["answers"] == pytest.approx(sum(row["answers"] for row in told["rows"]))
    assert told["expected"] == told["at_random"] == told["ranked_alone"]
    assert ["The model is old."] == told["warnings"]
    with (made.directory / "survey_plan.csv").open(newline="") as file:
        written = {row["customer"]: row for row in csv.DictReader(file)}
    assert [row["customer"] for row in told["rows"]] == list(written)
    assert "'=Ani" == written["crowd00"]["customer_name"]
    assert f"{by_name['crowd00']['answers']:.4f}" == written["crowd00"]["answers"]
    assert counts == json.loads((made.directory / "run.json").read_text())["counts"]


def test_the_same_plan_is_made_again_and_another_day_draws_others(place, monkeypatch):
    events, surveys = crowd()
    scored_as(monkeypatch, {f"crowd{one:02}": 0.5 for one in range(80)})
    holding(place, tables_of(events, surveys=surveys, zone="Asia/Jakarta"))
    made = [plan_surveys(place, day=day, size=20) for day in (TODAY, TODAY, TODAY + DAY)]
    first, again, other = ((one.directory / "survey_plan.csv").read_bytes() for one in made)
    assert first == again != other
    drawn = [{row["customer"] for row in one.rows if row["chosen_by"] == "draw"} for one in made]
    assert 4 == len(drawn[0]) == len(drawn[2])
    assert drawn[0] != drawn[2]


@pytest.mark.parametrize(
    ("silent", "instrument", "why"),
    [
        (False, "nps", "every survey of nps has an answer: the source lists answers only"),
        (True, "csat", "no survey of csat was sent whose fate is known"),
    ],
)
def test_where_nobody_knows_who_answers_uncertainty_ranks_and_it_is_said(
    silent, instrument, why, place, monkeypatch, capsys
):
    events, surveys = crowd(silent=silent)
    scored_as(monkeypatch, {"crowd00": 0.1, "crowd01": 0.5, "crowd03": 0.25})
    # Its time to be answered is not over.
    surveys.append(survey("crowd05", AS_OF - DAY, instrument="csat"))
    holding(place, tables_of(events, surveys=surveys, zone="Asia/Jakarta"))
    made = plan_surveys(place, day=TODAY, size=2, instrument=instrument)
    told = made.as_json()
    assert ["crowd01", "crowd03"] == [row["customer"] for row in told["rows"]]
    assert {(None, "uncertainty")} == {(row["answers"], row["chosen_by"]) for row in told["rows"]}
    assert (None, pytest.approx(1.8112781244591328)) == (told["expected"]["answers"], told["expected"]["bits"])
    assert told["warnings"][0].startswith(why)
    assert (instrument == "csat") == any("asked about a case" in one for one in told["warnings"])
    show_plan(made, "en")
    said = capsys.readouterr().out
    assert "expected: 1.8 bits of information (if everybody answered)" in said
    assert why in said


def test_a_draw_is_told_where_there_is_one(place, monkeypatch, capsys):
    """Of four who may be asked three, or all."""
    events, surveys = crowd()
    scored_as(monkeypatch, {f"crowd0{one}": 0.1 + one / 10 for one in range(4)})
    holding(place, tables_of(events, surveys=surveys, zone="Asia/Jakarta"))
    said = {}
    for size in (3, 4, 5):
        show_plan(plan_surveys(place, day=TODAY, size=size), "en")
        said[size] = " ".join(capsys.readouterr().out.split())
    assert "1 of the places was drawn at random, for an answer that no model picked; without that: " in said[3]
    assert "without that" not in said[4]
    assert "without that" not in said[5]


def test_a_day_the_model_has_learned_beyond_is_warned_of(place, monkeypatch):
    """A label that closed 1 µs later; as-of is the midnight that opens June 1 in Jakarta."""
    events, surveys = crowd()
    holding(place, tables_of(events, surveys=surveys, zone="Asia/Jakarta"))
    scored_as(monkeypatch, {"crowd00": 0.5}, until=aware(AS_OF) + timedelta(microseconds=1))
    [warning, _] = plan_surveys(place, day=TODAY, size=1).summary["warnings"]
    assert warning.startswith("The model has learned from days up to 2026-06-01, and a plan of 2026-06-01 should know")


def test_too_few_surveys_tell_of_nobody_who_answers(place, monkeypatch):
    scored_as(monkeypatch, {"a": 0.5})
    sent = AS_OF - 200 * DAY
    holding(place, tables_of([used("a", BEGIN)], surveys=[survey("a", sent), survey("b", sent, sent + DAY)]))
    [warning, _] = plan_surveys(place, day=TODAY, size=2).summary["warnings"]
    assert "of only 2 surveys it is known whether they were answered" in warning


def test_where_everybody_is_tired_the_plan_is_empty(place, monkeypatch, capsys):
    events, surveys = crowd()
    scored_as(monkeypatch, {"crowd00": 0.5, "crowd01": 0.5})
    surveys += [survey(one, AS_OF - DAY) for one in ("crowd00", "crowd01")]
    holding(place, tables_of(events, surveys=surveys, zone="Asia/Jakarta"))
    made = plan_surveys(place, day=TODAY, size=2)
    assert [] == made.rows
    assert 1 == len((made.directory / "survey_plan.csv").read_text().splitlines())
    show_plan(made, "id")
    assert "2 diamati = 0 ditanya + 0 tidak boleh dihubungi + 2 ditanya dalam 90 hari" in capsys.readouterr().out


def test_what_cannot_be_planned_is_refused(place):
    with pytest.raises(UsageError, match="0 is no size of a plan"):
        plan_surveys(place, day=TODAY, size=0)
    with pytest.raises(UsageError, match=r"(?s)there is no instrument nsp.*nps, csat, ces.*did you mean nps"):
        plan_surveys(place, day=TODAY, size=1, instrument="nsp")
    with pytest.raises(ProjectError, match="the model churn foretells no answers"):
        plan_surveys(place, day=TODAY, size=1, name="churn")
    olist = open_workspace(place.root, deployment="olist", data=None, now=place.now)
    with pytest.raises(ProjectError, match="observes customers when a survey is sent to them"):
        plan_surveys(olist, day=TODAY, size=1)
    with pytest.raises(NoUsableModel, match=r"(?s)has no champion yet.*churnwatch train satisfaction`$"):
        plan_surveys(holding(place, tables_of([used("a", BEGIN)], surveys=[survey("a", BEGIN)])), day=TODAY, size=1)


def test_an_instrument_that_no_survey_has_is_refused_with_those_there_are(place):
    """By the deployment's own file, where it has one: `npss` for `nps`."""
    own = place.root / "configs" / "demo" / "models" / "satisfaction.yaml"
    own.parent.mkdir(exist_ok=True)
    text = (place.root / "models" / "satisfaction.yaml").read_text()
    assert "    nps: {" in text
    own.write_text(text.replace("    nps: {", "    npss: {"))
    opened = open_workspace(place.root, deployment="demo", data=None, now=place.now)
    asked = [survey("a", BEGIN), survey("b", BEGIN, instrument="csat")]
    holding(opened, tables_of([used("a", BEGIN)], surveys=asked))
    with pytest.raises(DataRefused) as raised:
        plan_surveys(opened, day=TODAY, size=1, instrument="npss")
    assert (
        "configs/demo/models/satisfaction.yaml: outcome.answer.npss: no survey has the instrument npss; there are "
        "csat, nps; did you mean nps?\n  allowed: an instrument of that file that surveys have: csat\n"
        "  try: correct the file, or name another with --instrument"
    ) == str(raised.value)
    with pytest.raises(UsageError, match=r"those of configs/demo/models/satisfaction\.yaml: npss, csat, ces"):
        plan_surveys(opened, day=TODAY, size=1, instrument="nsp")


def test_the_file_has_the_agreed_columns_and_no_formula():
    row = {
        "rank": 1,
        "customer": "007",
        "customer_name": "=1+1",
        "owner": "a1",
        "owner_name": "+62",
        "instrument": "nps",
        "chosen_by": "information",
        "answers": None,
        "risk": 0.25,
        "bits": 0.8112781,
        "last_asked": date(2026, 1, 2),
        "last_answered": None,
        "model_version": "0123456789ab",
    }
    head = "rank,customer,customer_name,owner,owner_name,instrument,chosen_by,answers,risk,bits,"
    line = "1,007,'=1+1,a1,'+62,nps,information,,0.2500,0.8113,2026-01-02,,0123456789ab\n"
    assert (f"{head}last_asked,last_answered,model_version\n{line}").encode() == survey_plan_csv([row])


@pytest.fixture(scope="module")
def trained(company, tmp_path_factory):
    """The simulated company with a quickly trained model of satisfaction in use; its plan, and all risks."""
    root = copied(company.root, tmp_path_factory.mktemp("asking") / "project")
    text = (root / "models" / "satisfaction.yaml").read_text()
    for old, new in QUICK.items():
        assert old in text
        text = text.replace(old, new)
    (root / "configs" / "demo" / "models" / "satisfaction.yaml").write_text(text)
    version = call("train", "satisfaction", "--project", root, "--json").json["version"]
    # Of so small a company it may well fail the gate; a plan asks for a champion, not for a good one.
    ok(call("promote", "satisfaction", version, "--why", "test", "--despite-gate", "--project", root))
    options = ("--as-of", END, "--project", root, "--json")
    return root, ok(call("surveys", "plan", "--size", 40, *options)).json, version


def table(root, name):
    with (root / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_plan_of_a_company_leaves_in_peace_whom_it_should(trained):
    """By the company's own tables: times are local there, as the day's opening midnight is."""
    root, told, version = trained
    chosen = {row["customer"]: row for row in told["rows"]}
    assert (40, 40, 8) == (len(chosen), told["counts"]["chosen"], told["drawn"])
    assert {version} == {row["model_version"] for row in told["rows"]}
    now = datetime.fromisoformat(END)
    surveys = [one for one in table(root, "surveys") if one["customer_no"] in chosen]
    assert surveys
    assert [] == [one for one in surveys if now - 90 * DAY <= datetime.fromisoformat(one["sent"]) < now]
    answers = [datetime.fromisoformat(one["answered"]) for one in surveys if one["answered"]]
    assert [] == [one for one in answers if now - 182 * DAY <= one < now]
    barred = {one["customer_no"] for one in table(root, "customers") if one["may_contact"] == "no"}
    assert barred
    assert not barred & set(chosen)
    counts = told["counts"]
    left = sum(counts[name] for name in ("chosen", "refused", "asked", "answered", "over"))
    assert counts["observed"] == left
    assert told["at_random"]["bits"] < told["expected"]["bits"] <= told["ranked_alone"]["bits"]
    by_bits = [row["bits"] for row in told["rows"]]
    assert sorted(by_bits, reverse=True) == by_bits


def test_a_plan_reads_the_champion_s_risks_and_is_the_same_again(trained):
    root, told, _ = trained
    options = ("--as-of", END, "--project", root, "--json")
    before = Path(told["files"]["survey_plan.csv"]).read_bytes()
    again = ok(call("surveys", "plan", "--size", 40, *options)).json
    assert (told["rows"], before) == (again["rows"], Path(told["files"]["survey_plan.csv"]).read_bytes())
    scored = ok(call("score", "--model", "satisfaction", *options)).json
    risks = {one["customer_id"]: one["risk"] for one in pq.read_table(scored["files"]["scores.parquet"]).to_pylist()}
    assert len(risks) == told["counts"]["observed"]
    assert {row["customer"]: row["risk"] for row in told["rows"]} == pytest.approx(
        {row["customer"]: risks[row["customer"]] for row in told["rows"]}, abs=1e-4
    )


def test_a_day_outside_the_data_is_refused(trained):
    said = call("surveys", "plan", "--size", 5, "--as-of", "2020-01-01", "--project", trained[0])
    refused(said, 4, "as-of 2020-01-01 lies outside the data")


def test_a_plan_of_a_past_day_reads_nothing_that_became_known_later(trained):
    """Everything asked, answered and done from that day on is gone: the same customers for the same reasons."""
    day = date(2026, 3, 1)
    found = []
    for cut in (False, True):
        now = datetime.fromisoformat(f"{END}T12:00:00+00:00")
        workspace = open_workspace(trained[0], deployment="demo", data=None, now=now)
        tables = load_tables(workspace)
        if cut:
            opens = "timestamp '2026-02-28 17:00:00'"  # midnight in Jakarta
            tables.con.execute(f"delete from surveys where sent_at >= {opens}")
            tables.con.execute(
                f"update surveys set answered_at = null, raw_score = null, comment = null where answered_at >= {opens}"
            )
            tables.con.execute(f"delete from interactions where known_at >= {opens}")
        found.append(plan_surveys(workspace, day=day, size=40).as_json()["rows"])
    assert found[0] == found[1]
    assert 40 == len(found[0])
