"""Neighbours that sites may ask about comments, and what these are still to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. No site that exists asks anybody."""
    op.create_table(
        "neighbour",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True)),
        sa.Column("why", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name="fk_neighbour_site_id_site", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "kind", name="pk_neighbour"),
    )
    op.create_table(
        "neighbour_lesson",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("is_spam", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name="fk_neighbour_lesson_site_id_site", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_neighbour_lesson"),
    )
    op.create_index("ix_neighbour_lesson_due", "neighbour_lesson", ["state", "due_at", "id"])
    op.create_index("ix_neighbour_lesson_settled", "neighbour_lesson", ["state", "settled_at"])
    op.create_index("ix_neighbour_lesson_comment_id", "neighbour_lesson", ["comment_id"])
