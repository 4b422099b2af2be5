"""The ledger's tables as they are now; ``migrations/`` tells how a database gets there."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

VERSION_TABLE = "ledger_version"
"""Not Alembic's usual name: the ledger may share a PostgreSQL database with MLflow, which uses that one."""

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every schema this program knows, oldest first; the last one is the schema below."""

APPEND_ONLY = ("lists", "list_rows", "assignments", "outcomes", "vetoes", "promotions", "audit")
"""Tables whose rows are never changed nor deleted; so are those of runs once a run has ended."""


class Instant(TypeDecorator[datetime]):
    """A moment: aware in Python, stored as naive UTC with microseconds, the same on every database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's)
        """To naive UTC; a time without a zone is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the ledger takes aware times, and {value.isoformat()} has no zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's)
        """Back to aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class CivilDay(TypeDecorator[date]):
    """A day of the deployment's calendar. A ``datetime`` is refused: its date could be another zone's day."""

    impl = Date
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> date | None:  # noqa: ARG002 (SQLAlchemy's)
        """Only a day."""
        if isinstance(value, datetime):
            raise ValueError(f"the ledger takes a civil day here, and {value.isoformat()} is an instant")
        return value


class Number(TypeDecorator[float]):
    """A finite number. SQLite would keep NaN as nothing, and PostgreSQL as more than every other number."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002 (SQLAlchemy's)
        """Only what is a number."""
        if value is not None and not math.isfinite(value):
            raise ValueError(f"the ledger takes numbers, and {value} is no finite number")
        return value


metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("as_of", CivilDay),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("status", Text, nullable=False),
    Column("program_version", Text, nullable=False),
    Column("model_version", Text),
    Column("detail", JSON, nullable=False),
    CheckConstraint("status IN ('running', 'done', 'failed')", name="runs_status"),
    CheckConstraint("(status = 'running') = (finished_at IS NULL)", name="runs_finished"),
)

lists = Table(
    "lists",
    metadata,
    Column("list_id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.run_id", name="lists_run"), nullable=False),
    Column("deployment", Text, nullable=False),
    Column("as_of", CivilDay, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_version", Text),
    Column("baseline", Text),
    Column("files", JSON, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("also", JSON(none_as_null=True)),
    Column("seen_outcome", Integer),
    Column("seen_veto", Integer),
    UniqueConstraint("deployment", "as_of", "revision", name="lists_one_revision"),
    CheckConstraint("revision >= 1", name="lists_revision"),
    CheckConstraint("model_version IS NOT NULL OR baseline IS NOT NULL", name="lists_ranked_by"),
)

list_rows = Table(
    "list_rows",
    metadata,
    Column("list_id", Integer, ForeignKey("lists.list_id", name="list_rows_list"), primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("risk", Number),
    Column("band", Text),
    Column("change", Number),
    Column("rising_since", CivilDay),
    Column("value_at_risk", Number),
    Column("reasons", JSON, nullable=False),
    Column("last_contact", CivilDay),
    Column("last_survey", Text),
    Column("action", Text, nullable=False),
    Column("due", CivilDay, nullable=False),
    Column("listed_for", Text),
    Column("also_model", Text),
    Column("also_risk", Number),
    Column("also_band", Text),
    Column("also_change", Number),
    Column("expected_score", Number),
    Column("expected_change", Number),
    Column("proactive", Text),
    Column("account_owner", Text),
    Column("handed", Text),
    Column("back_early", Text),
    Column("action_name", Text),
    Column("action_minutes", Integer),
    Column("signs", JSON(none_as_null=True)),
    Column("worth", Number),
    Column("counterfactual", Text),
    CheckConstraint("risk >= 0 AND risk <= 1", name="list_rows_risk"),
    CheckConstraint("band IN ('healthy', 'watch', 'at_risk', 'critical')", name="list_rows_band"),
    CheckConstraint("rank >= 1", name="list_rows_rank"),
    Index("list_rows_of_customer", "customer_id"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("assignment_id", Integer, primary_key=True),
    Column("list_id", Integer, ForeignKey("lists.list_id", name="assignments_list"), nullable=False),
    Column("deployment", Text, nullable=False),
    Column("epoch", CivilDay, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("band", Text, nullable=False),
    Column("risk", Number),
    Column("worth", Number),
    Column("decided_on", CivilDay, nullable=False),
    UniqueConstraint("deployment", "epoch", "customer_id", name="assignments_one_arm"),
    CheckConstraint("arm IN ('treated', 'held_out')", name="assignments_arm"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("outcome_id", Integer, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("list_id", Integer, ForeignKey("lists.list_id", name="outcomes_list")),
    Column("list_day", CivilDay),
    Column("day", CivilDay, nullable=False),
    Column("at", Instant, nullable=False),
    Column("known_at", Instant, nullable=False),
    Column("words", JSON, nullable=False),
    Column("snooze_until", CivilDay),
    Column("why", Text),
    Column("action_name", Text),
    Column("channel", Text),
    Column("owner", Text),
    Column("by", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("replaces", Integer, ForeignKey("outcomes.outcome_id", name="outcomes_replaces")),
    UniqueConstraint("replaces", name="outcomes_replaced_once"),
    Index("outcomes_of_customer", "deployment", "customer_id"),
)

vetoes = Table(
    "vetoes",
    metadata,
    Column("veto_id", Integer, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("lifted", Boolean, nullable=False),
    Index("vetoes_of_customer", "deployment", "customer_id"),
)

promotions = Table(
    "promotions",
    metadata,
    Column("promotion_id", Integer, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("previous_version", Text),
    Column("moved_at", Instant, nullable=False),
    Column("moved_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("gate", JSON, nullable=False),
    Index("promotions_of_model", "deployment", "model", "alias"),
)

audit = Table(
    "audit",
    metadata,
    Column("entry", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("kind", "number", name="audit_once"),
    CheckConstraint("entry >= 1", name="audit_entry"),
)
