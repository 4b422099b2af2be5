"""Raw tables into checked canonical tables, with an account of every raw row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa

from churnwatch.errors import DataRefused
from churnwatch.sources.mapping import FOUND, ROW, RULE, Mapped, carry_out, check_targets, measures_of
from churnwatch.sources.messages import masked, shown_types, way_out
from churnwatch.sources.raw import RawTable, literal, quoted, read_raw
from churnwatch.sources.staging import stage
from churnwatch.sources.tables import SHAPES, Accounting, Tables, new_tables, nothing_in, utc
from churnwatch.spec import Mapping, ProjectSpec, Source

Report = Callable[[str, int, int], None]

_EVENTS = ("interactions", "surveys")


def load(spec: ProjectSpec, *, data: Path, now: datetime, report: Report | None = None) -> Tables:
    """Read, map and check the raw tables of ``spec``; relative paths lie below ``data``.

    A raw row that breaks a rule in any of its mappings is quarantined whole and gives no events; of rows
    with the same id the first stays (by mapping, then by line). Rows known after ``now`` (aware) are
    quarantined. Grouped rows (``select``) must meet the rules or are refused, except those of unknown
    customers, which are left out and counted apart. Nothing is written anywhere.
    ``report(step, done, total)`` is told each step.

    Raises ``DataRefused`` for a missing file or column, a source over its allowance, grouped rows that break
    a rule, an empty customers or interactions; ``ProjectError`` for a wrong mapping or wrong SQL.
    """
    if now.tzinfo is None:
        raise ValueError("now carries no zone")
    work = _Work(spec, duckdb.connect(), now, data, report)
    try:
        return work.run()
    finally:
        work.con.close()


@dataclass
class _Work:
    spec: ProjectSpec
    con: duckdb.DuckDBPyConnection
    now: datetime
    data: Path
    report: Report | None
    raws: dict[str, RawTable] = field(default_factory=dict)
    excluded: dict[str, dict[str, int]] = field(default_factory=dict)
    mapped: list[Mapped] = field(default_factory=list)
    left_out: dict[tuple[str, str], int] = field(default_factory=dict)
    done: int = 0

    @property
    def sources(self) -> dict[str, Source]:
        return self.spec.sources.sources

    @property
    def told(self) -> str:
        """The file that holds the mappings, for messages."""
        return f"configs/{self.spec.deployment.deployment}/sources.yaml"

    def mappings(self, *, grouped: bool) -> Iterator[tuple[str, int, Mapping, str]]:
        """(table, position, mapping, place) in the order of the canonical tables, then of the file."""
        for table in SHAPES:
            for index, mapping in enumerate(self.spec.sources.tables.get(table, ())):  # type: ignore[call-overload]
                if (mapping.select is not None) == grouped:
                    yield table, index, mapping, f"{self.told}: {table}[{index}] from {mapping.source}"

    def run(self) -> Tables:
        for grouped in (False, True):
            for table, _, mapping, place in self.mappings(grouped=grouped):
                check_targets(table, mapping, place)
        self.con.execute("CREATE SCHEMA raw; CREATE SCHEMA staged; CREATE SCHEMA mapped")
        self.con.execute("CREATE TABLE raw.gone (source VARCHAR, row BIGINT, rule VARCHAR, found VARCHAR)")
        for name, source in self.sources.items():
            self.step(f"reading {source.from_}")
            self.raws[name] = read_raw(self.con, name, source, data=self.data, told=self.told)
        # From here on the project's own SQL runs: it sees the raw tables and no file.
        self.con.execute("SET enable_external_access = false")
        for name in self.sources:
            self.step(f"checking {self.sources[name].from_}")
            self.excluded[name] = stage(
                self.con, self.raws[name], self.sources[name], zone=self.zone(name), told=self.told
            )
        for table, index, mapping, place in self.mappings(grouped=False):
            self.step(f"mapping {mapping.source} to {table}")
            self.map(table, index, mapping, place)
        self.quarantine_broken()
        for table in SHAPES:
            self.quarantine_repeats(table)
        self.refuse_over_allowance()
        self.quarantine_unknown_customers()
        self.refuse_over_allowance()
        self.step("ordering the tables")
        tables = self.finish()
        self.refuse_empty(tables)
        return tables

    def step(self, words: str) -> None:
        if self.report is not None:
            total = 2 * len(self.sources) + sum(map(len, self.spec.sources.tables.values())) + 1
            self.report(words, min(self.done, total), total)
        self.done += 1

    def zone(self, name: str) -> str:
        return self.sources[name].zone or self.spec.deployment.zone

    def map(self, table: str, index: int, mapping: Mapping, place: str) -> Mapped:
        self.con.execute(f"SET TimeZone = {literal(self.zone(mapping.source))}")
        mapped = carry_out(
            self.con,
            mapping,
            table=table,
            raw=self.raws[mapping.source],
            relation=f"mapped.{quoted(f'{table} {index}')}",
            place=place,
            measures=self.measures(table),
            now=self.now,
        )
        self.mapped = [item for item in self.mapped if item.relation != mapped.relation] + [mapped]
        return mapped

    def measures(self, table: str) -> tuple[str, ...]:
        return measures_of(self.spec.sources.tables["interactions"]) if table == "interactions" else ()

    def rows_of(self, table: str, *, grouped: bool | None = None) -> list[Mapped]:
        return [item for item in self.mapped if item.table == table and (grouped is None or item.grouped == grouped)]

    def remaining(self, item: Mapped) -> str:
        """A relation over the rows of ``item`` whose raw row is not quarantined; grouped rows have none."""
        if item.grouped:
            return f"(FROM {item.relation})"
        gone = f"(SELECT row FROM raw.gone WHERE source = {literal(item.source)})"
        return f"(FROM {item.relation} ANTI JOIN {gone} AS gone ON gone.row = {ROW})"

    def quarantine(self, select: str) -> int:
        """Quarantine the (source, row, rule, found) of ``select`` once per row; how many there were."""
        before = self.gone()
        self.con.execute(
            f"""INSERT INTO raw.gone
                SELECT source, row, min_by(rule, place), min_by(found, place) FROM ({select}) AS broken
                WHERE NOT EXISTS (FROM raw.gone g WHERE g.source = broken.source AND g.row = broken.row)
                GROUP BY source, row"""
        )
        return self.gone() - before

    def gone(self) -> int:
        return int(self.con.execute("SELECT count(*) FROM raw.gone").fetchall()[0][0])

    def quarantine_broken(self) -> None:
        for position, item in enumerate(self.mapped):
            self.quarantine(
                f"SELECT {literal(item.source)} AS source, {ROW} AS row, {RULE} AS rule, {FOUND} AS found, "
                f"{position} AS place FROM {item.relation} WHERE {RULE} IS NOT NULL"
            )

    def quarantine_repeats(self, table: str) -> None:
        key, items = SHAPES[table].key, self.rows_of(table, grouped=False)
        if not items:
            return
        every = " UNION ALL ".join(
            f"SELECT {literal(item.source)} AS source, {ROW} AS row, {key} AS key, {position} AS place "
            f"FROM {self.remaining(item)}"
            for position, item in enumerate(items)
        )
        self.quarantine(
            f"""WITH every AS ({every}), repeated AS (SELECT key FROM every GROUP BY key HAVING count(*) > 1)
                SELECT source, row, '{table}.{key} repeats' AS rule, key AS found, place
                FROM every SEMI JOIN repeated USING (key)
                QUALIFY row_number() OVER (PARTITION BY key ORDER BY place, row) > 1"""
        )

    def quarantine_unknown_customers(self) -> None:
        """Group, then quarantine events of customers nobody knows, until nothing changes any more.

        A raw row that leaves may take its customer with it, and a SELECT must not see it any longer.
        """
        while True:
            for table, index, mapping, place in self.mappings(grouped=True):
                self.step(f"grouping {mapping.source} to {table}")
                self.refuse_broken_groups(self.map(table, index, mapping, place))
            for table in SHAPES:
                self.refuse_repeated_groups(table)
            if not self.con.execute(f"FROM {self.known_customers()} LIMIT 1").fetchall():
                # Then every event is of nobody, and only the empty table is worth a message.
                return
            found = 0
            for table in _EVENTS:
                for item in self.rows_of(table, grouped=False):
                    found += self.quarantine(
                        f"SELECT {literal(item.source)} AS source, {ROW} AS row, customer_id AS found, "
                        f"'{table}.customer_id is no customer' AS rule, 0 AS place "
                        f"FROM {self.remaining(item)} ANTI JOIN {self.known_customers()} USING (customer_id)"
                    )
            if found == 0:
                break
        for table in _EVENTS:
            for item in self.rows_of(table, grouped=True):
                self.leave_out_unknown(item)

    def known_customers(self) -> str:
        every = " UNION ALL ".join(
            f"SELECT customer_id FROM {self.remaining(item)}" for item in self.rows_of("customers")
        )
        return f"(SELECT DISTINCT customer_id FROM ({every})) AS known"

    def leave_out_unknown(self, item: Mapped) -> None:
        rows, unknown = self.con.execute(
            f"""SELECT count(*), count(*) FILTER (known.customer_id IS NULL)
                FROM {item.relation} AS item LEFT JOIN {self.known_customers()} USING (customer_id)"""
        ).fetchall()[0]
        if unknown > self.sources[item.source].allowance * rows:
            raise DataRefused(
                f"{unknown} of {rows} grouped rows are of no customer in customers",
                where=item.place,
                allowed=f"a share of {self.sources[item.source].allowance:g}, the allowance of {item.source}",
                hint="complete the mapping of customers, or exclude such rows by a declared rule",
            )
        if unknown:
            key = (item.source, item.table)
            self.left_out[key] = self.left_out.get(key, 0) + unknown
            self.con.execute(
                f"DELETE FROM {item.relation} AS item WHERE customer_id NOT IN "
                f"(SELECT customer_id FROM {self.known_customers()})"
            )

    def refuse_broken_groups(self, item: Mapped) -> None:
        broken = self.con.execute(
            f"SELECT {RULE}, count(*), min_by({FOUND}, {SHAPES[item.table].key}) FROM {item.relation} "
            f"WHERE {RULE} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        if broken:
            told = "; ".join(
                f"{rule}: {count} rows" + (f", such as {masked(found)}" if found and rule in item.shown else "")
                for rule, count, found in broken
            )
            raise DataRefused(
                f"the SELECT makes rows that break a rule: {told}",
                where=item.place,
                allowed="rows that meet every rule: a grouped row cannot be traced to one line",
                hint="add an `exclude` rule to the source, or a condition to the SELECT",
            )

    def refuse_repeated_groups(self, table: str) -> None:
        items, key = self.rows_of(table), SHAPES[table].key
        if not any(item.grouped for item in items):
            return
        every = " UNION ALL ".join(f"SELECT {key} AS key FROM {self.remaining(item)}" for item in items)
        repeated = self.con.execute(
            f"SELECT count(*) FROM (SELECT key FROM ({every}) GROUP BY key HAVING count(*) > 1)"
        ).fetchall()[0][0]
        if repeated:
            place = next(item.place for item in items if item.grouped)
            raise DataRefused(
                f"{repeated} values of {key} repeat",
                where=place,
                allowed=f"each {key} once in {table}",
                hint=f"group by {key}, or make it of more columns",
            )

    def quarantined(self, name: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for reject in self.raws[name].rejects:
            counts[reject.rule] = counts.get(reject.rule, 0) + 1
        query = "SELECT rule, count(*) FROM raw.gone WHERE source = ? GROUP BY 1"
        for rule, count in self.con.execute(query, [name]).fetchall():
            counts[rule] = counts.get(rule, 0) + int(count)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def refuse_over_allowance(self) -> None:
        refused, hints = [], list[str]()
        for name, raw in self.raws.items():
            counts, allowance = self.quarantined(name), self.sources[name].allowance
            total = sum(counts.values())
            if total <= allowance * raw.read:
                continue
            told = f"{total} of {raw.read} rows break a rule, more than the allowance of {allowance:g}"
            lines = [f"{raw.file}: {told}", *(f"    {count} × {rule}" for rule, count in counts.items())]
            fed = [
                (table, one) for table, some in self.spec.sources.tables.items() for one in some if one.source == name
            ]
            shown = shown_types(self.sources[name], [mapping for _, mapping in fed])
            shown = shown.union(*(item.shown for item in self.mapped if item.source == name))
            for row in self.gone_rows(name).slice(0, 3).to_pylist():
                found = f": {masked(row['found'])}" if row["found"] and row["rule"] in shown else ""
                lines.append(f"    {raw.file}:{row['line']}: {row['rule']}{found}")
            refused.append("\n".join(lines))
            hints.append(way_out(self.sources[name], fed, counts))
        if refused:
            raise DataRefused("\n".join(refused), hint="; ".join(dict.fromkeys(hints)))

    def gone_rows(self, name: str) -> pa.Table:
        """The quarantined rows of one source by line: source, file, line, rule, found."""
        raw = self.raws[name]
        query = "SELECT row, rule, coalesce(found, '') FROM raw.gone WHERE source = ?"
        gone = self.con.execute(query, [name]).fetchall()
        lines = raw.lines_of(np.array([row for row, _, _ in gone], dtype=np.int64)).tolist()
        rows = [(line, rule, found) for line, (_, rule, found) in zip(lines, gone, strict=True)]
        rows += [(reject.line, reject.rule, reject.found) for reject in raw.rejects]
        rows.sort()
        return pa.table(
            {
                "source": pa.array([name] * len(rows), pa.string()),
                "file": pa.array([raw.file] * len(rows), pa.string()),
                "line": pa.array([row[0] for row in rows], pa.int64()),
                "rule": pa.array([row[1] for row in rows], pa.string()),
                "found": pa.array([row[2] for row in rows], pa.string()),
            }
        )

    def finish(self) -> Tables:
        """The canonical tables on a fresh connection: the raw rows and the ban on files stay behind."""
        measures = self.measures("interactions")
        con = new_tables(measures)
        for table, shape in SHAPES.items():
            names = [*shape.columns, *(measures if table == "interactions" else ())]
            columns = ", ".join(
                f"coalesce({name}, false) AS {name}" if name == "do_not_contact" else quoted(name) for name in names
            )
            for item in self.rows_of(table):
                # All of a table's rows are gathered first, so that one ORDER BY rules over all its sources.
                rows = self.con.sql(
                    f"SELECT {columns}, {literal(item.source)} AS source FROM {self.remaining(item)}"
                ).to_arrow_table()
                con.register("rows", rows)
                con.execute(f"CREATE TABLE IF NOT EXISTS gathered AS FROM {table} LIMIT 0")
                con.execute("INSERT INTO gathered FROM rows")
                con.unregister("rows")
            if self.rows_of(table):
                con.execute(f"INSERT INTO {table} FROM gathered ORDER BY {', '.join(map(quoted, shape.order))}")
                con.execute("DROP TABLE gathered")
        return Tables(
            con,
            measures,
            tuple(self.account(con, name) for name in self.sources),
            pa.concat_tables([self.gone_rows(name) for name in self.sources]),
            tuple(self.warnings(con)),
            self.spec.deployment.zone,
        )

    def account(self, con: duckdb.DuckDBPyConnection, name: str) -> Accounting:
        raw, excluded, quarantined = self.raws[name], self.excluded[name], self.quarantined(name)
        events: dict[str, int] = {}
        for table in SHAPES:
            if any(item.source == name for item in self.rows_of(table)):
                query = f"SELECT count(*) FROM {table} WHERE source = ?"
                events[table] = int(con.execute(query, [name]).fetchall()[0][0])
            if (name, table) in self.left_out:
                events[f"{table}, left out: customer_id is no customer"] = self.left_out[name, table]
        accepted = raw.read - sum(excluded.values()) - sum(quarantined.values())
        end = self.data_end(con, name)
        return Accounting(name, raw.file, raw.read, accepted, excluded, quarantined, events, end)

    def data_end(self, con: duckdb.DuckDBPyConnection, name: str) -> datetime | None:
        declared = self.sources[name].data_end
        if declared is not None:
            moment = declared if isinstance(declared, datetime) else datetime.combine(declared, time())
            local = moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(self.zone(name)))
            return local.astimezone(UTC)
        greatest = con.execute(
            """SELECT max(moment) FROM (
                   SELECT max(known_at) AS moment FROM interactions WHERE source = $1
                   UNION ALL SELECT max(sent_at) FROM surveys WHERE source = $1
                   UNION ALL SELECT max(answered_at) FROM surveys WHERE source = $1)""",
            [name],
        ).fetchall()[0][0]
        return None if greatest is None else utc(greatest)

    def warnings(self, con: duckdb.DuckDBPyConnection) -> Iterator[str]:
        for name, raw in self.raws.items():
            if raw.read == 0:
                yield nothing_in(raw.file)
            for rule, count in self.excluded[name].items():
                if count == 0 and raw.read > 0:
                    yield f"{raw.file}: the rule '{rule}' excluded no row"
        for (name, table), count in self.left_out.items():
            file = self.raws[name].file
            yield f"{file}: {count} grouped {table} left out: their customer_id is no customer"
        strangers = con.execute(
            "SELECT count(*) FROM customers WHERE owner NOT IN (SELECT owner FROM agents)"
        ).fetchall()[0][0]
        if strangers and self.rows_of("agents"):
            yield f"{strangers} customers have an owner who is not in agents"

    def refuse_empty(self, tables: Tables) -> None:
        for table in ("customers", "interactions"):
            if tables.con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] == 0:
                fed = [item for item in tables.accounting if table in item.events]
                told = "; ".join(
                    f"{item.file}: {item.read} rows read, {sum(item.excluded.values())} excluded, "
                    f"{sum(item.quarantined.values())} quarantined"
                    for item in fed
                )
                empty = [nothing_in(item.file) for item in fed if item.read == 0]
                raise DataRefused(
                    "; ".join([f"the table is empty ({told})", *empty]),
                    where=table,
                    allowed="at least one row",
                    hint=f"look at the file, its exclude rules, and the mapping of {table} in {self.told}",
                )
