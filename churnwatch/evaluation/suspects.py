"""Near-label suspects: columns that know too much to be a sign of leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

LIMIT = 0.9
"""An AUC above it, from one column alone, is too good: behaviour foretells leaving, and never so well."""
FEWEST = 10
"""Fewer outcomes (or others) say nothing: an AUC of pure chance among ten strays by 0.09 (standard deviation
1 / sqrt(12 * 10)), so that 0.9 lies more than four of them away. Our choice."""


ALONE = "alone it tells the outcome"


@dataclass(frozen=True)
class Suspect:
    """A column that alone tells the outcome, or is the outcome itself.

    ``auc`` is of the column alone in its better direction (0.5 to 1; NaN where outcomes are too few to measure it), at
    as-of or, where that is why, at the end of the gap; ``n`` the observations it was measured on.
    """

    column: str
    auc: float
    n: int
    why: str
    itself: bool = False
    """Whether it reads the outcome itself."""

    @property
    def why_id(self) -> str:
        """``why`` in Indonesian, of what can be acknowledged: what reads the outcome itself is refused."""
        if self.why == ALONE:
            return "sendirian ia sudah memberi tahu hasilnya"
        return "terjadi di dalam masa tenggang: sebuah langkah kepergian, bukan tandanya"


def suspects(
    values: Numbers,
    names: Sequence[str],
    outcome: Numbers,
    *,
    later: Numbers | None = None,
    own: Mapping[str, str] | None = None,
) -> tuple[Suspect, ...]:
    """The columns that know too much, in the order of ``names``.

    ``values`` (n, columns) are the columns at as-of, NaN missing; ``outcome`` (n,) is 1 bad, 0 not. ``later``
    are the same columns of the same observations at the end of the gap: what tells the outcome there and not at as-of
    happens inside the gap. ``own`` are columns that are suspect by what they read, and why.
    """
    own = own or {}
    measurable = min(outcome.sum(), len(outcome) - outcome.sum()) >= FEWEST
    now = column_aucs(values, outcome) if measurable else np.full(len(names), np.nan)
    then = column_aucs(later, outcome) if measurable and later is not None else np.full(len(names), np.nan)
    found = []
    for name, at, after in zip(names, now.tolist(), then.tolist(), strict=True):
        if name in own:
            found.append(Suspect(name, at, len(outcome), own[name], itself=True))
        elif at > LIMIT:
            found.append(Suspect(name, at, len(outcome), ALONE))
        elif after > LIMIT:
            why = f"it happens inside the gap: a step of leaving, no sign of it (at as-of its AUC is {at:.2f})"
            found.append(Suspect(name, after, len(outcome), why))
    return tuple(found)


def column_aucs(values: Numbers, outcome: Numbers) -> Numbers:
    """The AUC of each column alone (columns,), of the four ways to rank by it the best.

    Higher or lower is worse, and missing is a value of its own, at one end or at the other: knowing nothing of a
    customer may tell the outcome too. Ties count half. Both outcomes must occur.
    """
    best = np.full(values.shape[1], 0.5)
    for place in range(values.shape[1]):
        column = values[:, place]
        there = ~np.isnan(column)
        bad, good = outcome[there], 1.0 - outcome[there]
        missing_bad, missing_good = outcome[~there].sum(), (1.0 - outcome[~there]).sum()
        pairs = (bad.sum() + missing_bad) * (good.sum() + missing_good)
        won = _won(column[there], bad)
        ties = missing_bad * missing_good / 2
        lowest = (won + bad.sum() * missing_good + ties) / pairs
        highest = (won + missing_bad * good.sum() + ties) / pairs
        best[place] = max(lowest, highest, 1.0 - lowest, 1.0 - highest)
    return best


def _won(column: Numbers, bad: Numbers) -> float:
    """How many (bad, good) pairs have the higher value on the bad side, ties half; by one sort."""
    if len(column) == 0:
        return 0.0
    order = np.argsort(column)
    ordered = column[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    bads = np.add.reduceat(bad[order], starts)
    goods = np.diff(np.append(starts, len(column))) - bads
    below = np.cumsum(goods) - goods
    return float((bads * (below + goods / 2)).sum())
