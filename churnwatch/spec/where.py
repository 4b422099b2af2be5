"""Which rows: equality and membership, no more."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from churnwatch.spec.node import Name

Level = str | int | float | bool


def _not_empty(where: dict[str, Level | list[Level]]) -> dict[str, Level | list[Level]]:
    for name, wanted in where.items():
        if wanted == []:
            raise ValueError(f"`{name}: []` matches no row: name at least one value")
    return where


Where = Annotated[dict[Name, Level | list[Level]], AfterValidator(_not_empty)]


def where_sql(where: Where) -> str:
    """``where`` as a DuckDB condition; an empty one keeps every row."""
    parts = []
    for name, wanted in where.items():
        if isinstance(wanted, list):
            parts.append(f'"{name}" in ({", ".join(_literal(level) for level in wanted)})')
        else:
            parts.append(f'"{name}" = {_literal(wanted)}')
    return f"({' and '.join(parts)})" if parts else "true"


def where_words(where: Where) -> str:
    """``where`` as a reader would say it: ``kind purchase``, ``kind contact or complaint``.

    The kind first, then by name: a bundle keeps its files with sorted keys, and must say the same when it is read back.
    """
    return " and ".join(
        f"{name} {' or '.join(level_text(one) for one in (wanted if isinstance(wanted, list) else [wanted]))}"
        for name, wanted in sorted(where.items(), key=lambda item: (item[0] != "kind", item[0]))
    )


def level_text(level: Level) -> str:
    """A level as text columns hold it: ``true``, ``3``."""
    return str(level).lower() if isinstance(level, bool) else str(level)


def _literal(level: Level) -> str:
    # Numbers are quoted too: DuckDB reads a quoted literal as the column's type, so that `topic: 1` asks a text column
    # for '1' instead of failing on the first topic that is no number.
    return "'" + level_text(level).replace("'", "''") + "'"
