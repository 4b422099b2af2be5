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
    """How the answers learned from were weighed: of ``asked`` observations ``answered`` have an answer, which tell as
    much as ``effective`` of equal weight would; of ``clipped`` of them the chance to answer was below the least.

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
    have not seen its customer; no chance counts as less than ``answering.least``. At events a survey whose time to be
    answered was not over when the labels were read, and that had no answer yet, is neither answered nor unanswered:
    nothing is learned from it.
    """
    if model.outcome.answer is None:
        return rows, None
    told = rows.labels["told"].to_numpy()
    decided = told.copy()
    if model.at_events:
        end = np.datetime64(rows.until.astimezone(UTC).replace(tzinfo=None), "us")
        decided |= rows.as_of + np.timedelta64(model.patience.within.seconds, "s") <= end
    else:
        decided[:] = True
    asked, answered = int(decided.sum()), int(told.sum())
    bad_rate = float(rows.outcome[told].mean()) if answered else 0.0
    if asked == answered or not answered:
        return rows, Weighing(asked, answered, bad_rate, None, None)
    customers = rows.matrix.observations["customer_id"].to_numpy()
    fitted = cross_fit(
        rows.matrix.values[decided],
        told[decided].astype(np.float64),
        groups=customers[decided],
        kind="binary",
        seed=model.learner.seed,
    )
    of_answers = told[decided]
    found, clipped = inverse_weights(fitted.told[of_answers], least=model.patience.least)
    weight = np.full(len(told), np.nan)
    weight[told] = found / found.mean()
    return replace(rows, weight=weight), Weighing(asked, answered, bad_rate, effective_size(found), clipped)
