"""Found the ledger: runs, lists, their rows, promotions; the last three append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("lists", "list_rows", "promotions")


def upgrade() -> None:
    """Make the tables, then the triggers that keep three of them append-only."""
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Integer, primary_key=True),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("program_version", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name="runs_status"),
        sa.CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="runs_finished"),
    )
    op.create_table(
        "lists",
        sa.Column("list_id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.run_id", name="lists_run"), nullable=False),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text),
        sa.Column("baseline", sa.Text),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("issued_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("deployment", "as_of", "revision", name="lists_one_revision"),
        sa.CheckConstraint("revision >= 1", name="lists_revision"),
        sa.CheckConstraint("model_version IS NOT NULL OR baseline IS NOT NULL", name="lists_ranked_by"),
    )
    op.create_table(
        "list_rows",
        sa.Column("list_id", sa.Integer, sa.ForeignKey("lists.list_id", name="list_rows_list"), primary_key=True),
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("risk", sa.Float),
        sa.Column("band", sa.Text),
        sa.Column("change", sa.Float),
        sa.Column("rising_since", sa.Date),
        sa.Column("value_at_risk", sa.Float),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("last_contact", sa.Date),
        sa.Column("last_survey", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("due", sa.Date, nullable=False),
        sa.CheckConstraint("risk >= 0 AND risk <= 1", name="list_rows_risk"),
        sa.CheckConstraint("band IN ('healthy', 'watch', 'at_risk', 'critical')", name="list_rows_band"),
        sa.CheckConstraint("rank >= 1", name="list_rows_rank"),
    )
    op.create_table(
        "promotions",
        sa.Column("promotion_id", sa.Integer, primary_key=True),
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("previous_version", sa.Text),
        sa.Column("moved_at", sa.DateTime, nullable=False),
        sa.Column("moved_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("gate", sa.JSON, nullable=False),
    )
    op.create_index("promotions_of_model", "promotions", ["deployment", "model", "alias"])
    if op.get_bind().dialect.name == "postgresql":
        _forbid_in_postgresql()
    else:
        _forbid_in_sqlite()


def _forbid_in_sqlite() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _forbid_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
        )
