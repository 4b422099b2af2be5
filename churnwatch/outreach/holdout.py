"""The holdout: who of those that would be listed is left alone at random, to measure by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from hashlib import blake2b
from typing import Literal

Arm = Literal["treated", "held_out"]
Stratum = tuple[str, str]
"""(owner, band): in each the share is kept by itself."""

FIRST_EPOCH = date(2020, 1, 1)
"""Epochs are counted from here in civil days, so that every deployment's begin on the same days."""


def epoch_of(day: date, *, length: int) -> date:
    """The first day of the epoch of ``length`` days that ``day`` lies in."""
    return FIRST_EPOCH + timedelta(days=(day - FIRST_EPOCH).days // length * length)


class Draw:
    """Permuted blocks by a keyed hash, within owner and band (Matts and Lachin 1988, Controlled Clinical Trials 9).

    Of every block of units in a stratum, in the order in which they are decided, a fixed number is held out, at places
    that a keyed hash of epoch, stratum and block picks: each unit is held out with probability ``share`` whatever its
    risk, and the arms of a stratum never differ by more than a block. ``decided`` says how many units of each stratum
    were decided before in the epoch. ``share`` is kept as the nearest fraction with a denominator of at most 100.
    """

    def __init__(self, share: float, *, epoch: date, key: str, decided: Mapping[Stratum, int] | None = None) -> None:
        fraction = Fraction(share).limit_denominator(100)
        self.held, self.size = fraction.numerator, fraction.denominator
        self.epoch = epoch
        self._key = key.encode()
        self._decided = Counter(decided or {})

    def arm(self, stratum: Stratum) -> Arm:
        """The arm of the stratum's next unit."""
        block, place = divmod(self._decided[stratum], self.size)
        self._decided[stratum] += 1
        order = sorted(range(self.size), key=lambda slot: self._hash(stratum, block, slot))
        return "held_out" if place in order[: self.held] else "treated"

    def _hash(self, stratum: Stratum, block: int, slot: int) -> bytes:
        told = "\x1f".join((self.epoch.isoformat(), *stratum, str(block), str(slot)))
        # blake2b's key is at most 64 bytes; a longer one is hashed down first.
        key = self._key if len(self._key) <= 64 else blake2b(self._key).digest()
        return blake2b(told.encode(), key=key, digest_size=16).digest()
