"""Sources that have fallen silent: a feed that broke looks like customers who stay away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from churnwatch.sources.recorded import RECORDED

SILENT_DAYS = 3.0
EXPECTED_ROWS = 20.0
USUAL_DAYS = 90

# One pass over the rows, of which only the few (source, kind) stay.
_ENDS = f"""
    SELECT source, 'interactions' AS "table", kind, max(known_at) AS last
    FROM interactions WHERE known_at < $as_of AND source <> '{RECORDED}' GROUP BY ALL
    UNION ALL
    SELECT source, 'surveys', instrument,
           max(CASE WHEN answered_at < $as_of THEN greatest(sent_at, answered_at) ELSE sent_at END)
    FROM surveys WHERE sent_at < $as_of GROUP BY ALL"""
_ROWS = f"""
    SELECT (SELECT count(*) FROM interactions
            WHERE source = $source AND known_at < $as_of AND known_at > $last - INTERVAL {USUAL_DAYS} DAY)
         + (SELECT count(*) FROM surveys
            WHERE source = $source AND sent_at < $as_of AND sent_at > $last - INTERVAL {USUAL_DAYS} DAY)"""


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
    ends = con.execute(
        f"""SELECT source, max(last), list(["table", kind]) FROM ({_ENDS}) GROUP BY source ORDER BY source""",
        {"as_of": moment},
    ).fetchall()
    found = []
    for source, last, feeds in ends:
        days = (moment - last).total_seconds() / 86_400
        if days <= SILENT_DAYS:
            continue
        [(rows,)] = con.execute(_ROWS, {"source": source, "as_of": moment, "last": last}).fetchall()
        usual = rows / USUAL_DAYS
        if usual * days > EXPECTED_ROWS:
            told = tuple(sorted((table, kind) for table, kind in feeds))
            found.append(Stale(source, last.replace(tzinfo=UTC), days, usual, told))
    return tuple(found)
