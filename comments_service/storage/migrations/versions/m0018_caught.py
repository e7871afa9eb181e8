"""An index of what the service took for spam by itself, for those who check it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index; few rows are in it."""
    op.create_index(
        "ix_comment_caught",
        "comment",
        ["site_id", "status"],
        sqlite_where=sa.text("is_quietly_declined IS 1"),
        postgresql_where=sa.text("is_quietly_declined IS true"),
    )
