"""The whole command: ``churnwatch signals build`` on a project whose sources are the simulated Parquet files.

It also reads, checks and maps every row, which the engine alone need not; nothing is promised of it here.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from ruamel.yaml import YAML

from tests.benchmarks.run import Figure
from tests.benchmarks.signals_catalogue import document
from tests.benchmarks.signals_days import MEASURES, ZONE, months
from tests.benchmarks.signals_process import remove, spend

CUSTOMER = "customer_id name email phone do_not_contact started_at ended_at owner segment value language"
INTERACTION = "interaction_id customer_id at known_at kind channel direction topic agent text"
SAID = {"en": "Check in", "id": "Sapa pelanggan"}
FILES = {
    "features/bench.yaml": document(),
    "models/bench.yaml": {
        "model": "bench",
        "title": SAID,
        "outcome": {"inactive": {"kind": "purchase"}, "for": "90d"},
        "population": {"active": {"kind": "purchase"}, "within": "180d"},
        "grid": {"every": "30d"},
        "families": ["bench"],
        "baselines": {"recency": "quiet", "last_score": None, "tenure": "events_ever"},
    },
    "configs/playbook.yaml": {"actions": {"check_in": {"title": SAID, "steps": SAID, "minutes": 10}}},
    "configs/bench/deployment.yaml": {
        "deployment": "bench",
        "title": "Benchmark",
        "zone": ZONE,
        "currency": "IDR",
        "listing_model": "bench",
    },
    "configs/bench/outreach.yaml": {"default_action": "check_in"},
    "configs/bench/sources.yaml": {
        # The files' times carry no zone, and are UTC.
        "sources": {
            "people": {"from": "customers.parquet", "zone": "UTC"},
            "log": {"from": "interactions.parquet", "zone": "UTC"},
        },
        "tables": {
            "customers": [{"source": "people", "columns": {c: c for c in CUSTOMER.split()}}],
            "interactions": [
                {
                    "source": "log",
                    "columns": {c: f'"{c}"' for c in INTERACTION.split()},
                    "measures": {measure: measure for measure in MEASURES},
                }
            ],
        },
    },
}


def write_project(root: Path) -> None:
    """A project of one family, one model and one deployment, called bench."""
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(content, file)


def command_seconds(data: Path, scratch: Path, number: int) -> list[Figure]:
    """CPU and wall seconds of the command for 1 and for ``number`` monthly as-ofs; one run each, for information.

    What it wrote of ``number`` as-ofs stays in the file ``command`` of ``scratch``.
    """
    project, out = scratch / "project", scratch / "command"
    write_project(project)
    figures = []
    for as_ofs in (months(1), months(number)):
        days = ",".join((as_of + timedelta(hours=7)).date().isoformat() for as_of in as_ofs)
        where = ["--project", str(project), "--deployment", "bench", "--data", str(data)]
        command = [sys.executable, "-m", "churnwatch", "signals", "build", *where, "--as-of", days, "--out", str(out)]
        name = f"churnwatch signals build, {len(as_ofs)} as-of{'s' if len(as_ofs) > 1 else ''}"
        print(f"  {name}", file=sys.stderr, flush=True)
        remove(out)
        cpu, wall, _ = spend(command)
        figures += [Figure(name, cpu, "s"), Figure(f"{name}, wall clock", wall, "s")]
    return figures
