"""The small company whose files are damaged: four clean tables, and how they are mapped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2024, 12, 1, tzinfo=UTC)
"""After every moment of the tables, and before any day on which the fuzz may run."""
FIRST = datetime(2024, 1, 8, 9)
CANARIES = ("Zubaidah", "kenari", "@kanari.example", "KNR-")
"""Names, words, addresses and the beginning of every customer's id: no message may repeat one."""

Cell = str | int | float | bool | datetime | None


@dataclass
class Draft:
    """A table before it is written: the names of its columns, its rows, and how a text file holds them."""

    columns: list[str]
    rows: list[list[Cell]]
    delimiter: str = ","
    encoding: str = "utf-8"


def clean(table: str) -> Draft:
    """The clean rows of a table; times are local and carry no zone."""
    return {"customers": _customers, "interactions": _interactions, "surveys": _surveys, "agents": _agents}[table]()


def _moment(step: int, hours: int) -> datetime:
    return FIRST + timedelta(hours=step * hours, minutes=7 * step % 60)


def _customer(number: int) -> str:
    return f"KNR-{number:04}"


def _customers() -> Draft:
    rows: list[list[Cell]] = [
        [
            _customer(number),
            f"Zubaidah {'Ç' if number % 7 == 0 else 'S'}. {number}",
            f"orang{number}@kanari.example",
            FIRST - timedelta(days=number + 3),
            f"A{number % 3}",
            ("basic", "plus", "pro")[number % 3],
            100.5 + number,
            "id" if number % 2 else "en",
            number % 5 == 0,
        ]
        for number in range(20)
    ]
    return Draft(["id", "name", "mail", "since", "agent", "plan", "fee", "language", "silent"], rows)


KINDS = ("contact", "complaint", "usage", "purchase", "usage", "resolved", "first_response")


def _interactions() -> Draft:
    rows: list[list[Cell]] = [
        [
            f"e{number}",
            _customer(number * 7 % 20),
            _moment(number, 60),
            _moment(number, 60) + timedelta(minutes=number % 3),
            "cancellation" if number % 19 == 18 else KINDS[number % 7],
            ("phone", "chat", "web")[number % 3],
            2.5 * number,
            number % 40,
            f"kata kenari, {number}" if number % 4 == 0 else None,
        ]
        for number in range(110)
    ]
    return Draft(["id", "customer", "when", "known", "kind", "channel", "amount", "minutes", "note"], rows)


def _surveys() -> Draft:
    rows: list[list[Cell]] = [
        [
            f"s{number}",
            _customer(number * 3 % 20),
            _moment(number, 170),
            _moment(number, 170) + timedelta(days=1) if number % 3 else None,
            "nps" if number % 2 else "csat",
            (number % 5 + 1) if number % 3 else None,
            0 if number % 2 else 1,
            10 if number % 2 else 5,
            "kenari sedih" if number % 6 == 1 else None,
        ]
        for number in range(36)
    ]
    return Draft(["id", "customer", "sent", "answered", "instrument", "score", "low", "high", "remark"], rows)


def _agents() -> Draft:
    rows: list[list[Cell]] = [
        [f"A{number}", f"Zubaidah {number}", "id", 5 + number, None, None, "rina"] for number in range(3)
    ]
    return Draft(["login", "name", "language", "per_day", "from", "to", "lead"], rows)


TYPES: dict[str, dict[str, str]] = {
    "customers": {"since": "time", "fee": "number", "silent": "boolean"},
    "interactions": {"when": "time", "known": "time", "amount": "number", "minutes": "integer"},
    "surveys": {"sent": "time", "answered": "time", "score": "number", "low": "number", "high": "number"},
    "agents": {"per_day": "integer", "from": "time", "to": "time"},
}

MAPPINGS: dict[str, dict[str, Any]] = {
    "customers": {
        "columns": {
            "customer_id": "id",
            "name": "name",
            "email": "mail",
            "started_at": "since",
            "owner": "agent",
            "segment": "plan",
            "value": "fee",
            "language": "language",
            "do_not_contact": "silent",
        }
    },
    "interactions": {
        "columns": {
            "interaction_id": "id",
            "customer_id": "customer",
            "at": '"when"',
            "known_at": "known",
            "kind": "kind",
            "channel": "channel",
            "text": "note",
        },
        "measures": {"amount": "amount", "response_minutes": "TRY_CAST(minutes AS DOUBLE) * 1.5"},
    },
    "surveys": {
        "columns": {
            "survey_id": "id",
            "customer_id": "customer",
            "sent_at": "sent",
            "answered_at": "answered",
            "instrument": "instrument",
            "raw_score": "score",
            "scale_min": "low",
            "scale_max": "high",
            "higher_is_better": "instrument <> 'ces'",
            "comment": "remark",
        }
    },
    "agents": {
        "columns": {
            "owner": "login",
            "name": "name",
            "language": "language",
            "capacity": "per_day",
            "away_from": '"from"',
            "away_to": '"to"',
            "lead": "lead",
        }
    },
}

GROUPED = """SELECT id AS interaction_id, min(customer) AS customer_id, min("when") AS "at", max(known) AS known_at,
    min(kind) AS kind, sum(TRY_CAST(amount AS DECIMAL(18, 3))) AS amount FROM log GROUP BY id"""
"""The interactions as a project maps them whose raw rows are finer than its events."""
