"""Do two files of signals say the same? Null positions and whole numbers to the bit, the rest to 1e-6.

A process of its own, so that what it holds in memory is nobody's peak:
``python -m tests.benchmarks.signals_agreement A B`` prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from churnwatch.spec import Column
from tests.benchmarks.signals_catalogue import WHOLE, columns


@dataclass(frozen=True)
class Agreement:
    """What differs between two files of signals; ``worst`` names the signal that differs most.

    ``nulls`` and ``counts`` are numbers of values that differ; ``relative`` is the greatest difference, as a share of
    the value or, near 0, of the signal's root mean square.
    """

    observations: int
    nulls: int
    counts: int
    relative: float
    worst: str

    @property
    def holds(self) -> bool:
        """Whether null positions and counts are the same and the rest within 1e-6."""
        return self.nulls == 0 and self.counts == 0 and self.relative <= 1e-6


def compare(one: Path, other: Path) -> Agreement:
    """Compare file or directory ``one`` with ``other``; raises ValueError when they hold other observations."""
    left, right = ds.dataset(one), ds.dataset(other)
    (keys, left_order), (right_keys, right_order) = _keys(left), _keys(right)
    if not keys.equals(right_keys):
        raise ValueError(f"{one} has {len(keys)} observations, {other} {len(right_keys)}, and they are not the same")
    return agreement(
        (column, _values(left, column.name, left_order), _values(right, column.name, right_order))
        for column in columns()
    )


def agreement(pairs: Iterable[tuple[Column, np.ndarray, np.ndarray]]) -> Agreement:
    """Compare column by column: the values (n_observations,) of the one and of the other, NaN where missing."""
    rows, nulls, counts, relative, worst = 0, 0, 0, 0.0, ""
    for column, one, other in pairs:
        rows = len(one)
        missing = np.isnan(one)
        nulls += int(np.count_nonzero(missing != np.isnan(other)))
        a, b = one[~missing], other[~missing]
        apart = np.abs(a - b)
        if column.signal.aggregate in WHOLE:
            counts += int(np.count_nonzero(apart))
        if not len(a):
            continue
        usual = float(np.sqrt(np.mean(a * a)))
        share = apart / np.maximum(np.maximum(np.abs(a), np.abs(b)), usual or 1.0)
        # Missing in one alone is counted under nulls.
        most = float(np.nan_to_num(share).max())
        if most > relative:
            relative, worst = most, column.name
    return Agreement(rows, nulls, counts, relative, worst)


def _keys(file: ds.Dataset) -> tuple[pa.Table, np.ndarray]:
    """The sorted observations, and where each stands in the file."""
    keys = file.to_table(columns=["customer_id", "as_of"], use_threads=False)
    schema = pa.schema([("customer_id", pa.string()), ("as_of", pa.timestamp("us"))])
    keys = pa.table({f.name: pc.cast(keys[f.name], f.type).combine_chunks() for f in schema}, schema)
    order = pc.sort_indices(keys, sort_keys=[("customer_id", "ascending"), ("as_of", "ascending")])
    return keys.take(order).combine_chunks(), order.to_numpy()


def _values(file: ds.Dataset, name: str, order: np.ndarray) -> np.ndarray:
    values = file.to_table(columns=[name], use_threads=False)[name]
    return pc.cast(values, pa.float64()).to_numpy().astype(np.float64)[order]


if __name__ == "__main__":
    print(json.dumps(asdict(compare(Path(sys.argv[1]), Path(sys.argv[2])))))
