"""Two years of events of a simulated company: seeded, of any size, as the canonical Parquet files a source would give.

Written a slice of time at once, in the order of a log, so that 50 million rows take no more memory than 1 million.
Customers differ in activity by a hundred times and more; some begin and some leave inside the two years.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.signals_days import DAY, MEASURES

VERSION = 1
"""Of the generator: files of an earlier one are made again."""

DAYS = 730
FIRST = datetime(2024, 7, 7, 17, tzinfo=UTC)
"""Midnight in Jakarta; the last row is before 2026-07-08."""

SLICE = 250_000

KINDS = (
    "usage", "purchase", "contact", "self_service", "first_response", "resolved", "complaint", "visit",
    "order_cancelled", "reopened", "handoff", "payment_failed",
)  # fmt: skip
SHARES = (0.34, 0.14, 0.12, 0.09, 0.09, 0.08, 0.04, 0.04, 0.02, 0.02, 0.01, 0.01)
CHANNELS = ("phone", "email", "chat", "social", "self_service", "visit", "purchase", "usage")
TOPICS = ("billing", "delivery", "technical", "account", "product", "other")
AGENTS = tuple(f"A{i:03d}" for i in range(200))

ARROW = pa.schema(
    [
        ("interaction_id", pa.string()),
        ("customer_id", pa.string()),
        ("at", pa.timestamp("us")),
        ("known_at", pa.timestamp("us")),
        ("kind", pa.string()),
        ("channel", pa.string()),
        ("direction", pa.string()),
        ("topic", pa.string()),
        ("agent", pa.string()),
        ("text", pa.string()),
        *((measure, pa.float64()) for measure in MEASURES),
        ("source", pa.string()),
    ]
)


@dataclass(frozen=True)
class Size:
    """How many customers, and how many rows they made in two years."""

    customers: int
    rows: int

    @property
    def told(self) -> str:
        """``100,000 customers / 10,000,000 rows``."""
        return f"{self.customers:,} customers / {self.rows:,} rows"


def data_of(size: Size, seed: int = 1) -> Path:
    """The directory that holds ``interactions.parquet`` and ``customers.parquet``; made when it is not there.

    Kept under ``$CHURNWATCH_BENCH_DATA``, else beside the results of the benchmarks, which Git does not keep.
    """
    kept = os.environ.get("CHURNWATCH_BENCH_DATA")
    root = Path(kept) if kept else Path(__file__).resolve().parent / "results" / "data"
    directory = root / f"v{VERSION}-{size.customers}-{size.rows}-{seed}"
    if not directory.exists():
        print(f"  making {size.told} ...", file=sys.stderr, flush=True)
        root.mkdir(parents=True, exist_ok=True)
        # Under another name until it is whole: what was left half-way is not taken for data.
        half = Path(tempfile.mkdtemp(dir=root, prefix="half-"))
        try:
            _write(size, seed, half)
            half.rename(directory)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return directory


def _write(size: Size, seed: int, directory: Path) -> None:
    random = np.random.default_rng(seed)
    ids = _numbered("C", np.arange(size.customers), 7)
    started, left, reach = _customers(random, size.customers, ids, directory)
    edges = np.linspace(0, DAYS, max(1, min(DAYS, size.rows // SLICE)) + 1).astype(np.int64) * DAY
    counts = random.multinomial(size.rows, np.diff(edges) / (DAYS * DAY))
    epoch = int(FIRST.timestamp()) * 1_000_000
    made = 0
    with pq.ParquetWriter(directory / "interactions.parquet", ARROW, compression="zstd", store_schema=False) as writer:
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
            at = _times(random, int(count), int(low), int(high))
            kind = random.choice(len(KINDS), int(count), p=SHARES)
            # Visits, contacts and what is done by hand are now and then noted by day only.
            by_day = (random.random(int(count)) < 0.02) & np.isin(kind, [KINDS.index("contact"), KINDS.index("visit")])
            at = np.where(by_day, at // DAY * DAY, at)
            order = np.argsort(at, kind="stable")
            at, kind = at[order], kind[order]
            who = _who(random, at, started, left, reach)
            writer.write_table(_rows(random, epoch, made, at, kind, ids.take(pa.array(who))), row_group_size=SLICE)
            made += int(count)


def _customers(
    random: np.random.Generator, number: int, ids: pa.Array, directory: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beginnings and ends (µs from FIRST), and activity added up; in the order of the ids, oldest customers first."""
    before = random.random(number) < 0.7
    started = np.where(before, -random.integers(1, 1500, number), random.integers(0, DAYS, number)) * DAY
    started = np.sort(started)
    started[0] = -1500 * DAY
    left = np.where(random.random(number) < 0.15, started + random.integers(30, 900, number) * DAY, 10_000 * DAY)
    left[0] = 10_000 * DAY
    activity = random.gamma(0.8, 1.0, number) + 1e-3
    table = pa.table(
        {
            "customer_id": ids,
            **{name: pa.nulls(number, pa.string()) for name in ("name", "email", "phone")},
            "do_not_contact": np.zeros(number, bool),
            "started_at": pa.array(started + int(FIRST.timestamp()) * 1_000_000, pa.timestamp("us")),
            "ended_at": pa.nulls(number, pa.timestamp("us")),
            "owner": _picked(random, AGENTS, number),
            "segment": _picked(random, ("basic", "plus", "pro"), number),
            "value": np.round(random.lognormal(4, 0.6, number), 2),
            "language": _picked(random, ("en", "id"), number),
            "source": _one("simulated", number),
        }
    )
    pq.write_table(table, directory / "customers.parquet", compression="zstd", store_schema=False)
    return started, left, np.cumsum(activity)


def _times(random: np.random.Generator, count: int, low: int, high: int) -> np.ndarray:
    """Whole milliseconds in [low, high), more of them by day than by night; midnight is 0 of a day."""
    day = random.integers(low // DAY, high // DAY, count)
    hour = random.beta(3.0, 2.5, count) * 0.999_999
    return day * DAY + (hour * 86_400_000).astype(np.int64) * 1_000


def _who(
    random: np.random.Generator, at: np.ndarray, started: np.ndarray, left: np.ndarray, reach: np.ndarray
) -> np.ndarray:
    """A customer for each row: one who had begun and not left, the more active the likelier."""
    who = np.zeros(len(at), np.int64)
    open_ = np.arange(len(at))
    while len(open_):
        begun = np.searchsorted(started, at[open_], side="right")
        drawn = np.searchsorted(reach, random.random(len(open_)) * reach[begun - 1], side="right")
        who[open_] = np.minimum(drawn, begun - 1)
        open_ = open_[at[open_] >= left[who[open_]]]
    return who


def _rows(
    random: np.random.Generator, epoch: int, made: int, at: np.ndarray, kind: np.ndarray, who: pa.Array
) -> pa.Table:
    count = len(at)
    late = np.where(random.random(count) < 0.03, random.exponential(2 * 86_400_000, count).astype(np.int64) * 1_000, 0)
    is_usage, is_purchase, is_resolved = (kind == KINDS.index(name) for name in ("usage", "purchase", "resolved"))
    out = np.isin(kind, [KINDS.index("first_response"), KINDS.index("resolved"), KINDS.index("handoff")])
    about_case = np.isin(kind, [KINDS.index(k) for k in ("contact", "complaint", "first_response", "resolved")])
    return pa.table(
        {
            "interaction_id": _numbered("I", np.arange(made, made + count), 9),
            "customer_id": who,
            "at": pa.array(epoch + at, pa.timestamp("us")),
            "known_at": pa.array(epoch + at + late, pa.timestamp("us")),
            "kind": _coded(kind, KINDS),
            "channel": _picked(random, CHANNELS, count),
            "direction": _coded(out.astype(np.int64), ("in", "out")),
            "topic": _picked(random, TOPICS, count, given=about_case),
            "agent": _picked(random, AGENTS, count, given=about_case),
            "text": pa.nulls(count, pa.string()),
            "amount": pa.array(np.round(random.lognormal(3, 1, count), 2), mask=~is_purchase),
            "minutes": pa.array(np.round(random.gamma(2, 10, count), 1), mask=~is_usage),
            "resolution_hours": pa.array(np.round(random.gamma(2, 12, count), 2), mask=~is_resolved),
            "source": _one("simulated", count),
        }
    ).cast(ARROW)


def _coded(codes: np.ndarray, levels: tuple[str, ...], given: np.ndarray | None = None) -> pa.Array:
    mask = None if given is None else ~given
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=mask), list(levels)).cast(pa.string())


def _picked(
    random: np.random.Generator, levels: tuple[str, ...], count: int, given: np.ndarray | None = None
) -> pa.Array:
    return _coded(random.integers(0, len(levels), count), levels, given)


def _one(level: str, count: int) -> pa.Array:
    return _coded(np.zeros(count, np.int64), (level,))


def _numbered(letter: str, numbers: np.ndarray, digits: int) -> pa.Array:
    """``C0000012``: by digits, as formatting 50 million texts one by one would take minutes."""
    signs = np.empty((len(numbers), digits + 1), np.uint8)
    signs[:, 0] = ord(letter)
    for place in range(digits):
        signs[:, digits - place] = ord("0") + numbers // 10**place % 10
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * (digits + 1)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(signs.tobytes()))
