"""Progress on standard error: a bar for people, a line per step for logs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from churnwatch.runs.workspace import Report


@contextmanager
def progress() -> Iterator[Report]:
    """A ``report(step, done, total)`` to hand to a run: one bar, which begins anew with each step."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        task = bars.add_task("starting", total=None)
        current = ""

        def report(step: str, done: int, total: int) -> None:
            nonlocal current
            if step != current:
                current = step
                bars.reset(task, total=total, description=step)
            bars.update(task, completed=done, total=total)

        yield report


def _lines() -> Report:
    """A line for each step that begins, unless the one before was said less than two seconds ago."""
    last = -2.0
    current = ""

    def report(step: str, _done: int, _total: int) -> None:
        nonlocal last, current
        if step != current and monotonic() - last >= 2:
            last = monotonic()
            sys.stderr.write(f"{step} …\n")
        current = step

    return report
