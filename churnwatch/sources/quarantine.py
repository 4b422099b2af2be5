"""The rows set aside: those that did not parse, and those in ``raw.gone``, which broke a rule later."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from churnwatch.sources.raw import RawTable

QUARANTINE = "CREATE TABLE raw.gone (source VARCHAR, row BIGINT, rule VARCHAR, found VARCHAR)"


def quarantined(con: duckdb.DuckDBPyConnection, raw: RawTable) -> dict[str, int]:
    """How many rows of ``raw`` broke each rule, the most frequent rule first."""
    counts: dict[str, int] = {}
    for reject in raw.rejects:
        counts[reject.rule] = counts.get(reject.rule, 0) + 1
    query = "SELECT rule, count(*) FROM raw.gone WHERE source = ? GROUP BY 1"
    for rule, count in con.execute(query, [raw.name]).fetchall():
        counts[rule] = counts.get(rule, 0) + int(count)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def quarantined_rows(con: duckdb.DuckDBPyConnection, raw: RawTable) -> pa.Table:
    """The quarantined rows of ``raw`` by line: source, file, line, rule, found."""
    query = "SELECT row, rule, coalesce(found, '') FROM raw.gone WHERE source = ?"
    gone = con.execute(query, [raw.name]).fetchall()
    lines = raw.lines_of(np.array([row for row, _, _ in gone], dtype=np.int64)).tolist()
    rows = [(line, rule, found) for line, (_, rule, found) in zip(lines, gone, strict=True)]
    rows += [(reject.line, reject.rule, reject.found) for reject in raw.rejects]
    rows.sort()
    return pa.table(
        {
            "source": pa.array([raw.name] * len(rows), pa.string()),
            "file": pa.array([raw.file] * len(rows), pa.string()),
            "line": pa.array([row[0] for row in rows], pa.int64()),
            "rule": pa.array([row[1] for row in rows], pa.string()),
            "found": pa.array([row[2] for row in rows], pa.string()),
        }
    )
