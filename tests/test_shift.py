"""The base rate moves: said where it is beyond chance and more than what else is wrong with the risks."""

from __future__ import annotations

import numpy as np
import pytest

from churnwatch.evaluation.shift import shift_by_chance, shift_words


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
