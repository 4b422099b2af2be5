"""Codes of customers by the hash of their ids, and what happens where two have the same."""

from __future__ import annotations

import duckdb
import numpy as np
from small_tables import spine_of
from test_signals import AS_OF, EVERY, SPINE, at_every_edge, tables

from churnwatch.signals import build, customers
from churnwatch.signals.customers import codes_of


def who(count: int) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        f"create table who as select 'c' || i as customer_id, i::integer as code from range({count}) as rows (i)"
    )
    return con


def test_everybody_is_found_and_nobody_else():
    """1,000 customers by their hashes, each with its own code; -1 for one who is none."""
    con = who(1000)
    codes = codes_of(con, "who")
    assert codes is not None
    hashes = con.sql("select hash('c' || i) as hash from range(1001) as rows (i)").fetchnumpy()["hash"]
    assert [*range(1000), -1] == codes.of(np.asarray(hashes)).tolist()


def test_customers_of_one_hash_are_found_by_their_ids(monkeypatch):
    """Then there are no codes, and the ids are joined: the same numbers to the bit."""
    expected = build(tables(at_every_edge()), EVERY.columns, spine_of(SPINE)).values
    assert not np.isnan(expected).all()
    monkeypatch.setattr(customers, "HASH", "hash(length(customer_id))")
    assert codes_of(who(10), "who") is None
    made = build(tables(at_every_edge()), EVERY.columns, spine_of([*SPINE, ("b", AS_OF)])).values
    assert expected.tobytes() == made[:-1].tobytes()
