"""How often the outcome came, by tenths of one signal, with intervals that know a customer is observed often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.spec.signal import Direction

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
Shape = Literal["rises", "falls", "turns", "flat"]
Agreement = Literal["agrees", "partly", "against", "unclear", "free"]

BINS = 10
Z = 1.959963984540054
"""The 97.5 % point of the normal distribution: intervals are of 95 %."""


@dataclass(frozen=True)
class Bin:
    """The observations whose values lie from ``low`` to ``high``, both inside; ``None`` in the bin of the missing.

    ``rate`` is outcomes over ``n``; ``floor`` and ``ceiling`` are its 95 % interval.
    """

    low: float | None
    high: float | None
    n: int
    customers: int
    outcomes: int
    rate: float
    floor: float
    ceiling: float


@dataclass(frozen=True)
class Deciles:
    """The bins in rising order, that of the missing apart (``None``: nobody lacks a value).

    ``trend`` is the rise of the rate over the bins in standard errors, 0 where there are fewer than two bins.
    """

    bins: tuple[Bin, ...]
    missing: Bin | None
    trend: float

    @property
    def shape(self) -> Shape:
        """Whether the rate rises with the value, falls, does both, or shows neither.

        It rises (falls) where the trend does so beyond its 95 % interval and the intervals of two bins at least lie
        apart that way; it turns where some lie apart one way and some the other.
        """
        rising, falling = self._apart()
        if rising and falling:
            return "turns"
        if rising and self.trend > Z:
            return "rises"
        if falling and self.trend < -Z:
            return "falls"
        return "flat"

    def agreement(self, direction: Direction) -> Agreement:
        """Does what became of customers agree with the direction a person wrote down?

        ``against``: the rate goes the other way. ``partly``: it turns. ``unclear``: no clear difference. ``free``:
        the direction is ``any``, so nothing was claimed.
        """
        shape = self.shape
        if direction == "any":
            return "free"
        if shape == "flat":
            return "unclear"
        expected = "rises" if direction == "up" else "falls"
        if shape == "turns":
            towards = self.trend if direction == "up" else -self.trend
            return "against" if towards < -Z else "partly"
        return "agrees" if shape == expected else "against"

    def _apart(self) -> tuple[bool, bool]:
        pairs = [(one, other) for i, one in enumerate(self.bins) for other in self.bins[i + 1 :]]
        rising = any(other.floor > one.ceiling for one, other in pairs)
        return rising, any(other.ceiling < one.floor for one, other in pairs)


def equal_mass(values: ArrayLike, *, bins: int = BINS) -> Codes:
    """The bin of each value, 0 the lowest; -1 for a missing one.

    At most ``bins`` bins of about equal mass. Equal values are never parted: all go where the middle one of them
    belongs, so a value that most customers share makes a bin of its own and fewer bins come out.
    """
    given = np.asarray(values, dtype=np.float64)
    codes = np.full(len(given), -1, dtype=np.int64)
    present = ~np.isnan(given)
    if not present.any():
        return codes
    _, place, counts = np.unique(given[present], return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    # Whole numbers, so that no rounding decides.
    wanted = (2 * before + counts) * bins // (2 * counts.sum())
    codes[present] = np.unique(wanted, return_inverse=True)[1][place]
    return codes


def wilson(rate: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a rate found among ``n``, within 0 and 1.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    square = Z * Z / n
    middle = (rate + square / 2) / (1 + square)
    half = Z * float(np.sqrt(max(rate * (1 - rate), 0.0) / n + square / (4 * n))) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def deciles(values: ArrayLike, outcome: ArrayLike, customers: ArrayLike, *, bins: int = BINS) -> Deciles:
    """The outcome rate by bin of ``equal_mass``; ``outcome`` 0 or 1, ``customers`` codes, all of shape (n,).

    A customer observed at several as-ofs is no new fact each time. So each interval is Wilson's for the *effective*
    number of observations: the real one over the design effect, which is how many times larger the variance of the
    rate is when customers, not observations, are what was drawn (never below 1). Where nobody or everybody had the
    outcome there is no variance to compare, and the number of customers stands in. Source: Franco, Little, Louis &
    Slud, Comparative study of confidence intervals for proportions in complex sample surveys, Journal of Survey
    Statistics and Methodology 7 (2019); variance between clusters: Cochran, Sampling Techniques (1977), ch. 9A.
    The trend is the score test of the bins' numbers with the same variance.
    """
    given = np.asarray(values, dtype=np.float64)
    y = np.asarray(outcome, dtype=np.float64)
    who = np.asarray(customers, dtype=np.int64)
    codes = equal_mass(given, bins=bins)
    count = int(codes.max(initial=-1)) + 1
    found = tuple(_bin(given, y, who, np.flatnonzero(codes == code)) for code in range(count))
    lacking = np.flatnonzero(codes < 0)
    missing = _bin(None, y, who, lacking) if len(lacking) else None
    return Deciles(found, missing, _trend(codes, y, who) if count > 1 else 0.0)


def _bin(values: Numbers | None, y: Numbers, who: Codes, rows: Codes) -> Bin:
    n, outcomes = len(rows), int(y[rows].sum())
    rate = outcomes / n
    sums, customers = _by_customer(y[rows] - rate, who[rows])
    effective = float(customers)
    if 0 < outcomes < n and customers > 1:
        between = float(sums @ sums) * customers / (customers - 1)
        effective = n / max(1.0, between / (n * rate * (1 - rate)))
    floor, ceiling = wilson(rate, effective)
    low = None if values is None else float(values[rows].min())
    high = None if values is None else float(values[rows].max())
    return Bin(low, high, n, customers, outcomes, rate, floor, ceiling)


def _by_customer(numbers: Numbers, who: Codes) -> tuple[Numbers, int]:
    """The sum of each customer's numbers, and how many customers there are."""
    order = np.argsort(who, kind="stable")
    grouped = who[order]
    starts = np.flatnonzero(np.concatenate(([True], grouped[1:] != grouped[:-1])))
    return np.add.reduceat(numbers[order], starts), len(starts)


def _trend(codes: Codes, y: Numbers, who: Codes) -> float:
    rows = np.flatnonzero(codes >= 0)
    place = codes[rows] - codes[rows].mean()
    sums, _ = _by_customer(place * (y[rows] - y[rows].mean()), who[rows])
    spread = float(np.sqrt(sums @ sums))
    return float(sums.sum()) / spread if spread > 0 else 0.0
