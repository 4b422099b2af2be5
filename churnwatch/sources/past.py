"""The tables as they were known at an earlier instant: what a run of that day would have read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from churnwatch.sources.tables import Tables


def as_known(tables: Tables, instant: datetime) -> Tables:
    """The same tables without what was known from ``instant`` (aware) on; those handed in stay as they are.

    Interactions known later, surveys sent later and customers who came later are not there; a survey answered later is
    not answered yet, an end that came later is not there. What has no history is today's all the same: owner, segment,
    value, name, consent and the agents. A source is complete until ``instant`` at the most.

    The result reads the tables it was made of, so rows added to those are seen in it. Raises ValueError for an instant
    without a zone.
    """
    if instant.tzinfo is None:
        raise ValueError("instant carries no zone")
    moment = f"timestamp '{instant.astimezone(UTC).replace(tzinfo=None)}'"
    [(whole, schemas)] = tables.con.execute(
        "select current_schema(), (select count(*) from information_schema.schemata)"
    ).fetchall()
    known = f"known_{schemas}"
    later = ", ".join(
        f"case when answered_at < {moment} then {column} end as {column}"
        for column in ("answered_at", "raw_score", "comment")
    )
    views = {
        "interactions": f"from {whole}.interactions where known_at < {moment}",
        "surveys": f"select * replace ({later}) from {whole}.surveys where sent_at < {moment}",
        "customers": f"select * replace (case when ended_at < {moment} then ended_at end as ended_at) "
        f"from {whole}.customers where coalesce(started_at < {moment}, true)",
        "agents": f"from {whole}.agents",
    }
    con = tables.con.cursor()
    con.execute("set TimeZone = 'UTC'")
    con.execute(f"create schema {known}")
    for table, select in views.items():
        con.execute(f"create view {known}.{table} as {select}")
    con.execute(f"set search_path = '{known}'")
    accounting = tuple(
        one if one.data_end is None else replace(one, data_end=min(one.data_end, instant)) for one in tables.accounting
    )
    return replace(tables, con=con, accounting=accounting)
