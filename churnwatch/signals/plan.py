"""What to read of an event table and how to tally it, worked out from the columns asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnwatch.errors import ProjectError
from churnwatch.signals import tallies
from churnwatch.signals.following import FOLLOWS, following
from churnwatch.signals.rows import DAY, FIRST_MEASURE, NEVER, Array, starts_of
from churnwatch.signals.tallies import Plan
from churnwatch.spec import Column, Signal, Where, level_text

MOST_CODES = 2**22
"""More values than anybody names in conditions; a table of their combinations still fits."""

_WHAT = {
    "count": tallies.COUNT,
    "sum": tallies.SUM,
    "mean": tallies.MEAN,
    "min": tallies.MIN,
    "max": tallies.MAX,
    "median": tallies.MEDIAN,
    "latest": tallies.LATEST,
    "step": tallies.STEP,
    "days_until": tallies.UNTIL,
    "distinct": tallies.DISTINCT,
    "gone": tallies.DISTINCT,
    "repeats": tallies.REPEATS,
    "distinct_days": tallies.DISTINCT,
    "days_since": tallies.DAYS_SINCE,
    "share": tallies.SHARE,
    "open": tallies.OPEN,
    "closed": tallies.CLOSED,
    "streak": tallies.STREAK,
    "waiting": tallies.WAITING,
    "rate": tallies.RATE,
    "pace": tallies.PACE,
    "season": tallies.SEASON,
    "trend": tallies.TREND,
    "count_trend": tallies.COUNT_TREND,
    "gap": tallies.GAP,
    "due": tallies.DUE,
    "gap_ratio": tallies.GAP_RATIO,
    "silence": tallies.SILENCE,
}
_VALUES = range(tallies.LAST_OF_VALUES + 1)
_YEAR = 364 * DAY
"""52 weeks: the same weekdays a year before."""

Condition = tuple[tuple[str, tuple[str, ...]], ...]
"""A `where` in a normal form: (level, the texts it may be), sorted. Of two that must both hold, one after the other."""


@dataclass(frozen=True)
class Reading:
    """Which columns the rows of a block have after customer and clocks: measures, codes of levels, the civil day."""

    mentioned: dict[str, tuple[str, ...]]
    """The texts of each level that some condition names."""
    measures: tuple[str, ...]
    levels: tuple[str, ...]
    """The levels whose different values are counted."""
    days: bool
    """Whether the last column is the civil day, as a number that rises by one from day to day."""

    @property
    def width(self) -> int:
        """How many columns a row has."""
        return FIRST_MEASURE + len(self.measures) + len(self.levels) + self.days


@dataclass(frozen=True)
class Work:
    """All the engine has to know to compute the columns of one event table."""

    table: str
    columns: int
    """How many of the columns asked for are of this table."""
    reading: Reading
    plan: Plan
    combination: Array
    """The combination of conditions met, by the code of the mentioned levels (`Reading.mentioned`, mixed radix)."""
    silences: tuple[tuple[int, int], ...]
    """(condition, window in µs) of each prior to be known before any value."""
    reach: int
    """The greatest age of interest."""
    in_turn: bool
    """Whether some column asks what came after what, so that rows of one instant must be in the order of their ids."""


@dataclass(frozen=True)
class _Asked:
    """One column: its aggregate, the rows it looks at, and its window beside the window before."""

    out_row: int
    what: int
    where: Condition
    of: Condition | None
    measure: int
    by: int
    within: int
    change: bool
    windows: tuple[tuple[int, int], tuple[int, int]]

    @property
    def own(self) -> tuple[tuple[int, int], ...]:
        """The windows it really reads, but for that of its base."""
        return self.windows if self.change else self.windows[:1]

    @property
    def base(self) -> tuple[tuple[int, int], ...]:
        """Beside each window it reads, that of the rows it is measured by."""
        return self.windows[1:] if self.what == tallies.PACE else self.own


def reading_of(columns: Iterable[Column]) -> Reading:
    """What the columns of one event table want to know of a row."""
    columns = tuple(columns)
    mentioned: dict[str, set[str]] = {}
    for column in columns:
        for level, texts in (*_own(column.signal), *_condition(column.signal.of or {})):
            mentioned.setdefault(level, set()).update(texts)
    return Reading(
        {level: tuple(sorted(texts)) for level, texts in sorted(mentioned.items())},
        tuple(sorted({column.signal.measure for column in columns if column.signal.measure})),
        tuple(sorted({column.signal.by for column in columns if column.signal.by})),
        any(column.signal.aggregate == "distinct_days" for column in columns),
    )


def work_of(table: str, columns: Sequence[Column], reading: Reading, *, sizes: Mapping[str, int]) -> Work:
    """The work for those of ``columns`` that read ``table``; ``sizes`` tells how many values a counted level has.

    Raises ProjectError where the conditions name so many values that no table of their combinations fits.
    """
    asked = sorted(
        (_asked(column, place, reading) for place, column in enumerate(columns) if column.table == table),
        key=lambda one: (one.what, one.out_row),  # alike beside alike: the processor guesses right what comes next
    )
    conditions = sorted({one.where for one in asked} | {one.of for one in asked if one.of is not None})
    combination, meets = _combinations(table, conditions, reading.mentioned)
    edges = sorted({age for one in asked for window in (*one.own, *one.base) for age in window} - {0, NEVER})
    bands = len(edges) + 1
    pairs = sorted({(one.where, one.measure) for one in asked if one.what in _VALUES})
    units = sorted({(one.where, one.by, window) for one in asked if one.what == tallies.DISTINCT for window in one.own})
    silences = sorted({(one.where, one.windows[0][1]) for one in asked if one.what == tallies.SILENCE})
    wanted = _wanted(asked, edges)
    timed = {one.where for one in asked if one.what == tallies.COUNT_TREND}

    def cases(items: Sequence[Any], where: Callable[[Any], Condition]) -> list[list[int]]:
        """By case: the numbers of the items whose condition is met and that are wanted of the band."""
        return [
            [i for i, item in enumerate(items) if met[conditions.index(where(item))] and band in wanted[item]]
            for band in range(bands)
            for met in meets.T
        ]

    def slots(numbers: Sequence[Sequence[int]]) -> list[list[int]]:
        return [[i * bands + case // meets.shape[1] for i in some] for case, some in enumerate(numbers)]

    def runs(one: _Asked) -> list[tuple[int, int]]:
        """The slots of both windows: of the pair for values, else of the condition."""
        number = pairs.index((one.where, one.measure)) if one.what in _VALUES else conditions.index(one.where)
        return [(number * bands + first, number * bands + last) for first, last in _runs(edges, one.own)]

    def base_runs(one: _Asked) -> list[tuple[int, int]]:
        number = 0 if one.of is None else conditions.index(one.of)
        return [(number * bands + first, number * bands + last) for first, last in _runs(edges, one.base)]

    levels = dict(enumerate(reading.levels, start=FIRST_MEASURE + len(reading.measures)))
    stamps = starts_of(sizes[levels[by]] if by else 0 for _, by, _ in units)
    met = cases(conditions, lambda condition: condition)
    paired = cases(pairs, lambda pair: pair[0])
    used = cases(units, lambda unit: unit[0])
    lists = [
        slots(met),
        slots([[c for c in some if conditions[c] in timed] for some in met]),
        slots(paired),
        [[unit for unit in some if units[unit][1] == 0] for some in used],
        [[unit for unit in some if units[unit][1] != 0] for some in used],
    ]
    readings = [
        (
            *(one.what, one.out_row, side, *runs(one)[side], *base_runs(one)[side]),
            *(_place(units, (one.where, one.by, window)), conditions.index(one.where), _place(conditions, one.of)),
            *(one.measure or one.by, *window, one.within, _place(silences, (one.where, window[1]))),
        )
        for one in asked
        for side, window in enumerate(one.own)
    ]
    plan = Plan(
        edges=_ints(edges),
        meets=meets,
        cases=np.stack([starts_of(map(len, some)) for some in lists], axis=1),
        met=_ints(_flat(lists[tallies.MET])),
        timed=_ints(_flat(lists[tallies.TIMED])),
        paired=_ints(
            list(zip(_flat(lists[tallies.PAIRED]), (pairs[i][1] for i in _flat(paired)), strict=True)), width=2
        ),
        dated=_ints(_flat(lists[tallies.DATED])),
        levelled=_ints([(i, units[i][1], stamps[i]) for i in _flat(lists[tallies.LEVELLED])], width=3),
        sizes=_ints([len(pairs), len(units), stamps[-1]]),
        readings=_ints(readings, width=15),
    )
    # These ask for the customer's first row of any kind, however long ago.
    rated = any(one.what in (tallies.RATE, tallies.PACE, tallies.SEASON) for one in asked)
    reach = NEVER if rated else min(max(high + one.within for one in asked for _, high in one.own), NEVER)
    told = tuple((conditions.index(where), high) for where, high in silences)
    in_turn = any(one.what in (tallies.STREAK, tallies.WAITING) for one in asked)
    return Work(table, len(asked), reading, plan, combination, told, reach, in_turn)


def _wanted(asked: Sequence[_Asked], edges: Sequence[int]) -> dict[Any, set[int]]:
    """The bands that are wanted of each condition, pair (condition, measure) and unit (condition, by, window)."""
    wanted: dict[Any, set[int]] = defaultdict(set)
    for one in asked:
        for window, (first, last) in zip(one.own, _runs(edges, one.own), strict=True):
            for item in (one.where, (one.where, one.measure), (one.where, one.by, window)):
                wanted[item].update(range(first, last + 1))
        for first, last in _runs(edges, one.base):
            wanted[one.of].update(range(first, last + 1))
    return wanted


def _runs(edges: Sequence[int], windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The youngest and the eldest band of each window."""
    return [
        (0 if low == 0 else edges.index(low) + 1, len(edges) if high == NEVER else edges.index(high))
        for low, high in windows
    ]


def _asked(column: Column, out_row: int, reading: Reading) -> _Asked:
    signal = column.signal
    length = NEVER if column.window is None else round(column.window.days * DAY)
    before = (0, NEVER) if column.window is None else (length, 2 * length)
    if signal.compare == "past" or signal.aggregate == "pace":
        before = (length, NEVER)
    windows = ((0, length), before)
    where, of = _own(signal), None if signal.of is None else _condition(signal.of)
    if signal.aggregate == "share" and of is not None:
        where = tuple(sorted((*where, *of)))
    if signal.aggregate == "pace":
        of = where
    if signal.aggregate == "season":
        windows = ((_YEAR - length, _YEAR), before)
    if signal.aggregate == "gone":
        # Of all values of both windows those of this window are taken away.
        windows = ((0, 2 * length), (0, length))
    by = 0
    if signal.by is not None:
        by = FIRST_MEASURE + len(reading.measures) + reading.levels.index(signal.by)
    measure = 0 if signal.measure is None else FIRST_MEASURE + reading.measures.index(signal.measure)
    within = round(signal.within.days * DAY) if signal.aggregate == "repeats" and signal.within is not None else 0
    change = column.change or signal.aggregate == "gone"
    return _Asked(out_row, _WHAT[signal.aggregate], where, of, measure, by, within, change, windows)


def _own(signal: Signal) -> Condition:
    """Which rows count: those of `where` that follow what `after` asks for."""
    level = following(signal)
    return _condition(signal.where if level is None else {**signal.where, level: FOLLOWS})


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


def _ints(values: Sequence[object], *, width: int = 0) -> Array:
    made = np.array(values, dtype=np.int64)
    return made.reshape(-1, width) if width else made


def _flat(lists: Iterable[Iterable[int]]) -> list[int]:
    return [item for some in lists for item in some]


def _place(items: Sequence[Any], item: object) -> int:
    """Where the item stands; 0 where a column has no use for one."""
    return items.index(item) if item in items else 0
