"""The whole `daily` of a million customers: time and memory of one process, and where they go.

Takes minutes and 2 GB of disk, so `make bench` leaves it out: `make bench-large`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_daily_stages import run
from tests.benchmarks.daily_project import LEAVES, ROUNDS, project_of
from tests.benchmarks.run import Figure
from tests.benchmarks.signals_data import Size

SIZE = Size(1_000_000, 50_000_000)
RUNS = 2
SECONDS, MEGABYTES = 120.0, 4_000.0


def measure() -> list[Figure]:
    """The quicker of two runs, wall clock of whole processes; the greatest memory of both."""
    with tempfile.TemporaryDirectory() as scratch:
        root = project_of(SIZE, Path(scratch)).root
        made = []
        for number in range(RUNS):
            print(f"  run {number + 1} of {RUNS}: {SIZE.told}", file=sys.stderr, flush=True)
            made.append(run(root, alone=False))
    best = min(made, key=lambda one: one.whole[0])
    parts = sum(wall for wall, _ in best.parts.values())
    return [
        Figure(f"daily, {SIZE.told}, {ROUNDS} trees of {LEAVES} leaves", best.whole[0], "s", SECONDS),
        Figure("the same, peak memory", max(one.peak for one in made), "MB", MEGABYTES),
        Figure("the same, CPU", best.whole[1], "CPU s"),
        *(Figure(f"of it {part}", wall, "s") for part, (wall, _) in best.parts.items()),
        Figure("of it everything else", best.whole[0] - parts, "s"),
        Figure("rows listed", best.rows, "rows"),
    ]
