"""The audit chain: every fact is bound to all before it; those of earlier schemas enter it here."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from churnwatch.ledger.chain import START, Kind, link, texts

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The kinds of this schema, whatever later ones add.
KINDS = {
    "run": Kind("runs", "run_id", "finished_at"),
    "list": Kind("lists", "list_id", "issued_at", parts=("list_rows", "assignments")),
    "outcome": Kind("outcomes", "outcome_id", "known_at"),
    "veto": Kind("vetoes", "veto_id", "at"),
    "promotion": Kind("promotions", "promotion_id", "moved_at"),
}
BLOCK = 500


def upgrade() -> None:
    """Make the table, enter what is there in the order it became known, then close it and the runs that have ended."""
    audit = op.create_table(
        "audit",
        sa.Column("entry", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("kind", "number", name="audit_once"),
        sa.CheckConstraint("entry >= 1", name="audit_entry"),
    )
    _enter_all(op.get_bind(), audit)
    if op.get_bind().dialect.name == "postgresql":
        _forbid_in_postgresql()
    else:
        _forbid_in_sqlite()


def _enter_all(connection: sa.Connection, audit: sa.Table) -> None:
    names = [name for kind in KINDS.values() for name in (kind.table, *kind.parts)]
    # As they are at this schema, not as later programs know them.
    known = sa.MetaData()
    known.reflect(connection, only=names)
    waiting: list[tuple[Any, int, str, int]] = []
    for place, (name, kind) in enumerate(KINDS.items()):
        table = known.tables[kind.table]
        query = sa.select(table.c[kind.at], table.c[kind.number]).where(table.c[kind.at].is_not(None))
        waiting += ((at, place, name, number) for at, number in connection.execute(query))
    waiting.sort()
    previous, entry = START, 0
    for start in range(0, len(waiting), BLOCK):
        block = waiting[start : start + BLOCK]
        facts = {
            (name, number): told
            for name in {name for _, _, name, _ in block}
            for number, told in texts(
                connection,
                KINDS[name],
                [number for _, _, other, number in block if other == name],
                tables=known.tables,
            ).items()
        }
        for at, _, name, number in block:
            entry += 1
            previous = link(previous, entry=entry, kind=name, at=at, fact=facts[name, number][1])
            values = {"entry": entry, "kind": name, "number": number, "at": at, "hash": previous}
            connection.execute(sa.insert(audit).values(values))


def _forbid_in_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER runs_no_update BEFORE UPDATE ON runs WHEN OLD.status <> 'running' "
        "BEGIN SELECT RAISE(ABORT, 'runs is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER runs_no_delete BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'runs is append-only'); END"
    )


def _forbid_in_postgresql() -> None:
    refuse = "EXECUTE FUNCTION ledger_append_only()"
    op.execute(
        f"CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT {refuse}"
    )
    op.execute(f"CREATE TRIGGER runs_append_only BEFORE DELETE OR TRUNCATE ON runs FOR EACH STATEMENT {refuse}")
    op.execute(f"CREATE TRIGGER runs_ended BEFORE UPDATE ON runs FOR EACH ROW WHEN (OLD.status <> 'running') {refuse}")
