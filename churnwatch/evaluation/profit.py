"""What a ranking earns: the expected maximum profit of a retention campaign, and whom it is worth contacting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.evaluation.figures import outcomes_and_scores, tie_groups

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Profit:
    """``per_customer`` in the money of ``value``, over all customers observed; ``share`` of them to contact for it."""

    per_customer: float
    share: float


def expected_maximum_profit(
    y: ArrayLike,
    s: ArrayLike,
    *,
    alpha: float = 6.0,
    beta: float = 14.0,
    value: float = 200.0,
    offer: float = 10.0,
    contact: float = 1.0,
) -> Profit:
    """EMPC: the profit of contacting the best share of the ranking, expected over how many leavers accept the offer.

    ``y`` (n,) outcomes, ``s`` (n,) scores, higher is worse. A leaver who is contacted stays with probability
    gamma, drawn from a beta distribution (``alpha``, ``beta``); then ``value`` (CLV) is kept and the ``offer`` (d)
    paid. Whoever would have stayed takes the offer always; every contact costs ``contact`` (f). With ``pi`` the
    shares of leavers and stayers and ``F`` the shares of them contacted, a contact list earns per customer

        value * (gamma * (1 - offer / value) - contact / value) * pi_leavers * F_leavers
        - (offer + contact) * pi_stayers * F_stayers

    For each gamma the best list ends at a corner of the convex hull of the ROC curve, so between two slopes of the hull
    the integral over gamma is a difference of incomplete beta functions: exact. A cut inside a group of equal scores
    lies on a straight line of the ROC, never beyond the hull, so ties need no order. Contacting nobody earns 0.

    Source, also of the defaults: Verbraken, Verbeke & Baesens, A novel profit maximizing metric for measuring
    classification performance of customer churn prediction models, IEEE TKDE 25 (2013). Raises DataRefused on one-class
    labels, ValueError for parameters without a meaning.
    """
    from scipy.special import betainc

    if not (alpha > 0 and beta > 0 and 0 <= offer < value and contact >= 0):
        raise ValueError("alpha and beta are above 0, the offer below the value of a customer, no cost below 0")
    leavers, stayers = _hull(*outcomes_and_scores(y, s))
    n = leavers[-1] + stayers[-1]
    # From this gamma on it pays to go on to the next corner.
    gained, spoilt = np.diff(leavers), np.diff(stayers)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = ((offer + contact) * spoilt + contact * gained) / ((value - offer) * gained)
    slopes = np.nan_to_num(slopes, nan=1.0)  # only stayers, who cost nothing: nothing is gained either
    ends = np.clip(np.concatenate(([0.0], slopes, [1.0])), 0.0, 1.0)
    chance = np.diff(betainc(alpha, beta, ends))
    mean = np.diff(betainc(alpha + 1, beta, ends)) * alpha / (alpha + beta)
    earned = (value - offer) * leavers * mean - (contact * leavers + (offer + contact) * stayers) * chance
    return Profit(float(earned.sum() / n), float(((leavers + stayers) * chance).sum() / n))


def _hull(outcomes: Numbers, scores: Numbers) -> tuple[Numbers, Numbers]:
    """How many with and without the outcome stand above each corner of the ROC's convex hull, from (0, 0) on.

    Its pieces are the blocks that a falling isotonic regression of the rates makes (Fawcett & Niculescu-Mizil, PAV and
    the ROC convex hull, Machine Learning 68, 2007).
    """
    from scipy.optimize import isotonic_regression

    order, starts = tie_groups(scores, np.zeros(len(scores), dtype=np.int64))
    sizes = np.diff(np.append(starts, len(scores))).astype(np.float64)
    bad = np.add.reduceat(outcomes[order], starts)
    ends = isotonic_regression(bad / sizes, weights=sizes, increasing=False).blocks
    with_outcome = np.concatenate(([0.0], np.cumsum(bad)))[ends]
    ranked = np.concatenate(([0.0], np.cumsum(sizes)))[ends]
    return with_outcome, ranked - with_outcome
