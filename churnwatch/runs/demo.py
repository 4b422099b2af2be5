"""Demo: a simulated company from nothing to today's list, and what the truth says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from churnwatch.errors import UsageError
from churnwatch.health import BANDS, bands
from churnwatch.outreach import choose
from churnwatch.project import scaffold
from churnwatch.runs.check import Checked, check
from churnwatch.runs.daily import Daily, daily
from churnwatch.runs.observations import capacities, owners_of
from churnwatch.runs.train import Trained, train
from churnwatch.runs.workspace import Report, Workspace, load_tables, open_workspace

if TYPE_CHECKING:
    from churnwatch.synthetic import Summary

MARK = "simulated.json"
"""Says that a directory's data are the demo's own, so that it may write them again."""


@dataclass(frozen=True)
class Caught:
    """Silent leavers of the truth whose leaving fell into a test date's outcome window, and how many were listed."""

    leavers: int
    listed: int
    everybody: int
    everybody_listed: int


@dataclass(frozen=True)
class Demo:
    """Everything the demo did, in order."""

    directory: Path
    summary: Summary
    checked: Checked
    trained: Trained
    daily: Daily
    caught: Caught

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            "directory": str(self.directory),
            "customers": self.summary.customers,
            "cancellations": self.summary.cancellations,
            "train": self.trained.as_json(),
            "daily": self.daily.as_json(),
            "silent_leavers": {"in_test_windows": self.caught.leavers, "listed_in_time": self.caught.listed},
            "leavers": {"in_test_windows": self.caught.everybody, "listed_in_time": self.caught.everybody_listed},
        }


def demo(
    directory: Path,
    *,
    customers: int,
    seed: int,
    now: datetime,
    by: str,
    clock: Callable[[], datetime] | None = None,
    report: Report | None = None,
) -> Demo:
    """Simulate, check, train, list for the last date; ``directory`` is an ordinary project afterwards.

    A directory that holds an earlier demo is simulated and trained again; any other project is left alone (UsageError).
    """
    from churnwatch.synthetic import SMALLEST, simulate

    # Asked before anything is written; the mark stands before the data, so that an interrupted demo can be made again.
    if customers < SMALLEST:
        raise UsageError(f"{customers} customers", where="--customers", allowed=f"a whole number from {SMALLEST}")
    _prepare(directory)
    _write_mark(directory, customers=customers, seed=seed)
    summary = simulate(directory, customers=customers, seed=seed, report=report)
    workspace = open_workspace(directory, deployment="demo", data=None, now=now, clock=clock)
    checked = check(workspace, report=report)
    trained = train(workspace, "churn", by=by, report=report)
    listed = daily(
        workspace,
        day=summary.end,
        baseline=None if trained.champion else "recency",
        rerun="correct",
        report=report,
    )
    return Demo(directory, summary, checked, trained, listed, _caught(workspace, trained))


def _prepare(directory: Path) -> None:
    mark = directory / "data" / MARK
    if not directory.exists() or not any((directory / name).exists() for name in (*scaffold.FOLDERS, "data")):
        scaffold.init(directory)
        return
    if not mark.is_file():
        raise UsageError(
            f"{directory} holds a project that is not the demo's",
            allowed="a new or empty directory, or one that an earlier demo made",
            hint="choose another with --dir",
        )


def _write_mark(directory: Path, *, customers: int, seed: int) -> None:
    import json

    (directory / "data").mkdir(exist_ok=True)
    (directory / "data" / MARK).write_text(json.dumps({"customers": customers, "seed": seed}) + "\n")


def _caught(workspace: Workspace, trained: Trained) -> Caught:
    """Who of the truth's leavers stood on the list the tested model would have made at a test date before they left.

    The tested model knew only what was complete before the first test date. A leaver counts once, however many test
    windows saw them leave; listed in time means on a list at least the gap before the day they left.
    """
    import pyarrow.parquet as pq

    truth = pq.read_table(workspace.root / "truth" / "customers.parquet").to_pydict()
    silent = {c for c, quiet in zip(truth["customer_id"], truth["silent_leaver"], strict=True) if quiet}
    tables = load_tables(workspace)
    spec = workspace.spec
    capacity = capacities(tables, default=spec.outreach.capacity)
    barred = {c for (c,) in tables.con.execute("select customer_id from customers where do_not_contact").fetchall()}
    least = BANDS.index(spec.outreach.minimum_band)
    edges = workspace.model("churn").bands
    leavers: set[str] = set()
    listed: set[str] = set()
    for one in trained.judged:
        customers = one.rows.matrix.observations["customer_id"]
        found = bands(one.risks, base_rate=trained.base_rate, edges=edges)
        scored = pd.DataFrame(
            {
                "customer_id": customers,
                "score": one.margins,
                "worthy": [BANDS.index(band) >= least for band in found],
                "do_not_contact": customers.isin(barred),
                "owner": owners_of(tables, customers),
            }
        )
        chosen, _ = choose(scored, capacity=capacity, total=spec.outreach.capacity_total)
        gone = set(customers[one.rows.outcome == 1])
        leavers |= gone
        listed |= gone & set(chosen["customer_id"])
    return Caught(len(leavers & silent), len(listed & silent), len(leavers), len(listed))
