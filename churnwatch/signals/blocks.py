"""Event rows gathered into blocks of neighbouring customers, in memory or in temporary files, each put in order.

A block is small enough for the processor's cache, and one at a time is small enough for any memory.
"""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO

import numpy as np

from churnwatch.signals.compiled import compiled
from churnwatch.signals.rows import AT, CUSTOMER, DAY, FIRST_MEASURE, KNOWN, Array

BLOCK_ROWS = 65_536
"""Rows of a block on average; our choice: a few megabytes, the size of a core's cache."""
IN_MEMORY = 768 * 2**20
"""Bytes of rows that stay in memory before the rest goes to a temporary file."""


@dataclass(eq=False)
class Pieces:
    """Arrays of rows kept one after the other: in memory first, then in a file that is gone when this is."""

    width: int
    room: int
    kept: list[Array | int] = field(default_factory=list)
    """Each piece, or where it begins in the file."""
    sizes: list[int] = field(default_factory=list)
    file: IO[bytes] | None = None
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    """Threads read blocks side by side, and the file has one place at a time."""

    def append(self, rows: Array) -> None:
        """Keep ``rows`` (n_rows, width)."""
        self.sizes.append(len(rows))
        if self.file is None and rows.nbytes <= self.room:
            self.room -= rows.nbytes
            self.kept.append(rows)
            return
        if self.file is None:
            self.file = tempfile.TemporaryFile(prefix="churnwatch-")  # noqa: SIM115  # lives as long as the pieces
            weakref.finalize(self, self.file.close)
        self.kept.append(self.file.seek(0, os.SEEK_END))
        self.file.write(np.ascontiguousarray(rows).data)

    def read(self, piece: int, start: int = 0, end: int | None = None) -> Array:
        """Rows ``start`` to ``end`` of a piece."""
        kept, end = self.kept[piece], self.sizes[piece] if end is None else end
        if not isinstance(kept, int):
            return kept[start:end]
        assert self.file is not None
        rows = np.empty((end - start, self.width), np.int64)
        with self.one_at_a_time:
            self.file.seek(kept + start * 8 * self.width)
            self.file.readinto(rows)  # type: ignore[attr-defined]  # of IO[bytes] only the abstract class lacks it
        return rows

    def write(self, piece: int, start: int, rows: Array) -> None:
        """Overwrite rows of a piece from ``start`` on."""
        kept = self.kept[piece]
        if isinstance(kept, int):
            assert self.file is not None
            with self.one_at_a_time:
                self.file.seek(kept + start * 8 * self.width)
                self.file.write(np.ascontiguousarray(rows).data)
        else:
            kept[start : start + len(rows)] = rows


@dataclass(frozen=True)
class Blocks:
    """Rows by block and in order: by customer, at, known_at, and by id where it makes a difference, once untied.

    A row is int64: customer and combination (``customer << 32 | combination``), at, known, then the columns of a
    ``Reading``, measures as the bits of a float64. Each piece, a batch as it came, holds a part of every block; the
    parts one after the other are the block.
    """

    customers: int
    per_block: int
    pieces: Pieces
    starts: list[Array]
    """Per piece, where the part of each block begins, and the end."""
    tied: list[Array]
    """Per block, the places of rows whose order only their ids can tell (see `ties`)."""

    def __len__(self) -> int:
        return max(-(-self.customers // self.per_block), 1)

    def span(self, block: int) -> tuple[int, int]:
        """The customers of a block: from, and up to but not including."""
        return block * self.per_block, min((block + 1) * self.per_block, self.customers)

    def rows(self, block: int) -> Array:
        """The rows of a block."""
        parts = [self.pieces.read(i, starts[block], starts[block + 1]) for i, starts in enumerate(self.starts)]
        return np.concatenate(parts) if parts else np.empty((0, self.pieces.width), np.int64)

    def replace(self, block: int, rows: Array) -> None:
        """Put as many rows in the place of a block's."""
        done = 0
        for piece, starts in enumerate(self.starts):
            count = int(starts[block + 1] - starts[block])
            self.pieces.write(piece, int(starts[block]), rows[done : done + count])
            done += count

    def block(self, block: int) -> tuple[Array, Array]:
        """(rows, starts): the rows of a block, and where those of each of its customers begin, with the end."""
        rows = self.rows(block)
        first, last = self.span(block)
        return rows, np.searchsorted(rows[:, CUSTOMER], np.arange(first, last + 1, dtype=np.int64) << 32)


def gather(
    batches: Iterable[list[Array]],
    combination: Array,
    *,
    width: int,
    measures: int,
    customers: int,
    per_block: int,
    in_turn: bool = False,
    shifts: tuple[Array, Array] | None = None,
    room: int = IN_MEMORY,
    threads: int = 1,
) -> Blocks:
    """Rows of ``batches`` (customer, at, known, code, further columns), by block and in order.

    ``combination`` translates the codes; the first ``measures`` further columns are numbers. ``in_turn``: see
    `ties`. ``shifts`` (see `civil_shifts`) adds the civil day as a last column. ``room`` is how many bytes of rows may
    stay in memory. With more ``threads`` than one the next batch is read while one is placed, and so many blocks are
    put in order at a time; they change nothing.
    """
    blocks = Blocks(customers, per_block, Pieces(width, room), [], [])
    for customer, at, known, code, *further in batches if threads == 1 else _ahead(batches):
        starts, target = _targets(customer, per_block, len(blocks))
        rows = np.empty((len(customer), width), dtype=np.int64)
        _place_heads(rows, target, customer, at, known, combination, code)
        for column, values in enumerate(further, start=FIRST_MEASURE):
            _place(rows, target, column, values.view(np.int64))
        blocks.pieces.append(rows)
        blocks.starts.append(starts)

    def put_in_order(block: int) -> Array:
        first, last = blocks.span(block)
        rows = in_order(blocks.rows(block), first, max(last - first, 0))
        if shifts is not None:
            _date(rows, *shifts)
        blocks.replace(block, rows)
        return ties(rows, measures, in_turn)

    with ThreadPoolExecutor(threads) as pool:
        blocks.tied.extend(pool.map(put_in_order, range(len(blocks))))
    return blocks


def _ahead(batches: Iterable[list[Array]]) -> Iterator[list[Array]]:
    """The batches, the next of which is fetched while one is worked on."""
    coming = iter(batches)
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, coming, None)
        while (batch := following.result()) is not None:
            following = pool.submit(next, coming, None)
            yield batch


@compiled
def _targets(customer: Array, per_block: int, count: int) -> tuple[Array, Array]:
    """(where each block begins, where each row goes): rows by block, else as they came."""
    starts = np.zeros(count + 1, np.int64)
    for i in range(len(customer)):
        starts[customer[i] // per_block + 1] += 1
    for block in range(count):
        starts[block + 1] += starts[block]
    upto = starts.copy()
    target = np.empty(len(customer), np.int32)
    for i in range(len(customer)):
        block = customer[i] // per_block
        target[i] = upto[block]
        upto[block] += 1
    return starts, target


@compiled
def _place_heads(
    rows: Array, target: Array, customer: Array, at: Array, known: Array, combination: Array, code: Array
) -> None:
    for i in range(len(customer)):
        row = target[i]
        rows[row, CUSTOMER] = (np.int64(customer[i]) << 32) | np.int64(combination[code[i]])
        rows[row, AT] = at[i]
        rows[row, KNOWN] = known[i]


@compiled
def _place(rows: Array, target: Array, column: int, values: Array) -> None:
    for i in range(len(values)):
        rows[target[i], column] = values[i]


@compiled
def in_order(rows: Array, first: int, customers: int) -> Array:
    """``rows`` by customer, at and known; the customers are ``first`` and on."""
    starts = np.zeros(customers + 1, np.int64)
    for i in range(len(rows)):
        starts[(rows[i, CUSTOMER] >> 32) - first + 1] += 1
    for customer in range(customers):
        starts[customer + 1] += starts[customer]
    upto = starts.copy()
    order = np.empty(len(rows), np.int64)
    for i in range(len(rows)):
        customer = (rows[i, CUSTOMER] >> 32) - first
        order[upto[customer]] = i
        upto[customer] += 1
    for customer in range(customers):
        _sort(rows, order[starts[customer] : starts[customer + 1]])
    out = np.empty_like(rows)
    for i in range(len(rows)):
        row = order[i]
        for column in range(rows.shape[1]):
            out[i, column] = rows[row, column]
    return out


@compiled
def _date(rows: Array, shift_from: Array, shift: Array) -> None:
    """Fill the last column with the civil day of each row."""
    clock = 0
    for i in range(len(rows)):
        at = rows[i, AT]
        while clock > 0 and at < shift_from[clock]:
            clock -= 1
        while clock + 1 < len(shift_from) and at >= shift_from[clock + 1]:
            clock += 1
        rows[i, -1] = (at + shift[clock]) // DAY


@compiled
def _sort(rows: Array, order: Array) -> None:
    """Bring the rows ``order`` names into the order of at, then known. A log comes nearly so: then it is no work."""
    moved = 0
    for i in range(1, len(order)):
        row, at, known = order[i], rows[order[i], AT], rows[order[i], KNOWN]
        j = i
        while j > 0:
            before = order[j - 1]
            if rows[before, AT] < at or (rows[before, AT] == at and rows[before, KNOWN] <= known):
                break
            order[j] = before
            j -= 1
        order[j] = row
        moved += i - j
        if moved > 32 * len(order) + 1024:
            break
    else:
        return
    # Two stable sorts, by the later key first.
    order[:] = order[np.argsort(rows[order, KNOWN], kind="mergesort")]
    order[:] = order[np.argsort(rows[order, AT], kind="mergesort")]


@compiled
def ties(rows: Array, measures: int, in_turn: bool) -> Array:
    """The places of all rows in runs of one customer, at and known that hold two values of one of the measures.

    ``in_turn``: also those of runs that meet different conditions, where some signal asks what came after what. In any
    other run it makes no difference which row comes first: other signals read values in order, nothing else.
    """
    numbers = rows.view(np.float64)
    marked = np.zeros(len(rows), np.bool_)
    begin = 0
    while begin < len(rows):
        end = begin + 1
        while (
            end < len(rows)
            and rows[end, AT] == rows[begin, AT]
            and rows[end, KNOWN] == rows[begin, KNOWN]
            and rows[end, CUSTOMER] >> 32 == rows[begin, CUSTOMER] >> 32
        ):
            end += 1
        if end - begin > 1:
            for row in range(begin + 1, end):
                if in_turn and rows[row, CUSTOMER] != rows[begin, CUSTOMER]:
                    marked[begin:end] = True
            for column in range(FIRST_MEASURE, FIRST_MEASURE + measures):
                value = np.nan
                for row in range(begin, end):
                    if not np.isnan(value) and not np.isnan(numbers[row, column]) and numbers[row, column] != value:
                        marked[begin:end] = True
                    if not np.isnan(numbers[row, column]):
                        value = numbers[row, column]
        begin = end
    return np.flatnonzero(marked)
