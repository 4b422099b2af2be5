"""The compiled pass: every signal of every observation, from one walk over a customer's rows.

`walk` goes through customers and their observations: it lets `tallies` tally the rows and `read` read each column from
the tallies. What an aggregate means is written once, in `read` and the functions below it.
"""

from __future__ import annotations

import numpy as np

from churnwatch.signals.compiled import compiled
from churnwatch.signals.rows import AT, CUSTOMER, DAY, KNOWN, MASK, Array
from churnwatch.signals.tallies import (
    AGES_HIGH,
    AGES_LOW,
    BASE,
    BASE_BEGIN,
    BASE_END,
    BEGIN,
    CLOSED,
    COLUMN,
    CONDITION,
    COUNT,
    COUNT_TREND,
    DAYS_SINCE,
    DIFFERENT,
    DISTINCT,
    DUE,
    ELDEST,
    END,
    GAP,
    GAP_RATIO,
    GREATEST,
    HIGH,
    LAST,
    LAST_OF_VALUES,
    LATEST,
    LEAST,
    LOW,
    MAX,
    MEAN,
    MEDIAN,
    MIN,
    MINUS,
    OPEN,
    OUT,
    PACE,
    PRIOR,
    RATE,
    REPEATS,
    REST,
    SEASON,
    SHARE,
    SILENCE,
    STEP,
    STREAK,
    SUM,
    TOTAL,
    TREND,
    UNIT,
    UNTIL,
    VALUED,
    WHAT,
    WITHIN,
    YOUNGEST,
    N,
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
    moments: Array,
    members: Array,
    priors: Array,
    reach: int,
    out: Array,
) -> None:
    """Fill the plan's rows of ``out`` (columns, observations).

    ``rows`` (n_rows, width) are a block's, sorted by customer, at, known_at, id, those of its i-th customer from
    ``starts[i]`` on; that customer's observations are ``spine_starts[i]`` and on of ``as_ofs``. ``priors``
    (silences, groups, distinct as-ofs) are read at ``moments``, the place of each observation's as-of, in the group
    that ``members`` (customers, 2) tell once it is known. Rows of an age over ``reach`` are of no interest.
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
            group = members[customer, 0] if members[customer, 1] < as_of else 0
            prior = priors[:, group, moments[observation]]
            read(rows, end, plan, tallies, as_of, first_age, prior, out[:, observation])


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
    """Read every column from the tallies of one observation into ``out`` (columns,)."""
    readings, meets, bands = plan.readings, plan.meets, len(plan.edges) + 1
    counts, values, entered, units = tallies.counts, tallies.values, tallies.entered, tallies.units
    for i in range(len(readings)):
        what, begin, last = readings[i, WHAT], readings[i, BEGIN], readings[i, END]
        low, high = readings[i, LOW], readings[i, HIGH]
        value = np.nan
        if what <= LAST_OF_VALUES:
            if what == SUM:
                value = _sum(values, begin, last)
            elif what == MEAN:
                valued = _valued(values, begin, last)
                if valued > 0:
                    value = _sum(values, begin, last) / valued
            elif what == LATEST:
                value = _latest(values, begin, last)
            elif what == UNTIL:
                value = _latest(values, begin, last) - as_of / DAY
            elif what == MIN:
                value = _extreme(values, LEAST, begin, last, 1.0)
            elif what == MAX:
                value = _extreme(values, GREATEST, begin, last, -1.0)
        elif what == DISTINCT:
            value = float(units[readings[i, UNIT], DIFFERENT])
        elif what >= TREND:
            start, own, base = entered[last % bands], meets[readings[i, CONDITION]], meets[readings[i, BASE]]
            if what == TREND:
                value = _trend(rows, start, end, own, readings[i, COLUMN], as_of, low)
            elif what == MEDIAN:
                value = _median(rows, start, end, own, readings[i, COLUMN], as_of, low)
            elif what == STEP:
                value = _step(rows, start, end, own, readings[i, COLUMN], as_of, low)
            elif what == REPEATS:
                within = readings[i, WITHIN]
                value = _repeats(rows, entered[bands - 1], start, end, own, readings[i, COLUMN], as_of, low, within)
            else:
                streak, waiting = _after(rows, start, end, own, base, as_of, low)
                value = float(streak) if what == STREAK else waiting / DAY
        else:
            n = _added(counts, N, begin, last)
            if what == COUNT:
                value = float(n)
            elif what == RATE:
                value = n * 30.0 / max(min(first_age, high) / DAY, 1.0)
            elif what == SHARE:
                of = _added(counts, N, readings[i, BASE_BEGIN], readings[i, BASE_END])
                if of > 0:
                    value = n / of
            elif what == OPEN:
                value = float(max(n - _added(counts, N, readings[i, BASE_BEGIN], readings[i, BASE_END]), 0))
            elif what == CLOSED:
                if n > 0:
                    value = min(_added(counts, N, readings[i, BASE_BEGIN], readings[i, BASE_END]) / n, 1.0)
            elif what == PACE:
                before = _added(counts, N, readings[i, BASE_BEGIN], readings[i, BASE_END])
                if before > 0 and first_age >= 2 * high:
                    value = n / before * ((first_age - high) / high)
            elif what == SEASON:
                if first_age >= high:
                    value = float(n)
            elif what == COUNT_TREND:
                above, below = _added(counts, AGES_HIGH, begin, last), _added(counts, AGES_LOW, begin, last)
                value = _count_trend(n, above, below, low, high)
            elif n > 0:
                quiet, seen = _quiet(counts, begin, last)
                if what == DAYS_SINCE:
                    value = quiet / DAY
                elif what == SILENCE:
                    value = _silence(n, quiet, seen, priors[readings[i, PRIOR]])
                elif n > 1:
                    gap = seen / DAY / (n - 1)
                    if what == GAP:
                        value = gap
                    elif what == DUE:
                        value = gap - quiet / DAY
                    elif what == GAP_RATIO and gap > 0:
                        value = quiet / DAY / gap
        if readings[i, MINUS]:
            value = out[readings[i, OUT]] - value
        out[readings[i, OUT]] = value if np.isfinite(value) else np.nan


@compiled
def _added(counts: Array, what: int, begin: int, last: int) -> int:
    summed = 0
    for slot in range(begin, last + 1):
        if counts[slot, N] > 0:
            summed += counts[slot, what]
    return summed


@compiled
def _valued(values: Array, begin: int, last: int) -> float:
    valued = 0.0
    for slot in range(begin, last + 1):
        valued += values[slot, VALUED]
    return valued


@compiled
def _sum(values: Array, begin: int, last: int) -> float:
    summed, away = 0.0, 0.0
    for slot in range(last, begin - 1, -1):
        if values[slot, VALUED] > 0:
            away += values[slot, REST] + lost(summed, values[slot, TOTAL])
            summed += values[slot, TOTAL]
    return summed + away


@compiled
def _latest(values: Array, begin: int, last: int) -> float:
    for slot in range(begin, last + 1):
        if values[slot, VALUED] > 0:
            return float(values[slot, LAST])
    return np.nan


@compiled
def _extreme(values: Array, which: int, begin: int, last: int, sign: float) -> float:
    """The least (sign 1) or the greatest (sign -1) of the bands' extremes."""
    found = np.inf
    for slot in range(begin, last + 1):
        if values[slot, VALUED] > 0:
            found = min(found, sign * values[slot, which])
    return sign * found


@compiled
def _quiet(counts: Array, begin: int, last: int) -> tuple[int, int]:
    """The age of the youngest row, and the time from the eldest to it."""
    while counts[begin, N] == 0:
        begin += 1
    while counts[last, N] == 0:
        last -= 1
    return counts[begin, YOUNGEST], counts[last, ELDEST] - counts[begin, YOUNGEST]


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


@compiled
def _median(rows: Array, begin: int, end: int, meets: Array, measure: int, as_of: int, low: int) -> float:
    """The middle of the window's values, of an even number the mean of the middle two."""
    numbers = rows.view(np.float64)
    found = np.empty(end - begin)
    n = 0
    for row in range(begin, end):
        if as_of - rows[row, AT] <= low:
            break
        value = numbers[row, measure]
        if np.isnan(value) or rows[row, KNOWN] >= as_of or not meets[rows[row, CUSTOMER] & MASK]:
            continue
        found[n] = value
        n += 1
    if n == 0:
        return np.nan
    found = np.sort(found[:n])
    upper = found[n // 2]
    return float(upper if n % 2 else found[n // 2 - 1] / 2.0 + upper / 2.0)


@compiled
def _step(rows: Array, begin: int, end: int, meets: Array, measure: int, as_of: int, low: int) -> float:
    """The last of the window's values minus the one before."""
    numbers = rows.view(np.float64)
    before, last = np.nan, np.nan
    for row in range(begin, end):
        if as_of - rows[row, AT] <= low:
            break
        value = numbers[row, measure]
        if np.isnan(value) or rows[row, KNOWN] >= as_of or not meets[rows[row, CUSTOMER] & MASK]:
            continue
        before, last = last, value
    return last - before


@compiled
def _repeats(
    rows: Array, first: int, begin: int, end: int, meets: Array, by: int, as_of: int, low: int, within: int
) -> float:
    """The window's rows with a row of the same level before them, at most ``within`` elder; from ``first`` on."""
    n = 0
    for row in range(begin, end):
        if as_of - rows[row, AT] <= low:
            break
        level = rows[row, by]
        if level < 0 or rows[row, KNOWN] >= as_of or not meets[rows[row, CUSTOMER] & MASK]:
            continue
        for before in range(row - 1, first - 1, -1):
            if rows[row, AT] - rows[before, AT] > within:
                break
            if rows[before, by] == level and rows[before, KNOWN] < as_of and meets[rows[before, CUSTOMER] & MASK]:
                n += 1
                break
    return float(n)


@compiled
def _after(rows: Array, begin: int, end: int, meets: Array, base: Array, as_of: int, low: int) -> tuple[int, int]:
    """How many of the window's rows came after the last row of ``base``, and the age of the first of them (0: none)."""
    n, age = 0, 0
    for row in range(begin, end):
        if as_of - rows[row, AT] <= low:
            break
        if rows[row, KNOWN] >= as_of:
            continue
        if base[rows[row, CUSTOMER] & MASK]:
            n, age = 0, 0
        elif meets[rows[row, CUSTOMER] & MASK]:
            if n == 0:
                age = as_of - rows[row, AT]
            n += 1
    return n, age
