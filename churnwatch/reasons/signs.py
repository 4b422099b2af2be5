"""Reasons: contributions to a risk, in plain words with the customer's own numbers.

Contributions are added up over the windows of a signal and over signals that say the same thing; the sentence is
that of the column that says it strongest. A reason is only given where the number lies on the worse side of what
is usual (where no side is worse: where it is not just what is usual), so that no customer is told to be at risk
for something they do better than most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnwatch.reasons.words import is_slope, quantity, word
from churnwatch.spec import OPTIONAL, PLACEHOLDER, Column, Language, Level, Signal, Where

Array = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


COUNTED = ("count", "sum", "distinct", "distinct_days", "rate", "pace")
"""Aggregates that are 0 where there are no rows in the window."""


@dataclass(frozen=True)
class Reason:
    """One reason: the finished sentence, the column it speaks of, its share of the margin, what to do about it.

    ``sign`` names what it tells of: the signal, or that of which several signals tell.
    """

    sentence: str
    column: str
    contribution: float
    action: str | None
    sign: str = ""


def reasons(
    columns: Sequence[Column],
    values: Array,
    contributions: Array,
    *,
    usual: Mapping[str, float | None],
    language: Language,
    currency: str,
    most: int = 3,
) -> tuple[Reason, ...]:
    """At most ``most`` reasons for one customer, the strongest first.

    ``values`` and ``contributions`` have shape (n_columns,); NaN is missing, and a missing number is never
    worded. ``usual`` holds the training median of each column. Among what says the same, a column that knows which way
    is bad speaks before one of direction ``any``. Nothing is told twice: no number of days, as where the last purchase
    is also the last that was heard of the customer; nor that none of some rows came in a window, where it follows from
    how long ago the last of them, or of more, was.
    """
    known = {column.name: float(value) for column, value in zip(columns, values, strict=True)}
    units = {column.name: column.signal for column in columns}
    groups: dict[str, list[int]] = {}
    for i, column in enumerate(columns):
        groups.setdefault(says(column), []).append(i)
    totals = {group: float(sum(contributions[i] for i in members)) for group, members in groups.items()}
    found: list[Reason] = []
    told: list[_Told] = []
    for group in sorted(totals, key=lambda name: (-totals[name], name)):
        if totals[group] <= 0 or len(found) == most:
            break
        for i in sorted(groups[group], key=lambda i: (columns[i].direction == "any", -contributions[i], i)):
            column = columns[i]
            if contributions[i] <= 0 or not worse_than_usual(column, known, usual):
                continue
            sentence = word(column, known, units, language=language, currency=currency)
            if sentence is None or _reads_absurd(column, known, language=language, currency=currency):
                continue
            says_so = _told(column, known, units, language=language, currency=currency)
            if says_so.repeats(told):
                continue
            told.append(says_so)
            found.append(Reason(sentence, column.name, totals[group], column.signal.action, group))
            break
    return tuple(found)


@dataclass(frozen=True)
class _Told:
    """What a sentence tells that another might tell again: its numbers of days, and of which rows none came so long."""

    days: frozenset[str]
    none: tuple[tuple[Where, float], ...]

    def repeats(self, others: Iterable[_Told]) -> bool:
        """Whether one of the others tells the same, or what follows from it."""
        return any(
            self.days & other.days
            or any(_follows(one, two) or _follows(two, one) for one in self.none for two in other.none)
            for other in others
        )


def _told(
    column: Column, known: Mapping[str, float], signals: Mapping[str, Signal], *, language: Language, currency: str
) -> _Told:
    signal = column.signal
    words = signal.change_reason if column.change else signal.reason
    assert words is not None
    own = column.name.removesuffix("_change") if column.change else column.name
    spoken = [(own, signal)] + [(name, signals[name]) for name in PLACEHOLDER.findall(words.en) if name in signals]
    since = [(name, one) for name, one in spoken if one.aggregate == "days_since" and known.get(name, np.nan) >= 0]
    days = {quantity(known[name], "days", language=language, currency=currency) for name, _ in since}
    if signal.unit == "days":
        days.add(quantity(known[column.name], "days", language=language, currency=currency))
    # What stands in brackets goes along with something else, and makes no reason of its own.
    certain = PLACEHOLDER.findall(OPTIONAL.sub("", words.en))
    none = [(one.where, known[name]) for name, one in since if name == own or name in certain]
    if signal.aggregate in COUNTED and known.get(own) == 0:
        none.append((signal.where, column.window.days if column.window else math.inf))
    return _Told(frozenset(days), tuple(none))


def _follows(one: tuple[Where, float], other: tuple[Where, float]) -> bool:
    """Whether none of ``one`` for so long means none of ``other``: its rows are among them, its time is no longer."""
    return one[1] >= other[1] and all(
        key in other[0] and set(_levels(other[0][key])) <= set(_levels(wanted)) for key, wanted in one[0].items()
    )


def _levels(wanted: Level | list[Level]) -> list[Level]:
    return wanted if isinstance(wanted, list) else [wanted]


def raising(columns: Sequence[Column], contributions: Array, *, least: float) -> tuple[str, ...]:
    """The names of all that raises the risk by at least ``least`` of the margin, whether it is told or not."""
    totals = _totals(columns, contributions)
    return tuple(sorted(name for name, total in totals.items() if total >= least))


def speaks_for(columns: Sequence[Column], contributions: Array) -> Bools:
    """Which columns (n_columns,) belong to what, all that say the same taken together, raises the risk."""
    totals = _totals(columns, contributions)
    return np.array([totals[says(column)] > 0 for column in columns], dtype=bool)


def _totals(columns: Sequence[Column], contributions: Array) -> dict[str, float]:
    """The contributions of all that say the same, added up."""
    totals: dict[str, float] = {}
    for column, share in zip(columns, contributions, strict=True):
        totals[says(column)] = totals.get(says(column), 0.0) + float(share)
    return totals


def says(column: Column) -> str:
    """What a column tells of: its signal, or that of which several signals tell."""
    return column.signal.says or column.signal.name


def _reads_absurd(column: Column, known: Mapping[str, float], *, language: Language, currency: str) -> bool:
    """Whether it tells of a movement that is none ("5 hours, before that 5 hours") or beyond all measure (two scores of
    one day, a month of which would be 1,000 of 100 points), or of time left after the end.
    """
    signal, value = column.signal, known[column.name]
    if column.change:
        now = known[column.name.removesuffix("_change")]
        pair = (now, now - value)
    elif is_slope(signal):
        if signal.unit == "score" and abs(value) > 1:
            return True
        pair = (abs(value), 0.0)
    else:
        return signal.aggregate == "days_until" and value < 0
    now_told, before_told = (quantity(one, signal.unit, language=language, currency=currency) for one in pair)
    return now_told == before_told


def worse_than_usual(column: Column, known: Mapping[str, float], usual: Mapping[str, float | None]) -> bool:
    """Whether the number lies on the worse side of what is usual; where no side is worse, whether it is another."""
    value, middle = known[column.name], usual.get(column.name)
    if np.isnan(value):
        return False
    if column.direction == "any":
        # "0% of the orders were cancelled" where that is so of most is no reason either.
        return middle is None or value != middle
    moves = column.change or is_slope(column.signal)
    if moves and value * (1 if column.direction == "up" else -1) <= 0:
        # No change, or one for the better, is no reason, however much better everybody else became.
        return False
    if middle is None:
        return True
    return value > middle if column.direction == "up" else value < middle
