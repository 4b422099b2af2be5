"""A slice: its keys, its numbers fit for JSON, and how its parts agree with one another."""

from __future__ import annotations

import json
import time
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.evaluation.curves import gain, reliability
from churnwatch.evaluation.figures import at_capacity, calibration_error
from churnwatch.evaluation.groups import Grouping
from churnwatch.evaluation.slices import RANKING, slice_figures

DAY = date(2026, 3, 1)
KEYS = [
    *("as_of", "n", "base_rate", *RANKING, "brier", "log_loss", "ece", "ece_by_chance", "base_rate_shift"),
    *("shift_by_chance", "ece_after_shift", "trained_base_rate", "intervals", "baselines", "lead_time", "reliability"),
    *("gain", "groups", "warnings"),
]
SURE = {"auc", "average_precision", "precision_at_capacity", "recall_at_capacity", "lift_at_capacity"} | {
    "brier",
    "log_loss",
    "ece",
}


def sample(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes that come by their risks, margins and risks."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(-2, 1.2, n).round(3)
    risks = 1 / (1 + np.exp(-margins))
    return (rng.random(n) < risks).astype(int), margins, risks


def test_the_slice_holds_exactly_what_the_command_line_promises() -> None:
    """The keys of a slice and of each baseline, and numbers JSON can carry."""
    y, s = [1, 0, 1, 0], [3.0, 2.0, 1.0, 0.0]
    told = slice_figures(
        y, s, as_of=DAY, risks=[0.7, 0.5, 0.4, 0.1], baselines={"random": s, "tenure": [0.0] * 4}, replicates=20
    )
    assert list(told) == KEYS
    assert told == json.loads(json.dumps(told, allow_nan=False))
    assert "2026-03-01" == told["as_of"]
    assert SURE == set(told["intervals"])
    assert {"random", "tenure"} == set(told["baselines"])
    assert {*RANKING, "lead_time"} == set(told["baselines"]["tenure"])
    all_tied = {
        "auc": 0.5,
        "average_precision": (1 + 2 / 3 + 5 / 9 + 1 / 2) / 4,  # 4 places, an outcome at each with 2 / 4, over 2
        "lift_at_10pct": 1.0,
        "precision_at_capacity": 0.5,
        "recall_at_capacity": 0.25,
        "lift_at_capacity": 1.0,
        "capacity_rows": 1,
        "empc": 22.5,  # everybody is contacted: 0.3 x 190 x 2 - 4 x 1 - 2 x 10, over 4
        "empc_share": 1.0,
    }
    tied = {name: told["baselines"]["tenure"][name] for name in RANKING}
    assert all_tied == pytest.approx(tied, abs=1e-3)
    assert 0.75 == told["auc"] == told["baselines"]["random"]["auc"]


def test_of_answers_nothing_is_told_in_money() -> None:
    y, s = [1, 0, 1, 0], [3.0, 2.0, 1.0, 0.0]
    told = slice_figures(y, s, as_of=DAY, risks=[0.5] * 4, baselines={"random": s}, profit=False, replicates=20)
    assert [name for name in KEYS if name not in ("empc", "empc_share")] == list(told)
    assert {*RANKING, "lead_time"} - {"empc", "empc_share"} == set(told["baselines"]["random"])


def test_a_list_warns_those_it_lists_as_long_before_as_they_leave_after_it() -> None:
    """Five rows, one place: the leaver 40 days away is listed, the one 10 days away is not."""
    told = slice_figures(
        [1, 1, 0, 0, 0], [5.0, 4.0, 3.0, 2.0, 1.0], as_of=DAY, risks=[0.5] * 5, baselines={"tenure": [0.0] * 5},
        days_left=[40.0, 10.0, np.nan, np.nan, np.nan], replicates=5,
    )  # fmt: skip
    assert (2, 1.0, 40.0) == tuple(told["lead_time"][name] for name in ("leavers", "warned", "median_warning_days"))
    recall = {one["days"]: one["recall"] for one in told["lead_time"]["recall"]}
    assert {7: 0.5, 14: 1.0, 30: 1.0, 60: None, 90: None} == recall
    # Five tied rows share the place: a fifth of a warning each.
    of_tenure = told["baselines"]["tenure"]["lead_time"]
    assert 0.4 == pytest.approx(of_tenure["warned"])
    assert 25.0 == of_tenure["median_warning_days"]


def test_without_dates_there_is_no_lead_time() -> None:
    y, margins, risks = sample(60)
    told = slice_figures(y, margins, as_of=DAY, risks=risks, baselines={}, replicates=5)
    assert (0, None) == (told["lead_time"]["leavers"], told["lead_time"]["median_warning_days"])


@given(st.integers(2, 60), st.integers(0, 1_000), st.sampled_from([1, 2, 6]))
@settings(deadline=None)
def test_the_bins_add_up_to_the_calibration_error(n: int, seed: int, digits: int) -> None:
    """Weighted by size, the distances of the bins are the figure; every row is in one bin."""
    y, _, risks = sample(n, seed)
    y[:2] = (0, 1)
    risks = risks.round(digits)
    bins = reliability(y, risks)
    error = sum(one["n"] * abs(one["mean_risk"] - one["rate"]) for one in bins) / n
    assert calibration_error(y, risks) == pytest.approx(error, abs=1e-12)
    assert (n, y.sum()) == pytest.approx((sum(b["n"] for b in bins), sum(b["n"] * b["rate"] for b in bins)))
    assert all(one["mean_risk"] <= other["mean_risk"] + 1e-12 for one, other in pairwise(bins))
    assert max(b["n"] for b in bins) - min(b["n"] for b in bins) <= 1
    assert all(b["low"] <= b["rate"] + 1e-12 and b["rate"] <= b["high"] + 1e-12 for b in bins)


def test_a_gain_curve_worked_out_by_hand() -> None:
    """Four rows, the first and the third gone; and nobody told apart: the diagonal."""
    told = gain([1, 0, 1, 0], {"model": [4.0, 3.0, 2.0, 1.0], "nothing": [0.0] * 4})
    assert [0, 0.25, 0.5, 0.75, 1] == told["share"]
    assert {"model": [0, 0.5, 0.5, 1, 1], "nothing": [0, 0.25, 0.5, 0.75, 1]} == told["caught"]


def test_a_gain_curve_has_101_points_and_goes_through_recall_at_capacity() -> None:
    y, margins, _ = sample(1_000)
    told = gain(y, {"model": margins})
    assert 101 == len(told["share"]) == len(told["caught"]["model"])
    assert at_capacity(y, margins, capacity_total=0.05).recall == pytest.approx(told["caught"]["model"][5], abs=1e-6)


def test_a_slice_is_quick() -> None:
    """Issue: three slices and five baselines in two seconds; the demo's have about 4,400 customers each."""
    y, margins, risks = sample(4_400)
    noise = np.random.default_rng(2).normal(size=(5, 4_400))
    owners = [f"agent {i % 12}" for i in range(4_400)]
    labels = [f"plan {i % 3}" for i in range(4_400)]
    begun = time.process_time()
    for _ in range(3):
        slice_figures(
            y, margins, as_of=DAY, risks=risks, baselines={str(i): margins + one for i, one in enumerate(noise)},
            owners=owners, capacity={f"agent {i}": 20 for i in range(12)},
            groupings=[Grouping("segment", labels, today=False)],
        )  # fmt: skip
    assert 2.0 > time.process_time() - begun
