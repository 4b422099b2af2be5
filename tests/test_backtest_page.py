"""The page of a backtest: what it says, in both languages, on every screen, and that no text becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from browser import CONTRAST
from test_replay import past
from test_signals_page import Read
from tiny_model import CHURN

from churnwatch.delivery import backtest_html
from churnwatch.delivery.backtest_charts import stacks
from churnwatch.delivery.over_time import HIGH
from churnwatch.evaluation import replay as judged
from churnwatch.spec import Model

UGLY = '<script>alert("1")</script> & "quotes" {{ 7 * 7 }}'
EVENT = Model.model_validate_json(CHURN)
SILENT = Model.model_validate(
    {
        "model": "inactivity",
        "title": {"en": "No purchase", "id": "Tidak membeli"},
        "outcome": {"inactive": {"kind": "purchase"}, "for": "90d"},
        "population": {"active": {"kind": "purchase"}, "within": "180d"},
        "grid": {"every": "30d"},
        "families": ["contact"],
        "baselines": {"recency": "quiet", "last_score": None, "tenure": "quiet"},
    }
)


def company(dates, n=200, seed=1):
    """Lists of 20 of ``n`` customers: those who leave are ranked higher, though not always."""
    rng = np.random.default_rng(seed)
    lists = []
    for i in range(dates):
        leaves = rng.random(n) < 0.1
        scores = rng.normal(size=n) + 1.5 * leaves
        listed = scores >= np.sort(scores)[-20]
        people = {
            f"customer-{k}": (listed[k], leaves[k], 0, int(rng.integers(7, 60)) if leaves[k] else None)
            for k in range(n)
        }
        baselines = {"recency": scores + rng.normal(size=n), "last_score": np.zeros(n), "logistic": -scores}
        owners = [f"owner-{k % 4}" for k in range(n)]
        one = past(30 * i, people, scores=scores, baselines=baselines, owners=owners)
        lists.append(replace(one, risks=1 / (1 + np.exp(2.5 - scores))))
    return judged(lists, gap_days=0.0, all_owners=5)


@pytest.fixture(scope="module")
def replay():
    return company(12)


def page(replay, *, model=EVENT, language="en", title="Company"):
    slices = [{"auc": 0.7804} for _ in replay.lists]
    return backtest_html(replay, slices=slices, title=title, deployment="demo", model=model, language=language)


def test_the_page_asks_nobody_and_runs_nothing(replay):
    read = Read(page(replay))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.tags}
    policy = [a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert ["default-src 'none'; style-src 'unsafe-inline'"] == policy
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on") or name == "href"]


def test_text_never_becomes_markup_and_nobody_is_named(replay):
    """The title comes from a file that people edit; customers and owners stand in the replay, but not on the page."""
    found = page(replay, title=UGLY)
    assert b"<script>" not in found
    assert UGLY in Read(found).text
    assert b"customer-" not in found
    assert b"owner-" not in found


def test_the_headline_is_counted_by_hand():
    """Four of ten listed leave, of ten leavers among a hundred; three of those with a day were listed before it."""
    people = {f"c{k}": (k < 10, k < 4 or 10 <= k < 16, 0, None) for k in range(100)}
    for k, days in enumerate((20, 30, 40)):
        people[f"c{k}"] = (1, 1, 0, days)
    people["c3"] = (1, 1, 0, None)
    for k in range(10, 16):
        people[f"c{k}"] = (0, 1, 0, 50)
    one = past(0, people, baselines={"tenure": np.arange(100)})
    text = Read(page(judged([one], gap_days=0.0))).text
    assert "Of every 10 customers on the list, 4 left within 60 days; picking at random would have found 1." in text
    # Of c3 nobody knows when; three of the nine others were listed, at 20, 30 and 40 days: half of them at least 30.
    assert "Of all who left, 33% had been on the list before, half of them at least 30 days before." in text
    assert "One list, of 1 Jan 2026" in text
    # Of ten rows with four hits Wilson's interval begins at 16.8 %, above the tenth that chance finds.
    assert "picking at random 1.0 the list is better" in text
    # The oldest customers left least of all: none of the ten.
    assert "how long a customer 0.0 the list is better (+" in text
    assert (
        "10 places on the lists 10 customers listed, of 100 watched 9 customers left 33% of them listed in time" in text
    )


def test_a_rare_outcome_is_told_of_a_hundred():
    people = {f"c{k}": (k < 50, k in (0, 50), 0, None) for k in range(1_000)}
    text = Read(page(judged([past(0, people)], gap_days=0.0))).text
    assert "Of every 100 customers on the list, 2 left within 60 days; picking at random would have found 0.2." in text
    assert "Nobody was watched before they left." in text


def test_a_rule_is_judged_by_its_interval(replay):
    """Recency is the score with noise on it, logistic the score upside down; nobody has a last score."""
    found = page(replay).decode()
    assert replay.against["recency"].low > 0
    assert replay.against["logistic"].low > 0
    section = re.search(r'<section class="panel".*?</section>', found, re.S)[0]
    assert 2 == section.count("the list is better (+")
    assert "worst last survey score" not in found
    worse = replace(replay, against={**replay.against, "recency": replay.against["recency"]._replace(low=-0.1)})
    assert 1 == page(worse).decode().count("no sure difference (−10.0 to +")
    lost = replace(
        replay, against={**replay.against, "recency": replay.against["recency"]._replace(low=-0.2, high=-0.1)}
    )
    assert 1 == page(lost).decode().count("the rule is better (−20.0 to −10.0)")


def test_a_list_no_better_than_chance_says_so():
    """Of 20 listed 4 leave, of 100 watched 20."""
    people = {f"c{k}": (k < 20, k % 5 == 0, 0, 30 if k % 5 == 0 else None) for k in range(100)}
    text = Read(page(judged([past(0, people)], gap_days=0.0))).text
    assert "2 left within 60 days; picking at random would have found 2." in text
    assert "picking at random 2.0 no sure difference" in text
    # Four of the twenty leavers were listed, and a fifth of everybody.
    assert "at least 7 days before 20% 4 of 20" in text
    assert "(20% at 7 days)" in text


def test_every_date_has_its_line_and_every_picture_its_words(replay):
    read = Read(page(replay))
    assert len(replay.lists) + 1 == sum(tag == "tr" for tag, _ in read.tags)
    for one in replay.lists:
        assert f"{one.precision.share:.0%} (" in read.text
    pictures = [a for tag, a in read.tags if tag == "svg" and a.get("role") == "img"]
    assert 5 == len(pictures)
    assert all(a["aria-label"] for a in pictures)
    assert 6 == read.text.count("What it says.") == read.text.count("What it does not say.")
    assert "0.780" in read.text


def test_the_page_speaks_indonesian(replay):
    read = Read(page(replay, language="id"))
    assert ("html", {"lang": "id"}) in read.tags
    for words in (
        "Seberapa berguna daftar itu dulu?",
        "Dari setiap 10 pelanggan di daftar",
        "Berhenti",
        "0,780",
        "Artinya.",
    ):
        assert words in read.text
    for words in ("What it says", "customers", " left ", "the list"):
        assert words not in read.text


def test_who_falls_silent_has_not_left(replay):
    text = Read(page(replay, model=SILENT)).text
    assert "fell silent within 90 days" in text
    assert "How many fell silent at all" in text
    assert " left " not in text
    assert "menjadi tidak aktif" in Read(page(replay, model=SILENT, language="id")).text


def test_a_single_date_and_an_empty_list_are_still_pages():
    one = Read(page(company(1))).text
    assert "Who stands on the list again" not in one
    empty = judged([past(0, {"a": (0, 1, 0, 20), "b": (0, 0, 0, None)}, scores=[1, 0])], gap_days=0.0)
    text = Read(page(empty)).text
    assert "No customer would have been listed at any date." in text
    assert "0 places on the lists" in text


def test_equal_replays_give_equal_bytes(replay):
    assert page(replay) == page(company(12))


def test_parts_fill_a_column():
    [[low, high]] = stacks([(0.25, 0.75)])
    assert (f"{0.75 * HIGH:.1f}", f"{HIGH / 4:.1f}") == (low["y"], low["h"])
    assert ("0.0", f"{0.75 * HIGH:.1f}") == (high["y"], high["h"])


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_screen_and_can_be_read(browser, replay, tmp_path, scheme, width, language):
    (tmp_path / "backtest.html").write_bytes(page(replay, language=language))
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto((tmp_path / "backtest.html").as_uri())
    assert width == tab.evaluate("document.documentElement.scrollWidth")
    assert tab.evaluate(CONTRAST) >= 4.5
    for key in ("precision", "gain", "reliability", "drift", "repeat"):
        chart = tab.locator(f"#{key} figure svg").bounding_box()
        assert chart["width"] > 250
        assert chart["height"] > 150
    # A dot is drawn for each date, round and not stretched with the picture.
    assert 12 == tab.locator("#precision .dot.list").count()
    widths = tab.locator("#lead .rail i").evaluate_all("all => all.map(e => e.getBoundingClientRect().width)")
    assert widths == sorted(widths, reverse=True)
    assert tab.locator(".headline").first.bounding_box()["y"] < 300
    assert 1 == len(asked)
    assert [] == problems
    tab.close()
