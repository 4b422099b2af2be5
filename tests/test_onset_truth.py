"""The figures of `bench_onset_seeds`: who is judged, which way an error goes, and whom the limit counts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.bench_onset_seeds import Told, figures


def test_figures_are_of_those_they_say() -> None:
    """Six by hand: two judged, one turned without an onset, one not listed, two steady of whom one has one."""
    none = np.nan
    told = Told(
        turned=np.array([30.0, 60.0, 40.0, 20.0, none, none]),
        risen=np.array([20.0, 64.0, none, 50.0, 10.0, none]),
        steady=np.array([False, False, False, False, True, True]),
        listed=np.array([True, True, True, False, True, False]),
        complains=np.array([False, True, True, False, False, True]),
    )
    found = {one.name: one.value for one in figures([told])}
    assert 1 == found["companies"]
    assert 3 == found["listed customers who turned in the last 90 days"]
    assert pytest.approx(200 / 3) == found["of these with an onset"]
    # 20 days ago in place of 30: ten too late; 64 in place of 60: four too early.
    assert (7, -3) == (found["median error, all"], found["median of onset before turn, all"])
    assert (4, 4) == (found["median error, who complain"], found["median of onset before turn, who complain"])
    assert (10, -10) == (found["median error, who do not"], found["median of onset before turn, who do not"])
    # 30, 60 and 40 days ago: whoever said 40 of all would be 10, 20 and 0 off.
    assert 10 == found["median error of the best constant guess"]
    assert (2, 50) == (found["steady customers"], found["steady customers with an onset"])
    assert 100 == found["listed steady customers with an onset"]


def test_companies_are_counted_together() -> None:
    """Two companies of one customer each; groups without anybody to judge have no figure."""
    one = {"turned": np.array([30.0]), "steady": np.array([False]), "listed": np.array([True])}
    found = {
        figure.name: figure.value
        for figure in figures(
            [
                Told(risen=np.array([31.0]), complains=np.array([True]), **one),
                Told(risen=np.array([33.0]), complains=np.array([True]), **one),
                Told(
                    turned=np.array([np.nan]), risen=np.array([np.nan]), steady=np.array([True]),
                    listed=np.array([True]), complains=np.array([False]),
                ),
            ]
        )
    }  # fmt: skip
    assert (3, 2) == (found["companies"], found["median error, all"])
    assert "median error, who do not" not in found
    assert 0 == found["steady customers with an onset"]
