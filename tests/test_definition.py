"""What a model calls leaving: words in both languages, and every number by hand on a table of a few rows."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import call, ok
from oracle import Event
from small_tables import aware, tables_of

from churnwatch.delivery.definition_words import WORDS, definition
from churnwatch.delivery.row_words import instrument_words, rows_words
from churnwatch.outcomes import label, observe
from churnwatch.runs.definition import define, known_end, leavers, silences, waits
from churnwatch.runs.workspace import open_workspace
from churnwatch.spec import Duration, Model

START = datetime(2026, 1, 1)
END = START + timedelta(days=200)
PNG = b"\x89PNG"


def model_of(**keys: Any) -> Model:
    chosen = {
        "model": "probe",
        "title": {"en": "Goes", "id": "Pergi"},
        "grid": {"every": "10d", "history": "10d"},
        "families": ["silence"],
        "baselines": {"recency": "quiet_days", "last_score": None, "tenure": "tenure_days"},
        **keys,
    }
    return Model.model_validate(chosen)


SILENT = model_of(
    outcome={"inactive": {"kind": "purchase"}, "for": "40d"},
    population={"active": {"kind": "purchase"}, "within": "60d"},
)
LEAVING = model_of(outcome={"event": {"kind": "cancellation"}}, gap="5d", horizon="60d", population={"tenure": "0d"})


def events(kind: str, **days: list[float]) -> list[Event]:
    """Events of a kind, as days after the start, by customer."""
    return [
        Event(f"{customer} {kind} {day}", customer, at := START + timedelta(days=day), at, {"kind": kind})
        for customer, given in days.items()
        for day in given
    ]


def silent(*more: Event, end: datetime = END) -> Any:
    """a buys on days 0, 10, 10.2 (the same civil day), 100; b on 0 and 50; c once, on day 190."""
    given = events("purchase", a=[0, 10, 10.2, 100], b=[0, 50], c=[190])
    began = [{"customer_id": name, "started_at": START} for name in "abc"]
    return tables_of([*given, *more], customers=began, data_end=aware(end))


def test_pauses_are_between_civil_days_and_the_last_one_is_open() -> None:
    """a: 10, then 89.8 from the day's second purchase; b: 50. Open: 100, 150 and 10 days."""
    found = silences(silent(), SILENT, end=aware(END))
    assert pytest.approx([10, 50, 89.8]) == found.pauses.closed.tolist()
    assert pytest.approx([10, 100, 150]) == found.pauses.open.tolist()
    assert 3 == found.customers
    assert 90 == found.proposed


def test_a_civil_day_is_the_deployments() -> None:
    """15:00 and 19:00 UTC of one day are two civil days in Jakarta, at 22:00 and 02:00."""
    two = events("purchase", a=[0.625, 0.7916666])
    utc = tables_of(two, data_end=aware(END))
    jakarta = tables_of(two, data_end=aware(END), zone="Asia/Jakarta")
    assert 0 == len(silences(utc, SILENT, end=aware(END)).pauses.closed)
    assert pytest.approx([4 / 24], abs=1e-4) == silences(jakarta, SILENT, end=aware(END)).pauses.closed.tolist()


def test_each_n_is_what_the_label_of_that_n_says() -> None:
    """Against the labels themselves, with a gap too, for every n shown."""
    for gap in ("0d", "3d"):
        model = SILENT.model_copy(update={"gap": Duration(gap)})
        made = silent()
        found = silences(made, model, end=aware(END))
        assert [*range(30, 181, 10)] == [one.days for one in found.steps]
        as_ofs = [aware(END) - timedelta(days=180 + 10 * k) - timedelta(seconds=model.gap.seconds) for k in range(3)]
        as_ofs = [one for one in as_ofs if one >= aware(START + timedelta(days=10))]
        observations = observe(made, model, [one.replace(hour=0) for one in as_ofs])
        for one in found.steps:
            outcome = model.outcome.model_copy(update={"for_": Duration(f"{one.days}d")})
            asked = model.model_copy(update={"outcome": outcome})
            gone = label(made, asked, observations, known_before=aware(END))["outcome"]
            assert (len(observations), int(gone.sum())) == (one.observed, one.gone)


def test_returning_customers_by_hand() -> None:
    """As-ofs days 10 and 20 have 180 days after them. On day 10: a (next purchase that very day), b (day 50). On day
    20: a (day 100), b (day 50). n = 30: gone are b on 10 (40 days), a (80) and b (30, exactly) on 20; all come back.
    n = 90: nobody is gone, as all come back within it.
    """
    found = silences(silent(), SILENT, end=aware(END))
    assert 2 == found.as_ofs
    by_days = {one.days: one for one in found.steps}
    assert (4, 3, 3, 3) == dataclasses.astuple(by_days[30])[1:]
    assert (4, 1, 1, 1) == dataclasses.astuple(by_days[50])[1:]
    assert (4, 0, 0, 0) == dataclasses.astuple(by_days[90])[1:]
    assert None is by_days[90].returning


def test_waits_are_to_the_first_event_at_or_after_the_window_opens() -> None:
    made = silent()
    model = SILENT.model_copy(update={"gap": Duration("5d")})
    observations = observe(made, model, [aware(START + timedelta(days=45)), aware(START + timedelta(days=60))])
    wait, seen = waits(made, model, observations, end=aware(END))
    assert ["a", "b", "a", "b"] == observations["customer_id"].tolist()
    assert pytest.approx([50, 0, 35, np.nan], nan_ok=True) == wait.tolist()
    assert pytest.approx([150, 150, 135, 135]) == seen.tolist()


def test_nothing_at_the_data_end_or_later_is_read() -> None:
    """Purchases at the end, after it, and before it but known at it, change nothing; 1 µs before it one does."""
    known_late = Event("late", "b", END - timedelta(days=9), END, {"kind": "purchase"})
    beyond = [*events("purchase", a=[200, 201], b=[200]), known_late]
    before = silences(silent(), SILENT, end=aware(END))
    after = silences(silent(*beyond), SILENT, end=aware(END))
    assert before.pauses.closed.tolist() == after.pauses.closed.tolist()
    assert before.pauses.open.tolist() == after.pauses.open.tolist()
    assert before.steps == after.steps
    inside = events("purchase", b=[200 - 1 / 86_400_000_000])
    assert 4 == len(silences(silent(*inside), SILENT, end=aware(END)).pauses.closed)


def test_the_end_is_the_data_s_and_never_after_now() -> None:
    assert aware(END) == known_end(silent(), SILENT, now=aware(END + timedelta(days=99)))
    now = aware(END - timedelta(days=50))
    assert now == known_end(silent(), SILENT, now=now)


def test_short_data_show_only_the_n_that_are_over() -> None:
    """65 days: the first as-of, on day 15, has 50 days after it."""
    end = START + timedelta(days=65)
    found = silences(silent(end=end), SILENT, end=aware(end))
    assert [10, 30, 40, 50] == sorted({10} | {one.days for one in found.steps})
    assert 1 == found.as_ofs


def leaving(*more: Event, zone: str = "UTC") -> Any:
    """a cancels on day 20 and calls on day 60; b cancels on day 50, is billed on day 70; c on day 100 and 130, begins
    anew on day 120; d on day 190; e stays.
    """
    gone = events("cancellation", a=[20], b=[50], c=[100, 130], d=[190])
    given = [*gone, *events("call", a=[60], b=[70], e=[5, 150])]
    began = [{"customer_id": one, "started_at": START} for one in "abde"]
    restarted = {"customer_id": "c", "started_at": START + timedelta(days=120)}
    return tables_of([*given, *more], customers=[*began, restarted], data_end=aware(END), zone=zone)


def test_leavers_by_month_and_those_who_come_back_by_hand() -> None:
    """Days 20, 50, 100, 190 are January, February, April and July. More than 30 days later: only a's call."""
    found = leavers(leaving(), LEAVING, end=aware(END))
    months = [("2026-01", 1), ("2026-02", 1), ("2026-03", 0), ("2026-04", 1), ("2026-05", 0), ("2026-06", 0)]
    assert [*months, ("2026-07", 1)] == list(found.months)
    assert "2026-07" == found.partly
    assert (4, 1, 3, 1, 1) == (found.leavers, found.twice, found.later, found.returned, found.restarted)


def test_horizons_are_the_labels_of_those_horizons_on_the_same_as_ofs() -> None:
    """The last as-of whose 5 + 90 days are over is day 105, ten apart from the model's own last, day 135."""
    made = leaving()
    found = leavers(made, LEAVING, end=aware(END))
    assert [30, 60, 90] == [one["days"] for one in found.horizons]
    as_ofs = [aware(START + timedelta(days=day)) for day in range(15, 106, 10)]
    assert len(as_ofs) == found.as_ofs
    observations = observe(made, LEAVING, as_ofs)
    for one in found.horizons:
        asked = LEAVING.model_copy(update={"horizon": Duration(f"{one['days']:g}d")})
        labels = label(made, asked, observations, known_before=aware(END))
        assert int((~labels["too_late"]).sum()) == one["observed"]
        assert int(labels["outcome"].sum()) == one["left"]
    assert found.horizons[0]["left"] < found.horizons[2]["left"]


def test_a_longer_horizon_is_never_lower() -> None:
    rates = [one["base_rate"] for one in leavers(leaving(), LEAVING, end=aware(END)).horizons]
    assert rates == sorted(rates)


def test_the_paragraph_says_who_what_when_and_what_is_left_out() -> None:
    told = definition(SILENT, language="en", end=date(2026, 7, 19))
    assert (
        "On a day, the model looks at every customer who had a “purchase” in the 60 days before it. They count as gone "
        "when there is no “purchase” for 40 days from that day on; a single one, and they have stayed."
    ) in told
    assert "they have left" not in told
    assert "complete up to 2026-07-19" in told
    told = definition(LEAVING, language="en", end=date(2026, 7, 19))
    assert "a “cancellation” comes within 60 days, beginning 5 days after that day" in told
    assert "whoever leaves in them is found too late, is left out of training" in told
    told = definition(LEAVING, language="id", end=date(2026, 7, 19))
    assert "bila ada “cancellation” dalam 60 hari, mulai 5 hari setelah hari itu" in told


def test_rows_are_named_by_their_kind_and_what_else_they_must_be() -> None:
    web = {"kind": ["purchase", "visit"], "channel": "web"}
    assert "“purchase” or “visit” (channel: “web”)" == rows_words(web, "en")
    assert "channel: “web”" == rows_words({"channel": "web"}, "id")


def test_instruments_that_everybody_knows_are_in_capitals() -> None:
    assert ["NPS", "CSAT", "CES", "review"] == [instrument_words(one) for one in ("nps", "csat", "ces", "review")]


def test_every_text_says_as_much_in_both_languages() -> None:
    """The same braces are filled in both."""
    for english, indonesian in WORDS.values():
        names = {part.split("}")[0] for part in english.split("{")[1:]}
        assert names == {part.split("}")[0] for part in indonesian.split("{")[1:]}


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_contract_is_told_with_its_picture(company: Any, tmp_path: Path, language: str) -> None:
    picture = tmp_path / "definition.png"
    said = ok(call("label", "churn", "--project", company.root, "--lang", language, "--out", picture))
    assert picture.read_bytes().startswith(PNG)
    assert ("tingkat dasar" if language == "id" else "base rate") in said.out
    # A comma is the decimal sign in Indonesian and parts thousands in English, here as in the card.
    assert re.search(
        r"tingkat dasar \d+,\d%" if language == "id" else r"base rate \d+\.\d%", " ".join(said.out.split())
    )
    assert (language == "en") == bool(re.search(r"\d\.\d%", said.out))
    assert max(len(line) for line in said.out.splitlines()) <= 120


def test_the_base_rate_is_what_check_says(company: Any, tmp_path: Path) -> None:
    told = ok(call("label", "churn", "--project", company.root, "--out", tmp_path / "x.svg", "--json")).json
    [model] = ok(call("check", "--project", company.root, "--json")).json["models"]
    assert (model["base_rate"], model["observations"]) == (told["base_rate"], told["observations"])
    assert model["too_late"] == told["too_late"]
    assert {"en", "id"} == set(told["definition"])
    assert sum(told["event"]["leavers_per_month"].values()) == told["event"]["leavers"]


def test_inactivity_is_told_of_a_company_that_sells(company: Any, tmp_path: Path) -> None:
    """The demo's customers buy too: their pauses, by the model that comes with the project."""
    picture = tmp_path / "pauses.png"
    told = ok(call("label", "inactivity", "--project", company.root, "--out", picture, "--json")).json
    assert picture.read_bytes().startswith(PNG)
    found = told["inactivity"]
    assert found["proposed_days"] == int(np.ceil(found["percentiles"]["0.9"]))
    rates = [one["base_rate"] for one in found["by_days"]]
    assert rates == sorted(rates, reverse=True)
    shown = ok(call("label", "inactivity", "--project", company.root, "--out", picture)).out
    assert f"Proposed: n = {found['proposed_days']} days." in shown


def test_a_picture_is_the_same_bytes_again(company: Any, tmp_path: Path) -> None:
    workspace = open_workspace(company.root, deployment="demo", data=None, now=datetime(2026, 7, 2, tzinfo=UTC))
    pictures = []
    for name in ("a.svg", "b.svg"):
        define(workspace, "inactivity", out=tmp_path / name)
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]


def test_what_cannot_be_drawn_or_found_is_said(company: Any, tmp_path: Path) -> None:
    said = call("label", "churn", "--project", company.root, "--out", tmp_path / "x.pdf")
    assert 2 == said.code
    assert "is no picture" in said.err
    said = call("label", "chrun", "--project", company.root, "--json")
    assert 3 == said.code
    assert "did you mean churn?" in json.loads(said.out)["error"]["message"]
