"""Raw tables into checked canonical tables, with an account of every raw row."""

from __future__ import annotations

import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from churnwatch.errors import DataRefused
from churnwatch.sources.mapping import FOUND, RULE, Mapped, carry_out, check_targets, computed, measures_of
from churnwatch.sources.messages import masked, shown_types, way_out
from churnwatch.sources.quarantine import QUARANTINE, quarantined, quarantined_rows
from churnwatch.sources.raw import ROW, RawTable, literal, quoted, refuse_changed, refuse_damaged
from churnwatch.sources.reading import read_raw
from churnwatch.sources.repeats import find_repeats, refuse_file_twice
from churnwatch.sources.staging import stage
from churnwatch.sources.tables import SHAPES, TYPED, Accounting, Tables, definitions, nothing_in, utc
from churnwatch.sources.wording import Mention, mentions_of
from churnwatch.spec import Mapping, ProjectSpec, Source

Report = Callable[[str, int, int], None]

_EVENTS = ("interactions", "surveys")


def load(spec: ProjectSpec, *, data: Path, now: datetime, report: Report | None = None) -> Tables:
    """Read, map and check the raw tables of ``spec``; relative paths lie below ``data``.

    A raw row that breaks a rule in any of its mappings is quarantined whole and gives no events; of rows
    with the same id the first stays (by mapping, then by line). Rows known after ``now`` (aware) are
    quarantined. Grouped rows (``select``) must meet the rules or are refused, except those of unknown
    customers, which are left out and counted apart. Large Parquet files are read in place (``Tables.con``). Nothing is
    written anywhere, but for a temporary directory where memory does not suffice, gone when ``Tables.con`` is.
    ``report(step, done, total)`` is told each step.

    Raises ``DataRefused`` for a missing file or column, a source over its allowance, grouped rows that break
    a rule, an empty customers or interactions; ``ProjectError`` for a wrong mapping or wrong SQL.
    """
    if now.tzinfo is None:
        raise ValueError("now carries no zone")
    work = _Work(spec, duckdb.connect(), now, data, report)
    with ExitStack() as closing:
        closing.callback(work.con.close)
        try:
            tables = work.run()
        except duckdb.Error:
            for raw in work.raws.values():
                refuse_damaged(work.con, raw)
            raise
        closing.pop_all()
    return tables


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
    in_place: set[str] = field(default_factory=set)
    """The sources whose rows stay in their file."""
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
        # What does not fit into memory goes to a directory that DuckDB makes when it must, and removes on closing.
        spill = Path(tempfile.gettempdir()) / f"churnwatch-{uuid.uuid4().hex}"
        self.con.execute(f"SET temp_directory = {literal(str(spill))}")
        self.con.execute("CREATE SCHEMA raw; CREATE SCHEMA staged; CREATE SCHEMA mapped")
        self.con.execute(QUARANTINE)
        for name, source in self.sources.items():
            self.step(f"reading {source.from_}")
            fed = [one for some in self.spec.sources.tables.values() for one in some if one.source == name]
            self.raws[name] = read_raw(
                self.con, name, source, data=self.data, told=self.told, computed=computed(source, fed)
            )
        refuse_file_twice(self.raws.values(), self.data)
        # From here on the project's own SQL runs: it sees the raw tables, and no file but those read in place.
        files = ", ".join(literal(str(raw.path)) for raw in self.raws.values() if raw.path is not None)
        self.con.execute(f"SET allowed_paths = [{files}]")
        self.con.execute("SET enable_external_access = false")
        grouping = {mapping.source for _, _, mapping, _ in self.mappings(grouped=True)}
        for name in self.sources:
            self.step(f"checking {self.sources[name].from_}")
            self.excluded[name], stays = stage(
                self.con,
                self.raws[name],
                self.sources[name],
                zone=self.zone(name),
                told=self.told,
                in_place=name not in grouping,
            )
            if stays:
                self.in_place.add(name)
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
        zone = self.zone(mapping.source)
        self.con.execute(f"SET TimeZone = {literal(zone)}")
        mapped = carry_out(
            self.con,
            mapping,
            table=table,
            raw=self.raws[mapping.source],
            relation=f"mapped.{quoted(f'{table} {index}')}",
            place=place,
            measures=self.measures(table),
            now=self.now,
            zone=zone,
            in_place=mapping.source in self.in_place,
        )
        self.mapped = [item for item in self.mapped if item.relation != mapped.relation] + [mapped]
        return mapped

    def measures(self, table: str) -> tuple[str, ...]:
        return measures_of(self.spec.sources.tables.get(table, ()))  # type: ignore[call-overload]

    def rows_of(self, table: str, *, grouped: bool | None = None) -> list[Mapped]:
        return [item for item in self.mapped if item.table == table and (grouped is None or item.grouped == grouped)]

    def remaining(self, item: Mapped) -> str:
        """A relation over the rows of ``item`` whose raw row is not quarantined; grouped rows have none."""
        query = "SELECT 1 FROM raw.gone WHERE source = ? LIMIT 1"
        if item.grouped or not self.con.execute(query, [item.source]).fetchall():
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
                f"{position} AS place FROM {item.broken}"
            )

    def quarantine_repeats(self, table: str) -> None:
        items = [(item.source, item.relation, self.remaining(item)) for item in self.rows_of(table, grouped=False)]
        found = find_repeats(self.con, table, items)
        if found:
            self.quarantine(f"FROM {found}")

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
            losers = set[str]()
            for table in _EVENTS:
                for item in self.rows_of(table, grouped=False):
                    found = self.quarantine(
                        f"SELECT {literal(item.source)} AS source, {ROW} AS row, customer_id AS found, "
                        f"'{table}.customer_id is no customer' AS rule, 0 AS place "
                        f"FROM {self.remaining(item)} ANTI JOIN {self.known_customers()} USING (customer_id)"
                    )
                    losers |= {item.source} if found else set()
            grouping = any(item.grouped for item in self.mapped)
            if not losers or not (grouping or losers & {item.source for item in self.rows_of("customers")}):
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
            f"SELECT {RULE}, count(*), min_by({FOUND}, {SHAPES[item.table].key}) FROM {item.broken} "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
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

    def refuse_over_allowance(self) -> None:
        refused, hints = [], list[str]()
        for name, raw in self.raws.items():
            counts, allowance = quarantined(self.con, raw), self.sources[name].allowance
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
            rows = quarantined_rows(self.con, raw).slice(0, 1000).to_pylist()
            for row in rows[:3]:
                found = f": {masked(row['found'])}" if row["found"] and row["rule"] in shown else ""
                lines.append(f"    {raw.file}:{row['line']}: {row['rule']}{found}")
            refused.append("\n".join(lines))
            hints.append(way_out(self.sources[name], fed, counts, found=[(row["rule"], row["found"]) for row in rows]))
        if refused:
            raise DataRefused("\n".join(refused), hint="; ".join(dict.fromkeys(hints)))

    def finish(self) -> Tables:
        """The canonical tables, on the same connection and under the same ban on files; what fed them is dropped."""
        self.con.execute("SET TimeZone = 'UTC'")
        for name in map(quoted, self.sources):
            self.con.execute(f"DROP VIEW {name}")
        for name in set(self.sources) - self.in_place:
            self.con.execute(f"DROP VIEW staged.{quoted(name)}; DROP TABLE raw.{quoted(f'{name} staged')}")
        mentions = self.mentions()
        for table in SHAPES:
            self.gather(table, self.measures(table), mentions if table == "interactions" else {})
        for name in sorted(self.in_place):
            refuse_changed(self.raws[name])
        return Tables(
            self.con,
            self.measures("interactions"),
            tuple(self.account(name) for name in self.sources),
            pa.concat_tables([quarantined_rows(self.con, self.raws[name]) for name in self.sources]),
            tuple(self.warnings()),
            self.spec.deployment.zone,
            customer_measures=self.measures("customers"),
            mentions={name: Mention(sql, stored=True) for name, sql in mentions.items()},
        )

    def mentions(self) -> dict[str, str]:
        """The columns of interactions that the catalogue's words ask for; none where no mapping gives a text."""
        worded = any(item.worded for item in self.rows_of("interactions"))
        return mentions_of(self.spec.families) if worded else {}

    def gather(self, table: str, measures: tuple[str, ...], mentions: dict[str, str]) -> None:
        """Make the canonical ``table`` of what is mapped to it.

        Facts are copied, and so are events, unless they are read in place: then the table is a view of both.
        """
        items = self.rows_of(table)
        views = [item for item in items if item.in_place and table in _EVENTS]
        copies = f"mapped.{table}" if views else table
        self.con.execute(f"CREATE TABLE {copies} ({', '.join(definitions(table, measures, mentions))})")
        for item in items:
            if item not in views:
                self.con.execute(f"INSERT INTO {copies} {self.canonical(item, measures, mentions)}")
                self.con.execute(f"DROP {'VIEW' if item.in_place else 'TABLE'} {item.relation}")
        if views:
            parts = [self.canonical(item, measures, mentions) for item in views]
            if len(views) < len(items):
                parts.insert(0, f"FROM {copies}")
            self.con.execute(f"CREATE VIEW {table} AS {' UNION ALL '.join(parts)}")

    def canonical(self, item: Mapped, measures: tuple[str, ...], mentions: dict[str, str]) -> str:
        """A SELECT of the rows of ``item`` that stay, in the columns of its table."""
        names = [*SHAPES[item.table].columns, *measures]
        columns = ", ".join(
            f"coalesce({name}, false) AS {name}" if name == "do_not_contact" else quoted(name) for name in names
        )
        asked = mentions if item.worded else dict.fromkeys(mentions, "NULL::BOOLEAN")  # patterns compile slowly
        columns += "".join(f", {sql} AS {quoted(name)}" for name, sql in asked.items())
        return f"SELECT {columns}, {literal(item.source)} AS source FROM {self.remaining(item)}"

    def account(self, name: str) -> Accounting:
        raw, excluded = self.raws[name], self.excluded[name]
        broken = quarantined(self.con, raw)
        events: dict[str, int] = {}
        for table in SHAPES:
            if any(item.source == name for item in self.rows_of(table)):
                query = f"SELECT count(*) FROM {table} WHERE source = ?"
                events[table] = int(self.con.execute(query, [name]).fetchall()[0][0])
            if (name, table) in self.left_out:
                events[f"{table}, left out: customer_id is no customer"] = self.left_out[name, table]
        accepted = raw.read - sum(excluded.values()) - sum(broken.values())
        end = self.data_end(name)
        return Accounting(name, raw.file, raw.read, accepted, excluded, broken, events, end)

    def data_end(self, name: str) -> datetime | None:
        declared = self.sources[name].declared_end(self.zone(name))
        if declared is not None:
            # What is yet to come is complete nowhere: who has not left yet would count as having stayed.
            return min(declared, self.now.astimezone(UTC))
        greatest = self.con.execute(
            """SELECT max(moment) FROM (
                   SELECT max(known_at) AS moment FROM interactions WHERE source = $1
                   UNION ALL SELECT max(sent_at) FROM surveys WHERE source = $1
                   UNION ALL SELECT max(answered_at) FROM surveys WHERE source = $1)""",
            [name],
        ).fetchall()[0][0]
        return None if greatest is None else utc(greatest)

    def warnings(self) -> Iterator[str]:
        for name, raw in self.raws.items():
            if raw.read == 0:
                yield nothing_in(raw.file)
            if (self.sources[name].declared_end(self.zone(name)) or self.now) > self.now:
                yield f"{raw.file}: its data_end is yet to come, so the file is taken to be complete until now"
            for rule, count in self.excluded[name].items():
                if count == 0 and raw.read > 0:
                    yield f"{raw.file}: the rule '{rule}' excluded no row"
        composed = Counter[tuple[str, str, str]]()
        for item in self.mapped:
            composed.update({(item.source, item.table, column): count for column, count in item.composed.items()})
        for (name, table, column), count in composed.items():
            file, odd = self.raws[name].file, "had blanks around it or " if column in TYPED else ""
            yield (
                f"{file}: {column} of {count:,} {table} {odd}was not in Unicode's form NFC, and is mended: "
                "two spellings of one id are one id"
            )
        for (name, table), count in self.left_out.items():
            yield f"{self.raws[name].file}: {count} grouped {table} left out: their customer_id is no customer"
        strangers = self.con.execute(
            "SELECT count(*) FROM customers WHERE owner NOT IN (SELECT owner FROM agents)"
        ).fetchall()[0][0]
        if strangers and self.rows_of("agents"):
            yield f"{strangers} customers have an owner who is not in agents"

    def refuse_empty(self, tables: Tables) -> None:
        for table in ("customers", "interactions"):
            if (
                table in self.spec.sources.tables
                and tables.con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] == 0
            ):
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
