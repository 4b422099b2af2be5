"""Signals as a file: the numbers of the matrix, and the same bytes however the work is cut."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from oracle import Event
from small_tables import aware, spine_of, tables_of
from test_signals import every_signal

from churnwatch import signals
from churnwatch.signals import Limits, file

AS_OFS = tuple(datetime(2026, month, 1, 17, 30) for month in (1, 2, 3))
COLUMNS = every_signal().columns


def events() -> list[Event]:
    """2,000 rows of 60 customers on whole days, so that many are tied and only their ids tell them apart."""
    random = np.random.default_rng(3)
    made = []
    for i in range(2000):
        at = datetime(2025, 10, 1) + timedelta(days=int(random.integers(0, 150)))
        known_at = at + timedelta(days=int(random.choice([0, 0, 0, 5])))
        levels = {
            "kind": str(random.choice(["complaint", "contact", "resolved"])),
            "topic": str(random.choice(["a", "b"])),
        }
        measures = {"amount": float(random.normal())} if random.random() < 0.7 else {}
        made.append(
            Event(f"e{random.integers(10**9)}-{i}", f"c{random.integers(60):02}", at, known_at, levels, measures)
        )
    return made


EVENTS = events()
CUSTOMERS = [{"customer_id": f"c{i:02}", "started_at": datetime(2025, 9, 1) + timedelta(days=2 * i)} for i in range(75)]


def tables(rows: list[Event]):
    return tables_of(rows, customers=CUSTOMERS, measures=("amount",), zone="Asia/Jakarta")


def written(tmp_path, rows, limits=None):
    made = tables(rows)
    spine = signals.calendar(made, [aware(as_of) for as_of in AS_OFS])
    count = signals.write(made, COLUMNS, spine, out=tmp_path / "signals.parquet", limits=limits)
    assert len(spine) == count
    return (tmp_path / "signals.parquet").read_bytes()


def test_the_file_holds_the_matrix(tmp_path):
    """Everybody who had started at each as-of, by customer and as-of, with the very numbers of `build`."""
    written(tmp_path, EVENTS)
    table = pq.read_table(tmp_path / "signals.parquet")
    who = [(c["customer_id"], as_of) for c in CUSTOMERS for as_of in AS_OFS if c["started_at"] < as_of]
    assert who == list(zip(table["customer_id"].to_pylist(), table["as_of"].to_pylist(), strict=True))
    matrix = signals.build(tables(EVENTS), COLUMNS, spine_of(who))
    found = np.stack([table[name].to_numpy() for name in matrix.names], axis=1)
    assert matrix.values.tobytes() == np.ascontiguousarray(found).tobytes()
    assert np.isnan(found).any()


@pytest.mark.parametrize(
    "limits",
    [
        Limits(threads=1),
        Limits(threads=3),
        Limits(block_rows=1),
        Limits(block_rows=100, threads=2),
        Limits(block_rows=300, room=20_000),
        Limits(room=0),
    ],
    ids=str,
)
def test_bytes_do_not_depend_on_threads_blocks_or_memory(tmp_path, monkeypatch, limits):
    """Row groups are of one size whatever the blocks, and a block's rows are the same from memory and from a file."""
    monkeypatch.setattr(file, "ROW_GROUP", 50)
    assert written(tmp_path, EVENTS) == written(tmp_path, EVENTS, limits)


@pytest.mark.parametrize("ties", [1, 10_000])
def test_bytes_do_not_depend_on_the_order_of_rows(tmp_path, monkeypatch, ties):
    """Shuffled, or from two files one after the other: rows of the same time stand in the order of their ids."""
    monkeypatch.setattr(signals.engine, "MOST_TIES", ties)
    expected = written(tmp_path, EVENTS)
    order = np.random.default_rng(5).permutation(len(EVENTS))
    assert expected == written(tmp_path, [EVENTS[i] for i in order], Limits(block_rows=100))
    assert expected == written(tmp_path, EVENTS[1::2] + EVENTS[::2])


def test_ids_decide_between_rows_of_the_same_time(tmp_path):
    """So a change of ids alone changes the numbers: the tests above do not pass for want of ties."""
    renamed = [
        Event(event.id[::-1], event.customer, event.at, event.known_at, event.levels, event.measures)
        for event in EVENTS
    ]
    assert written(tmp_path, EVENTS) != written(tmp_path, renamed)


def test_a_run_that_ends_early_leaves_the_old_file_and_nothing_else(tmp_path):
    out = tmp_path / "signals.parquet"
    out.write_bytes(b"old")
    made = tables(EVENTS)

    def stop(step: str, done: int, total: int) -> None:
        if step == "signals":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        signals.write(made, COLUMNS, signals.calendar(made, [aware(AS_OFS[0])]), out=out, report=stop)
    assert [out] == list(tmp_path.iterdir())
    assert b"old" == out.read_bytes()
    # c00 to c61: the start of c61, 122 days after 1 September, is 1 January.
    assert 62 == signals.write(made, COLUMNS, signals.calendar(made, [aware(AS_OFS[0])]), out=out)


def test_nobody_is_asked_for(tmp_path):
    """An as-of before everybody's start gives an empty spine, an empty matrix and an empty file."""
    made = tables(EVENTS)
    spine = signals.calendar(made, [aware(datetime(2025, 9, 1))])
    assert 0 == signals.write(made, COLUMNS, spine, out=tmp_path / "none.parquet")
    assert (0, len(COLUMNS) + 2) == pq.read_table(tmp_path / "none.parquet").shape
    assert (0, len(COLUMNS)) == signals.build(made, COLUMNS, spine_of([])).values.shape
