"""Triggers keep what was said: the migrations make them, one that is gone is named, and a restored ledger has all."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from churnwatch.ledger import Break, verify_chain
from churnwatch.ledger.triggers import made, missing


def test_the_migrations_make_every_one_and_no_other(ledger: sa.Engine) -> None:
    """Two for each of eight tables in SQLite; in PostgreSQL one, and one more for runs."""
    if ledger.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    with ledger.connect() as connection:
        there = set(connection.exec_driver_sql(query).scalars())
        assert () == missing(connection)
    assert there == set(made(ledger.dialect.name))
    assert (16 if ledger.dialect.name == "sqlite" else 9) == len(there)


@pytest.mark.parametrize(
    ("on_sqlite", "on_postgresql"),
    [
        (["DROP TRIGGER list_rows_no_update"], ["DROP TRIGGER list_rows_append_only ON list_rows"]),
        (
            [
                "DROP TRIGGER list_rows_no_update",
                "CREATE TRIGGER list_rows_no_update BEFORE UPDATE ON list_rows WHEN false "
                "BEGIN SELECT RAISE(ABORT, 'list_rows is append-only'); END",
            ],
            ["ALTER TABLE list_rows DISABLE TRIGGER list_rows_append_only"],
        ),
    ],
)
def test_one_that_is_gone_or_says_something_else_is_named(
    full: sa.Engine, on_sqlite: list[str], on_postgresql: list[str]
) -> None:
    with full.begin() as connection:
        for statement in on_sqlite if full.dialect.name == "sqlite" else on_postgresql:
            connection.exec_driver_sql(statement)
    name = "list_rows_no_update" if full.dialect.name == "sqlite" else "list_rows_append_only"
    chain = verify_chain(full)
    found = Break(None, None, None, f"the database no longer refuses every change; triggers gone or changed: {name}")
    assert (7, False, found) == (chain.entries, chain.ok, chain.first_bad)
