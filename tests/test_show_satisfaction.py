"""Satisfaction in the terminal: every number with its interval, and in words what it does not say."""

from __future__ import annotations

import pytest
from small_satisfaction import about, ces, csat, nps, told

from churnwatch.cli import show_satisfaction


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """As wide as where nobody says, whatever a terminal or another test has left in the environment."""
    monkeypatch.delenv("COLUMNS", raising=False)


def shown(capsys, *instruments, **changed):
    show_satisfaction.satisfaction(told(*instruments, **changed))
    lines = capsys.readouterr().out.splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_each_survey_has_a_line_and_its_intervals_below(capsys):
    lines = shown(capsys)
    assert "Satisfaction of demo as of 2026-06-24: surveys of the 182 days before, 3,560 customers watched" == lines[0]
    at = lines.index("nps customers 3,400 1,210 35.6% 31 25 -6.4 21.0% 26.0%")
    assert ["95 % from 34.0% 28 21 -9.6 19.0% 23.0%", "to 37.2% 34 29 -3.2 23.0% 29.0%"] == lines[at + 1 : at + 3]
    at = lines.index("ces cases – 700 – 3.31 – – 16.0% –")
    assert ["95 % from 3.21 14.0%", "to 3.41 18.0%"] == lines[at + 1 : at + 3]


def test_what_no_column_holds_is_said(capsys):
    lines = shown(capsys)
    for sentence in (
        "! nps: the answers alone are too rosy: who did not answer seems less satisfied",
        "! nps: fewer answer than in the window before (40% (38% to 42%))",
        "· nps: 1,210 answers, weighted for the silent, are worth 640 alike; 2.1% of the weights were cut",
        "· nps: 33 surveys may yet be answered, counted nowhere",
        "· csat: whether who did not answer feels otherwise is not sure",
        "· csat: 1,210 answers, weighted for the silent, are worth 640 alike",
        "! ces: the source lists answers only: no response rate, nothing of the silent",
    ):
        assert sentence in lines


def test_an_effort_that_reads_lower_than_it_is_is_too_rosy(capsys):
    """Lower is better: 3.0 among the answers, 3.4 for everybody."""
    one = {**csat(), "higher_is_better": False, "naive": about(3.0, 0.1), "corrected": about(3.4, 0.1)}
    lines = shown(capsys, {**one, "difference": about(0.4, 0.1)})
    assert "! csat: the answers alone are too rosy: who did not answer seems less satisfied" in lines
    more = shown(capsys, {**one, "higher_is_better": True, "difference": about(0.4, 0.1)})
    assert "! csat: the answers alone are too bleak: who did not answer seems more satisfied" in more


def test_segments_owners_and_months_have_their_tables(capsys):
    lines = shown(capsys, nps(), ces())
    assert "starter 1,220 1,830 610 33% (30% to 36%) 25 (20 to 30) 15 (7 to 23)" in lines
    assert "not known 24 36 12 – not enough answers: 12 of 30 –" in lines
    assert "starter 1,220 – 610 – 3.20 (3.10 to 3.30) –" in lines
    assert "month nps: share everybody ces: share the answers" in lines
    assert "Budi Santoso 58 -4 (-28 to 20) – –" in lines
    assert "1 of 3 owners have too few answers for any number" in lines
    assert "Sri Lestari" not in " ".join(lines)
    assert "2025-10 – – – –" in lines
    assert "2026-06 32% 18 (7 to 29) – 3.30 (3.10 to 3.50)" in lines


@pytest.mark.parametrize("width", [100, 120, 160])
def test_no_line_is_longer_than_the_terminal(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    show_satisfaction.satisfaction(told())
    out = capsys.readouterr().out
    assert width >= max(len(line) for line in out.splitlines())
    assert "…" not in out


def test_no_survey_at_all_is_said(capsys):
    lines = shown(capsys, {**nps(), "asked": 0, "answered": 0}, warnings=["the survey source ends in May"])
    assert "! no survey was sent in this time" in lines
    assert "! the survey source ends in May" in lines
    assert 3 == len(lines)
