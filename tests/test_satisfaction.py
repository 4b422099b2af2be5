"""`satisfaction`, as a user runs it: counts that are the data's, estimates of what was known, and nothing trained."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from command_line import END, call, ok, refused

from churnwatch.project import scaffold
from churnwatch.synthetic import simulate

ZONE = "Asia/Jakarta"
AS_OF = pd.Timestamp(END)
QUANTITIES = ("naive", "corrected", "difference", "bad_naive", "bad_corrected", "response_rate")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A simulated company of 900, nothing trained, and what the command told of its last day."""
    root = tmp_path_factory.mktemp("company") / "project"
    scaffold.init(root)
    simulate(root, customers=900, seed=5)
    return root, ok(call("satisfaction", "--project", root, "--as-of", END, "--json")).json


@pytest.fixture(scope="module")
def surveys(company):
    """The surveys as the company has them, the wrong rows left out; times are local, as the as-of's midnight is."""
    table = pd.read_csv(company[0] / "data" / "surveys.csv", parse_dates=["sent", "answered"])
    return table[~table["survey_no"].str.startswith("SX")]


@pytest.fixture
def project(company, tmp_path):
    """The company again, without what was told of it."""
    return shutil.copytree(company[0], tmp_path / "project", ignore=shutil.ignore_patterns("state", "out"))


def rewrite(project, change):
    path = project / "data" / "surveys.csv"
    change(pd.read_csv(path, dtype=str)).to_csv(path, index=False)


def shown(project, *options, day=END):
    """What the terminal shows, what was published, and the page."""
    said = ok(call("satisfaction", "--project", project, "--as-of", day, *options))
    directory = project / "out" / "demo" / f"{day}-satisfaction"
    page = (directory / "satisfaction.html").read_text()
    return said.out, json.loads((directory / "satisfaction.json").read_text()), page


def test_counts_and_naive_numbers_are_those_of_the_data(company, surveys):
    """Settled surveys of half a year: those of the last two weeks may yet be answered and stand apart."""
    _, told = company
    assert ["nps", "csat", "ces"] == [one["instrument"] for one in told["instruments"]]
    settled = surveys[surveys["sent"] <= AS_OF - timedelta(days=14)]
    in_time = settled["answered"] < settled["sent"] + timedelta(days=14)
    for one in told["instruments"]:
        own = settled[settled["survey"].str.lower() == one["instrument"]]
        now = own[own["sent"] >= AS_OF - timedelta(days=182)]
        before = own[(own["sent"] < AS_OF - timedelta(days=182)) & (own["sent"] >= AS_OF - timedelta(days=364))]
        scores = now["score"][in_time[now.index]]
        assert (len(now), len(scores)) == (one["asked"], one["answered"])
        assert len(scores) / len(now) == pytest.approx(one["response_rate"]["value"], abs=1e-4)
        assert in_time[before.index].mean() == pytest.approx(one["response_before"]["value"], abs=1e-4)
        drift = in_time[now.index].mean() - in_time[before.index].mean()
        assert drift == pytest.approx(one["response_drift"]["value"], abs=1e-4)
        figure, bad = {
            "nps": (100 * ((scores >= 9).mean() - (scores <= 6).mean()), scores <= 6),
            "csat": (scores.mean(), scores <= 2),
            "ces": (scores.mean(), scores >= 5),
        }[one["instrument"]]
        assert figure == pytest.approx(one["naive"]["value"], abs=1e-4)
        assert bad.mean() == pytest.approx(one["bad_naive"]["value"], abs=1e-4)
        pending = surveys[(surveys["survey"].str.lower() == one["instrument"]) & (surveys["sent"] < AS_OF)]
        assert (pending["sent"] > AS_OF - timedelta(days=14)).sum() == one["pending"]


def test_every_number_lies_in_its_interval_and_the_difference_is_one(company):
    for one in company[1]["instruments"]:
        for name in QUANTITIES:
            assert one[name]["low"] <= one[name]["value"] <= one[name]["high"]
        assert one["corrected"]["value"] - one["naive"]["value"] == pytest.approx(one["difference"]["value"], abs=2e-4)
        assert 0.5 * one["answered"] < one["effective"] <= one["answered"]
        assert None is one["note"]


def test_groups_and_months_share_the_surveys_out(company, surveys):
    root, told = company
    crm = pd.read_csv(root / "data" / "customers.csv", dtype=str)
    plan = crm.drop_duplicates("customer_no").set_index("customer_no")["plan"]
    for one in told["instruments"]:
        for fact in ("segment", "owner"):
            groups = one["groups"][fact]
            assert one["asked"] == sum(group["asked"] for group in groups)
            assert one["answered"] == sum(group["answered"] for group in groups)
            assert told["customers"] == sum(group["customers"] for group in groups)
        assert ["business", "starter", "team"] == [group["level"] for group in one["groups"]["segment"]]
        assert all(group["name"] for group in one["groups"]["owner"])
        few = [group for group in one["groups"]["owner"] if group["naive"] is None]
        assert few
        notes = [re.fullmatch(r"not enough answers: (\d+) of 30", group["note"]) for group in few]
        # 30 answers may be of fewer customers, who know too few stories.
        assert all(note is None or int(note[1]) == group["answered"] for note, group in zip(notes, few, strict=True))
        assert {
            group["note"][: len("answers of too few customers")]
            for group, note in zip(few, notes, strict=True)
            if not note
        } <= {"answers of too few customers"}
        assert 12 == len(one["months"])
        assert ("2025-07", "2026-06") == (one["months"][0]["month"], one["months"][-1]["month"])
        june = surveys[(surveys["survey"].str.lower() == one["instrument"]) & (surveys["sent"] >= "2026-06-01")]
        assert (june["sent"] <= AS_OF - timedelta(days=14)).sum() == one["months"][-1]["asked"]
    nps = told["instruments"][0]
    now = surveys[(surveys["survey"] == "NPS") & (surveys["sent"] >= AS_OF - timedelta(days=182))]
    now = now[now["sent"] <= AS_OF - timedelta(days=14)]
    of_plan = now["customer_no"].map(plan).value_counts()
    assert of_plan.to_dict() == {group["level"]: group["asked"] for group in nps["groups"]["segment"]}


def test_the_same_data_give_the_same_numbers_in_any_language(company):
    root, told = company
    directory = root / "out" / "demo" / f"{END}-satisfaction"
    assert {"satisfaction.html", "satisfaction.json", "run.json"} == {path.name for path in directory.iterdir()}
    assert {path.name: str(path) for path in directory.iterdir()} == told["files"]
    assert {**told, "files": {}} == json.loads((directory / "satisfaction.json").read_text())
    assert 'lang="en"' in (directory / "satisfaction.html").read_text()
    out, again, page = shown(root, "--lang", "id")
    assert told["instruments"] == again["instruments"]
    assert told["assumptions"] != again["assumptions"]
    assert 'lang="id"' in page
    assert "Kepuasan demo per 2026-07-01: survei 182 hari sebelumnya, " in out
    assert "customers watched" not in out
    assert told["files"]["satisfaction.html"] in out


def test_nothing_known_at_as_of_or_later_is_read(project, company):
    """As of a day in April: with everything that came later in surveys, usage and visits gone, every number stays."""
    day = "2026-04-15"
    _, whole, _ = shown(project, day=day)
    assert whole["instruments"][0]["answered"] > 100

    def before(table):
        kept = table[table["sent"] < day].copy()
        unknown = kept["answered"].notna() & (kept["answered"] >= day)
        kept.loc[unknown, ["answered", "score", "comment"]] = None
        return kept

    rewrite(project, before)
    data = project / "data"
    usage = pd.read_parquet(data / "usage.parquet")
    usage[usage["started"] < pd.Timestamp(day, tz=ZONE)].to_parquet(data / "usage.parquet")
    visits = pd.read_csv(data / "visits.csv", dtype=str)
    visits[visits["visited"] < day].to_csv(data / "visits.csv", index=False)
    _, cut, _ = shown(project, day=day)
    assert whole["instruments"] == cut["instruments"]
    assert whole["customers"] == cut["customers"]


def test_where_a_source_lists_answers_only_that_is_said(project):
    """Silent NPS surveys are no rows: no response rate, no correction; CSAT beside it is as before."""
    rewrite(project, lambda table: table[(table["survey"] != "NPS") | table["answered"].notna()])
    out, told, page = shown(project)
    nps, csat, _ = told["instruments"]
    assert nps["only_answers"]
    assert nps["asked"] == nps["answered"] > 60
    assert nps["naive"] is not None
    for name in (
        "response_rate",
        "response_before",
        "response_drift",
        "corrected",
        "difference",
        "effective",
        "clipped",
    ):
        assert nps[name] is None
    assert 0 == nps["pending"]
    assert "lists answers only" in nps["note"]
    assert not csat["only_answers"]
    assert csat["corrected"] is not None
    assert "nps: the source lists answers only" in out
    assert "This source lists answers only." in page


def test_without_surveys_there_is_a_page_that_says_so(project):
    rewrite(project, lambda table: table[table["sent"] < "2025-06-01"])
    out, told, _ = shown(project)
    for one in told["instruments"]:
        assert (0, 0, None, None) == (one["asked"], one["answered"], one["naive"], one["response_rate"])
        assert "nobody was asked" == one["note"]
        assert [] == one["months"]
    assert "No survey was sent in this time." in out


def test_of_too_few_surveys_nobody_can_tell_who_answers(project):
    """40 answered and 8 silent NPS surveys are all there is: a rate and a naive number, nothing for the silent."""

    def few(table):
        nps = table[(table["survey"] == "NPS") & (table["sent"] >= "2026-01-15") & (table["sent"] < "2026-06-01")]
        nps = nps[~nps["survey_no"].str.startswith("SX")].drop_duplicates("customer_no")
        return pd.concat([nps[nps["answered"].notna()].head(40), nps[nps["answered"].isna()].head(8)])

    rewrite(project, few)
    out, told, _ = shown(project)
    nps = told["instruments"][0]
    assert (48, 40, round(40 / 48, 4)) == (nps["asked"], nps["answered"], nps["response_rate"]["value"])
    assert nps["naive"] is not None
    assert (None, None, None) == (nps["corrected"], nps["difference"], nps["effective"])
    assert "too few surveys to tell who answers them" == nps["note"]
    assert "nps: too few surveys to tell who answers them" in out


def test_answers_that_come_too_late_are_said_to_be_none(project):
    """Every fifth NPS answer is moved to three weeks after the survey."""

    def later(table):
        table = table.copy()
        late = (table["survey"] == "NPS") & table["answered"].notna() & (np.arange(len(table)) % 5 == 0)
        sent = pd.to_datetime(table.loc[late, "sent"]) + timedelta(days=21)
        table.loc[late, "answered"] = sent.dt.strftime("%Y-%m-%d %H:%M:%S")
        return table[pd.to_datetime(table["answered"]).fillna(AS_OF - timedelta(1)) < AS_OF]

    rewrite(project, later)
    (warning,) = [one for one in shown(project)[1]["warnings"] if "answers of nps came after 14d" in one]
    late, _, answered = warning.split()[:3]
    assert 0.15 < int(late) / int(answered.replace(",", "")) < 0.25


def test_a_day_outside_the_data_and_a_model_of_something_else_are_refused(project):
    refused(call("satisfaction", "--project", project, "--as-of", "2027-01-01"), 4, "outside the data")
    refused(call("satisfaction", "--project", project, "--as-of", END, "--model", "churn"), 3, "foretells no answers")
    assert not (project / "out").exists()


def test_surveys_of_the_first_days_of_the_data_are_said_to_be_left_out(project, surveys):
    """The data begin on 2025-01-01 and surveys count from 120 days later; then from two weeks after they were sent."""
    day = "2025-02-10"
    out, told, page = shown(project, day=day)
    sent = surveys[surveys["sent"] < day]
    assert 100 < len(sent)
    assert len(sent) == sum(one["left_out"] for one in told["instruments"])
    for one in told["instruments"]:
        own = sent[sent["survey"].str.lower() == one["instrument"]]
        assert (0, 0, len(own), len(own)) == (one["asked"], one["pending"], one["left_out"], one["in_data"])
        assert f"{len(own)} sent when the data had just begun are left out" == one["note"]
    (warning,) = told["warnings"]
    assert warning == (
        "The first 120 days of the data are left out: their signals have seen too little; "
        f"{len(sent)} surveys. Surveys are counted from 1 May 2025 on."
    )
    assert "2025-05-01" == told["counted_from"]
    for text in (" ".join(out.split()), page):
        assert f"Of {len(sent)} surveys sent in this time none can be counted." in text
        assert warning in text
        assert "No survey was sent" not in text
    day = "2025-05-10"
    _, told, page = shown(project, "--lang", "id", day=day)
    for one in told["instruments"]:
        own = surveys[(surveys["survey"].str.lower() == one["instrument"]) & (surveys["sent"] < day)]
        assert len(own) == one["left_out"] + one["pending"]
        assert one["note"].endswith(f"; {one['pending']} were sent and may yet be answered")
    assert told["warnings"][0].startswith("120 hari pertama data tidak dihitung")
    assert told["warnings"][0] in page
    day = "2026-04-15"
    _, told, _ = shown(project, day=day)
    assert (None, []) == (told["counted_from"], told["warnings"])


def test_where_nobody_answers_the_share_has_an_interval_all_the_same(project, surveys):
    """No answer of n customers: the exact interval of n trials, 0 to 1 - 0.025^(1/n)."""

    def silent(table):
        # One early answer is left, or else the source would list no score at all.
        late = pd.to_datetime(table["sent"], errors="coerce") >= "2025-03-01"
        table.loc[late, ["answered", "score", "comment"]] = None
        return table

    rewrite(project, silent)
    out, told, page = shown(project)
    now = surveys[(surveys["sent"] >= AS_OF - timedelta(days=182)) & (surveys["sent"] <= AS_OF - timedelta(days=14))]
    for one in told["instruments"]:
        customers = now[now["survey"].str.lower() == one["instrument"]]["customer_no"].nunique()
        assert {"value": 0.0, "low": 0.0, "high": pytest.approx(1 - 0.025 ** (1 / customers), abs=1e-4)} == one[
            "response_rate"
        ]
        assert (None, None, "nobody answered") == (one["naive"], one["response_drift"], one["note"])
    assert "(0% to 0%)" not in out + page
    assert "everybody" not in out


def test_a_deployment_that_maps_no_surveys_says_so(project):
    path = project / "configs" / "demo" / "sources.yaml"
    text = path.read_text()
    begin = text.index("\n  surveys:\n    - source: surveys")
    after = re.search(r"\n  [a-z]+:\n", text[begin + 12 :])
    path.write_text(text[:begin] + (text[begin + 12 + after.start() :] if after else "\n"))
    out, told, page = shown(project)
    assert not told["surveys_mapped"]
    assert [] == told["assumptions"]
    assert ["this deployment maps no surveys"] * 3 == [one["note"] for one in told["instruments"]]
    for text in (out, page):
        assert "This deployment maps no surveys; see configs/README.md." in text
        assert "No survey was sent" not in text
