"""One mapping carried out: raw rows through the project's SQL into judged canonical rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from churnwatch.errors import ChurnwatchError, ProjectError, nearest
from churnwatch.sources.messages import SQL_ERRORS, told_sql_error
from churnwatch.sources.raw import ROW, RawTable, quoted, refuse_damaged, words
from churnwatch.sources.rowwise import is_rowwise, is_zoned
from churnwatch.sources.rules import row_rules
from churnwatch.sources.tables import IDS, MEASURED, SHAPES, SQL_TYPES, TYPED, Kind
from churnwatch.sources.values import absent, canonical, present, trimmed
from churnwatch.spec import MENTIONS, Mapping, Source

RULE = '"churnwatch rule"'
FOUND = '"churnwatch found"'


@dataclass(frozen=True)
class Mapped:
    """The judged rows of one mapping, in DuckDB's ``relation``; those that break a rule, in ``broken``.

    ``relation`` has ROW (NULL with ``select``), every canonical column of ``table``, every measure; ``broken`` has ROW,
    the key of ``table``, RULE (the words of the first broken rule) and FOUND.
    """

    table: str
    source: str
    relation: str
    broken: str
    grouped: bool
    in_place: bool
    """Whether ``relation`` is a view of a file, mapped anew at each reading, and no table."""
    place: str
    """The mapping in the project's files, for messages."""
    shown: frozenset[str] = frozenset()
    """The rules under which a message may show what was found."""
    composed: dict[str, int] = field(default_factory=dict)
    """How many rows hold, per column of ids, one that was not in Unicode's form NFC, or, where typed, had blanks."""
    worded: bool = False
    """Whether the mapping gives a ``text``; without one it is NULL in every row."""


def measures_of(mappings: tuple[Mapping, ...]) -> tuple[str, ...]:
    """All measures the mappings of a table declare, in file order."""
    return tuple(dict.fromkeys(name for mapping in mappings for name in mapping.measures))


def computed(source: Source, mappings: Iterable[Mapping]) -> frozenset[str]:
    """The words of the SQL of ``source`` and its ``mappings`` that does more than take a column as it stands."""
    mappings = list(mappings)
    given = [sql for one in mappings for sql in (*(one.columns or {}).values(), *one.measures.values())]
    given = [sql for sql in given if len(words(sql)) > 1]
    conditions = [*(rule.when for rule in source.exclude), *(one.where or "" for one in mappings)]
    return frozenset[str]().union(*map(words, [*given, *conditions]))


def check_targets(table: str, mapping: Mapping, place: str) -> None:
    """Refuse a target that is no canonical column, a measure of a table that has none, a gap.

    Raises ``ProjectError``. Of a ``select`` only the measures are checked; its columns show when it runs.
    """
    shape = SHAPES[table]
    if mapping.measures and table not in MEASURED:
        found = f"{table} has measures: {', '.join(mapping.measures)}"
        raise ProjectError(found, where=place, allowed=f"measures stand with {' and '.join(MEASURED)} only")
    for name in mapping.measures:
        # `kind` is a column of every event row, though customers have none of their own.
        if name in (*shape.columns, "kind", "source") or name.startswith(MENTIONS):
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
                or ("a number goes under `measures`" if table in MEASURED else "leave it out"),
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
    zone: str,
    in_place: bool,
) -> Mapped:
    """Make ``relation`` from the visible rows of ``raw``; the session's ``TimeZone`` is the source's, ``zone``.

    Where the staged rows stay ``in_place`` and the mapping looks at a row alone, ``relation`` is a view and only the
    broken rows are kept; every value has been read once all the same.
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
    raws = [f"{present(quoted(c), types[c], kind)} AS {quoted('raw ' + c)}" for c, kind in kinds.items()]
    raws += [f"{absent(quoted(c), types[c])} AS {quoted('no ' + c)}" for c in shape.required if c in kinds]
    ids = [c for c in kinds if c in IDS and types[c] == "VARCHAR"]
    values = ", ".join(
        f"nfc_normalize({trimmed(quoted('raw ' + c)) if c in TYPED else quoted('raw ' + c)}) AS {quoted(c)}"
        if c in ids
        else f"{canonical(quoted('raw ' + c), types[c], kind, zone)} AS {quoted(c)}"
        for c, kind in kinds.items()
    )
    defaults = "".join(
        f", CAST(NULL AS {SQL_TYPES[kind]}) AS {quoted(c)}" for c, kind in wanted.items() if c not in kinds
    )
    rules = row_rules(table, kinds, types, now=now, zone=zone)
    when = " ".join(f"WHEN {rule.broken} THEN {index}" for index, rule in enumerate(rules))
    words = " ".join(f"WHEN {index} THEN '{rule.words}'" for index, rule in enumerate(rules))
    found = " ".join(f"WHEN {index} THEN {rule.found}" for index, rule in enumerate(rules))
    filled = f"""WITH given AS ({given}),
        raws AS (SELECT {", ".join([ROW, *raws])} FROM given),
        typed AS (SELECT *, {values} FROM raws),
        filled AS (SELECT *{defaults} FROM typed)"""
    judged = f"{filled}, judged AS (SELECT *, CASE {when} END AS rule FROM filled)"
    verdict = f"CASE rule {words} END AS {RULE}, CASE rule {found} END AS {FOUND}"
    columns = ", ".join(map(quoted, wanted))
    apart = {c: f"coalesce({quoted('raw ' + c)} <> {quoted(c)}, false)" for c in ids}
    odd = "".join(f", {sql} AS {quoted('odd ' + c)}" for c, sql in apart.items())
    stays = in_place and _stays(mapping, raw, kinds, types, zone)
    broken = relation.removesuffix('"') + ' broken"' if stays else f"(FROM {relation} WHERE {RULE} IS NOT NULL)"
    try:
        if stays:
            con.execute(
                f"CREATE TABLE {broken} AS {judged} SELECT {ROW}, {shape.key}, {verdict}{odd} FROM judged "
                f"WHERE rule IS NOT NULL{''.join(f' OR {sql}' for sql in apart.values())}"
            )
            composed = _counted(con, apart, broken)
            con.execute(f"DELETE FROM {broken} WHERE {RULE} IS NULL")
            con.execute(f"CREATE VIEW {relation} AS {filled} SELECT {ROW}, {columns} FROM filled")
            # No rule looks at these values, nor do repeats and unknown customers.
            _read_through(con, given, [c for c in kinds if kinds[c] == "text" and c not in (shape.key, "customer_id")])
        else:
            with one_thread(con) if _adds_up(mapping) else nullcontext():
                con.execute(
                    f"CREATE OR REPLACE TABLE {relation} AS {judged} "
                    f"SELECT {ROW}, {columns}, {verdict}{odd} FROM judged"
                )
            composed = _counted(con, apart, relation)
    except duckdb.Error as error:
        raise _culprit(con, mapping, raw, place, error) from None
    shown = frozenset(rule.words for rule in rules if rule.shown)
    grouped_rows, worded = mapping.select is not None, "text" in kinds
    return Mapped(table, raw.name, relation, broken, grouped_rows, stays, place, shown, composed, worded)


def _counted(con: duckdb.DuckDBPyConnection, ids: Iterable[str], relation: str) -> dict[str, int]:
    """How many rows of ``relation`` have, per column of ``ids``, one that NFC changed."""
    ids = list(ids)
    if not ids:
        return {}
    counts = ", ".join(f"count(*) FILTER ({quoted('odd ' + c)})" for c in ids)
    found = con.execute(f"SELECT {counts} FROM {relation}").fetchall()[0]
    return {c: count for c, count in zip(ids, found, strict=True) if count}


def _stays(
    mapping: Mapping,
    raw: RawTable,
    kinds: dict[str, Kind],
    types: dict[str, str],
    zone: str,
) -> bool:
    """Whether the mapping gives the same at each reading, on a session in UTC: only then it may be a view."""
    if mapping.columns is None:
        return False
    parts = {**mapping.columns, **mapping.measures, "where": mapping.where or ""}
    if zone != "UTC":
        for column, kind in kinds.items():
            # In the session's zone a text is read as a time, and an instant is written out as a text.
            if is_zoned(types[column]) if kind != "time" else not types[column].startswith(("DATE", "TIMESTAMP")):
                return False
        # An instant that is taken as it stands has no zone.
        names = set(map(str.casefold, raw.columns))
        taken = {c for c, sql in mapping.columns.items() if sql.strip().strip('"').casefold() in names}
        parts = {name: sql for name, sql in parts.items() if kinds.get(name) != "time" or name not in taken}
    return is_rowwise(parts.values(), columns=raw.columns, zone=zone)


def _read_through(con: duckdb.DuckDBPyConnection, given: str, columns: list[str]) -> None:
    """Read the ``columns`` to the end, so that a value that stops the SQL, or a damaged page, shows now."""
    if columns:
        read = ", ".join(f"bit_xor(hash({quoted(column)}))" for column in columns)
        con.execute(f"SELECT {read} FROM ({given})")


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
    if not isinstance(error, SQL_ERRORS):
        refuse_damaged(con, raw)
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
