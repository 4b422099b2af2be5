"""What further models say: their versions beside a list, the model a row is for and both its numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; they are empty in what was issued before, as no further model was asked then."""
    op.add_column("lists", sa.Column("also", sa.JSON))
    for name, kind in (
        ("listed_for", sa.Text),
        ("also_model", sa.Text),
        ("also_risk", sa.Float),
        ("also_band", sa.Text),
        ("also_change", sa.Float),
        ("expected_score", sa.Float),
        ("expected_change", sa.Float),
    ):
        op.add_column("list_rows", sa.Column(name, kind))
