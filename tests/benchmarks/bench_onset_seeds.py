"""How near *rising since* comes to when simulated customers turned, and who is told an onset without having any.

The simulation knows the week in which each customer made up their mind to leave (``risk_rose_at``). The thresholds of
``health/onset.py`` were tuned on the companies of seeds 2 to 4; these are others.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnwatch.runs.curves import DAYS, curves
from churnwatch.runs.demo import demo
from churnwatch.runs.score import champion_of, scores
from churnwatch.runs.workspace import load_tables, open_workspace
from tests.benchmarks.run import Figure

SEEDS = (1, 5, 6, 7, 8, 9, 10)
CUSTOMERS = 2_500
DAY = date(2026, 7, 1)
"""The day after the simulation's last."""
CALM = timedelta(days=182)
"""Steady by the truth: observed today, and at no week's end within so long had made up their mind to leave."""
ALLOWED = 5.0
"""Percent of the steady that may have an onset."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Told:
    """Everybody observed in some companies, one entry each: what the truth says and what the program told."""

    turned: Array
    """Days since the customer turned for the last time, if within the curve and not come round since; else NaN."""
    risen: Array
    """Days since the onset; NaN: none is told."""
    steady: Array
    listed: Array
    complains: Array
    """Whether it is somebody who complains when unhappy; the others fall silent, or leave for reasons of their own."""

    @property
    def judged(self) -> Array:
        """Who stands on the list, turned within the curve and was told an onset."""
        there: Array = self.listed & ~np.isnan(self.turned) & ~np.isnan(self.risen)
        return there

    def errors(self, among: Array) -> Array:
        """Days that the onset lies before the turn (above 0) or after it (below) of those judged ``among``."""
        rows = self.judged & among
        found: Array = self.risen[rows] - self.turned[rows]
        return found


def company(directory: Path, seed: int, customers: int = CUSTOMERS) -> Told | None:
    """Simulate, train and list as the demo does, then date every onset; ``None`` where no model passed its gate."""
    now = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=5)
    made = demo(directory, customers=customers, seed=seed, now=now, by="benchmark")
    if made.trained.champion is None:
        return None
    workspace = open_workspace(directory, deployment="demo", data=None, now=now)
    tables = load_tables(workspace)
    _, bundle = champion_of(workspace, "churn")
    observed = list(scores(workspace, tables, "churn", day=DAY).frame["customer_id"])
    since = curves(workspace, tables, bundle, observed, day=DAY).rising_since
    truth = pd.read_parquet(directory / "truth" / "customers.parquet").set_index("customer_id").loc[observed]
    weeks = pd.read_parquet(directory / "truth" / "satisfaction.parquet")
    lately = weeks[pd.to_datetime(weeks["week"]) >= pd.Timestamp(DAY - CALM)]
    restless = set(lately.loc[lately["turned"], "customer_id"])
    age = (pd.Timestamp(DAY) - truth["risk_rose_at"]).dt.days.to_numpy(dtype=float)
    back = (truth["risk_settled_at"] >= truth["risk_rose_at"]).to_numpy()
    listed = {row["customer"] for row in made.daily.rows}
    return Told(
        turned=np.where((age <= DAYS) & ~back, age, np.nan),
        risen=np.array([np.nan if one is None else (DAY - one).days for one in since], dtype=float),
        steady=np.array([one not in restless for one in observed]),
        listed=np.array([one in listed for one in observed]),
        complains=truth["type"].str.startswith("complains").to_numpy(),
    )


def measure() -> list[Figure]:
    """Companies of 2,500; the limit is that of the issue, which promised no number of days."""
    found: list[Told] = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as place:
            told = company(Path(place) / "company", seed)
        if told is None:
            print(f"  seed {seed}: no model passed its gate", file=sys.stderr, flush=True)
            continue
        found.append(told)
        steady = 100 * float(np.mean(~np.isnan(told.risen[told.steady])))
        print(f"  seed {seed}: {steady:.1f} % of the steady have an onset", file=sys.stderr, flush=True)
    return figures(found)


def figures(found: Sequence[Told]) -> list[Figure]:
    """Of all companies together."""
    every = Told(*(np.concatenate([getattr(one, name) for one in found]) for name in Told.__annotations__))
    turned = every.listed & ~np.isnan(every.turned)
    onset = ~np.isnan(every.risen)
    ages = every.turned[turned]
    made = [
        Figure("companies", len(found), ""),
        Figure("listed customers who turned in the last 90 days", int(turned.sum()), ""),
        Figure("of these with an onset", 100 * float(onset[turned].mean()), "%"),
    ]
    everybody = np.ones(len(every.risen), dtype=bool)
    groups = (("all", everybody), ("who complain", every.complains), ("who do not", ~every.complains))
    for name, among in groups:
        errors = every.errors(among)
        if len(errors):
            made += [
                Figure(f"median error, {name}", float(np.median(np.abs(errors))), "days"),
                Figure(f"median of onset before turn, {name}", float(np.median(errors)), "days"),
            ]
    made += [
        Figure("median error of the best constant guess", float(np.median(np.abs(ages - np.median(ages)))), "days"),
        Figure("steady customers", int(every.steady.sum()), ""),
        Figure("steady customers with an onset", 100 * float(onset[every.steady].mean()), "%", ALLOWED),
        Figure("listed steady customers with an onset", 100 * float(onset[every.steady & every.listed].mean()), "%"),
    ]
    return made
