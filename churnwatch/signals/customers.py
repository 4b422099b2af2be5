"""The code of a customer, found by the hash of the id: half the work of joining ten million texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from churnwatch.signals.compiled import compiled
from churnwatch.signals.rows import Array

if TYPE_CHECKING:
    import duckdb

HASH = "hash(customer_id)"
"""In SQL: a UBIGINT, the same for the same text on any connection of one DuckDB."""


@dataclass(frozen=True)
class Codes:
    """A table of hashes (open addressing, at most half full) and the code of each; -1 where there is none."""

    hashes: Array
    codes: Array

    def of(self, hashes: Array) -> Array:
        """The codes (int32) of these hashes; -1 for those of nobody."""
        found: Array = _find(self.hashes, self.codes, hashes)
        return found


def codes_of(con: duckdb.DuckDBPyConnection, who: str) -> Codes | None:
    """Codes of the customers of ``who`` (customer_id, code); ``None`` where two of them have the same hash."""
    rows = con.sql(f"select {HASH} as hash, code from {who}").fetchnumpy()
    hashes, codes = np.asarray(rows["hash"]), np.asarray(rows["code"])
    if len(np.unique(hashes)) < len(hashes):
        return None
    size = 1 << (2 * len(hashes) + 1).bit_length()
    made = Codes(np.zeros(size, np.uint64), np.full(size, -1, np.int32))
    _enter(made.hashes, made.codes, hashes, codes)
    return made


@compiled
def _enter(table: Array, codes: Array, hashes: Array, entered: Array) -> None:
    mask = np.uint64(len(table) - 1)
    for i in range(len(hashes)):
        place = hashes[i] & mask
        while codes[place] >= 0:
            place = (place + np.uint64(1)) & mask
        table[place] = hashes[i]
        codes[place] = entered[i]


@compiled
def _find(table: Array, codes: Array, hashes: Array) -> Array:
    mask = np.uint64(len(table) - 1)
    found = np.empty(len(hashes), np.int32)
    for i in range(len(hashes)):
        place = hashes[i] & mask
        while codes[place] >= 0 and table[place] != hashes[i]:
            place = (place + np.uint64(1)) & mask
        found[i] = codes[place]
    return found
