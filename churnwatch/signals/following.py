"""Rows that follow something: what `after` and `within` of a signal ask of a row, as one more level of it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from churnwatch.spec import Signal, where_sql

FOLLOWS = "true"
"""What the level holds in a row that follows; in others it holds ``false``."""


def following(signal: Signal) -> str | None:
    """The name of the level that tells whether a row follows what the signal asks for; None where it asks nothing."""
    if signal.after is None or signal.within is None:
        return None
    told = f"{where_sql(signal.after)} within {signal.within.seconds}"
    return f"after_{sha256(told.encode()).hexdigest()[:12]}"


def with_following(sql: str, signals: Iterable[Signal]) -> str:
    """The SELECT of event rows ``sql`` with the levels its signals' `after` ask for.

    A row follows where the customer has an interaction that meets `after` and became known before the row happened, at
    most `within` before. Known, not happened: what was learned later cannot change what a row once followed.
    """
    asked = {name: signal for signal in signals if (name := following(signal)) is not None}
    if not asked:
        return sql
    levels, joins = [], []
    for number, (name, signal) in enumerate(sorted(asked.items())):
        assert signal.after is not None
        assert signal.within is not None
        apart = f"rows._at - interval {signal.within.seconds} second"
        levels.append(f"coalesce(before{number}.known_at >= {apart}, false)::varchar as {name}")
        # The latest one known before is the nearest: it alone decides.
        joins.append(
            f" asof left join (select customer_id, known_at from interactions where {where_sql(signal.after)}) "
            f"as before{number} on rows.customer_id = before{number}.customer_id and rows._at > before{number}.known_at"
        )
    return f"select rows.*, {', '.join(levels)} from ({sql}) as rows{''.join(joins)}"
