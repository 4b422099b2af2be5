"""The whole `daily` beside the sum of its raw stages: whole processes, in which each stage is done by itself too."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.daily_process import Taken
from tests.benchmarks.daily_project import LEAVES, ROUNDS, project_of
from tests.benchmarks.run import Figure
from tests.benchmarks.signals_data import Size
from tests.benchmarks.signals_process import spend

SIZE = Size(100_000, 10_000_000)
RUNS = 3
LIMIT = 1.3
"""Times the raw stages: signals, ``Booster.predict``, contributions and 90 days of the listed, writing the files."""


@dataclass(frozen=True)
class Made:
    """One process that made a list: wall and CPU seconds of its parts and its whole, and of each stage by itself."""

    parts: Taken
    whole: tuple[float, float]
    alone: Taken
    peak: float
    rows: int

    def ratio(self, *, cpu: bool, reading: bool) -> float:
        """The whole run, with or without reading and checking the data, over the sum of its raw stages."""
        whole = self.whole[cpu] - (0 if reading else self.parts["read"][cpu])
        return whole / sum(taken[cpu] for taken in self.alone.values())


def run(root: Path, *, alone: bool) -> Made:
    """Make the day's list of the project from the beginning, as if it had never been made."""
    kept = root.with_name("state")
    if not kept.exists():
        shutil.copytree(root / "state", kept)
    shutil.rmtree(root / "out", ignore_errors=True)
    shutil.rmtree(root / "state")
    shutil.copytree(kept, root / "state")
    command = [sys.executable, "-m", "tests.benchmarks.daily_process", str(root), *(["alone"] if alone else [])]
    told = json.loads(spend(command)[2])
    return Made(told["parts"], tuple(told["whole"]), told.get("alone", {}), told["peak"], told["rows"])


def measure() -> list[Figure]:
    """Medians of three runs; wall clock, as the list's reader waits for it."""
    with tempfile.TemporaryDirectory() as scratch:
        root = project_of(SIZE, Path(scratch)).root
        made = []
        for number in range(RUNS):
            print(f"  run {number + 1} of {RUNS}", file=sys.stderr, flush=True)
            made.append(run(root, alone=True))

    def ratio(*, cpu: bool = False, reading: bool = False) -> float:
        return median(one.ratio(cpu=cpu, reading=reading) for one in made)

    about = f"daily, {SIZE.told}, {ROUNDS} trees of {LEAVES} leaves"
    return [
        Figure("daily without reading / its raw stages", ratio(), "x", LIMIT),
        Figure("daily without reading / its raw stages, CPU", ratio(cpu=True), "x"),
        Figure("daily with reading / its raw stages", ratio(reading=True), "x"),
        Figure(about, median(one.whole[0] for one in made), "s"),
        Figure(f"{about}, CPU", median(one.whole[1] for one in made), "CPU s"),
        Figure("of it reading and checking the data", median(one.parts["read"][0] for one in made), "s"),
        *(
            Figure(f"raw stage by itself: {part}", median(one.alone[part][0] for one in made), "s")
            for part in made[0].alone
        ),
        Figure("daily, rows listed", made[0].rows, "rows"),
        Figure("daily, peak memory (of the stages by themselves too)", max(one.peak for one in made), "MB"),
    ]
