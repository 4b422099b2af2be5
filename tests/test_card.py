"""The model card: both languages say the same, with every figure, and what the model must not be used for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from test_spec import MODEL
from tiny_model import tiny_bundle

from churnwatch.delivery.card_words import WORDS, number
from churnwatch.evaluation.gate import gate
from churnwatch.evaluation.groups import Grouping
from churnwatch.evaluation.interval import Interval
from churnwatch.evaluation.slices import slice_figures
from churnwatch.evaluation.suspects import Suspect
from churnwatch.runs.card import FIGURES, SNAPSHOT, model_card, remarks_of
from churnwatch.runs.rival import Rival
from churnwatch.spec import Gates, Model, Words

N = 400
NAMES = ("random", "recency", "last_score", "tenure", "health", "logistic", "one_of_yours")
INTERVALS = {"random": Interval(0.2, 0.1, 0.3), "logistic": Interval(-0.05, -0.08, -0.01)}
SUSPECT = Suspect("forms", 0.951, 7_043, "alone it tells the outcome")
NOTES = {
    "trained_until": "2026-06-30T17:00:00+00:00",
    "as_ofs": ["2025-05-30", "2026-04-25"],
    "observations": 41_709,
    "choice": "12 rounds and platt calibration by 3 out-of-time dates",
    "skipped": {"calls": "interactions have no minutes"},
}


def judged(day, *, dated=True):
    rng = np.random.default_rng(day)
    margins = rng.normal(-1.5, 1, N)
    risks = 1 / (1 + np.exp(-margins))
    y = (rng.random(N) < risks).astype(int)
    figures = slice_figures(
        y,
        margins,
        as_of=date(2026, 3, day),
        risks=risks,
        baselines={name: margins + rng.normal(size=N) * (i + 1) for i, name in enumerate(NAMES)},
        days_left=np.where(y == 1, rng.uniform(7, 67, N), np.nan) if dated else None,
        groupings=[
            Grouping("segment", ["big"] * 340 + ["small"] * 20 + [None] * 40, today=True),
            Grouping("language", ["en"] * 345 + ["id"] * 55, today=False),
        ],
        trained_base_rate=0.3,
        replicates=40,
    )
    return SimpleNamespace(figures=figures | {"too_late": 3}, fitted=tiny_bundle().fitted, y=y, margins=margins)


def card(language, *, model=None, dates=(1, 2), remarks=(), dated=True, notes=NOTES):
    found = [judged(day, dated=dated) for day in dates]
    y, margins = found[0].y, found[0].margins
    noise = np.random.default_rng(1).normal(size=N)
    weak = dict.fromkeys(NAMES, noise) | {"last_score": np.zeros(N)}
    spec = SimpleNamespace(deployment=SimpleNamespace(zone="Asia/Jakarta"))
    return model_card(
        SimpleNamespace(deployment="demo", spec=spec, now=datetime(2026, 7, 2, tzinfo=UTC)),
        model or tiny_bundle().model,
        judged=found,
        verdict=gate(y, margins, baselines=weak, gates=Gates(), replicates=40),
        notes=notes,
        intervals=INTERVALS,
        remarks=remarks,
        language=language,
    )


def numbers(text):
    """Every number of the card as it would be written in English."""
    return re.findall(r"[-+]?\d[\d.,]*\d|[-+]?\d", text)


def test_both_languages_hold_the_same_numbers():
    """Points and commas change places, and nothing else."""
    english, indonesian = card("en"), card("id")
    # How the rounds were chosen is told in English only.
    skipped = NOTES["choice"]
    assert skipped in english
    plain = english.replace(skipped, "12 rounds")
    told = [one.translate(str.maketrans(",.", ".,")) for one in numbers(indonesian)]
    assert sorted(one.strip(".,") for one in numbers(plain)) == sorted(one.strip(".,") for one in told)
    assert len(told) > 150


@pytest.mark.parametrize(("language", "place"), [("en", 0), ("id", 1)])
def test_a_card_tells_every_figure_and_its_use(language, place):
    text = card(language)
    for word in (*FIGURES, "in_short", "simple", "lead", "use", "allowed", "forbidden", "meaning", "logistic"):
        assert WORDS[word][place] in text
    assert re.search(r"\n\| AUC \| 0[.,]\d{3} \(0[.,]\d{3}–0[.,]\d{3}\) \|", text)
    assert [] == re.findall(r"[{}]|\bNone\b|\bnan\b", text)
    assert 8 == text.count("\n## ")
    assert text == card(language)


def test_groups_with_too_little_say_so_in_both_languages():
    assert re.search(r"\| segment small \| 20 \| not enough data: 20 of 50 \|", card("en"))
    assert re.search(r"\| segmen small \| 20 \| data belum cukup: 20 dari 50 \|", card("id"))
    assert "Segment as they are today" not in card("en")
    assert "Segment as it is today: its source keeps no history." in card("en")
    assert "Segmen seperti keadaan hari ini: sumbernya tidak menyimpan riwayat." in card("id")
    assert "segment not known" in card("en")
    assert "segmen tidak diketahui" in card("id")


def test_what_the_gate_does_not_decide_by_stands_behind_it():
    rival = Rival("ab12", None, Words(en="Not compared.", id="Tidak dibandingkan."))
    remarks = remarks_of(tiny_bundle().model, rival=rival, intervals=INTERVALS, suspects=[SUSPECT])
    assert [
        "Not compared.",
        "At the owners' capacity logistic lists better: -5.0 points of precision for the model (95 % interval -8.0 to "
        "-1.0).",
        "Acknowledged in the model's file: forms, though alone it tells the outcome (AUC 0.951 over 7,043 "
        "observations).",
    ] == [one.en for one in remarks]
    assert "0,951 pada 7.043 pengamatan" in remarks[2].id
    for language in ("en", "id"):
        text = card(language, remarks=remarks)
        assert all(f"\n- {one.in_language(language)}" in text for one in remarks)
    assert "- Di sini tidak ada nilai survei: tidak ada pembandingnya." in card("id")


def test_whom_we_contacted_is_told_and_who_stands_for_them():
    told = {"handling": "weight", "dropped": 1204, "weighed": 31, "stand_for": 310.0}
    english, indonesian = (card(language, notes=NOTES | {"treated": told}) for language in ("en", "id"))
    assert "**Left out** are 1,204 observations whose customer we spoke to" in english
    assert "The figures of the test dates leave such out without weighing the others for them" in english
    assert "Angka pada tanggal uji juga tidak memuat mereka dan tidak dibobot" in indonesian
    assert (
        "31 observations of customers who would have been listed and were held out stand for 310 like them." in english
    )
    assert "**Tidak ikut** 1.204 pengamatan" in indonesian
    assert "mewakili 310 pelanggan seperti mereka." in indonesian
    assert "Left out" not in card("en")


def test_where_nobody_stands_for_those_left_out_the_card_warns():
    alone = {"handling": "weight", "dropped": 12, "weighed": 0, "stand_for": 0.0}
    options = {"rival": None, "intervals": {}, "suspects": []}
    [warning] = remarks_of(tiny_bundle().model, treated=alone, **options)
    assert "nobody held out stands for them" in warning.en
    assert "holdout di outreach.yaml" in warning.id
    for handling, weighed in (("weight", 1), ("exclude", 0)):
        told = alone | {"handling": handling, "weighed": weighed}
        assert () == remarks_of(tiny_bundle().model, treated=told, **options)


def test_a_snapshot_says_that_it_is_one_and_knows_no_lead_time():
    given = {"outcome": {"given": "churned"}, "grid": None, "horizon": None}
    model = Model.model_validate({**MODEL, **given, "families": ["contact"]})
    for language in ("en", "id"):
        text = card(language, model=model, dates=(1,), dated=False)
        assert SNAPSHOT.in_language(language) in text
        assert WORDS["lead_told"][language == "id"] not in text
        assert WORDS["judged_on"][language == "id"].split("{")[0] in text
    assert SNAPSHOT in remarks_of(model, rival=None, intervals={}, suspects=[])


def test_numbers_are_written_as_each_language_does():
    assert ("3,521", "0.853", "+1,234.5") == tuple(
        number(*one, digits=digits, signed=signed)
        for one, digits, signed in (((3521, "en"), 0, False), ((0.853, "en"), 3, False), ((1234.5, "en"), 1, True))
    )
    assert ("3.521", "0,853") == (number(3521, "id"), number(0.853, "id", digits=3))
