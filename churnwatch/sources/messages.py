"""What a message may say of the data: file, line, rule, column and counts; no customer's id, name or words.

Messages go to the terminal, to logs and into tickets. The full value stays in ``Tables.quarantine``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from churnwatch.errors import ChurnwatchError, DataRefused, ProjectError, nearest
from churnwatch.sources.plain import ENCODINGS, NOT_UTF8
from churnwatch.sources.raw import DELIMITERS, RawTable, first_line, looks_like_row
from churnwatch.sources.repeats import EXACT
from churnwatch.sources.rules import FAR, ZERO
from churnwatch.sources.tables import PERSONAL, SHAPES
from churnwatch.sources.values import COMPLAINTS, RAW_KINDS
from churnwatch.spec import Mapping, Source

LEVELS = ("kind", "channel", "direction", "topic", "instrument", "segment", "language")
"""Columns that often hold one fixed word for all rows of a mapping."""

_NO_COLUMN = re.compile(r'Referenced column "(.+?)" not found|does not have a column named "(.+?)"')
SQL_ERRORS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.PermissionException,
    duckdb.SyntaxException,
)
"""What DuckDB says of SQL that is wrong whatever the rows."""
_VALUE_ERRORS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"(Could not convert string )'(.*)'( to \w+)",
        r'(Could not parse string )"(.*)"( according to format specifier "[^"]*")',
        r'(invalid \w+ field format: )"(.*)"(, expected format is \([^)]*\))',
        r'(\w+ field value out of range: )"(.*)"(, expected format is \([^)]*\))',
    )
)
_NAME = re.compile(r'[^\W\d]\w*|"[^"]+"')
_COLUMNS = sorted({column for shape in SHAPES.values() for column in shape.columns})
_WORDS = re.compile(rf"(\b(?:{'|'.join(_COLUMNS)}) )|(?:[^\W\d_]{{3,}}|[^\x00-\x7f]+)")
_FORMAT = "'%d/%m/%Y %H:%M'"
_EPOCH = re.compile(r"\s*\d{9,19}(\.\d*)?\s*")
_UNITS = (
    "numbers since 1970 declare the column `integer` under `types` and write `to_timestamp(column)` of seconds, "
    "`to_timestamp(column / 1000)` of milliseconds"
)
_USUAL = "correct the file, exclude such rows by a declared rule, or raise `allowance`"


def masked(value: str) -> str:
    """A broken value with its words and long numbers crossed out, 80 characters at most.

    In a row whose values have shifted by a column a name or a phone number may stand where a time belongs.
    What tells a format stays: digits, signs, runs of one or two letters, and our own names of columns.
    """
    crossed = _WORDS.sub(lambda run: run[0] if run[1] else "x" * len(run[0]), value)
    return re.sub(r"\d{9,}", lambda run: "#" * len(run[0]), crossed)[:80]


def shown_types(source: Source, mappings: Iterable[Mapping]) -> frozenset[str]:
    """The rules on the declared types of ``source`` under which a broken value may be shown.

    Those of raw columns that feed times, numbers or booleans and no id, name, contact or text. What a SELECT
    makes of a column is not known, so of a source with one nothing is shown.
    """
    plain, private = set[str](), set[str]()
    for mapping in mappings:
        if mapping.columns is None:
            return frozenset()
        for target, sql in [*mapping.columns.items(), *((None, sql) for sql in mapping.measures.values())]:
            named = {column for column in source.types if _mentions(sql, column)}
            if target in PERSONAL:
                private |= named
            elif target in {shape.key for shape in SHAPES.values()}:
                private |= {column for column in named if sql.strip().strip('"').casefold() == column.casefold()}
            elif target is None or _is_plain(target):
                plain |= named
    kinds = {column: RAW_KINDS[declared] for column, declared in source.types.items()}
    return frozenset(f"{column} {COMPLAINTS[kinds[column]]}" for column in plain - private if kinds[column] != "text")


def _mentions(sql: str, column: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", sql, re.IGNORECASE) is not None


def _is_plain(target: str) -> bool:
    """Whether ``target``, a canonical column or a measure, holds times, numbers or booleans."""
    return {"text"} != {shape.columns[target] for shape in SHAPES.values() if target in shape.columns}


def way_out(
    source: Source,
    mappings: Iterable[tuple[str, Mapping]],
    rules: Iterable[str],
    *,
    found: Iterable[tuple[str, str]] = (),
) -> str:
    """What to try where rows of ``source`` break ``rules``; ``mappings`` are its (table, mapping).

    ``found`` are pairs of a rule and what broke it, as many as are at hand: numbers where times belong need other SQL.
    """
    rules, found = list(rules), list(found)
    times = [rule for rule in rules if rule.endswith(COMPLAINTS["time"])]
    units = [rule for rule in rules if rule.endswith((FAR, ZERO))]
    twice = [rule for rule in rules if rule == EXACT or " repeats one of " in rule]
    parts = []
    if NOT_UTF8 in rules:
        parts.append(f"where the text is not UTF-8, {ENCODINGS}")
    if twice:
        parts.append("take out what was delivered twice: a whole file, a part of one, or rows that another source has")
    if any(rule in times and _EPOCH.fullmatch(value) for rule, value in found):
        parts.append(f"for {_UNITS}")
    elif times:
        parts.append(_other_format(source, list(mappings), times[0]))
    if units:
        parts.append(f"a time in January 1970 or beyond the year 9999 is a number read in the wrong unit: for {_UNITS}")
    others = len(rules) > len(times) + len(units) + len(twice) + (NOT_UTF8 in rules)
    return "; ".join([*parts, f"for the other rules {_USUAL}" if parts else _USUAL] if others else parts)


def _other_format(source: Source, mappings: list[tuple[str, Mapping]], rule: str) -> str:
    """How times are read that are not ISO 8601: for the column of ``rule``."""
    broken = rule.removesuffix(COMPLAINTS["time"]).strip()
    given = [(table, name, sql.strip()) for table, one in mappings for name, sql in (one.columns or {}).items()]
    if source.types.get(broken) == "time":
        leave = f"leave `{broken}` out of `types` and "
        targets = [(name, sql) for _, name, sql in given if sql.strip('"').casefold() == broken.casefold()]
    else:
        leave = ""
        targets = [(name, sql) for table, name, sql in given if f"{table}.{name}" == broken and _NAME.fullmatch(sql)]
    target, sql = targets[0] if targets else (broken.split(".")[-1] if "." in broken else "at", "column")
    if not targets and leave:
        sql = broken
    sql = sql.replace('"', '\\"')
    return (
        f'for times that are not ISO 8601 (year first) {leave}write `{target}: "strptime({sql}, {_FORMAT})"` with '
        "the format of the file; correct or exclude single broken values"
    )


def told_sql_error(
    error: duckdb.Error, raw: RawTable, place: str, *, column: str = "", sql: str = ""
) -> ChurnwatchError:
    """DuckDB's complaint about the project's SQL: a column the data lack, SQL that is wrong, a value it stops at.

    ``column`` is the canonical column or measure that ``sql`` gives, where one expression is to blame.
    """
    line = first_line(error)
    word = sql.strip() if column in LEVELS and re.fullmatch(r"\w+", sql.strip()) else ""
    fixed = f"""a fixed word is SQL in quotes: `{column}: "'{word}'"`""" if word else ""
    match = _NO_COLUMN.search(line)
    if match is not None:
        return no_column(raw, match.group(1) or match.group(2), f"{place} names it", hint=fixed)
    if isinstance(error, duckdb.PermissionException):
        return ProjectError(line, where=place, allowed="SQL over the declared sources, no other file")
    if not isinstance(error, SQL_ERRORS):
        line = _told_value_error(line, shown=bool(column) and column != "where" and _is_plain(column))
    return ProjectError(
        line,
        where=place,
        allowed="DuckDB SQL over the declared sources",
        hint=fixed
        or "a value that may not fit goes through try_cast or try_strptime, a name that is a word of SQL "
        'stands in quotes: "at"',
    )


def _told_value_error(line: str, *, shown: bool) -> str:
    """An error that stopped at a value, without it: any other words of DuckDB's may be the data's."""
    kind = line.split(":")[0] if re.match(r"[A-Z][A-Za-z ]{2,40} Error:", line) else "Error"
    for pattern in _VALUE_ERRORS:
        match = pattern.search(line)
        if match is not None:
            before, value, after = match.groups()
            return f"{kind}: {before}'{masked(value) if shown else '…'}'{after}"
    return f"{kind}: the SQL stops at a value that does not fit"


def no_column(raw: RawTable, column: str, reason: str, *, hint: str = "") -> DataRefused:
    """A column the project names and the file does not have."""
    columns = list(raw.columns)
    if looks_like_row(columns):
        # What looks like a row may be a customer's, and is not repeated.
        return DataRefused(
            f"there is no column {column}, and {reason}",
            where=f"{raw.file}: {column}",
            allowed="a header, then rows: the first line of the file looks like a row",
            hint="put a line with the names of the columns first",
        )
    hints = [_delimiter(columns, column) or nearest(column, columns), hint]
    return DataRefused(
        f"there is no column {column}, and {reason}",
        where=f"{raw.file}: {column}",
        allowed=f"the columns of the file: {', '.join(columns)}",
        hint="; ".join(one for one in hints if one),
    )


def _delimiter(columns: list[str], wanted: str) -> str:
    """The delimiter the file seems to have, where its whole header was read as one column."""
    if len(columns) == 1:
        for sign, written in DELIMITERS.items():
            if wanted.casefold() in (name.strip(' "').casefold() for name in columns[0].split(sign)):
                return f'`delimiter: "{written}"`'
    return ""
