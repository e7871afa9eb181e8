"""How likely spam a comment's signals say, to order by; and the counts of surges without what was caught."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

PERCENT = {
    "sqlite": "json_extract(verdict, '$.spam.percent')",
    "postgresql": "CAST(verdict->'spam'->>'percent' AS integer)",
}


def upgrade() -> None:
    """Take the number out of the verdicts; -1 says that no signals were asked."""
    op.add_column("comment", sa.Column("spam_percent", sa.Integer(), nullable=False, server_default="-1"))
    percent = PERCENT[op.get_bind().dialect.name]
    op.execute(f"UPDATE comment SET spam_percent = {percent} WHERE {percent} IS NOT NULL")  # noqa: S608
    doubt = ["status", "site_id", "spam_percent", "created_at", "id"]
    op.create_index("ix_comment_queue_doubt", "comment", doubt)
    op.drop_index("ix_comment_thread_time", "comment")
    op.create_index("ix_comment_thread_time", "comment", ["thread_id", "created_at", "verdict_reason"])
