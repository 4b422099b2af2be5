"""One mapping carried out: raw rows through the project's SQL into judged canonical rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime

import duckdb

from churnwatch.errors import ChurnwatchError, ProjectError, nearest
from churnwatch.sources.messages import told_sql_error
from churnwatch.sources.raw import RawTable, quoted
from churnwatch.sources.rules import row_rules
from churnwatch.sources.tables import SHAPES, SQL_TYPES, Kind
from churnwatch.sources.values import canonical, present
from churnwatch.spec import Mapping

ROW = '"churnwatch row"'
"""The position of the raw row, in staged and mapped tables. Names with a space collide with no one's."""
RULE = '"churnwatch rule"'
FOUND = '"churnwatch found"'


@dataclass(frozen=True)
class Mapped:
    """The judged rows of one mapping, in the DuckDB table ``relation``.

    Its columns: ROW (NULL with ``select``), every canonical column of ``table``, every measure, RULE (the
    words of the first broken rule, else NULL), FOUND.
    """

    table: str
    source: str
    relation: str
    grouped: bool
    place: str
    """The mapping in the project's files, for messages."""
    shown: frozenset[str] = frozenset()
    """The rules under which a message may show what was found."""


def measures_of(mappings: tuple[Mapping, ...]) -> tuple[str, ...]:
    """All measures the mappings of interactions declare, in file order."""
    return tuple(dict.fromkeys(name for mapping in mappings for name in mapping.measures))


def check_targets(table: str, mapping: Mapping, place: str) -> None:
    """Refuse a target that is no canonical column, a measure elsewhere than on interactions, a gap.

    Raises ``ProjectError``. Of a ``select`` only the measures are checked; its columns show when it runs.
    """
    shape = SHAPES[table]
    if mapping.measures and table != "interactions":
        found = f"{table} has measures: {', '.join(mapping.measures)}"
        raise ProjectError(found, where=place, allowed="measures stand with interactions only")
    for name in mapping.measures:
        if name in (*shape.columns, "source"):
            raise ProjectError(f"the measure {name} has the name of a column", where=place)
    if mapping.columns is not None:
        _check_columns(table, list(mapping.columns), place)


def _check_columns(table: str, given: list[str], place: str, *, measures: Iterable[str] = ()) -> None:
    shape = SHAPES[table]
    for column in given:
        if column not in (*shape.columns, *measures):
            raise ProjectError(
                f"{table} has no column {column}",
                where=place,
                allowed=", ".join(shape.columns),
                hint=nearest(column, shape.columns)
                or ("a number goes under `measures`" if table == "interactions" else "leave it out"),
            )
    for column in shape.required:
        if column not in given:
            hint = f"add `{column}:`"
            if column == "known_at":
                # Never guessed: a row that is read into the past before it could be known is a leak.
                hint += ", when the row could first be read; where that was at once, the same as `at`"
            raise ProjectError(f"{table}.{column} is not mapped", where=place, hint=hint)


def carry_out(
    con: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    *,
    table: str,
    raw: RawTable,
    relation: str,
    place: str,
    measures: tuple[str, ...],
    now: datetime,
) -> Mapped:
    """Make ``relation`` from the visible rows of ``raw``; the session's ``TimeZone`` is the source's.

    Raises ``DataRefused`` for a column the file does not have, ``ProjectError`` for SQL that DuckDB refuses
    or that stops at a value.
    """
    shape = SHAPES[table]
    try:
        if mapping.select is not None:
            grouped = list(_types(con, f"FROM {_grouped(mapping)}"))
            _check_columns(table, grouped, place, measures=mapping.measures)
        given = _given(mapping, raw, [] if mapping.select is None else grouped)
        types = _types(con, given)
    except duckdb.Error as error:
        raise _culprit(con, mapping, raw, place, error) from None
    del types[ROW.strip('"')]
    wanted: dict[str, Kind] = {**shape.columns, **dict.fromkeys(measures, "number")}
    kinds: dict[str, Kind] = {column: kind for column, kind in wanted.items() if column in types}
    raws = ", ".join(f"{present(quoted(c), types[c])} AS {quoted('raw ' + c)}" for c in kinds)
    values = ", ".join(f"{canonical(quoted('raw ' + c), types[c], kind)} AS {quoted(c)}" for c, kind in kinds.items())
    defaults = ", ".join(
        f"CAST(NULL AS {SQL_TYPES[kind]}) AS {quoted(c)}" for c, kind in wanted.items() if c not in kinds
    )
    rules = row_rules(table, kinds, now=now)
    broken = " ".join(f"WHEN {rule.broken} THEN {index}" for index, rule in enumerate(rules))
    words = " ".join(f"WHEN {index} THEN '{rule.words}'" for index, rule in enumerate(rules))
    found = " ".join(f"WHEN {index} THEN {rule.found}" for index, rule in enumerate(rules))
    columns = ", ".join(quoted(column) for column in wanted)
    judged = f"""
        WITH given AS ({given}),
        raws AS (SELECT {ROW}, {raws} FROM given),
        typed AS (SELECT *, {values} FROM raws),
        filled AS (SELECT *{", " + defaults if defaults else ""} FROM typed),
        judged AS (SELECT *, CASE {broken} END AS rule FROM filled)
        SELECT {ROW}, {columns}, CASE rule {words} END AS {RULE}, CASE rule {found} END AS {FOUND}
        FROM judged"""
    try:
        with one_thread(con) if _adds_up(mapping) else nullcontext():
            con.execute(f"CREATE OR REPLACE TABLE {relation} AS {judged}")
    except duckdb.Error as error:
        raise _culprit(con, mapping, raw, place, error) from None
    shown = frozenset(rule.words for rule in rules if rule.shown)
    return Mapped(table, raw.name, relation, mapping.select is not None, place, shown)


@contextmanager
def one_thread(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run what is inside on one thread.

    Several add floats up in an order that changes from run to run; the last bits of a sum change with it, and
    the version of a model is a hash of what it was trained on.
    """
    before = con.execute("SELECT current_setting('threads')").fetchall()[0][0]
    con.execute("SET threads = 1")
    try:
        yield
    finally:
        con.execute(f"SET threads = {before}")


def _adds_up(mapping: Mapping) -> bool:
    """Whether the mapping sees more than one row at a time: by its SELECT, a window or a subquery."""
    parts = [*(mapping.columns or {}).values(), *mapping.measures.values(), mapping.where or ""]
    return mapping.select is not None or any(re.search(r"(?i)\b(over|select)\b", sql) for sql in parts)


def _given(mapping: Mapping, raw: RawTable, grouped: list[str]) -> str:
    """The SELECT of what the mapping gives for each column; a line end closes comments in its SQL."""
    measures = "".join(f", ({sql}\n) AS {quoted(name)}" for name, sql in mapping.measures.items())
    if mapping.columns is None:
        kept = "".join(f", {quoted(column)}" for column in grouped if column not in mapping.measures)
        return f"SELECT CAST(NULL AS BIGINT) AS {ROW}{kept}{measures} FROM {_grouped(mapping)}"
    columns = "".join(f", ({sql}\n) AS {quoted(name)}" for name, sql in mapping.columns.items())
    condition = f" WHERE ({mapping.where}\n)" if mapping.where is not None else ""
    name = quoted(raw.name)
    return f"SELECT {ROW}{columns}{measures} FROM staged.{name} AS {name}{condition}"


def _grouped(mapping: Mapping) -> str:
    select = (mapping.select or "").rstrip().rstrip(";")
    return f"(\n{select}\n) AS grouped"


def _types(con: duckdb.DuckDBPyConnection, select: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {select}").fetchall()}


def _culprit(
    con: duckdb.DuckDBPyConnection, mapping: Mapping, raw: RawTable, place: str, error: duckdb.Error
) -> ChurnwatchError:
    """The error of the first expression that fails alone, else of the mapping as a whole."""
    parts = {**(mapping.columns or {}), **(mapping.measures if mapping.columns is not None else {})}
    if mapping.where is not None:
        parts = {"where": mapping.where, **parts}
    for name, sql in parts.items():
        alone = sql_error(con, sql, f"staged.{quoted(raw.name)} AS {quoted(raw.name)}")
        if alone is not None:
            return told_sql_error(alone, raw, f"{place}.{name}", column=name, sql=sql)
    return told_sql_error(error, raw, place)


def sql_error(con: duckdb.DuckDBPyConnection, sql: str, relation: str) -> duckdb.Error | None:
    """The error the expression ``sql`` raises over ``relation``, or ``None``."""
    try:
        con.execute(f"SELECT count(value) FROM (SELECT ({sql}\n) AS value FROM {relation})").fetchall()
    except duckdb.Error as error:
        return error
    return None
