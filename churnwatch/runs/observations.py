"""Labelled observations: signals and outcomes of many as-ofs, as training and evaluation want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.outcomes import label, observe, span
from churnwatch.runs.workspace import Report
from churnwatch.signals import Matrix, build
from churnwatch.spec import Column, Model, Outreach

if TYPE_CHECKING:
    from churnwatch.sources import Tables

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Labelled:
    """A matrix with what became of each row, as far as it is told ``until`` then (aware UTC): ``outcome`` 0 or 1,
    ``too_late`` bool, ``left_at`` and ``ended_at`` datetime64[us], naive UTC, NaT where nobody left (all (n_rows,), as
    ``outcomes.label`` has them).
    """

    matrix: Matrix
    outcome: np.ndarray[Any, np.dtype[np.float64]]
    too_late: Mask
    left_at: np.ndarray[Any, Any]
    ended_at: np.ndarray[Any, Any]
    until: datetime

    @property
    def as_of(self) -> np.ndarray[Any, Any]:
        """The as-of of each row, datetime64[us], naive UTC."""
        instants: np.ndarray[Any, Any] = self.matrix.observations["as_of"].to_numpy()
        return instants

    def at(self, as_ofs: Sequence[datetime]) -> Mask:
        """Rows of these as-ofs."""
        wanted = np.array([t.astimezone(UTC).replace(tzinfo=None) for t in as_ofs], dtype="datetime64[us]")
        return np.isin(self.as_of, wanted)

    def take(self, rows: Mask) -> Labelled:
        """The rows where the mask holds."""
        return Labelled(
            self.matrix.take(rows),
            self.outcome[rows],
            self.too_late[rows],
            self.left_at[rows],
            self.ended_at[rows],
            self.until,
        )

    def in_time(self) -> Labelled:
        """The rows whose outcome did not come before the gap was over."""
        return self.take(~self.too_late)


def labelled(
    tables: Tables,
    model: Model,
    columns: Sequence[Column],
    as_ofs: Sequence[datetime],
    *,
    known_before: datetime,
    report: Report | None = None,
) -> Labelled:
    """Observe, compute signals and label at each as-of; labels read nothing known at ``known_before`` or later."""
    observations = observe(tables, model, as_ofs)
    return relabelled(tables, model, build(tables, columns, observations, report=report), known_before=known_before)


def relabelled(tables: Tables, model: Model, matrix: Matrix, *, known_before: datetime) -> Labelled:
    """The rows of a matrix with labels that read nothing known at ``known_before`` or later."""
    labels = label(tables, model, matrix.observations, known_before=known_before)
    return Labelled(
        matrix,
        labels["outcome"].to_numpy(),
        labels["too_late"].to_numpy(),
        labels["left_at"].to_numpy(),
        labels["ended_at"].to_numpy(),
        min(known_before, span(tables, model).end),
    )


def complete_by(as_ofs: Sequence[datetime], model: Model, instant: datetime) -> list[datetime]:
    """The as-ofs whose label window has closed by ``instant``."""
    return [t for t in as_ofs if t + timedelta(seconds=model.reach) <= instant]


def owners_of(tables: Tables, customer_ids: pd.Series) -> np.ndarray[Any, np.dtype[np.object_]] | None:
    """The owner of each customer (None: nobody); ``None`` in all where the deployment has no owners."""
    pairs = tables.con.execute("select customer_id, owner from customers where owner is not null").fetchall()
    if not pairs:
        return None
    owner = dict(pairs)
    return np.array([owner.get(customer) for customer in customer_ids], dtype=object)


def capacities(tables: Tables, *, default: int) -> dict[str, int]:
    """Rows a day by owner: the agents table's, else ``default`` (also for owners who are no agents)."""
    owners = tables.con.execute(
        """select owner, capacity from agents where owner is not null
        union all select distinct owner, null from customers
        where owner is not null and owner not in (select owner from agents where owner is not null)
        order by 1"""
    ).fetchall()
    return {owner: default if capacity is None else int(capacity) for owner, capacity in owners}


def lists_of(tables: Tables, outreach: Outreach, customer_ids: pd.Series, *, dates: int = 1) -> dict[str, Any]:
    """Which lists these customers compete for: the keyword arguments ``owners``, ``capacity``, ``capacity_total``.

    Each owner's own list, as far as everybody has an owner. Owners are today's fact: where somebody has none any more
    (often because they left), the owners' capacities together make one list per date, so that leavers are not
    counted out. Without owners at all the list is the share ``capacity_total`` of the observed.
    """
    owners = owners_of(tables, customer_ids)
    if owners is None:
        return {"owners": None, "capacity": None, "capacity_total": outreach.capacity_total}
    capacity = capacities(tables, default=outreach.capacity)
    share = min(1.0, sum(capacity.values()) * dates / max(len(customer_ids), 1))
    if any(owner is None for owner in owners) and share > 0:
        return {"owners": None, "capacity": None, "capacity_total": share}
    return {"owners": owners, "capacity": capacity, "capacity_total": outreach.capacity_total}
