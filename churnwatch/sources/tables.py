"""The canonical tables: their columns, and what became of the raw rows they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

import duckdb
import pyarrow as pa

from churnwatch.errors import DataRefused, ProjectError, nearest
from churnwatch.sources.lateness import Lateness, lateness_of
from churnwatch.sources.recorded import RECORDED, Unit
from churnwatch.sources.stale import Stale, stale_sources
from churnwatch.sources.wording import Mention, mentions_of
from churnwatch.spec import Family, Level, Where

Kind = Literal["text", "number", "integer", "boolean", "time"]


@dataclass(frozen=True)
class Shape:
    """One canonical table: its columns with their kinds, those a mapping must give, its id."""

    columns: dict[str, Kind]
    required: tuple[str, ...]
    key: str


SHAPES: dict[str, Shape] = {
    "customers": Shape(
        {
            "customer_id": "text",
            "name": "text",
            "email": "text",
            "phone": "text",
            "do_not_contact": "boolean",
            "consent": "boolean",
            "started_at": "time",
            "ended_at": "time",
            "owner": "text",
            "segment": "text",
            "value": "number",
            "language": "text",
            "known_at": "time",
        },
        ("customer_id", "started_at"),
        "customer_id",
    ),
    "interactions": Shape(
        {
            "interaction_id": "text",
            "customer_id": "text",
            "at": "time",
            "known_at": "time",
            "kind": "text",
            "channel": "text",
            "direction": "text",
            "topic": "text",
            "agent": "text",
            "text": "text",
        },
        ("interaction_id", "customer_id", "at", "known_at", "kind"),
        "interaction_id",
    ),
    "surveys": Shape(
        {
            "survey_id": "text",
            "customer_id": "text",
            "sent_at": "time",
            "answered_at": "time",
            "instrument": "text",
            "raw_score": "number",
            "scale_min": "number",
            "scale_max": "number",
            "higher_is_better": "boolean",
            "comment": "text",
        },
        ("survey_id", "customer_id", "sent_at", "instrument"),
        "survey_id",
    ),
    "agents": Shape(
        {
            "owner": "text",
            "name": "text",
            "email": "text",
            "language": "text",
            "capacity": "integer",
            "away_from": "time",
            "away_to": "time",
            "lead": "text",
            "stand_in": "text",
        },
        ("owner",),
        "owner",
    ),
}

MEASURED = ("interactions", "customers")
"""The tables whose mappings may declare measures: numeric columns beyond those of the shape."""

PERSONAL = ("customer_id", "name", "email", "phone", "text", "comment", "owner", "agent", "lead", "stand_in")
"""Columns whose values no message shows; nor the tables' own keys, which may be made of a customer's id."""

TYPED = ("owner", "lead", "stand_in")
"""Ids that people type into tables of agents: their texts carry no blanks around them."""

IDS = ("customer_id", *TYPED, *(shape.key for shape in SHAPES.values()))
"""Columns by which rows find each other: their texts are in Unicode's form NFC."""

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
}


@dataclass(frozen=True)
class Accounting:
    """What became of the raw rows of one source.

    ``read == accepted + sum(excluded.values()) + sum(quarantined.values())``: each row is counted once, by
    the first rule that took it. ``excluded`` names every declared rule, ``quarantined`` the broken ones.
    ``events`` counts apart the rows made per canonical table, and under ``<table>, left out: …`` the grouped
    rows that were left out. ``data_end`` is ``None`` for a source of customers or agents alone.
    """

    source: str
    file: str
    read: int
    accepted: int
    excluded: dict[str, int]
    quarantined: dict[str, int]
    events: dict[str, int]
    data_end: datetime | None


@dataclass(frozen=True)
class Tables:
    """The canonical tables customers, interactions, surveys and agents, each with a last column ``source``.

    ``con`` is in memory with ``TimeZone`` UTC; times in it are naive UTC. Where a large Parquet file feeds
    interactions or surveys, the table is a view that reads the file, which must stay as it is as long as ``con`` is in
    use; ``con`` reads no other file. No order of rows is promised. ``measures`` are the numeric
    columns of interactions that the mappings declare, ``customer_measures`` those of customers, ``mentions`` the
    columns ``mentions_<list>`` of interactions that the catalogue's words make, none where no mapping gives a text.
    ``quarantine`` has source, file, line (CSV: 1-based line of the file; Parquet: 1-based row number), rule, found.
    ``warnings`` are sentences for the user.
    """

    con: duckdb.DuckDBPyConnection
    measures: tuple[str, ...]
    accounting: tuple[Accounting, ...]
    quarantine: pa.Table
    warnings: tuple[str, ...]
    zone: str
    customer_measures: tuple[str, ...] = ()
    mentions: Mapping[str, Mention] = field(default_factory=dict)
    units: tuple[Unit, ...] = ()
    """Whom the ledger says were drawn, to be listed or to be left alone to measure by."""

    def measures_of(self, table: str) -> tuple[str, ...]:
        """The numeric columns of ``table`` that the mappings declare, beyond those it always has."""
        return {"interactions": self.measures, "customers": self.customer_measures}.get(table, ())

    def data_end(self, table: str, where: Where | None = None) -> datetime:
        """Until when rows of ``table`` that match ``where`` are complete: the least end over their sources.

        ``customers`` and ``agents`` state facts, not events, and have no end of their own: for them it is the
        least over all sources of events. Raises ``DataRefused`` where no row matches, ``ProjectError`` for an
        unknown column.
        """
        # Contacts that the ledger recorded have no end: nobody waits for more of them.
        ends = {item.source: item.data_end for item in self.accounting if item.data_end is not None}
        if table in ("customers", "agents"):
            fed = [item.source for item in self.accounting if set(item.events) & {"interactions", "surveys"}]
            return min(ends[source] for source in fed if source in ends)
        condition, values = self._condition(table, where or {})
        rows = self.con.execute(
            f"SELECT DISTINCT source FROM {table} WHERE {condition} AND source <> '{RECORDED}'", values
        ).fetchall()
        if not rows:
            raise self._nothing(table, where or {})
        return min(ends[source] for (source,) in rows)

    def stale(self, as_of: datetime) -> tuple[Stale, ...]:
        """The sources of events that have fallen silent before ``as_of`` (aware), by name.

        A source is stale when nothing of it became known for more than 3 days before as-of although more than
        20 rows were to be expected in that time at its usual rate (its rows a day over the 90 days up to its
        last one). Were the rows to come independently, at that rate, the chance of none would be below
        exp(-20) = 2e-9, less than one in 10^8 (Poisson). The limits are our choice: rows do not come quite
        independently, quiet weekends and weeks happen, and a sparse source may be silent for long. A source that is
        delivered in batches and gives the moment of delivery as ``known_at`` is silent between them.

        Only rows known before as-of count, so a past day is judged as it was seen then. A declared ``data_end``
        makes no difference: it is a promise, and this asks whether it was kept.
        """
        return stale_sources(self.con, as_of)

    @property
    def has_text(self) -> bool:
        """Whether any interaction has a text."""
        return bool(self.con.execute('SELECT 1 FROM interactions WHERE "text" IS NOT NULL LIMIT 1').fetchall())

    def reworded(self, families: Iterable[Family]) -> Tables:
        """The same tables with the words of ``families``: what was computed at load of other lists is computed anew.

        A model is scored by the lists it was trained with, whatever the project's say by now.
        """
        mentions = dict[str, Mention]()
        for name, sql in mentions_of(families).items():
            known = self.mentions.get(name)
            mentions[name] = known if known is not None and known.sql == sql else Mention(sql, stored=False)
        return replace(self, mentions=mentions)

    def lateness(self) -> tuple[Lateness, ...]:
        """How late the interactions of each source became known, by source; surveys have no lateness."""
        return lateness_of(self.con)

    def _condition(self, table: str, where: Where) -> tuple[str, list[Level]]:
        known = [*SHAPES[table].columns, *self.measures_of(table), "source"]
        parts, values = ["true"], list[Level]()
        for column, wanted in where.items():
            if column not in known:
                hint = nearest(column, known)
                found = f"{table} has no column {column}"
                raise ProjectError(found, where=f"{table}.{column}", allowed=", ".join(known), hint=hint)
            levels = wanted if isinstance(wanted, list) else [wanted]
            parts.append(f'"{column}" IN ({", ".join("?" for _ in levels)})' if levels else "false")
            as_text = SHAPES[table].columns.get(column, "number") == "text" or column == "source"
            values.extend(_as_text(level) if as_text else level for level in levels)
        return " AND ".join(parts), values

    def _nothing(self, table: str, where: Where) -> DataRefused:
        told = ", ".join(f"{column}: {wanted}" for column, wanted in where.items())
        empty = [nothing_in(item.file) for item in self.accounting if table in item.events and item.read == 0]
        if not where:
            return DataRefused("; ".join(["the table is empty", *empty]), where=table)
        column, wanted = next(iter(where.items()))
        if column in (*PERSONAL, SHAPES[table].key):
            return DataRefused(f"no row matches the condition on {column}", where=f"{table}.{column}")
        there = self.con.execute(
            f'SELECT "{column}"::VARCHAR FROM {table} WHERE "{column}" IS NOT NULL '
            "GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 20"
        ).fetchall()
        levels = [str(level) for (level,) in there]
        first = wanted[0] if isinstance(wanted, list) and wanted else wanted
        return DataRefused(
            "; ".join([*empty, f"no row matches {{{told}}}"]),
            where=f"{table}.{column}",
            allowed=f"what the data hold: {', '.join(levels) or 'nothing'}",
            hint=nearest(str(first), levels),
        )


def _as_text(level: Level) -> str:
    return str(level).lower() if isinstance(level, bool) else str(level)


def nothing_in(file: str) -> str:
    """A sentence about a raw file without rows."""
    return f"{file} has no rows" if file.endswith((".parquet", ".pq")) else f"{file} has a header and no rows"


def new_tables(measures: Sequence[str], *, customer_measures: Sequence[str] = ()) -> duckdb.DuckDBPyConnection:
    """A connection in memory, ``TimeZone`` UTC, that holds the canonical tables, empty."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    declared = {"interactions": measures, "customers": customer_measures}
    for table in SHAPES:
        con.execute(f"CREATE TABLE {table} ({', '.join(definitions(table, declared.get(table, ())))})")
    return con


def definitions(table: str, measures: Sequence[str], mentions: Iterable[str] = ()) -> list[str]:
    """The columns of the canonical ``table`` with their SQL types, in order, as a CREATE TABLE wants them.

    ``measures`` are those that its mappings declare, ``mentions`` what is asked of its texts.
    """
    columns = [f'"{name}" {SQL_TYPES[kind]}' for name, kind in SHAPES[table].columns.items()]
    columns += [*(f'"{name}" DOUBLE' for name in measures), *(f'"{name}" BOOLEAN' for name in mentions)]
    if table == "customers":
        columns[list(SHAPES[table].columns).index("do_not_contact")] += " NOT NULL"
    return [*columns, "source VARCHAR NOT NULL"]


def utc(naive: datetime) -> datetime:
    """A naive UTC instant of DuckDB as an aware one."""
    return naive.replace(tzinfo=UTC)
