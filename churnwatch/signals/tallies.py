"""What one observation's rows add up to: tallies by condition and age band, filled in one walk over the rows.

Each row that had happened and was known falls into one **age band**, the stretch between two neighbouring edges of
windows, and is tallied there under each condition that it meets. A window is a run of neighbouring bands
(docs/signals.md has a picture); `read` makes values of them. Times are microseconds, ages are ``as_of - at``; a missing
number is NaN.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from churnwatch.signals.compiled import compiled

Array = np.ndarray[Any, Any]

DAY = 86_400_000_000
NEVER = 2**62
"""An age that no row reaches: the far end of all history."""
MASK = 2**32 - 1

SUM, MEAN, MIN, MAX, LATEST = range(5)
LAST_OF_VALUES = LATEST
COUNT, DISTINCT, DAYS_SINCE, SHARE, OPEN, RATE, TREND, COUNT_TREND, GAP, GAP_RATIO, SILENCE = range(5, 16)

CUSTOMER, AT, KNOWN, FIRST_MEASURE = range(4)
"""Columns of a block's rows: customer and combination of conditions in one number, then two clocks, then measures."""


class Plan(NamedTuple):
    """What to tally and what to read from the tallies, for the columns of one event table.

    A *combination* is a set of conditions that some row meets together; a *pair* is a condition and a measure read
    under it; a *unit* counts the different levels (or civil days) under a condition in one window.
    """

    met_from: Array
    """(bands * combinations + 1,) where in ``met`` the conditions begin that a combination meets and a band wants."""
    met: Array
    """Conditions. A band wants those with a column whose window it belongs to."""
    meets: Array
    """(conditions, combinations) which combination meets which condition."""
    timed: Array
    """(conditions,) whether the sum of the ages is wanted."""
    pair_from: Array
    """(conditions + 1,) where each condition's pairs begin; pairs are sorted by condition."""
    pair_measure: Array
    """(pairs,) the column of the rows that holds the measure."""
    pair_eldest: Array
    """(pairs,) the eldest band that wants the pair."""
    unit_from: Array
    """(conditions + 1,) where each condition's units begin; units are sorted by condition."""
    unit_by: Array
    """(units,) the column of the rows that holds the level's code (-1: none); civil days are counted where it is 0."""
    unit_low: Array
    unit_high: Array
    unit_stamps: Array
    """(units + 1,) where each unit's levels begin among all stamps; days have none."""
    shift_from: Array
    """Instants from which on the zone's clocks are ahead of UTC by ..."""
    shift: Array
    """... so many microseconds."""
    edges: Array
    """(bands - 1,) ages at which one band ends, included, and the next begins; the last band has no end."""
    place: Array
    """(columns,) the row of ``out`` a column fills."""
    what: Array
    """(columns, 2) the aggregate over the window and, for a change, over the window before; -1 for none."""
    condition: Array
    """(columns,) the rows of `where`; of a share those of `where` that are of `of` too."""
    base: Array
    """(columns,) the rows of `of`, else 0."""
    measure: Array
    """(columns,) the column of the rows that holds the measure, else 0."""
    pair: Array
    """(columns,) else 0."""
    unit: Array
    """(columns, 2) else 0."""
    first_band: Array
    """(columns, 2) the youngest band of the window."""
    last_band: Array
    """(columns, 2) its eldest band, included."""
    low: Array
    """(columns, 2) the window is ``low < age <= high``."""
    high: Array
    """(columns, 2) NEVER for all history."""
    prior: Array
    """(columns,) the row of the priors a silence reads, else 0."""


class Tallies(NamedTuple):
    """What one observation's rows add up to, per condition or pair and band; reused for the next."""

    n: Array
    youngest: Array
    eldest: Array
    ages_high: Array
    """The sum of the ages is ``ages_high * 2**32 + ages_low``: a large account would overflow one number."""
    ages_low: Array
    entered: Array
    """(bands,) the first row of each band."""
    values: Array
    """How many rows have a value."""
    total: Array
    rest: Array
    """What rounding took from ``total``."""
    least: Array
    greatest: Array
    last: Array
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
    bands = len(plan.edges) + 1
    by_condition = (len(plan.pair_from) - 1, bands)
    by_pair = (len(plan.pair_measure), bands)
    units = len(plan.unit_by)
    return Tallies(
        n=np.zeros(by_condition, np.int64),
        youngest=np.zeros(by_condition, np.int64),
        eldest=np.zeros(by_condition, np.int64),
        ages_high=np.zeros(by_condition, np.int64),
        ages_low=np.zeros(by_condition, np.int64),
        entered=np.zeros(bands, np.int64),
        values=np.zeros(by_pair, np.int64),
        total=np.zeros(by_pair),
        rest=np.zeros(by_pair),
        least=np.zeros(by_pair),
        greatest=np.zeros(by_pair),
        last=np.zeros(by_pair),
        different=np.zeros(units, np.int64),
        day=np.zeros(units, np.int64),
        day_before=np.zeros(units, np.int64),
        stamps=np.full(int(plan.unit_stamps[-1]), -1, np.int64),
    )


@compiled
def tally(rows: Array, begin: int, end: int, plan: Plan, tallies: Tallies, as_of: int, observation: int) -> None:
    """Walk one customer's rows from ``begin`` on and add each to the tallies of the conditions it meets."""
    # Taken out of their tuples once: inside the loop each would be counted as one more owner of its array.
    met_from, met, meets, timed, edges = plan.met_from, plan.met, plan.meets, plan.timed, plan.edges
    pair_from, pair_measure, pair_eldest = plan.pair_from, plan.pair_measure, plan.pair_eldest
    unit_from, unit_by, unit_stamps = plan.unit_from, plan.unit_by, plan.unit_stamps
    unit_low, unit_high, shift_from, shift = plan.unit_low, plan.unit_high, plan.shift_from, plan.shift
    n, youngest, eldest = tallies.n, tallies.youngest, tallies.eldest
    ages_high, ages_low, entered = tallies.ages_high, tallies.ages_low, tallies.entered
    values, total, rest = tallies.values, tallies.total, tallies.rest
    least, greatest, last = tallies.least, tallies.greatest, tallies.last
    different, day, day_before, stamps = tallies.different, tallies.day, tallies.day_before, tallies.stamps
    numbers = rows.view(np.float64)
    n[:] = 0
    values[:] = 0
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
        wanted = band * meets.shape[1] + (rows[row, CUSTOMER] & MASK)
        for i in range(met_from[wanted], met_from[wanted + 1]):
            condition = met[i]
            if n[condition, band] == 0:
                eldest[condition, band] = age
                ages_high[condition, band] = 0
                ages_low[condition, band] = 0
            n[condition, band] += 1
            youngest[condition, band] = age
            if timed[condition]:
                ages_high[condition, band] += age >> 32
                ages_low[condition, band] += age & MASK
            for pair in range(pair_from[condition], pair_from[condition + 1]):
                value = numbers[row, pair_measure[pair]]
                if np.isnan(value) or band > pair_eldest[pair]:
                    continue
                if values[pair, band] == 0:
                    least[pair, band] = value
                    greatest[pair, band] = value
                    total[pair, band] = 0.0
                    rest[pair, band] = 0.0
                values[pair, band] += 1
                least[pair, band] = min(least[pair, band], value)
                greatest[pair, band] = max(greatest[pair, band], value)
                last[pair, band] = value
                before = total[pair, band]
                total[pair, band] = before + value
                rest[pair, band] += lost(before, value)
            for unit in range(unit_from[condition], unit_from[condition + 1]):
                if age <= unit_low[unit] or age > unit_high[unit]:
                    continue
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
