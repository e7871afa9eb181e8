"""Tickets that brought a comment, and what sites learned by the version of what was looked at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the weights anew: those that are there name no version, and no release has judged by them."""
    op.drop_table("spam_weight")
    op.create_table(
        "spam_weight",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("features", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("slot", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name="fk_spam_weight_site_id_site", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "features", "slot", name="pk_spam_weight"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "spent_ticket",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("nonce_hash", sa.LargeBinary(), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name="fk_spent_ticket_site_id_site", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "nonce_hash", name="pk_spent_ticket"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_spent_ticket_spent_at", "spent_ticket", ["spent_at"])
