"""Rows gathered into blocks: in order whatever order they came in, in memory or in a file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnwatch.signals.blocks import Pieces, gather, in_order, ties

WIDTH = 4


def rows_of(*rows: tuple[int, int, int, int]) -> np.ndarray:
    """(customer, at, known, payload) as rows of a block; the combination is 0."""
    made = np.array(rows, dtype=np.int64).reshape(-1, WIDTH)
    made[:, 0] <<= 32
    return made


def batch(rows: np.ndarray) -> list[np.ndarray]:
    return [
        (rows[:, 0] >> 32).astype(np.int32),
        *(rows[:, i].copy() for i in (1, 2)),
        np.zeros(len(rows), np.int32),
        rows[:, 3].copy(),
    ]


def sorted_plainly(rows: np.ndarray) -> list[tuple[int, ...]]:
    """By customer, at and known; rows equal in these in the order they came."""
    return sorted(map(tuple, rows.tolist()), key=lambda row: row[:3])


few = st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 4), st.integers(0, 1))


@settings(deadline=None)
@given(
    st.lists(few, max_size=60),
    st.integers(1, 9),
    st.integers(1, 30),
    st.sampled_from([0, 400, 2**20]),
    st.integers(1, 3),
)
def test_rows_are_gathered_in_order(rows, per_block, cut, room, threads):
    """Whatever the blocks, the batches, the memory and the threads: all rows, by customer, at and known."""
    made = rows_of(*rows)
    batches = [batch(made[start : start + cut]) for start in range(0, len(made), cut)]
    found = gather(
        batches,
        np.zeros(1, np.int32),
        width=WIDTH,
        measures=1,
        customers=7,
        per_block=per_block,
        room=room,
        threads=threads,
    )
    everything, customers = [], []
    for block in range(len(found)):
        mine, starts = found.block(block)
        first, last = found.span(block)
        assert last - first + 1 == len(starts)
        for i, customer in enumerate(range(first, last)):
            assert {customer} >= set((mine[starts[i] : starts[i + 1], 0] >> 32).tolist())
            customers.append(customer)
        everything += map(tuple, mine.tolist())
    assert sorted_plainly(made) == everything
    assert list(range(7)) == customers


@pytest.mark.parametrize("n", [1, 50, 5000])
def test_a_large_account_in_any_order_is_put_in_order(n):
    """Few rows are moved one by one; many that came in no order are sorted."""
    random = np.random.default_rng(n)
    at = random.integers(0, n, n)
    made = rows_of(*zip(np.zeros(n, int), at, at + random.integers(0, 3, n), range(n), strict=True))
    assert sorted_plainly(made) == list(map(tuple, in_order(made, 0, 1).tolist()))


def test_only_rows_of_different_values_are_tied():
    """Two that hold the same value, or one of them none, need no order; two values tie their whole run."""
    nothing = np.nan
    rows = rows_of((0, 5, 5, 0), (0, 5, 5, 0), (0, 6, 6, 0), (0, 6, 6, 0), (0, 6, 6, 0), (0, 6, 7, 0), (1, 6, 7, 0))
    rows.view(np.float64)[:, 3] = [1, 1, 1, nothing, 2, 3, 4]
    assert [2, 3, 4] == ties(rows, 1, False).tolist()
    rows.view(np.float64)[:, 3] = [1, nothing, 1, nothing, 1, 3, 4]
    assert [] == ties(rows, 1, False).tolist()
    assert [] == ties(rows[:0], 1, False).tolist()


def test_rows_of_different_conditions_are_tied_where_somebody_asks_what_came_after_what():
    """Of one instant and one combination of conditions they need no order all the same."""
    rows = rows_of((0, 5, 5, 0), (0, 5, 5, 0), (0, 6, 6, 0), (0, 6, 6, 0), (0, 6, 7, 0), (1, 6, 7, 0))
    rows.view(np.float64)[:, 3] = np.nan
    rows[3, 0] |= 2  # another combination
    assert [] == ties(rows, 1, False).tolist()
    assert [2, 3] == ties(rows, 1, True).tolist()


def test_pieces_read_back_from_memory_and_from_the_file():
    """What does not fit in the room goes to a file; both are read in parts and overwritten alike."""
    pieces = Pieces(WIDTH, room=2 * WIDTH * 8)
    first, second, third = (
        rows_of((1, 1, 1, 1), (2, 2, 2, 2)),
        rows_of((3, 3, 3, 3)),
        rows_of((4, 4, 4, 4), (5, 5, 5, 5)),
    )
    for piece in (first, second, third):
        pieces.append(piece)
    assert pieces.file is not None
    assert [first.tolist(), second.tolist(), third.tolist()] == [pieces.read(i).tolist() for i in range(3)]
    assert third[1:].tolist() == pieces.read(2, 1, 2).tolist()
    pieces.write(2, 0, third[::-1])
    pieces.write(0, 0, first[::-1].copy())
    assert third[::-1].tolist() == pieces.read(2).tolist()
    assert [[2, 2], [1, 1]] == pieces.read(0)[:, 1:3].tolist()
