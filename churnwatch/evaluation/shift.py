"""Whether all risks of a date are too high or too low, in one sentence: the base rate moves, with the seasons or for
good, and the order of the list does not care.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from churnwatch.evaluation.deciles import Z


def shift_by_chance(risks: ArrayLike) -> float:
    """How far from the mean risk the observed rate may lie where every risk (n,) is right: 95 % of dates lie nearer.

    Outcomes are then independent draws; the variance of their mean is ``sum(r (1 - r)) / n**2``.
    """
    r = np.asarray(risks, dtype=np.float64)
    return float(Z * np.sqrt((r * (1 - r)).sum()) / len(r))


def shift_words(figures: Mapping[str, Any], language: str = "en") -> str | None:
    """The sentence about a slice whose risks are all too high or too low; ``None`` where they are not.

    Of a slice's JSON it reads ``base_rate``, ``base_rate_shift``, ``shift_by_chance``, ``ece_after_shift`` and
    ``trained_base_rate`` (``None``: not known). It speaks where the shift is beyond chance and larger than the
    calibration error that is left after it: then the level, not the shape of the risks, is what is wrong with them.
    """
    shift, rate, trained = figures["base_rate_shift"], figures["base_rate"], figures["trained_base_rate"]
    if abs(shift) <= max(figures["shift_by_chance"], figures["ece_after_shift"]):
        return None
    foretold = _percent(rate - shift, language)
    came, points = _percent(rate, language), _number(100 * abs(shift), language)
    moved = trained is not None and (rate - trained) * shift > 0 and abs(rate - trained) > abs(shift) / 2
    then = None if trained is None else _percent(trained, language)
    if language == "id":
        start = f"Tingkat dasar bergeser: {then} saat pelatihan, {came} pada tanggal ini; " if moved else ""
        end = f"{foretold} yang diramalkan{'' if moved else f', {came} yang terjadi'}"
        way = "rendah" if shift > 0 else "tinggi"
        told = f"{start}{end}: risiko rata-rata {points} poin terlalu {way}; urutannya tidak terpengaruh."
    else:
        start = f"The base rate moved: {then} in training, {came} at this date; " if moved else ""
        end = f"{foretold} were foretold{'' if moved else f', {came} came'}"
        way = "low" if shift > 0 else "high"
        told = f"{start}{end}: the risks are {points} points too {way} on average; the order is not affected."
    return told


def moved_words(rate: float, n: float, *, day: str, trained: float, language: str = "en") -> str | None:
    """The sentence about a base rate that has moved since training; ``None`` where it has not.

    ``rate`` is the share of the ``n`` observations of the last complete date, ``day``, that had the outcome (weighed:
    as many as they tell);
    ``trained`` that of training. It speaks where they lie further apart than chance would have them in 95 of 100
    dates and by more than a quarter of the smaller: our choice, because nobody contacts others for less.
    """
    by_chance = float(Z * np.sqrt(trained * (1 - trained) / n))
    if abs(rate - trained) <= max(by_chance, min(rate, trained) / 4):
        return None
    now, then = _percent(rate, language), _percent(trained, language)
    if language == "id":
        way = "rendah" if rate > trained else "tinggi"
        return (
            f"Tingkat dasar bergeser: {then} saat pelatihan, {now} pada {day}, tanggal terakhir yang hasilnya lengkap; "
            f"semua risiko mungkin terlalu {way}, urutannya tidak terpengaruh."
        )
    way = "low" if rate > trained else "high"
    return (
        f"The base rate moved: {then} in training, {now} at {day}, the last date whose outcomes are complete; all "
        f"risks may be too {way}, the order is not affected."
    )


def _percent(share: float, language: str) -> str:
    return f"{_number(100 * share, language)}{'%' if language == 'id' else ' %'}"


def _number(value: float, language: str) -> str:
    told = f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}"
    return told.replace(".", ",") if language == "id" else told
