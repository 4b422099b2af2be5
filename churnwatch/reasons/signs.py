"""Reasons: contributions to a risk, in plain words with the customer's own numbers.

Contributions are added up over the windows of a signal and over signals that say the same thing; the sentence is
that of the column that says it strongest. A reason is only given where the number lies on the worse side of what
is usual (where no side is worse: where it is not just what is usual), so that no customer is told to be at risk
for something they do better than most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from churnwatch.reasons.words import is_slope, quantity, word
from churnwatch.spec import PLACEHOLDER, Column, Language, Signal

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
    is also the last that was heard of the customer, and of the same rows either how long ago the last was or that
    there are none in a window.
    """
    known = {column.name: float(value) for column, value in zip(columns, values, strict=True)}
    units = {column.name: column.signal for column in columns}
    groups: dict[str, list[int]] = {}
    for i, column in enumerate(columns):
        groups.setdefault(says(column), []).append(i)
    totals = {group: float(sum(contributions[i] for i in members)) for group, members in groups.items()}
    found: list[Reason] = []
    told: set[str] = set()
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
            facts = _facts(column, known, units, language=language, currency=currency)
            if facts & told:
                continue
            told |= facts
            found.append(Reason(sentence, column.name, totals[group], column.signal.action, group))
            break
    return tuple(found)


def _facts(
    column: Column, known: Mapping[str, float], signals: Mapping[str, Signal], *, language: Language, currency: str
) -> set[str]:
    """What a sentence tells that another might tell again: its numbers of days, and of which rows none came."""
    signal, facts = column.signal, set()
    words = signal.change_reason if column.change else signal.reason
    assert words is not None
    if signal.unit == "days":
        facts.add(quantity(known[column.name], "days", language=language, currency=currency))
    for name in PLACEHOLDER.findall(words.en):
        other = signals.get(name)
        if other is not None and other.aggregate == "days_since" and not np.isnan(known.get(name, np.nan)):
            facts.add(quantity(known[name], "days", language=language, currency=currency))
            facts.add(f"none since: {sorted(other.where.items())}")
    own = column.name.removesuffix("_change") if column.change else column.name
    if signal.aggregate == "days_since" or (signal.aggregate in COUNTED and known.get(own) == 0):
        facts.add(f"none since: {sorted(signal.where.items())}")
    return facts


def speaks_for(columns: Sequence[Column], contributions: Array) -> Bools:
    """Which columns (n_columns,) belong to what, all that say the same taken together, raises the risk."""
    totals: dict[str, float] = {}
    for column, share in zip(columns, contributions, strict=True):
        totals[says(column)] = totals.get(says(column), 0.0) + float(share)
    return np.array([totals[says(column)] > 0 for column in columns], dtype=bool)


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
