"""The mean gap of all customers at each as-of, from one pass of exact integer sums."""

from __future__ import annotations

import numpy as np

from churnwatch.signals.compiled import compiled
from churnwatch.signals.rows import AT, CUSTOMER, KNOWN, MASK, NEVER, Array

HIGH, LOW, COUNT = range(3)
"""Of each silence and as-of: the gaps' sum as ``HIGH * 2**32 + LOW`` microseconds, and how many gaps there are."""


def mean_gaps(changes: Array) -> Array:
    """(silences, as-ofs) the mean gap in µs from the changes of sums (silences, as-ofs + 1, 3); NaN without any gap.

    A gap lies between two rows of a customer that follow one another among those of a condition that had happened and
    were known at the as-of and lie in the window. The sums are whole numbers, so they are the same in any order.
    """
    sums = np.cumsum(changes, axis=1)[:, :-1]
    means = np.full(sums.shape[:2], np.nan)
    for silence, place in zip(*np.nonzero(sums[:, :, COUNT]), strict=True):
        total = int(sums[silence, place, HIGH]) * 2**32 + int(sums[silence, place, LOW])
        means[silence, place] = total / int(sums[silence, place, COUNT])
    return means


@compiled
def add_gaps(rows: Array, starts: Array, meets: Array, high: int, as_ofs: Array, changes: Array) -> None:
    """Add to ``changes`` (as-ofs + 1, 3) from which as-of on a gap counts, and from which on it counts no more.

    ``as_ofs`` are distinct and rise. A gap begins to count once both its rows are known; it ceases when the elder
    leaves the window, or when a row between them becomes known and parts it in two. So that every gap is met, the rows
    known last are taken away first: the two neighbours of a row that goes are neighbours until it comes.
    """
    most = 0
    for customer in range(len(starts) - 1):
        most = max(most, starts[customer + 1] - starts[customer])
    mine = np.empty(most, np.int64)
    seen = np.empty(most, np.int64)
    before = np.empty(most, np.int64)
    after = np.empty(most, np.int64)
    until = np.empty(most, np.int64)
    for customer in range(len(starts) - 1):
        n = 0
        in_turn = True
        for row in range(starts[customer], starts[customer + 1]):
            if meets[rows[row, CUSTOMER] & MASK]:
                mine[n] = rows[row, AT]
                seen[n] = max(rows[row, KNOWN], rows[row, AT])
                in_turn &= n == 0 or seen[n] >= seen[n - 1]
                n += 1
        if in_turn:
            for i in range(1, n):
                _count(mine[i - 1], mine[i], seen[i], NEVER, high, as_ofs, changes)
            continue
        for i in range(n):
            before[i], after[i], until[i] = i - 1, i + 1, NEVER
        for last in np.argsort(seen[:n], kind="mergesort")[::-1]:
            left, right = before[last], after[last]
            if left >= 0:
                _count(mine[left], mine[last], seen[last], until[left], high, as_ofs, changes)
                after[left] = right
                until[left] = seen[last]
            if right < n:
                _count(mine[last], mine[right], seen[last], until[last], high, as_ofs, changes)
                before[right] = left


@compiled
def _count(elder: int, younger: int, known: int, until: int, high: int, as_ofs: Array, changes: Array) -> None:
    """A gap counts at the as-ofs after ``known`` up to ``until``, and while the elder row is no older than ``high``."""
    if high < NEVER:
        until = min(until, elder + high)
    first = np.searchsorted(as_ofs, known, side="right")
    end = np.searchsorted(as_ofs, until, side="right")
    if first < end:
        gap = younger - elder
        changes[first, HIGH] += gap >> 32
        changes[first, LOW] += gap & MASK
        changes[first, COUNT] += 1
        changes[end, HIGH] -= gap >> 32
        changes[end, LOW] -= gap & MASK
        changes[end, COUNT] -= 1
