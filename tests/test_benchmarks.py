"""The benchmark runner says what was measured and whether a limit is met; the peers of the engine say what it says.

The signals are tried on a few thousand rows here: that everybody computes the same, not how fast.
"""

from __future__ import annotations

import importlib
import json
import sys
from datetime import UTC, datetime
from types import ModuleType

import numpy as np
import pyarrow.parquet as pq
import pytest

from churnwatch.runs.workspace import open_workspace
from tests.benchmarks import bench_daily_stages, daily_process, daily_project, run, signals_engine
from tests.benchmarks.bench_signals import Taken
from tests.benchmarks.outreach_truth import Listed, listed_by, pair
from tests.benchmarks.run import Figure
from tests.benchmarks.signals_agreement import Agreement, agreement, compare
from tests.benchmarks.signals_catalogue import columns
from tests.benchmarks.signals_data import Size, data_of
from tests.benchmarks.signals_days import days, months
from tests.benchmarks.signals_oracle import against_oracle
from tests.benchmarks.signals_process import Cost


@pytest.mark.parametrize(
    ("value", "limit", "verdict"),
    [(0.29, 0.3, "met"), (0.3, 0.3, "met"), (0.31, 0.3, "NOT MET"), (9, None, "")],
)
def test_a_limit_is_met_up_to_and_including_itself(value, limit, verdict):
    assert verdict == Figure("start", value, "s", limit).verdict


def test_the_table_shows_value_limit_and_verdict():
    assert ("measured  value  limit\nstart     0.5 s  0.3 s  NOT MET\nsize      12 MB") == run.table(
        [Figure("start", 0.5, "s", 0.3), Figure("size", 12, "MB")]
    )


def test_a_limit_not_met_is_said_but_does_not_fail(tmp_path, monkeypatch, capsys):
    slow = ModuleType("tests.benchmarks.bench_slow")
    slow.measure = lambda: [Figure("slow", 2.0, "s", 1.0)]
    monkeypatch.setitem(sys.modules, "tests.benchmarks.bench_slow", slow)
    monkeypatch.setattr(run, "HERE", tmp_path)
    (tmp_path / "bench_slow.py").touch()
    assert 0 == run.main([])
    assert "NOT MET" in capsys.readouterr().out
    kept = json.loads((tmp_path / "results" / "slow.json").read_text())
    expected = {"name": "slow", "value": 2.0, "unit": "s", "limit": 1.0, "verdict": "NOT MET"}
    assert [expected] == kept["figures"]


def test_an_unknown_benchmark_is_answered_with_the_known_ones(capsys):
    assert 2 == run.main(["nonsense"])
    assert "no benchmark is called nonsense; there are: " in capsys.readouterr().err
    assert "startup" in run.found()


def test_a_large_benchmark_and_one_of_peers_run_only_when_they_are_named(tmp_path, monkeypatch, capsys):
    for name in ("quick", "vast_large", "other_peers"):
        module = ModuleType(f"tests.benchmarks.bench_{name}")
        module.measure = lambda name=name: [Figure(name, 1.0, "s")]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        (tmp_path / f"bench_{name}.py").touch()
    monkeypatch.setattr(run, "HERE", tmp_path)
    run.main([])
    said = capsys.readouterr().out
    assert ("quick" in said, "vast_large" in said, "other_peers" in said) == (True, False, False)
    run.main(["vast_large", "other_peers"])
    said = capsys.readouterr().out
    assert ("vast_large" in said, "other_peers" in said) == (True, True)


def test_months_open_at_midnight_in_jakarta():
    assert ["2026-05-31T17:00:00+00:00", "2026-06-30T17:00:00+00:00"] == [m.isoformat() for m in months(2)]
    assert "2024-12-31T17:00:00+00:00" == months(19)[0].isoformat()
    assert ["2026-06-29T17:00:00+00:00", "2026-06-30T17:00:00+00:00"] == [d.isoformat() for d in days(2)]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """200 customers, 4,000 rows, and what the engine makes of them as of 12 months."""
    root = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHURNWATCH_BENCH_DATA", str(root))
        data = data_of(Size(200, 4_000))
    signals_engine.build(data, months(12), root / "engine.parquet")
    return data, root / "engine.parquet"


def test_simulated_rows_are_a_log_of_customers_who_had_begun(small):
    data, _ = small
    log = pq.read_table(data / "interactions.parquet").to_pandas()
    began = pq.read_table(data / "customers.parquet").to_pandas().set_index("customer_id")["started_at"]
    assert 4_000 == len(log) == log["interaction_id"].nunique()
    assert log["at"].is_monotonic_increasing
    assert (log["at"] >= began[log["customer_id"]].to_numpy()).all()
    assert 0.01 < (log["known_at"] > log["at"]).mean() < 0.05


def test_the_same_seed_gives_the_same_bytes(small, tmp_path, monkeypatch):
    monkeypatch.setenv("CHURNWATCH_BENCH_DATA", str(tmp_path))
    again = data_of(Size(200, 4_000))
    for name in ("customers.parquet", "interactions.parquet"):
        assert (small[0] / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize("peer", ["duckdb", "polars", "pandas"])
def test_a_peer_says_what_the_engine_says(small, tmp_path, peer):
    pytest.importorskip(peer, reason=f"{peer} is not installed")
    data, engine = small
    importlib.import_module(f"tests.benchmarks.signals_{peer}").build(data, months(12), tmp_path / peer)
    found = compare(engine, tmp_path / peer)
    assert found.holds, found
    assert 2_000 < found.observations


def test_the_engine_says_what_the_oracle_says(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURNWATCH_BENCH_DATA", str(tmp_path))
    data = data_of(Size(12, 600))
    signals_engine.build(data, months(3), tmp_path / "engine.parquet")
    found = against_oracle(data, tmp_path / "engine.parquet", customers=4, as_ofs=months(2))
    assert found.holds, found
    assert 8 == found.observations


def test_a_difference_is_found():
    by_name = {column.name: column for column in columns()}
    nan = float("nan")
    found = agreement(
        (by_name[name], np.array(one), np.array(other))
        for name, one, other in [
            ("events_7d", [1.0, 2.0, 3.0], [1.0, 2.0, 4.0]),
            ("basket_ever", [10.0, nan, nan], [10.0, nan, 1.0]),
            ("quiet", [3.0, 4.0, nan], [3.0, 4.0, nan]),
        ]
    )
    assert Agreement(observations=3, nulls=1, counts=1, relative=0.25, worst="events_7d") == found
    assert not found.holds


def test_a_further_as_of_costs_what_twelve_take_beyond_one():
    taken = Taken([Cost(cpu=7.0, wall=1, peak=100, again=2.0)], [Cost(cpu=16.0, wall=1, peak=300, again=15.0)])
    assert (5.0, 2.0, 16.0, 1.0, 300) == (taken.cold, taken.warm, taken.all, taken.further, taken.peak)


def test_two_orders_are_compared_company_by_company():
    """Differences 3, 1, 2: mean 2, deviation 1, and 4.3027 x 1 / sqrt(3) = 2.4841 to either side."""
    both = [
        (Listed(a, 0.0, 0.0, 0.0, 0.0, 1), Listed(b, 0.0, 0.0, 0.0, 0.0, 1))
        for a, b in ((5.0, 2.0), (2.0, 1.0), (4.0, 2.0))
    ]
    found = pair(both, "value")
    assert (11 / 3, 5 / 3, 2.0) == pytest.approx((found.worth, found.risk, found.difference))
    assert (2 - 2.4841, 2 + 2.4841) == pytest.approx((found.low, found.high), abs=1e-4)
    assert (3, 3) == (found.better, found.companies)


@pytest.mark.slow
def test_both_orders_fill_the_same_places_and_differ_by_what_they_hold(company):
    """In so small a company risk order need not hold more who would leave; that the list's holds more money is sure."""
    workspace = open_workspace(company.root, deployment="demo", data=None, now=datetime(2026, 7, 1, 5, tzinfo=UTC))
    by = listed_by(workspace)
    assert by["worth"].rows == by["risk"].rows > 0
    assert by["worth"].at_risk > by["risk"].at_risk


def test_a_run_is_measured_against_its_stages_with_and_without_the_reading():
    made = bench_daily_stages.Made(
        {"read": (2.0, 1.5), "signals": (5.0, 3.0)}, (15.0, 12.0), {"signals": (6.0, 4.0), "files": (4.0, 1.0)}, 0.0, 5
    )
    # Wall (15 - 2) / (6 + 4), and 15 / 10; of the CPU (12 - 1.5) / (4 + 1).
    assert 1.3 == made.ratio(cpu=False, reading=False)
    assert 1.5 == made.ratio(cpu=False, reading=True)
    assert 2.1 == made.ratio(cpu=True, reading=False)


@pytest.mark.slow
def test_a_list_is_made_and_taken_apart(tmp_path, monkeypatch):
    """In a process of its own, a second time as if it were the first: the same rows, and every part has its seconds."""
    monkeypatch.setenv("CHURNWATCH_BENCH_DATA", str(tmp_path / "made"))
    monkeypatch.setattr(daily_project, "LEARNED_FROM", Size(400, 20_000))
    monkeypatch.setattr(daily_project, "ROUNDS", 10)
    (tmp_path / "project").mkdir()
    root = daily_project.project_of(Size(3_000, 60_000), tmp_path / "project").root
    alone, again = bench_daily_stages.run(root, alone=True), bench_daily_stages.run(root, alone=False)
    # Three owners of 1,000 customers; each works five a day.
    assert 15 == alone.rows == again.rows
    assert set(daily_process.PARTS) == set(alone.parts) == set(again.parts)
    assert set(daily_process.PARTS) - {"read"} == set(alone.alone)
    assert all(wall > 0 for wall, _ in (*alone.parts.values(), *alone.alone.values()))
    assert sum(wall for wall, _ in alone.parts.values()) < alone.whole[0]
    assert {} == again.alone
    assert again.peak > 50
