"""The plan of a holdout: what past lists would have named, the smallest effect seen, and its price."""

from __future__ import annotations

import json

import pytest
from command_line import END, call, ok, refused

from churnwatch.cli.outreach import show_plan
from churnwatch.evaluation import smallest_effect


@pytest.fixture(scope="module")
def told(company):
    """Only read: the plan writes nothing."""
    return ok(call("outreach", "plan", "--project", company.root, "--as-of", END, "--share", 0.15, "--json")).json


def test_the_replay_counts_each_customer_once_and_knows_what_became_of_the_earlier_ones(told, company):
    before = {one: one.stat().st_mtime_ns for one in company.root.rglob("*") if one.is_file()}
    assert "demo" == told["deployment"]
    assert 0 < told["bad"] < told["told"] <= told["units"]
    assert told["base_rate"]["low"] < told["bad"] / told["told"] < told["base_rate"]["high"]
    # Those who are listed leave more often than everybody does: about 4 % within two months (models/churn.yaml).
    assert told["base_rate"]["share"] > 0.06
    again = ok(call("outreach", "plan", "--project", company.root, "--as-of", END, "--share", 0.15, "--json")).json
    assert told == again
    assert before == {one: one.stat().st_mtime_ns for one in company.root.rglob("*") if one.is_file()}


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
    assert "none 12.5 (62%) ~" in said
    assert "– of 20 5.0 of 40" in said
    assert "if it brings 20.0% down to 7.5% or less" in said
