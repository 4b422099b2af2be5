"""Curves: the risk of customers on each of the last 90 days, as today's model would have told it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from churnwatch.health import rising_since
from churnwatch.learner import margins as margins_of
from churnwatch.learner import risk
from churnwatch.outcomes import observe
from churnwatch.runs.score import bundle_columns, bundle_events, extent
from churnwatch.runs.workspace import Report, Workspace
from churnwatch.signals import Held, Spine
from churnwatch.spec import midnight

if TYPE_CHECKING:
    from churnwatch.registry import Bundle
    from churnwatch.sources import Tables

Array = np.ndarray[Any, np.dtype[np.float64]]

DAYS = 90
"""How many days a curve has, as-of's own included."""
ASKED = 5_000
"""Customers of whom it is asked at a time on which days they were observed."""
ROWS = 20_000
"""Rows that are scored at a time: fewer would be spent on calling the booster."""


@dataclass(frozen=True)
class Curves:
    """The risk of customers over the days before an as-of, recomputed with one model.

    ``days`` (k,), rising, each an as-of, the last the one asked for; ``margins`` and ``risks`` (n, k) are of
    ``customers`` (n,) in the order asked for, NaN on a day on which the model did not observe the customer, or which
    lies before the data.
    """

    customers: tuple[str, ...]
    days: tuple[date, ...]
    margins: Array
    risks: Array

    @property
    def rising_since(self) -> list[date | None]:
        """Since when the risk of each customer has been rising, None where it has not (``health.rising_since``)."""
        return rising_since(self.days, self.margins)


def curves(
    workspace: Workspace,
    tables: Tables,
    bundle: Bundle,
    customers: Sequence[str],
    *,
    day: date,
    days: int = DAYS,
    events: Held | None = None,
    report: Report | None = None,
) -> Curves:
    """Recompute the last ``days`` days of these ``customers`` (different ids) with ``bundle``.

    Each day is what the model would have said then, by signals of what was known at that day's midnight. It is the same
    model all the way, so that a new model is no change of the customer (DESIGN §8). The event rows are read once, or
    are those of ``events`` (``score.bundle_events`` of all these days), and the signals are computed and scored a block
    of customers at a time, which changes no number. Raises NoUsableModel where
    the data lack what the model wants.
    """
    told = tuple(day - timedelta(days=back) for back in range(days - 1, -1, -1))
    as_ofs = [midnight(one, workspace.spec.deployment.zone) for one in told]
    margins = np.full((len(customers), days), np.nan)
    by_id = sorted(range(len(customers)), key=lambda i: customers[i].encode())
    there = np.zeros(margins.shape, dtype=bool)
    # Before the first event nothing is known of anybody, and signals over nothing would be told as if it were calm.
    first, _ = extent(tables)
    from_here = [one for one in as_ofs if one > first]
    moments = np.array([one.astimezone(UTC).replace(tzinfo=None) for one in as_ofs], dtype="datetime64[us]")
    place = pd.Index([customers[i] for i in by_id])
    for start in range(0, len(customers), ASKED):
        some = list(place[start : start + ASKED])
        observed = observe(tables, bundle.model, from_here, to_score=True, customers=some)
        on = np.searchsorted(moments, observed["as_of"].to_numpy())
        there[place.get_indexer(observed["customer_id"]), on] = True
    spine = Spine(
        pa.array(place.to_list(), pa.string()),
        np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64),
        np.broadcast_to(moments.view(np.int64), there.shape)[there],
    )
    flat = np.empty(len(spine))
    if events is None:
        bundle_columns(tables, bundle)  # refuses data that lack what the model wants, also where nobody was observed
        if len(spine):
            events = bundle_events(tables, bundle, from_here[0], from_here[-1], report=report)
    for start, values in _blocks(events, spine, report=report) if events is not None else ():
        flat[start : start + values.shape[1]] = margins_of(bundle.fitted, np.ascontiguousarray(values.T))
    in_order = np.full(there.shape, np.nan)
    in_order[there] = flat
    margins[by_id] = in_order
    risks = np.full(margins.shape, np.nan)
    known = ~np.isnan(margins)
    risks[known] = risk(bundle.fitted.calibration, margins[known])
    return Curves(tuple(customers), told, margins, risks)


def _blocks(events: Held, spine: Spine, *, report: Report | None) -> Iterator[tuple[int, Array]]:
    """The signals (n_columns, n) of the spine in its order, some thousand rows at a time, and where they begin."""
    kept: list[Array] = []
    begin = 0
    for start, values in events.parts(spine, report=report):
        if kept and sum(one.shape[1] for one in kept) + values.shape[1] > ROWS:
            yield begin, np.concatenate(kept, axis=1)
            kept, begin = [], start
        kept.append(values)
    if kept:
        yield begin, np.concatenate(kept, axis=1)
