"""Run every benchmark, print a table, keep the figures as JSON under tests/benchmarks/results/.

A benchmark is a file ``bench_NAME.py`` with a function ``measure() -> list[Figure]``. A limit that is not
met is said, not raised: a busy machine is no bug. Run with ``make bench``, or name some: ``run.py startup``. Those
called ``bench_NAME_large.py``, ``bench_NAME_peers.py`` or ``bench_NAME_seeds.py`` run only when they are named.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Figure:
    """One measured number and, where one was promised, its upper limit, both in ``unit``."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the limit is met; empty where none was promised."""
        if self.limit is None:
            return ""
        return "met" if self.value <= self.limit else "NOT MET"


def found() -> list[str]:
    """The names of all benchmarks, sorted."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def table(figures: list[Figure]) -> str:
    """The figures as aligned lines."""
    rows = [("measured", "value", "limit", "")]
    for one in figures:
        limit = "" if one.limit is None else f"{one.limit:g} {one.unit}"
        rows.append((one.name, f"{one.value:.3g} {one.unit}", limit, one.verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def main(names: list[str]) -> int:
    """Run the named benchmarks, all when none is named; 0 whatever the figures, 2 for an unknown name."""
    unknown = sorted(set(names) - set(found()))
    if unknown:
        print(f"no benchmark is called {unknown[0]}; there are: {', '.join(found())}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or [name for name in found() if not name.endswith(("_large", "_peers", "_seeds"))]:
        print(f"running {name} ...", file=sys.stderr, flush=True)
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        measured: list[Figure] = module.measure()
        figures += measured
        results = HERE / "results"
        results.mkdir(exist_ok=True)
        result = {
            "benchmark": name,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "figures": [asdict(one) | {"verdict": one.verdict} for one in measured],
        }
        (results / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(table(figures))
    return 0


if __name__ == "__main__":
    # Started as a file, the root is not on the path; a benchmark imports Figure from tests.benchmarks.run.
    sys.path.insert(0, str(HERE.parents[1]))
    sys.exit(main(sys.argv[1:]))
