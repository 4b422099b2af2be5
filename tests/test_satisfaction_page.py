"""The page of satisfaction: what it says of whom, in both languages, on every screen, and that no text is markup."""

from __future__ import annotations

import pytest
from browser import CONTRAST
from small_satisfaction import about, ces, csat, group, nps, told
from test_signals_page import Read

from churnwatch.delivery import satisfaction_assumptions, satisfaction_html
from churnwatch.delivery.over_time import WIDE
from churnwatch.delivery.satisfaction_charts import axis, by_month, lanes, marks_of

UGLY = '<script>alert("1")</script> & "quotes" {{ 7 * 7 }}'


def page(said=None, *, language="en", title="Company"):
    return satisfaction_html(said or told(), title=title, deployment="demo", language=language)


def text(*instruments, language="en", **changed):
    return Read(page(told(*instruments, **changed), language=language)).text


def test_the_page_asks_nobody_and_runs_nothing():
    read = Read(page())
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in read.tags}
    policy = [a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert ["default-src 'none'; style-src 'unsafe-inline'"] == policy
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on") or name == "href"]


def test_text_never_becomes_markup():
    """Titles, instruments, segments, owners' names and warnings hold what people and files say."""
    ugly = nps()
    ugly["instrument"] = f"Instrument {UGLY}"
    ugly["groups"]["segment"][0]["level"] = f"segment {UGLY}"
    ugly["groups"]["owner"][0]["name"] = f"owner {UGLY}"
    found = page(told(ugly, warnings=[f"warning {UGLY}"]), title=f"title {UGLY}")
    assert b"<script>" not in found
    for what in ("Instrument", "segment", "owner", "warning", "title"):
        assert f"{what} {UGLY}" in Read(found).text


def test_the_first_survey_is_the_headline_and_the_silent_are_in_it():
    """31.2 among the answers, 24.8 ± 4.1 for everybody, 6.4 ± 3.2 apart."""
    said = text()
    assert "NPS is 25 when all our customers are counted, also those who do not answer (21 to 29)." in said
    assert (
        "The answers alone say 31. That is 6.4 points too rosy: those who did not answer seem less satisfied." in said
    )
    assert "As of 24 Jun 2026, from the surveys of the 182 days before. 3,560 customers are watched." in said
    assert "The answers alone are too rosy by 6.4 (3.2 to 9.6)" in said
    assert "36% of 3,400 surveys were answered; fewer answer than before" in said


def test_a_difference_that_may_be_chance_is_none():
    """3.80 for all cases and 3.84 among the answers: −0.04 ± 0.06 holds nothing sure."""
    said = text(csat())
    assert "CSAT is 3.80 when every case we asked about is counted, also those without an answer (3.73 to 3.87)" in said
    assert "The answers alone say 3.84. Whether those who did not answer feel otherwise is not sure" in said
    assert "No sure difference (−0.10 to +0.02)" in said
    assert "too rosy" not in said


@pytest.mark.parametrize("turned", [1, -1])
@pytest.mark.parametrize(
    ("naive", "corrected", "higher_is_better", "verdict"),
    [(3.9, 3.6, True, "too rosy"), (3.6, 3.9, True, "too bleak"), (3.0, 3.3, False, "too rosy")],
)
def test_which_way_the_answers_are_off_hangs_on_which_end_is_good(naive, corrected, higher_is_better, verdict, turned):
    """An effort of 3.0 among the answers is rosier than 3.3 for everybody; whatever is subtracted from what."""
    one = {
        **csat(),
        "higher_is_better": higher_is_better,
        "naive": about(naive, 0.1),
        "corrected": about(corrected, 0.1),
        "difference": about(turned * 0.3, 0.1),
    }
    said = text(one)
    assert f"That is 0.30 points {verdict}" in said
    assert f"The answers alone are {verdict} by 0.30 (0.20 to 0.40)" in said


def test_a_source_that_lists_answers_only_says_so():
    said = text(ces())
    assert "CES is 3.31 among the answers (3.21 to 3.41); of those who gave none nothing is known." in said
    assert "This source lists answers only." in said
    assert "Lower is better." in said
    assert "Unhappy (5 to 7) 16% of the answers (14% to 18%)" in said
    for word in ("Who answers", "everybody (estimate)", "Silence is explained", "Weight of the answers", "610 of"):
        assert word not in said
    assert "starter 610 answers" in said


def test_too_few_answers_are_no_number():
    few = {
        **nps(),
        "answered": 12,
        "answerers": 11,
        "naive": None,
        "corrected": None,
        "difference": None,
        "bad_naive": None,
        "bad_corrected": None,
        "effective": None,
        "clipped": None,
        "groups": {"segment": nps()["groups"]["segment"][3:], "owner": nps()["groups"]["owner"][2:]},
        "months": [{**month, "naive": None, "corrected": None} for month in nps()["months"]],
    }
    said = text(few)
    assert "NPS: too few: 12 answers of 11 customers." in said
    assert "A number wants answers of 30 different customers." in said
    assert "Month by month" not in said
    assert "Who answers" in said
    assert "By owner 1 of 1 owners have too few answers for any number. The months" in said


def test_nobody_was_asked():
    nobody = {**nps(), "asked": 0, "answered": 0, "pending": 0}
    said = text(nobody)
    assert "No survey was sent in this time." in said
    # Nothing is taken for granted of no number.
    assert "takes for granted" not in said
    assert "No survey was sent in this time." in Read(page({**told(), "instruments": []})).text


def test_surveys_that_do_not_count_are_told_from_surveys_that_were_not_sent():
    left = {**nps(), "asked": 0, "answered": 0, "pending": 0, "left_out": 775}
    waiting = {**csat(), "asked": 0, "answered": 0, "pending": 1200}
    said = text(left, waiting)
    assert "Of 1,975 surveys sent in this time none can be counted." in said
    assert "NPS: 775 surveys were sent when the data had just begun; none of them is counted." in said
    assert "CSAT: 1,200 surveys were sent and may yet be answered." in said
    assert "No survey was sent" not in said
    berbahasa = text(left, waiting, language="id")
    assert "CSAT: 1.200 survei sudah dikirim dan masih mungkin dijawab." in berbahasa


def test_a_survey_the_data_do_not_have_is_named():
    gone = {**ces(), "asked": 0, "answered": 0, "left_out": 0, "pending": 0}
    assert "No CES survey in the data." in text(nps(), {**gone, "in_data": 0})
    assert "No CES survey was sent in this time." in text(nps(), gone)
    assert "No CES" not in text(nps(), ces())
    said = text({**gone, "in_data": 0}, surveys_mapped=False)
    assert 1 == said.count("This deployment maps no surveys; see configs/README.md.")
    assert "No survey" not in said
    assert "takes for granted" not in said


def test_of_answers_alone_no_estimate_is_spoken_of():
    alone = ces()
    alone["groups"]["owner"] = [
        {**group("U1", answered=60, naive=about(3.0, 0.2), corrected=None), "name": "Dewi Anggraini"}
    ]
    said = text(alone)
    assert "the number of the answers alone and its 95% interval" in said
    assert "everybody" not in said
    assert "share answered" not in said


def test_a_sure_difference_does_not_look_like_zero():
    """0.028 (0.003 to 0.052) would read 0.03 (0.00 to 0.05)."""
    one = {**csat(), "difference": {"value": -0.028, "low": -0.052, "high": -0.003}}
    said = text(one)
    assert "The answers alone are too rosy by 0.028 (0.003 to 0.052)" in said
    assert "That is 0.028 points too rosy" in said


def test_how_sure_it_is_is_said_without_jargon():
    said = text(nps())
    assert "Unhappy (0 to 6) 26% of everybody (23% to 29%); of the answers 21%." in said
    assert "Asked 3,300 of 3,560 customers (93%); the others are estimated by what those like them say." in said
    assert "1,210 answers came." in said
    assert "as sure as 640 answers that count alike." in said
    assert "2.1% of the answers would have had to speak for too many silent people and were held back" in said
    assert "33 surveys were sent so lately that an answer may still come" in said
    assert "none: for no kind of customer answers are so rare" in text(csat())
    for word in ("AIPW", "inverse", "propensity", "bootstrap", "effective sample"):
        assert word not in said


def test_how_many_answer_and_whether_that_has_moved():
    said = text(nps())
    assert "Over the 182 days together 36% (34% to 37%)." in said
    assert "Fewer answer than in the 182 days before (40%); chance does not explain it." in said
    more = {**nps(), "response_drift": {**about(0.05, 0.02), "moved": True}}
    assert "More answer than in the 182 days before" in text(more)
    assert "That is no sure change from the 182 days before (37%)." in text(csat())
    first = {**nps(), "response_drift": None, "response_before": None}
    assert "days before (" not in text(first)


def test_segments_and_owners_stand_with_their_intervals():
    said = text(nps())
    assert "starter 610 of 1,830 answered 15 (7 to 23) 25 (20 to 30)" in said
    assert "not known 12 of 36 answered too few: 12 answers of 11 customers" in said
    # The worst first; a negative number has the sign of print; who has too few answers is counted, not shown.
    owners = said[said.index("By owner") :]
    assert owners.index("Budi Santoso") < owners.index("Dewi Anggraini")
    assert "Sri Lestari" not in owners
    assert "1 of 3 owners have too few answers for any number." in owners
    assert "Budi Santoso 116 58 of 174 −4 (−28 to 20) answers 12" in owners
    assert "U2" not in said
    mixed = {**csat(), "groups": {"segment": [], "owner": [nps()["groups"]["owner"][2]]}}
    mixed["groups"]["owner"][0].update(naive=about(3.5, 0.2), corrected=about(3.4, 0.2))
    assert (
        "Sri Lestari 24 12 of 36 – too few: 12 answers of 11 customers 12 of 36 3.40 (3.20 to 3.60) answers 3.50"
        in text(nps(), mixed)
    )


def test_of_many_segments_those_with_the_most_answers_are_drawn():
    """Nine segments of 10, 20, … 90 answers: the first is not drawn, the others stand in their own order."""
    many = [{**group(f"part {n}", answered=10 * n, naive=None, corrected=None)} for n in (3, 1, 2, 9, 8, 7, 6, 5, 4)]
    many[0].update(naive=about(20, 5), corrected=about(15, 5))
    one = nps()
    one["groups"]["segment"] = many
    said = text(one)
    places = [said.index(f"part {n} ") for n in (3, 2, 9, 8, 7, 6, 5, 4)]
    assert places == sorted(places)
    assert "part 1 " not in said
    assert "These have the most answers; 1 more stand in satisfaction.json." in said
    assert "These have the most answers" not in text(nps())


def test_an_instrument_we_do_not_know_goes_by_its_name():
    said = text({**csat(), "instrument": "review"})
    assert "Review is 3.80 when every case" in said
    assert "What did they say?" in said


def test_every_month_has_its_line_and_every_picture_its_words():
    read = Read(page())
    assert "Oct 2025 NPS 0 0 – – –" in read.text
    assert "Jun 2026 NPS 560 200 32% 18 (7 to 29) 25 (16 to 34)" in read.text
    pictures = [a for tag, a in read.tags if tag == "svg" and a.get("role") == "img"]
    assert 5 == len(pictures)
    assert all(a["aria-label"].count(";") == 11 for a in pictures)
    assert "Jul 2025: everybody (estimate) 31 (20 to 42), the answers alone 36 (27 to 45)" in pictures[0]["aria-label"]


def test_one_month_and_none_are_still_pages():
    """A company that has just begun to ask."""
    one = text({**nps(), "months": nps()["months"][:1]})
    assert "Month by month" in one
    assert "Jul 2025 NPS 560 200 40% 31 (20 to 42) 36 (27 to 45)" in one
    none = text({**nps(), "months": []})
    assert "Month by month" not in none
    assert "The months in numbers" not in none
    assert "By segment" in none


def test_what_is_taken_for_granted_is_told_to_machines_too():
    said = text()
    assert all(sentence in said for sentence in satisfaction_assumptions(told()))
    assert "Silence is explained by what we can see" in satisfaction_assumptions(told())[0]
    assert 4 == len(satisfaction_assumptions(told(ces())))
    assert "Diamnya pelanggan dijelaskan" in satisfaction_assumptions(told(), language="id")[0]


def test_the_page_speaks_indonesian():
    read = Read(page(language="id"))
    assert ("html", {"lang": "id"}) in read.tags
    for words in (
        "Seberapa puas pelanggan kita?",
        "NPS adalah 25 bila semua pelanggan dihitung",
        "3,80",
        "Sumber ini hanya memuat jawaban.",
        "Mei 2026",
    ):
        assert words in read.text
    for words in ("answers", "customers", "everybody", "silent", " asked"):
        assert words not in read.text


def test_equal_figures_give_equal_bytes():
    assert page() == page()


def test_an_axis_holds_every_interval_between_round_marks():
    """7 to 54 in steps of 20; 3.73 to 3.89 in steps of 0.05; one number alone has an axis, too."""
    assert (0.0, 60.0, 20.0) == pytest.approx(axis([about(15, 8), about(44, 10), None]))
    assert (3.70, 3.90, 0.05) == pytest.approx(axis([about(3.80, 0.07), about(3.84, 0.05)]))
    one = axis([about(4.0, 0.0)])
    assert one.low <= 4.0 < one.high
    # From -54 to 46 there are six steps of 20 and five of 25, but three of 50.
    assert (-100.0, 50.0, 50.0) == axis([about(-4, 50)])
    along = axis([about(15, 8), about(44, 10)])
    assert ["0.0", "33.3", "66.7", "100.0"] == [mark["at"] for mark in marks_of(along, str)]
    assert ["100.0", "66.7", "33.3", "0.0"] == [mark["at"] for mark in marks_of(along, str, upright=True)]
    assert (0, 2, 1) == (along.decimals, axis([about(3.80, 0.07)]).decimals, axis([about(15, 4.6)]).decimals)


def test_an_interval_is_a_line_with_its_number_on_it():
    """On an axis from 0 to 60 the interval 15 to 45 goes from a quarter to three quarters."""
    along = axis([about(15, 8), about(44, 10)])
    [first, second] = lanes({"corrected": about(30, 15), "naive": about(60, 15), "none": None}, along)
    assert (f"M{WIDE / 4:.1f} 5.0H{0.75 * WIDE:.1f}", f"M{WIDE / 2:.1f} 5.0h.01") == (first["reach"], first["dot"])
    # What lies beyond the axis ends at its edge.
    assert ("naive", f"M{0.75 * WIDE:.1f} 15.0H{WIDE:.1f}") == (second["class"], second["reach"])


def test_two_series_stand_beside_each_other():
    along = axis([about(15, 8), about(44, 10)])
    drawn = by_month({"corrected": [about(30, 15), None], "naive": [about(30, 15), about(30, 15)]}, along)
    assert ["M143.0 100.0", "M157.0 100.0L457.0 100.0"] == [one["path"] for one in drawn["lines"]]
    assert ["corrected", "naive", "naive"] == [band["class"] for band in drawn["reaches"]]
    first, second, _ = drawn["reaches"]
    assert float(first["x"]) + float(first["w"]) <= float(second["x"])
    [alone] = by_month({"naive": [about(30, 15)]}, along)["lines"]
    assert "M300.0 100.0" == alone["path"]


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_screen_and_can_be_read(browser, tmp_path, scheme, width, language):
    (tmp_path / "satisfaction.html").write_bytes(page(told(warnings=["a word"]), language=language))
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto((tmp_path / "satisfaction.html").as_uri())
    assert width == tab.evaluate("document.documentElement.scrollWidth")
    assert tab.evaluate(CONTRAST) >= 4.5
    for key in ("survey-1-over_time", "survey-1-answering", "survey-2-over_time", "survey-3-over_time"):
        chart = tab.locator(f"#{key} figure svg").bounding_box()
        assert chart["width"] > 250
        assert chart["height"] > 150
    # Eleven months of each series have a dot; of the month in which nobody was asked there is none.
    assert 11 == tab.locator("#survey-1-over_time .dot.corrected").count()
    assert 11 == tab.locator("#survey-1-over_time .dot.naive").count()
    assert tab.locator(".headline").first.bounding_box()["y"] < 300
    # The first survey's numbers are seen before anything is scrolled on a desk, and soon on a phone.
    assert tab.locator(".glance .main").first.bounding_box()["y"] < 600
    # No table reaches beyond its box.
    for box in tab.locator(".scroll").all():
        assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    # On a desk the three surveys stand side by side.
    tops = {round(one.bounding_box()["y"]) for one in tab.locator(".glance").all()}
    assert (1 if width == 1280 else 3) == len(tops)
    # The number for everybody reads larger than that of the answers.
    sizes = (
        tab.locator(".glance")
        .first.locator(".number b")
        .evaluate_all("all => all.map(e => parseFloat(getComputedStyle(e).fontSize))")
    )
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 2
    assert 1 == len(asked)
    assert [] == problems
    tab.close()
