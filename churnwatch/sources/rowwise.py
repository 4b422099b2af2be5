"""Whether SQL over a raw row may be asked again later and will say the same.

A large Parquet file is not copied: its rows are mapped anew at each reading, on a session in UTC. That is right only
for SQL that looks at its row alone and at no clock, no chance and no ``TimeZone``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

import duckdb

from churnwatch.sources.raw import words

_BEYOND_THE_ROW = frozenset(("over", "select", "from", "values", "table", "pivot", "unpivot", "describe", "show"))
_CLOCKS = frozenset(("current_time", "current_timestamp", "localtime", "localtimestamp"))
_ZONES = frozenset(("timestamptz", "timetz", "zone"))
_ZONED = "WITH TIME ZONE"
_PRESENCE = re.compile(r'("[^"]+"|\b[^\W\d]\w*)\s+is\s+(not\s+)?null\b', re.IGNORECASE)
"""Asking whether a value is there needs no zone."""


def is_rowwise(expressions: Iterable[str], *, columns: Mapping[str, str], zone: str) -> bool:
    """Whether all ``expressions`` over a row with ``columns`` (DuckDB type by name) give the same at each reading.

    ``zone`` is the source's. Judged by the words that occur, wherever they stand: where there is doubt the answer is
    no, which costs a copy of the rows and nothing else.
    """
    unsteady = _BEYOND_THE_ROW | _unsteady()
    if zone != "UTC":
        zoned = {name.casefold() for name, kind in columns.items() if _ZONED in kind}
        unsteady |= _ZONES | _zoned_functions() | {word for name in zoned for word in words(name)}
    asked = [_PRESENCE.sub(" ", sql) for sql in expressions]
    return not any(words(sql) & unsteady or (zone != "UTC" and "%z" in sql.casefold()) for sql in asked)


def is_zoned(kind: str) -> bool:
    """Whether a value of DuckDB's type ``kind`` is, or holds, an instant that is written out in the session's zone."""
    return _ZONED in kind


@cache
def _unsteady() -> frozenset[str]:
    """Functions whose value changes from call to call, and macros made of them."""
    with duckdb.connect() as con:
        changing = con.execute(
            "SELECT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
        ).fetchall()
        macros = con.execute(
            "SELECT function_name, macro_definition FROM duckdb_functions() WHERE macro_definition <> ''"
        ).fetchall()
    found = _CLOCKS | {name.casefold() for (name,) in changing}
    return found | {name.casefold() for name, sql in macros if words(sql) & found}


@cache
def _zoned_functions() -> frozenset[str]:
    """Functions that make an instant of something else."""
    with duckdb.connect() as con:
        made = con.execute(
            f"""SELECT function_name FROM duckdb_functions() WHERE contains(return_type, '{_ZONED}')
                AND NOT contains(coalesce(array_to_string(parameter_types, ' '), ''), '{_ZONED}')"""
        ).fetchall()
    return frozenset(name.casefold() for (name,) in made)
