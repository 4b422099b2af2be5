"""The plan of a holdout: what past lists would have named, the smallest effect seen, and its price."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from command_line import END, call, ok, refused

from churnwatch.cli.outreach import show_plan
from churnwatch.evaluation import smallest_effect
from churnwatch.runs.outreach_plan import _became
from churnwatch.runs.workspace import load_tables, open_workspace


@pytest.fixture(scope="module")
def told(company):
    """Only read: the plan writes nothing."""
    return ok(call("outreach", "plan", "--project", company.root, "--as-of", END, "--share", 0.15, "--json")).json


def test_the_replay_counts_each_customer_once_and_knows_what_became_of_the_earlier_ones(told, company):
    before = {one: one.stat().st_mtime_ns for one in company.root.rglob("*") if one.is_file()}
    assert "demo" == told["deployment"]
    assert 0 < told["bad"] < told["told"] <= told["units"]
    assert told["base_rate"]["low"] < told["bad"] / told["told"] < told["base_rate"]["high"]
    # The outcome of a customer-epoch: those named late are told of, too, as soon as the epoch has closed.
    assert "customer-epoch" == told["unit"]
    closes = date.fromisoformat(told["first"]) + timedelta(days=told["epoch_days"])
    assert str(closes) == told["epoch_closes"]
    assert told["units"] == told["told"]
    # Those who are listed leave more often than everybody does: about 4 % within two months (models/churn.yaml), so
    # less than 4 % in the days that an epoch has left for them.
    assert told["base_rate"]["share"] > 0.04
    again = ok(call("outreach", "plan", "--project", company.root, "--as-of", END, "--share", 0.15, "--json")).json
    assert told == again
    assert before == {one: one.stat().st_mtime_ns for one in company.root.rglob("*") if one.is_file()}


@pytest.mark.parametrize(
    ("before", "closes", "bad"),
    [
        (10, 5, 1),  # ten days after the first day, five before the epoch closes
        (10, -5, 0),  # five days after it closed: a customer held out may be listed by then
        (3, 5, 1),  # within the gap: the customer was left alone or not from the first day on
        (60, 20, 1),
        (70, 20, 0),  # after gap and horizon
    ],
)
def test_a_unit_is_bad_only_within_gap_and_horizon_and_before_the_epoch_closes(company, before, closes, bad):
    """Everybody who cancelled in May, named so many days before they did, in an epoch that closes so many after."""
    workspace = open_workspace(company.root, deployment="demo", data=None, now=datetime.now(UTC))
    tables, model = load_tables(workspace), workspace.model("churn")
    cancelled = tables.con.execute(
        """select customer_id, min("at") from interactions where kind = 'cancellation' group by 1
        having min("at") >= timestamp '2026-05-05' and min("at") < timestamp '2026-05-06'"""
    ).fetchall()
    assert cancelled
    end = datetime(2026, 7, 1, tzinfo=UTC)
    units = pd.DataFrame(
        {
            "customer_id": [who for who, _ in cancelled],
            "as_of": np.array([at - timedelta(days=before) for _, at in cancelled], "datetime64[us]"),
        }
    )
    opens = datetime(2026, 5, 5, tzinfo=UTC) + timedelta(days=1 if closes > 0 else 0)
    found = _became(tables, model, units, closes=opens + timedelta(days=closes), end=end)
    assert (bad * len(cancelled), len(cancelled)) == found
    # While the window is open nobody knows.
    assert (0, 0) == _became(tables, model, units, closes=end + timedelta(days=1), end=opens - timedelta(days=9))


def test_every_way_is_the_formula_on_what_was_counted(told):
    assert {(share, epochs) for share in (0.05, 0.1, 0.15, 0.2, 0.3) for epochs in (1, 2, 3, 4)} == {
        (one["share"], one["epochs"]) for one in told["ways"]
    }
    base = told["base_rate"]["share"]
    for one in told["ways"]:
        units = told["units"] * one["epochs"]
        assert one["held_out"] == pytest.approx(units * one["share"])
        assert one["treated"] == pytest.approx(units * (1 - one["share"]))
        seen = smallest_effect(base, held_out=one["held_out"], treated=one["treated"])
        if seen is None:
            assert one["points"] is None
            assert one["relative"] is None
            assert one["kept"] is None
        else:
            assert seen == pytest.approx(one["points"])
            assert one["relative"] == pytest.approx(seen / base)
            assert one["kept"] == pytest.approx(seen * one["held_out"])


@pytest.mark.slow
def test_nothing_known_later_changes_a_plan_of_an_earlier_day(project):
    """Planned for the 1st of May, with the data until then and with those of two months more."""
    arguments = ("outreach", "plan", "--project", project, "--as-of", "2026-05-01", "--json")
    whole = ok(call(*arguments)).json
    assert whole["last"] < "2026-05-01"
    for name, column in (("cancellations", 2), ("surveys", 3), ("contracts", 3)):
        file = project / "data" / f"{name}.csv"
        head, *rows = file.read_text().splitlines(keepends=True)
        kept = [row for row in rows if row.split(",")[column].strip('"') < "2026-05-01"]
        assert len(kept) < len(rows)
        file.write_text("".join([head, *kept]))
    assert whole == ok(call(*arguments)).json


def test_shares_and_epochs_that_are_none_are_refused(project):
    for option, wrong in (("--share", 0), ("--share", 0.6), ("--epochs", 0), ("--epochs", 41)):
        refused(call("outreach", "plan", "--project", project, "--as-of", END, option, wrong), 2, option)


def test_the_terminal_says_what_is_seen_what_is_not_and_what_it_costs(told, capsys):
    one = {
        **told,
        "share": 0.1,
        "units": 400,
        "bad": 40,
        "told": 200,
        "base_rate": {"share": 0.2, "low": 0.15, "high": 0.26},
        "ways": [
            {
                "share": 0.1,
                "epochs": 1,
                "held_out": 40.0,
                "treated": 360.0,
                "points": 0.125,
                "relative": 0.625,
                "rough": True,
                "kept": 5.0,
            },
            {
                "share": 0.05,
                "epochs": 1,
                "held_out": 20.0,
                "treated": 380.0,
                "points": None,
                "relative": None,
                "rough": True,
                "kept": None,
            },
        ],
        "notes": [],
    }
    show_plan(json.loads(json.dumps(one)))
    said = " ".join(capsys.readouterr().out.split())
    assert "40 of the 200 whose outcome is known" in said
    assert f"before the epoch closes on {told['epoch_closes']}" in said
    assert "the outcome of a customer-epoch" in said
    assert "none 12.5 (62%) ~" in said
    assert "– of 20 5.0 of 40" in said
    assert "if it brings 20.0% down to 7.5% or less" in said
