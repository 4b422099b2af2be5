"""Reasons: contributions to a risk, in plain words with the customer's own numbers.

Contributions are added up over the windows of a signal and over signals that say the same thing; the sentence is
that of the column that says it strongest. A reason is only given where the number lies on the worse side of what
is usual (where no side is worse: where it is not just what is usual), so that no customer is told to be at risk
for something they do better than most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol
from babel.units import format_unit

from churnwatch.aggregates import AGGREGATES
from churnwatch.spec import PLACEHOLDER, Column, Language, Signal

Array = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

# British English, as in delivery: a dollar is US$.
_LOCALES = {"en": "en_GB", "id": "id_ID"}


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
    is bad speaks before one of direction ``any``; and no number of days is told twice, as where the last purchase is
    also the last that was heard of the customer.
    """
    known = {column.name: float(value) for column, value in zip(columns, values, strict=True)}
    units = {column.name: column.signal for column in columns}
    groups: dict[str, list[int]] = {}
    for i, column in enumerate(columns):
        groups.setdefault(_said(column), []).append(i)
    totals = {group: float(sum(contributions[i] for i in members)) for group, members in groups.items()}
    found: list[Reason] = []
    days: set[str] = set()
    for group in sorted(totals, key=lambda name: (-totals[name], name)):
        if totals[group] <= 0 or len(found) == most:
            break
        for i in sorted(groups[group], key=lambda i: (columns[i].direction == "any", -contributions[i], i)):
            column = columns[i]
            if contributions[i] <= 0 or not _worse_than_usual(column, known, usual):
                continue
            sentence = word(column, known, units, language=language, currency=currency)
            if sentence is None or _reads_absurd(column, known, language=language, currency=currency):
                continue
            if column.signal.unit == "days":
                told = quantity(known[column.name], "days", language=language, currency=currency)
                if told in days:
                    continue
                days.add(told)
            found.append(Reason(sentence, column.name, totals[group], column.signal.action, group))
            break
    return tuple(found)


def speaks_for(columns: Sequence[Column], contributions: Array) -> Bools:
    """Which columns (n_columns,) belong to what, all that say the same taken together, raises the risk."""
    totals: dict[str, float] = {}
    for column, share in zip(columns, contributions, strict=True):
        totals[_said(column)] = totals.get(_said(column), 0.0) + float(share)
    return np.array([totals[_said(column)] > 0 for column in columns], dtype=bool)


def _said(column: Column) -> str:
    """What a column tells of: its signal, or that of which several signals tell."""
    return column.signal.says or column.signal.name


def word(
    column: Column,
    known: Mapping[str, float],
    signals: Mapping[str, Signal],
    *,
    language: Language,
    currency: str,
) -> str | None:
    """The sentence of a column for the numbers ``known``; ``None`` where a number it needs is missing.

    Of a change, ``{value}`` is the window's own number and ``{previous}`` that of the window before. Of a slope that
    goes up or down, ``{value}`` is its size, as the sentence says which way; of one of direction any, its sign too.
    """
    signal = column.signal
    own = column.name.removesuffix("_change") if column.change else column.name
    value = known.get(own, np.nan)
    words = signal.change_reason if column.change else signal.reason
    assert words is not None
    template = words.in_language(language)
    filled: dict[str, str] = {}
    for name in PLACEHOLDER.findall(template):
        if name == "window":
            filled[name] = format_decimal(_short(column.window.days if column.window else 0), locale=language)
            continue
        if name == "value":
            sized = _is_slope(signal) and signal.direction != "any"
            number, described = abs(value) if sized else value, signal
        elif name == "previous":
            number, described = value - known.get(f"{own}_change", np.nan), signal
        else:
            number, described = known.get(name, np.nan), signals.get(name, signal)
        if np.isnan(number):
            return None
        filled[name] = quantity(number, described.unit, language=language, currency=currency)
    return PLACEHOLDER.sub(lambda match: filled[match[1]], template)


def quantity(value: float, unit: str, *, language: Language, currency: str) -> str:
    """A number as people write it: ``41 days``, ``1,5 jam``, ``Rp 1.250.000``, ``35 %``; a score as ``25 of 100``."""
    if unit == "count":
        return format_decimal(round(value), locale=language)
    if unit == "money":
        return money(value, currency=currency, language=language)
    if unit == "share":
        # Never "100 %" for what is merely very likely, nor "0 %" for what is merely rare; a share that was computed
        # back from its change may miss 0 or 1 by the last digit.
        exact = abs(value) < 1e-9 or abs(abs(value) - 1) < 1e-9
        most = 0.99 if abs(value) < 1 else math.inf  # a price may double
        shown = round(value) if exact else math.copysign(min(max(round(abs(value), 2), 0.01), most), value)
        return format_percent(shown, locale=language)
    if unit == "score":
        of = {"en": "of", "id": "dari"}[language]
        return f"{format_decimal(round(value * 100), locale=language)} {of} 100"
    if unit in ("minutes", "hours", "days"):
        return _duration(value, unit, language=language)
    return format_decimal(_short(value), locale=language)


def money(value: float, *, currency: str, language: str) -> str:
    """``Rp 1.250.000`` or ``£1,234``, never broken over lines; parts of a unit below 100 only."""
    locale = _LOCALES.get(language, _LOCALES["en"])
    apart = language == "id" or get_currency_symbol(currency, locale=locale)[-1:].isalpha()
    digits = "0.00" if abs(value) < 100 and value != round(value) else "#,##0"
    pattern = f"¤\N{NO-BREAK SPACE}{digits}" if apart else f"¤{digits}"
    return format_currency(value, currency, format=pattern, locale=locale, currency_digits=False)


def _duration(value: float, unit: str, *, language: Language) -> str:
    minutes = value * {"minutes": 1, "hours": 60, "days": 1440}[unit]
    if abs(minutes) < 120:
        number, name = minutes, "duration-minute"
    elif abs(minutes) < 48 * 60:
        number, name = minutes / 60, "duration-hour"
    else:
        number, name = minutes / 1440, "duration-day"
    return format_unit(_short(number), name, length="long", locale=language)


def _short(number: float) -> float:
    """Whole from ten on, else one decimal; nothing is written as -0."""
    return float(round(number)) if abs(number) >= 9.95 else round(number, 1) + 0.0


def _is_slope(signal: Signal) -> bool:
    aggregate = AGGREGATES.get(signal.aggregate)
    return aggregate is not None and aggregate.slope


def _reads_absurd(column: Column, known: Mapping[str, float], *, language: Language, currency: str) -> bool:
    """Whether it tells of a movement that is none ("5 hours, before that 5 hours") or of time left after the end."""
    signal, value = column.signal, known[column.name]
    if column.change:
        now = known[column.name.removesuffix("_change")]
        pair = (now, now - value)
    elif _is_slope(signal):
        pair = (abs(value), 0.0)
    else:
        return signal.aggregate == "days_until" and value < 0
    now_told, before_told = (quantity(one, signal.unit, language=language, currency=currency) for one in pair)
    return now_told == before_told


def _worse_than_usual(column: Column, known: Mapping[str, float], usual: Mapping[str, float | None]) -> bool:
    value, middle = known[column.name], usual.get(column.name)
    if np.isnan(value):
        return False
    if column.direction == "any":
        # "0% of the orders were cancelled" where that is so of most is no reason either.
        return middle is None or value != middle
    moves = column.change or _is_slope(column.signal)
    if moves and value * (1 if column.direction == "up" else -1) <= 0:
        # No change, or one for the better, is no reason, however much better everybody else became.
        return False
    if middle is None:
        return True
    return value > middle if column.direction == "up" else value < middle
