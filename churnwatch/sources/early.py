"""Events from before their customer began: a wrong column, a wrong customer, or dates that somebody made up."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from churnwatch.sources.recorded import RECORDED

EARLY_SHARE = 0.01
"""Our choice: fewer are enquiries of people who became customers later."""

_EVENTS = f"""
    SELECT source, customer_id, known_at FROM interactions WHERE source <> '{RECORDED}'
    UNION ALL
    SELECT source, customer_id, sent_at FROM surveys"""


@dataclass(frozen=True)
class Early:
    """A source with events that were known before their customer's ``started_at``."""

    source: str
    early: int
    """Its events (interactions, and surveys when sent) with ``known_at < started_at``."""
    events: int
    """All its events."""


def early_sources(con: duckdb.DuckDBPyConnection) -> tuple[Early, ...]:
    """The sources of the canonical tables in ``con`` with more than EARLY_SHARE of such events, by name.

    An event is judged by when it was known: customers who are derived from their events begin when the first of
    them was known, which may be after it happened.
    """
    found = con.execute(
        f"""SELECT event.source, count(*) FILTER (event.known_at < started_at) AS early, count(*) AS events
            FROM ({_EVENTS}) AS event JOIN customers USING (customer_id)
            GROUP BY ALL HAVING early > {EARLY_SHARE} * events ORDER BY 1"""
    ).fetchall()
    return tuple(Early(source, early, events) for source, early, events in found)
