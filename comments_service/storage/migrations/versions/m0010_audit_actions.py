"""An index that tells which actions there are, without reading the whole journal."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it; the triggers that guard the journal stay as they are."""
    op.create_index("ix_journal_action", "journal", ["action", "site_id"])
