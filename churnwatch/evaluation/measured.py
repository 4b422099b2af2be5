"""A catalogue measured on observations: each signal's coverage, outcome rate, drift, and what says the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnwatch.aggregates import AGGREGATES
from churnwatch.evaluation.baselines import column_scores
from churnwatch.evaluation.clusters import Cluster
from churnwatch.evaluation.deciles import Agreement, Deciles, deciles
from churnwatch.evaluation.drift import Drift, drift
from churnwatch.evaluation.figures import auc
from churnwatch.spec import Column, Signal, Words

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
RARE = 0.05
"""Below this share of observations with a value, or with one that is not 0, a signal says something of few only; our
choice.
"""


@dataclass(frozen=True)
class Coverage:
    """How many of ``n`` observations have a value, and of what counts or adds up, how many one that is not 0."""

    n: int
    known: int
    nonzero: int | None

    @property
    def share(self) -> float:
        """Of all observations, those with a value."""
        return self.known / self.n

    @property
    def nonzero_share(self) -> float | None:
        """Of all observations, those with a value that is not 0; ``None`` where 0 is a value like any other."""
        return None if self.nonzero is None else self.nonzero / self.n

    @property
    def telling(self) -> float:
        """Of all observations, those that the signal tells something of: not 0 where that is counted, else known."""
        return self.share if self.nonzero is None else self.nonzero / self.n

    @property
    def rare(self) -> bool:
        """Whether it tells something of fewer than one in twenty."""
        return self.telling < RARE


@dataclass(frozen=True)
class Measured:
    """One column on the observations. ``auc`` is that of the column alone in its own direction (``any``: as it is),
    a missing value ranked with the median. ``quantiles`` are least, 10, 25, 50, 75, 90 % and greatest, ``None`` where
    nobody has a value. ``sentence`` is its reason with the numbers of one observation, ``None`` where none has them.
    """

    column: Column
    coverage: Coverage
    deciles: Deciles
    auc: float
    quantiles: tuple[float, ...] | None
    drift: Drift | None
    sentence: Words | None = None

    @property
    def agreement(self) -> Agreement:
        """Whether the rate goes where the catalogue says."""
        return self.deciles.agreement(self.column.direction)

    @property
    def separates(self) -> float:
        """How well the column alone tells leavers from others, whichever way: 0.5 not at all, 1 perfectly."""
        return max(self.auc, 1 - self.auc)

    def as_json(self) -> dict[str, Any]:
        """Every number."""
        parts = self.deciles
        return {
            "column": self.column.name,
            "window": self.column.window,
            "change": bool(self.column.change),
            "observations": self.coverage.n,
            "known": self.coverage.known,
            "coverage": self.coverage.share,
            "nonzero": self.coverage.nonzero_share,
            "quantiles": None
            if self.quantiles is None
            else dict(zip(map(str, QUANTILES), self.quantiles, strict=True)),
            "auc": self.auc,
            "bins": [asdict(one) for one in parts.bins],
            "missing": asdict(parts.missing) if parts.missing else None,
            "trend": parts.trend,
            "shape": parts.shape,
            "agreement": self.agreement,
            "drift": asdict(self.drift) if self.drift else None,
        }


@dataclass(frozen=True)
class Entry:
    """One signal of a family: its columns as measured, or why this deployment cannot compute it."""

    family: str
    signal: Signal
    measured: tuple[Measured, ...]
    skipped: str | None = None

    @property
    def main(self) -> Measured | None:
        """The column to show where there is room for one: that which tells most, values before changes."""
        values = [one for one in self.measured if not one.column.change] or list(self.measured)
        return max(values, key=lambda one: one.separates) if values else None

    def as_json(self) -> dict[str, Any]:
        """What it is, and every number."""
        return {
            "family": self.family,
            "signal": self.signal.name,
            "description": self.signal.description,
            "direction": self.signal.direction,
            "actionable": self.signal.actionable,
            "skipped": self.skipped,
            "columns": [one.as_json() for one in self.measured],
        }


@dataclass(frozen=True)
class Catalogue:
    """The whole catalogue on one deployment's data.

    ``predicts`` says the outcome in words, ``outcome`` exactly. ``as_ofs`` are civil days, rising; ``periods`` are
    (observations, outcomes) at each. ``families`` maps a name to its description. Observations that came too late to
    act on are left out and counted in ``too_late``. ``suspects`` maps a column of the model that knows too much, or a
    fact of customers (``customers.NAME``), to why.
    """

    deployment: str
    title: str
    currency: str
    model: str
    predicts: Words
    outcome: str
    as_ofs: tuple[date, ...]
    periods: tuple[tuple[int, int], ...]
    customers: int
    too_late: int
    families: Mapping[str, str]
    entries: tuple[Entry, ...]
    clusters: tuple[Cluster, ...] = field(default=())
    suspects: Mapping[str, str] = field(default_factory=dict)

    @property
    def observations(self) -> int:
        """How many there are."""
        return sum(n for n, _ in self.periods)

    @property
    def outcomes(self) -> int:
        """How many of them had the outcome."""
        return sum(outcomes for _, outcomes in self.periods)

    @property
    def base_rate(self) -> float:
        """The outcome rate of all."""
        return self.outcomes / self.observations

    @property
    def usable(self) -> tuple[Entry, ...]:
        """The signals this deployment has inputs for."""
        return tuple(entry for entry in self.entries if entry.skipped is None)

    @property
    def skipped(self) -> tuple[Entry, ...]:
        """The others."""
        return tuple(entry for entry in self.entries if entry.skipped is not None)

    def alike(self, entry: Entry) -> tuple[str, ...]:
        """The other signals with a column in a cluster with the main column of this one."""
        if entry.main is None:
            return ()
        owner = {one.column.name: other.signal.name for other in self.entries for one in other.measured}
        found = [
            owner[name]
            for cluster in self.clusters
            if entry.main.column.name in cluster.columns
            for name in cluster.columns
        ]
        return tuple(name for name in dict.fromkeys(found) if name != entry.signal.name)

    def suspicious(self, entry: Entry) -> bool:
        """Whether a column of the signal knows too much."""
        return any(one.column.name in self.suspects for one in entry.measured)

    def standing_out(self, most: int) -> tuple[Entry, ...]:
        """The signals that tell most, the best first, one of each cluster; only clear ones, and no suspect."""
        found: list[Entry] = []
        told: set[str] = set()
        for entry in sorted(self.usable, key=lambda e: -(e.main.separates if e.main else 0)):
            clear = entry.main is not None and entry.main.deciles.shape != "flat" and not self.suspicious(entry)
            if len(found) < most and clear and entry.signal.name not in told:
                found.append(entry)
                told.update((entry.signal.name, *self.alike(entry)))
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """The machine-readable object of ``signals report --json``."""
        return {
            "deployment": self.deployment,
            "model": self.model,
            "outcome": self.outcome,
            "as_ofs": [
                {"as_of": str(day), "observations": n, "outcomes": outcomes}
                for day, (n, outcomes) in zip(self.as_ofs, self.periods, strict=True)
            ],
            "observations": self.observations,
            "customers": self.customers,
            "outcomes": self.outcomes,
            "too_late": self.too_late,
            "base_rate": self.base_rate,
            "signals": [entry.as_json() for entry in self.entries],
            "clusters": [{"columns": list(one.columns), "least": one.least} for one in self.clusters],
            "suspects": dict(self.suspects),
        }


def coverage(column: Column, values: Numbers) -> Coverage:
    """Coverage of a column with ``values`` (n,), NaN missing. Where no rows give 0, how many are not 0 is told too."""
    known = int(np.count_nonzero(~np.isnan(values)))
    aggregate = AGGREGATES.get(column.signal.aggregate)
    counts = aggregate is not None and aggregate.empty == 0
    zero = int(np.count_nonzero(values == 0))
    return Coverage(len(values), known, known - zero if counts else None)


def measure(column: Column, values: Numbers, outcome: Numbers, *, customers: Codes, periods: Codes) -> Measured:
    """Measure one column; all arrays have shape (n,). ``customers`` and ``periods`` are codes from 0, see ``deciles``
    and ``drift``. Raises DataRefused where everybody or nobody had the outcome.
    """
    present = values[~np.isnan(values)]
    scores = column_scores(values[:, None], ["it"], name="it", direction=column.direction)
    return Measured(
        column,
        coverage(column, values),
        deciles(values, outcome, customers),
        auc(outcome, scores),
        tuple(float(q) for q in np.quantile(present, QUANTILES)) if len(present) else None,
        drift(values, periods),
    )
