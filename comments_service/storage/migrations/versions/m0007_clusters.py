"""What like comments are found by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Comments that are there already join no cluster, and nobody joins them."""
    op.create_table(
        "cluster_key",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_cluster_key_comment_id_comment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", "comment_id", name=op.f("pk_cluster_key")),
    )
    op.create_index(op.f("ix_cluster_key_comment_id"), "cluster_key", ["comment_id"])
