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
from churnwatch.signals.rows import AT, CUSTOMER, DAY, KNOWN, MASK, NEVER, Array

SUM, MEAN, MIN, MAX, LATEST = range(5)
LAST_OF_VALUES = LATEST
"""Up to here aggregates read the tallies of a measure, from here on those of rows."""
COUNT, DISTINCT, DAYS_SINCE, SHARE, OPEN, RATE, TREND, COUNT_TREND, GAP, GAP_RATIO, SILENCE = range(
    LAST_OF_VALUES + 1, LAST_OF_VALUES + 12
)


class Plan(NamedTuple):
    """What to tally and what to read from the tallies, for the columns of one event table.

    A *combination* is a set of conditions that some row meets together; a *pair* is a condition and a measure read
    under it; a *unit* counts the different levels (or civil days) under a condition in one window. A *slot* is a
    condition's or a pair's tally of one band: its number times the bands, plus the band. What a row is added to depends
    on its *case*, band times the combinations plus combination: only what some column wants of that band.
    """

    edges: Array
    """(bands - 1,) ages at which one band ends, included, and the next begins; the last band has no end."""
    meets: Array
    """(conditions, combinations) which combination meets which condition."""
    met_from: Array
    """(cases + 1,) where each case's slots begin in ..."""
    met: Array
    """... the slots of conditions a row is counted in."""
    timed_from: Array
    timed: Array
    """The slots of conditions whose ages are added up."""
    paired_from: Array
    paired: Array
    """The slots of pairs, and beside each ..."""
    paired_measure: Array
    """... the column of the rows that holds the measure."""
    unit_from: Array
    unit: Array
    """Units."""
    unit_by: Array
    """(units,) the column of the rows that holds the level's code (-1: none); civil days are counted where it is 0."""
    unit_stamps: Array
    """(units + 1,) where each unit's levels begin among all stamps; days have none."""
    shift_from: Array
    """Instants from which on the zone's clocks are ahead of UTC by ..."""
    shift: Array
    """... so many microseconds."""
    pairs: int

    out_row: Array
    """(columns,) the row of ``out`` a column fills."""
    what: Array
    """(columns,) the aggregate."""
    change: Array
    """(columns,) whether the window before is taken away."""
    youngest: Array
    """(columns, 2) the slot (of values: of the pair) of the youngest band of the window, and of the window before."""
    eldest: Array
    """(columns, 2) the slot of its eldest band, included."""
    base_youngest: Array
    """(columns, 2) the same for the rows of `of`."""
    base_eldest: Array
    units: Array
    """(columns, 2) the unit of a `distinct`, else 0."""
    condition: Array
    """(columns,)"""
    measure: Array
    """(columns,) the column of the rows that holds the measure, else 0."""
    low: Array
    """(columns, 2) the window is ``low < age <= high``."""
    high: Array
    """(columns, 2) NEVER for all history."""
    prior: Array
    """(columns,) the row of the priors a silence reads, else 0."""


class Tallies(NamedTuple):
    """What one observation's rows add up to, per slot of a condition or a pair; reused for the next."""

    n: Array
    youngest: Array
    eldest: Array
    ages_high: Array
    """The sum of the ages is ``ages_high * 2**32 + ages_low``: a large account would overflow one number."""
    ages_low: Array
    entered: Array
    """(bands,) the first row of each band."""
    valued: Array
    """How many rows have a value."""
    total: Array
    rest: Array
    """What rounding took from ``total``."""
    least: Array
    greatest: Array
    latest: Array
    different: Array
    """(units,)"""
    day: Array
    """(units,) the civil day counted last ..."""
    day_before: Array
    """... and the one counted before it."""
    stamps: Array
    """The observation that saw a level last."""


def new_tallies(plan: Plan) -> Tallies:
    """Room for the tallies of one observation."""
    bands, units = len(plan.edges) + 1, len(plan.unit_by)
    conditions = len(plan.meets)
    counts = [np.zeros(conditions * bands, np.int64) for _ in range(5)]
    numbers = [np.zeros(plan.pairs * bands) for _ in range(5)]
    return Tallies(
        counts[0],
        counts[1],
        counts[2],
        counts[3],
        counts[4],
        np.zeros(bands, np.int64),
        np.zeros(plan.pairs * bands, np.int64),
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        np.zeros(units, np.int64),
        np.zeros(units, np.int64),
        np.zeros(units, np.int64),
        np.full(int(plan.unit_stamps[-1]), -1, np.int64),
    )


@compiled
def tally(rows: Array, begin: int, end: int, plan: Plan, tallies: Tallies, as_of: int, observation: int) -> None:
    """Walk one customer's rows from ``begin`` on and add each to the tallies of the conditions it meets."""
    # Taken out of their tuples once: inside the loop each would be counted as one more owner of its array.
    edges, met_from, met, timed_from, timed = plan.edges, plan.met_from, plan.met, plan.timed_from, plan.timed
    paired_from, paired, paired_measure = plan.paired_from, plan.paired, plan.paired_measure
    unit_from, units, unit_by, unit_stamps = plan.unit_from, plan.unit, plan.unit_by, plan.unit_stamps
    shift_from, shift, combinations = plan.shift_from, plan.shift, plan.meets.shape[1]
    n, youngest, eldest, entered = tallies.n, tallies.youngest, tallies.eldest, tallies.entered
    ages_high, ages_low = tallies.ages_high, tallies.ages_low
    valued, total, rest = tallies.valued, tallies.total, tallies.rest
    least, greatest, latest = tallies.least, tallies.greatest, tallies.latest
    different, day, day_before, stamps = tallies.different, tallies.day, tallies.day_before, tallies.stamps
    numbers = rows.view(np.float64)
    n[:] = 0
    valued[:] = 0
    different[:] = 0
    day[:] = -NEVER
    day_before[:] = -NEVER
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
        for i in range(met_from[case], met_from[case + 1]):
            slot = met[i]
            if n[slot] == 0:
                eldest[slot] = age
                ages_high[slot] = 0
                ages_low[slot] = 0
            n[slot] += 1
            youngest[slot] = age
        for i in range(timed_from[case], timed_from[case + 1]):
            slot = timed[i]
            ages_high[slot] += age >> 32
            ages_low[slot] += age & MASK
        for i in range(paired_from[case], paired_from[case + 1]):
            value = numbers[row, paired_measure[i]]
            if np.isnan(value):
                continue
            slot = paired[i]
            if valued[slot] == 0:
                least[slot] = value
                greatest[slot] = value
                total[slot] = 0.0
                rest[slot] = 0.0
            valued[slot] += 1
            least[slot] = min(least[slot], value)
            greatest[slot] = max(greatest[slot], value)
            latest[slot] = value
            before = total[slot]
            total[slot] = before + value
            rest[slot] += lost(before, value)
        for i in range(unit_from[case], unit_from[case + 1]):
            unit = units[i]
            if unit_by[unit] == 0:
                clock = np.searchsorted(shift_from, rows[row, AT], side="right") - 1
                today = (rows[row, AT] + shift[clock]) // DAY
                # Clocks set back just after midnight bring back the day before, never an earlier one.
                if today != day[unit] and today != day_before[unit]:
                    day_before[unit] = day[unit]
                    day[unit] = today
                    different[unit] += 1
                continue
            level, stamp = rows[row, unit_by[unit]], unit_stamps[unit]
            if level >= 0 and stamps[stamp + level] != observation:
                stamps[stamp + level] = observation
                different[unit] += 1
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
