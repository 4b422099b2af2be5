"""Whether a signal looks at an as-of as it looked before: the population stability index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnwatch.evaluation.deciles import BINS, equal_mass

Numbers = NDArray[np.float64]
Verdict = Literal["steady", "moved", "changed"]

MOVED, CHANGED = 0.10, 0.25
"""The usual thresholds: N. Siddiqi, Credit Risk Scorecards (2006), ch. 9; they are a rule of thumb."""
HALF = 0.5
"""Added to each bin's count, so that an empty bin has a logarithm; our choice, the Jeffreys prior of a share."""
BY_CHANCE = 0.05


@dataclass(frozen=True)
class Drift:
    """One number per as-of, ``None`` at the first: ``index`` the stability index, ``chance`` what it exceeds in one of
    20 cases where nothing has changed. ``verdict`` is that of the last as-of, ``worst`` the worst of all.
    """

    index: tuple[float | None, ...]
    chance: tuple[float | None, ...]
    verdict: Verdict
    worst: Verdict


def stability_index(counts: ArrayLike, reference: ArrayLike) -> float:
    """``sum((a - e) ln(a / e))`` over the shares ``a`` of ``counts`` and ``e`` of ``reference``, both of shape (bins,).

    Source: the symmetrised divergence of H. Jeffreys (1946), in credit scoring called population stability index.
    """
    here = np.asarray(counts, dtype=np.float64) + HALF
    there = np.asarray(reference, dtype=np.float64) + HALF
    a, e = here / here.sum(), there / there.sum()
    return float(np.sum((a - e) * np.log(a / e)))


def drift(values: ArrayLike, periods: ArrayLike, *, bins: int = BINS) -> Drift | None:
    """Each as-of's values against all before it together; ``None`` where there is one as-of only.

    ``values`` (n,), NaN missing; ``periods`` (n,) codes 0, 1, … rising in time, each with a row at least. The bins are
    those of ``equal_mass`` over all rows, the missing are one more. An index that chance alone would give (Yurdakul &
    Naranjo, Statistical properties of the population stability index, Journal of Risk Model Validation 14, 2020:
    without a change it is chi-squared over ``1/n + 1/m``) is ``steady``, however large.
    """
    from scipy.special import chdtri

    codes = equal_mass(values, bins=bins) + 1
    when = np.asarray(periods, dtype=np.int64)
    count = int(when.max(initial=-1)) + 1
    if count < 2:
        return None
    kinds = int(codes.max()) + 1
    table = np.bincount(when * kinds + codes, minlength=count * kinds).reshape(count, kinds)
    table = table[:, table.any(axis=0)]
    before = np.cumsum(table, axis=0)
    index: list[float | None] = [None]
    chance: list[float | None] = [None]
    verdicts: list[Verdict] = []
    for period in range(1, count):
        here, there = table[period], before[period - 1]
        free = table.shape[1] - 1
        level = float(chdtri(free, BY_CHANCE)) * (1 / here.sum() + 1 / there.sum()) if free else 0.0
        found = stability_index(here, there)
        index.append(found)
        chance.append(level)
        verdicts.append(_verdict(found, level))
    return Drift(tuple(index), tuple(chance), verdicts[-1], max(verdicts, key=("steady", "moved", "changed").index))


def _verdict(index: float, chance: float) -> Verdict:
    if index <= chance or index < MOVED:
        return "steady"
    return "moved" if index < CHANGED else "changed"
