"""Suspects: columns that alone tell the outcome are named by check, and refused until somebody acknowledges them."""

from __future__ import annotations

import itertools
import math
import re
import sqlite3

import numpy as np
import pytest
from command_line import call, ok, refused
from hypothesis import given
from hypothesis import strategies as st

from churnwatch.evaluation import Suspect, suspects
from churnwatch.evaluation.suspects import column_aucs

NAN = math.nan
HALF = np.array([1.0] * 10 + [0.0] * 10)
TELLS = np.array([5.0] * 9 + [2.0] + [1.0] * 10)
"""All of ten bad ones are above all of ten good ones."""
WEAK = np.array([5.0] * 8 + [0.0] * 2 + [1.0] * 10)
"""Eight of ten bad ones are above: AUC 0.8."""


def named(*columns: np.ndarray, **more: object) -> list[str]:
    """The columns, called c0, c1 …, that are found."""
    names = [f"c{i}" for i in range(len(columns))]
    return [one.column for one in suspects(np.column_stack(columns), names, HALF, **more)]  # type: ignore[arg-type]


def test_a_column_that_alone_tells_the_outcome_is_named_with_its_auc_and_how_many() -> None:
    found = suspects(np.column_stack([WEAK, TELLS]), ["weak", "tells"], HALF)
    assert (Suspect("tells", 1.0, 20, "alone it tells the outcome"),) == found


def test_either_direction_and_either_end_for_the_missing() -> None:
    """Lower may be worse; and whether there is a value at all may tell as much as the value."""
    only_bad = np.array([NAN] * 10 + [3.0, 1.0] * 5)
    only_good = np.array([3.0, 1.0] * 5 + [NAN] * 10)
    assert ["c0", "c1", "c2"] == named(-TELLS, only_bad, only_good)
    assert [] == named(np.full(20, NAN), np.ones(20), np.array([NAN, 1.0] * 10))


def test_the_limit_itself_is_allowed() -> None:
    """Nine of ten bad ones above all good ones, the tenth below them: AUC 0.9 exactly, and one tie is above it."""
    nine = np.array([5.0] * 9 + [0.0] + [1.0] * 10)
    assert 0.9 == pytest.approx(column_aucs(nine[:, None], HALF)[0], abs=1e-15)
    # A tie with half of the good ones adds 5 * 0.5 of 100 pairs.
    tied = np.array([5.0] * 9 + [0.0] + [0.0] * 5 + [1.0] * 5)
    assert ["c0"] == named(tied)


def test_what_tells_only_at_the_end_of_the_gap_is_a_step_of_leaving() -> None:
    [found] = suspects(WEAK[:, None], ["form"], HALF, later=TELLS[:, None])
    assert ("form", 1.0, 20) == (found.column, found.auc, found.n)
    assert "it happens inside the gap: a step of leaving, no sign of it (at as-of its AUC is 0.80)" == found.why
    # What tells at as-of already is named for that.
    [found] = suspects(TELLS[:, None], ["form"], HALF, later=TELLS[:, None])
    assert "alone it tells the outcome" == found.why


def test_own_rows_are_suspect_whatever_they_tell() -> None:
    [found] = suspects(WEAK[:, None], ["left"], HALF, own={"left": "its rows are the outcome's own rows"})
    assert Suspect("left", pytest.approx(0.8), 20, "its rows are the outcome's own rows", itself=True) == found


def test_fewer_than_ten_outcomes_measure_nothing() -> None:
    """Nine bad ones of thirty are not judged; a column that reads the outcome is named all the same."""
    outcome = np.array([1.0] * 9 + [0.0] * 21)
    assert () == suspects(outcome[:, None], ["same"], outcome)
    [found] = suspects(outcome[:, None], ["same"], outcome, own={"same": "it reads it"})
    assert math.isnan(found.auc)
    assert ("same",) == tuple(one.column for one in suspects(HALF[:, None], ["same"], HALF))


@given(
    st.lists(
        st.tuples(st.sampled_from([NAN, -1.0, 0.0, 0.5, 2.0]), st.sampled_from([0.0, 1.0])), min_size=2, max_size=30
    ).filter(lambda rows: len({bad for _, bad in rows}) == 2)
)
def test_column_aucs_are_those_of_counting_pairs(rows: list[tuple[float, float]]) -> None:
    """Every pair of a bad and a good one, with the missing at the one end and at the other, in both directions."""

    def by_pairs(missing: float) -> float:
        values = [(missing if math.isnan(value) else value, bad) for value, bad in rows]
        bads = [value for value, bad in values if bad]
        goods = [value for value, bad in values if not bad]
        won = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(bads, goods)]
        return sum(won) / len(won)

    each = [by_pairs(-math.inf), by_pairs(math.inf)]
    expected = max(*each, *(1 - one for one in each))
    values = np.array([[value] for value, _ in rows])
    assert pytest.approx(expected, abs=1e-12) == column_aucs(values, np.array([bad for _, bad in rows]))[0]


FORM = """
    - source: cancellations
      columns:
        interaction_id: "cancellation_no || ':form'"
        customer_id: customer_no
        at: received - INTERVAL {days} DAY
        known_at: received - INTERVAL {days} DAY
        kind: "'form'"
"""
SIGNAL = """
  - name: {name}
    description: Forms.
    where: {{kind: {kind}}}
    aggregate: {aggregate}
    direction: up
    reason: {{en: "Forms: {{value}}", id: "Formulir: {{value}}"}}
"""


def plant(project, *, days, name="forms", kind="form", aggregate="count"):
    """A form that every leaver fills in so many days before they cancel, and a signal that counts it."""
    sources = project / "configs" / "demo" / "sources.yaml"
    head, tail = sources.read_text().split("\n  surveys:\n    - source: surveys")
    sources.write_text(head + FORM.format(days=days) + "\n  surveys:\n    - source: surveys" + tail)
    contact = project / "features" / "contact.yaml"
    head, tail = contact.read_text().split("\nexamples:")
    contact.write_text(head + SIGNAL.format(name=name, kind=kind, aggregate=aggregate) + "\nexamples:" + tail)


def on_one_line(said):
    """What was printed, without the breaks of a narrow terminal."""
    return " ".join(said.out.split())


def acknowledge(project, *names):
    own = project / "configs" / "demo" / "models" / "churn.yaml"
    own.write_text(own.read_text() + f"acknowledge: [{', '.join(names)}]\n")


@pytest.mark.slow
def test_a_form_of_all_leavers_is_named_refused_and_taken_once_acknowledged(untrained):
    """Filled in 66 days before: at any as-of whoever will leave within its window of 7 to 67 days has done so."""
    plant(untrained, days=66)
    own = "configs/demo/models/churn.yaml"
    said = on_one_line(ok(call("check", "--project", untrained)))
    assert re.search(r"! suspect forms: alone it tells the outcome \(AUC 0\.9\d\d over [\d,]+ observations\)", said)
    assert f"! no training until {own} acknowledges forms" in said
    for command in (["train", "churn"], ["backtest", "churn", "--as-of", "2026-03-01"]):
        said = call(*command, "--project", untrained)
        refused(said, 5, own, "1 of the model's columns may be the outcome in disguise", "forms: alone it tells")
        assert "acknowledge: [forms]" in said.err
    acknowledge(untrained, "forms")
    checked = ok(call("check", "--project", untrained))
    assert "acknowledged in the model's file" in on_one_line(checked)
    assert "no training" not in checked.out
    told = ok(call("train", "churn", "--project", untrained, "--json")).json
    [note] = [note for note in told["notes"] if "forms" in note]
    assert note.startswith("Acknowledged in the model's file: forms, though alone it tells the outcome (AUC 0.9")
    with sqlite3.connect(untrained / "state" / "demo" / "mlflow.db") as con:
        assert [("forms",)] == con.execute("select value from params where key = 'acknowledged'").fetchall()
    cards = [path.read_text() for path in (untrained / "state" / "demo").rglob("*.md")]
    assert [False, True] == sorted(f"- {note}" in card for card in cards)
    acknowledged = "- Diakui di berkas model: forms, meskipun sendirian ia sudah memberi tahu hasilnya (AUC 0,9"
    assert [False, True] == sorted(acknowledged in card for card in cards)


def test_an_acknowledged_name_that_is_no_column_is_the_projects_mistake(untrained):
    acknowledge(untrained, "complaints_8d")
    refused(
        call("check", "--project", untrained), 3, "configs/demo/models/churn.yaml", "there is no column complaints_8d"
    )


def test_a_form_inside_the_gap_is_a_step_of_leaving(untrained):
    """50 days before: at as-of those of 43 days of 60 have filled it in (AUC 0.86), after a gap of 7 days of 50."""
    plant(untrained, days=50)
    [found] = ok(call("check", "--project", untrained, "--json")).json["suspects"]
    assert "forms" == found["column"]
    assert 0.9 < found["auc"] < 0.93
    assert "it happens inside the gap: a step of leaving, no sign of it (at as-of its AUC is 0.8" in found["why"]


def test_the_outcomes_own_rows_are_suspect(untrained):
    """Nobody is observed who has cancelled, so the column tells nothing; but what it reads is the outcome."""
    plant(untrained, days=50, name="left", kind="[cancellation]")
    [found] = ok(call("check", "--project", untrained, "--json")).json["suspects"]
    assert ("left", 0.5) == (found["column"], found["auc"])
    assert "its rows are the outcome's own rows" in found["why"]


def test_a_number_of_customers_that_no_signal_reads_is_named_too(untrained):
    """A flag of all who ever left, without a history: barred, so it stops no training, but it is told."""
    sources = untrained / "configs" / "demo" / "sources.yaml"
    text = sources.read_text()
    changed = text.replace(
        "        language: language\n",
        "        language: language\n      measures:\n        gone: CASE WHEN contract_end IS NULL THEN 0 ELSE 1 END\n",
        1,
    )
    assert changed != text
    sources.write_text(changed)
    said = on_one_line(ok(call("check", "--project", untrained)))
    assert "gone: no history (no known_at), read by no signal" in said
    assert re.search(r"! suspect customers\.gone: .*; no signal of the model reads it", said)
    assert "no training" not in said


@pytest.mark.slow
def test_a_model_without_suspects_says_nothing(company):
    assert [] == ok(call("check", "--project", company.root, "--json")).json["suspects"]
    assert "suspect" not in ok(call("check", "--project", company.root)).out
