"""Contacts that the ledger has recorded, among the interactions that the sources gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

RECORDED = "churnwatch ledger"
"""The ``source`` of contacts that the ledger has recorded; no source of sources.yaml can have this name."""


@dataclass(frozen=True)
class Unit:
    """A customer who would have been listed, drawn at ``decided_at`` for the epoch that ends before ``closes_at``.

    Both are aware. Whoever is ``held_out`` is left alone until then, everybody else is treated: listed as ever.
    """

    customer_id: str
    held_out: bool
    decided_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class Contact:
    """One contact of ours, as an interaction: ``at`` when it was made, ``known_at`` when we were told (aware)."""

    interaction_id: str
    customer_id: str
    at: datetime
    known_at: datetime
    channel: str | None
    topic: str | None
    agent: str | None


def record_contacts(con: duckdb.DuckDBPyConnection, contacts: Sequence[Contact], *, state: str) -> None:
    """Make ``contacts`` the recorded ones among the interactions in ``con``, in place of those there before.

    They are of kind ``outreach`` and direction ``out``; one of a customer who is not in customers is left out.
    ``state`` names what they were made from: where the tables hold that already, nothing is done. All connections on
    the same tables see them.
    """
    if recorded_state(con) == state:
        return
    fields = ("interaction_id", "customer_id", "at", "known_at", "channel", "topic", "agent")
    columns = {name: [getattr(one, name) for one in contacts] for name in fields}
    for clock in ("at", "known_at"):
        columns[clock] = [moment.astimezone(UTC).replace(tzinfo=None) for moment in columns[clock]]
    kinds = {name: pa.timestamp("us") if name in ("at", "known_at") else pa.string() for name in fields}
    rows = pa.table({name: pa.array(columns[name], kinds[name]) for name in fields})
    con.execute("create schema if not exists recorded")
    target = _target(con)
    con.register("recorded_contacts", rows)
    try:
        con.execute("begin")
        con.execute(f"delete from {target} where source = '{RECORDED}'")
        con.execute(
            f"""insert into {target} by name
            select *, 'outreach' as kind, 'out' as direction, '{RECORDED}' as source
            from recorded_contacts semi join main.customers using (customer_id)"""
        )
        con.execute("create or replace table recorded.state as select ? as state", [state])
        con.execute("commit")
    except duckdb.Error:
        con.execute("rollback")
        raise
    finally:
        con.unregister("recorded_contacts")


def recorded_state(con: duckdb.DuckDBPyConnection) -> str | None:
    """What the recorded contacts were made from; ``None`` before there were any."""
    there = con.execute(
        "select 1 from information_schema.tables where table_schema = 'recorded' and table_name = 'state'"
    ).fetchone()
    if there is None:
        return None
    row = con.execute("select state from recorded.state").fetchone()
    return None if row is None else str(row[0])


def _target(con: duckdb.DuckDBPyConnection) -> str:
    """The table that takes recorded rows: the interactions themselves, or, where they are a view over files that are
    read in place, a table that the view is extended by.
    """
    [(kind,)] = con.execute(
        """select table_type from information_schema.tables
        where table_schema = 'main' and table_name = 'interactions'"""
    ).fetchall()
    if kind != "VIEW":
        return "main.interactions"
    there = con.execute(
        "select 1 from information_schema.tables where table_schema = 'recorded' and table_name = 'interactions'"
    ).fetchone()
    if there is None:
        con.execute("create table recorded.interactions as from main.interactions limit 0")
        con.execute("alter view main.interactions rename to interactions_of_sources")
        con.execute(
            """create view main.interactions as
            from main.interactions_of_sources union all by name from recorded.interactions"""
        )
    return "recorded.interactions"
