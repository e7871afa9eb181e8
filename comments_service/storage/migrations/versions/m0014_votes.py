"""Votes of readers, and the order of top-level comments by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

IS_PICKED = sa.text("picked_at IS NOT NULL")


def upgrade() -> None:
    """Add the counts and the table; both databases take the columns without copying a row."""
    for table, column in (("comment", "up_count"), ("comment", "down_count"), ("thread_root", "rank")):
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "vote",
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("voter", sa.LargeBinary(), nullable=False),
        sa.Column("network", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name="fk_vote_comment_id_comment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", "voter", name="pk_vote"),
    )
    op.create_index("ix_vote_network", "vote", ["comment_id", "network"])
    op.create_index("ix_vote_cast_at", "vote", ["cast_at"])
    op.create_index("ix_thread_root_top", "thread_root", ["thread_id", "rank", "created_at", "comment_id"])
    op.create_index(
        "ix_comment_picked",
        "comment",
        ["thread_id", "picked_at"],
        sqlite_where=IS_PICKED,
        postgresql_where=IS_PICKED,
    )
