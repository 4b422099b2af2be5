"""The benchmark runner says what was measured and whether a limit is met."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

from tests.benchmarks import run
from tests.benchmarks.run import Figure


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
