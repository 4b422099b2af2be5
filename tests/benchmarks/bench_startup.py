"""How long `churnwatch --help` takes, the whole process, on a warm disk."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.benchmarks.run import Figure

LIMIT = 0.3
RUNS = 10


def measure() -> list[Figure]:
    """The best and the median of ten runs; the limit is on the median."""
    start_it = "import sys; from churnwatch.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start_it, "--help"]
    subprocess.run(command, check=True, capture_output=True)  # compiles the modules once
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    return [
        Figure("churnwatch --help, median of 10", (seconds[4] + seconds[5]) / 2, "s", LIMIT),
        Figure("churnwatch --help, best of 10", seconds[0], "s"),
    ]
