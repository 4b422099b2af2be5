"""Alembic's entry: migrate on the connection that ``open_ledger`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from churnwatch.ledger.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
