"""What loading a large Parquet source costs: a whole process, until the canonical tables stand."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.benchmarks.run import Figure
from tests.benchmarks.signals_data import Size, data_of
from tests.benchmarks.signals_days import MEASURES
from tests.benchmarks.signals_process import peak, spend

SMALL, LARGE = Size(20_000, 1_000_000), Size(100_000, 10_000_000)
RUNS = 3
SECONDS, MEGABYTES = 4.0, 1_000.0
"""Limits for the large one."""


def measure() -> list[Figure]:
    """CPU seconds and greatest memory, medians of three interleaved runs; and how the cost grows with the rows."""
    data = {size: data_of(size) for size in (SMALL, LARGE)}
    taken: dict[Size, list[tuple[float, float]]] = {size: [] for size in data}
    for _ in range(RUNS):
        for size, directory in data.items():
            cpu, _, said = spend([sys.executable, "-m", "tests.benchmarks.bench_load", str(directory)])
            taken[size].append((cpu, float(said)))
    seconds = {size: median(cpu for cpu, _ in runs) for size, runs in taken.items()}
    memory = {size: median(most for _, most in runs) for size, runs in taken.items()}
    growth = (seconds[LARGE] / seconds[SMALL]) / (LARGE.rows / SMALL.rows)
    return [
        Figure(f"loading {SMALL.told}, CPU", seconds[SMALL], "s"),
        Figure(f"loading {LARGE.told}, CPU", seconds[LARGE], "s", SECONDS),
        Figure(f"loading {LARGE.told}, peak", memory[LARGE], "MB", MEGABYTES),
        Figure("loading, growth of CPU / growth of rows", growth, "", 1.0),
    ]


def load_once(directory: Path) -> None:
    """Load the simulated company by a plain mapping, and say the greatest memory in MB."""
    from churnwatch.sources import load
    from churnwatch.spec import Deployment, ProjectSpec, Sources

    events = ("interaction_id", "customer_id", "at", "known_at", "kind", "channel", "direction", "topic", "agent")
    facts = ("customer_id", "started_at", "owner", "segment", "value", "language")
    sources = {
        "sources": {"crm": {"from": "customers.parquet"}, "log": {"from": "interactions.parquet"}},
        "tables": {
            "customers": [{"source": "crm", "columns": {name: name for name in facts}}],
            "interactions": [
                {
                    "source": "log",
                    "columns": {name: f'"{name}"' for name in events},
                    "measures": {name: name for name in MEASURES},
                }
            ],
        },
    }
    deployment = Deployment(deployment="bench", title="Bench", zone="UTC", currency="IDR", listing_model="churn")
    spec = ProjectSpec.model_construct(deployment=deployment, sources=Sources.model_validate(sources))
    tables = load(spec, data=directory, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert tables.accounting[1].accepted == tables.accounting[1].read
    print(peak())


if __name__ == "__main__":
    load_once(Path(sys.argv[1]))
