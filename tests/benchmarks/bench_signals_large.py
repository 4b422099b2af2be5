"""The signal engine on 1 M, 10 M and 50 M rows: memory stays bounded, the cost grows no faster than the rows.

Takes minutes and 1 GB of disk, so `make bench` leaves it out: `make bench-large`.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

from tests.benchmarks.run import Figure
from tests.benchmarks.signals_data import Size, data_of
from tests.benchmarks.signals_process import Cost, cost

SIZES = (Size(20_000, 1_000_000), Size(200_000, 10_000_000), Size(1_000_000, 50_000_000))
RUNS = 3


def measure() -> list[Figure]:
    """CPU seconds of whole processes that build one as-of; three interleaved runs, medians."""
    data = {size: data_of(size) for size in SIZES}
    costs: dict[Size, list[Cost]] = {size: [] for size in SIZES}
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "signals.parquet"
        cost("engine", data[SIZES[0]], out, "months", 1)
        for run in range(RUNS):
            for size in SIZES:
                print(f"  run {run + 1} of {RUNS}: {size.told}", file=sys.stderr, flush=True)
                costs[size].append(cost("engine", data[size], out, "months", 1))
    cpu = {size: median(each.cpu for each in costs[size]) for size in SIZES}
    peak = {size: max(each.peak for each in costs[size]) for size in SIZES}
    return [
        Figure(f"peak memory, {SIZES[-1].told}", peak[SIZES[-1]], "MB", 2_500),
        *(
            Figure(f"cost of {more.rows:,} / {fewer.rows:,} rows", cpu[more] / cpu[fewer], "x", more.rows / fewer.rows)
            for fewer, more in pairwise(SIZES)
        ),
        *(Figure(f"1 as-of, {size.told}", cpu[size], "s") for size in SIZES),
        *(Figure(f"1 as-of, {size.told}, wall clock", median(c.wall for c in costs[size]), "s") for size in SIZES),
        *(Figure(f"peak memory, {size.told}", peak[size], "MB") for size in SIZES[:-1]),
    ]
