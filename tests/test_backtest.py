"""Backtest: at each day the model knows what was known then, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from command_line import call, ok, refused, untouched

import churnwatch.runs.backtest
import churnwatch.runs.study
from churnwatch.errors import DataRefused
from churnwatch.runs.backtest import backtest
from churnwatch.runs.workspace import load_tables, open_workspace

NOW = datetime(2026, 7, 2, tzinfo=UTC)
DAY = date(2026, 3, 1)
CUT = "timestamp '2026-02-28 17:00:00'"
"""The midnight that opens the day in Jakarta, in UTC."""

GARBLE = (
    # Everybody who was anybody's customer does everything at once, from the as-of on.
    f"""update interactions set kind = 'cancellation', channel = 'phone', direction = 'in', topic = 'billing',
        amount = 1e9, minutes = 1e9, resolution_hours = 1e9, response_minutes = 1e9,
        customer_id = (select max(customer_id) from customers) where known_at >= {CUT}""",
    f"update surveys set raw_score = scale_min, answered_at = answered_at + interval 1 hour where answered_at >= {CUT}",
    f"delete from surveys where sent_at >= {CUT}",
    f"update customers set ended_at = null where ended_at >= {CUT}",
)


@pytest.fixture
def fitted(monkeypatch):
    """The models a backtest fits, as it goes."""
    models = []

    def fit_on(rows, model, **options):
        found, chosen = churnwatch.runs.study.fit_on(rows, model, **options)
        models.append((found, chosen, rows))
        return found, chosen

    monkeypatch.setattr(churnwatch.runs.backtest, "fit_on", fit_on)
    return models


def test_a_garbled_future_changes_nothing_in_the_model(company, fitted):
    """Every event, answer and end from the as-of on is another; the model is the same to the last digit."""
    plain = open_workspace(company.root, deployment="demo", data=None, now=NOW)
    garbled = open_workspace(company.root, deployment="demo", data=None, now=NOW)
    for statement in GARBLE:
        load_tables(garbled).con.execute(statement)
    told = backtest(plain, "churn", days=[DAY])
    with pytest.raises(DataRefused, match="observations have the outcome"):
        # What came after as-of has become nonsense, so there is nothing to judge by.
        backtest(garbled, "churn", days=[DAY])
    (model, chosen, rows), (again, rechosen, _) = fitted
    assert model.booster_text == again.booster_text
    assert chosen == rechosen
    assert model == again
    assert rows.as_of.max() + np.timedelta64(67, "D") <= np.datetime64("2026-02-28T17:00")
    assert 0.6 < told["slices"][0]["auc"] < 1


def test_an_as_of_whose_outcomes_are_not_complete_is_refused_with_the_latest(project):
    """The data end on 2026-06-30; 67 days before the midnight after it is 2026-04-25."""
    with untouched(project):
        said = call("backtest", "churn", "--as-of", "2026-03-01,2026-04-26", "--project", project)
    refused(said, 4, "as-of 2026-04-26: its outcomes are complete on 2026-07-02", "at the latest 2026-04-25")
    told = ok(call("backtest", "churn", "--as-of", "2026-04-25", "--project", project, "--json")).json
    assert "2026-04-25" == told["slices"][0]["as_of"]


def test_an_as_of_with_nothing_complete_before_it_is_too_early(company):
    """120 days of history, gap and horizon after the first event: no label is complete by the summer."""
    said = call("backtest", "churn", "--as-of", "2025-06-01", "--project", company.root)
    refused(said, 5, "no observation of the model churn has a complete label before 2025-06-01", "a later as-of")


def test_an_as_of_before_the_data_is_outside(company):
    said = call("backtest", "churn", "--as-of", "2020-01-01", "--project", company.root)
    refused(said, 4, "the data run from 2025-01-01", "choose")
