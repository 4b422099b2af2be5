"""Who answers: fates are used once they are known, and nothing of a customer that came after the survey was sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import Event
from small_tables import aware, spine_of, tables_of

from churnwatch.errors import DataRefused, ProjectError
from churnwatch.evaluation import auc
from churnwatch.project import scaffold
from churnwatch.runs.answering import Answering, answering_of
from churnwatch.runs.study import usable_columns
from churnwatch.runs.workspace import Workspace, open_workspace
from churnwatch.signals import build
from churnwatch.sources import Tables

BEGIN = datetime(2025, 1, 1)
BEFORE = datetime(2025, 12, 1)
SENT = datetime(2025, 9, 1)
DAY = timedelta(days=1)
SCALES = {"nps": (0, 10, True), "csat": (1, 5, True), "ces": (1, 7, False)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The reference project; the tables are the tests' own."""
    root = tmp_path_factory.mktemp("project") / "churnwatch"
    scaffold.init(root)
    return open_workspace(root, deployment="demo", data=None, now=aware(datetime(2026, 1, 1)))


def survey(number: int, customer: str, sent: datetime, **given: Any) -> dict[str, Any]:
    """An NPS that was not answered, unless it is given otherwise."""
    lowest, highest, up = SCALES[given.get("instrument", "nps")]
    return {
        "survey_id": f"s{number:05d}",
        "customer_id": customer,
        "sent_at": sent,
        "instrument": "nps",
        "scale_min": lowest,
        "scale_max": highest,
        "higher_is_better": up,
        **given,
    }


def used(customer: str, at: datetime, known: datetime | None = None) -> Event:
    return Event(f"{customer} {at}", customer, at, known or at, {"kind": "usage"})


FIRST = used("c0", BEGIN)
"""From when on there are data: surveys of the first 120 days are left out."""


def of(place: Workspace, tables: Tables, *, before: datetime = BEFORE) -> Answering:
    return answering_of(place, tables, place.model("satisfaction"), before=aware(before))


def test_a_survey_counts_once_its_fate_is_known(place: Workspace) -> None:
    """By hand, two weeks to answer: what was sent later, even if answered, and what was sent too early, is left out."""
    surveys = [
        survey(1, "early", BEGIN + 120 * DAY - timedelta(microseconds=1), answered_at=SENT, raw_score=9),
        survey(2, "first", BEGIN + 120 * DAY),
        survey(3, "happy", SENT, answered_at=SENT + DAY, raw_score=9),
        survey(4, "hard", SENT, answered_at=SENT + 14 * DAY - timedelta(microseconds=1), raw_score=7, instrument="ces"),
        survey(5, "late", SENT, answered_at=SENT + 14 * DAY, raw_score=2),
        survey(6, "last", BEFORE - 14 * DAY, answered_at=BEFORE - DAY, raw_score=2),
        survey(7, "soon", BEFORE - 14 * DAY + timedelta(microseconds=1), answered_at=BEFORE - 13 * DAY, raw_score=2),
        survey(8, "other", SENT, instrument="csat"),
    ]
    found = of(place, tables_of([FIRST], surveys=surveys))
    rows = list(found.surveys.itertuples(index=False, name=None))
    nan = pytest.approx(np.nan, nan_ok=True)
    assert [
        ("first", pd.Timestamp(BEGIN + 120 * DAY), "nps", False, nan, nan),
        ("happy", pd.Timestamp(SENT), "nps", True, 9.0, 0.9),
        ("hard", pd.Timestamp(SENT), "ces", True, 7.0, 0.0),
        ("late", pd.Timestamp(SENT), "nps", False, nan, nan),
        ("other", pd.Timestamp(SENT), "csat", False, nan, nan),
        ("last", pd.Timestamp(BEFORE - 14 * DAY), "nps", True, 2.0, 0.2),
    ] == rows
    assert {"nps": 1, "csat": 0, "ces": 0} == found.late
    assert found.fitted is None
    assert np.isnan(found.chance).all()
    with pytest.raises(DataRefused, match="of 5 surveys it is known"):
        found.predict(found.matrix, "nps")


def test_an_answer_that_is_not_known_yet_is_none(place: Workspace) -> None:
    """A source that lists answers only has no two weeks: an answer counts from when it came."""
    surveys = [
        survey(1, "a", SENT, answered_at=BEFORE - timedelta(microseconds=1), raw_score=10),
        survey(2, "b", SENT, answered_at=BEFORE, raw_score=10),
    ]
    found = of(place, tables_of([FIRST], surveys=surveys))
    assert frozenset({"nps"}) == found.only_answers
    assert [True, False] == found.surveys["answered"].tolist()
    assert {"nps": 0, "csat": 0, "ces": 0} == found.late


def company(seed: int, *, n: int = 600) -> tuple[list[Event], list[dict[str, Any]]]:
    """Customers who use the product much or little; the busy answer three of four surveys, the others one of four."""
    rng = np.random.default_rng(seed)
    events, surveys = [FIRST], []
    for number in range(n):
        customer, busy = f"c{number}", number % 2 == 0
        for k in range(2):
            sent = SENT + timedelta(days=30 * k + int(rng.integers(0, 30)), hours=number % 24)
            events += [used(customer, sent - timedelta(days=2 * i + 1)) for i in range(6 if busy else 1)]
            told = {"answered_at": sent + DAY, "raw_score": 8} if rng.random() < (0.75 if busy else 0.25) else {}
            surveys.append(survey(2 * number + k, customer, sent, instrument="nps" if k else "csat", **told))
            surveys[-1].setdefault("raw_score", None)
    return events, [
        {**one, "raw_score": 4} if one["instrument"] == "csat" and one["raw_score"] else one for one in surveys
    ]


def test_the_chance_of_an_answer_is_told_by_what_was_seen_before_the_survey(place: Workspace) -> None:
    events, surveys = company(1)
    tables = tables_of(events, surveys=surveys)
    found = of(place, tables)
    assert len(surveys) == len(found.surveys) == len(found.chance)
    busy = np.array([int(customer[1:]) % 2 == 0 for customer in found.surveys["customer_id"]])
    assert 0.75 == pytest.approx(found.chance[busy].mean(), abs=0.05)
    assert 0.25 == pytest.approx(found.chance[~busy].mean(), abs=0.05)
    assert 0.70 < auc(found.surveys["answered"].astype(int), found.chance)
    # Customers who were never asked, as of a day on which one is busy and the other is not.
    day = SENT + 20 * DAY
    asked = [*events, *(used("new", day - timedelta(days=2 * i + 1)) for i in range(6)), used("still", day - 9 * DAY)]
    columns, _ = usable_columns(place, tables, place.model("satisfaction"))
    now = build(tables_of(asked, surveys=surveys), columns, spine_of([("new", day), ("still", day)]))
    busy_one, quiet_one = found.predict(now, "nps")
    assert 0.6 < busy_one
    assert 0.45 > quiet_one


def test_nothing_that_came_later_changes_what_is_told(place: Workspace) -> None:
    """Rows at the last survey, rows known from ``before`` on, and late answers leave every number as it is."""
    events, surveys = company(2, n=200)
    plain = of(place, tables_of(events, surveys=surveys))
    last = max(one["sent_at"] for one in surveys)
    # What one customer does is in the prior of all others from the next moment on, so it happens at the last survey.
    later = [used(f"c{i}", last) for i in range(200)]
    # Happened before the surveys, but became known only when they had all been sent.
    backdated = [used(f"c{i}", SENT - 3 * DAY, known=last) for i in range(50)]
    silent = [one for one in surveys if "answered_at" not in one]
    after = [{**one, "answered_at": last + 20 * DAY, "raw_score": 1} if one in silent[::2] else one for one in surveys]
    pending = [survey(90_000 + i, f"c{i}", BEFORE - DAY) for i in range(50)]
    found = of(place, tables_of([*events, *later, *backdated], surveys=[*after, *pending]))
    assert found.only_answers == plain.only_answers == frozenset()
    columns = ["customer_id", "sent_at", "instrument", "answered", "score"]
    pd.testing.assert_frame_equal(plain.surveys[columns], found.surveys[columns])
    assert np.array_equal(plain.matrix.values, found.matrix.values, equal_nan=True)
    assert np.array_equal(plain.chance, found.chance)


def test_where_only_answers_are_listed_no_chance_is_told(place: Workspace) -> None:
    """CSAT is listed with its silences, NPS without: the one has chances, the other says why it has none."""
    events, surveys = company(3, n=200)
    listed = [one for one in surveys if one["instrument"] == "csat" or "answered_at" in one]
    found = of(place, tables_of(events, surveys=listed))
    assert frozenset({"nps"}) == found.only_answers
    nps = (found.surveys["instrument"] == "nps").to_numpy()
    assert np.isnan(found.chance[nps]).all()
    assert ((found.chance[~nps] > 0) & (found.chance[~nps] < 1)).all()
    assert len(found.predict(found.matrix, "csat")) == len(found.surveys)
    with pytest.raises(DataRefused, match="lists answers only"):
        found.predict(found.matrix, "nps")


def test_two_surveys_of_one_moment_are_two_rows(place: Workspace) -> None:
    surveys = [survey(1, "a", SENT), survey(2, "a", SENT, instrument="csat", answered_at=SENT + DAY, raw_score=5)]
    found = of(place, tables_of([FIRST, used("a", SENT - DAY)], surveys=surveys))
    assert ["csat", "nps"] == found.surveys["instrument"].tolist()
    assert np.array_equal(found.matrix.values[0], found.matrix.values[1], equal_nan=True)


def test_a_model_of_something_else_is_refused(place: Workspace) -> None:
    with pytest.raises(ProjectError, match="foretells no answers"):
        answering_of(place, tables_of([FIRST]), place.model("churn"), before=aware(BEFORE))
