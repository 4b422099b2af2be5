"""Canonical tables of a few rows, written in a test, without files and mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from oracle import Event

from churnwatch.sources import SHAPES, Accounting, Tables, new_tables

_ARROW = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("us"),
}


def tables_of(
    events: Iterable[Event] = (),
    *,
    customers: Iterable[Mapping[str, Any]] = (),
    surveys: Iterable[Mapping[str, Any]] = (),
    measures: Sequence[str] = (),
    customer_measures: Sequence[str] = (),
    zone: str = "UTC",
    data_end: datetime | None = None,
    strangers: bool = False,
) -> Tables:
    """Tables that hold these rows in this order; ``data_end`` (aware) is that of their only source.

    Whoever has an event is a customer, as `load` sees to: those not given are added, without a start, unless
    ``strangers`` may stay.
    """
    con = new_tables(measures, customer_measures=customer_measures)
    declared = {"interactions": measures, "customers": customer_measures}
    events, customers, surveys = list(events), list(customers), list(surveys)
    seen = {event.customer for event in events} | {survey["customer_id"] for survey in surveys}
    added = sorted(seen - {customer["customer_id"] for customer in customers}) if not strangers else []
    rows: dict[str, list[Mapping[str, Any]]] = {
        "interactions": [
            {
                "interaction_id": event.id,
                "customer_id": event.customer,
                "at": event.at,
                "known_at": event.known_at,
                **event.levels,
                **event.measures,
            }
            for event in events
        ],
        "customers": [
            {"do_not_contact": False, **customer} for customer in (*customers, *({"customer_id": one} for one in added))
        ],
        "surveys": surveys,
    }
    for table, filled in rows.items():
        kinds = {**SHAPES[table].columns, **dict.fromkeys(declared.get(table, ()), "number")}
        assert not {name for row in filled for name in row} - set(kinds)
        columns = {name: pa.array([row.get(name) for row in filled], _ARROW[kind]) for name, kind in kinds.items()}
        con.register("filled", pa.table({**columns, "source": pa.array(["test"] * len(filled), pa.string())}))
        con.execute(f"insert into {table} by name from filled")
        con.unregister("filled")
    counts = {table: len(filled) for table, filled in rows.items()}
    total = sum(counts.values())
    accounting = Accounting("test", "test.csv", total, total, {}, {}, counts, data_end)
    return Tables(
        con, tuple(measures), (accounting,), pa.table({}), (), zone, customer_measures=tuple(customer_measures)
    )


def spine_of(pairs: Iterable[tuple[str, datetime]]) -> pd.DataFrame:
    """A spine of (customer, as-of in naive UTC)."""
    pairs = list(pairs)
    return pd.DataFrame(
        {
            "customer_id": pd.Series([customer for customer, _ in pairs], dtype=object),
            "as_of": pd.Series([as_of for _, as_of in pairs], dtype="datetime64[us]"),
        }
    )


def aware(naive: datetime) -> datetime:
    """The naive UTC instant as an aware one."""
    return naive.replace(tzinfo=UTC)
