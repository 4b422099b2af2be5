"""The tables of `train` and `backtest`: what stands in them, and how they fold."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from test_card import judged

from churnwatch.cli import show_figures
from churnwatch.evaluation.caught import Caught
from churnwatch.evaluation.gate import Verdict
from churnwatch.runs.demo import Truth


def shown(capsys, monkeypatch, slices, width=120):
    monkeypatch.setenv("COLUMNS", str(width))
    show_figures.slices(slices)
    return capsys.readouterr().out


def test_every_date_has_a_table_and_the_last_one_lead_times_and_groups(capsys, monkeypatch):
    slices = [judged(day).figures for day in (1, 2)]
    out = shown(capsys, monkeypatch, slices)
    assert 2 == len(re.findall(r"^the model +0\.", out, flags=re.M))
    assert 2 == out.count("95 % from") == out.count("calibration error 0.")
    assert 2 == len(re.findall(r"^logistic  +0\.\d{3} ", out, flags=re.M))
    assert 1 == out.count("Leavers listed on 2026-03-02, by how long before they left at least")
    assert 1 == out.count("Groups of customers on 2026-03-02")
    assert "segment small" in out
    assert "not enough data: 20 of 50" in out
    assert "segment as known today: the source keeps no history" in out
    assert f"{slices[0]['auc']:.3f}" in out


@pytest.mark.parametrize("width", [100, 120, 160])
def test_no_line_is_longer_than_the_terminal(capsys, monkeypatch, width):
    out = shown(capsys, monkeypatch, [judged(1).figures], width)
    assert width >= max(len(line) for line in out.splitlines())
    assert "…" not in out


def test_risks_that_are_off_as_a_whole_are_warned_of(capsys, monkeypatch):
    one = judged(1).figures
    assert "!" not in shown(capsys, monkeypatch, [one | {"warnings": []}])
    assert "  ! The base rate moved.\n" in shown(capsys, monkeypatch, [one | {"warnings": ["The base rate moved."]}])


def test_of_answers_it_says_who_answered_and_nothing_of_money(capsys, monkeypatch):
    one = judged(1).figures
    out = shown(capsys, monkeypatch, [one])
    assert f"{one['n']:,} observed" in out
    assert "worth" in out
    assert "EMPC" in out
    rankings = (one, *one["baselines"].values())
    for figures in rankings:
        del figures["empc"], figures["empc_share"]
    out = shown(capsys, monkeypatch, [one | {"watched": 1_000}])
    assert f"{one['n']:,} with an answer, base rate" in out
    assert "observed" not in out
    assert "worth" not in out
    assert "EMPC" not in out
    assert f"{one['auc']:.3f}" in out


def test_of_answers_it_says_what_they_were_weighed_by(capsys):
    trained = SimpleNamespace(
        judged=[], observations=12_967, choice="60 rounds", capacity_intervals={}, verdict=Verdict(True, ()), notes=(),
        new=True, version="ab", model="satisfaction", registered=1, champion="ab",
        weighing={"asked": 42_776, "answered": 12_967, "bad_rate": 0.2, "effective": 10_712.6, "clipped": 0.0},
        treated=None,
    )  # fmt: skip
    show_figures.trained(trained)
    out = " ".join(capsys.readouterr().out.split())
    assert "12,967 of 42,776 observations had an answer; weighed they tell as much as 10,713." in out
    nobody_silent = {"asked": 9_997, "answered": 9_997, "effective": None, "clipped": None}
    assert "Every one of the 9,997 observations has an answer: nothing to weigh by." == show_figures.weighing_words(
        nobody_silent
    )


def test_without_dates_of_leaving_and_groups_there_are_no_such_tables(capsys, monkeypatch):
    out = shown(capsys, monkeypatch, [judged(1, dated=False).figures | {"groups": []}])
    assert "Leavers listed" not in out
    assert "Groups" not in out


def test_the_truth_of_a_simulation_stands_beside_the_baselines(capsys):
    show_figures.truth(
        Truth(
            silent={"model": Caught(127, 83), "recency": Caught(127, 60)},
            everybody={"model": Caught(300, 150), "recency": Caught(300, 90)},
        )
    )
    out = " ".join(capsys.readouterr().out.split())
    assert "127 silent leavers cancelled" in out
    assert "83 of them (65%, 95 % interval 57% to 73%) stood on the list in time" in out
    assert "the model 83 (65%) 150 (50%) recency 60 (47%) 90 (30%)" in out


def test_a_simulation_in_which_nobody_left_says_nothing(capsys):
    nobody = {"model": Caught(0, 0)}
    show_figures.truth(Truth(silent=nobody, everybody=nobody))
    assert "" == capsys.readouterr().out
