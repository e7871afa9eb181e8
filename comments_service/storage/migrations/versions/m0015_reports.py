"""Reports of comments by readers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

IS_REPORTED = sa.text("report_count > 0")


def upgrade() -> None:
    """Add the counts and the table; both databases take the columns without copying a row."""
    for column in ("report_count", "raised_risk"):
        op.add_column("comment", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("reporter", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name="fk_report_comment_id_comment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
        sa.UniqueConstraint("comment_id", "reporter", name="uq_report_comment_id_reporter"),
    )
    op.create_index("ix_report_reported_at", "report", ["reported_at"])
    op.create_index(
        "ix_comment_reported",
        "comment",
        ["site_id", "id"],
        sqlite_where=IS_REPORTED,
        postgresql_where=IS_REPORTED,
    )
