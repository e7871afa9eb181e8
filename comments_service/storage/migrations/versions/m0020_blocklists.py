"""Blocklists of words, domains, networks and addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and to each site the version of what is on its lists."""
    op.add_column("site", sa.Column("blocklist_version", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "blocked_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("shown", sa.String(length=260), nullable=False),
        sa.Column("folded", sa.Text(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=True),
        sa.Column("batch", sa.String(length=22), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_batch", sa.String(length=22), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name="fk_blocked_entry_site_id_site", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name="fk_blocked_entry_moderator_id_moderator"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_blocked_entry"),
    )
    op.create_index("ix_blocked_entry_site", "blocked_entry", ["site_id", "id"])
    for column in ("folded", "hash", "expires_at", "removed_at"):
        is_mark, is_there = column in ("folded", "hash"), sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_blocked_entry_{column}",
            "blocked_entry",
            ["site_id", "kind", column] if is_mark else [column],
            unique=is_mark,
            sqlite_where=is_there,
            postgresql_where=is_there,
        )
