"""Numbers in words: a column's sentence with the customer's own numbers, in both languages."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol
from babel.units import format_unit

from churnwatch.aggregates import AGGREGATES
from churnwatch.spec import OPTIONAL, PLACEHOLDER, Column, Language, Signal

# British English, as in delivery: a dollar is US$.
_LOCALES = {"en": "en_GB", "id": "id_ID"}


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
    numbers: dict[str, float] = {}
    for name in PLACEHOLDER.findall(template):
        if name == "window":
            filled[name] = format_decimal(_short(column.window.days if column.window else 0), locale=language)
            continue
        if name == "value":
            sized = is_slope(signal) and signal.direction != "any"
            number, described = abs(value) if sized else value, signal
        elif name == "previous":
            number, described = value - known.get(f"{own}_change", np.nan), signal
        else:
            number, described = known.get(name, np.nan), signals.get(name, signal)
        numbers[name] = number
        if described.aggregate == "days_since" and number > 2:
            # As-of is a midnight: civil days, as the list counts them beside the sentence; summer time may add an hour.
            number = float(math.ceil(number - 1 / 24))
        # Of a sum of minutes a day would be 24 hours, which nobody means.
        longest = "hours" if described.aggregate == "sum" else "days"
        filled[name] = quantity(number, described.unit, language=language, currency=currency, longest=longest)
    template = OPTIONAL.sub(lambda part: _kept(part[1], numbers), template)
    if any(np.isnan(numbers.get(name, 0.0)) for name in PLACEHOLDER.findall(template)):
        return None
    if language == "en" and filled.get("window") == "1":
        template = template.replace("the last {window} days", "the last day")
        template = template.replace("the {window} days before", "the day before").replace("{window} days", "one day")
    return PLACEHOLDER.sub(lambda match: filled[match[1]], template)


def _kept(part: str, numbers: Mapping[str, float]) -> str:
    """A part in brackets, or nothing where one of its numbers is missing or 0."""
    told = [numbers.get(name, 1.0) for name in PLACEHOLDER.findall(part)]
    return "" if any(np.isnan(one) or one == 0 for one in told) else part


def quantity(value: float, unit: str, *, language: Language, currency: str, longest: str = "days") -> str:
    """A number as people write it: ``41 days``, ``1,5 jam``, ``Rp 1.250.000``, ``35 %``; a score as ``25 of 100``.

    A time is told in minutes, hours or days, as reads best; with ``longest`` hours in no days. Empty: it is missing.
    """
    if np.isnan(value):
        return ""
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
        return _duration(value, unit, language=language, longest=longest)
    return format_decimal(_short(value), locale=language)


def money(value: float, *, currency: str, language: str) -> str:
    """``Rp 1.250.000`` or ``£1,234``, never broken over lines; parts of a unit below 100 only."""
    locale = _LOCALES.get(language, _LOCALES["en"])
    apart = language == "id" or get_currency_symbol(currency, locale=locale)[-1:].isalpha()
    digits = "0.00" if abs(value) < 100 and value != round(value) else "#,##0"
    pattern = f"¤\N{NO-BREAK SPACE}{digits}" if apart else f"¤{digits}"
    return format_currency(value, currency, format=pattern, locale=locale, currency_digits=False)


def _duration(value: float, unit: str, *, language: Language, longest: str) -> str:
    minutes = value * {"minutes": 1, "hours": 60, "days": 1440}[unit]
    if abs(minutes) < 120:
        number, name = minutes, "duration-minute"
    elif abs(minutes) < 48 * 60 or longest == "hours":
        number, name = minutes / 60, "duration-hour"
    else:
        number, name = minutes / 1440, "duration-day"
    return format_unit(_short(number), name, length="long", locale=language)


def _short(number: float) -> float:
    """Whole from ten on, else one decimal; nothing is written as -0."""
    return float(round(number)) if abs(number) >= 9.95 else round(number, 1) + 0.0


def is_slope(signal: Signal) -> bool:
    """Whether the number is a slope or a step, of which the sentence says which way it goes."""
    aggregate = AGGREGATES.get(signal.aggregate)
    return aggregate is not None and aggregate.slope
