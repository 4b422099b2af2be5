"""The signal engine against hand-written DuckDB, Polars and pandas: same signals, Parquet in and out, CPU of processes.

Every number is CPU seconds (user and system, all threads) of a process of its own, compiled code cached; three
interleaved runs, medians. *Warm* is the second build in one process, from Parquet to Parquet; *cold* is what the same
process took without it, start and end included. ``CHURNWATCH_BENCH_SIZE=1000:100000`` (customers:rows) tries it small;
``CHURNWATCH_BENCH_DATA`` names the directory of the simulated files.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from tests.benchmarks.run import Figure
from tests.benchmarks.signals_command import command_seconds
from tests.benchmarks.signals_data import Size, data_of
from tests.benchmarks.signals_process import Cost, cost, remove, spend

RUNS = 3
MONTHS, DAYS = 12, 365
ENGINE, PEERS = "engine", ("duckdb", "polars", "pandas")
TOLD = {
    "engine": "engine",
    "duckdb": "DuckDB",
    "polars": "Polars",
    "pandas": "pandas",
    "scan": "scan",
    "command": "churnwatch signals build",
}


@dataclass(frozen=True)
class Taken:
    """What one peer took: ``one`` is two builds of one as-of in a process, ``twelve`` is one build of twelve as-ofs."""

    one: list[Cost]
    twelve: list[Cost]

    @property
    def cold(self) -> float:
        """CPU seconds of a process that builds one as-of."""
        return median(each.cpu - each.again for each in self.one)

    @property
    def warm(self) -> float:
        """CPU seconds of the second build of one as-of."""
        return median(each.again for each in self.one)

    @property
    def all(self) -> float:
        """CPU seconds of a process that builds twelve as-ofs."""
        return median(each.cpu for each in self.twelve)

    @property
    def further(self) -> float:
        """CPU seconds of each as-of after the first."""
        return (self.all - self.cold) / (MONTHS - 1)

    @property
    def peak(self) -> float:
        """MB at most, over all processes."""
        return max(each.peak for each in (*self.one, *self.twelve))


def measure() -> list[Figure]:
    """All figures; the limits are those of the promise: ratios to the best peer of the same run."""
    asked = os.environ.get("CHURNWATCH_BENCH_SIZE", "100000:10000000")
    customers, rows = (int(number) for number in asked.split(":"))
    size = Size(customers, rows)
    peers = [peer for peer in PEERS if peer != "polars" or find_spec("polars")]
    if "polars" not in peers:
        say("Polars is not installed: it is left out")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        data = data_of(size)
        taken = race(data, out, peers)
        figures = costs(size, taken, peers)
        commanded = command_seconds(data, out, MONTHS)
        figures += agreements(out, [*peers, "command"])
        figures += oracle(out)
        remove_all(out)
        figures += daily(Size(max(1, customers // 5), rows // 5), out)
    return figures + commanded


def race(data: Path, out: Path, peers: list[str]) -> dict[str, Taken]:
    """Interleaved runs of everybody; what they wrote of twelve as-ofs stays under ``out``."""
    racers = [ENGINE, *peers, "scan"]
    warming = data_of(Size(200, 4_000))
    for racer in racers:
        cost(racer, warming, out / racer, "months", MONTHS)
    cost("scan", data, out / "scan", "months", 1)
    taken = {racer: Taken([], []) for racer in racers}
    for run in range(RUNS):
        for racer in racers:
            say(f"run {run + 1} of {RUNS}: {TOLD[racer]}")
            taken[racer].one.append(cost(racer, data, out / racer, "months", 1, times=2))
            if racer != "scan":
                taken[racer].twelve.append(cost(racer, data, out / racer, "months", MONTHS))
    return taken


def costs(size: Size, taken: dict[str, Taken], peers: list[str]) -> list[Figure]:
    """The goals first, then what everybody took."""
    engine = taken[ENGINE]
    most = min(peers, key=lambda peer: taken[peer].all)
    warm = min(peers, key=lambda peer: taken[peer].warm)
    figures = [
        Figure(f"12 as-ofs, engine / {TOLD[most]}", engine.all / taken[most].all, "x", 1 / 3),
        Figure("each further as-of, engine", engine.further, "s", 0.6),
        Figure(f"1 as-of warm, engine / {TOLD[warm]}", engine.warm / taken[warm].warm, "x", 0.7),
        Figure("1 as-of cold, engine / DuckDB", engine.cold / taken["duckdb"].cold, "x", 1.5),
        Figure(f"scan of the columns, {size.told}", taken["scan"].cold, "s"),
    ]
    for racer in (ENGINE, *peers):
        one = taken[racer]
        figures += [
            Figure(f"{TOLD[racer]}: 1 as-of cold", one.cold, "s"),
            Figure(f"{TOLD[racer]}: 1 as-of warm", one.warm, "s"),
            Figure(f"{TOLD[racer]}: 12 as-ofs", one.all, "s"),
            Figure(f"{TOLD[racer]}: 12 as-ofs, wall clock", median(each.wall for each in one.twelve), "s"),
            Figure(f"{TOLD[racer]}: each further as-of", one.further, "s"),
            Figure(f"{TOLD[racer]}: peak memory", one.peak, "MB"),
        ]
    return figures


def agreements(out: Path, peers: list[str]) -> list[Figure]:
    """Every peer, and the whole command, against the engine on everything that was written."""
    figures = []
    for peer in peers:
        say(f"comparing {TOLD[peer]} with the engine")
        files = [str(out / ENGINE), str(out / peer)]
        _, _, said = spend([sys.executable, "-m", "tests.benchmarks.signals_agreement", *files])
        figures += differences(f"{TOLD[peer]} and engine", json.loads(said))
    return figures


def oracle(out: Path) -> list[Figure]:
    """The engine against the oracle: 15 customers as of the last three months."""
    say("comparing the engine with the oracle")
    data, file = data_of(Size(30, 1_500)), out / "small.parquet"
    cost(ENGINE, data, file, "months", 3)
    _, _, said = spend([sys.executable, "-m", "tests.benchmarks.signals_oracle", str(data), str(file), "15", "3"])
    return differences("oracle and engine", json.loads(said))


def differences(who: str, found: dict[str, int | float]) -> list[Figure]:
    """What two files differ in, as figures."""
    about = f"{who}, {found['observations']:,} observations"
    return [
        Figure(f"{about}: null positions", found["nulls"], "differ", 0),
        Figure(f"{about}: counts", found["counts"], "differ", 0),
        Figure(f"{about}: the rest, at most", found["relative"], "relative", 1e-6),
    ]


def daily(size: Size, out: Path) -> list[Figure]:
    """A year of days against twelve months on the same data."""
    data, file = data_of(size), out / "daily.parquet"
    say(f"{DAYS} daily as-ofs, {size.told}")
    twelve = median(cost(ENGINE, data, file, "months", MONTHS).cpu for _ in range(RUNS))
    year = cost(ENGINE, data, file, "days", DAYS)
    remove(file)
    return [
        Figure(f"{DAYS} daily / {MONTHS} monthly as-ofs, {size.told}", year.cpu / twelve, "x", 20),
        Figure(f"{DAYS} daily as-ofs: peak memory", year.peak, "MB", 4_000),
        Figure(f"{DAYS} daily as-ofs", year.cpu, "s"),
        Figure(f"{MONTHS} monthly as-ofs, the same data", twelve, "s"),
    ]


def remove_all(out: Path) -> None:
    """Take away what was written so far."""
    for path in out.iterdir():
        remove(path)


def say(words: str) -> None:
    """Progress, on the error stream."""
    print(f"  {words}", file=sys.stderr, flush=True)
