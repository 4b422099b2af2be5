"""The triggers that keep facts as they were written: what there should be, what is gone, and back again."""

from __future__ import annotations

from itertools import product

import sqlalchemy as sa

from churnwatch.ledger.schema import APPEND_ONLY

_THERE = """
SELECT tgname, relname FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND pg_table_is_visible(tgrelid) AND proname = 'ledger_append_only'
"""


def made(dialect: str) -> dict[str, tuple[str, str]]:
    """As the migrations leave them: by name, the table and the statement that makes the trigger."""
    if dialect == "postgresql":
        refuse = "EXECUTE FUNCTION ledger_append_only()"
        every = "BEFORE UPDATE OR DELETE OR TRUNCATE"
        rest = {
            f"{table}_append_only": (table, f"{every} ON {table} FOR EACH STATEMENT {refuse}") for table in APPEND_ONLY
        }
        rest["runs_append_only"] = "runs", f"BEFORE DELETE OR TRUNCATE ON runs FOR EACH STATEMENT {refuse}"
        rest["runs_ended"] = "runs", f"BEFORE UPDATE ON runs FOR EACH ROW WHEN (OLD.status <> 'running') {refuse}"
    else:
        only = {"runs_no_update": " WHEN OLD.status <> 'running'"}
        both = product(("runs", *APPEND_ONLY), ("UPDATE", "DELETE"))
        names = {(table, verb): f"{table}_no_{verb.lower()}" for table, verb in both}
        rest = {
            name: (
                table,
                f"BEFORE {verb} ON {table}{only.get(name, '')} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
            )
            for (table, verb), name in names.items()
        }
    return {name: (table, f"CREATE TRIGGER {name} {how}") for name, (table, how) in rest.items()}


def missing(connection: sa.Connection) -> tuple[str, ...]:
    """The names of those that are gone, switched off (PostgreSQL) or no longer say what they said (SQLite), sorted."""
    expected = made(connection.dialect.name)
    if connection.dialect.name == "postgresql":
        found = {(name, table) for name, table in connection.exec_driver_sql(_THERE)}
        return tuple(sorted(name for name, (table, _) in expected.items() if (name, table) not in found))
    query = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    said = {name: (table, sql) for name, table, sql in connection.exec_driver_sql(query)}
    return tuple(sorted(name for name, how in expected.items() if said.get(name) != how))


def put_back(connection: sa.Connection) -> None:
    """Make those that are missing in a SQLite ledger again; where their table is gone, they stay gone."""
    there = sa.inspect(connection)
    expected = made("sqlite")
    for name in missing(connection):
        table, statement = expected[name]
        if there.has_table(table):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            connection.exec_driver_sql(statement)
