"""Daily outreach: who is held out, what came of a row, who is vetoed, and what a list had seen when it was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("assignments", "outcomes", "vetoes")


def upgrade() -> None:
    """Add columns, empty in what was issued before; make three tables and keep them append-only."""
    op.add_column("lists", sa.Column("seen_outcome", sa.Integer))
    op.add_column("lists", sa.Column("seen_veto", sa.Integer))
    for name, kind in (
        ("proactive", sa.Text),
        ("account_owner", sa.Text),
        ("handed", sa.Text),
        ("back_early", sa.Text),
        ("action_name", sa.Text),
        ("action_minutes", sa.Integer),
        ("signs", sa.JSON),
        ("worth", sa.Float),
        ("counterfactual", sa.Text),
    ):
        op.add_column("list_rows", sa.Column(name, kind))
    op.create_index("list_rows_of_customer", "list_rows", ["customer_id"])
    op.create_table(
        "assignments",
        sa.Column("assignment_id", sa.Integer, primary_key=True),
        sa.Column("list_id", sa.Integer, sa.ForeignKey("lists.list_id", name="assignments_list"), nullable=False),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("epoch", sa.Date, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("arm", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("band", sa.Text, nullable=False),
        sa.Column("risk", sa.Float),
        sa.Column("worth", sa.Float),
        sa.Column("decided_on", sa.Date, nullable=False),
        sa.UniqueConstraint("deployment", "epoch", "customer_id", name="assignments_one_arm"),
        sa.CheckConstraint("arm IN ('treated', 'held_out')", name="assignments_arm"),
    )
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.Integer, primary_key=True),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("list_id", sa.Integer, sa.ForeignKey("lists.list_id", name="outcomes_list")),
        sa.Column("list_day", sa.Date),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("known_at", sa.DateTime, nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
        sa.Column("snooze_until", sa.Date),
        sa.Column("why", sa.Text),
        sa.Column("action_name", sa.Text),
        sa.Column("channel", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("replaces", sa.Integer, sa.ForeignKey("outcomes.outcome_id", name="outcomes_replaces")),
        sa.UniqueConstraint("replaces", name="outcomes_replaced_once"),
    )
    op.create_index("outcomes_of_customer", "outcomes", ["deployment", "customer_id"])
    op.create_table(
        "vetoes",
        sa.Column("veto_id", sa.Integer, primary_key=True),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("lifted", sa.Boolean, nullable=False),
    )
    op.create_index("vetoes_of_customer", "vetoes", ["deployment", "customer_id"])
    for table in APPEND_ONLY:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
