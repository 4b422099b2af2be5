"""Ids that stand twice, found without keeping the ids: equal texts have equal hashes.

Grouping ten million texts takes seconds and a gigabyte; their hashes are eighty megabytes, and sorting them takes a
tenth of the time. Two texts may share a hash, so what is found here is a suspicion, to be settled on the texts.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import numpy as np
import pyarrow as pa

_BATCH = 1_000_000


def repeated_hashes(con: duckdb.DuckDBPyConnection, relations: Iterable[str], key: str) -> pa.Table:
    """The values of ``hash(key)`` that occur more than once over all rows of ``relations``: one column ``hash``."""
    relations = list(relations)
    counts = [int(con.execute(f"SELECT count(*) FROM {one}").fetchall()[0][0]) for one in relations]
    hashes, filled = np.empty(sum(counts), np.uint64), 0
    for one in relations:
        for batch in con.execute(f"SELECT hash({key}) FROM {one}").to_arrow_reader(_BATCH):
            column = batch.column(0)
            hashes[filled : filled + len(column)] = column.to_numpy()
            filled += len(column)
    hashes.sort()
    again = hashes[1:][hashes[1:] == hashes[:-1]]
    return pa.table({"hash": np.unique(again)})
