"""Real invoices: no contracts, no agents, no surveys, and the same commands."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from command_line import ok, spawn

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "online_retail"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside this repository"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The options that run a command on a scaffold and the real invoices."""
    directory = tmp_path_factory.mktemp("shop") / "project"
    ok(spawn("init", directory))
    return ("--project", directory, "--deployment", "online_retail", "--data", DATA)


def test_a_backtest_ranks_as_well_as_a_pipeline_made_by_hand(shop):
    """Made by hand: AUC 0.713, 0.787, 0.779; logistic regression on three numbers 0.715, 0.789, 0.775; recency 0.605,
    0.676, 0.693. The risks have the right shape once the season's shift is out, and the shift is told.
    """
    days = "2010-10-01,2011-01-01,2011-04-01"
    slices = ok(spawn("backtest", "inactivity", "--as-of", days, "--json", *shop)).json["slices"]
    assert 0.76 <= sum(one["auc"] for one in slices) / 3
    assert 0.77 <= slices[-1]["auc"]
    for one, recency in zip(slices, (0.605, 0.676, 0.693), strict=True):
        assert one["auc"] > one["baselines"]["logistic"]["auc"]
        assert abs(recency - one["baselines"]["recency"]["auc"]) < 0.01
        assert one["ece_after_shift"] <= 0.05
        assert 1 == len(one["warnings"])


def test_a_training_gives_a_list_whose_every_row_has_reasons_with_numbers(shop):
    trained = ok(spawn("train", "inactivity", "--json", *shop)).json
    assert trained["promoted"]
    told = ok(spawn("daily", "--as-of", "2011-06-01", "--json", *shop)).json
    assert trained["version"] == told["model_version"]
    counts = told["counts"]
    assert abs(0.05 * counts["observed"] - counts["listed"]) <= 1
    with Path(told["files"]["outreach.csv"]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert counts["listed"] == len(rows) > 50
    for row in rows:
        reasons = [row[key] for key in ("reason_1", "reason_2", "reason_3") if row[key]]
        assert reasons
        assert [] == [reason for reason in reasons if not re.search(r"\d", reason)]


def test_no_signal_of_real_invoices_knows_its_future(shop):
    """Twenty as-ofs, half of them on an invoice; the issue's hundred are run by hand, as they take minutes."""
    told = ok(spawn("audit", "leakage", "--as-ofs", 20, "--json", *shop)).json
    assert [] == told["moved"]
    assert 20 == len(told["as_ofs"])
    assert 10 <= told["on_event"]
    assert ["inactivity"] == told["models"]


def test_the_catalogue_is_measured_on_invoices_too(shop):
    """What needs tickets or surveys is skipped and says so; who has long not bought will not buy."""
    told = ok(spawn("signals", "report", "--json", *shop)).json
    usable = {one["signal"]: one for one in told["signals"] if one["skipped"] is None}
    assert {"purchase", "silence", "tenure"} <= {one["family"] for one in usable.values()}
    assert {} == told["suspects"]
    [since] = usable["days_since_purchase"]["columns"]
    assert "agrees" == since["agreement"]
    assert since["bins"][0]["ceiling"] < told["base_rate"] < since["bins"][-1]["floor"]
    page = Path(told["file"]).read_text()
    assert len(usable) == page.count("<article")
    assert 'id="signal-days_since_purchase"' in page


def test_past_pauses_of_real_invoices_propose_a_longer_silence_than_the_model_s(shop, tmp_path):
    """Measured with this program: half of the pauses are over within 30.1 days, nine of ten within 131.1; about half of
    the customers are called gone after 90 days, and about four in ten of them come back.
    """
    picture = tmp_path / "label.png"
    told = ok(spawn("label", "inactivity", "--out", picture, "--json", *shop)).json["inactivity"]
    assert 90 == told["file_days"]
    assert 132 == told["proposed_days"]
    assert abs(30.1 - told["percentiles"]["0.5"]) < 0.1
    assert abs(42.1 - told["censored_percentiles"]["0.5"]) < 0.1
    [ninety] = [one for one in told["by_days"] if one["days"] == 90]
    assert abs(0.49 - ninety["base_rate"]) < 0.04
    assert abs(0.42 - ninety["returning"]) < 0.04
    assert 10_000 < picture.stat().st_size


def test_a_search_on_real_invoices_compares_by_dates_before_the_test(shop):
    told = ok(spawn("tune", "inactivity", "--trials", 2, "--json", *shop)).json
    assert all(fold["date"] < told["before"] for fold in told["folds"])
    # As many as training calibrates by, as far as there are dates: twelve but one.
    assert 11 == len(told["folds"])
    assert 0.72 < told["file"]["auc"]
