"""Attacks on the future: the same tables, but what nobody could know before an as-of is deleted, garbled or multiplied.

An attacked table is a temporary view of a second connection: the part known before as-of as it is, and what was made
of the rest. The tables themselves stay as they are, and nothing of them is copied but the customers' ids.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal, get_args

from churnwatch.sources import SHAPES, Tables

Attack = Literal["deleted", "garbled", "multiplied"]
ATTACKS: tuple[Attack, ...] = get_args(Attack)

ATTACKED = ("interactions", "surveys", "customers")
COPIES = 3
"""How often a future row is there once more where it is multiplied."""
SPREAD = 400 * 86_400
"""Seconds around as-of into which garbled clocks fall: more than the usual windows."""
MOST_LEVELS = 200
"""Different texts of a column that garbled rows choose among: the most frequent."""


class Ground:
    """Where tables are attacked: a second connection to them, on which views take the names of the tables.

    ``seed`` decides how a row is garbled, whatever the order of the rows. Close it after use.
    """

    def __init__(self, tables: Tables, *, seed: int) -> None:
        self.tables, self._seed = tables, seed
        self.con = tables.con.cursor()
        self.con.execute("set TimeZone = 'UTC'")
        [(self._place,)] = self.con.execute("select current_catalog() || '.' || current_schema()").fetchall()
        self._kinds = {
            table: {str(row[0]): str(row[1]) for row in self.con.execute(f"describe {table}").fetchall()}
            for table in ATTACKED
        }
        self._levels = {
            (table, name): self._frequent(table, name)
            for table, kinds in self._kinds.items()
            for name, kind in kinds.items()
            if kind == "VARCHAR" and name not in (SHAPES[table].key, "customer_id", "source")
        }
        # By the order of the ids, so that a row is given to the same customer on every run.
        self.con.execute(
            """create temp table audit_who as
            select row_number() over (order by customer_id) - 1 as place, customer_id from customers"""
        )
        self.con.execute(
            """create temp table audit_first as select customer_id, min(known) as known from (
                select customer_id, known_at as known from interactions
                union all select customer_id, sent_at from surveys) group by customer_id"""
        )
        [(self._customers,)] = self.con.execute("select count(*) from audit_who").fetchall()

    def attacked(self, attack: Attack, as_of: datetime) -> Tables:
        """The tables with all that became known at ``as_of`` (naive UTC) or later deleted, garbled or multiplied.

        They are good until the next attack.
        """
        at = f"timestamp '{as_of}'"
        made = {
            "deleted": (self._interactions_deleted, self._surveys_deleted, self._customers_deleted),
            "garbled": (self._interactions_garbled, self._surveys_garbled, self._customers_garbled),
            "multiplied": (self._interactions_multiplied, self._surveys_multiplied, self._customers_multiplied),
        }[attack]
        for table, select in zip(ATTACKED, made, strict=True):
            self.con.execute(f"create or replace temp view {table} as {select(at)}")
        return replace(self.tables, con=self.con)

    def close(self) -> None:
        """Let go of the connection and of all that was made on it."""
        self.con.close()

    def _interactions_deleted(self, at: str) -> str:
        return f"select * from {self._place}.interactions where known_at < {at}"

    def _interactions_garbled(self, at: str) -> str:
        given = {
            # `known_at` says whether a row is seen: `at` may lie anywhere.
            "at": self._shifted("interactions", "at", f"{at} - to_seconds({SPREAD})", 2 * SPREAD),
            "known_at": f"case when {self._dice('interactions', 'keep')} % 2 = 0 then rows.known_at "
            f"else {self._later('interactions', 'known_at', at)} end",
        }
        future = self._garbled("interactions", given, f"rows.known_at >= {at}")
        return f"{self._interactions_deleted(at)} union all {future}"

    def _interactions_multiplied(self, at: str) -> str:
        return self._multiplied("interactions", {}, f"rows.known_at >= {at}")

    def _surveys_deleted(self, at: str) -> str:
        answer = ("answered_at", "raw_score", "comment")
        gone = ", ".join(f"case when answered_at >= {at} then null else {name} end as {name}" for name in answer)
        return f"select * replace ({gone}) from {self._place}.surveys where sent_at < {at}"

    def _surveys_garbled(self, at: str) -> str:
        pending = f"(rows.answered_at >= {at} or rows.answered_at is null)"
        never = f"{self._dice('surveys', 'never')} % 4 = 0"
        answer = {
            "answered_at": f"case when {never} then null else {self._later('surveys', 'answered_at', at)} end",
            "raw_score": self._other("surveys", "raw_score"),
            "comment": self._other("surveys", "comment"),
        }
        later = ", ".join(
            f"case when {pending} then {sql} else rows.{name} end as {name}" for name, sql in answer.items()
        )
        sent = self._later("surveys", "sent_at", at)
        answered = self._shifted("surveys", "answered_at", sent, SPREAD)
        given = {"sent_at": sent, "answered_at": f"case when {never} then null else {answered} end"}
        return (
            f"select * replace ({later}) from {self._place}.surveys as rows where sent_at < {at} "
            f"union all {self._garbled('surveys', given, f'rows.sent_at >= {at}')}"
        )

    def _surveys_multiplied(self, at: str) -> str:
        # The copies of a survey that was answered later are sent later too: its sending is past.
        given = {"sent_at": f"greatest(rows.sent_at, {at})"}
        return self._multiplied("surveys", given, f"(rows.sent_at >= {at} or rows.answered_at >= {at})")

    def _customers_deleted(self, at: str) -> str:
        kinds = self._kinds["customers"]
        gone = {name: "false" if kinds[name] == "BOOLEAN" else f"null::{kinds[name]}" for name in self._facts()}
        # Rows belong to customers: whoever has one of before as-of stays.
        return f"""select * replace ({self._unless_known(gone, at)}) from {self._place}.customers as rows
            where rows.started_at is null or rows.started_at < {at} or rows.known_at < {at}
               or rows.customer_id in (select customer_id from audit_first where known < {at})"""

    def _customers_garbled(self, at: str) -> str:
        other = {name: self._other("customers", name) for name in self._facts()}
        other["known_at"] = self._later("customers", "known_at", at)
        later = self._later("customers", "started_at", at)
        started = f"case when rows.started_at >= {at} then {later} else rows.started_at end as started_at"
        return f"select * replace ({self._unless_known(other, at)}, {started}) from {self._place}.customers as rows"

    def _customers_multiplied(self, at: str) -> str:
        given = {name: f"greatest(rows.{name}, {at})" for name in ("started_at", "known_at")}
        return self._multiplied("customers", given, f"(rows.started_at >= {at} or rows.known_at >= {at})")

    def _facts(self) -> list[str]:
        """The columns that say how things are today, whenever they came to be so."""
        return [name for name in self._kinds["customers"] if name not in ("customer_id", "started_at", "source")]

    def _unless_known(self, given: dict[str, str], at: str) -> str:
        """The columns ``given``; but the facts of a profile that was known before as-of stay."""
        profile = ("segment", "value", "language", "known_at", *self.tables.customer_measures)
        known = f"when rows.known_at < {at} then rows"
        return ", ".join(
            f'case {known}."{name}" else {sql} end as "{name}"' if name in profile else f'{sql} as "{name}"'
            for name, sql in given.items()
        )

    def _garbled(self, table: str, given: dict[str, str], condition: str) -> str:
        """The rows that meet ``condition``, half of them given to anybody, with other values in every column."""
        mine = f"case when {self._dice(table, 'mine')} % 2 = 0 then rows.customer_id else who.customer_id end"
        given = {**given, "customer_id": mine}
        return f"""select {self._select(table, given, garble=True)} from {self._place}.{table} as rows
            join audit_who as who on who.place = ({self._dice(table, "who")} % {self._customers})::bigint
            where {condition}"""

    def _multiplied(self, table: str, given: dict[str, str], condition: str) -> str:
        given = {**given, SHAPES[table].key: f"rows.{SHAPES[table].key} || ' again ' || copy"}
        return f"""select * from {self._place}.{table} union all
            select {self._select(table, given)} from {self._place}.{table} as rows, range({COPIES}) as copies(copy)
            where {condition}"""

    def _select(self, table: str, given: dict[str, str], *, garble: bool = False) -> str:
        columns = []
        for name in self._kinds[table]:
            keep = not garble or name in (SHAPES[table].key, "source")
            sql = given[name] if name in given else f'rows."{name}"' if keep else self._other(table, name)
            columns.append(f'{sql} as "{name}"')
        return ", ".join(columns)

    def _other(self, table: str, name: str) -> str:
        """SQL of another value for a column, or of none where there may be none."""
        dice, kind, own = self._dice(table, name), self._kinds[table][name], f'rows."{name}"'
        if kind == "VARCHAR":
            texts = [_text(text) for text in (*self._levels[table, name], "garbled")]
            texts += [] if name in SHAPES[table].required else ["null"]
            return f"[{', '.join(texts)}][1 + ({dice} % {len(texts)})::bigint]"
        if kind == "BOOLEAN":
            return f"{dice} % 2 = 0"
        if kind == "TIMESTAMP":
            return f"case when {dice} % 3 = 0 then null else {self._shifted(table, name, own, SPREAD)} end"
        return (
            f"case {dice} % 5 when 0 then null when 1 then -{own} when 2 then 1000 * {own} + 1 when 3 then 0 "
            f"else ({dice} // 5 % 1000)::double end"
        )

    def _later(self, table: str, name: str, at: str) -> str:
        """SQL of an instant from as-of on: of every third row as-of itself, where `<` and `<=` differ."""
        return (
            f"case when {self._dice(table, name)} % 3 = 0 then {at} else {self._shifted(table, name, at, SPREAD)} end"
        )

    def _shifted(self, table: str, name: str, start: str, most: int) -> str:
        return f"{start} + to_seconds(({self._dice(table, name)} // 7 % {most})::bigint)"

    def _dice(self, table: str, name: str) -> str:
        """SQL of a whole number that depends on the row's id, ``name`` and the seed alone."""
        return f"hash(rows.{SHAPES[table].key}, '{name}', {self._seed})"

    def _frequent(self, table: str, name: str) -> list[str]:
        rows = self.con.execute(
            f'select "{name}" from {table} where "{name}" is not null '
            f"group by 1 order by count(*) desc, 1 limit {MOST_LEVELS}"
        ).fetchall()
        return [str(text) for (text,) in rows]


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
