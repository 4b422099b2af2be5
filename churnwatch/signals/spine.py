"""The spine: which customers are looked at, and as of when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churnwatch.signals.rows import Array, starts_of

if TYPE_CHECKING:
    import pandas as pd

    from churnwatch.sources import Tables


@dataclass(frozen=True)
class Spine:
    """Observations by customer, then as-of.

    ``customers`` are different ids (text) in the order of their bytes; ``starts`` (customers + 1,) where each one's
    observations begin in ``as_ofs`` (n_observations,), microseconds since 1970 in UTC.
    """

    customers: pa.Array
    starts: Array
    as_ofs: Array

    def __len__(self) -> int:
        return len(self.as_ofs)

    @property
    def moments(self) -> Array:
        """The different as-ofs, rising."""
        return np.unique(self.as_ofs)

    def widened(self, customers: pa.Array) -> Spine:
        """The same observations among more customers: these too, without any observation of their own."""
        everyone = sorted_ids(self.customers, customers)
        counts = np.zeros(len(everyone), np.int64)
        counts[pc.index_in(self.customers, value_set=everyone).to_numpy()] = np.diff(self.starts)
        return Spine(everyone, starts_of(counts), self.as_ofs)


def sorted_ids(*customers: pa.Array) -> pa.Array:
    """The different ids (text) of all, in the order of their bytes."""
    everyone = pc.unique(pa.concat_arrays([some.cast(pa.string()) for some in customers]))
    return everyone.take(pc.sort_indices(everyone))


def calendar(tables: Tables, as_ofs: Sequence[datetime]) -> Spine:
    """Every customer who had started by then, at each of ``as_ofs`` (aware)."""
    moments = np.unique([round(as_of.astimezone(UTC).timestamp() * 1_000_000) for as_of in as_ofs])
    rows = tables.con.execute(
        "select customer_id, epoch_us(started_at) as started from customers where started_at is not null "
        "order by customer_id"
    ).to_arrow_table()
    # Of a customer's as-ofs, all but the first ones are after the start.
    skipped = np.searchsorted(moments, rows["started"].to_numpy(), side="right")
    counts = len(moments) - skipped
    starts = starts_of(counts)
    within = np.arange(int(starts[-1])) - np.repeat(starts[:-1], counts)
    customers = rows["customer_id"].combine_chunks()
    return Spine(customers, starts, moments[within + np.repeat(skipped, counts)])


def spine_of(frame: pd.DataFrame | pa.Table) -> tuple[Spine, Array]:
    """(spine, order) of rows customer_id (text), as_of (naive UTC): ``order[i]`` is the row of the i-th observation."""
    table = frame if isinstance(frame, pa.Table) else _table(frame)
    ids = table["customer_id"].combine_chunks().cast(pa.string())
    as_of = table["as_of"].combine_chunks().cast(pa.timestamp("us")).to_numpy(zero_copy_only=False).view(np.int64)
    customers = pc.unique(ids)
    customers = customers.take(pc.sort_indices(customers))
    code = pc.index_in(ids, value_set=customers).to_numpy(zero_copy_only=False)
    order = np.lexsort((as_of, code))
    starts = starts_of(np.bincount(code, minlength=len(customers)))
    return Spine(customers, starts, as_of[order]), order


def _table(frame: pd.DataFrame) -> pa.Table:
    ids = pa.array(frame["customer_id"].astype(object).to_list(), pa.string())
    return pa.table({"customer_id": ids, "as_of": frame["as_of"].to_numpy("datetime64[us]")})
