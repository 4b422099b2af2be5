"""What to read of an event table and how to tally it, worked out from the columns asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnwatch.errors import ProjectError
from churnwatch.signals import tallies
from churnwatch.signals.tallies import DAY, FIRST_MEASURE, NEVER, Array, Plan
from churnwatch.spec import Column, Where, level_text

MOST_CODES = 2**22
"""More values than anybody names in conditions; a table of their combinations still fits."""

_WHAT = {
    "count": tallies.COUNT,
    "sum": tallies.SUM,
    "mean": tallies.MEAN,
    "min": tallies.MIN,
    "max": tallies.MAX,
    "latest": tallies.LATEST,
    "distinct": tallies.DISTINCT,
    "distinct_days": tallies.DISTINCT,
    "days_since": tallies.DAYS_SINCE,
    "share": tallies.SHARE,
    "open": tallies.OPEN,
    "rate": tallies.RATE,
    "trend": tallies.TREND,
    "count_trend": tallies.COUNT_TREND,
    "gap": tallies.GAP,
    "gap_ratio": tallies.GAP_RATIO,
    "silence": tallies.SILENCE,
}
_VALUES = range(tallies.LAST_OF_VALUES + 1)

Condition = tuple[tuple[str, tuple[str, ...]], ...]
"""A `where` in a normal form: (level, the texts it may be), sorted. Of two that must both hold, one after the other."""


@dataclass(frozen=True)
class Reading:
    """Which columns the rows of a block have after customer and clocks: measures, then codes of levels."""

    mentioned: dict[str, tuple[str, ...]]
    """The texts of each level that some condition names."""
    measures: tuple[str, ...]
    levels: tuple[str, ...]
    """The levels whose different values are counted."""

    @property
    def width(self) -> int:
        """How many columns a row has."""
        return FIRST_MEASURE + len(self.measures) + len(self.levels)


@dataclass(frozen=True)
class Work:
    """All the engine has to know to compute the columns of one event table."""

    table: str
    places: tuple[int, ...]
    """Where these columns stand among all that were asked for."""
    reading: Reading
    plan: Plan
    combination: Array
    """The combination of conditions met, by the code of the mentioned levels (`Reading.mentioned`, mixed radix)."""
    silences: tuple[tuple[int, int], ...]
    """(condition, window) of each prior to be known before any value."""
    reach: int
    """The greatest age of interest."""


@dataclass(frozen=True)
class _Asked:
    """One column: its aggregate, the rows it looks at, and its window beside the window before."""

    what: int
    where: Condition
    of: Condition | None
    measure: int
    by: int
    change: bool
    windows: tuple[tuple[int, int], tuple[int, int]]

    @property
    def own(self) -> tuple[tuple[int, int], ...]:
        """The windows it really reads."""
        return self.windows if self.change else self.windows[:1]


def reading_of(columns: Iterable[Column]) -> Reading:
    """What the columns of one event table want to know of a row."""
    columns = tuple(columns)
    mentioned: dict[str, set[str]] = {}
    for column in columns:
        for level, texts in (*_condition(column.signal.where), *_condition(column.signal.of or {})):
            mentioned.setdefault(level, set()).update(texts)
    return Reading(
        {level: tuple(sorted(texts)) for level, texts in sorted(mentioned.items())},
        tuple(sorted({column.signal.measure for column in columns if column.signal.measure})),
        tuple(sorted({column.signal.by for column in columns if column.signal.by})),
    )


def work_of(
    table: str, columns: Sequence[Column], reading: Reading, *, sizes: Mapping[str, int], shifts: tuple[Array, Array]
) -> Work:
    """The work for those of ``columns`` that read ``table``.

    ``sizes`` tells how many values a counted level has, ``shifts`` when the clocks of the zone are how far ahead of UTC
    (see `civil_shifts`).

    Raises ProjectError where the conditions name so many values that no table of their combinations fits.
    """
    places = tuple(place for place, column in enumerate(columns) if column.table == table)
    asked = [_asked(columns[place], reading) for place in places]
    conditions = sorted({one.where for one in asked} | {one.of for one in asked if one.of is not None})
    combination, meets = _combinations(table, conditions, reading.mentioned)
    mine = [(conditions.index(one.where), one) for one in asked]
    pairs = sorted({(c, one.measure) for c, one in mine if one.what in _VALUES})
    units = sorted({(c, one.by, *window) for c, one in mine if one.what == tallies.DISTINCT for window in one.own})
    silences = sorted({(c, one.windows[0][1]) for c, one in mine if one.what == tallies.SILENCE})
    edges = sorted({age for one in asked for window in one.own for age in window} - {0, NEVER})
    bands = [[_bands(edges, window) for window in one.windows] for one in asked]
    wanted = _wanted(mine, conditions, bands, met=meets, count=len(edges) + 1)
    levels = dict(enumerate(reading.levels, start=FIRST_MEASURE + len(reading.measures)))
    plan = Plan(
        met_from=_starts(map(len, wanted)),
        met=_ints([condition for some in wanted for condition in some]),
        meets=meets,
        timed=np.isin(np.arange(len(conditions)), [c for c, one in mine if one.what == tallies.COUNT_TREND]),
        pair_from=_starts(sum(c == own for own, _ in pairs) for c in range(len(conditions))),
        pair_measure=_ints([measure for _, measure in pairs]),
        pair_eldest=_ints(
            [
                max(_eldest(one, b) for (c, one), b in zip(mine, bands, strict=True) if (c, one.measure) == p)
                for p in pairs
            ]
        ),
        unit_from=_starts(sum(c == unit[0] for unit in units) for c in range(len(conditions))),
        unit_by=_ints([by for _, by, _, _ in units]),
        unit_low=_ints([low for _, _, low, _ in units]),
        unit_high=_ints([high for _, _, _, high in units]),
        unit_stamps=_starts(sizes[levels[by]] if by else 0 for _, by, _, _ in units),
        shift_from=shifts[0],
        shift=shifts[1],
        edges=_ints(edges),
        place=_ints(places),
        what=_ints([(one.what, one.what if one.change else -1) for one in asked]),
        condition=_ints([c for c, _ in mine]),
        base=_ints([0 if one.of is None else conditions.index(one.of) for one in asked]),
        measure=_ints([one.measure for one in asked]),
        pair=_ints([_place(pairs, (c, one.measure)) for c, one in mine]),
        unit=_ints([[_place(units, (c, one.by, *window)) for window in one.windows] for c, one in mine]),
        first_band=_ints([[first for first, _ in both] for both in bands]),
        last_band=_ints([[last for _, last in both] for both in bands]),
        low=_ints([[low for low, _ in one.windows] for one in asked]),
        high=_ints([[high for _, high in one.windows] for one in asked]),
        prior=_ints([_place(silences, (c, one.windows[0][1])) for c, one in mine]),
    )
    # A rate asks for the customer's first row of any kind, however long ago.
    rated = any(one.what == tallies.RATE for one in asked)
    reach = NEVER if rated else max(high for one in asked for _, high in one.own)
    return Work(table, places, reading, plan, combination, tuple(silences), reach)


def _wanted(
    mine: Sequence[tuple[int, _Asked]],
    conditions: Sequence[Condition],
    bands: Sequence[Sequence[tuple[int, int]]],
    *,
    met: Array,
    count: int,
) -> list[list[int]]:
    """By band (``count`` of them), then combination: the conditions met that some column wants so far back."""
    eldest = np.full(len(conditions), -1)
    for (condition, one), both in zip(mine, bands, strict=True):
        for own in (condition, condition if one.of is None else conditions.index(one.of)):
            eldest[own] = max(eldest[own], _eldest(one, both))
    return [
        [int(condition) for condition in np.flatnonzero(one & (eldest >= band))]
        for band in range(count)
        for one in met.T
    ]


def _bands(edges: Sequence[int], window: tuple[int, int]) -> tuple[int, int]:
    """The youngest and the eldest band of a window; of one that is never read, anything."""
    low, high = window
    return (0 if low == 0 else _place(edges, low) + 1), (len(edges) if high == NEVER else _place(edges, high))


def _eldest(one: _Asked, bands: Sequence[tuple[int, int]]) -> int:
    """The eldest band that is really read."""
    return bands[1 if one.change else 0][1]


def _asked(column: Column, reading: Reading) -> _Asked:
    signal = column.signal
    length = NEVER if column.window is None else round(column.window.days * DAY)
    before = (0, NEVER) if column.window is None else (length, 2 * length)
    where, of = _condition(signal.where), None if signal.of is None else _condition(signal.of)
    if signal.aggregate == "share" and of is not None:
        where = tuple(sorted((*where, *of)))
    by = 0
    if signal.by is not None:
        by = FIRST_MEASURE + len(reading.measures) + reading.levels.index(signal.by)
    measure = 0 if signal.measure is None else FIRST_MEASURE + reading.measures.index(signal.measure)
    return _Asked(_WHAT[signal.aggregate], where, of, measure, by, column.change, ((0, length), before))


def _condition(where: Where) -> Condition:
    return tuple(
        sorted(
            (level, tuple(sorted({level_text(one) for one in (wanted if isinstance(wanted, list) else [wanted])})))
            for level, wanted in where.items()
        )
    )


def _combinations(
    table: str, conditions: Sequence[Condition], mentioned: dict[str, tuple[str, ...]]
) -> tuple[Array, Array]:
    """(the combination of each code of the mentioned levels, (conditions, combinations) which one meets what).

    A code is of mixed radix: of each level in turn, 0 for a text that no condition names (or none), else 1 and on.
    """
    size = 1
    for texts in mentioned.values():
        size *= len(texts) + 1
    if size > MOST_CODES:
        named = ", ".join(f"{len(texts)} of {level}" for level, texts in mentioned.items())
        raise ProjectError(
            f"the conditions on {table} name too many values together: {named}",
            where="features/",
            allowed=f"(values + 1) of all levels multiplied: {MOST_CODES}",
            hint="group rare values in the source's SQL and name the groups",
        )
    codes = np.arange(size)
    digits: dict[str, Array] = {}
    for level, texts in mentioned.items():
        codes, digits[level] = np.divmod(codes, len(texts) + 1)
    met = np.ones((size, len(conditions)), dtype=np.bool_)
    for place, condition in enumerate(conditions):
        for level, texts in condition:
            met[:, place] &= np.isin(digits[level], [mentioned[level].index(text) + 1 for text in texts])
    # Rows of bits compare as one value each; as rows of booleans numpy would compare them one by one.
    packed = np.packbits(met, axis=1)
    _, first, combination = np.unique(
        packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True
    )
    return combination.astype(np.int32), np.ascontiguousarray(met[first].T)


def _starts(counts: Iterable[int]) -> Array:
    return np.concatenate([[0], np.cumsum(list(counts))]).astype(np.int64)


def _ints(values: Sequence[object]) -> Array:
    return np.array(values, dtype=np.int64)


def _place(items: Sequence[Any], item: object) -> int:
    """Where the item stands; 0 where a column has no use for one."""
    return items.index(item) if item in items else 0
