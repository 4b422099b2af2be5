"""The links of the audit chain: a fact as one text, and the hash that binds it to every fact before.

Nothing here may change: what is entered in ledgers already would no longer be found to be true. New columns and new
parts may come, as what is empty is left out of the text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

START = "0" * 64
"""What the first entry has before it."""


@dataclass(frozen=True)
class Kind:
    """A kind of fact: its table, that table's number, when it became one, and tables whose rows are parts of it."""

    table: str
    number: str
    at: str
    parts: tuple[str, ...] = ()


def canonical(fact: Mapping[str, Any]) -> str:
    """A fact as JSON, the same on every database: keys in order, no spaces, what is ``None`` left out.

    Moments are UTC with six decimals; one without a zone is UTC, as the ledger stores it. Raises ``ValueError`` for NaN
    and infinity, which no fact is.
    """
    kept = {name: value for name, value in fact.items() if value is not None}
    return json.dumps(
        kept, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_as_text
    )


def link(previous: str, *, entry: int, kind: str, at: datetime, fact: str) -> str:
    """The hash of an entry: SHA-256, in hex, of the previous hash, number, kind, moment and fact, a line each."""
    text = "\n".join((previous, str(entry), kind, _as_text(at), fact))
    return hashlib.sha256(text.encode()).hexdigest()


def texts(
    connection: sa.Connection, kind: Kind, numbers: Collection[int], *, tables: Mapping[str, sa.Table]
) -> dict[int, tuple[datetime, str]]:
    """By number, when each fact became one and its text; a number that is not there is left out.

    Parts are the rows with the fact's number, in the order of their own texts.
    """
    table = tables[kind.table]
    which = table.c[kind.number].in_(numbers)
    found = {row[kind.number]: dict(row) for row in connection.execute(sa.select(table).where(which)).mappings()}
    for part in kind.parts:
        of = tables[part]
        under: dict[int, list[str]] = {}
        for row in connection.execute(sa.select(of).where(of.c[kind.number].in_(numbers))).mappings():
            under.setdefault(row[kind.number], []).append(canonical(dict(row)))
        for number, rows in under.items():
            # Rows of a fact that is not there are no part of any text: the verification looks for them apart.
            if number in found:
                found[number][part] = sorted(rows)
    return {number: (fact[kind.at], canonical(fact)) for number, fact in found.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no fact holds a {type(value).__name__}")
