"""Which rows: equality and membership, no more."""

from __future__ import annotations

from churnwatch.spec.node import Name

Level = str | int | float | bool
Where = dict[Name, Level | list[Level]]


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
    """``where`` as a reader would say it: ``kind purchase``, ``kind contact or complaint``."""
    return " and ".join(
        f"{name} {' or '.join(str(v) for v in wanted) if isinstance(wanted, list) else wanted}"
        for name, wanted in where.items()
    )


def _literal(level: Level) -> str:
    if isinstance(level, str):
        return "'" + level.replace("'", "''") + "'"
    return str(level)
