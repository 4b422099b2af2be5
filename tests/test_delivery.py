"""What people and programs are handed: whole, the same every time, and safe to open."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from browser import CONTRAST

from churnwatch.delivery import (
    changed_files,
    differences,
    json_row,
    leavers_csv,
    list_name,
    outreach_csv,
    outreach_html,
    publish,
    read_list,
    recover,
    scores_parquet,
    words,
)
from churnwatch.delivery.text import cell, clean
from churnwatch.errors import CheckFailed, DeliveryFailed, UsageError
from churnwatch.outreach import Further, Leaver, ListRow
from churnwatch.reasons import money

MAY_2 = date(2026, 5, 2)
SITI = ListRow(
    rank=1,
    customer_id="007",
    customer_name="Siti Rahmawati",
    owner="a1",
    owner_name="Budi",
    language="id",
    risk=0.7344,
    band="critical",
    change=0.12,
    rising_since=date(2026, 4, 11),
    value_at_risk=1_250_000.0,
    reasons=("3 keluhan dalam 28 hari terakhir", "Diam selama 41 hari"),
    last_contact=date(2026, 4, 20),
    last_survey="NPS 3 (2026-04-30)",
    action="Telepon kembali",
    action_steps="Minta maaf, lalu dengarkan.",
    due=MAY_2,
    model_version="3fa91c07be52",
    baseline=None,
    listed_for="churn",
)
GRACE = replace(
    SITI,
    rank=2,
    customer_id="C-9",
    customer_name="Margaret O’Neill",
    owner="a2",
    owner_name="Grace",
    language="en",
    risk=0.093,
    band="watch",
    change=-0.00001,
    rising_since=None,
    value_at_risk=None,
    reasons=("Not one visit in 38 days",),
    last_contact=None,
    last_survey=None,
    action="Call for a check-in",
    action_steps="Ask how things are going.",
    due=date(2026, 5, 4),
)
FULL = replace(
    SITI,
    account_owner="a3",
    account_owner_name="Dewi",
    handed="away",
    back_early="risiko naik 14 poin sejak 21 Apr 2026",
    listed_before=date(2026, 4, 18),
    curve=(0.31, 0.3, 0.29, 0.42, 0.61, 0.7344),
    counterfactual="Bila kasus yang terbuka selesai: 73% → 41%",
    action_name="call_back",
    action_why="Karena ada 3 keluhan dalam 28 hari.",
    action_tone="Tenang, mengakui masalahnya",
    action_channel="telepon",
    action_minutes=15,
    signs=("complaints",),
    worth=917_999.99996,
)
PROACTIVE = replace(
    GRACE,
    proactive="renewal",
    proactive_title="Renewal coming",
    band="healthy",
    reasons=("The contract ends in 12 days",),
    action_minutes=20,
)
UNHAPPY = Further(
    model="unhappy",
    title="Will answer badly",
    answers=True,
    risk=0.3104,
    band="at_risk",
    change=0.091,
    expected_score=0.4812,
    expected_change=-0.064,
)


def page(rows: list[ListRow], **more: Any) -> str:
    options: dict[str, Any] = {
        "title": "Nusantara Net",
        "as_of": MAY_2,
        "deployment": "demo",
        "currency": "IDR",
        **more,
    }
    return outreach_html(rows, **options).decode()


# --- text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("+62 812", "'+62 812"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'=1+1"),
        ("\r\n=1+1", "'=1+1"),
        ("\x00=1+1", "'=1+1"),
        ("\ufeff=1+1", "'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a;=1+1", "a;'=1+1"),
        ('a; "=1+1"', 'a;\' "=1+1"'),
        ("2 = 1 + 1", "2 = 1 + 1"),
        ("O'Neill", "O'Neill"),
        ("007", "007"),
        ("", ""),
    ],
)
def test_a_text_cell_is_never_a_formula(text: str, expected: str) -> None:
    assert expected == cell(text)


def test_clean_text_is_one_line_that_reads_in_one_direction_and_can_be_written() -> None:
    assert "two lines" == clean("two\nlines\x07")
    assert "invoice.exe" == clean("invoice\u202e.exe")
    assert "ab" == clean("a\ud800b")
    assert "Zoë 李 🙂" == clean("Zoë 李 🙂")


# --- outreach.csv


def test_the_table_has_the_agreed_columns_and_its_numbers_are_plain() -> None:
    rows = [SITI, replace(GRACE, listed_for="unhappy", further=UNHAPPY)]
    lines = outreach_csv(rows, name=list_name("demo", MAY_2, 1)).decode().split("\n")
    assert [
        "rank,customer,customer_name,owner,owner_name,risk,band,change,rising_since,value_at_risk,reason_1,"
        "reason_2,reason_3,last_contact,last_survey,action,due,model_version,listed_by,"
        "rule_score,listed_for,also_model,also_risk,also_band,also_change,expected_score,expected_change,"
        "proactive,proactive_title,account_owner,account_owner_name,handed,listed_before,back_early,counterfactual,action_name,"
        "action_steps,action_why,action_tone,action_channel,action_minutes,worth,list,outcome,flag_wrong_reason",
        "1,007,Siti Rahmawati,a1,Budi,0.7344,critical,0.1200,2026-04-11,1250000.00,3 keluhan dalam 28 hari "
        "terakhir,Diam selama 41 hari,,2026-04-20,NPS 3 (2026-04-30),Telepon kembali,2026-05-02,"
        '3fa91c07be52,model,,churn,,,,,,,,,,,,,,,,"Minta maaf, lalu dengarkan.",,,,,,demo 2026-05-02 r1,,',
        "2,C-9,Margaret O’Neill,a2,Grace,0.0930,watch,0.0000,,,Not one visit in 38 days,,,,,"
        "Call for a check-in,2026-05-04,3fa91c07be52,model,,unhappy,unhappy,0.3104,at_risk,0.0910,0.4812,-0.0640,"
        ",,,,,,,,,Ask how things are going.,,,,,,demo 2026-05-02 r1,,",
        "",
    ] == lines


def test_the_facts_of_the_day_stand_in_the_table_and_numbers_come_back_as_numbers() -> None:
    full, grace, plain = csv.DictReader(io.StringIO(outreach_csv([FULL, PROACTIVE, SITI]).decode()))
    expected = {
        "proactive": "",
        "account_owner": "a3",
        "account_owner_name": "Dewi",
        "handed": "away",
        "listed_before": "2026-04-18",
        "back_early": "risiko naik 14 poin sejak 21 Apr 2026",
        "counterfactual": "Bila kasus yang terbuka selesai: 73% → 41%",
        "action_name": "call_back",
        "action_steps": "Minta maaf, lalu dengarkan.",
        "action_why": "Karena ada 3 keluhan dalam 28 hari.",
        "action_tone": "Tenang, mengakui masalahnya",
        "action_channel": "telepon",
        "action_minutes": "15",
        "worth": "918000.0000",
    }
    assert expected == {name: full[name] for name in expected}
    assert ("renewal", "20") == (grace["proactive"], grace["action_minutes"])
    named = ("action_minutes", "worth")
    told = [[json_row(row)[name] for name in named] for row in (full, grace, plain)]
    assert [[15, 918_000.0], [20, None], [None, None]] == told
    assert [int, float] == [type(number) for number in told[0]]


def test_a_list_of_an_earlier_version_still_reads_and_another_table_does_not(tmp_path: Path) -> None:
    """Lists once ended with the model's version, later with what a further model says."""
    whole = outreach_csv([FULL]).decode()
    record = next(csv.DictReader(io.StringIO(whole)))
    publish(tmp_path / "day", {"outreach.csv": whole.encode()}, manifest={})
    assert record == read_list(tmp_path / "day")[1][0]
    names = list(record)
    last = [name for name in names if name in ("outcome", "flag_wrong_reason")]
    for end in ("listed_by", "expected_change"):
        kept = [*names[: names.index(end) + 1], *last]
        text = "\n".join(",".join(f'"{one}"' for one in line) for line in (kept, [record[name] for name in kept]))
        (tmp_path / "day" / "outreach.csv").write_text(text, encoding="utf-8")
        [row] = read_list(tmp_path / "day")[1]
        assert {**dict.fromkeys(names, ""), **{name: record[name] for name in kept}} == row
    (tmp_path / "day" / "outreach.csv").write_text("rank,customer\n1,007\n", encoding="utf-8")
    with pytest.raises(CheckFailed, match=r"outreach\.csv cannot be read any more"):
        read_list(tmp_path / "day")


def test_the_table_of_announced_leavers_is_plain_and_guarded() -> None:
    ana = Leaver("C-7", "Ana", "a1", "Budi", "id", date(2026, 4, 20), date(2026, 5, 31), 350_000.0, "=1+1 pindah")
    unknown = Leaver("C-8", "", "", "", "en", date(2026, 4, 22))
    assert [
        "customer,customer_name,owner,owner_name,announced_on,ends_on,value,said",
        "C-7,Ana,a1,Budi,2026-04-20,2026-05-31,350000.00,'=1+1 pindah",
        "C-8,,,,2026-04-22,,,",
        "",
    ] == leavers_csv([ana, unknown]).decode().split("\n")
    assert 1 == leavers_csv([]).count(b"\n")


def test_a_number_of_ours_keeps_its_sign_and_data_beside_it_are_guarded() -> None:
    hostile = replace(SITI, customer_name='=HYPERLINK("x","y")', reasons=("@a", "+b", "-c"), change=-0.25)
    (record,) = csv.DictReader(io.StringIO(outreach_csv([hostile]).decode()))
    assert '\'=HYPERLINK("x","y")' == record["customer_name"]
    assert ["'@a", "'+b", "'-c"] == [record[f"reason_{number}"] for number in (1, 2, 3)]
    assert "-0.2500" == record["change"]


def test_a_list_read_back_carries_no_guards(tmp_path: Path) -> None:
    """A customer named -1 is so named in the terminal and in --json; what the file guards stays guarded there."""
    hostile = replace(SITI, customer_id="-1", customer_name="-1", reasons=("Asked; -5 was told", "@a"), change=-0.25)
    files = {"outreach.csv": outreach_csv([hostile])}
    publish(tmp_path / "day", files, manifest={})
    [row] = read_list(tmp_path / "day")[1]
    assert ("-1", "-1", "Asked; -5 was told", "@a", "-0.2500") == tuple(
        row[name] for name in ("customer", "customer_name", "reason_1", "reason_2", "change")
    )
    assert -0.25 == json_row(row)["change"]
    assert () == changed_files(tmp_path / "day", files)


def test_a_row_that_a_baseline_ranked_says_so() -> None:
    (record,) = csv.DictReader(io.StringIO(outreach_csv([replace(SITI, baseline="recency")]).decode()))
    assert "baseline:recency" == record["listed_by"]


def test_a_rule_score_stands_beside_the_risk_or_in_its_place() -> None:
    """A whole number in its own column, in words on the page, and no word of a baseline where it stands."""
    young = replace(SITI, rule_score=71)
    cold = replace(SITI, rule_score=64, baseline="health", risk=None, band="", change=None)
    records = csv.DictReader(io.StringIO(outreach_csv([young, cold]).decode()))
    assert [("71", "0.7344"), ("64", "")] == [(record["rule_score"], record["risk"]) for record in records]
    for row, shown in ((young, "Skor aturan 71 dari 100"), (cold, "Skor aturan 64 dari 100")):
        said = page([row])
        assert shown in said
        assert "Diurutkan menurut" not in said.replace("Diurutkan menurut skor aturan, bukan", "")


def test_a_risk_that_a_baseline_does_not_know_is_left_empty() -> None:
    row = replace(SITI, baseline="recency", risk=None, band="", change=None)
    (record,) = csv.DictReader(io.StringIO(outreach_csv([row]).decode()))
    assert ["", "", ""] == [record["risk"], record["band"], record["change"]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="cannot stand in the list"):
        outreach_csv([replace(SITI, risk=bad)])


def test_an_empty_list_is_a_table_with_a_header() -> None:
    assert 1 == outreach_csv([]).count(b"\n")


def test_a_program_reads_the_numbers_of_a_row_as_numbers_and_an_empty_one_as_none() -> None:
    grace = replace(GRACE, further=UNHAPPY)
    rows = list(csv.DictReader(io.StringIO(outreach_csv([SITI, grace]).decode())))
    siti, grace = (json_row(row) for row in rows)
    own = ("rank", "risk", "change", "value_at_risk", "rule_score")
    beside = ("also_risk", "also_change", "expected_score", "expected_change")
    names = (*own, *beside, "worth", "action_minutes")
    assert [1, 0.7344, 0.12, 1_250_000.0, None] == [siti[name] for name in own]
    assert [2, 0.093, 0.0, None, None] == [grace[name] for name in own]
    assert [[None] * 4, [0.3104, 0.091, 0.4812, -0.064]] == [[one[name] for name in beside] for one in (siti, grace)]
    assert [int, float] == [type(grace["rank"]), type(grace["change"])]
    texts = [name for name in rows[0] if name not in names]
    assert [rows[0][name] for name in texts] == [siti[name] for name in texts]
    assert ["007", "", ""] == [siti[name] for name in ("customer", "reason_3", "outcome")]
    assert list(rows[0]) == list(siti)


# --- outreach.html


class _Elements(HTMLParser):
    """Every element with its attributes, and the text outside style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def test_each_owner_reads_the_list_in_their_own_language() -> None:
    found = _Elements(page([SITI, GRACE], summary={"observed": 4213}))
    sections = [attributes["lang"] for tag, attributes in found.elements if tag == "section"]
    assert ["id", "en"] == sections
    for expected in (
        "List of Saturday, 2 May 2026",
        "2 customers to contact , out of 4,213 watched".replace(" ,", ","),
        "Ranked by the model, version 3fa91c07be52.",
        "Kritis",
        "73%",
        "naik 12 poin",
        "naik sejak 11 Apr 2026",
        "Nilai berisiko",
        "Rp 1.250.000",
        "20 Apr 2026",
        "(12 hari lalu)",
        "NPS 3 (30 Apr 2026)",
        "hari ini",
        "Minta maaf, lalu dengarkan.",
        "Watch",
        "9.3%",
        "unchanged",
        "none on record",
        "none answered",
        "unknown",
        "Mon 4 May",
    ):
        assert expected in found.words


def test_the_head_speaks_the_default_language() -> None:
    text = page([GRACE], language="id")
    assert '<html lang="id">' in text
    assert "Daftar Sabtu, 2 Mei 2026" in text


def test_a_language_the_product_does_not_speak_becomes_english() -> None:
    text = page([replace(GRACE, language="fr")], language="fr")
    assert '<html lang="en">' in text
    assert "What to do" in text


def test_who_is_growing_unhappy_is_marked_and_both_numbers_stand_on_every_card_in_both_languages() -> None:
    """The larger figure is that of the model that lists the row: Siti is leaving, Grace and Tono are not yet."""
    siti = replace(SITI, further=replace(UNHAPPY, risk=0.52, band="critical", change=None, expected_change=None))
    grace = replace(GRACE, listed_for="unhappy", model_version="cafecafecafe", further=UNHAPPY)
    tono = replace(grace, rank=3, customer_name="Tono", owner="a1", owner_name="Budi", language="id")
    text = page([siti, grace, tono], summary={"observed": 4213})
    for expected in (
        "1 Critical",
        "2 Growing unhappy",
        "2 pelanggan perlu dihubungi, 1 di antaranya makin tidak puas",
        "1 customer to contact, 1 of them growing unhappy",
        "Risiko berhenti 73%",
        "Risiko jawaban buruk: 52% , Kritis Perkiraan skor 48 dari 100 Mengapa",
        "Growing unhappy not leaving yet Risk of a bad answer 31%",
        "9 points up in 28 days Expected score 48 of 100, 6 down in 28 days Risk of leaving: 9.3% , Watch",
        "Makin tidak puas belum akan berhenti Risiko jawaban buruk 31%",
        "naik 9 poin dalam 28 hari Perkiraan skor 48 dari 100, turun 6 dalam 28 hari Risiko berhenti: 9,3% , Pantau",
        "Ranked by the model, version 3fa91c07be52. "
        "Growing unhappy: listed by the model unhappy, version cafecafecafe.",
    ):
        assert expected in _Elements(text).words
    # The chips at the top count the bands of those who are leaving alone.
    assert "Watch" not in _Elements(text.partition("<nav")[0]).words


def test_a_list_without_a_second_number_reads_as_it_did() -> None:
    """No labels of two numbers, no marks, no words of a further model."""
    said = _Elements(page([SITI, GRACE])).words
    for word in ("Growing unhappy", "Risk of a bad answer", "Expected score", "tidak puas", "not leaving yet"):
        assert word not in said
    assert 'class="label"' not in page([SITI, GRACE])


def test_where_the_listing_model_foretells_answers_the_words_are_of_answers_in_both_languages() -> None:
    """Siti is listed for a bad answer, Grace by a model of leaving beside it, Tono by a second model of answers."""
    churn = replace(UNHAPPY, model="churn", title="Cancels", answers=False, expected_score=None, expected_change=None)
    siti = replace(SITI, answers=True, expected_score=0.31, listed_for="satisfaction", further=churn)
    grace = replace(GRACE, answers=True, expected_score=0.72, further=churn, listed_for="churn")
    tono = replace(grace, rank=3, owner="a1", language="id", listed_for="unhappy", further=UNHAPPY)
    text = page([siti, grace, tono], summary={"observed": 4213})
    said = _Elements(text).words
    for expected in (
        "Risiko jawaban buruk 73% Kritis naik 12 poin sejak daftar terakhir naik sejak 11 Apr 2026, sudah 21 hari "
        "Perkiraan skor 31 dari 100 Cancels: 31% , Berisiko Mengapa",
        "Early sign not unhappy yet Cancels 31%",
        "Risk of a bad answer: 9.3% , Watch Expected score 72 of 100 Why",
        f"Makin tidak puas belum tergolong tidak puas {UNHAPPY.title} 31%",
        "Expected score: that answer, from 0 to 100.",
    ):
        assert expected in said
    for word in ("leaving", "berhenti"):
        assert word not in said
    rows = list(csv.DictReader(io.StringIO(outreach_csv([siti, grace, tono]).decode())))
    assert [("0.3100", ""), ("0.7200", ""), ("0.7200", "")] == [
        (row["expected_score"], row["expected_change"]) for row in rows
    ]


def test_a_list_of_bad_answers_alone_says_what_its_number_is() -> None:
    said = _Elements(page([replace(GRACE, answers=True, expected_score=0.72)]))
    assert "Risk of a bad answer 9.3% Watch" in said.words
    assert "Expected score 72 of 100 Why" in said.words
    assert ("p", {"class": "label"}) in said.elements


def test_another_further_model_is_called_by_its_own_title() -> None:
    """One that foretells no answers makes nobody unhappy; of a change or a score it does not know nothing is said."""
    quiet = replace(UNHAPPY, model="quiet", title="No purchase <soon>", answers=False, change=None, expected_score=None)
    said = _Elements(page([replace(GRACE, listed_for="quiet", further=quiet)])).words
    assert "Early sign not leaving yet No purchase <soon> 31%" in said
    assert "Growing unhappy" not in said
    assert "in 28 days" not in said
    assert "Expected" not in said
    assert "Early sign: listed by the model quiet, version 3fa91c07be52." in said


def test_a_baseline_beside_a_further_model_says_of_nobody_that_they_stay() -> None:
    """It knows no risk of leaving: the mark stands, "not leaving yet" does not."""
    unknown = {"risk": None, "band": "", "change": None}
    grace = replace(GRACE, listed_for="unhappy", further=UNHAPPY, **unknown)
    said = _Elements(page([replace(SITI, baseline="recency", further=UNHAPPY, **unknown), grace])).words
    assert "Growing unhappy Risk of a bad answer 31%" in said
    assert "Risiko jawaban buruk: 31% , Berisiko" in said
    assert "not leaving yet" not in said
    assert "Risk of leaving" not in said


def test_a_card_says_since_when_what_if_by_whom_and_why_again() -> None:
    said = _Elements(page([FULL, replace(GRACE, handed="overflow", account_owner_name="Sari")])).words
    for expected in (
        "Siti Rahmawati 007 · urutan 1/2 untuk Dewi, yang sedang tidak masuk",
        "naik 12 poin sejak daftar terakhir naik sejak 11 Apr 2026, sudah 21 hari",
        "Kembali sebelum waktunya: risiko naik 14 poin sejak 21 Apr 2026 Mengapa",
        "Diam selama 41 hari Bila kasus yang terbuka selesai: 73% → 41%",
        "Telepon kembali telepon · 15 menit Minta maaf, lalu dengarkan. Tenggat: hari ini , Sab, 2 Mei",
        "Nilai berisiko: Rp 1.250.000 per bulan Aktivitas terakhir: 20 Apr 2026 (12 hari lalu)",
        "Mengapa tindakan ini Karena ada 3 keluhan dalam 28 hari. Nada bicara Tenang, mengakui masalahnya",
        "Terakhir di daftar 18 Apr 2026 Survei terakhir NPS 3 (30 Apr 2026)",
        "1 pelanggan perlu dihubungi · sekitar 15 menit",
        "C-9 · 2 of 2 in all over from Sari, whose day is full",
    ):
        assert expected in said
    assert "rising since 1 May 2026, for 1 day<" in page([replace(GRACE, rising_since=date(2026, 5, 1))])
    assert "rising since 2 May 2026<" in page([replace(GRACE, rising_since=MAY_2)])


def test_a_long_list_is_told_in_hours() -> None:
    for count, expected in ((7, "about 105 minutes"), (8, "about 2 hours"), (90, "about 22 hours")):
        rows = [replace(FULL, rank=n + 1, customer_id=f"C-{n}", language="en") for n in range(count)]
        assert f"{count} customers to contact · {expected}" in _Elements(page(rows)).words


def test_a_proactive_row_is_marked_and_is_not_dressed_as_a_risk() -> None:
    """Its band and number are told on a click; neither the counts of bands nor the overview know it."""
    other = replace(PROACTIVE, rank=3, proactive_title="Quiet summer", owner="a3", owner_name="Wulan", curve=(0.1, 0.1))
    text = page([SITI, PROACTIVE, other])
    said = _Elements(text).words
    assert "Renewal coming not at risk Why The contract ends in 12 days" in said
    assert "Quiet summer not at risk Why" in said
    assert "1 customer to contact, 1 of them not at risk · about 20 minutes" in said
    assert "Risk of leaving 9.3%, Healthy" in said
    assert "2 Not at risk" in _Elements(text.partition("<nav")[0]).words
    assert "Healthy" not in text.partition("<section")[0]
    assert ["card critical first", "card proactive first", "card proactive first"] == [
        attributes["class"] for tag, attributes in _Elements(text).elements if tag == "li" and "class" in attributes
    ]
    assert 0 == text.count("<svg")


def test_a_curve_is_drawn_from_nought_with_its_onset_and_told_in_words() -> None:
    """Five days until 2 May, the second of them unknown: the onset of 1 May stands at three of four steps."""
    row = replace(SITI, curve=(0.2, float("nan"), 0.1, 0.2, 0.4), rising_since=date(2026, 5, 1))
    [svg] = re.findall(r"<svg.*?</svg>", page([row]))
    label = "Risiko 5 hari terakhir: awalnya 20%, terendah 10%, tertinggi 40%, hari ini 40%"
    assert f'role="img" aria-label="{label}"' in svg
    # 26 units high between the margins of 3: 0.4 stands at 3, 0.2 at 16, 0.1 at 22.5.
    assert 'class="line" d="M0.0 16.0h.01M90.0 22.5L135.0 16.0L180.0 3.0"' in svg
    assert 'class="area" d="M0.0 32L0.0 16.0L0.0 32ZM90.0 32L90.0 22.5L135.0 16.0L180.0 3.0L180.0 32Z"' in svg
    assert 'class="dot" d="M180.0 3.0h.01"' in svg
    assert 'class="rise" d="M135.0 0V32"' in svg
    assert 'class="rise"' not in page([replace(row, rising_since=None)])
    assert 'class="rise"' not in page([replace(row, rising_since=date(2026, 4, 27))])  # five days back
    assert "<svg" not in page([replace(row, curve=(float("nan"), 0.4))])
    # A wave of small risks stays small: the picture reaches up to 5 % at least.
    assert 'd="M0.0 23.8L180.0 18.6"' in page([replace(row, curve=(0.01, 0.02))])


def test_the_head_tells_how_many_must_wait_and_never_how_many_rest() -> None:
    """One number for all who wait: on a first list those left in peace are just those held out."""
    counts = {
        "observed": 4213,
        "waiting": 67,
        "spilled": 7,
        "snoozed": 31,
        "held_out": 29,
        "below": 4100,
        "refused": 43,
    }
    said = _Elements(page([SITI], summary=counts)).words
    assert "out of 4,213 watched" in said
    assert "67 more are worth a call, but not today." in said
    for hidden in ("29", "60", "31", "4100", "4,100"):
        assert not re.search(rf"\b{hidden}\b", said)
    assert "more are worth" not in page([SITI], summary={"observed": 4213, "waiting": 0})


def test_announced_leavers_stand_at_the_end_with_what_is_known_of_them() -> None:
    ana = Leaver("C-7", "Ana", "a1", "Budi", "id", date(2026, 4, 20), date(2026, 5, 31), 350_000.0, "Moves away")
    gone = replace(ana, customer_id="C-8", customer_name="", value=None, said=None, ends_on=date(2026, 5, 1))
    text = page([SITI], leavers=[ana, gone, replace(gone, customer_id="C-9", ends_on=MAY_2)])
    said = _Elements(text).words
    for expected in (
        "Announced leavers They have said that they leave",
        "bring them back. 3 customers have announced that they leave Ana C-7 Budi "
        "announced 20 Apr 2026, ends 31 May 2026 (in 29 days) “Moves away” IDR 350,000 a month",
        "C-8 Budi announced 20 Apr 2026, ended 1 May 2026 C-9",
        "ends 2 May 2026 (today)",
    ):
        assert expected in said
    assert text.index('id="leavers"') > text.index('id="owner-1"')
    assert "leavers-name" not in page([SITI])
    # More than ten wait for a click.
    few, many = ("<details open>" in page([], leavers=[ana] * n) for n in (10, 11))
    assert (True, False) == (few, many)
    alone = _Elements(page([], leavers=[ana], language="id")).words
    assert "Hari ini tidak ada yang perlu dihubungi." in alone
    assert "menyatakan 20 Apr 2026, berakhir 31 Mei 2026 (dalam 29 hari) “Moves away” Rp 350.000 per bulan" in alone


def test_both_languages_have_words_for_the_same_things() -> None:
    blanks = {
        language: {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in texts.items()}
        for language, texts in words.WORDS.items()
    }
    assert blanks["en"] == blanks["id"]


def test_a_hostile_name_stays_a_name() -> None:
    hostile = '<script>alert("x")</script>'
    row = replace(
        SITI,
        customer_name=hostile,
        customer_id='"><img src=x onerror=alert(1)>',
        owner_name="<b>Budi</b>",
        reasons=("</li><script>1</script>",),
        action="<i>a</i>",
        action_steps="{{ 7 * 7 }}",
        last_survey="<u>",
        baseline="<em>",
        handed="away",
        account_owner_name="<b>Dewi</b>",
        proactive="rule",
        proactive_title="<s>",
        back_early="</p><script>2</script>",
        counterfactual="<i>",
        action_why="<i>",
        action_tone="<i>",
        action_channel="<i>",
    )
    leaver = Leaver("<i>", hostile, "", "<b>", "en", MAY_2, said="<u>")
    found = _Elements(page([row, GRACE], title="<h1>", deployment="<p>", leavers=[leaver]))
    tags = {tag for tag, _ in found.elements}
    assert set() == tags & {"script", "img", "b", "i", "u", "em", "s"}
    assert hostile in found.words
    assert "{{ 7 * 7 }}" in found.words


def test_the_page_asks_nobody_for_anything_and_has_a_true_outline() -> None:
    text = page([SITI, GRACE])
    found = _Elements(text)
    assert set() == {tag for tag, _ in found.elements} & {"script", "link", "img", "iframe", "form", "object"}
    assert not re.search(r"url\(|@import|https?:", text)
    assert {"#owner-1", "#owner-2"} == {attributes["href"] for tag, attributes in found.elements if tag == "a"}
    assert {"owner-1", "owner-2"} == {attributes["id"] for tag, attributes in found.elements if tag == "section"}
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert [1, 2, 2, 3, 4, 4, 2, 3, 4, 4] == levels


def test_a_baseline_is_announced_at_the_top_and_on_every_row_and_claims_no_risk() -> None:
    unknown = {"baseline": "recency", "risk": None, "band": "", "change": None}
    text = page([replace(SITI, **unknown), replace(GRACE, **unknown)])
    assert "%<" not in text
    assert "new on the list" not in text
    assert "dots" not in text.partition("</style>")[2]
    assert 1 == text.count("Ranked by recency, not by a model")
    assert 1 == text.count("Diurutkan menurut lamanya diam")
    assert 1 == text.count("Ranked by recency</p>")
    assert "Ranked by the model" not in text


def test_a_customer_has_a_place_on_the_owners_list_and_one_on_the_whole() -> None:
    rows = [SITI, replace(GRACE, rank=2), replace(GRACE, rank=1203, customer_id="C-10")]
    found = _Elements(page(rows)).words
    assert "C-9 · 2 of 3 in all" in found
    assert "C-10 · 1,203 of 3 in all" in found
    assert "in all" not in _Elements(page([GRACE])).words


def test_on_a_first_list_nobody_is_called_new() -> None:
    first = [replace(SITI, change=None), replace(GRACE, change=None)]
    assert "new on the list" not in page(first)
    assert "new on the list" in page([SITI, replace(GRACE, change=None)])
    again = page([SITI, replace(GRACE, change=None, listed_before=date(2026, 4, 12))])
    assert "back on the list" in again
    assert "new on the list" not in again


def test_a_warning_stands_at_the_top_and_stays_text() -> None:
    text = page([SITI, GRACE], warnings=["crm ends on <b>20 April</b>", "visits are missing"])
    top = text.partition("</header>")[0]
    assert '<p class="warning">crm ends on &lt;b&gt;20 April&lt;/b&gt;</p>' in top
    assert '<p class="warning">visits are missing</p>' in top
    assert 'class="warning"' not in page([SITI, GRACE])


def test_a_corrected_list_says_that_it_replaces_another() -> None:
    assert "Corrected" not in page([GRACE], revision=1)
    top = page([GRACE], revision=2).partition("</header>")[0]
    assert "Corrected list, revision 2; it replaces the earlier one." in top
    top = page([GRACE], revision=3, language="id").partition("</header>")[0]
    assert "Daftar yang diperbaiki, revisi 3; menggantikan yang sebelumnya." in top


def test_owners_find_their_name_by_the_alphabet_and_their_lists_go_by_urgency() -> None:
    rows = [replace(GRACE, owner=name, owner_name=name) for name in ("Wulan", "agus", "Budi")]
    text = page(rows)
    nav = text.partition("<nav")[2].partition("</nav>")[0]
    assert ["agus", "Budi", "Wulan"] == re.findall(r"<bdi>(\w+)</bdi>", nav)
    assert ["owner-2", "owner-3", "owner-1"] == re.findall(r'href="#([\w-]+)"', nav)
    assert "Find your list (3)" in nav
    assert ["Wulan", "agus", "Budi"] == re.findall(r'-name"><bdi>(\w+)</bdi>', text)


def test_a_fact_that_nobody_on_the_list_has_stands_on_no_card() -> None:
    def facts(rows: list[ListRow]) -> list[str]:
        return re.findall(r"(Last activity|Last survey|Value at risk|Aktivitas terakhir)\b", page(rows))

    ana = replace(GRACE, last_survey="NPS 3 (2026-04-30)", value_at_risk=5.0)
    assert ["Last activity"] == facts([GRACE])
    assert ["Last activity", "Last survey"] == facts([replace(ana, value_at_risk=None)])
    assert ["Value at risk", "Last activity"] == facts([replace(ana, last_survey=None)])
    # One has them: the other's lack is worth saying.
    assert ["Value at risk", "Last activity", "Last survey"] * 2 == facts([ana, GRACE])
    assert ["Aktivitas terakhir"] == facts([replace(GRACE, language="id")])


def test_a_list_without_owners_has_a_heading_all_the_same() -> None:
    assert "The whole list" in page([replace(GRACE, owner="", owner_name="")])


def test_an_empty_list_is_a_page_that_says_so() -> None:
    assert "Nobody needs a call today." in page([])
    assert "Nobody needs a call today." in page([], summary={"observed": 9, "waiting": 0})


def test_an_empty_list_says_where_there_were_calls_to_make_and_nobody_to_make_them() -> None:
    said = _Elements(page([], summary={"observed": 4213, "waiting": 1759})).words
    assert (
        "1,759 customers are worth a call, but there is no place for any of them today: nobody is there to call, or "
        "the calls take longer than the day allows."
    ) in said
    assert "Nobody needs a call" not in said
    assert "1,759 more" not in said
    one = _Elements(page([], summary={"observed": 4213, "waiting": 1}, language="id")).words
    assert "1 pelanggan layak dihubungi, tetapi hari ini tidak ada tempat untuknya" in one


def test_without_a_name_the_id_stands_in_its_place_once() -> None:
    text = page([replace(SITI, customer_name="")])
    assert "<h3><bdi>007</bdi></h3>" in text
    assert '<p class="small"><bdi>' not in text


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        (1_250_000.0, "IDR", "id", "Rp\u00a01.250.000"),
        (1_250_000.0, "IDR", "en", "IDR\u00a01,250,000"),
        (1234.4, "GBP", "en", "£1,234"),
        (12.5, "GBP", "en", "£12.50"),
        (12.0, "GBP", "en", "£12"),
        (12.5, "GBP", "id", "£\u00a012,50"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(amount: float, currency: str, language: str, expected: str) -> None:
    assert expected == money(amount, currency=currency, language=language)


@pytest.mark.parametrize(
    ("share", "english", "indonesian"),
    [(0.734, "73%", "73%"), (0.0934, "9.3%", "9,3%"), (0.9964, "99.6%", "99,6%"), (1.0, "100%", "100%")],
)
def test_a_risk_is_whole_percents_unless_they_say_nothing(share: float, english: str, indonesian: str) -> None:
    assert english == words.percent(share, language="en")
    assert indonesian == words.percent(share, language="id")


def test_equal_rows_give_equal_bytes() -> None:
    rows, again = [SITI, GRACE], [replace(SITI), replace(GRACE)]
    assert outreach_csv(rows) == outreach_csv(again)
    assert page(rows) == page(again)


# --- scores.parquet


def scores() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["b", "007", "a"],
            "as_of": pd.to_datetime(["2026-05-02"] * 3),
            "margin": [0.5, -1.0, 0.25],
            "risk": [0.6, 0.27, 0.56],
            "band": ["critical", "watch", "critical"],
            "model_version": ["ab"] * 3,
            "owner": ["a1", None, "a2"],
        }
    )


def test_scores_come_back_by_customer_and_equal_scores_give_equal_bytes() -> None:
    data = scores_parquet(scores())
    table = pq.read_table(io.BytesIO(data))
    assert ["007", "a", "b"] == table["customer_id"].to_pylist()
    assert [0.27, 0.56, 0.6] == table["risk"].to_pylist()
    assert [None, "a2", "a1"] == table["owner"].to_pylist()
    assert table.schema.metadata is None
    shuffled = scores().iloc[[2, 0, 1]].set_index(pd.Index([9, 8, 7]))
    assert data == scores_parquet(shuffled)
    assert data == scores_parquet(scores()[["owner", *scores().columns[:-1]]])


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda frame: frame.drop(columns=["margin", "band"]), "scores lack margin, band"),
        (lambda frame: frame.assign(risk=[0.1, None, 0.2]), "a score has no risk"),
        (lambda frame: frame.assign(customer_id="a"), "an observation is scored twice"),
    ],
)
def test_scores_that_are_not_whole_are_refused(break_it: Callable[[pd.DataFrame], pd.DataFrame], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scores_parquet(break_it(scores()))


# --- publish


FIRST = {"outreach.csv": b"rank\n", "scores.parquet": b"PAR1"}
SECOND = {"outreach.csv": b"rank\n1\n", "outreach.html": b"<!doctype html>"}


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def files_in(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "run.json"}


def test_a_published_directory_holds_the_files_and_a_manifest_that_is_true(tmp_path: Path) -> None:
    out = tmp_path / "out" / "demo" / "2026-05-02"
    manifest = publish(out, FIRST, manifest={"run": 7})
    assert FIRST == files_in(out)
    assert manifest == json.loads((out / "run.json").read_text())
    assert 7 == manifest["run"]
    assert {"sha256": hashlib.sha256(b"rank\n").hexdigest(), "bytes": 5} == manifest["files"]["outreach.csv"]
    assert ["2026-05-02"] == names_in(out.parent)
    assert () == differences(out)


def test_what_is_published_is_replaced_only_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "day"
    publish(out, FIRST, manifest={"run": 1})
    with pytest.raises(UsageError, match="is already published"):
        publish(out, SECOND, manifest={"run": 2})
    assert FIRST == files_in(out)
    publish(out, SECOND, manifest={"run": 2}, replace=True)
    assert SECOND == files_in(out)
    assert ["day"] == names_in(tmp_path)


def test_what_an_agent_wrote_into_a_published_file_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "day"
    publish(out, FIRST, manifest={})
    (out / "outreach.csv").write_bytes(b"rank\nreached\n")
    (out / "notes.txt").write_text("mine")
    (out / "scores.parquet").unlink()
    with pytest.raises(CheckFailed) as caught:
        publish(out, SECOND, manifest={}, replace=True)
    assert "notes.txt was added, outreach.csv was changed, scores.parquet is missing" in caught.value.message
    assert b"rank\nreached\n" == (out / "outreach.csv").read_bytes()


def test_a_directory_that_was_never_published_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "thesis.txt").write_text("mine")
    with pytest.raises(CheckFailed, match=r"run\.json is missing"):
        publish(tmp_path / "day", FIRST, manifest={}, replace=True)
    assert "mine" == (tmp_path / "day" / "thesis.txt").read_text()


class Killed(BaseException):
    """The process ends here: nothing it would have done afterwards happens."""


STEPS = ((os, "mkdir"), (os, "fsync"), (os, "rename"), (os, "replace"), (shutil, "rmtree"))


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the ``step``-th change of the disk on, nothing reaches it any more."""
    done = 0

    def guard(real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            done += 1
            if done >= step:
                if real is REAL_RMTREE and done == step:
                    next(Path(arguments[0]).iterdir()).unlink()  # killed half-way through a removal
                raise Killed
            return real(*arguments, **options)

        return guarded

    for module, name in STEPS:
        monkeypatch.setattr(module, name, guard(getattr(module, name)))


REAL_RMTREE = shutil.rmtree


def test_a_kill_at_any_step_leaves_the_old_or_the_new_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = []
    for step in range(1, 50):
        out = tmp_path / str(step) / "day"
        publish(out, FIRST, manifest={"run": 1})
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            try:
                publish(out, SECOND, manifest={"run": 2}, replace=True)
            except Killed:
                finished = False
            else:
                finished = True
        if out.exists():  # what a reader sees at once, before anybody tidies up
            assert () == differences(out)
        recover(out)
        assert () == differences(out)
        outcomes.append("new" if SECOND == files_in(out) else "old")
        assert {"new": SECOND, "old": FIRST}[outcomes[-1]] == files_in(out)
        assert ["day"] == names_in(out.parent)
        publish(out, SECOND, manifest={"run": 3}, replace=True)
        assert SECOND == files_in(out)
        if finished:
            break
    # mkdir (parents), mkdir, three files, their directory, two renames, the parent, removal, done
    assert ["old"] * 8 + ["new"] * 3 == outcomes


def test_a_kill_at_any_step_of_a_first_publication_leaves_nothing_or_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    for step in range(1, 50):
        out = tmp_path / str(step) / "out" / "day"
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            try:
                publish(out, FIRST, manifest={})
            except Killed:
                finished = False
            else:
                finished = True
        assert () == differences(out) if out.exists() else True
        seen.add(out.exists())
        if not out.exists():
            publish(out, FIRST, manifest={})
        assert FIRST == files_in(out)
        recover(out)
        assert ["day"] == names_in(out.parent)
        if finished:
            break
    assert {True, False} == seen


def test_pieces_of_a_removal_are_not_taken_for_a_publication(tmp_path: Path) -> None:
    out = tmp_path / "day"
    publish(out, FIRST, manifest={})
    (out / "outreach.csv").unlink()
    out.rename(tmp_path / ".day.old")
    recover(out)
    assert [] == names_in(tmp_path)


def test_a_disk_that_refuses_fails_the_delivery_and_the_old_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "day"
    publish(out, FIRST, manifest={})

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeliveryFailed, match="No space left on device") as caught:
        publish(out, SECOND, manifest={}, replace=True)
    assert 8 == caught.value.exit_code
    assert FIRST == files_in(out)


@pytest.mark.parametrize("name", ["run.json", "../outreach.csv", ".hidden", "a/b", ""])
def test_a_file_name_that_could_leave_the_directory_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be published"):
        publish(tmp_path / "day", {name: b""}, manifest={})
    assert [] == names_in(tmp_path)


# --- the page in a browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_screen_can_be_read_and_shows_whom_to_contact_first(
    browser: Any, tmp_path: Path, scheme: str, width: int
) -> None:
    long = replace(SITI, rank=3, band="at_risk", customer_name="A" * 90, customer_id="9" * 60, reasons=("b" * 200,))
    calm = replace(GRACE, rank=4, band="healthy", change=-0.2, baseline="recency")
    full = replace(FULL, rank=5, counterfactual="c" * 200, action_why="d" * 150, account_owner_name="e" * 80)
    leaver = Leaver("C-7", "F" * 60, "a1", "G" * 40, "id", MAY_2, MAY_2, 350_000.0, "h" * 150)
    text = page([SITI, GRACE, long, calm, full, replace(PROACTIVE, rank=6)], leavers=[leaver])
    (tmp_path / "outreach.html").write_text(text, encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto((tmp_path / "outreach.html").as_uri())
    # Details open on a click, without a script.
    told = tab.locator("dd", has_text="Tenang, mengakui masalahnya").first
    assert not told.is_visible()
    for summary in tab.locator("summary").all():
        summary.click()
    assert told.is_visible()
    assert width == tab.evaluate("document.documentElement.scrollWidth")
    assert tab.evaluate(CONTRAST) >= 4.5
    tab.evaluate("window.scrollTo(0, 0)")
    first = tab.locator(".card h3").first
    assert "Siti Rahmawati" == first.inner_text()
    box = first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844  # without scrolling
    assert ["Hubungi lebih dulu", "Contact first"] == tab.locator(".call").all_inner_texts()
    assert 1 == len(asked)  # the page itself
    assert [] == problems
    tab.close()


def test_on_paper_the_details_are_open(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "outreach.html").write_text(page([FULL]), encoding="utf-8")
    tab = browser.new_page()
    tab.goto((tmp_path / "outreach.html").as_uri())
    tab.emulate_media(media="print")
    box = tab.locator("dd", has_text="Tenang, mengakui masalahnya").bounding_box()
    assert box is not None
    assert box["height"] > 5
    assert not tab.locator("summary").first.is_visible()
    tab.close()


def test_on_a_phone_many_owners_are_cut_within_a_row_so_that_one_sees_the_list_scroll(
    browser: Any, tmp_path: Path
) -> None:
    rows = [replace(GRACE, owner=str(n), owner_name=f"Owner {n:02}") for n in range(14)]
    (tmp_path / "outreach.html").write_text(page(rows), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto((tmp_path / "outreach.html").as_uri())
    shown, whole = tab.evaluate("(e => [e.clientHeight, e.scrollHeight])(document.querySelector('.owners'))")
    assert shown < whole
    bottom = tab.evaluate("document.querySelector('.owners').getBoundingClientRect().bottom")
    boxes = [one.bounding_box() for one in tab.locator(".owners li").all()]
    [cut] = [box for box in boxes if box["y"] < bottom < box["y"] + box["height"]]
    assert 0.25 < (bottom - cut["y"]) / cut["height"] < 0.9
    assert "local" in tab.evaluate("getComputedStyle(document.querySelector('.owners')).backgroundAttachment")
    tab.close()
