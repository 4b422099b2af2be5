"""Every aggregate once more, slow and plain: rows in, one number out, written from features/README.md.

Nothing here is taken from the engine: instants are integers of microseconds, sums are exact (``Fraction``), and
the rows are looked at one by one. A test compares it with the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

US = timedelta(microseconds=1)
DAY = 86_400_000_000


@dataclass(frozen=True)
class Event:
    """One event row; ``at`` and ``known_at`` in naive UTC, ``levels`` and ``measures`` may lack any."""

    id: str
    customer: str
    at: datetime
    known_at: datetime
    levels: dict[str, str] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What is asked of the rows: the keys of a signal, with the window in microseconds (``None``: all history)."""

    aggregate: str
    where: dict[str, str | list[str]] = field(default_factory=dict)
    of: dict[str, str | list[str]] | None = None
    measure: str | None = None
    by: str | None = None
    window: int | None = None


def value(asked: Asked, events: Sequence[Event], customer: str, as_of: datetime, *, zone: str) -> float | None:
    """The signal's value; ``None`` is missing."""
    return _value(asked, events, customer, as_of, zone=zone, back=0)


def change(asked: Asked, events: Sequence[Event], customer: str, as_of: datetime, *, zone: str) -> float | None:
    """The value minus that of the window before."""
    now = _value(asked, events, customer, as_of, zone=zone, back=0)
    before = _value(asked, events, customer, as_of, zone=zone, back=1)
    return None if now is None or before is None else now - before


@dataclass(frozen=True)
class _Seen:
    """What a customer's window holds: ``own`` rows of ``where`` in order, ``of`` rows of ``of``; ages in µs."""

    asked: Asked
    own: list[Event]
    of: list[Event]
    as_of: datetime
    begin: int
    end: int | None
    first_age: int | None
    zone: str
    prior: Fraction | None

    def age(self, event: Event) -> int:
        return (self.as_of - event.at) // US

    def ages(self) -> list[int]:
        return [self.age(event) for event in self.own]

    def measured(self) -> list[tuple[Event, float]]:
        assert self.asked.measure
        return [(e, e.measures[self.asked.measure]) for e in self.own if self.asked.measure in e.measures]


def _value(
    asked: Asked, events: Sequence[Event], customer: str, as_of: datetime, *, zone: str, back: int
) -> float | None:
    begin = 0 if asked.window is None else back * asked.window
    end = None if asked.window is None else begin + asked.window
    past = [event for event in events if event.at < as_of and event.known_at < as_of]

    def inside(event: Event) -> bool:
        # as_of - window <= at < as_of; for the window before, the same as seen from one window earlier
        upper = as_of - begin * US
        return event.at < upper and (end is None or event.at >= as_of - end * US)

    def of_customer(who: str) -> list[Event]:
        return sorted((e for e in past if e.customer == who), key=lambda e: (e.at, e.known_at, e.id))

    mine = of_customer(customer)
    seen = _Seen(
        asked,
        own=[e for e in mine if inside(e) and matches(e, asked.where)],
        of=[e for e in mine if inside(e) and matches(e, asked.of or {})],
        as_of=as_of,
        begin=begin,
        end=end,
        first_age=(as_of - mine[0].at) // US if mine else None,
        zone=zone,
        prior=_mean_gap(
            [e for e in of_customer(who) if inside(e) and matches(e, asked.where)] for who in {e.customer for e in past}
        ),
    )
    found = _FUNCTIONS[asked.aggregate](seen)
    return None if found is None else float(found)


def matches(event: Event, where: dict[str, str | list[str]]) -> bool:
    """Equality, or membership in a list; a row without the column never matches."""
    for column, wanted in where.items():
        level = event.levels.get(column)
        if level is None or level not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def _mean_gap(customers: Iterable[list[Event]]) -> Fraction | None:
    """The mean of all gaps between neighbouring rows of one customer, over all customers; in µs."""
    gaps = [(b.at - a.at) // US for rows in customers for a, b in pairwise(rows)]
    return Fraction(sum(gaps), len(gaps)) if gaps else None


def _exact(numbers: Iterable[float]) -> Fraction:
    return sum((Fraction(number) for number in numbers), Fraction(0))


def _mean(seen: _Seen) -> Fraction | None:
    values = [number for _, number in seen.measured()]
    return _exact(values) / len(values) if values else None


def _share(seen: _Seen) -> Fraction | None:
    both = [event for event in seen.of if matches(event, seen.asked.where)]
    return Fraction(len(both), len(seen.of)) if seen.of else None


def _rate(seen: _Seen) -> Fraction:
    if seen.first_age is None:
        return Fraction(0)
    length = seen.first_age if seen.end is None else min(seen.first_age, seen.end)
    return Fraction(30 * DAY * len(seen.own), max(length, DAY))


def _trend(seen: _Seen) -> Fraction | None:
    points = [(Fraction(-seen.age(event), 30 * DAY), Fraction(number)) for event, number in seen.measured()]
    if not points or max(x for x, _ in points) - min(x for x, _ in points) < Fraction(1, 30):
        return None
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)


def _count_trend(seen: _Seen) -> Fraction:
    # The density of rows over the window as a straight line a + b t on t from -1 (its far end) to 1 (its near end) has
    # the first moment 2b/3, so b = 1.5 times the sum of t. In rows per 30 days that is b over half the window in 30
    # days, and t moves by 1 while half the window passes.
    assert seen.end is not None
    half = Fraction(seen.end - seen.begin, 2)
    middle = seen.begin + half
    b = Fraction(3, 2) * sum(((middle - age) / half for age in seen.ages()), Fraction(0))
    half_months = half / (30 * DAY)
    return b / half_months / half_months


def _gap(seen: _Seen) -> Fraction | None:
    mean = _mean_gap([seen.own])
    return None if mean is None else mean / DAY


def _gap_ratio(seen: _Seen) -> Fraction | None:
    mean = _mean_gap([seen.own])
    return Fraction(min(seen.ages())) / mean if mean else None


def _silence(seen: _Seen) -> Fraction | None:
    """1 - P(quiet this long), the rate ~ Gamma(1, prior) after n - 1 further rows in ``active`` time."""
    if not seen.own or seen.prior is None:
        return None
    quiet = min(seen.ages())
    active = max(seen.ages()) - quiet
    return 1 - ((seen.prior + active) / (seen.prior + active + quiet)) ** len(seen.own)


def _civil_day(event: Event, zone: str) -> object:
    return event.at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


_FUNCTIONS: dict[str, Callable[[_Seen], Fraction | float | int | None]] = {
    "count": lambda seen: len(seen.own),
    "sum": lambda seen: _exact(number for _, number in seen.measured()),
    "mean": _mean,
    "min": lambda seen: min((number for _, number in seen.measured()), default=None),
    "max": lambda seen: max((number for _, number in seen.measured()), default=None),
    "latest": lambda seen: seen.measured()[-1][1] if seen.measured() else None,
    "distinct": lambda seen: len({e.levels[seen.asked.by] for e in seen.own if seen.asked.by in e.levels}),
    "distinct_days": lambda seen: len({_civil_day(e, seen.zone) for e in seen.own}),
    "days_since": lambda seen: Fraction(min(seen.ages()), DAY) if seen.own else None,
    "share": _share,
    "open": lambda seen: max(len(seen.own) - len(seen.of), 0),
    "rate": _rate,
    "trend": _trend,
    "count_trend": _count_trend,
    "gap": _gap,
    "gap_ratio": _gap_ratio,
    "silence": _silence,
}
"""One function per named aggregate."""
