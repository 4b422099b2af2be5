"""A file of signals against the tests' oracle, which looks at every row of every customer, slow and plain.

``python -m tests.benchmarks.signals_oracle DATA FILE CUSTOMERS MONTHS`` prints as JSON what differs for the
CUSTOMERS with the most rows, as of the last MONTHS. The data must be small: the oracle's prior looks at everybody.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from churnwatch.spec import Column
from tests import oracle
from tests.benchmarks.signals_agreement import Agreement, agreement
from tests.benchmarks.signals_catalogue import columns
from tests.benchmarks.signals_days import DAY, MEASURES, ZONE, months

LEVELS = ("kind", "channel", "direction", "topic", "agent")


def against_oracle(data: Path, file: Path, *, customers: int, as_ofs: Sequence[datetime]) -> Agreement:
    """Compare ``file`` with the oracle for the ``customers`` with the most rows, at those of ``as_ofs`` it holds."""
    events = _events(data / "interactions.parquet")
    ids = [event.customer for event in events]
    busiest = sorted(set(ids), key=lambda who: (-ids.count(who), who))[:customers]
    wanted = {as_of.replace(tzinfo=None) for as_of in as_ofs}
    table = pq.read_table(file)
    rows = [
        i
        for i, (who, as_of) in enumerate(zip(table["customer_id"].to_pylist(), table["as_of"].to_pylist(), strict=True))
        if who in busiest and as_of.replace(tzinfo=None) in wanted
    ]
    table = table.take(rows)
    spine = list(zip(table["customer_id"].to_pylist(), table["as_of"].to_pylist(), strict=True))

    def expected(column: Column, who: str, as_of: datetime) -> float:
        ask = oracle.change if column.change else oracle.value
        found = ask(_asked(column), events, who, as_of.replace(tzinfo=None), zone=ZONE)
        return math.nan if found is None else found

    return agreement(
        (
            column,
            np.array([expected(column, who, as_of) for who, as_of in spine]),
            table[column.name].to_numpy().astype(np.float64),
        )
        for column in columns()
    )


def _events(path: Path) -> list[oracle.Event]:
    return [
        oracle.Event(
            row["interaction_id"],
            row["customer_id"],
            row["at"],
            row["known_at"],
            {name: row[name] for name in LEVELS if row[name] is not None},
            {name: row[name] for name in MEASURES if row[name] is not None},
        )
        for row in pq.read_table(path).to_pylist()
    ]


def _asked(column: Column) -> oracle.Asked:
    signal = column.signal
    return oracle.Asked(
        signal.aggregate,
        where=dict(signal.where),
        of=None if signal.of is None else dict(signal.of),
        measure=signal.measure,
        by=signal.by,
        window=None if column.window is None else round(column.window.days * DAY),
    )


if __name__ == "__main__":
    found = against_oracle(
        Path(sys.argv[1]), Path(sys.argv[2]), customers=int(sys.argv[3]), as_ofs=months(int(sys.argv[4]))
    )
    print(json.dumps(asdict(found)))
