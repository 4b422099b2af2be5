"""What `daily` prints: the top of a list in a terminal of 100 columns or 80."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from churnwatch.cli.show_list import daily
from churnwatch.delivery import outreach_csv
from churnwatch.outreach import ListRow
from churnwatch.runs.daily import Daily

SITI = ListRow(
    rank=1,
    customer_id="C-7",
    customer_name="Siti",
    owner="a1",
    owner_name="Budi",
    language="en",
    risk=0.62,
    band="critical",
    change=0.12,
    rising_since=date(2026, 4, 11),
    value_at_risk=1_250_000.0,
    reasons=("Quiet for 41 days, usually writes every 9",),
    last_contact=None,
    last_survey=None,
    action="Call back",
    action_steps="Listen.",
    due=date(2026, 5, 2),
    model_version="3fa91c07be52",
    baseline=None,
    listed_for="churn",
    account_owner="a3",
    account_owner_name="Dewi",
    handed="away",
    back_early="risk up 14 points since 2026-04-18",
    counterfactual="If the open case were solved: 62% → 41%",
    action_channel="phone",
    action_minutes=15,
)
RENEWAL = replace(
    SITI, rank=2, proactive="renewal", proactive_title="Renewal coming", band="healthy", risk=0.04, handed="",
    back_early=None, counterfactual=None, reasons=("The contract ends in 12 days",), action_channel="",
    action_minutes=None,
)  # fmt: skip


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The lines that a terminal so wide shows of rows."""

    def of(rows: list[ListRow], *, width: int, lang: str = "en") -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        text = outreach_csv(rows).decode()
        summary = {
            "as_of": "2026-05-02",
            "model": "churn",
            "model_version": "3fa91c07be52",
            "baseline": None,
            "counts": {"observed": 2, "listed": 2, "below": 0, "refused": 0, "spilled": 0},
        }
        daily(Daily(tmp_path, "issued", list(csv.DictReader(io.StringIO(text))), summary), lang)
        return capsys.readouterr().out.splitlines()

    return of


def test_a_row_says_how_bad_since_when_for_whom_why_again_what_if_and_how(printed: Any) -> None:
    lines = [line.split("  ") for line in printed([SITI], width=100)]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    told = cells[cells.index(["#", "risk", "customer", "why, and what to do"]) + 2 :][:7]
    assert [
        ["1", "62%", "Siti", "! back before its time: risk up 14 points since 18 Apr 2026"],
        ["critical", "C-7", "· Quiet for 41 days, usually writes every 9"],
        ["▲ 12 points", "Budi", "? If the open case were solved: 62% → 41%"],
        ["rising since", "for Dewi, who is away", "→ Call back"],
        ["11 Apr 2026", "1,250,000 a month at", "phone, 15 min, due Sat 2 May"],
        ["risk"],
    ] == told[:6]


def test_a_proactive_row_is_called_what_it_is_and_tells_no_risk(printed: Any) -> None:
    lines = printed([RENEWAL], width=100)
    [line] = [line for line in lines if "Renewal coming" in line]
    assert "The contract ends in 12 days" in line
    assert [] == [line for line in lines if "%" in line or "▲" in line or "at risk" in line]


@pytest.mark.parametrize("lang", ["en", "id"])
@pytest.mark.parametrize("width", [80, 100])
def test_no_line_is_wider_than_the_terminal_and_the_sentences_have_the_most_room(
    printed: Any, width: int, lang: str
) -> None:
    long = replace(SITI, customer_name="N" * 70, reasons=("reason " * 30,), account_owner_name="Dewi " * 9)
    lines = printed([long, RENEWAL], width=width, lang=lang)
    table = lines[: next(i for i, line in enumerate(lines) if line.startswith("2 observed") or "diamati" in line)]
    assert max(map(len, table)) <= width
    [head] = [line for line in table if line.lstrip().startswith("#")]
    assert width - head.index("why" if lang == "en" else "mengapa") > width / 3
