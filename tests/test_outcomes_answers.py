"""Answers as outcomes: who is observed, on a calendar and at each survey, and which answer counts from when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Event
from small_tables import aware, spine_of, tables_of

from churnwatch.errors import DataRefused
from churnwatch.outcomes import any_unanswered, check_labels, grid, label, observe, span
from churnwatch.sources import Tables
from churnwatch.spec import Model

US = timedelta(microseconds=1)
DAY = timedelta(days=1)
AS_OF = datetime(2026, 3, 1)
LATER = datetime(2026, 8, 1, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1)
ANSWER = {
    "nps": {"scale": [0, 10], "bad": {"at_most": 6}},
    "ces": {"scale": [1, 7], "bad": {"at_least": 5}, "about": "case"},
}
SCALES = {"nps": (0.0, 10.0, True), "ces": (1.0, 7.0, False), "csat": (1.0, 5.0, True)}


def model_of(**keys: Any) -> Model:
    """The first NPS or CES answer within 60 days, beginning 7 days after as-of, unless a test says otherwise."""
    chosen = {
        "model": "probe",
        "title": {"en": "Unhappy", "id": "Kecewa"},
        "outcome": {"answer": ANSWER},
        "population": {"without": {"kind": "cancellation"}},
        "grid": {"every": "30d"},
        "gap": "7d",
        "horizon": "60d",
        "families": ["silence"],
        "baselines": {"recency": None, "last_score": None, "tenure": "tenure_days"},
        **keys,
    }
    return Model.model_validate({key: value for key, value in chosen.items() if value is not None})


CALENDAR = model_of()
AT_SURVEYS = model_of(grid={"every": "30d", "at": "survey sent"}, gap=None, horizon=None, answering={"within": "10d"})


def survey(
    sent: datetime,
    answered: datetime | None = None,
    score: float | None = None,
    *,
    instrument: str = "nps",
    customer: str = "a",
    survey_id: str = "",
) -> dict[str, Any]:
    low, high, better = SCALES[instrument]
    return {
        "survey_id": survey_id or f"{customer} {instrument} {sent}",
        "customer_id": customer,
        "sent_at": sent,
        "answered_at": answered,
        "instrument": instrument,
        "raw_score": score,
        "scale_min": low,
        "scale_max": high,
        "higher_is_better": better,
    }


def tables(*surveys: dict[str, Any], events: tuple[Event, ...] = ()) -> Tables:
    """These surveys of customers a, b and c, who began long ago; the data go on until LATER."""
    began = [{"customer_id": name, "started_at": LONG_AGO} for name in "abc"]
    first = Event("first", "a", LONG_AGO, LONG_AGO, {"kind": "visit"})
    return tables_of((first, *events), customers=began, surveys=surveys, data_end=LATER)


def told(model: Model, *surveys: dict[str, Any], known_before: datetime = LATER) -> tuple[float, float]:
    """Outcome and score of customer a at AS_OF."""
    found = label(tables(*surveys), model, spine_of([("a", AS_OF)]), known_before=known_before)
    assert found["told"][0] == (not np.isnan(found["outcome"][0]))
    assert not found["too_late"][0]
    return float(found["outcome"][0]), float(found["score"][0])


OPENS, CLOSES = AS_OF + 7 * DAY, AS_OF + 67 * DAY
BEFORE = AS_OF - 5 * DAY
NONE = (np.nan, np.nan)
ON_A_CALENDAR = {
    "nothing": ([], NONE),
    "never answered": ([survey(OPENS)], NONE),
    "as the window opens": ([survey(BEFORE, OPENS, 6)], (1.0, 0.6)),
    "1 µs before": ([survey(BEFORE, OPENS - US, 0)], NONE),
    "1 µs before it closes": ([survey(OPENS, CLOSES - US, 7)], (0.0, 0.7)),
    "as it closes": ([survey(OPENS, CLOSES, 0)], NONE),
    "the first of two": ([survey(OPENS, OPENS + 2 * DAY, 9), survey(BEFORE, OPENS + 3 * DAY, 0)], (0.0, 0.9)),
    "effort the other way round": ([survey(OPENS, OPENS + DAY, 5, instrument="ces")], (1.0, 1 / 3)),
    "little effort": ([survey(OPENS, OPENS + DAY, 1, instrument="ces")], (0.0, 1.0)),
    "of an instrument the model does not name": ([survey(OPENS, OPENS + DAY, 1, instrument="csat")], NONE),
    "of another customer": ([survey(OPENS, OPENS + DAY, 1, customer="b")], NONE),
    "an answer without a score": ([survey(OPENS, OPENS + DAY), survey(OPENS + DAY, OPENS + 2 * DAY, 8)], (0.0, 0.8)),
    "two at one instant": (
        [survey(OPENS, OPENS + DAY, 0, survey_id="s2"), survey(BEFORE, OPENS + DAY, 10, survey_id="s1")],
        (0.0, 1.0),
    ),
}


@pytest.mark.parametrize(("surveys", "expected"), ON_A_CALENDAR.values(), ids=ON_A_CALENDAR)
def test_the_first_answer_in_the_half_open_window_counts(
    surveys: list[dict[str, Any]], expected: tuple[float, float]
) -> None:
    assert expected == pytest.approx(told(CALENDAR, *surveys), nan_ok=True)


AT_A_SURVEY = {
    "its own answer": ([survey(AS_OF, AS_OF + 3 * DAY, 6)], (1.0, 0.6)),
    "however late": ([survey(AS_OF, AS_OF + 90 * DAY, 10)], (0.0, 1.0)),
    "not that of another survey": ([survey(AS_OF), survey(AS_OF + DAY, AS_OF + 2 * DAY, 0)], NONE),
    "not that of a survey sent 1 µs before": ([survey(AS_OF), survey(AS_OF - US, AS_OF + DAY, 0)], NONE),
    "of two sent at once the first answered": (
        [survey(AS_OF, AS_OF + 2 * DAY, 0), survey(AS_OF, AS_OF + DAY, 1, instrument="ces")],
        (0.0, 1.0),
    ),
}


@pytest.mark.parametrize(("surveys", "expected"), AT_A_SURVEY.values(), ids=AT_A_SURVEY)
def test_at_a_survey_its_own_answer_counts(surveys: list[dict[str, Any]], expected: tuple[float, float]) -> None:
    assert expected == pytest.approx(told(AT_SURVEYS, *surveys), nan_ok=True)


@pytest.mark.parametrize("model", [CALENDAR, AT_SURVEYS], ids=["calendar", "survey"])
def test_an_answer_counts_once_it_is_known(model: Model) -> None:
    """What is answered as the labels are read is not known yet."""
    answered = OPENS + DAY
    surveys = [survey(AS_OF, answered, 2)]
    assert NONE == pytest.approx(told(model, *surveys, known_before=aware(answered)), nan_ok=True)
    assert (1.0, 0.2) == pytest.approx(told(model, *surveys, known_before=aware(answered + US)))


def test_a_label_of_a_calendar_is_known_with_its_window_and_one_of_a_survey_with_its_answer() -> None:
    """The last instant each must know; without an answer there is none."""
    made = tables(survey(AS_OF, OPENS, 9), survey(AS_OF, customer="b"))
    spine = spine_of([("a", AS_OF), ("b", AS_OF)])
    known = {
        name: label(made, model, spine, known_before=LATER)["known_at"].tolist()
        for name, model in (("calendar", CALENDAR), ("survey", AT_SURVEYS))
    }
    assert [pd.Timestamp(CLOSES - US), pd.NaT] == known["calendar"]
    assert [pd.Timestamp(OPENS), pd.NaT] == known["survey"]


def test_who_has_left_is_not_observed_any_more() -> None:
    """From when it is known; customers without a survey are observed on a calendar like everybody."""
    left = Event("end", "a", AS_OF - DAY, AS_OF + DAY, {"kind": "cancellation"})
    made = tables(events=(left,))
    days = [AS_OF, AS_OF + DAY, AS_OF + DAY + US]
    found = observe(made, CALENDAR, [aware(day) for day in days])
    assert [3, 3, 2] == [int((found["as_of"] == day).sum()) for day in days]


def test_surveys_are_observed_from_the_first_date_to_before_the_end() -> None:
    """One observation of a customer and an instant, of the instruments the model names, sorted by time."""
    first, end = AS_OF, AS_OF + 30 * DAY
    made = tables(
        survey(first - US),
        survey(first, customer="b"),
        survey(first, customer="a"),
        survey(first, customer="a", instrument="ces"),
        survey(first + DAY, instrument="csat"),
        survey(end - US, customer="c"),
        survey(end, customer="b"),
        events=(Event("end", "c", first + DAY, first + DAY, {"kind": "cancellation"}),),
    )
    spine = [("a", first), ("b", first)]
    assert spine == list(observe(made, AT_SURVEYS, [aware(first)]).itertuples(index=False, name=None))
    later = observe(made, AT_SURVEYS, [aware(first)], until=aware(end + US))
    assert [*spine, ("b", end)] == list(later.itertuples(index=False, name=None))
    assert 0 == len(observe(made, AT_SURVEYS, []))


def test_to_be_scored_at_events_is_who_may_still_answer() -> None:
    """Asked within the ten days before as-of, and no answer known then; an answer at as-of is not known."""
    made = tables(
        survey(AS_OF - 10 * DAY, AS_OF, 3, customer="a"),
        survey(AS_OF - 10 * DAY - US, customer="b"),
        survey(AS_OF, customer="b"),
        survey(AS_OF - DAY, AS_OF - US, 9, customer="c"),
    )
    assert ["a"] == observe(made, AT_SURVEYS, [aware(AS_OF)], to_score=True)["customer_id"].tolist()


def test_a_source_of_answers_only_has_no_survey_without_one() -> None:
    """Of the instruments the model names."""
    csat = survey(AS_OF, instrument="csat")
    assert not any_unanswered(tables(survey(AS_OF, AS_OF + DAY, 9), csat), AT_SURVEYS)
    assert any_unanswered(tables(survey(AS_OF, AS_OF + DAY, 9), survey(AS_OF + DAY)), AT_SURVEYS)


def test_dates_of_events_open_slices_that_are_over_in_time() -> None:
    """Slices of 30 days, the last one with the last survey; within the data all had the ten days an answer may take."""
    sent = AS_OF + 60 * DAY - US
    within = span(tables(survey(sent)), AT_SURVEYS)
    assert aware(sent + 10 * DAY + US) == within.end
    every = grid(AT_SURVEYS, zone="UTC", span=within, complete_by=LATER)
    assert aware(AS_OF + 30 * DAY) == every[-1]
    assert {30 * DAY} == {later - earlier for earlier, later in pairwise(every)}
    before = grid(AT_SURVEYS, zone="UTC", span=within, complete_by=aware(AS_OF))
    assert aware(AS_OF - 30 * DAY) == before[-1]


def test_a_survey_whose_answer_may_still_come_opens_no_slice() -> None:
    """The data end on LATER: what was sent less than ten days before lies in no slice."""
    late = LATER.replace(tzinfo=None) - 3 * DAY
    within = span(tables(survey(late)), AT_SURVEYS)
    assert LATER == within.end
    assert LATER - 40 * DAY == grid(AT_SURVEYS, zone="UTC", span=within, complete_by=LATER)[-1]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"scale_max": 5.0}, "1 surveys nps run from 0 to 5, a high score is good"),
        ({"higher_is_better": False}, "1 surveys nps run from 0 to 10, a high score is bad"),
    ],
)
def test_a_survey_on_another_scale_is_refused(wrong: dict[str, Any], found: str) -> None:
    """Six of ten is a detractor and six of five is nothing."""
    with pytest.raises(DataRefused) as refused:
        span(tables(survey(AS_OF) | wrong), CALENDAR)
    assert (found, "0 to 10, a high score is good") == (refused.value.found, refused.value.allowed)
    assert "models/probe.yaml: outcome.answer.nps" == refused.value.where


def test_without_any_such_survey_there_is_nothing_to_foretell() -> None:
    with pytest.raises(DataRefused, match="surveys"):
        span(tables(survey(AS_OF, instrument="csat")), CALENDAR)


def test_answers_that_are_all_alike_are_refused() -> None:
    with pytest.raises(DataRefused, match="are `bad` scores what they should be"):
        check_labels(pd.Series([0.0, 0.0]), CALENDAR, when="in training")


moments = st.builds(
    lambda days, beside: AS_OF + timedelta(days=days) + beside * US,
    st.sampled_from([-10, -1, 0, 3, 7, 10, 30, 60, 67]),
    st.sampled_from([-1, 0, 1]),
)


@st.composite
def some_surveys(draw: st.DrawFn) -> list[dict[str, Any]]:
    made = []
    for place in range(draw(st.integers(0, 8))):
        sent = draw(moments)
        answered = draw(st.one_of(st.none(), moments.filter(lambda moment: moment > sent)))  # noqa: B023
        instrument = draw(st.sampled_from(["nps", "ces", "csat"]))
        score = None if answered is None else draw(st.sampled_from([None, 1.0, 4.0, 5.0]))
        one = survey(sent, answered, score, instrument=instrument, customer=draw(st.sampled_from("abc")))
        made.append(one | {"survey_id": f"s{place}"})
    return made


def oracle(model: Model, surveys: list[dict[str, Any]], customer: str, as_of: datetime, known_before: datetime) -> Any:
    """Row by row, from DESIGN §7: (outcome, score) or None."""
    opens, closes = as_of + timedelta(seconds=model.gap.seconds), as_of + timedelta(seconds=model.reach)
    found = []
    for one in surveys:
        if one["customer_id"] != customer or one["instrument"] not in ANSWER or one["raw_score"] is None:
            continue
        if one["answered_at"] is None or one["answered_at"] >= known_before:
            continue
        if one["sent_at"] == as_of if model.at_events else opens <= one["answered_at"] < closes:
            found.append(one)
    if not found:
        return None
    first = min(found, key=lambda one: (one["answered_at"], one["survey_id"]))
    raw = first["raw_score"]
    if first["instrument"] == "nps":
        return float(raw <= 6), raw / 10
    return float(raw >= 5), (7 - raw) / 6


@settings(max_examples=120, deadline=None)
@given(st.sampled_from([CALENDAR, AT_SURVEYS, model_of(gap="0d", horizon="30d")]), some_surveys(), moments)
def test_labels_equal_the_oracle(model: Model, surveys: list[dict[str, Any]], known_before: datetime) -> None:
    """Every rule at once, at and 1 µs beside every boundary."""
    spine = [(name, as_of) for name in "abc" for as_of in (AS_OF, AS_OF + 7 * DAY)]
    found = label(tables(*surveys), model, spine_of(spine), known_before=aware(known_before))
    expected = [oracle(model, surveys, *pair, known_before) for pair in spine]
    assert [one is not None for one in expected] == found["told"].tolist()
    for one, outcome, score in zip(expected, found["outcome"], found["score"], strict=True):
        assert pytest.approx(one or NONE, nan_ok=True) == (outcome, score)
