"""What every canonical row must meet, as SQL conditions that are true where the row breaks the rule.

A condition reads the canonical columns by name, and what the mapping gave for them as ``raw <name>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from churnwatch.sources.raw import quoted
from churnwatch.sources.tables import IDS, SHAPES, Kind
from churnwatch.sources.values import COMPLAINTS, FLOATS, is_instant, misfit

FAR = "not from 1900 to 9999"
MOST_VALUE = 10**15
"""Money a month of one customer, in any currency; our choice: what is above it was read wrongly."""
ZERO = "in January 1970"
"""What the rules say that a number breaks which was read as a time in the wrong unit."""


@dataclass(frozen=True)
class Rule:
    """A rule in words, the condition that breaks it, and what is told as found; all but the words are SQL."""

    words: str
    broken: str
    found: str = "''"
    shown: bool = False
    """Whether a message may show what was found: the value of no id, name, contact or text."""


def row_rules(table: str, kinds: dict[str, Kind], types: dict[str, str], *, now: datetime, zone: str) -> list[Rule]:
    """The rules for a row of ``table`` taken alone.

    ``kinds`` are the columns its mapping gives, ``types`` DuckDB's types of what it gives for them, ``zone`` the
    source's. A condition may also read ``no <name>``: whether the mapping gave nothing for a required column.
    """
    clock = _Clock(kinds, types, now, zone)
    return [*_value_rules(table, kinds, types), *_time_rules(table, clock), *_ROW_RULES[table](clock)]


@dataclass(frozen=True)
class _Clock:
    """How conditions name times: as canonical times, or as they were given where all are instants, or all UTC.

    That says the same and spares each row the conversion.
    """

    kinds: dict[str, Kind]
    types: dict[str, str]
    instant: datetime
    zone: str

    @property
    def given(self) -> str:
        """The one type of all the times that were given, where they compare as they stand; else empty."""
        types = {self.types[column] for column, kind in self.kinds.items() if kind == "time"}
        one = types.pop() if len(types) == 1 else ""
        return one if is_instant(one) or (one == "TIMESTAMP" and self.zone == "UTC") else ""

    @property
    def now(self) -> str:
        return self.literal(self.instant.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "))

    def literal(self, text: str) -> str:
        """The time in UTC as SQL that compares with ``at``."""
        return f"TIMESTAMPTZ '{text}+00'" if is_instant(self.given) else f"TIMESTAMP '{text}'"

    def at(self, column: str) -> str:
        return quoted(f"raw {column}" if self.given and column in self.kinds else column)


def _value_rules(table: str, kinds: dict[str, Kind], types: dict[str, str]) -> Iterator[Rule]:
    required = SHAPES[table].required
    whole = {"FLOAT": 2**24, "DOUBLE": 2**53}
    for column, kind in kinds.items():
        raw, value = quoted(f"raw {column}"), quoted(column)
        if kind != "text":  # anything can be written out as a text
            yield Rule(
                f"{table}.{column} {COMPLAINTS[kind]}",
                misfit(raw, value, types[column], kind),
                f"CAST({raw} AS VARCHAR)",
                shown=True,
            )
        elif column in IDS and types[column] in FLOATS:
            # From here on neighbours are one number, and two customers one.
            yield Rule(f"{table}.{column} lost digits as a float", f"abs({raw}) >= {whole[types[column]]}")
        if column in required:
            yield Rule(f"{table}.{column} is missing", quoted(f"no {column}"))


def _time_rules(table: str, clock: _Clock) -> Iterator[Rule]:
    """Times that no company means: a number was read in another unit, or a date that stands for none.

    Seconds of this century that are read as milliseconds fall into January 1970, as do milliseconds read as
    microseconds and a 0; milliseconds read as seconds fall into the year 50000. 9999-12-31 stays: it says never.
    """
    for column in (column for column, kind in clock.kinds.items() if kind == "time"):
        at = clock.at(column)
        yield Rule(
            f"{table}.{column} {FAR}",
            f"{at} < {clock.literal('1900-01-01 00:00:00')} OR {at} >= {clock.literal('10000-01-01 00:00:00')}",
            _told(column),
            shown=True,
        )
        yield Rule(
            f"{table}.{column} {ZERO}",
            f"{at} >= {clock.literal('1969-12-31 00:00:00')} AND {at} < {clock.literal('1970-02-01 00:00:00')}",
            _told(column),
            shown=True,
        )


def _customer_rules(clock: _Clock) -> list[Rule]:
    told = _told("started_at", "ended_at")
    return [
        Rule(
            "customers.ended_at before started_at",
            f"{clock.at('ended_at')} < {clock.at('started_at')}",
            told,
            shown=True,
        ),
        # Before started_at it may lie: what is agreed is known before it begins.
        Rule(
            "customers.known_at in the future",
            f"{clock.at('known_at')} > {clock.now}",
            _told("known_at"),
            shown=True,
        ),
        Rule(
            "customers.value is below 0 or above 10^15",
            f"value < 0 OR value > {MOST_VALUE}",
            _told("value"),
            shown=True,
        ),
        _language("customers"),
    ]


def _interaction_rules(clock: _Clock) -> list[Rule]:
    return [
        Rule(
            "interactions.known_at before at",
            f"{clock.at('known_at')} < {clock.at('at')}",
            _told("at", "known_at"),
            shown=True,
        ),
        Rule(
            "interactions.known_at in the future",
            f"{clock.at('known_at')} > {clock.now}",
            _told("known_at"),
            shown=True,
        ),
    ]


def _survey_rules(clock: _Clock) -> list[Rule]:
    answered = "answered_at IS NOT NULL AND "
    missing = ("raw_score", "scale_min", "scale_max", "higher_is_better")
    return [
        Rule("surveys.sent_at in the future", f"{clock.at('sent_at')} > {clock.now}", _told("sent_at"), shown=True),
        Rule(
            "surveys.answered_at in the future",
            f"{clock.at('answered_at')} > {clock.now}",
            _told("answered_at"),
            shown=True,
        ),
        Rule(
            "surveys.answered_at before sent_at", "answered_at < sent_at", _told("sent_at", "answered_at"), shown=True
        ),
        *(Rule(f"surveys.{column} is missing", f"{answered}{column} IS NULL") for column in missing),
        Rule(
            "surveys.raw_score without answered_at",
            "answered_at IS NULL AND raw_score IS NOT NULL",
            _told("raw_score"),
            shown=True,
        ),
        Rule(
            "surveys.scale_min not below scale_max",
            "scale_min >= scale_max",
            _told("scale_min", "scale_max"),
            shown=True,
        ),
        Rule(
            "surveys.raw_score outside its scale",
            "raw_score < scale_min OR raw_score > scale_max",
            _told("raw_score", "scale_min", "scale_max"),
            shown=True,
        ),
    ]


def _agent_rules(_clock: _Clock) -> list[Rule]:
    return [
        Rule("agents.capacity is negative", "capacity < 0", _told("capacity"), shown=True),
        Rule("agents.away_to before away_from", "away_to < away_from", _told("away_from", "away_to"), shown=True),
        _language("agents"),
    ]


_ROW_RULES = {
    "customers": _customer_rules,
    "interactions": _interaction_rules,
    "surveys": _survey_rules,
    "agents": _agent_rules,
}


def _language(table: str) -> Rule:
    return Rule(f"{table}.language is neither en nor id", "language NOT IN ('en', 'id')", _told("language"), shown=True)


def _told(*columns: str) -> str:
    """SQL that writes the columns out: ``raw_score 11.0, scale_max 10.0``; times are UTC."""
    return "concat_ws(', ', " + ", ".join(f"'{column} ' || {quoted(column)}::VARCHAR" for column in columns) + ")"
