"""Every aggregate once more, slow and plain: rows in, one number out, written from features/README.md.

Nothing here is taken from the engine: instants are integers of microseconds, sums are exact (``Fraction``), and
the rows are looked at one by one. A test compares it with the engine.
"""

from __future__ import annotations

import statistics
import unicodedata
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
    within: int | None = None
    after: dict[str, str | list[str]] | None = None


YEAR = 364 * DAY
Segments = dict[str, tuple[str, datetime]]
"""Of a customer the segment, and when it became known."""


def value(
    asked: Asked,
    events: Sequence[Event],
    customer: str,
    as_of: datetime,
    *,
    zone: str,
    beside: Sequence[Event] | None = None,
    segments: Segments | None = None,
) -> float | None:
    """The signal's value; ``None`` is missing. ``beside``: the interactions, where ``events`` are of another table."""
    return _value(
        asked, events, customer, as_of, zone=zone, beside=beside, segments=segments, begin=0, end=asked.window
    )


def past_change(
    asked: Asked,
    events: Sequence[Event],
    customer: str,
    as_of: datetime,
    *,
    zone: str,
    beside: Sequence[Event] | None = None,
    segments: Segments | None = None,
) -> float | None:
    """The value minus that of all history before the window."""
    now = _value(asked, events, customer, as_of, zone=zone, beside=beside, segments=segments, begin=0, end=asked.window)
    before = _value(
        asked, events, customer, as_of, zone=zone, beside=beside, segments=segments, begin=asked.window or 0, end=None
    )
    return None if now is None or before is None else now - before


def change(
    asked: Asked,
    events: Sequence[Event],
    customer: str,
    as_of: datetime,
    *,
    zone: str,
    beside: Sequence[Event] | None = None,
    segments: Segments | None = None,
) -> float | None:
    """The value minus that of the window before."""
    assert asked.window is not None
    now = _value(asked, events, customer, as_of, zone=zone, beside=beside, segments=segments, begin=0, end=asked.window)
    before = _value(
        asked,
        events,
        customer,
        as_of,
        zone=zone,
        beside=beside,
        segments=segments,
        begin=asked.window,
        end=2 * asked.window,
    )
    return None if now is None or before is None else now - before


@dataclass(frozen=True)
class _Seen:
    """What a customer's window holds: ``own`` rows of ``where`` in order, ``of`` rows of ``of``; ages in µs.

    ``ever`` are the rows of ``where`` of any age, ``both`` the window's rows of either.
    """

    asked: Asked
    own: list[Event]
    of: list[Event]
    ever: list[Event]
    both: list[Event]
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
    asked: Asked,
    events: Sequence[Event],
    customer: str,
    as_of: datetime,
    *,
    zone: str,
    beside: Sequence[Event] | None,
    segments: Segments | None,
    begin: int,
    end: int | None,
) -> float | None:
    past = [event for event in events if event.at < as_of and event.known_at < as_of]

    def inside(event: Event) -> bool:
        # as_of - window <= at < as_of; for the window before, the same as seen from one window earlier
        upper = as_of - begin * US
        return event.at < upper and (end is None or event.at >= as_of - end * US)

    def of_customer(who: str) -> list[Event]:
        return sorted((e for e in past if e.customer == who), key=lambda e: (e.at, e.known_at, e.id))

    def wanted(event: Event) -> bool:
        return matches(event, asked.where) and _follows(event, asked, events if beside is None else beside)

    mine = of_customer(customer)
    seen = _Seen(
        asked,
        own=[e for e in mine if inside(e) and wanted(e)],
        of=[e for e in mine if inside(e) and matches(e, asked.of or {})],
        ever=[e for e in mine if wanted(e)],
        both=[e for e in mine if inside(e) and (wanted(e) or matches(e, asked.of or {}))],
        as_of=as_of,
        begin=begin,
        end=end,
        first_age=(as_of - mine[0].at) // US if mine else None,
        zone=zone,
        prior=_prior(
            {who: [e for e in of_customer(who) if inside(e) and wanted(e)] for who in {e.customer for e in past}},
            customer,
            {who: name for who, (name, known_at) in (segments or {}).items() if known_at < as_of},
        ),
    )
    found = _FUNCTIONS[asked.aggregate](seen)
    return None if found is None else float(found)


def _follows(event: Event, asked: Asked, events: Sequence[Event]) -> bool:
    """Whether the customer had a row of ``after`` that became known before, at most ``within`` before."""
    if asked.after is None:
        return True
    assert asked.within is not None
    since = event.at - asked.within * US
    return any(
        matches(other, asked.after) and since <= other.known_at < event.at
        for other in events
        if other.customer == event.customer
    )


def matches(event: Event, where: dict[str, str | list[str]]) -> bool:
    """Equality, or membership in a list; a row without the column never matches."""
    for column, wanted in where.items():
        level = event.levels.get(column)
        if level is None or level not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def _prior(rows: dict[str, list[Event]], customer: str, segments: dict[str, str]) -> Fraction | None:
    """The mean gap of all; for a customer of a segment the mean of that segment's gaps and 20 such as that of all."""
    everybody = _mean_gap(rows.values())
    if everybody is None or customer not in segments:
        return everybody
    alike = [mine for who, mine in rows.items() if segments.get(who) == segments[customer]]
    gaps = [(b.at - a.at) // US for mine in alike for a, b in pairwise(mine)]
    return (sum(gaps) + 20 * everybody) / (len(gaps) + 20)


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
    both = [event for event in seen.of if event in seen.own]
    return Fraction(len(both), len(seen.of)) if seen.of else None


def _median(seen: _Seen) -> Fraction | None:
    values = sorted(Fraction(number) for _, number in seen.measured())
    return statistics.median(values) if values else None


def _step(seen: _Seen) -> Fraction | None:
    values = [Fraction(number) for _, number in seen.measured()]
    return values[-1] - values[-2] if len(values) > 1 else None


def _closed(seen: _Seen) -> Fraction | None:
    return min(Fraction(len(seen.of), len(seen.own)), Fraction(1)) if seen.own else None


def _gone(seen: _Seen) -> int:
    assert seen.end is not None
    by = seen.asked.by
    now = {e.levels[by] for e in seen.own if by in e.levels}
    before = {e.levels[by] for e in seen.ever if by in e.levels and seen.end < seen.age(e) <= 2 * seen.end}
    return len(before - now)


def _repeats(seen: _Seen) -> int:
    by, within = seen.asked.by, seen.asked.within
    assert within is not None
    n = 0
    for event in seen.own:
        before = seen.ever[: seen.ever.index(event)]
        n += any(
            by in event.levels and event.levels.get(by) == other.levels.get(by) and event.at - other.at <= within * US
            for other in before
        )
    return n


def _since_of(seen: _Seen) -> list[Event]:
    """The rows of ``where`` after the last row of ``of``, which a row of both is."""
    waiting: list[Event] = []
    for event in seen.both:
        waiting = [] if matches(event, seen.asked.of or {}) else [*waiting, event]
    return waiting


def _pace(seen: _Seen) -> Fraction | None:
    assert seen.end is not None
    before = [event for event in seen.ever if seen.age(event) > seen.end]
    if not before or seen.first_age is None or seen.first_age < 2 * seen.end:
        return None
    return Fraction(len(seen.own), 1) / (Fraction(len(before), seen.first_age - seen.end) * seen.end)


def _season(seen: _Seen) -> int | None:
    assert seen.end is not None
    if seen.first_age is None or seen.first_age < YEAR:
        return None
    return len([event for event in seen.ever if YEAR - seen.end < seen.age(event) <= YEAR])


def _due(seen: _Seen) -> Fraction | None:
    mean = _mean_gap([seen.own])
    return None if mean is None else (mean - min(seen.ages())) / DAY


def _until(seen: _Seen) -> Fraction | None:
    if not seen.measured():
        return None
    return Fraction(seen.measured()[-1][1]) - Fraction((seen.as_of - datetime(1970, 1, 1)) // US, DAY)


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
    "median": _median,
    "step": _step,
    "days_until": _until,
    "gone": _gone,
    "repeats": _repeats,
    "closed": _closed,
    "streak": lambda seen: len(_since_of(seen)),
    "waiting": lambda seen: Fraction(seen.age(_since_of(seen)[0]), DAY) if _since_of(seen) else 0,
    "pace": _pace,
    "season": _season,
    "due": _due,
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


def mentions(
    text: str | None,
    phrases: Iterable[str],
    *,
    negations: Iterable[str] = (),
    contrasts: Iterable[str] = (),
    exceptions: Iterable[str] = (),
) -> bool | None:
    """Whether the text mentions a phrase that is not denied, word by word as features/README.md says it."""
    if text is None:
        return None
    found = False
    for clause in _clauses(text):
        for part in _split(_signed(clause, contrasts, "|"), "|"):
            signed = _signed(_signed(part, exceptions, "-"), phrases, "+")
            found = found or _said(signed, _longest_first(negations))
    return found


def _clauses(text: str) -> list[list[str]]:
    words: list[list[str]] = [[]]
    word = ""
    for sign in f"{text.lower()} ":
        if sign in "'’‘`´ʼ":
            word += "'"
        elif unicodedata.category(sign)[0] in "LMN":
            word += sign
        else:
            if word.strip("'"):
                words[-1].append(word.strip("'"))
            word = ""
            if sign in ".,;:!?…()[]{}\r\n":
                words.append([])
    return words


def _split(words: list[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == at:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _longest_first(phrases: Iterable[str]) -> list[list[str]]:
    return sorted((phrase.replace("-", " ").split(" ") for phrase in phrases), key=lambda one: (-len(one), one))


def _signed(words: list[str], phrases: Iterable[str], sign: str) -> list[str]:
    """The words with each phrase, from the left, replaced by a sign."""
    made, i = [], 0
    while i < len(words):
        ends = (_end(words, i, phrase) for phrase in _longest_first(phrases))
        end = next((one for one in ends if one is not None), None)
        made.append(words[i] if end is None else sign)
        i = i + 1 if end is None else end
    return made


def _end(words: list[str], begin: int, phrase: list[str]) -> int | None:
    """Where the phrase that begins there ends, or None; of a gap as many words as there may be."""
    if not phrase:
        return begin
    if phrase[0] == "...":
        ends = (_end(words, begin + skipped, phrase[1:]) for skipped in (2, 1, 0))
        return next((one for one in ends if one is not None), None)
    if begin >= len(words) or not _same(words[begin], phrase[0]):
        return None
    return _end(words, begin + 1, phrase[1:])


def _same(word: str, wanted: str) -> bool:
    if wanted.startswith("*"):
        heads = range(len(word) + 1)
        return any("'" not in word[:head] and _same(word[head:], wanted[1:]) for head in heads)
    if "'" in wanted:
        before, after = wanted.split("'", 1)
        return word.startswith(before) and _same(word.removeprefix(before).removeprefix("'"), after)
    stem = wanted.rstrip("*")
    rest = word.removeprefix(stem)
    if not word.startswith(stem):
        return False
    if wanted.endswith("*"):
        return "'" not in rest
    return set(rest) <= {stem[-1]} and (rest == "" or not stem[-1].isdigit())


def _said(words: list[str], negations: list[list[str]]) -> bool:
    """Whether a "+" is left when each negation has taken the farthest one it reaches, from the left."""
    i = 0
    while i < len(words):
        ends = [end for one in negations if (end := _end(words, i, [*one, "...", "+"])) is not None]
        if words[i] == "+" and not ends:
            return True
        i = ends[0] if ends else i + 1
    return False
