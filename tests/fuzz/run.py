"""Damage files of every format, load them, and say how each ended: ``python -m tests.fuzz.run``.

A case is made from the seed and its number, so a failure is told by these two: ``--seed 5 --case 1234`` runs it again
and says what was done. The cases run in processes of their own: one that a damaged file kills, or that does not come
back, is a failure with its number, and the others go on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.fuzz.cases import FORMATS, format_of, make
from tests.fuzz.judged import Ending, judge

PATIENCE = 60.0
"""Seconds a case may take."""
MEMORY = 8 * 2**30
"""Bytes of addresses a worker may ask for: a damaged length must not take the machine down."""
WAYS = ("accepted", "quarantined", "3", "4", "wrong")
RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Result:
    """One case that has run."""

    number: int
    format: str
    ending: Ending
    seconds: float


def work(pipe: Connection, seed: int, directory: str) -> None:
    """A worker: it says that it is ready, then cases come by number and endings go back."""
    limit_memory()
    # What is loaded and compiled at the first use is no case's doing.
    control = next(case for case in (make(0, number) for number in count()) if not case.done)
    judge(replace(control, whole=True), Path(directory))
    pipe.send(None)
    while (number := pipe.recv()) is not None:
        started = time.monotonic()
        case = make(seed, number)
        pipe.send(Result(number, case.format, judge(case, Path(directory)), time.monotonic() - started))


def limit_memory() -> None:
    """No case may ask for more than MEMORY."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


Work = Callable[[Connection, int, str], None]


@dataclass
class Worker:
    """A process with the case it is busy with."""

    seed: int
    directory: Path
    work: Work = work
    process: BaseProcess = field(init=False)
    pipe: Connection = field(init=False)
    ready: bool = False
    number: int | None = None
    since: float = 0.0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        arguments = (theirs, self.seed, str(self.directory))
        self.process = context.Process(target=self.work, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        self.ready = False

    def take(self, number: int) -> None:
        self.number, self.since = number, time.monotonic()
        self.pipe.send(number)

    def lost(self, why: str) -> Result:
        """End the process, start another; the case it was busy with has failed."""
        assert self.number is not None
        seconds = time.monotonic() - self.since
        self.process.kill()
        self.process.join()
        self.pipe.close()
        result = Result(self.number, format_of(self.number), Ending("wrong", (why,)), seconds)
        self.start()
        return result

    def end(self) -> None:
        self.pipe.send(None)
        self.process.join(5)
        self.process.kill()


def run(
    numbers: Sequence[int], *, seed: int, workers: int, work: Work = work, patience: float = PATIENCE
) -> Iterator[Result]:
    """The cases ``numbers`` on so many processes, as they end."""
    left = list(reversed(numbers))
    with tempfile.TemporaryDirectory(prefix="churnwatch-fuzz-") as folder:
        crew = [Worker(seed, Path(folder) / str(index), work) for index in range(min(workers, len(numbers)))]
        try:
            busy = list(crew)
            for worker in busy:
                worker.take(left.pop())
            while busy:
                ready = wait([worker.pipe for worker in busy], timeout=1.0)
                for worker in list(busy):
                    try:
                        told = worker.pipe.recv() if worker.pipe in ready else None
                    except (EOFError, ConnectionError):
                        worker.process.join(5)
                        told = worker.lost(f"the process ended with {worker.process.exitcode}")
                    if worker.pipe in ready and not worker.ready and told is None:
                        worker.ready, worker.since = True, time.monotonic()
                    if told is None and worker.ready and time.monotonic() - worker.since > patience:
                        told = worker.lost(f"no answer for {patience:g} seconds")
                    if told is None:
                        continue
                    yield told
                    if left:
                        worker.take(left.pop())
                    else:
                        busy.remove(worker)
        finally:
            for worker in crew:
                worker.end()


def table(results: Sequence[Result], formats: Sequence[str]) -> str:
    """How the cases of each format ended, in numbers."""
    head = ("format", "files", "accepted", "with quarantine", "refused: 3", "refused: 4", "wrong", "slowest")
    rows = [head]
    for name in (*formats, "all"):
        some = [one for one in results if name in (one.format, "all")]
        ways = Counter(one.ending.way for one in some)
        slowest = max((one.seconds for one in some), default=0.0)
        rows.append((name, str(len(some)), *(str(ways[way]) for way in WAYS), f"{slowest:.1f} s"))
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    lines = (
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every case ended as it may, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description="Damage files and load them.")
    parser.add_argument("--cases", type=int, default=2000, help="how many; 2000 unless told")
    parser.add_argument("--seed", type=int, help="another seed, other damage; drawn and printed unless told")
    parser.add_argument("--case", type=int, help="this one alone, with all that is known of it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", choices=FORMATS, action="append", help="files of this format alone")
    told = parser.parse_args(argv)
    seed = random.SystemRandom().randrange(10**6) if told.seed is None else told.seed
    formats = told.format or FORMATS
    numbers = list(islice((number for number in count() if format_of(number) in formats), told.cases))
    if told.case is not None:
        return _one(seed, told.case)
    started = time.monotonic()
    results = []
    print(f"seed {seed}: {told.cases} files, {told.workers} processes", flush=True)
    for one in run(numbers, seed=seed, workers=told.workers):
        results.append(one)
        if one.ending.wrong:
            print(f"--seed {seed} --case {one.number} ({one.format}): {_briefly(one.ending.wrong[0])}", flush=True)
    print(table(results, formats))
    wrong = [one for one in results if one.ending.wrong]
    print(f"{len(results)} files in {time.monotonic() - started:.0f} s, seed {seed}: {len(wrong)} ended as none may")
    if wrong:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"seed_{seed}.json"
        kept = [{"seed": seed, "case": one.number, "format": one.format, "wrong": one.ending.wrong} for one in wrong]
        path.write_text(json.dumps(kept, indent=2) + "\n")
        print(f"in full: {path}")
    return 1 if wrong else 0


def _briefly(complaint: str) -> str:
    """A line of it: of a traceback the last."""
    lines = complaint.strip().splitlines()
    return (lines[-1] if "Traceback" in complaint else lines[0])[:200]


def _one(seed: int, number: int) -> int:
    """One case again, its files kept."""
    case = make(seed, number)
    directory = Path(tempfile.mkdtemp(prefix=f"churnwatch-fuzz-{seed}-{number}-"))
    print(f"{case.format}, {case.table}: {', '.join(case.done) or 'nothing done'}; rows known: {case.rows}")
    print(f"files: {directory / 'data'}")
    print(json.dumps(case.sources["sources"][case.source]), flush=True)
    [result] = run([number], seed=seed, workers=1)
    for name, content in case.files.items():
        (directory / "data").mkdir(exist_ok=True)
        (directory / "data" / name).write_bytes(content)
    print(f"ended: {result.ending.way}", *result.ending.wrong, sep="\n")
    return 1 if result.ending.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
