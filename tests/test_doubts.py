"""What a check doubts: kinds that nothing names, instruments that look mixed up."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from oracle import Event
from raw_files import CUSTOMERS, EVENTS, loaded
from small_tables import tables_of

from churnwatch.runs.doubts import doubts, marked, named_kinds, unasked
from churnwatch.spec import Family, Model, Outcome, Population, ProjectSpec, Signal

DAY = datetime(2026, 3, 1)


def signal(name: str, **keys: object) -> Signal:
    reason = {"en": "x {value}", "id": "x {value}"}
    return Signal.model_validate(
        {"name": name, "description": "x", "aggregate": "count", "direction": "up", "reason": reason, **keys}
    )


def spec() -> ProjectSpec:
    """A catalogue that names complaint and contact (a share's base); the kind of a survey's rows is another."""
    contact = Family.model_construct(
        family="contact",
        description="x",
        table="interactions",
        signals=(signal("complaint_share", aggregate="share", where={"kind": "complaint"}, of={"kind": ["contact"]}),),
    )
    surveys = Family.model_construct(
        family="surveys", description="x", table="surveys", signals=(signal("asked", where={"kind": "sent"}),)
    )
    return ProjectSpec.model_construct(families=(contact, surveys))


def model(population: dict[str, object]) -> Model:
    outcome = Outcome.model_validate({"event": {"kind": "cancellation"}})
    return Model.model_construct(outcome=outcome, population=Population.model_validate(population))


def told(*kinds: str, population: dict[str, object] | None = None) -> list[str]:
    events = [Event(f"e{number}", "8", DAY, DAY, {"kind": kind}, {}) for number, kind in enumerate(kinds)]
    return doubts(
        tables_of(events, customers=[{"customer_id": "8", "started_at": DAY}]), spec(), [model(population or {})]
    )


def test_kinds_of_signals_outcomes_and_populations_are_known() -> None:
    kinds = ("complaint", "contact", "cancellation", "usage")
    assert [] == told(*kinds, population={"active": {"kind": ["usage", "visit"]}, "within": "90d"})
    assert ["interactions: kinds that no signal, outcome or population names: usage (1 rows)"] == told(*kinds)


def test_a_kind_that_only_an_after_names_is_known() -> None:
    """The signal that asks for it may be of another table."""
    after = {"where": {"kind": "answered"}, "after": {"kind": "escalated"}, "within": "14d"}
    family = Family.model_construct(
        family="surveys", description="x", table="surveys", signals=(signal("after_trouble", **after),)
    )
    assert {"escalated"} == named_kinds(ProjectSpec.model_construct(families=(family,)), [])


def test_a_kind_that_nothing_names_is_told_with_its_count_and_the_nearest() -> None:
    assert [
        "interactions: 2 rows of kind compliant, which no signal, outcome or population names; did you mean complaint?",
        "interactions: kinds that no signal, outcome or population names: sent (1 rows)",
    ] == told("compliant", "complaint", "sent", "compliant")


def test_of_many_such_kinds_the_most_frequent_are_named() -> None:
    assert [
        "interactions: kinds that no signal, outcome or population names: k6 (2 rows), k0 (1 rows), k1 (1 rows), "
        "k2 (1 rows), k3 (1 rows), 2 more (2 rows)"
    ] == told(*(f"k{number}" for number in range(7)), "k6")


@pytest.mark.parametrize("kinds", [21, 100])
def test_a_column_of_words_is_no_column_of_kinds_and_is_not_repeated(kinds: int) -> None:
    assert [
        f"interactions: {kinds} rows of {kinds} kinds that no signal, outcome or population names; is kind mapped from "
        "the right column?"
    ] == told(*(f"Siti wrote {number}" for number in range(kinds)))


def test_a_mixed_up_instrument_is_told_with_its_file() -> None:
    survey = {"customer_id": "8", "sent_at": DAY, "answered_at": DAY, "instrument": "nps", "raw_score": 5.0}
    scale = {"scale_min": 0.0, "scale_max": 10.0, "higher_is_better": True}
    surveys = [{"survey_id": f"s{number}", **survey, **scale} for number in range(400)]
    [found] = doubts(tables_of(surveys=surveys), spec(), [])
    assert found.endswith(
        ": scores of nps: none of 400 scores lies in the best quarter of the scale from 0 to 10; they lie from 5 to 5; "
        "are instrument, scale and higher_is_better mapped right?"
    )


def answering(*instruments: str) -> Model:
    one = {"scale": [0, 10], "bad": {"at_most": 6}}
    outcome = Outcome.model_validate({"answer": dict.fromkeys(instruments, one)})
    return Model.model_construct(model="satisfaction", outcome=outcome)


def asked(*instruments: str) -> list[dict[str, object]]:
    """Surveys by these instruments, never answered."""
    return [
        {"survey_id": f"s{i}", "customer_id": "8", "sent_at": DAY, "instrument": one}
        for i, one in enumerate(instruments)
    ]


def test_an_instrument_that_no_survey_has_is_told_with_those_there_are() -> None:
    tables = tables_of(surveys=asked("nps", "csat", "nps", "ces"))
    own = answering("npss", "csat", "ces").of_file("configs/demo/models/satisfaction.yaml")
    assert [
        "configs/demo/models/satisfaction.yaml: outcome.answer: no survey has the instrument npss; there are nps, ces, "
        "csat; did you mean nps?"
    ] == doubts(tables, spec(), [own])
    assert [] == unasked(tables, answering("nps", "csat"))


def test_a_company_that_asks_by_one_instrument_is_told_once_of_the_others() -> None:
    """Those it has are no slip of the pen: nothing is proposed in their place."""
    said = unasked(tables_of(surveys=asked("nps")), answering("nps", "npsx", "ces"))
    assert ["models/satisfaction.yaml: outcome.answer: no survey has the instruments npsx, ces; there is nps"] == said
    assert [] == unasked(tables_of(), model({}))


def test_a_column_of_words_is_not_repeated_as_instruments() -> None:
    [said] = unasked(tables_of(surveys=asked(*(f"Siti wrote {n}" for n in range(12)))), answering("nps"))
    assert said.endswith("nps; there are 12 others: is instrument mapped from the right column?")


def test_files_that_begin_with_a_byte_order_mark_are_told_in_one_sentence(tmp_path: Path) -> None:
    assert [] == marked(loaded(tmp_path), tmp_path)
    tables = loaded(tmp_path, customers="\ufeff" + CUSTOMERS, events="\ufeff" + EVENTS)
    assert ["customers.csv, events.csv: a byte order mark (BOM) stands before the header; it is left out"] == marked(
        tables, tmp_path
    )
