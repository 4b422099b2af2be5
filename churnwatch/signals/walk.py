"""The compiled pass: every signal of every observation, from one walk over a customer's rows.

`walk` goes through customers and their observations: it lets `tallies` tally the rows and `read` read each column from
the tallies. What an aggregate means is written once, in `read` and the functions below it.
"""

from __future__ import annotations

import numpy as np

from churnwatch.signals.compiled import compiled
from churnwatch.signals.tallies import (
    AT,
    COUNT,
    COUNT_TREND,
    CUSTOMER,
    DAY,
    DAYS_SINCE,
    DISTINCT,
    GAP,
    GAP_RATIO,
    KNOWN,
    LAST_OF_VALUES,
    LATEST,
    MASK,
    MAX,
    MEAN,
    MIN,
    OPEN,
    RATE,
    SHARE,
    SILENCE,
    SUM,
    TREND,
    Array,
    Plan,
    Tallies,
    lost,
    tally,
)


@compiled
def walk(
    rows: Array,
    starts: Array,
    plan: Plan,
    tallies: Tallies,
    spine_starts: Array,
    as_ofs: Array,
    places: Array,
    priors: Array,
    reach: int,
    out: Array,
) -> None:
    """Fill the plan's rows of ``out`` (columns, observations).

    ``rows`` (n_rows, width) are a block's, sorted by customer, at, known_at, id, those of its i-th customer from
    ``starts[i]`` on; that customer's observations are ``spine_starts[i]`` and on of ``as_ofs``. ``priors``
    (silences, distinct as-ofs) are read at the place of each observation's as-of. Rows of an age over ``reach`` are of
    no interest.
    """
    for customer in range(len(starts) - 1):
        begin, end = starts[customer], starts[customer + 1]
        for observation in range(spine_starts[customer], spine_starts[customer + 1]):
            as_of = as_ofs[observation]
            first = begin
            while first < end and rows[first, AT] < as_of and rows[first, KNOWN] >= as_of:
                first += 1
            first_age = as_of - rows[first, AT] if first < end and rows[first, AT] < as_of else -1
            if reach < first_age:
                first = _not_before(rows, first, end, as_of - reach)
            tally(rows, first, end, plan, tallies, as_of, observation)
            read(rows, end, plan, tallies, as_of, first_age, priors[:, places[observation]], out[:, observation])


@compiled
def _not_before(rows: Array, begin: int, end: int, at: int) -> int:
    """The first row from ``begin`` on that is not before ``at``."""
    while begin < end:
        middle = (begin + end) // 2
        if rows[middle, AT] < at:
            begin = middle + 1
        else:
            end = middle
    return begin


@compiled
def read(
    rows: Array,
    end: int,
    plan: Plan,
    tallies: Tallies,
    as_of: int,
    first_age: int,
    priors: Array,
    out: Array,
) -> None:
    """Read every column from the tallies of one observation into ``out`` (columns,).

    A column is read over its window (side 0) and, for a change, over the window before (side 1).
    """
    place, aggregate, condition, base = plan.place, plan.what, plan.condition, plan.base
    measure, pair, unit, prior, meets = plan.measure, plan.pair, plan.unit, plan.prior, plan.meets
    first_band, last_band, all_low, all_high = plan.first_band, plan.last_band, plan.low, plan.high
    counts, youngest, eldest, entered = tallies.n, tallies.youngest, tallies.eldest, tallies.entered
    ages_high, ages_low, different = tallies.ages_high, tallies.ages_low, tallies.different
    values, total, rest = tallies.values, tallies.total, tallies.rest
    least, greatest, latest = tallies.least, tallies.greatest, tallies.last
    for column in range(len(place)):
        result = 0.0
        for side in range(2):
            what = aggregate[column, side]
            if what < 0:
                break
            first, last = first_band[column, side], last_band[column, side]
            low, high = all_low[column, side], all_high[column, side]
            value = np.nan
            if what <= LAST_OF_VALUES:
                own = pair[column]
                if what == SUM:
                    value = _sum(values, total, rest, own, first, last)
                elif what == MEAN:
                    n = _count(values, own, first, last)
                    if n > 0:
                        value = _sum(values, total, rest, own, first, last) / n
                elif what == LATEST:
                    value = _latest(values, latest, own, first, last)
                elif what == MIN:
                    value = _extreme(values, least, own, first, last, 1.0)
                elif what == MAX:
                    value = _extreme(values, greatest, own, first, last, -1.0)
            else:
                own = condition[column]
                n = _count(counts, own, first, last)
                if what == COUNT:
                    value = float(n)
                elif what == RATE:
                    value = n * 30.0 / max(min(first_age, high) / DAY, 1.0)
                elif what == SHARE:
                    of = _count(counts, base[column], first, last)
                    if of > 0:
                        value = n / of
                elif what == OPEN:
                    value = float(max(n - _count(counts, base[column], first, last), 0))
                elif what == DISTINCT:
                    value = float(different[unit[column, side]])
                elif what == COUNT_TREND:
                    above = _ages(counts, ages_high, own, first, last)
                    below = _ages(counts, ages_low, own, first, last)
                    value = _count_trend(n, above, below, low, high)
                elif what == TREND:
                    value = _trend(rows, entered[last], end, meets[own], measure[column], as_of, low)
                elif n > 0:
                    quiet, seen = _quiet(counts, youngest, eldest, own, first, last)
                    if what == DAYS_SINCE:
                        value = quiet / DAY
                    elif what == SILENCE:
                        value = _silence(n, quiet, seen, priors[prior[column]])
                    elif n > 1:
                        gap = seen / DAY / (n - 1)
                        if what == GAP:
                            value = gap
                        elif what == GAP_RATIO and gap > 0:
                            value = quiet / DAY / gap
            result = value if side == 0 else result - value
        out[place[column]] = result if np.isfinite(result) else np.nan


@compiled
def _count(counts: Array, own: int, first: int, last: int) -> int:
    n = 0
    for band in range(first, last + 1):
        n += counts[own, band]
    return n


@compiled
def _ages(counts: Array, ages: Array, own: int, first: int, last: int) -> int:
    summed = 0
    for band in range(first, last + 1):
        if counts[own, band] > 0:
            summed += ages[own, band]
    return summed


@compiled
def _sum(values: Array, total: Array, rest: Array, own: int, first: int, last: int) -> float:
    summed, away = 0.0, 0.0
    for band in range(last, first - 1, -1):
        if values[own, band] > 0:
            away += rest[own, band] + lost(summed, total[own, band])
            summed += total[own, band]
    return summed + away


@compiled
def _latest(values: Array, latest: Array, own: int, first: int, last: int) -> float:
    for band in range(first, last + 1):
        if values[own, band] > 0:
            return float(latest[own, band])
    return np.nan


@compiled
def _extreme(values: Array, extremes: Array, own: int, first: int, last: int, sign: float) -> float:
    """The least (sign 1) or the greatest (sign -1) of the bands' extremes."""
    found = np.inf
    for band in range(first, last + 1):
        if values[own, band] > 0:
            found = min(found, sign * extremes[own, band])
    return sign * found


@compiled
def _quiet(counts: Array, youngest: Array, eldest: Array, own: int, first: int, last: int) -> tuple[int, int]:
    """The age of the youngest row, and the time from the eldest to it."""
    while counts[own, first] == 0:
        first += 1
    while counts[own, last] == 0:
        last -= 1
    return youngest[own, first], eldest[own, last] - youngest[own, first]


@compiled
def _silence(n: int, quiet: int, seen: int, usual: float) -> float:
    """The probability that a customer would have been heard of within ``quiet``.

    Rate ~ Gamma(1, usual gap), updated by the n - 1 further rows of ``seen`` time: the predictive probability of no row
    is ((usual + seen) / (usual + seen + quiet)) ** n (the Gamma–Poisson rate of Fader & Hardie, Marketing Science 24,
    2005). A prior that weighs as much as one gap is our choice: it matters only for customers with a handful of rows.
    Where every gap of all customers is 0, any quiet is certain: 1.
    """
    return 1.0 - (1.0 - quiet / (usual + seen + quiet)) ** n


@compiled
def _count_trend(n: int, ages_high: int, ages_low: int, low: int, high: int) -> float:
    """The slope of a density a + b t on t in [-1, 1): the first moment, the sum of t, is 2b/3.

    The sum is of whole microseconds, so that rows that balance give exactly 0.
    """
    above = n * ((low + high) >> 32) - 2 * ages_high
    below = n * ((low + high) & MASK) - 2 * ages_low
    moment = (above + (below >> 32)) * 4294967296.0 + (below & MASK)
    length = high - low
    return moment / length * (5400.0 / (length / DAY) ** 2)


@compiled
def _trend(rows: Array, begin: int, end: int, meets: Array, measure: int, as_of: int, low: int) -> float:
    """Least-squares slope per 30 days, in two passes over the window's rows: sums of squares would lose digits.

    A slope out of hours would be noise, and out of microseconds past what a double can tell apart: the rows must span a
    day.
    """
    numbers = rows.view(np.float64)
    n, age_mean, mean = 0, 0.0, 0.0
    eldest, youngest = 0, 0
    for row in range(begin, end):
        age = as_of - rows[row, AT]
        if age <= low:
            break
        value = numbers[row, measure]
        if np.isnan(value) or rows[row, KNOWN] >= as_of or not meets[rows[row, CUSTOMER] & MASK]:
            continue
        if n == 0:
            eldest = age
        youngest = age
        n += 1
        age_mean += (age / DAY - age_mean) / n
        mean += (value - mean) / n
    if n < 2 or eldest - youngest < DAY:
        return np.nan
    square, product = 0.0, 0.0
    for row in range(begin, end):
        age = as_of - rows[row, AT]
        if age <= low:
            break
        value = numbers[row, measure]
        if np.isnan(value) or rows[row, KNOWN] >= as_of or not meets[rows[row, CUSTOMER] & MASK]:
            continue
        apart = age / DAY - age_mean
        square += apart * apart
        product += apart * (value - mean)
    return -30.0 * product / square
