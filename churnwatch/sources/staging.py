"""Raw rows typed as declared, and those a declared rule excludes taken out and counted."""

from __future__ import annotations

import duckdb

from churnwatch.errors import ChurnwatchError
from churnwatch.sources.mapping import FOUND, ROW, RULE, sql_error
from churnwatch.sources.messages import no_column, told_sql_error
from churnwatch.sources.raw import RawTable, literal, quoted
from churnwatch.sources.values import COMPLAINTS, RAW_KINDS, present, typed
from churnwatch.spec import Source

_OUT = '"churnwatch out"'


def stage(con: duckdb.DuckDBPyConnection, raw: RawTable, source: Source, *, zone: str, told: str) -> dict[str, int]:
    """Turn ``raw.<name>`` into what mappings see; how many rows each exclusion took.

    ``staged.<name>`` holds, with their ROW, the rows that are neither excluded nor misfits of their types;
    the misfits go to ``raw.gone``. The view ``<name>``, for the project's own SELECTs, leaves out the rows
    quarantined later too. Exclusions see the typed values, and a row they take is not quarantined as well.
    Raises ``DataRefused`` for a column that is not there, ``ProjectError`` for SQL that DuckDB refuses.
    """
    con.execute(f"SET TimeZone = {literal(zone)}")
    place, name = f"{told}: sources.{raw.name}", quoted(raw.name)
    for column in source.types:
        if column not in raw.columns:
            raise no_column(raw, column, f"{place}.types names it")
    view, table = f"raw.{quoted(raw.name + ' typed')}", f"raw.{quoted(raw.name + ' staged')}"
    con.execute(f"CREATE VIEW {view} AS {_typed(raw, source)}")
    conditions = " ".join(f"WHEN ({rule.when}\n) THEN {index}" for index, rule in enumerate(source.exclude))
    out = f"CASE {conditions} END" if conditions else "CAST(NULL AS INTEGER)"
    try:
        con.execute(f"CREATE TABLE {table} AS SELECT *, {out} AS {_OUT} FROM {view} AS {name}")
    except duckdb.Error as error:
        raise _culprit(con, raw, source, f"{view} AS {name}", place, error) from None
    con.execute(
        f"INSERT INTO raw.gone SELECT {literal(raw.name)}, {ROW}, {RULE}, {FOUND} FROM {table} "
        f"WHERE {_OUT} IS NULL AND {RULE} IS NOT NULL"
    )
    con.execute(
        f"CREATE VIEW staged.{name} AS SELECT * EXCLUDE ({RULE}, {FOUND}, {_OUT}) FROM {table} "
        f"WHERE {_OUT} IS NULL AND {RULE} IS NULL"
    )
    con.execute(
        f"CREATE VIEW {name} AS SELECT * EXCLUDE ({ROW}) FROM staged.{name} WHERE {ROW} NOT IN "
        f"(SELECT row FROM raw.gone WHERE source = {literal(raw.name)})"
    )
    con.execute(f"DROP VIEW {view}; DROP TABLE raw.{name}")
    counted = dict(con.execute(f"SELECT {_OUT}, count(*) FROM {table} GROUP BY 1").fetchall())
    excluded = {rule.rule: 0 for rule in source.exclude}
    for index, rule in enumerate(source.exclude):
        excluded[rule.rule] += int(counted.get(index, 0))
    return excluded


def _typed(raw: RawTable, source: Source) -> str:
    """The raw rows: ROW, RULE and FOUND of misfits, the columns as typed (NULL where one does not fit)."""
    fits, misfits, found = [], [], []
    for column, declared in source.types.items():
        before, after = quoted(column), quoted(f"churnwatch {column}")
        value = f"({present(before, raw.columns[column])})"
        words = literal(f"{column} {COMPLAINTS[RAW_KINDS[declared]]}")
        fits.append(f"{typed(value, raw.columns[column], declared)} AS {after}")
        misfits.append(f"WHEN {after} IS NULL AND {value} IS NOT NULL THEN {words}")
        found.append(f"WHEN {words} THEN CAST({before} AS VARCHAR)")
    nothing = "CAST(NULL AS VARCHAR)"
    rule = f"CASE {' '.join(misfits)} END" if misfits else nothing
    told = f"CASE {RULE} {' '.join(found)} END" if found else nothing
    columns = ", ".join(
        f"{quoted(f'churnwatch {column}')} AS {quoted(column)}" if column in source.types else quoted(column)
        for column in raw.columns
    )
    return f"""WITH fitted AS (SELECT {", ".join(["rowid AS " + ROW, "*", *fits])} FROM raw.{quoted(raw.name)}),
        judged AS (SELECT *, {rule} AS {RULE} FROM fitted)
        SELECT {ROW}, {RULE}, {told} AS {FOUND}, {columns} FROM judged"""


def _culprit(
    con: duckdb.DuckDBPyConnection,
    raw: RawTable,
    source: Source,
    relation: str,
    place: str,
    error: duckdb.Error,
) -> ChurnwatchError:
    for exclusion in source.exclude:
        alone = sql_error(con, exclusion.when, relation)
        if alone is not None:
            return told_sql_error(alone, raw, f"{place}.exclude '{exclusion.rule}'")
    return told_sql_error(error, raw, place)
