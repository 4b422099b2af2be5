"""Answers are weighed by the chance that there would be one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from churnwatch.learner import effective_size
from churnwatch.runs.observations import Labelled
from churnwatch.runs.weighing import Hygiene, hygiene, weighted
from churnwatch.signals import Matrix
from churnwatch.spec import Family, Model

FIRST = np.datetime64("2026-01-01", "us")
FAMILY = Family.model_validate(
    {
        "family": "probe",
        "description": "A probe.",
        "table": "interactions",
        "signals": [
            {
                "name": "contacts",
                "description": "Contacts.",
                "aggregate": "count",
                "direction": "up",
                "reason": {"en": "{value}", "id": "{value}"},
            }
        ],
        "examples": [{"as_of": datetime(2026, 3, 1), "rows": [], "expect": {"contacts": 0}}],
    }
)


def model_of(**keys: Any) -> Model:
    chosen = {
        "model": "probe",
        "title": {"en": "Unhappy", "id": "Kecewa"},
        "outcome": {"answer": {"nps": {"scale": [0, 10], "bad": {"at_most": 6}}}},
        "grid": {"every": "30d"},
        "horizon": "90d",
        "families": ["probe"],
        "baselines": {"recency": None, "last_score": None, "tenure": "contacts"},
        **keys,
    }
    return Model.model_validate({key: value for key, value in chosen.items() if value is not None})


CALENDAR = model_of()
AT_SURVEYS = model_of(grid={"every": "30d", "at": "survey sent"}, horizon=None, answering={"within": "10d"})


def rows_of(x: np.ndarray, outcome: np.ndarray, *, days: np.ndarray | int = 0) -> Labelled:
    """One row per customer, its signal ``x``, as-of ``days`` after the first; labels read 100 days after it."""
    n = len(x)
    as_of = FIRST + np.full(n, days) * np.timedelta64(1, "D")
    observations = pd.DataFrame({"customer_id": [f"C{i}" for i in range(n)], "as_of": as_of})
    told = ~np.isnan(outcome)
    labels = pd.DataFrame({"outcome": outcome, "told": told, "score": 1 - outcome})
    labels["known_at"] = as_of
    labels["treated"], labels["stands_for"] = False, 1.0
    matrix = Matrix(observations, FAMILY.columns, x[:, None])
    return Labelled(matrix, as_of, labels, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=100))


def company(n: int = 6_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x, chance to answer, outcome): half of the customers answer in 60 of 100 cases and 1 in 10 of them badly, the
    others in 15 of 100 and 4 in 10 of them badly.
    """
    rng = np.random.default_rng(1)
    busy = rng.random(n) < 0.5
    chance = np.where(busy, 0.6, 0.15)
    bad = (rng.random(n) < np.where(busy, 0.1, 0.4)).astype(float)
    return busy.astype(float), chance, np.where(rng.random(n) < chance, bad, np.nan)


def test_an_answer_weighs_one_over_its_chance_and_stands_for_those_who_gave_none() -> None:
    """A quarter of all are unhappy; of those who answer a sixth: (0.6 * 0.1 + 0.15 * 0.4) / 0.75 = 0.16."""
    x, chance, outcome = company()
    rows, weighing = weighted(rows_of(x, outcome), CALENDAR)
    kept = rows.in_time()
    assert weighing is not None
    assert kept.weight is not None
    assert (6_000, int((~np.isnan(outcome)).sum())) == (weighing.asked, weighing.answered)
    told = ~np.isnan(outcome)
    ratio = kept.weight * chance[told]
    assert ratio / ratio.mean() == pytest.approx(np.ones(told.sum()), abs=0.12)
    assert 1 == pytest.approx(kept.weight.mean())
    assert effective_size(kept.weight) == pytest.approx(weighing.effective)
    assert weighing.effective < weighing.answered
    assert 0.16 == pytest.approx(weighing.bad_rate, abs=0.02)
    assert 0.25 == pytest.approx(kept.rows().base_rate, abs=0.03)
    assert 0 == weighing.clipped


def test_no_answer_speaks_for_more_than_the_least_allows() -> None:
    """With a least chance of one half, the quiet count 2 and the busy 1.67."""
    x, _, outcome = company()
    rows, weighing = weighted(rows_of(x, outcome), model_of(answering={"least": 0.5}))
    assert weighing is not None
    assert rows.weight is not None
    told = ~np.isnan(outcome)
    quiet = rows.weight[told][x[told] == 0]
    assert quiet == pytest.approx(np.full(len(quiet), quiet[0]))
    assert 2 * 0.6 == pytest.approx(quiet[0] / rows.weight[told][x[told] == 1].mean(), abs=0.1)
    assert (x[told] == 0).mean() == pytest.approx(weighing.clipped)


def test_where_every_survey_has_an_answer_there_is_nothing_to_weigh_by() -> None:
    rows, weighing = weighted(rows_of(np.arange(8.0), np.arange(8.0) % 2), AT_SURVEYS)
    assert rows.weight is None
    assert weighing is not None
    assert (8, 8, 0.5, None, None) == tuple(weighing.as_json().values())


def test_a_survey_that_may_still_be_answered_teaches_nothing_about_silence() -> None:
    """Sent 90 days after the first and read on the 100th: its ten days are just over; a day later they are not."""
    x, _, outcome = company(3_200)
    days = np.where(np.arange(3_200) < 1_600, 90, 91)
    # All later surveys with an answer already: they would make everybody likely to answer.
    outcome[1_600:] = np.arange(1_600) % 2
    rows, weighing = weighted(rows_of(x, outcome, days=days), AT_SURVEYS)
    alone, of_settled = weighted(rows_of(x[:1_600], outcome[:1_600], days=90), AT_SURVEYS)
    assert weighing is not None
    assert of_settled is not None
    assert (1_600, of_settled.answered) == (weighing.asked, weighing.answered)
    assert rows.weight is not None
    assert alone.weight is not None
    told = ~np.isnan(outcome[:1_600])
    ratio = rows.weight[:1_600][told] / alone.weight[told]
    assert ratio == pytest.approx(np.full(told.sum(), ratio[0]))
    quiet = (x == 0) & (days == 91)
    assert rows.weight[quiet].mean() > 2 * rows.weight[(x == 1) & (days == 91)].mean()
    _, calendar = weighted(rows_of(x, outcome, days=91), CALENDAR)
    assert calendar is not None
    assert 3_200 == calendar.asked


def test_another_outcome_is_not_weighed() -> None:
    other = model_of(outcome={"event": {"kind": "cancellation"}})
    rows = rows_of(np.arange(4.0), np.array([0.0, 1.0, 0.0, 1.0]))
    assert (rows, None) == weighted(rows, other)


LEAVING = model_of(outcome={"event": {"kind": "cancellation"}})


def with_contacts(rows: Labelled, *, treated: list[int], stands_for: dict[int, float]) -> Labelled:
    """The rows with some of them treated and others standing for several."""
    labels = rows.labels.copy()
    labels.loc[treated, "treated"], labels.loc[treated, "told"] = True, False
    for row, weight in stands_for.items():
        labels.loc[row, "stands_for"] = weight
    return Labelled(rows.matrix, rows.dates, labels, rows.until)


def test_who_was_held_out_weighs_for_those_who_were_contacted() -> None:
    """Of eight two were contacted and one held out, who stands for 3: weights 1 and 3 of mean 8 / 6."""
    rows = with_contacts(rows_of(np.arange(8.0), np.arange(8.0) % 2), treated=[0, 5], stands_for={3: 3.0})
    found, weighing = weighted(rows, LEAVING)
    assert weighing is None
    assert [1, 2, 3, 4, 6, 7] == found.matrix.values[:, 0].tolist()
    assert [0.75, 0.75, 2.25, 0.75, 0.75, 0.75] == found.weight.tolist()
    assert Hygiene("weight", 2, 1, 3.0) == hygiene(rows, LEAVING)
    assert not hygiene(rows, LEAVING).alone
    told = {"handling": "weight", "dropped": 2, "weighed": 1, "stand_for": 3.0, "tests": "unweighted"}
    assert told == hygiene(rows, LEAVING).as_json()


def test_where_nobody_stands_for_those_left_out_it_is_said() -> None:
    rows = with_contacts(rows_of(np.arange(8.0), np.arange(8.0) % 2), treated=[0], stands_for={})
    found, _ = weighted(rows, LEAVING)
    assert (7, None) == (len(found.outcome), found.weight)
    assert hygiene(rows, LEAVING).alone
    assert not hygiene(rows, LEAVING.model_copy(update={"treated": "exclude"})).alone


def test_where_nobody_was_contacted_the_rows_stay_as_they_are() -> None:
    rows = rows_of(np.arange(8.0), np.arange(8.0) % 2)
    assert (rows, None) == weighted(rows, LEAVING)
    assert hygiene(rows, LEAVING) is None


def test_an_answer_of_somebody_held_out_weighs_both_ways() -> None:
    """The chance to answer is learned without the treated, who did not keep silent of themselves."""
    x, _, outcome = company()
    told = np.flatnonzero(~np.isnan(outcome))
    silent = np.flatnonzero(np.isnan(outcome))
    rows = with_contacts(rows_of(x, outcome), treated=silent[:500].tolist(), stands_for={int(told[0]): 4.0})
    found, weighing = weighted(rows, CALENDAR)
    alone, of_alone = weighted(
        with_contacts(rows_of(x, outcome), treated=silent[:500].tolist(), stands_for={}), CALENDAR
    )
    assert (len(x) - 500, len(told)) == (weighing.asked, weighing.answered) == (of_alone.asked, of_alone.answered)
    ratio = found.in_time().weight / alone.in_time().weight
    assert 4.0 == pytest.approx(ratio[0] / ratio[1])
    bad, n, first = outcome[told].sum(), len(told), outcome[told[0]]
    assert (bad / n, (bad + 3 * first) / (n + 3)) == pytest.approx((of_alone.bad_rate, weighing.bad_rate))
    assert 1.0 == pytest.approx(found.in_time().weight.mean())
