"""What the list's order saves beside pure risk order, by what the simulation knows every contact would change."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pandas as pd
from scipy.stats import t

from churnwatch.outreach import choose, suggest
from churnwatch.project import scaffold
from churnwatch.runs.observations import capacities
from churnwatch.runs.people import people_of, team_of, values_of
from churnwatch.runs.ranking import rank_by_model
from churnwatch.runs.train import train
from churnwatch.runs.workspace import Workspace, load_tables, open_workspace
from churnwatch.synthetic import simulate

DAY = date(2026, 7, 1)
"""The day after the simulation's last."""
ORDERS = ("worth", "risk")
"""Risk times value, as the list is ordered; and the risk alone."""


@dataclass(frozen=True)
class Listed:
    """What the list of one day is worth by the truth, if every row is worked by the action it names.

    ``value`` is money a month and ``customers`` how many the contacts keep within nine weeks (expected). ``precision``
    is the share of the rows and ``caught`` of all leavers, among rows and among everybody, that would leave within nine
    weeks if nobody called; ``at_risk`` is the money a month of those of the rows.
    """

    value: float
    customers: float
    precision: float
    caught: float
    at_risk: float
    rows: int


@dataclass(frozen=True)
class Paired:
    """A figure by both orders over companies, and the difference (worth minus risk) with its 95 % interval."""

    worth: float
    risk: float
    difference: float
    low: float
    high: float
    better: int
    """Companies in which the list's order has more of it."""
    companies: int


def company(directory: Path, *, seed: int, customers: int) -> Workspace:
    """A company simulated into ``directory`` and trained as the demo trains."""
    scaffold.init(directory)
    simulate(directory, customers=customers, seed=seed)
    now = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=5)
    workspace = open_workspace(directory, deployment="demo", data=None, now=now)
    train(workspace, "churn", by="benchmark")
    return workspace


def listed_by(workspace: Workspace) -> dict[str, Listed]:
    """The list of the last day by each of ``ORDERS``: the same places, owners, leads and absences, nobody held out.

    Raises NoUsableModel where no model passed the gate.
    """
    tables, outreach = load_tables(workspace), workspace.spec.outreach
    ranking = rank_by_model(workspace, tables, "churn", day=DAY)
    frame = ranking.frame.merge(people_of(tables, ranking.as_of, consent=outreach.consent), on="customer_id")
    frame["position"] = np.arange(len(frame))
    team = team_of(tables, ranking.as_of)
    truth = pd.read_parquet(workspace.root / "truth" / "effects.parquet")
    everybody = truth.drop_duplicates("customer_id").set_index("customer_id")["leaving"]
    watched = float(everybody[frame["customer_id"]].sum())
    found = {}
    for order, score in zip(ORDERS, (frame["risk"] * values_of(frame), frame["margin"]), strict=True):
        rows = choose(
            frame.assign(score=score),
            capacity=capacities(tables, default=outreach.capacity),
            total=outreach.capacity_total,
            stands_in=team.stands_in,
            leads=team.leads,
        ).listed
        why = ranking.reasons(rows["position"].to_numpy(), ["en"] * len(rows))
        rows["action"] = [
            suggest(
                [(one.sentence, one.action) for one in told.reasons],
                default=outreach.default_action,
                actions=workspace.spec.playbook.actions,
                language="en",
            ).name
            for told in why
        ]
        rows = rows.merge(truth, on=["customer_id", "action"], validate="one_to_one")
        value = rows["value"].astype("float64")
        found[order] = Listed(
            value=float(-(rows["effect"] * value).sum()),
            customers=float(-rows["effect"].sum()),
            precision=float(rows["leaving"].mean()),
            caught=float(rows["leaving"].sum()) / watched,
            at_risk=float((rows["leaving"] * value).sum()),
            rows=len(rows),
        )
    return found


def paired(seeds: Sequence[int], *, customers: int) -> Mapping[str, Paired]:
    """Every figure of ``Listed`` over the companies of these seeds."""
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as directory:
            found.append(listed_by(company(Path(directory) / "company", seed=seed, customers=customers)))
    return {one.name: pair([(by["worth"], by["risk"]) for by in found], one.name) for one in fields(Listed)}


def pair(both: Sequence[tuple[Listed, Listed]], name: str) -> Paired:
    """One figure by both orders; the interval is Student's of the companies' differences."""
    worth, risk = ([float(getattr(one[side], name)) for one in both] for side in (0, 1))
    differences = [a - b for a, b in zip(worth, risk, strict=True)]
    half = float(t.ppf(0.975, len(both) - 1)) * stdev(differences) / len(both) ** 0.5
    middle = fmean(differences)
    return Paired(
        fmean(worth),
        fmean(risk),
        middle,
        middle - half,
        middle + half,
        sum(one > 0 for one in differences),
        len(both),
    )
