"""Which columns say the same thing: rank correlation, and clusters of what is alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

ALIKE = 0.8
"""Mean absolute rank correlation from which columns say the same; our choice, because two thirds of what one knows
(0.8 squared) is then known from the other.
"""
COMMON_ROWS = 30
"""Fewer rows with both values say nothing; our choice."""


@dataclass(frozen=True)
class Cluster:
    """Columns that say the same, in the order given; ``least`` is the least absolute correlation between two."""

    columns: tuple[str, ...]
    least: float


def rank_correlation(X: Numbers) -> Numbers:
    """Spearman's correlation between the columns of ``X`` (n, k), ranked over the rows where both have a value.

    NaN where fewer than 30 rows have both, or where one is constant over them; 1 on the diagonal.
    """
    import pandas as pd

    found: Any = pd.DataFrame(X).corr(method="spearman", min_periods=COMMON_ROWS)
    rho: Numbers = np.clip(found.to_numpy(dtype=np.float64, copy=True), -1.0, 1.0)
    np.fill_diagonal(rho, 1.0)
    return rho


def clusters(names: Sequence[str], X: Numbers, *, alike: float = ALIKE) -> tuple[Cluster, ...]:
    """The groups of two and more columns of ``X`` (n, k) that say the same, in the order of their first column.

    Average linkage (Sokal & Michener 1958) over one minus the absolute correlation: two groups are one while their
    columns correlate by ``alike`` on average. An unknown correlation counts as none.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(names) < 2:
        return ()
    size = np.abs(np.nan_to_num(rank_correlation(X), nan=0.0))
    size = np.maximum(size, size.T)
    tree = linkage(squareform(1 - size, checks=False), method="average")
    labels = fcluster(tree, t=1 - alike + 1e-12, criterion="distance")
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        groups.setdefault(int(label), []).append(place)
    return tuple(
        Cluster(tuple(names[i] for i in members), float(min(size[i, j] for i in members for j in members)))
        for members in groups.values()
        if len(members) > 1
    )
