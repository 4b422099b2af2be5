"""The usual gap of all customers, and of each segment, at each as-of, from one pass of exact integer sums."""

from __future__ import annotations

import numpy as np

from churnwatch.signals.compiled import compiled
from churnwatch.signals.rows import AT, CUSTOMER, KNOWN, MASK, NEVER, Array

HIGH, LOW, COUNT = range(3)
"""Of each silence, group and as-of: the gaps' sum as ``HIGH * 2**32 + LOW`` µs, and how many gaps there are."""
BORROWED = 20
"""So many gaps as usual as those of all customers are added to a segment's own: a handful must not speak for it."""


def usual_gaps(changes: Array) -> Array:
    """(silences, groups, as-ofs) the usual gap in µs, from the changes of sums (silences, groups, as-ofs + 1, 3).

    Of the first group, all customers, it is their mean gap, NaN without any; of a segment it is the mean over its own
    gaps and ``BORROWED`` more of the mean of all, so that it moves from theirs to its own as gaps come in (partial
    pooling; its weight is our choice). A gap lies between two rows of a customer that follow one another among those of
    a condition that had happened and were known at the as-of and lie in the window; it is of the segment once that is
    known. The sums are whole numbers, so they are the same in any order.
    """
    sums = np.cumsum(changes, axis=2)[:, :, :-1]
    usual = np.full(sums.shape[:3], np.nan)
    for silence, place in zip(*np.nonzero(sums[:, 0, :, COUNT]), strict=True):
        totals = [int(high) * 2**32 + int(low) for high, low in sums[silence, :, place, :COUNT]]
        counts = [int(count) for count in sums[silence, :, place, COUNT]]
        usual[silence, 0, place] = totals[0] / counts[0]
        for group in range(1, len(counts)):
            # Whole numbers up to the one division, which rounds once.
            own = totals[group] * counts[0] + BORROWED * totals[0]
            usual[silence, group, place] = own / (counts[0] * (counts[group] + BORROWED))
    return usual


@compiled
def add_gaps(
    rows: Array, starts: Array, meets: Array, high: int, as_ofs: Array, members: Array, changes: Array
) -> None:
    """Add to ``changes`` (groups, as-ofs + 1, 3) from which as-of on a gap counts, and from which on it does no more.

    ``as_ofs`` are distinct and rise; ``members`` (customers, 2) are the customers' segments. A gap begins to count once
    both its rows are known; it ceases when the elder leaves the window, or when a row between them becomes known
    and parts it in two. So that every gap is met, the rows known last are taken away first: the two neighbours of a row
    that goes are neighbours until it comes.
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
        group, member = members[customer, 0], members[customer, 1]
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
                _count(mine[i - 1], mine[i], seen[i], NEVER, high, as_ofs, group, member, changes)
            continue
        for i in range(n):
            before[i], after[i], until[i] = i - 1, i + 1, NEVER
        for last in np.argsort(seen[:n], kind="mergesort")[::-1]:
            left, right = before[last], after[last]
            if left >= 0:
                _count(mine[left], mine[last], seen[last], until[left], high, as_ofs, group, member, changes)
                after[left] = right
                until[left] = seen[last]
            if right < n:
                _count(mine[last], mine[right], seen[last], until[last], high, as_ofs, group, member, changes)
                before[right] = left


@compiled
def _count(
    elder: int,
    younger: int,
    known: int,
    until: int,
    high: int,
    as_ofs: Array,
    group: int,
    member: int,
    changes: Array,
) -> None:
    """A gap counts at the as-ofs after ``known`` up to ``until``, and while the elder row is no older than ``high``.

    In its ``group`` it counts only after ``member``.
    """
    if high < NEVER:
        until = min(until, elder + high)
    _add(younger - elder, known, until, as_ofs, changes[0])
    if group > 0:
        _add(younger - elder, max(known, member), until, as_ofs, changes[group])


@compiled
def _add(gap: int, known: int, until: int, as_ofs: Array, changes: Array) -> None:
    first = np.searchsorted(as_ofs, known, side="right")
    end = np.searchsorted(as_ofs, until, side="right")
    if first < end:
        changes[first, HIGH] += gap >> 32
        changes[first, LOW] += gap & MASK
        changes[first, COUNT] += 1
        changes[end, HIGH] -= gap >> 32
        changes[end, LOW] -= gap & MASK
        changes[end, COUNT] -= 1
