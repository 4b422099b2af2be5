"""JSON lines: one object per line, its values to text the way CSV has them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb

from churnwatch.errors import DataRefused
from churnwatch.sources.plain import NOT_UTF8
from churnwatch.sources.raw import RawTable, Texts, refuse_names
from churnwatch.spec import Source

MOST_KEYS = 1_000
"""More different keys than columns a table has: the keys are data."""
_NO_OBJECT = "not a JSON object"
_ALLOWED = "one JSON object per line"
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Number(str):
    """The digits of a number as they stand: 2^53 + 1 keeps its last one."""

    __slots__ = ()


def read_jsonlines(con: duckdb.DuckDBPyConnection, name: str, source: Source, path: Path) -> RawTable:
    """The UTF-8 text at ``path`` as ``raw.<name>``: a column per key, all of them text.

    A key that a line lacks, null, an empty text and NaN (which is no JSON, but is written) are missing; true and false
    are the words; an object or a list within is its JSON. Blank lines are no rows. Capitals make no difference in
    keys. Raises ``DataRefused`` for a file that is empty or holds no object at all.
    """
    rows, spelt = Texts(con, name), dict[str, str]()
    first = 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            text = raw.removeprefix(b"\xef\xbb\xbf") if line == 1 else raw
            if not text.strip():
                continue
            first = first or line
            row, rule = _row(text)
            if rule:
                rows.reject(line, rule, text.decode("utf-8", "replace").strip())
                continue
            for key in row:
                if key.casefold() not in spelt:
                    refuse_names([key], f"{source.from_}:{line}")
                    spelt[key.casefold()] = key
                    rows.columns.append(key)
            if len(spelt) > MOST_KEYS:
                raise DataRefused(
                    f"the lines up to here have more than {MOST_KEYS:,} different keys",
                    where=f"{source.from_}:{line}",
                    allowed="keys that name columns",
                    hint="put what the keys say into values, one row each",
                )
            rows.add(line, {spelt[key.casefold()]: value for key, value in row.items()})
    if not spelt:
        found = "no line holds an object with a key" if first else "the file is empty"
        hint = "write each object on a line of its own: `jq -c .[]` does"
        raise DataRefused(found, where=f"{source.from_}:{first or 1}", allowed=_ALLOWED, hint=hint)
    return rows.finish(source.from_)


def _row(line: bytes) -> tuple[dict[str, str | None], str]:
    """The values of a line by key, and the rule that it breaks or nothing."""
    try:
        pairs = json.loads(
            line.decode("utf-8"),
            object_pairs_hook=_Pairs,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=lambda word: None if word == "NaN" else word,
        )
        if not isinstance(pairs, _Pairs):
            return {}, _NO_OBJECT
        row = {key: _text(value) for key, value in pairs}
    except UnicodeDecodeError:
        return {}, NOT_UTF8
    except (ValueError, RecursionError):  # what is nested a thousand deep is no row
        return {}, _NO_OBJECT
    if not pairs:
        return {}, "an object without a key"
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        return {}, "a key stands twice"
    if not all(key.strip() and key.isprintable() for key in row):
        return {}, "a key has no name"
    if any(value is not None and _SURROGATE.search(value) for value in row.values()):
        return {}, NOT_UTF8
    return row, ""


class _Pairs(list[tuple[str, Any]]):
    """An object as it is written, a key that stands twice included."""


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return str(value) if value else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value)


def _json(value: Any) -> str:
    """What stands within a value, as JSON."""
    if isinstance(value, _Pairs):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_json(one)}" for key, one in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)
