"""The base rate moves: said where it is beyond chance and more than what else is wrong with the risks."""

from __future__ import annotations

import numpy as np
import pytest

from churnwatch.evaluation.shift import moved_words, shift_by_chance, shift_words


def figures(*, rate, foretold, trained=0.42, chance=0.01, left=0.02):
    return {
        "base_rate": rate, "base_rate_shift": rate - foretold, "trained_base_rate": trained,
        "shift_by_chance": chance, "ece_after_shift": left,
    }  # fmt: skip


def test_the_sentence_in_both_languages():
    moved = figures(rate=0.56, foretold=0.425, trained=0.417)
    assert (
        "The base rate moved: 42 % in training, 56 % at this date; 42 % were foretold: the risks are 14 points too low "
        "on average; the order is not affected." == shift_words(moved)
    )
    assert (
        "Tingkat dasar bergeser: 42% saat pelatihan, 56% pada tanggal ini; 42% yang diramalkan: risiko rata-rata 14 "
        "poin terlalu rendah; urutannya tidak terpengaruh." == shift_words(moved, "id")
    )


def test_risks_that_are_off_though_the_base_rate_did_not_move():
    """Nothing moved since training, so nothing is said to have."""
    off = figures(rate=0.041, foretold=0.068, trained=0.042)
    assert (
        "6.8 % were foretold, 4.1 % came: the risks are 2.7 points too high on average; the order is not affected."
        == shift_words(off)
    )
    assert "2,7 poin terlalu tinggi" in shift_words(off, "id")
    assert "4.1 % came" in shift_words(off | {"trained_base_rate": None})


@pytest.mark.parametrize(
    "quiet",
    [
        figures(rate=0.05, foretold=0.055, chance=0.006, left=0.001),
        figures(rate=0.05, foretold=0.09, chance=0.006, left=0.05),
        figures(rate=0.05, foretold=0.05, chance=0.0, left=0.0),
    ],
)
def test_chance_or_a_wrong_shape_is_no_shift(quiet):
    assert shift_words(quiet) is None


def test_the_chance_by_hand():
    """100 risks of 0.2: the variance of a rate is 0.16 / 100, so 1.96 x 0.04."""
    assert 1.96 * 0.04 == pytest.approx(shift_by_chance([0.2] * 100), abs=1e-5)


def test_by_chance_one_date_in_twenty_is_further_off():
    """400 dates whose risks are right: about 20 lie beyond."""
    rng = np.random.default_rng(3)
    beyond = 0
    for _ in range(400):
        risks = rng.beta(1, 9, 800)
        beyond += abs((rng.random(800) < risks).mean() - risks.mean()) > shift_by_chance(risks)
    assert 8 <= beyond <= 34


def test_a_base_rate_that_moved_since_training_is_told_in_both_languages():
    """10 % of 1,000 in training's place 15 %: chance is 1.96 * sqrt(0.15 * 0.85 / 1000) = 2.2 points, a quarter 2.5."""
    assert (
        "The base rate moved: 15 % in training, 10 % at 2026-04-25, the last date whose outcomes are complete; "
        "all risks may be too high, the order is not affected."
    ) == moved_words(0.10, 1_000, day="2026-04-25", trained=0.15)
    assert "mungkin terlalu rendah" in moved_words(0.2, 1_000, day="2026-04-25", trained=0.15, language="id")


@pytest.mark.parametrize(
    ("rate", "n", "trained"),
    [(0.15, 1_000, 0.15), (0.12, 100_000, 0.15), (0.10, 60, 0.15), (0.18, 100_000, 0.15)],
    ids=["the same", "less than a quarter below", "few", "less than a quarter above"],
)
def test_a_base_rate_that_moved_little_or_perhaps_by_chance_is_not_told(rate, n, trained):
    assert moved_words(rate, n, day="2026-04-25", trained=trained) is None
