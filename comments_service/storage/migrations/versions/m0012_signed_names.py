"""Badges of comments, and who wrote them where the owner's own site signs names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns that old comments have nothing in."""
    op.add_column("comment", sa.Column("badge", sa.String(length=10), nullable=True))
    op.add_column("comment", sa.Column("signer_hash", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_comment_signer",
        "comment",
        ["site_id", "signer_hash", "status"],
        sqlite_where=sa.text("signer_hash IS NOT NULL"),
        postgresql_where=sa.text("signer_hash IS NOT NULL"),
    )
