"""Labelled observations: signals and outcomes of many as-ofs, as training and evaluation want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnwatch.learner import Rows
from churnwatch.outcomes import label, observe, span
from churnwatch.runs.workspace import Report
from churnwatch.signals import Matrix, build
from churnwatch.spec import MOST, Column, Model, Outreach

if TYPE_CHECKING:
    from churnwatch.sources import Tables

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Labelled:
    """A matrix with what became of each row, as far as it is told ``until`` then (aware UTC).

    ``dates`` (n_rows,) datetime64[us], naive UTC, is the date of the grid that each row belongs to: its as-of, or at
    events the opening of its slice. ``labels`` is the frame of ``outcomes.label``. ``weight`` (n_rows,), of mean 1
    among those with an outcome, says how many customers each row stands for; ``None`` all alike.
    """

    matrix: Matrix
    dates: np.ndarray[Any, Any]
    labels: pd.DataFrame
    until: datetime
    weight: np.ndarray[Any, np.dtype[np.float64]] | None = None

    def _column(self, name: str) -> np.ndarray[Any, Any]:
        values: np.ndarray[Any, Any] = self.labels[name].to_numpy()
        return values

    @property
    def outcome(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """1.0 bad, 0.0 not, NaN where there is none."""
        return self._column("outcome")

    @property
    def too_late(self) -> Mask:
        """Whether it came before the gap was over."""
        return self._column("too_late")

    @property
    def treated(self) -> Mask:
        """Whether we contacted the customer before the outcome was complete."""
        return self._column("treated")

    @property
    def left_at(self) -> np.ndarray[Any, Any]:
        """When the customer left, naive UTC; NaT: not, or nobody knows."""
        return self._column("left_at")

    @property
    def ended_at(self) -> np.ndarray[Any, Any]:
        """When the customer left, however late; NaT as above."""
        return self._column("ended_at")

    @property
    def as_of(self) -> np.ndarray[Any, Any]:
        """The as-of of each row, datetime64[us], naive UTC."""
        instants: np.ndarray[Any, Any] = self.matrix.observations["as_of"].to_numpy()
        return instants

    def at(self, dates: Sequence[datetime]) -> Mask:
        """Rows of these dates of the grid."""
        return np.isin(self.dates, instants(dates))

    def take(self, rows: Mask) -> Labelled:
        """The rows where the mask holds."""
        return replace(
            self,
            matrix=self.matrix.take(rows),
            dates=self.dates[rows],
            labels=self.labels[rows].reset_index(drop=True),
            weight=None if self.weight is None else self.weight[rows],
        )

    def in_time(self) -> Labelled:
        """The rows with an outcome to learn from and judge by, as ``outcomes.label`` tells them."""
        return self.take(self._column("told"))

    def rows(self, dates: np.ndarray[Any, Any] | None = None) -> Rows:
        """What the learner takes, all rows having an outcome; ``dates`` in place of those of the grid."""
        score = self._column("score")
        return Rows(
            X=self.matrix.values,
            y=self.outcome,
            dates=self.dates if dates is None else dates,
            known_at=self._column("known_at") if dates is None else dates,
            weight=self.weight,
            score=None if np.isnan(score).all() else score,
        )


def labelled(
    tables: Tables,
    model: Model,
    columns: Sequence[Column],
    as_ofs: Sequence[datetime],
    *,
    known_before: datetime,
    report: Report | None = None,
) -> Labelled:
    """Observe, compute signals and label at each date; labels read nothing known at ``known_before`` or later."""
    observations = observe(tables, model, as_ofs)
    matrix = build(tables, columns, observations, report=report)
    return relabelled(tables, model, matrix, as_ofs, known_before=known_before)


def relabelled(
    tables: Tables, model: Model, matrix: Matrix, dates: Sequence[datetime], *, known_before: datetime
) -> Labelled:
    """The rows of a matrix, each of the last of ``dates`` (rising) that does not lie after it, with labels that read
    nothing known at ``known_before`` or later.
    """
    opened = instants(dates)
    as_of = matrix.observations["as_of"].to_numpy()
    place = np.searchsorted(opened, as_of, side="right") - 1
    labels = label(tables, model, matrix.observations, known_before=known_before)
    return Labelled(matrix, opened[place], labels, min(known_before, span(tables, model).end))


def instants(moments: Sequence[datetime]) -> np.ndarray[Any, Any]:
    """Aware instants as the matrix holds them."""
    return np.array([t.astimezone(UTC).replace(tzinfo=None) for t in moments], dtype="datetime64[us]")


def complete_by(as_ofs: Sequence[datetime], model: Model, instant: datetime) -> list[datetime]:
    """The dates whose label window has closed by ``instant``; at events, whose slice is over."""
    length = model.slice_length if model.at_events else model.reach
    return [t for t in as_ofs if t + timedelta(seconds=length) <= instant]


def owners_of(tables: Tables, customer_ids: pd.Series) -> np.ndarray[Any, np.dtype[np.object_]] | None:
    """The owner of each customer (None: nobody); ``None`` in all where the deployment has no owners."""
    pairs = tables.con.execute("select customer_id, owner from customers where owner is not null").fetchall()
    if not pairs:
        return None
    owner = dict(pairs)
    return np.array([owner.get(customer) for customer in customer_ids], dtype=object)


def capacities(tables: Tables, *, default: int) -> dict[str, int]:
    """Rows a day by owner: the agents table's, at most ``MOST``; else ``default``, also of owners who are no agents."""
    owners = tables.con.execute(
        """select owner, capacity from agents where owner is not null
        union all select distinct owner, null from customers
        where owner is not null and owner not in (select owner from agents where owner is not null)
        order by 1"""
    ).fetchall()
    return {owner: default if capacity is None else min(int(capacity), MOST) for owner, capacity in owners}


def lists_of(
    tables: Tables,
    outreach: Outreach,
    customer_ids: pd.Series,
    *,
    dates: int = 1,
    watched: int | None = None,
    days: float = 1,
) -> dict[str, Any]:
    """Which lists these customers compete for: the keyword arguments ``owners``, ``capacity``, ``capacity_total``.

    Each owner's own list, as far as everybody has an owner. Owners are today's fact: where somebody has none any more
    (often because they left), the owners' capacities together make one list per date, so that leavers are not
    counted out. Without owners at all the list is the share ``capacity_total`` of the observed.

    ``watched``: these are only those of so many observed over ``days`` of whom the outcome is known, because they
    answered. They make one list, the same share of them as the owners can work of everybody in that time.
    """
    owners = owners_of(tables, customer_ids)
    if owners is None:
        return {"owners": None, "capacity": None, "capacity_total": outreach.capacity_total}
    capacity = capacities(tables, default=outreach.capacity)
    if watched is not None:
        share = min(1.0, sum(capacity.values()) * days / max(watched, 1))
        return {"owners": None, "capacity": None, "capacity_total": share or outreach.capacity_total}
    share = min(1.0, sum(capacity.values()) * dates / max(len(customer_ids), 1))
    if any(owner is None for owner in owners) and share > 0:
        return {"owners": None, "capacity": None, "capacity_total": share}
    return {"owners": owners, "capacity": capacity, "capacity_total": outreach.capacity_total}
