"""What one observation's rows add up to: tallies by condition and age band, filled in one walk over the rows.

Each row that had happened and was known falls into one **age band**, the stretch between two neighbouring edges of
windows, and is tallied there under each condition that it meets. A window is a run of neighbouring bands
(docs/signals.md has a picture); `walk.read` makes values of them. Times are microseconds, ages are ``as_of - at``; a
missing number is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnwatch.signals.compiled import compiled
from churnwatch.signals.rows import AT, CUSTOMER, KNOWN, MASK, NEVER, Array

SUM, MEAN, MIN, MAX, LATEST, UNTIL = range(6)
LAST_OF_VALUES = UNTIL
"""Up to here aggregates read the tallies of a measure, from here on those of rows."""
COUNT, DISTINCT, DAYS_SINCE, SHARE, OPEN, CLOSED, RATE, PACE, SEASON, COUNT_TREND, GAP, DUE, GAP_RATIO, SILENCE = range(
    LAST_OF_VALUES + 1, LAST_OF_VALUES + 15
)
TREND, MEDIAN, STEP, REPEATS, STREAK, WAITING = range(SILENCE + 1, SILENCE + 7)
"""From TREND on aggregates walk over the window's rows once more: no sum over bands tells them."""

N, YOUNGEST, ELDEST, AGES_HIGH, AGES_LOW = range(5)
"""Of a condition in a band: rows, ages. Their sum is ``AGES_HIGH * 2**32 + AGES_LOW``: one number would overflow."""
VALUED, TOTAL, REST, LEAST, GREATEST, LAST = range(6)
"""Of a pair in a band: rows with a value, their sum and what rounding took from it, extremes, the last value."""
DIFFERENT, DAY_LAST, DAY_BEFORE = range(3)
"""Of a unit: how many levels or days were seen, the day counted last and the one counted before it."""

MET, TIMED, PAIRED, DATED, LEVELLED = range(5)
"""The lists a case has in a plan."""

WHAT, OUT, MINUS, BEGIN, END, BASE_BEGIN, BASE_END, UNIT, CONDITION, BASE, COLUMN, LOW, HIGH, WITHIN, PRIOR = range(15)
"""What a reading needs to know (see ``Plan.readings``)."""


class Plan(NamedTuple):
    """What to tally and what to read from the tallies, for the columns of one event table.

    A *combination* is a set of conditions that some row meets together; a *pair* is a condition and a measure read
    under it; a *unit* counts the different levels (or civil days) under a condition in one window. A *slot* is the
    tally of a condition or a pair in one band: its number times the bands, plus the band. What a row is added to
    depends on its *case*, band times the combinations plus combination: only what some column wants of that band.
    """

    edges: Array
    """(bands - 1,) ages at which one band ends, included, and the next begins; the last band has no end."""
    meets: Array
    """(conditions, combinations) which combination meets which condition."""
    cases: Array
    """(cases + 1, 5) where each case's items begin in the following lists, and so where those before it end."""
    met: Array
    """Slots of conditions in which a row is counted."""
    timed: Array
    """Slots of conditions to which its age is added."""
    paired: Array
    """(items, 2) slots of pairs, and the column of the rows that holds the measure."""
    dated: Array
    """Units that count civil days."""
    levelled: Array
    """(items, 3) units that count levels, the column of the rows with the code, where the unit's stamps begin."""
    sizes: Array
    """How many pairs, units and stamps there are."""
    readings: Array
    """(readings, 15) one per column, and one more per change, which takes the window before away (MINUS).

    WHAT is the aggregate, OUT the row of ``out`` it fills; BEGIN to END are the slots (of values: of the pair) of the
    window's bands, youngest first, END included, BASE_BEGIN to BASE_END the same of what it is measured by (`of`, or
    the time before); CONDITION and BASE are the conditions of both, COLUMN the column of the rows with the measure or
    the code of `by`; the window is ``LOW < age <= HIGH``, WITHIN is in µs; PRIOR is the row of the priors. What an
    aggregate does not need is 0.
    """


class Tallies(NamedTuple):
    """What one observation's rows add up to; reused for the next."""

    counts: Array
    """(slots of conditions, 5)"""
    values: Array
    """(slots of pairs, 6) float64"""
    entered: Array
    """(bands,) the first row of each band."""
    units: Array
    """(units, 3)"""
    stamps: Array
    """The observation that saw a level last."""


def new_tallies(plan: Plan) -> Tallies:
    """Room for the tallies of one observation."""
    bands, (pairs, units, stamps) = len(plan.edges) + 1, plan.sizes
    return Tallies(
        np.zeros((len(plan.meets) * bands, 5), np.int64),
        np.zeros((pairs * bands, 6)),
        np.zeros(bands, np.int64),
        np.zeros((units, 3), np.int64),
        np.full(stamps, -1, np.int64),
    )


@compiled
def tally(rows: Array, begin: int, end: int, plan: Plan, tallies: Tallies, as_of: int, observation: int) -> None:
    """Walk one customer's rows from ``begin`` on and add each to the tallies of the conditions it meets."""
    # Taken out of their tuples once: inside the loop each would be counted as one more owner of its array.
    edges, cases, combinations = plan.edges, plan.cases, plan.meets.shape[1]
    met, timed, paired, dated, levelled = plan.met, plan.timed, plan.paired, plan.dated, plan.levelled
    counts, values, entered, units, stamps = tallies
    numbers = rows.view(np.float64)
    counts[:, N] = 0
    values[:, VALUED] = 0.0
    units[:, DIFFERENT] = 0
    units[:, DAY_LAST] = -NEVER
    units[:, DAY_BEFORE] = -NEVER
    band = len(edges)
    entered[band] = begin
    for row in range(begin, end):
        age = as_of - rows[row, AT]
        if age <= 0:
            break
        while band > 0 and age <= edges[band - 1]:
            band -= 1
            entered[band] = row
        if rows[row, KNOWN] >= as_of:
            continue
        case = band * combinations + (rows[row, CUSTOMER] & MASK)
        for i in range(cases[case, MET], cases[case + 1, MET]):
            slot = met[i]
            if counts[slot, N] == 0:
                counts[slot, ELDEST] = age
                counts[slot, AGES_HIGH] = 0
                counts[slot, AGES_LOW] = 0
            counts[slot, N] += 1
            counts[slot, YOUNGEST] = age
        for i in range(cases[case, TIMED], cases[case + 1, TIMED]):
            slot = timed[i]
            counts[slot, AGES_HIGH] += age >> 32
            counts[slot, AGES_LOW] += age & MASK
        for i in range(cases[case, PAIRED], cases[case + 1, PAIRED]):
            value = numbers[row, paired[i, 1]]
            if np.isnan(value):
                continue
            slot = paired[i, 0]
            if values[slot, VALUED] == 0.0:
                values[slot, TOTAL] = 0.0
                values[slot, REST] = 0.0
                values[slot, LEAST] = value
                values[slot, GREATEST] = value
            total = values[slot, TOTAL]
            values[slot, VALUED] += 1.0
            values[slot, TOTAL] = total + value
            values[slot, REST] += lost(total, value)
            values[slot, LEAST] = min(values[slot, LEAST], value)
            values[slot, GREATEST] = max(values[slot, GREATEST], value)
            values[slot, LAST] = value
        for i in range(cases[case, DATED], cases[case + 1, DATED]):
            unit, today = dated[i], rows[row, -1]
            # Clocks set back just after midnight bring back the day before, never an earlier one.
            if today != units[unit, DAY_LAST] and today != units[unit, DAY_BEFORE]:
                units[unit, DAY_BEFORE] = units[unit, DAY_LAST]
                units[unit, DAY_LAST] = today
                units[unit, DIFFERENT] += 1
        for i in range(cases[case, LEVELLED], cases[case + 1, LEVELLED]):
            level, stamp = rows[row, levelled[i, 1]], levelled[i, 2]
            if level >= 0 and stamps[stamp + level] != observation:
                stamps[stamp + level] = observation
                units[levelled[i, 0], DIFFERENT] += 1
    while band > 0:
        band -= 1
        entered[band] = end


@compiled
def lost(a: float, b: float) -> float:
    """What rounding takes from ``a + b``, exactly (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B).

    With it a sum is as good as exact, so that it depends neither on how many bands its window is cut into nor on what
    else is asked for; but for one that goes beyond what a double can hold on its way.
    """
    summed = a + b
    other = summed - a
    return (a - (summed - other)) + (b - other)
