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
    """The share of bad answers among all answers, whatever their chance: what later answers are held against."""
    effective: float | None
    clipped: float | None

    def as_json(self) -> dict[str, Any]:
        """As it stands in a bundle's notes."""
        return asdict(self)


def weighted(rows: Labelled, model: Model) -> tuple[Labelled, Weighing | None]:
    """The rows with the weights of their answers, and how they came about; without an outcome ``answer`` alike.

    Treated rows are not among them, as they have no outcome, and did not keep silent either; those held out weigh as
    many customers as they stand for.

    An answer weighs one over the chance that there would be one, estimated from the row's signals by small models that
    have not seen its customer; no chance counts as less than ``answering.least``. At events those models learn from the
    surveys whose time to be answered was over when the labels were read; an answer to a later one is weighed by them.
    """
    if rows.treated.any():
        rows = rows.take(~rows.treated)
    stands_for = rows.labels["stands_for"].to_numpy()
    if model.outcome.answer is None:
        return _of_mean_one(rows, stands_for), None
    told = rows.labels["told"].to_numpy()
    settled = np.ones(len(told), dtype=bool)
    if model.at_events:
        # Of the surveys that may still be answered the quick answers are known and the silences are not.
        end = np.datetime64(rows.until.astimezone(UTC).replace(tzinfo=None), "us")
        settled = np.asarray(rows.as_of + np.timedelta64(model.patience.within.seconds, "s") <= end)
    asked, answered = int(settled.sum()), int((told & settled).sum())
    bad_rate = float(np.average(rows.outcome[told], weights=stands_for[told])) if told.any() else 0.0
    if asked == answered or not answered:
        return _of_mean_one(rows, stands_for), Weighing(asked, answered, bad_rate, None, None)
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
    found = found * stands_for[told]
    weight = np.full(len(told), np.nan)
    weight[told] = found / found.mean()
    return replace(rows, weight=weight), Weighing(asked, answered, bad_rate, effective_size(found), clipped)


def _of_mean_one(rows: Labelled, stands_for: np.ndarray[Any, np.dtype[np.float64]]) -> Labelled:
    """The rows weighed by how many customers each stands for, of mean 1 among those with an outcome."""
    told = rows.labels["told"].to_numpy()
    if not (stands_for[told] != 1).any():
        return rows
    weight = np.full(len(told), np.nan)
    weight[told] = stands_for[told] / stands_for[told].mean()
    return replace(rows, weight=weight)


@dataclass(frozen=True)
class Hygiene:
    """What was done about the customers whom we contacted: ``dropped`` observations in all, ``weighed`` ones that stand
    for them, for ``stand_for`` customers together. ``handling`` is the model file's key ``treated``.
    """

    handling: str
    dropped: int
    weighed: int
    stand_for: float
    tests: str = "unweighted"
    """How the test dates' figures treat them: those left out are missing there, and nobody stands for them."""

    @property
    def alone(self) -> bool:
        """Whether nobody held out stands for those left out."""
        return self.handling == "weight" and self.dropped > 0 and self.weighed == 0

    def as_json(self) -> dict[str, Any]:
        """As it stands in a bundle's notes."""
        return asdict(self)


def hygiene(rows: Labelled, model: Model) -> Hygiene | None:
    """What becomes of treated observations among ``rows``; ``None`` where there are none, and nobody was held out."""
    stands_for = rows.labels["stands_for"].to_numpy()
    weighed = rows.labels["told"].to_numpy() & (stands_for != 1)
    dropped = int(rows.treated.sum())
    if not dropped and not weighed.any():
        return None
    return Hygiene(model.treated, dropped, int(weighed.sum()), float(stands_for[weighed].sum()))
