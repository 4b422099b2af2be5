"""What the leak audit takes on trust: where the SQL of a mapping could have written the future into an early row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from churnwatch.spec import Mapping, Sources

_KEYS = ("interaction_id", "customer_id", "at", "known_at")
_LITERAL = re.compile(r"\s*'([^']|'')*'\s*")


def trusted(sources: Sources) -> tuple[str, ...]:
    """A sentence for each source whose mapping has a chance to look ahead.

    A raw row that makes interactions of several times was written again after the first of them: what an early one
    takes from it (its topic, its agent) stands there as it was at last. And a whole SELECT may look at any raw row.
    Only who knows the source can say whether it was so in time.
    """
    mappings = sources.tables.get("interactions", ())
    told = []
    for source in dict.fromkeys(mapping.source for mapping in mappings):
        rowwise = [mapping for mapping in mappings if mapping.source == source and mapping.select is None]
        times = sorted({(mapping.columns or {})["known_at"] for mapping in rowwise})
        if len(times) > 1:
            told.append(
                f"{source}: a raw row makes rows known at {', '.join(times)}; "
                f"in each, {_taken(rowwise)} must have been so by then"
            )
    told += [
        f"{mapping.source}: a SELECT over all raw rows makes {table}; none may need what came after its own time"
        for table in ("interactions", "surveys")
        for mapping in sources.tables.get(table, ())
        if mapping.select is not None
    ]
    return tuple(told)


def _taken(mappings: Sequence[Mapping]) -> str:
    """The columns that come from the raw row; whether there is a row at all does too."""
    taken = {
        name
        for mapping in mappings
        for name, sql in {**(mapping.columns or {}), **mapping.measures}.items()
        if name not in _KEYS and not _LITERAL.fullmatch(sql)
    }
    return ", ".join(sorted(taken)) or "that it is there at all"
