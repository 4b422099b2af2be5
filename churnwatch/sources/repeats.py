"""What stands twice: ids, whole rows, whole files.

Ids are found without keeping them: equal texts have equal hashes. Grouping ten million texts takes seconds and a
gigabyte; their hashes are eighty megabytes, and sorting them takes a tenth of the time. Two texts may share a hash, so
what is found here is a suspicion, to be settled on the texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from churnwatch.errors import DataRefused
from churnwatch.sources.raw import ROW, RawTable, literal, quoted
from churnwatch.sources.tables import SHAPES

EXACT = "exact duplicate"
"""The rule that a raw row breaks which is equal to an earlier one of its source in every column."""
_BATCH = 1_000_000


def find_repeats(con: duckdb.DuckDBPyConnection, table: str, items: Sequence[tuple[str, str, str]]) -> str:
    """A relation of the rows whose id was there before: source, row, rule, found, place.

    ``items`` are the mappings to ``table``: source, relation of all rows, relation of those that stay. The first row
    with an id is not among the repeats. Their rule is EXACT, or ``<table>.<key> repeats``, or where the first row is
    another source's, ``… repeats one of <source>``. Empty where no id repeats.
    """
    key = SHAPES[table].key
    suspects = repeated_hashes(con, [relation for _, relation, _ in items], key)
    if suspects.num_rows == 0:
        return ""
    con.register("churnwatch suspects", suspects)
    every = " UNION ALL ".join(
        f"SELECT {literal(source)} AS source, {ROW} AS row, {key} AS key, {place} AS place "
        f'FROM {remaining} WHERE hash({key}) IN (FROM "churnwatch suspects")'
        for place, (source, _, remaining) in enumerate(items)
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE raw."churnwatch every" AS
            SELECT *, row_number() OVER (PARTITION BY key ORDER BY place, row) AS number,
                   first_value(source) OVER (PARTITION BY key ORDER BY place, row) AS first
            FROM ({every}) QUALIFY count(*) OVER (PARTITION BY key) > 1"""
    )
    con.unregister("churnwatch suspects")
    again = " UNION ALL ".join(_again(con, source) for source in sorted({source for source, _, _ in items}))
    return f"""(SELECT source, row, key AS found, place,
            CASE WHEN again.row IS NOT NULL THEN '{EXACT}'
                 WHEN first = source THEN '{table}.{key} repeats'
                 ELSE '{table}.{key} repeats one of ' || first END AS rule
        FROM raw."churnwatch every" LEFT JOIN ({again}) AS again USING (source, row) WHERE number > 1)"""


def _again(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """A SELECT of (source, row) of those rows of ``source`` with repeated ids that are wholly equal to earlier ones."""
    rows = f'(SELECT row FROM raw."churnwatch every" WHERE source = {literal(source)})'
    staged = f"staged.{quoted(source)}"
    columns = [quoted(str(row[0])) for row in con.execute(f"DESCRIBE {staged}").fetchall()]
    same = ", ".join(column for column in columns if column != ROW)
    return (
        f"SELECT {literal(source)} AS source, {ROW} AS row FROM {staged} WHERE {ROW} IN {rows} "
        f"QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY {ROW}) > 1"
    )


def refuse_file_twice(raws: Iterable[RawTable], data: Path) -> None:
    """Raise ``DataRefused`` where two sources read two files below ``data`` that are the same, byte for byte.

    Sources may share one file. Files without rows may be alike.
    """
    seen: dict[int, list[tuple[Path, RawTable]]] = {}
    for raw in raws:
        path = (data / raw.file).resolve()
        if raw.read:
            seen.setdefault(path.stat().st_size, []).append((path, raw))
    for alike in seen.values():
        files = dict[str, tuple[Path, RawTable]]()
        for path, raw in alike if len({path for path, _ in alike}) > 1 else ():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            other, first = files.setdefault(digest, (path, raw))
            if other != path:
                raise DataRefused(
                    f"the file is {first.file} again, byte for byte",
                    where=raw.file,
                    allowed="each delivery once",
                    hint=f"fetch the right file for {raw.name}; sources that are to read one file name the same",
                )


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
