"""Sources that have fallen silent: a feed that broke looks like customers who stay away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from churnwatch.sources.recorded import RECORDED

SILENT_DAYS = 3.0
EXPECTED_ROWS = 20.0
USUAL_DAYS = 90

_MOMENTS = f"""
    SELECT source, 'interactions' AS "table", kind, known_at AS first, known_at AS last
    FROM interactions WHERE known_at < $as_of AND source <> '{RECORDED}'
    UNION ALL
    SELECT source, 'surveys', instrument, sent_at,
           CASE WHEN answered_at < $as_of THEN greatest(sent_at, answered_at) ELSE sent_at END
    FROM surveys WHERE sent_at < $as_of"""


@dataclass(frozen=True)
class Stale:
    """A source that gave rows and has given none for too long before an as-of."""

    source: str
    last: datetime
    """The greatest ``known_at`` of its rows before as-of; aware, UTC."""
    days: float
    """Days of 86,400 s from ``last`` to as-of."""
    usual: float
    """Its rows a day over the 90 days up to ``last``."""
    feeds: tuple[tuple[str, str], ...]
    """The (table, kind) of its rows before as-of, in order; for surveys the kind is the instrument."""


def stale_sources(con: duckdb.DuckDBPyConnection, as_of: datetime) -> tuple[Stale, ...]:
    """The sources of ``con`` that are stale at ``as_of`` (aware), by name; see ``Tables.stale``."""
    if as_of.tzinfo is None:
        raise ValueError("as_of carries no zone")
    moment = as_of.astimezone(UTC).replace(tzinfo=None)
    found = con.execute(
        f"""WITH moments AS ({_MOMENTS}),
            ends AS (SELECT source, max(last) AS last, list(DISTINCT ["table", kind]) AS feeds
                     FROM moments GROUP BY source)
            SELECT source, ends.last, count(*) FILTER (first > ends.last - INTERVAL {USUAL_DAYS} DAY), any_value(feeds)
            FROM ends JOIN moments USING (source) GROUP BY ALL ORDER BY source""",
        {"as_of": moment},
    ).fetchall()
    judged = (
        Stale(
            source,
            last.replace(tzinfo=UTC),
            (moment - last).total_seconds() / 86_400,
            rows / USUAL_DAYS,
            tuple(sorted((table, kind) for table, kind in feeds)),
        )
        for source, last, rows, feeds in found
    )
    return tuple(one for one in judged if one.days > SILENT_DAYS and one.usual * one.days > EXPECTED_ROWS)
