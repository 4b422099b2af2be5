"""What `satisfaction` says of simulated companies beside what the simulation knows: every silent customer's answer."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnwatch.project import scaffold
from churnwatch.runs.satisfaction import WINDOW, estimated
from churnwatch.runs.workspace import open_workspace
from churnwatch.synthetic import Nonresponse, simulate

DAY = date(2026, 7, 1)
"""The day after the simulation's last."""
WITHIN = timedelta(days=14)
"""The demo's ``answering.within``: surveys sent later are not settled."""


@dataclass(frozen=True)
class Beside:
    """One instrument of one company: the ``truth``, and each estimate as (value, low, high)."""

    instrument: str
    seed: int
    truth: float
    naive: tuple[float, float, float]
    corrected: tuple[float, float, float]


@dataclass(frozen=True)
class Summary:
    """Over all seeds: the mean error of each estimate, and how many of their intervals hold the truth."""

    instrument: str
    seeds: int
    truth: float
    naive_bias: float
    corrected_bias: float
    naive_held: int
    corrected_held: int
    noise: float
    """The standard error of the mean error of the corrected estimate."""


def beside_truth(directory: Path, *, seed: int, nonresponse: Nonresponse, customers: int) -> list[Beside]:
    """Simulate a company into ``directory`` and estimate its satisfaction as of the day after its last.

    The truth of NPS: the mean over everybody still there of what they would answer on that day. Of CSAT and CES: the
    mean of what would have been answered to every settled survey of the window.
    """
    scaffold.init(directory)
    simulate(directory, customers=customers, seed=seed, nonresponse=nonresponse)
    now = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=5)
    workspace = open_workspace(directory, deployment="demo", data=None, now=now)
    told = estimated(workspace, "satisfaction", day=DAY, parts=False)
    everybody = pd.read_parquet(directory / "truth" / "nps.parquet")
    assert told["customers"] == len(everybody)
    surveys = pd.read_parquet(directory / "truth" / "surveys.parquet")
    end = pd.Timestamp(DAY)
    settled = (surveys["sent_at"] >= end - timedelta(days=WINDOW)) & (surveys["sent_at"] <= end - WITHIN)
    found = []
    for one in told["instruments"]:
        scores = surveys["score"][settled & (surveys["instrument"] == one["instrument"])]
        assert one["asked"] == len(scores)
        nps = 100 * float((everybody["promoter"] - everybody["detractor"]).mean())
        truth = nps if one["instrument"] == "nps" else float(scores.mean())
        found.append(Beside(one["instrument"], seed, truth, _ends(one["naive"]), _ends(one["corrected"])))
    return found


def beside_truths(seeds: Sequence[int], *, nonresponse: Nonresponse, customers: int) -> list[Summary]:
    """The summary of each instrument over companies of these seeds."""
    found: list[Beside] = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as place:
            found += beside_truth(Path(place) / "company", seed=seed, nonresponse=nonresponse, customers=customers)
    names = list(dict.fromkeys(one.instrument for one in found))
    return [_summary([one for one in found if one.instrument == name]) for name in names]


def _summary(rows: Sequence[Beside]) -> Summary:
    naive, corrected = (
        np.array([getattr(one, name)[0] - one.truth for one in rows]) for name in ("naive", "corrected")
    )
    return Summary(
        rows[0].instrument,
        len(rows),
        float(np.mean([one.truth for one in rows])),
        float(naive.mean()),
        float(corrected.mean()),
        sum(one.naive[1] <= one.truth <= one.naive[2] for one in rows),
        sum(one.corrected[1] <= one.truth <= one.corrected[2] for one in rows),
        float(corrected.std(ddof=1) / len(rows) ** 0.5) if len(rows) > 1 else float("nan"),
    )


def _ends(quantity: dict[str, Any]) -> tuple[float, float, float]:
    return quantity["value"], quantity["low"], quantity["high"]
