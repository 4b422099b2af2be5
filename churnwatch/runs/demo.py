"""Demo: a simulated company from nothing to today's list, and what the truth says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from churnwatch.errors import CheckFailed, UsageError
from churnwatch.evaluation import Caught, caught
from churnwatch.health import BANDS, bands
from churnwatch.outreach import choose
from churnwatch.project import scaffold
from churnwatch.runs.check import Checked, check
from churnwatch.runs.daily import Daily, daily
from churnwatch.runs.observations import capacities, owners_of
from churnwatch.runs.train import Trained, train
from churnwatch.runs.workspace import Report, Workspace, load_tables, open_workspace

if TYPE_CHECKING:
    from churnwatch.synthetic import Nonresponse, Summary

MARK = "simulated.json"
"""Says that a directory's data are the demo's own, so that it may write them again."""


@dataclass(frozen=True)
class Truth:
    """Leavers whose leaving fell into a test date's outcome window, and how many stood on a list in time: ``silent``
    those the simulation made leave without a word, ``everybody`` all. By what ranked the list: ``model``, then each
    baseline.
    """

    silent: Mapping[str, Caught]
    everybody: Mapping[str, Caught]


@dataclass(frozen=True)
class Demo:
    """Everything the demo did, in order."""

    directory: Path
    summary: Summary
    checked: Checked
    trained: Trained
    also: Sequence[Trained]
    """The further models in use, in their order; without those there was too little to train on."""
    daily: Daily
    truth: Truth

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``--json``."""
        return {
            "directory": str(self.directory),
            "customers": self.summary.customers,
            "cancellations": self.summary.cancellations,
            "train": self.trained.as_json(),
            "also": [one.as_json() for one in self.also],
            "daily": self.daily.as_json(),
            "silent_leavers": _told(self.truth.silent),
            "leavers": _told(self.truth.everybody),
        }


def _told(found: Mapping[str, Caught]) -> dict[str, Any]:
    model = found["model"]
    return {
        "in_test_windows": model.leavers,
        "listed_in_time": model.listed,
        "share": model.share,
        "interval": model.interval,
        "baselines": {name: one.listed for name, one in found.items() if name != "model"},
    }


def demo(
    directory: Path,
    *,
    customers: int,
    seed: int,
    now: datetime,
    by: str,
    nonresponse: Nonresponse = "mild",
    clock: Callable[[], datetime] | None = None,
    report: Report | None = None,
) -> Demo:
    """Simulate, check, train the models in use, list for the last date; then ``directory`` is an ordinary project.

    ``nonresponse`` says what keeps the simulated customers from answering surveys (see ``simulate``).
    A directory that holds an earlier demo is simulated and trained again; any other project is left alone (UsageError).
    """
    from churnwatch.synthetic import SMALLEST, simulate

    # Asked before anything is written; the mark stands before the data, so that an interrupted demo can be made again.
    if customers < SMALLEST:
        raise UsageError(f"{customers} customers", where="--customers", allowed=f"a whole number from {SMALLEST}")
    prepare(directory)
    write_mark(directory, customers=customers, seed=seed, nonresponse=nonresponse)
    summary = simulate(directory, customers=customers, seed=seed, nonresponse=nonresponse, report=report)
    workspace = open_workspace(directory, deployment="demo", data=None, now=now, clock=clock)
    checked = check(workspace, report=report)
    trained = train(workspace, "churn", by=by, report=report)
    also = []
    for name in workspace.spec.deployment.also:
        # The list goes on without a further model, and says so: a small company may be too small for one.
        with suppress(CheckFailed):
            also.append(train(workspace, name, by=by, report=report))
    listed = daily(
        workspace,
        day=summary.end,
        baseline=None if trained.champion else "recency",
        rerun="correct",
        report=report,
    )
    return Demo(directory, summary, checked, trained, also, listed, _truth(workspace, trained))


def prepare(directory: Path) -> None:
    """Make a new project, or take one that an earlier simulation made; UsageError for any other."""
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


def write_mark(directory: Path, **told: Any) -> None:
    """Mark the directory's data as simulated, with how."""
    import json

    (directory / "data").mkdir(exist_ok=True)
    (directory / "data" / MARK).write_text(json.dumps(told) + "\n")


def _truth(workspace: Workspace, trained: Trained) -> Truth:
    """Who of the truth's leavers stood on the list the tested model would have made at a test date before they left.

    The tested model knew only what was complete before the first test date. Listed in time means on a list at least the
    gap before the day they left. A baseline lists as ``daily --baseline`` does: it knows no bands, so nobody is below
    the least.
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
    gone: list[set[str]] = []
    lists: dict[str, list[set[str]]] = {name: [] for name in ("model", *trained.judged[0].baselines)}
    for one in trained.judged:
        customers = one.rows.matrix.observations["customer_id"]
        gone.append(set(customers[one.rows.outcome == 1]))
        frame = pd.DataFrame(
            {
                "customer_id": customers,
                "worthy": True,
                "do_not_contact": customers.isin(barred),
                "owner": owners_of(tables, customers),
            }
        )
        found = bands(one.risks, base_rate=trained.base_rate, edges=edges)
        rankings = {
            "model": frame.assign(score=one.margins, worthy=[BANDS.index(band) >= least for band in found]),
            **{name: frame.assign(score=scores) for name, scores in one.baselines.items()},
        }
        for name, scored in rankings.items():
            chosen, _, _ = choose(scored, capacity=capacity, total=spec.outreach.capacity_total)
            lists[name].append(set(chosen["customer_id"]))
    return Truth(
        silent={name: caught(gone, made, among=silent) for name, made in lists.items()},
        everybody={name: caught(gone, made) for name, made in lists.items()},
    )
