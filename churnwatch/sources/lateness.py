"""How late the events of a source become known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import duckdb
import numpy as np

from churnwatch.sources.recorded import RECORDED

P95 = 0.95


@dataclass(frozen=True)
class Lateness:
    """The delays ``known_at - at`` of a source's interactions, in seconds; rows known at once count as 0.

    ``median`` and ``p95`` are the smallest delays that half and 95 % of the rows do not exceed (nearest rank).
    """

    source: str
    rows: int
    late: int
    """Rows with ``known_at > at``."""
    median: float
    p95: float
    maximum: float

    @property
    def share(self) -> float:
        """The share of rows with ``known_at > at``."""
        return self.late / self.rows


def lateness_of(con: duckdb.DuckDBPyConnection) -> tuple[Lateness, ...]:
    """The lateness of each source that has interactions in ``con``, by name.

    A survey has none: it is known when it is sent, its answer when it is given.
    """
    counts = con.execute(
        f"""SELECT source, count(*), count(*) FILTER (known_at > "at"), max(epoch_us(known_at) - epoch_us("at"))
           FROM interactions WHERE source <> '{RECORDED}' GROUP BY source ORDER BY source"""
    ).fetchall()
    found = []
    for source, rows, late, most in counts:
        ranks = [math.ceil(share * rows) for share in (0.5, P95)]  # from 1
        median, p95 = _delays(con, source, [rank - (rows - late) for rank in ranks])
        found.append(Lateness(source, rows, late, median, p95, most / 1e6))
    return tuple(found)


def _delays(con: duckdb.DuckDBPyConnection, source: str, ranks: list[int]) -> list[float]:
    """The delays at ``ranks`` (from 1) among the late rows of ``source``, seconds; 0 for a rank that is below."""
    wanted = [rank - 1 for rank in ranks if rank > 0]
    if not wanted:
        return [0.0] * len(ranks)
    query = 'SELECT epoch_us(known_at) - epoch_us("at") AS delay FROM interactions WHERE source = ? AND known_at > "at"'
    delays = np.partition(con.execute(query, [source]).fetchnumpy()["delay"], wanted)
    return [float(delays[rank - 1]) / 1e6 if rank > 0 else 0.0 for rank in ranks]
