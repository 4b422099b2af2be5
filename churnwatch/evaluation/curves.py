"""The curves behind two pictures as plain points: foretold against observed, and outcomes caught by share contacted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from churnwatch.evaluation.deciles import wilson
from churnwatch.evaluation.figures import CALIBRATION_BINS, Numbers, outcomes_and_scores, tie_groups

POINTS = 100
"""Steps of a gain curve at most; it has one point more."""


def reliability(y: ArrayLike, risks: ArrayLike) -> list[dict[str, float | int]]:
    """The bins of ``calibration_error`` from the lowest risk up: ``mean_risk``, ``rate``, ``n``, and the rate's 95 %
    interval ``low`` to ``high`` (Wilson).

    Rows of equal risk share their rate, so a rate is of an expected count where a bin ends among them. The mean of
    ``|mean_risk - rate|`` weighted by ``n`` is the calibration error.
    """
    outcomes, r = outcomes_and_scores(y, risks)
    order, starts = tie_groups(r, np.zeros(len(r), dtype=np.int64))
    sizes = np.diff(np.append(starts, len(r)))
    shared = np.repeat(np.add.reduceat(outcomes[order], starts) / sizes, sizes)
    found: list[dict[str, float | int]] = []
    for bin_ in np.array_split(np.arange(len(r)), CALIBRATION_BINS):
        if len(bin_):
            rate = float(shared[bin_].mean())
            low, high = wilson(rate, len(bin_))
            mean_risk = float(r[order][bin_].mean())
            found.append({"mean_risk": mean_risk, "rate": rate, "n": len(bin_), "low": low, "high": high})
    return found[::-1]


def gain(y: ArrayLike, scores: Mapping[str, ArrayLike]) -> dict[str, object]:
    """``{"share": […], "caught": {name: […]}}``: of all with the outcome, the share among the first ``share`` of rows.

    One curve per score, all at the same shares: 101 of them, or one more than there are rows where those are fewer.
    Tied rows are caught evenly.
    """
    curves: dict[str, list[float]] = {}
    shares: Numbers = np.zeros(0)
    for name, s in scores.items():
        outcomes, one = outcomes_and_scores(y, s)
        shares = np.linspace(0, 1, min(len(one), POINTS) + 1)
        order, starts = tie_groups(one, np.zeros(len(one), dtype=np.int64))
        through = np.append(starts, len(one)) / len(one)
        caught = np.concatenate(([0.0], np.cumsum(np.add.reduceat(outcomes[order], starts)))) / outcomes.sum()
        curves[name] = np.interp(shares, through, caught).round(6).tolist()
    return {"share": shares.round(6).tolist(), "caught": curves}
