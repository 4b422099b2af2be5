"""The catalogue's page: what it says, in both languages, on every screen, and that no text becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pytest
from browser import CONTRAST
from tiny_model import CONTACT

from churnwatch.delivery import signals_html
from churnwatch.delivery.charts import HIGH, WIDE, rate_chart, top_of
from churnwatch.evaluation import Catalogue, Cluster, Entry, deciles, measure
from churnwatch.spec import Family, Words

UGLY = '<script>alert("1")</script> & "quotes" {{ 7 * 7 }}'
DATES = (date(2026, 1, 5), date(2026, 2, 4), date(2026, 3, 6))


def values(rng, n):
    """Contacts that rise with the outcome, a change that says nothing, and days that say the opposite; some missing."""
    outcome = (rng.random(n) < 0.08).astype(float)
    contacts = rng.poisson(1 + 2 * outcome).astype(float)
    days = rng.exponential(20, n) * (1 + outcome)
    days[rng.random(n) < 0.2] = np.nan
    return outcome, {"contacts_28d": contacts, "contacts_28d_change": rng.poisson(1, n) - 1.0, "quiet": days}


@pytest.fixture(scope="module")
def catalogue():
    """Two signals measured on 6,000 observations of 2,000 customers, and one that is skipped."""
    n = 6_000
    outcome, found = values(np.random.default_rng(1), n)
    customers, periods = np.tile(np.arange(2_000), 3), np.repeat([0, 1, 2], 2_000)
    told = {**CONTACT, "signals": [*CONTACT["signals"], {**CONTACT["signals"][1], "name": "lost"}]}
    told["signals"][1] = {**told["signals"][1], "direction": "down", "unit": "days", "description": UGLY}
    family = Family.model_validate(told)

    def measured(signal):
        columns = [column for column in family.columns if column.signal.name == signal.name]
        rows = {"customers": customers, "periods": periods}
        return tuple(measure(column, found[column.name], outcome, **rows) for column in columns)

    contacts, quiet, lost = family.signals
    entries = (
        Entry("contact", contacts, measured(contacts)),
        Entry("contact", quiet, tuple(replace(m, sentence=Words(en=UGLY, id=UGLY)) for m in measured(quiet))),
        Entry("contact", lost, (), "interactions has no measure <b>items</b>"),
    )
    return Catalogue(
        deployment="demo",
        title=UGLY,
        currency="IDR",
        model="churn",
        predicts=Words(en="Will leave soon", id="Akan segera berhenti"),
        outcome="an event",
        as_ofs=DATES,
        periods=tuple((2_000, int(outcome[periods == i].sum())) for i in range(3)),
        customers=2_000,
        too_late=3,
        families={"contact": "How often they call.", "empty": "Nothing at all."},
        entries=entries,
        clusters=(Cluster(("contacts_28d", "quiet"), 0.83),),
    )


class Read(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def test_the_page_asks_nobody_and_runs_nothing(catalogue):
    read = Read(signals_html(catalogue))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.tags}
    policy = [a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert ["default-src 'none'; style-src 'unsafe-inline'"] == policy
    for _, attributes in read.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith("#")


def test_text_never_becomes_markup(catalogue):
    """Descriptions, reasons, titles and what is lacking come from files that many people edit."""
    page = signals_html(catalogue)
    assert b"<script>" not in page
    assert b"<b>items" not in page
    text = Read(page).text
    assert '<script>alert("1")</script> & "quotes" {{ 7 * 7 }}' in text
    assert "interactions has no measure <b>items</b>" in text


def test_every_link_leads_to_its_card(catalogue):
    read = Read(signals_html(catalogue))
    anchors = [a["id"] for _, a in read.tags if "id" in a]
    assert len(set(anchors)) == len(anchors)
    targets = {a["href"] for tag, a in read.tags if tag == "a"}
    assert targets <= {f"#{anchor}" for anchor in anchors}
    assert {"#signal-contacts", "#signal-quiet", "#family-contact", "#scientist"} <= targets
    assert "#family-empty" not in targets


def test_the_top_says_how_many_what_stands_out_and_what_to_look_at(catalogue):
    text = Read(signals_html(catalogue)).text
    assert "Will leave soon. Measured on 2,000 customers, looked at 6,000 times on 3 days from 5 Jan 2026" in text
    assert "3 signals in the catalogue 2 can be used here 1 lack their data here" in text
    high = catalogue.entries[0].main.deciles.bins[-1]
    assert f"Contacts (last 28 days) : at {high.low:.0f} to {high.high:.0f} it came true for {high.rate:.0%}" in text
    # The days were made to rise with the outcome, and the file says that a lower value is worse.
    assert "against" == catalogue.entries[1].main.agreement
    assert f"does something else lie behind it? {UGLY}" in text
    assert f"Say nearly the same, but an agent would read them as separate reasons. (1) Contacts , {UGLY}" in text


def test_the_best_stands_first_and_one_of_what_says_the_same(catalogue):
    apart = replace(catalogue, clusters=())
    first, second = (entry.main.separates for entry in apart.standing_out(5))
    assert first > second
    assert ["contacts"] == [entry.signal.name for entry in apart.standing_out(1)]
    assert ["contacts"] == [entry.signal.name for entry in catalogue.standing_out(5)]
    backwards = replace(apart, entries=tuple(reversed(apart.entries)))
    assert apart.standing_out(5) == backwards.standing_out(5)


def test_a_card_says_what_it_is_and_what_it_covers(catalogue):
    page = signals_html(catalogue).decode()
    card = re.search(r'<article class="card against" id="signal-quiet">.*?</article>', page, re.S)[0]
    text = Read(card.encode()).text
    main = catalogue.entries[1].main
    assert "Lower is worse" in text
    assert "other way than expected" in text
    assert f"known for {main.coverage.share:.0%}" in text
    assert f"{main.deciles.missing.rate:.1%}".removesuffix(".0%") in text
    assert "the same as before" in text
    assert "not 0" not in text  # days are no count: 0 is a value like any other
    assert "Says the same as: Contacts" in text
    assert len(main.deciles.bins) + 1 == card.count('class="reach"')


def test_a_suspect_is_said_first_and_stands_out_nowhere(catalogue):
    """Too good is no praise: the signal leaves the list of what stands out, and its card says why."""
    why = "alone it tells the outcome (AUC 0.970 over 6,000 observations)"
    suspicious = replace(catalogue, suspects={"contacts_28d": why, "customers.left": why})
    page = signals_html(suspicious).decode()
    text = Read(page.encode()).text
    assert "already? Contacts customers.left" in text
    assert f"Too good to be true. contacts_28d: {why}" in text
    assert "Contacts (last 28 days) : at" in Read(signals_html(catalogue)).text
    assert "Contacts (last 28 days) : at" not in text
    assert 'class="card agrees suspect" id="signal-contacts"' in page


def test_the_page_speaks_indonesian_and_calls_a_signal_by_its_reason(catalogue):
    read = Read(signals_html(catalogue, language="id"))
    assert ("html", {"lang": "id"}) in read.tags
    for words in ("Apa yang kami pantau", "Akan segera berhenti", "sesuai dugaan", "Makin tinggi makin buruk", "2.000"):
        assert words in read.text
    assert "Higher is worse" not in read.text
    assert "… buah" in read.text


def test_equal_catalogues_give_equal_bytes(catalogue):
    assert signals_html(catalogue) == signals_html(replace(catalogue))


def test_nothing_usable_is_still_a_page(catalogue):
    bare = replace(catalogue, entries=(catalogue.entries[2],), clusters=(), as_ofs=DATES[:1], periods=((10, 1),))
    text = Read(signals_html(bare)).text
    assert "No signal tells customers apart clearly." in text
    assert "Nothing that needs a second look." in text
    assert "No signal of this family can be computed from these data." in text


def test_a_chart_is_as_wide_as_its_bins_hold_many_and_as_high_as_its_rates():
    """Six of ten have 0 (one with the outcome), two have 1 (both), two have no value."""
    found = deciles([0.0] * 6 + [1.0] * 2 + [np.nan] * 2, [1, 0, 0, 0, 0, 0, 1, 1, 0, 0], np.arange(10))
    top = top_of([found], 0.3)
    assert 1.0 == top
    drawn = rate_chart(found, base_rate=0.3, top=top)
    room = WIDE - 8
    first, second = drawn["bins"]
    assert (f"{0.6 * room - 1:.1f}", f"{0.2 * room - 1:.1f}") == (first["w"], second["w"])
    assert (f"{HIGH * 5 / 6:.1f}", "0.0") == (first["rate"], second["rate"])
    assert f"{WIDE - 0.2 * room + 0.5:.1f}" == drawn["missing"]["x"]
    assert f"{HIGH * 0.7:.1f}" == drawn["base"]
    assert not first["beyond"]


def test_a_rate_above_the_page_is_marked_at_its_edge():
    """One bin of a hundred where all left must not press all other charts flat: five base rates at most."""
    found = deciles(np.repeat([0.0, 1.0], [900, 100]), np.repeat([0.0, 1.0], [900, 100]), np.arange(1_000))
    assert 0.25 == top_of([found], 0.05)
    assert [False, True] == [one["beyond"] for one in rate_chart(found, base_rate=0.05, top=0.25)["bins"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_screen_and_can_be_read(browser, catalogue, tmp_path, scheme, width):
    (tmp_path / "signals.html").write_bytes(signals_html(catalogue))
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto((tmp_path / "signals.html").as_uri())
    assert width == tab.evaluate("document.documentElement.scrollWidth")
    for folded in tab.locator("summary").all():
        folded.click()
    assert width == tab.evaluate("document.documentElement.scrollWidth")
    assert tab.evaluate(CONTRAST) >= 4.5
    chart = tab.locator("#signal-quiet .chart svg").first.bounding_box()
    assert chart["width"] > 250
    assert chart["height"] > 80
    heading = tab.locator("#standing-out").bounding_box()
    assert heading["y"] < 2 * 844
    assert 1 == len(asked)
    assert [] == problems
    tab.close()
