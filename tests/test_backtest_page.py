"""The page of a backtest: what it says, in both languages, on every screen, and that no text becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

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

BAD = {
    "model": "satisfaction",
    "title": {"en": "A bad answer", "id": "Jawaban buruk"},
    "outcome": {"answer": {"nps": {"scale": [0, 10], "bad": {"at_most": 6}}}},
    "horizon": "90d",
    "grid": {"every": "30d"},
    "families": ["contact"],
    "baselines": {"recency": "waiting_days", "last_score": None, "tenure": "quiet"},
}
ANSWERS = Model.model_validate(BAD)
AT_SURVEYS = Model.model_validate(
    {key: value for key, value in BAD.items() if key != "horizon"}
    | {"grid": {"every": "30d", "at": "survey sent"}, "answering": {"within": "14d"}}
)
OF_LEAVING = (
    *(
        "before they",
        "leavers",
        "fell silent",
        "fallen silent",
        "quiet",
        "44 days",
        "104 days",
        " left",
        "stayed because",
        "too soon to act",
    ),
    *("berhenti", "tidak aktif", "diam sebelum", "bertahan", "44 hari", "terlalu cepat", "sebelum mereka"),
)
"""What is said where customers leave or fall silent, and of the reach of a slice."""


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


def page(replay, *, model=EVENT, language="en", title="Company", quiet=True):
    slices = [{"auc": 0.7804} for _ in replay.lists]
    return backtest_html(
        replay, slices=slices, title=title, deployment="demo", model=model, quiet=quiet, language=language
    )


def body(found):
    """The words of a page without its styles."""
    return Read(found.split(b"</style>")[1]).text


def answers(dates, *, unanswered=150, last_day=None):
    """Of 50 who answered 10 did so badly, 5 of them among the 10 listed; nobody leaves."""
    lists = []
    for i in range(dates):
        people = {f"c{k}": (k < 10, k < 5 or 10 <= k < 15, 0, None) for k in range(50)}
        # The second list has one bad answer less, and half of it was on the first.
        if i:
            people = {f"c{k + 5}": (k < 10, k < 4 or 10 <= k < 15, 0, None) for k in range(50)}
        baselines = {"recency": np.arange(50), "tenure": -np.arange(50), "last_score": np.zeros(50)}
        one = past(30 * i, people, baselines=baselines, scores=np.arange(50)[::-1])
        lists.append(replace(one, counts={**one.counts, "unanswered": unanswered}, last_day=last_day))
    return judged(lists, gap_days=0.0)


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


def test_of_answers_it_says_who_was_judged():
    """10 of 50 answers are bad, 5 of the 10 listed; 150 more did not answer. Of two dates: 19 of 100, 9 of 20."""
    one = Read(page(answers(1), model=ANSWERS)).text
    assert (
        "Of every 10 customers on the list who answered within 90 days, 5 answered badly; picking at random would "
        "have found 2. Of all who answered badly, 50% were on the list."
    ) in one
    assert (
        "10 places on the lists 10 customers listed, of 50 who answered 10 bad answers, of 50 "
        "25% of 200 times watched, an answer came"
    ) in one
    assert "judged among those who answered: 50 of 200 times that a customer was watched" in one
    assert "Counted is the first answer that came within 90 days from the date on." in one
    assert "1 Jan 2026 200 50 10 5 50% (" in one
    assert "who was quiet longest" in one
    two = Read(page(answers(2), model=ANSWERS)).text
    assert "Of all who answered, between 18% and 20% answered badly." in two
    assert "Of all who answered badly, 47% were on the list." in two
    assert "judged among those who answered: 100 of 400 times" in two
    assert "From the second list on, 50% of the places went to customers who had stood on one before." in two
    gap = Model.model_validate(BAD | {"gap": "7d"})
    assert "the first answer that came from day 7 to day 97 after the date" in Read(page(answers(1), model=gap)).text


def test_of_surveys_it_says_which_and_that_each_has_its_own_answer():
    found = answers(2, unanswered=0, last_day=date(2026, 2, 28))
    text = Read(page(found, model=AT_SURVEYS, quiet=False)).text
    assert "Of every 10 answered surveys on the list, 4.5 had a bad answer; picking at random would have" in text
    assert (
        "2 lists, each of the surveys sent from its date to the day before the next, the last until 28 Feb 2026" in text
    )
    assert "Each survey counts with its own answer, whenever that came before the data end." in text
    assert "All of the 100 surveys were answered. Where a source lists answers only" in text
    assert "an answer came" not in text
    assert "made for everybody" not in text
    assert "on one list with several surveys: intervals draw whole customers" in text
    assert "one sign alone (waiting_days)" in text
    single = Read(page(answers(1, last_day=date(2026, 1, 30)), model=AT_SURVEYS)).text
    assert "One list, of the surveys sent from 1 Jan 2026 to 30 Jan 2026." in single
    assert "judged among the surveys that were answered: 50 of 200." in single
    assert "25% of 200 surveys sent were answered" in single
    assert "on one list with several surveys" in single


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("dates", [1, 2])
@pytest.mark.parametrize("model", [ANSWERS, AT_SURVEYS], ids=["calendar", "surveys"])
@pytest.mark.parametrize("unanswered", [0, 150])
def test_where_nobody_leaves_nothing_is_said_of_leaving(model, dates, language, unanswered):
    found = page(
        answers(dates, unanswered=unanswered, last_day=date(2026, 3, 1)), model=model, language=language, quiet=False
    )
    text = body(found)
    assert [] == [words for words in OF_LEAVING if words in text]
    assert not [attributes for _, attributes in Read(found).tags if attributes.get("id") == "lead"]
    widths = {len(re.findall("<t[hd][ >]", row)) for row in re.findall("<tr>.*?</tr>", found.decode(), re.S)}
    assert 1 == len(widths)


def test_the_words_of_answers_are_indonesian_too():
    text = Read(page(answers(1), model=ANSWERS, language="id")).text
    assert "Dari setiap 10 pelanggan di daftar yang menjawab dalam 90 hari, 5 memberi jawaban buruk" in text
    assert "di antara yang menjawab: 50 dari 200 kali pelanggan dipantau" in text
    text = Read(page(answers(2, last_day=date(2026, 3, 1)), model=AT_SURVEYS, quiet=False, language="id")).text
    assert "Dari setiap 10 survei terjawab di daftar, 4,5 dijawab buruk" in text
    assert "satu tanda saja (waiting_days)" in text
    for words in ("answer", "survey ", "surveys", "the list"):
        assert words not in text.replace("survey sent", "")


@pytest.mark.parametrize("model", [EVENT, SILENT, ANSWERS, AT_SURVEYS], ids=["left", "silent", "answers", "surveys"])
def test_one_date_is_not_compared_with_itself(model):
    lists = answers(1, last_day=date(2026, 3, 1)) if model in (ANSWERS, AT_SURVEYS) else company(1)
    text = body(page(lists, model=model))
    for words in (
        "watched, between",
        "answered, between",
        "answers, between",
        "The best was",
        "of 1 dates",
        "Each dot",
        "two lines",
    ):
        assert words not in text
    assert "The large dot is the list." in text
    assert "The best was" in Read(page(answers(2), model=ANSWERS)).text
    assert 1 == len(
        re.findall(r"Of all [a-z ]+, [0-9.]+% [a-z ]+ \([0-9.]+% to [0-9.]+%\); [0-9.]+% were foretold", text)
    )
    one = Read(page(lists, model=model, language="id")).text
    for words in ("antara 1", "Daftar terbaik", "dari 1 tanggal", "Setiap titik"):
        assert words not in one


def test_rates_that_read_alike_are_not_told_as_a_range():
    found = answers(1)
    twice = replace(found, lists=found.lists * 2)
    assert "Of all who answered, about 20% answered badly." in Read(page(twice, model=ANSWERS)).text


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
