"""A given outcome: one flat file of customers, each with whether they left, and no time."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from command_line import call, ok, refused
from small_tables import aware, tables_of

from churnwatch.errors import DataRefused, ProjectError
from churnwatch.outcomes import grid, label, observe, span
from churnwatch.spec import Model

KNOWN = datetime(2026, 6, 29, 17)
"""Midnight of June 30 in Jakarta."""
LEFT = Model.model_validate(
    {
        "model": "left",
        "title": {"en": "Left", "id": "Berhenti"},
        "outcome": {"given": "gone"},
        "families": ["profile"],
        "baselines": {"recency": None, "last_score": None, "tenure": "tenure_days"},
    }
)


def customers(*rows: tuple[str, float | None, datetime | None]):
    filled = [{"customer_id": who, "gone": gone, "known_at": known} for who, gone, known in rows]
    return tables_of(customers=filled, customer_measures=("gone",), zone="Asia/Jakarta")


def test_the_one_as_of_is_the_first_midnight_after_every_fact_is_known() -> None:
    """Known at the midnight that opens June 30 the as-of is July 1: what is known at an as-of is not yet known."""
    tables = customers(("a", 1.0, KNOWN), ("b", None, datetime(2026, 6, 1)))
    july = aware(datetime(2026, 6, 30, 17))
    assert july == span(tables, LEFT).end
    assert [july] == grid(LEFT, zone="Asia/Jakarta", span=span(tables, LEFT), complete_by=july)
    assert [] == grid(LEFT, zone="Asia/Jakarta", span=span(tables, LEFT), complete_by=aware(KNOWN))


def test_whoever_has_a_value_is_observed_and_whoever_has_not_left_is_scored() -> None:
    """Without a value there is nothing to learn; without a time nobody knows the facts of that customer."""
    tables = customers(("a", 1.0, KNOWN), ("b", 0.0, KNOWN), ("c", None, KNOWN), ("d", 0.0, None))
    as_ofs = [span(tables, LEFT).end]
    observed = observe(tables, LEFT, as_ofs)
    assert ["a", "b"] == observed["customer_id"].tolist()
    assert ["b", "c"] == observe(tables, LEFT, as_ofs, to_score=True)["customer_id"].tolist()
    assert [] == observe(tables, LEFT, [aware(KNOWN)])["customer_id"].tolist()
    labels = label(tables, LEFT, observed, known_before=as_ofs[0])
    assert [1.0, 0.0] == labels["outcome"].tolist()
    assert [False, False] == labels["too_late"].tolist()


@pytest.mark.parametrize(
    ("tables", "kind", "told"),
    [
        (tables_of(customer_measures=("gon",)), ProjectError, "customers have no measure gone\n  allowed: gon\n"),
        (customers(("a", 2.0, KNOWN)), DataRefused, "customers.gone: 1 values are neither 0 nor 1"),
        (customers(("a", 1.0, None)), DataRefused, "no customer has a value of gone and a known_at"),
    ],
    ids=["no such measure", "neither 0 nor 1", "known since never"],
)
def test_what_cannot_be_an_outcome_is_refused(tables, kind, told) -> None:
    with pytest.raises(kind) as refusal:
        span(tables, LEFT)
    assert told in refusal.value.message


@pytest.mark.parametrize("more", [{"grid": {"every": "30d"}}, {"gap": "7d"}, {"horizon": "60d"}])
def test_a_given_outcome_has_no_time(more) -> None:
    with pytest.raises(ValueError, match="a `given` outcome has no time"):
        Model.model_validate(LEFT.model_dump(by_alias=True) | more)


SOURCES = """
sources:
  flat:
    from: flat.csv
    types: {fee: number, months: integer, left: integer}
tables:
  customers:
    - source: flat
      columns:
        customer_id: id
        started_at: TIMESTAMP '2026-06-30' - to_months(months::INTEGER)
        value: fee
        language: "'id'"
        known_at: TIMESTAMP '2026-06-30'
      measures:
        gone: '"left"'
        contract_months: CASE contract WHEN 'monthly' THEN 1 WHEN 'yearly' THEN 12 END
        extras: extras
"""
MODEL = """
model: left
title: {en: Has left, id: Sudah berhenti}
outcome: {given: gone}
families: [tenure, profile]
learner:
  parameters: {num_leaves: 4, min_data_in_leaf: 20}
  rounds: 40
  minimum_outcomes: 20
baselines: {recency: null, last_score: null, tenure: tenure_days}
"""


@pytest.fixture
def flat(tmp_path):
    """A project with one file of 1,000 customers: the monthly and the young leave more often."""
    directory = tmp_path / "flat"
    ok(call("init", directory))
    folder = directory / "configs" / "flat"
    (folder / "models").mkdir(parents=True)
    (folder / "deployment.yaml").write_text(
        "deployment: flat\ntitle: Flat\nzone: Asia/Jakarta\ncurrency: IDR\nlisting_model: left\n"
    )
    (folder / "outreach.yaml").write_text("default_action: check_in\n")
    (folder / "sources.yaml").write_text(SOURCES)
    (folder / "models" / "left.yaml").write_text(MODEL)
    choose = random.Random(1)
    lines = ["id,months,fee,contract,extras,left"]
    for number in range(1000):
        months, monthly = choose.randrange(60), choose.random() < 0.5
        left = choose.random() < 0.1 + 0.3 * monthly + 0.3 * (months < 12)
        contract = "monthly" if monthly else "yearly"
        fee, extras = choose.randrange(100, 999), choose.randrange(4)
        lines.append(f"c{number:04},{months},{fee},{contract},{extras},{int(left) if number else ''}")
    (directory / "data").mkdir()
    (directory / "data" / "flat.csv").write_text("\n".join(lines) + "\n")
    return directory


def options(project):
    return ("--project", project, "--deployment", "flat")


AGES = "One snapshot cannot be split by time: no figure of it shows how the model ages"


@pytest.mark.slow
def test_a_flat_file_is_checked_trained_scored_and_listed(flat):
    """Everybody with a value is learned from, a keyed fifth is the test, and who has left is not on the list."""
    [model] = ok(call("check", *options(flat), "--json")).json["models"]
    assert (999, ["2026-07-01"]) == (model["observations"], model["as_ofs"])
    assert "gone is 1, in one snapshot of customers, which cannot show how a model ages" == model["outcome"]
    said = ok(call("check", *options(flat)))
    assert "suspect" not in said.out

    told = ok(call("train", "left", *options(flat), "--json")).json
    [judged] = told["slices"]
    assert 150 < judged["n"] < 250
    assert 0.65 < judged["auc"] < 0.85
    assert told["notes"][0].startswith(AGES)
    assert "3 groups of other customers" in told["choice"]
    assert 999 == told["observations"]
    again = ok(call("train", "left", *options(flat), "--json")).json
    assert (told["version"], False) == (again["version"], again["new"])

    scored = ok(call("score", "--as-of", "2026-07-01", *options(flat), "--json")).json
    # The one without a value may still be there; whoever has left is not observed.
    assert 1000 - model["outcomes"] == scored["observed"]
    listed = ok(call("daily", "--as-of", "2026-07-01", *options(flat), "--json")).json["rows"]
    assert len(listed) > 10
    who = listed[0]["customer"]
    assert who in ok(call("explain", who, "--as-of", "2026-07-01", *options(flat))).out
    refused(call("daily", "--as-of", "2026-06-30", *options(flat)), 4, "as-of 2026-06-30 lies outside the data")
    ok(call("signals", "list", *options(flat)))


def test_a_snapshot_has_no_day_to_backtest(flat):
    said = call("backtest", "left", "--as-of", "2026-07-01", *options(flat))
    refused(said, 5, "the model left knows one snapshot of customers: there is no earlier day to test it on")


def test_a_signal_that_reads_the_outcome_is_suspect_by_definition(flat):
    """Even where it tells nothing: here it is named with its AUC of 1."""
    profile = flat / "features" / "profile.yaml"
    profile.write_text(profile.read_text().replace("measure: extras", "measure: gone").replace(", extras: 2", ""))
    [found] = ok(call("check", *options(flat), "--json")).json["suspects"]
    assert ("extras", 1.0) == (found["column"], found["auc"])
    assert found["why"].startswith("it reads gone, the outcome itself")
    refused(call("train", "left", *options(flat)), 5, "extras: it reads gone, the outcome itself")
    # Nobody can have known it in time, so nobody can say so.
    model = next(flat.rglob("models/left.yaml"))
    model.write_text(model.read_text() + "acknowledge: [extras]\n")
    refused(call("train", "left", *options(flat)), 5, "extras: it reads gone, the outcome itself")


def test_interactions_may_be_missing_only_where_no_model_needs_them(flat):
    deployment = flat / "configs" / "flat" / "deployment.yaml"
    deployment.write_text(deployment.read_text() + "also: [churn]\n")
    said = call("check", *options(flat))
    refused(said, 3, "configs/flat/sources.yaml", "no mapping makes the table interactions")


def test_the_time_of_the_snapshot_is_utc_below_the_surface(flat):
    """The as-of of a snapshot is civil midnight: July 1 in Jakarta is June 30, 17:00 UTC."""
    told = ok(call("train", "left", *options(flat), "--json")).json
    model = next((flat / "state" / "flat").rglob(f"*{told['version']}*/model.json")).read_text()
    assert datetime(2026, 6, 30, 17, tzinfo=UTC).isoformat() in model


def test_the_definition_of_a_given_outcome_is_words_and_a_base_rate(flat, tmp_path):
    """There are no times to measure, so nothing is drawn, and a picture that is asked for is refused."""
    options = ("--project", flat, "--deployment", "flat")
    told = ok(call("label", "left", "--json", *options)).json
    assert 999 == told["observations"]
    assert told["outcomes"] / 999 == told["base_rate"]
    assert None is told["picture"]
    assert {"inactivity", "event"} & set(told) == set()
    assert "the column gone, 1 left and 0 not" in told["definition"]["en"]
    assert "base rate" in ok(call("label", "left", *options)).out
    refused(call("label", "left", "--out", tmp_path / "x.png", *options), 2, "there are no times to draw")
