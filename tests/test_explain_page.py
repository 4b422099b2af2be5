"""A customer's own page: the whole story, on any screen, and nothing that is not known."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser import CONTRAST

from churnwatch.delivery import explain_html
from churnwatch.delivery.explain_words import WORDS

DAYS = [str(date(2026, 5, 2) - timedelta(days=back)) for back in range(89, -1, -1)]
ROW = {
    "day": "2026-04-20", "listed": True, "revised": False, "owner": "a1", "risk": 0.31, "band": "at_risk",
    "reasons": ["2 complaints"], "action": "Call back", "action_name": "call_back", "proactive": "",
    "listed_for": "churn", "baseline": None,
    "came": {
        "day": "2026-04-22", "words": ["reached", "snooze"], "snooze_until": "2026-04-30", "why": "asked for time",
        "channel": "phone",
    },
}  # fmt: skip
REASON = {"sentence": "3 complaints in the last 28 days", "column": "complaints_28d", "contribution": 0.9}
TOLD: dict[str, Any] = {
    "customer": {
        "customer_id": "C-7", "name": "Siti Rahmawati", "owner": "a1", "owner_name": "Budi", "segment": "home",
        "language": "id", "value": 1_250_000.0, "do_not_contact": False, "since": "2024-03-01", "ended": None,
    },
    "as_of": "2026-05-02", "standing": "observed", "standing_since": None,
    "model": "churn", "model_version": "3fa91c07be52", "answers": False,
    "risk": 0.4, "band": "critical", "expected_score": None, "base_rate": 0.04,
    "bands": {"watch": 0.04, "at_risk": 0.08, "critical": 0.16}, "horizons": {"30d": 0.25, "90d": 0.55},
    "rising_since": "2026-04-02", "reasons": [REASON], "counterfactual": "If the open case were solved: 40% → 21%",
    "signals": [{"column": "complaints_28d", "value": 3.0, "contribution": 0.9}],
    "curve": {
        "days": DAYS, "risks": [None] * 10 + [0.1] * 50 + [0.1 + 0.3 * i / 29 for i in range(30)],
        "happened": {"theirs": ["2026-03-01", "2026-04-01"], "ours": [], "answers": ["2026-04-10"]},
    },
    "also": [
        {
            "model": "satisfaction", "title": "Will answer badly", "answers": True, "risk": 0.31, "band": "at_risk",
            "change": None, "expected_score": 0.48, "expected_change": None, "model_version": "cafecafecafe",
            "base_rate": 0.2, "reasons": [], "signals": [{"column": "nps", "value": None, "contribution": 0.1}],
        }
    ],
    "notes": [],
    "interactions": [
        {
            "at": "2026-04-01 14:05", "kind": "complaint", "channel": "phone", "direction": "in", "topic": "slow_line",
            "agent": "a9", "agent_name": "Wulan", "minutes": 12.0,
        },
        {
            "at": "2026-03-01 09:00", "kind": "visit", "channel": "visit", "direction": "out", "topic": None,
            "agent": None, "agent_name": None,
        },
    ],
    "surveys": [
        {"sent_at": "2026-04-09 08:00", "instrument": "nps", "answered_at": "2026-04-10 10:00", "raw_score": 3.0},
        {"sent_at": "2026-02-09 08:00", "instrument": "ces", "answered_at": None, "raw_score": None},
    ],
    "lists": [ROW, {**ROW, "day": "2026-03-02", "risk": None, "baseline": "recency", "reasons": [], "came": None}],
}  # fmt: skip
NOBODY = {
    **TOLD, "risk": None, "band": None, "rising_since": None, "reasons": [], "counterfactual": None, "signals": [],
    "curve": None, "also": [], "horizons": {}, "standing": "left", "standing_since": "2026-04-28",
}  # fmt: skip


def page(told: dict[str, Any], language: str = "en") -> str:
    return explain_html(told, title="Nusantara Net", deployment="demo", currency="IDR", language=language).decode()


def said(told: dict[str, Any], language: str = "en") -> str:
    body = page(told, language).partition("</head>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body)).replace(" ,", ",")


def test_the_page_tells_who_how_bad_why_what_would_help_and_what_was_tried() -> None:
    text = said(TOLD)
    for expected in (
        "Siti Rahmawati C-7 As known on Saturday, 2 May 2026",
        "Looked after by Budi Segment home Value a month IDR 1,250,000 Customer since 1 Mar 2024",
        "Risk of leaving 40% Critical rising since 2 Apr 2026 4% on average · within 30 days 25% · within 90 days 55%",
        "Why 3 complaints in the last 28 days If the open case were solved: 40% → 21% model churn, version 3fa9",
        "Risk of a bad answer 31% At risk 20% on average · Expected score 48 of 100 Nothing stands out.",
        "20 Apr 2026 31%, At risk Call back : 2 complaints "
        "→ 22 Apr 2026, phone: reached, snooze until 30 Apr 2026 “asked for time”",
        "2 Mar 2026 by recency Call back nothing handed back",
        "1 Apr 2026, 14:05 complaint · phone · slow line · Wulan minutes 12",
        "1 Mar 2026, 09:00 visit · ours",
        "9 Apr 2026, 08:00 NPS 3 10 Apr 2026, 10:00",
        "CES – no answer",
        "complaints_28d 3.00 +0.900",
    ):
        assert expected in text
    for expected in (
        "Seperti diketahui pada Sabtu, 2 Mei 2026",
        "Risiko berhenti 40% Kritis naik sejak 2 Apr 2026",
        "22 Apr 2026, phone: terhubung, tunda sampai 30 Apr 2026",
    ):
        assert expected in said(TOLD, "id")


def test_the_curve_stands_over_its_bands_with_its_onset_and_a_lane_for_all_that_happened() -> None:
    """90 days, 720 wide: a day is 720 / 89 = 8.09; up to 40 % in 220, three lanes of 22 below."""
    [svg] = re.findall(r"<svg.*?</svg>", page(TOLD), re.DOTALL)
    assert 'viewBox="0 0 720 308"' in svg
    assert (
        'aria-label="Risk over the last 90 days: 10% at first, lowest 10%, highest 40%, 40% today; '
        'the customer: 2; answers: 1; lists: 2; outcomes: 1"' in svg
    )
    # Ten days are not known; 10 % of 40 % stands at three quarters of 220.
    assert 'class="line" d="M80.9 165.0L' in svg
    assert 'class="dot" d="M720.0 0.0h.01"' in svg
    # 2 April lies 30 days back: 59 of 89 days from the left.
    assert 'class="rise" d="M477.3 0V308"' in svg
    zones = re.findall(r'class="zone (\w+)" x="0" y="([\d.]+)" width="720" height="([\d.]+)"', svg)
    # Healthy up to 4 %, 22 of 220; watch up to 8 %; at risk up to 16 %; critical the rest.
    assert [
        ("healthy", "198.0", "22.0"), ("watch", "176.0", "22.0"), ("at_risk", "132.0", "44.0"),
        ("critical", "0.0", "132.0"),
    ] == zones  # fmt: skip
    # The customer's lane is the first, the lists' the third; 20 April lies 12 days back.
    assert 'class="mark theirs" d="M469.2 231.0h.01"><title>1 Apr 2026</title>' in svg
    assert 'class="mark lists" d="M622.9 275.0h.01"><title>20 Apr 2026</title>' in svg
    assert "<title>22 Apr 2026, phone: reached, snooze until 30 Apr 2026</title>" in svg
    ticks = re.findall(r'class="tick" style="top:([\d.]+)%">([^<]+)<', page(TOLD))
    assert ["Healthy", "Watch 4%", "At risk 8%", "Critical 16%"] == [told for _, told in ticks]
    assert "42.86" == ticks[-1][0]  # 132 of 308


def test_labels_of_bands_that_lie_on_each_other_are_left_out() -> None:
    """Up to 100 %, a label wants 7.5 points: 2 % is too near to 0, 8 % is not."""
    narrow = {**TOLD, "risk": 0.95, "bands": {"watch": 0.02, "at_risk": 0.08, "critical": 0.12}}
    narrow["curve"] = {**TOLD["curve"], "risks": [0.95] * 90}
    assert ["Healthy", "At risk 8%"] == re.findall(r'class="tick" style="[^"]*">([^<]+)<', page(narrow))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("left", "Has left: ended on 28 Apr 2026. No risk is told"),
        ("announced", "Has announced on 28 Apr 2026 that they leave."),
        ("not_observed", "Not watched by the model churn on this day"),
    ],
)
def test_who_has_no_risk_has_a_story_all_the_same(state: str, expected: str) -> None:
    told = {**NOBODY, "standing": state}
    text = said(told)
    assert expected in text
    for known in ("Siti Rahmawati", "20 Apr 2026", "complaint · phone", "NPS 3"):
        assert known in text
    for unknown in ("<svg", "Risk of leaving", "Why", "rising since"):
        assert unknown not in page(told).partition("</head>")[2]


def test_what_nobody_knows_is_left_out_or_said() -> None:
    nobody = dict.fromkeys(TOLD["customer"]) | {"customer_id": "C-7", "do_not_contact": True}
    text = said({**NOBODY, "customer": nobody, "interactions": [], "surveys": [], "lists": []})
    assert "C-7 As known on Saturday, 2 May 2026 Has left" in text
    assert "Does not want to be contacted." in text
    assert "Never on a list." in text
    assert 2 == text.count("None on record.")
    lone = {**ROW, "listed": False, "risk": None, "band": None, "action": None, "reasons": []}
    assert "20 Apr 2026 A contact of no list → 22 Apr 2026, phone: reached" in said({**NOBODY, "lists": [lone]})
    lone["action"] = "Call back"
    assert "20 Apr 2026 A contact of no list: Call back → 22 Apr" in said({**NOBODY, "lists": [lone]}).replace(
        " :", ":"
    )
    struck = {**lone, "revised": True}
    text = said({**NOBODY, "lists": [struck]})
    assert "20 Apr 2026 On an earlier revision of the list" in text
    assert "no list" not in text
    calm = {**TOLD, "reasons": [], "signals": [{"column": "a", "value": 1.0, "contribution": -0.2}]}
    assert "taken together, the signs lower this risk" in said(calm)


def test_text_from_data_stays_text_and_the_page_asks_nobody() -> None:
    evil = "<script>alert(1)</script>"
    told = {
        **TOLD,
        "customer": {**TOLD["customer"], "name": evil, "segment": evil, "owner_name": evil},
        "interactions": [{**TOLD["interactions"][0], "kind": evil, "topic": evil, "agent": evil, "agent_name": None}],
        "lists": [{**ROW, "reasons": [evil], "action": evil, "came": {**ROW["came"], "why": evil, "channel": evil}}],
        "counterfactual": evil,
    }
    text = page(told)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"url\(|@import|https?:|<link|<img", text)
    assert text == page(told)


def test_both_languages_have_the_same_blanks() -> None:
    for key, (english, indonesian) in WORDS.items():
        assert re.findall(r"\{\w+\}", english) == re.findall(r"\{\w+\}", indonesian), key


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_the_page_fits_its_screen_and_can_be_read(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    long = {**ROW, "reasons": ["b" * 150], "came": {**ROW["came"], "why": "c" * 120}}
    told = {**TOLD, "customer": {**TOLD["customer"], "name": "A" * 80}, "lists": [ROW, long]}
    (tmp_path / "explain.html").write_text(page(told), encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto((tmp_path / "explain.html").as_uri())
    tab.locator("summary").click()
    assert width == tab.evaluate("document.documentElement.scrollWidth")
    assert tab.evaluate(CONTRAST) >= 4.5
    picture = tab.locator("figure svg").bounding_box()
    assert picture is not None
    assert picture["width"] > width / 2.5
    assert picture["height"] > 150
    # The labels of the lanes stand beside their lanes.
    lane = tab.locator(".gutter .lane").last.bounding_box()
    mark = tab.locator(".mark.outcomes").last.bounding_box()
    assert lane is not None
    assert mark is not None
    assert abs(lane["y"] + lane["height"] / 2 - mark["y"] - mark["height"] / 2) < 4
    assert [] == problems
    tab.close()
