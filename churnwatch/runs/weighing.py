"""Weighing: answers stand for those like them who gave none."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC
from typing import Any

import numpy as np

from churnwatch.learner import cross_fit, effective_size, inverse_weights
from churnwatch.runs.observations import Labelled
from churnwatch.spec import Model


@dataclass(frozen=True)
class Weighing:
    """How the answers learned from were weighed: of ``asked`` observations, whose time to be answered was over,
    ``answered`` have an answer. All answers tell as much as ``effective`` of equal weight would; of the share
    ``clipped`` of them the chance to answer was below the least.

    ``effective`` and ``clipped`` are ``None`` where every observation has an answer: nobody is known to have kept
    silent, so there is nothing to weigh by.
    """

    asked: int
    answered: int
    bad_rate: float
    """The share of bad answers among all answers, alike: what later answers are held against."""
    effective: float | None
    clipped: float | None

    def as_json(self) -> dict[str, Any]:
        """As it stands in a bundle's notes."""
        return asdict(self)


def weighted(rows: Labelled, model: Model) -> tuple[Labelled, Weighing | None]:
    """The rows with the weights of their answers, and how they came about; without an outcome ``answer`` as they are.

    An answer weighs one over the chance that there would be one, estimated from the row's signals by small models that
    have not seen its customer; no chance counts as less than ``answering.least``. At events those models learn from the
    surveys whose time to be answered was over when the labels were read; an answer to a later one is weighed by them.
    """
    if model.outcome.answer is None:
        return rows, None
    told = rows.labels["told"].to_numpy()
    settled = np.ones(len(told), dtype=bool)
    if model.at_events:
        # Of the surveys that may still be answered the quick answers are known and the silences are not.
        end = np.datetime64(rows.until.astimezone(UTC).replace(tzinfo=None), "us")
        settled = np.asarray(rows.as_of + np.timedelta64(model.patience.within.seconds, "s") <= end)
    asked, answered = int(settled.sum()), int((told & settled).sum())
    bad_rate = float(rows.outcome[told].mean()) if told.any() else 0.0
    if asked == answered or not answered:
        return rows, Weighing(asked, answered, bad_rate, None, None)
    customers = rows.matrix.observations["customer_id"].to_numpy()
    fitted = cross_fit(
        rows.matrix.values[settled],
        told[settled].astype(np.float64),
        groups=customers[settled],
        kind="binary",
        seed=model.learner.seed,
    )
    chance = np.empty(len(told))
    chance[settled] = fitted.told
    chance[~settled] = fitted.predict(rows.matrix.values[~settled], groups=customers[~settled])
    found, clipped = inverse_weights(chance[told], least=model.patience.least)
    weight = np.full(len(told), np.nan)
    weight[told] = found / found.mean()
    return replace(rows, weight=weight), Weighing(asked, answered, bad_rate, effective_size(found), clipped)
