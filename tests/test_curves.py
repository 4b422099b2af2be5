"""Curves: the last 90 days as today's model would have told them, day by day what scoring that day gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from command_line import END

from churnwatch.errors import NoUsableModel
from churnwatch.health import onset
from churnwatch.runs import curves as module
from churnwatch.runs import score
from churnwatch.runs.curves import DAYS, curves
from churnwatch.runs.score import champion_of, scores
from churnwatch.runs.workspace import load_tables, open_workspace

DAY = date.fromisoformat(END)


@pytest.fixture(scope="module")
def place(company):
    """(workspace, tables, bundle) of the company; nothing is written."""
    workspace = open_workspace(company.root, deployment="demo", data=None, now=datetime(2026, 7, 1, 12, tzinfo=UTC))
    return workspace, load_tables(workspace), champion_of(workspace, "churn")[1]


@pytest.fixture(scope="module")
def today(place):
    workspace, tables, _ = place
    return scores(workspace, tables, "churn", day=DAY).frame


def test_each_day_is_what_scoring_that_day_gives(place, today):
    """To the last bit: today, a day in between, and the first, of customers in an order of their own."""
    workspace, tables, bundle = place
    asked = list(today["customer_id"].iloc[::37])[::-1]
    found = curves(workspace, tables, bundle, asked, day=DAY)
    assert tuple(asked) == found.customers
    assert [DAY - timedelta(days=back) for back in range(89, -1, -1)] == list(found.days)
    assert (len(asked), DAYS) == found.margins.shape == found.risks.shape
    for back in (0, 41, 89):
        then = scores(workspace, tables, "churn", day=DAY - timedelta(days=back)).frame.set_index("customer_id")
        then = then.reindex(asked)
        assert np.array_equal(then["margin"].to_numpy(), found.margins[:, -1 - back], equal_nan=True)
        assert np.array_equal(then["risk"].to_numpy(), found.risks[:, -1 - back], equal_nan=True)


def test_who_was_not_there_yet_has_no_risk(place, today):
    """A customer of some weeks: missing until observed, known from then on."""
    workspace, tables, bundle = place
    begun = tables.con.execute(
        "select customer_id from customers where started_at between timestamp '2026-05-15' and timestamp '2026-06-01' "
        "order by customer_id"
    ).fetchall()
    young = [one for (one,) in begun if one in set(today["customer_id"])]
    assert len(young) > 3
    found = curves(workspace, tables, bundle, young, day=DAY)
    missing = np.isnan(found.margins)
    assert missing[:, 0].all()
    assert not missing[:, -1].any()
    # Once there, they stay: nobody of them cancelled.
    assert np.all(np.diff(missing.astype(int), axis=1) <= 0)
    assert np.array_equal(missing, np.isnan(found.risks))


def test_blocks_change_no_number(place, today, monkeypatch):
    """A customer or a hundred at a time, asked in one go or in three."""
    workspace, tables, bundle = place
    asked = list(today["customer_id"].iloc[:120])
    whole = curves(workspace, tables, bundle, asked, day=DAY, days=14)
    monkeypatch.setattr(score, "BLOCK_CUSTOMERS", 3)
    for name, value in (("ASKED", 50), ("ROWS", 40)):
        monkeypatch.setattr(module, name, value)
    parts = curves(workspace, tables, bundle, asked, day=DAY, days=14)
    assert np.array_equal(whole.margins, parts.margins, equal_nan=True)
    assert np.array_equal(whole.risks, parts.risks, equal_nan=True)


def test_events_kept_from_scoring_change_no_number(place, today):
    """Neither of the day's scores nor of the curves; and they tell of no day they were not kept for."""
    workspace, tables, bundle = place
    asked = list(today["customer_id"].iloc[::29])
    scored = scores(workspace, tables, "churn", day=DAY, back=DAYS)
    assert today.equals(scored.frame)
    alone = curves(workspace, tables, bundle, asked, day=DAY)
    again = curves(workspace, tables, bundle, asked, day=DAY, events=scored.events)
    assert np.array_equal(alone.margins, again.margins, equal_nan=True)
    with pytest.raises(ValueError, match="not held"):
        curves(workspace, tables, bundle, asked, day=DAY, days=DAYS + 10, events=scored.events)


def test_onsets_lie_within_the_curve_and_some_have_none(place, today, monkeypatch):
    """Of everybody some have been rising, each since a day of the curve; by little, as the model is so small."""
    workspace, tables, bundle = place
    monkeypatch.setattr(onset, "RISE", 0.3)
    asked = list(today["customer_id"])
    found = curves(workspace, tables, bundle, asked, day=DAY)
    since = found.rising_since
    assert len(asked) == len(since)
    assert since.count(None) > 0.8 * len(since)
    dated = [one for one in since if one is not None]
    assert dated
    assert all(one in found.days[5:-4] for one in dated)


def test_nobody_asked_about(place):
    """An empty list costs nothing and breaks nothing."""
    workspace, tables, bundle = place
    found = curves(workspace, tables, bundle, [], day=DAY)
    assert (0, DAYS) == found.margins.shape == found.risks.shape
    assert [] == found.rising_since


def test_a_day_before_all_data_is_missing_for_everybody(place, today):
    """The data begin on the first day of 2025: of the days before it nothing is told."""
    workspace, tables, bundle = place
    found = curves(workspace, tables, bundle, list(today["customer_id"].iloc[:5]), day=date(2024, 6, 1))
    assert np.isnan(found.margins).all()


def test_data_without_what_the_model_wants_are_refused(place):
    """As scoring refuses them: the measure is named."""
    workspace, tables, bundle = place
    with pytest.raises(NoUsableModel, match="which reads the measure"):
        curves(workspace, replace(tables, measures=()), bundle, ["C000001"], day=DAY)
