"""The segments customers belong to, for the prior of `silence`: whose rhythm a new customer is measured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churnwatch.signals.rows import NEVER, Array

if TYPE_CHECKING:
    import duckdb

MOST = 1000
"""So many segments are told apart, those known first: a column of more different values is a name, no segment, and each
would need sums of its own."""


@dataclass(frozen=True)
class Segments:
    """Which segment each of some customers belongs to, and since when that is known.

    ``customers`` are ids (text); ``codes`` (customers,) from 1 on; ``known`` (customers,) in µs.
    """

    customers: pa.Array
    codes: Array
    known: Array

    @property
    def groups(self) -> int:
        """How many groups a prior is kept for: all customers together, and each segment."""
        return 1 + int(self.codes.max(initial=0))

    def of(self, customers: pa.Array) -> Array:
        """(customers, 2) the code of each one's segment and since when it is known; 0 and never for whom none is."""
        place = pc.index_in(customers, value_set=self.customers)
        found = np.full((len(customers), 2), (0, NEVER), np.int64)
        there = place.is_valid().to_numpy(zero_copy_only=False)
        places = place.drop_null().to_numpy()
        found[there, 0], found[there, 1] = self.codes[places], self.known[places]
        return found


def segments_of(con: duckdb.DuckDBPyConnection) -> Segments:
    """The segments of ``customers`` on ``con``, of those whose facts say since when they are known.

    A segment without a history says nothing of a past as-of and is left alone. Codes go by when a segment was first
    known, so that one of the future takes no elder one's place.
    """
    rows = con.execute(
        f"""with known as (
            select customer_id, segment, known_at, min(known_at) over (partition by segment) as first
            from customers where segment is not null and known_at is not null),
        coded as (
            select customer_id, epoch_us(known_at) as known,
                   dense_rank() over (order by first, segment)::integer as code
            from known)
        select customer_id, code, known from coded where code <= {MOST} order by customer_id"""
    ).to_arrow_table()
    return Segments(rows["customer_id"].combine_chunks(), rows["code"].to_numpy(), rows["known"].to_numpy())
