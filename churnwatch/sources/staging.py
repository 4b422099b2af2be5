"""Raw rows typed as declared, and those a declared rule excludes taken out and counted."""

from __future__ import annotations

import duckdb

from churnwatch.errors import ChurnwatchError
from churnwatch.sources.mapping import FOUND, RULE, sql_error
from churnwatch.sources.messages import SQL_ERRORS, no_column, told_sql_error
from churnwatch.sources.raw import ROW, RawTable, literal, position_in, quoted, refuse_damaged
from churnwatch.sources.rowwise import is_rowwise
from churnwatch.sources.values import COMPLAINTS, RAW_KINDS, present, typed
from churnwatch.spec import Source

_OUT = '"churnwatch out"'


def stage(
    con: duckdb.DuckDBPyConnection, raw: RawTable, source: Source, *, zone: str, told: str, in_place: bool
) -> tuple[dict[str, int], bool]:
    """Turn ``raw.<name>`` into what mappings see; how many rows each exclusion took, and whether all stay in the file.

    ``staged.<name>`` holds, with their ROW, the rows that are neither excluded nor misfits of their types;
    the misfits go to ``raw.gone``. The view ``<name>``, for the project's own SELECTs, leaves out the rows
    quarantined later too. Exclusions see the typed values, and a row they take is not quarantined as well.
    Rows of a file that is read in place are copied all the same unless ``in_place`` asks that they stay, no types are
    declared and the exclusions look at a row alone.
    Raises ``DataRefused`` for a column that is not there, ``ProjectError`` for SQL that DuckDB refuses.
    """
    con.execute(f"SET TimeZone = {literal(zone)}")
    place, name = f"{told}: sources.{raw.name}", quoted(raw.name)
    for column in source.types:
        if column not in raw.columns:
            raise no_column(raw, column, f"{place}.types names it")
    view, rows = f"raw.{quoted(raw.name + ' typed')}", f"raw.{quoted(raw.name + ' staged')}"
    con.execute(f"CREATE VIEW {view} AS {_typed(raw, source, zone)}")
    conditions = " ".join(f"WHEN ({rule.when}\n) THEN {index}" for index, rule in enumerate(source.exclude))
    out = f"CASE {conditions} END" if conditions else "CAST(NULL AS INTEGER)"
    stays = (
        in_place
        and raw.path is not None
        and not source.types
        and is_rowwise([rule.when for rule in source.exclude], columns=raw.columns, zone=zone)
    )
    try:
        con.execute(f"CREATE {'VIEW' if stays else 'TABLE'} {rows} AS SELECT *, {out} AS {_OUT} FROM {view} AS {name}")
        counted = dict(con.execute(f"SELECT {_OUT}, count(*) FROM {rows} GROUP BY 1").fetchall())
    except duckdb.Error as error:
        raise _culprit(con, raw, source, f"{view} AS {name}", place, error) from None
    if source.types:
        con.execute(
            f"INSERT INTO raw.gone SELECT {literal(raw.name)}, {ROW}, {RULE}, {FOUND} FROM {rows} "
            f"WHERE {_OUT} IS NULL AND {RULE} IS NOT NULL"
        )
    con.execute(
        f"CREATE VIEW staged.{name} AS SELECT * EXCLUDE ({RULE}, {FOUND}, {_OUT}) FROM {rows} "
        f"WHERE {_OUT} IS NULL AND {RULE} IS NULL"
    )
    con.execute(
        f"CREATE VIEW {name} AS SELECT * EXCLUDE ({ROW}) FROM staged.{name} WHERE {ROW} NOT IN "
        f"(SELECT row FROM raw.gone WHERE source = {literal(raw.name)})"
    )
    if not stays:
        con.execute(f"DROP VIEW {view}")
    if raw.path is None:
        con.execute(f"DROP TABLE raw.{name}")
    excluded = {rule.rule: 0 for rule in source.exclude}
    for index, rule in enumerate(source.exclude):
        excluded[rule.rule] += int(counted.get(index, 0))
    return excluded, stays


def _typed(raw: RawTable, source: Source, zone: str) -> str:
    """The raw rows: ROW, RULE and FOUND of misfits, the columns as typed (NULL where one does not fit)."""
    fits, misfits, found = [], [], []
    for column, declared in source.types.items():
        before, after = quoted(column), quoted(f"churnwatch {column}")
        value = f"({present(before, raw.columns[column])})"
        words = literal(f"{column} {COMPLAINTS[RAW_KINDS[declared]]}")
        fits.append(f"{typed(value, raw.columns[column], declared, zone)} AS {after}")
        misfits.append(f"WHEN {after} IS NULL AND {value} IS NOT NULL THEN {words}")
        found.append(f"WHEN {words} THEN CAST({before} AS VARCHAR)")
    nothing = "CAST(NULL AS VARCHAR)"
    rule = f"CASE {' '.join(misfits)} END" if misfits else nothing
    told = f"CASE {RULE} {' '.join(found)} END" if found else nothing
    columns = ", ".join(
        f"{quoted(f'churnwatch {column}')} AS {quoted(column)}" if column in source.types else quoted(column)
        for column in raw.columns
    )
    position = [f"{position_in(raw.columns)} AS {ROW}"] if raw.path is None else []
    return f"""WITH fitted AS (SELECT {", ".join([*position, "*", *fits])} FROM raw.{quoted(raw.name)}),
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
    if not isinstance(error, SQL_ERRORS):
        refuse_damaged(con, raw)
    for exclusion in source.exclude:
        alone = sql_error(con, exclusion.when, relation)
        if alone is not None:
            return told_sql_error(alone, raw, f"{place}.exclude '{exclusion.rule}'")
    return told_sql_error(error, raw, place)
