"""Satisfaction in the terminal: every number with its interval, and in words what it does not say."""

from __future__ import annotations

import pytest
from small_satisfaction import about, ces, csat, nps, told

from churnwatch.cli import show_satisfaction


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """As wide as where nobody says, whatever a terminal or another test has left in the environment."""
    monkeypatch.delenv("COLUMNS", raising=False)


def shown(capsys, *instruments, language="en", **changed):
    show_satisfaction.satisfaction(told(*instruments, **changed), language)
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
    assert "not known 24 36 12 – too few: 12 answers of 11 customers –" in lines
    assert "starter 1,220 – 610 – 3.20 (3.10 to 3.30)" in lines
    assert "month nps: share everybody ces: share the answers" in lines
    assert "Budi Santoso 58 -4 (-28 to 20) – –" in lines
    assert lines.index("Budi Santoso 58 -4 (-28 to 20) – –") < lines.index("Dewi Anggraini 60 27 (4 to 50) – –")
    assert "1 of 3 owners have too few answers for any number." in lines
    assert 1 == lines.count("A number wants answers of 30 different customers.")
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
    lines = shown(
        capsys, {**nps(), "asked": 0, "answered": 0, "pending": 0}, warnings=["the survey source ends in May"]
    )
    assert "! No survey was sent in this time." in lines
    assert "! the survey source ends in May" in lines
    assert 3 == len(lines)


def test_surveys_that_do_not_count_are_told(capsys):
    nothing = {"asked": 0, "answered": 0, "pending": 0}
    lines = shown(capsys, {**nps(), **nothing, "left_out": 775}, {**csat(), **nothing, "in_data": 0})
    assert [
        "! Of 775 surveys sent in this time none can be counted.",
        "! NPS: 775 surveys were sent when the data had just begun; none of them is counted.",
        "! No CSAT survey in the data.",
    ] == lines[1:]
    lines = shown(capsys, {**nps(), **nothing}, surveys_mapped=False)
    assert ["! This deployment maps no surveys; see configs/README.md."] == lines[1:]


def test_where_nobody_answers_there_is_no_column_for_an_estimate(capsys):
    names = ("naive", "corrected", "difference", "bad_naive", "bad_corrected", "effective", "clipped")
    silent = {**nps(), **dict.fromkeys(names), "answered": 0, "answerers": 0, "groups": {}, "months": []}
    lines = shown(capsys, {**silent, "response_rate": {"value": 0.0, "low": 0.0, "high": 0.004}})
    assert "survey of asked answered share" == lines[1]
    assert "nps customers 3,400 0 0.0%" in lines
    assert "! nps: no answers" in lines
    assert "everybody" not in " ".join(lines)


def test_a_sure_difference_does_not_look_like_zero(capsys):
    lines = shown(capsys, {**nps(), "difference": {"value": -1.8, "low": -3.6, "high": -0.04}})
    assert "nps customers 3,400 1,210 35.6% 31 25 -1.80 21.0% 26.0%" in lines
    assert "to 37.2% 34 29 -0.04 23.0% 29.0%" in lines


def test_in_indonesian_no_english_is_left(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    lines = shown(capsys, language="id")
    assert "Kepuasan demo per 2026-06-24: survei 182 hari sebelumnya, 3.560 pelanggan dipantau" == lines[0]
    assert "! nps: jawaban saja terlalu bagus: yang tidak menjawab tampaknya kurang puas" in lines
    assert "nps pelanggan 3.400 1.210 35,6% 31 25 -6,4 21,0% 26,0%" in lines
    assert "tidak diketahui 24 36 12 – terlalu sedikit: 12 jawaban dari 11 pelanggan –" in lines
    said = " ".join(lines)
    for word in ("answer", "customer", "everybody", "survey ", " to ", "month", "owner", "asked", "share"):
        assert word not in said
