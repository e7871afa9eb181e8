"""The top-level comments that readers see, with their numbers of replies; and options of sites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and fill it, so that a long thread opens by one stretch of an index."""
    with op.batch_alter_table("site") as batch:
        batch.add_column(sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "thread_root",
        sa.Column("comment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name="fk_thread_root_comment_id_comment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["thread_id"], ["thread.id"], name="fk_thread_root_thread_id_thread"),
        sa.PrimaryKeyConstraint("comment_id", name="pk_thread_root"),
    )
    op.execute(
        "INSERT INTO thread_root (comment_id, thread_id, created_at, replies)"
        " SELECT c.id, c.thread_id, c.created_at, coalesce(below.replies, 0) FROM comment c LEFT JOIN"
        " (SELECT root_id, count(*) AS replies FROM comment"
        " WHERE root_id IS NOT NULL AND status = 'approved' GROUP BY root_id) AS below"
        " ON below.root_id = c.id"
        " WHERE c.root_id IS NULL AND (c.status = 'approved' OR below.replies > 0)"
    )
    op.create_index("ix_thread_root_order", "thread_root", ["thread_id", "created_at", "comment_id"])
    op.create_index(
        "ix_comment_pinned",
        "comment",
        ["thread_id", "pinned_at"],
        sqlite_where=sa.text("pinned_at IS NOT NULL"),
        postgresql_where=sa.text("pinned_at IS NOT NULL"),
    )
