"""One measured process: ``python -m tests.benchmarks.signals_process PEER DATA OUT months|days NUMBER TIMES``.

It builds the signals TIMES times over and prints as JSON the CPU seconds of the last build and the greatest memory of
the process; who started it knows the CPU seconds of the whole process from the operating system.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import signals_days

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cost:
    """Of a whole process: CPU seconds and wall seconds; ``peak`` in MB and ``again``, CPU seconds of its last build."""

    cpu: float
    wall: float
    peak: float
    again: float


def cost(peer: str, data: Path, out: Path, grid: str, number: int, times: int = 1) -> Cost:
    """Run one process and wait for it; raises RuntimeError with its last words when it fails."""
    remove(out)
    arguments = [peer, str(data), str(out), grid, str(number), str(times)]
    cpu, wall, said = spend([sys.executable, "-m", "tests.benchmarks.signals_process", *arguments])
    told = json.loads(said)
    return Cost(cpu, wall, told["peak"], told["again"])


def spend(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds (its children's too), wall seconds and output of a command, run from the repository's root."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr.strip()[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, done.stdout


def remove(out: Path) -> None:
    """Take away a file, or a directory of files, that a build wrote."""
    if out.is_dir():
        shutil.rmtree(out)
    out.unlink(missing_ok=True)


def peak() -> float:
    """The greatest memory this process had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss: on Linux a new process inherits that of the one that started it.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(peer: str, data: str, out: str, grid: str, number: str, times: str) -> None:
    """Build, and say what the last build took."""
    build = importlib.import_module(f"tests.benchmarks.signals_{peer}").build
    as_ofs = {"months": signals_days.months, "days": signals_days.days}[grid](int(number))
    again = 0.0
    for _ in range(int(times)):
        remove(Path(out))
        start = time.process_time()
        build(Path(data), as_ofs, Path(out))
        again = time.process_time() - start
    print(json.dumps({"again": again, "peak": peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
