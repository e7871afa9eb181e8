"""What decisions need beside the journal: versions of words, standings of authors, claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make three tables; nothing that is there changes."""
    op.create_table(
        "revision",
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=245), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_revision_comment_id_comment"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_revision_moderator_id_moderator")
        ),
        sa.PrimaryKeyConstraint("comment_id", "number", name=op.f("pk_revision")),
    )
    make_standings()
    op.create_table(
        "claim",
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_claim_comment_id_comment"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_claim_moderator_id_moderator")
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_claim")),
    )


def make_standings() -> None:
    """Who is banned or trusted."""
    op.create_table(
        "standing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("mark", sa.String(length=10), nullable=False),
        sa.Column("root_id", sa.Integer(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.Column("domain", sa.String(length=253), nullable=True),
        sa.Column("label", sa.String(length=260), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_standing_moderator_id_moderator")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_standing_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing")),
    )
    op.create_index("ix_standing_site_hash", "standing", ["site_id", "hash"])
    op.create_index("ix_standing_site_root", "standing", ["site_id", "root_id"])
    op.create_index("ix_standing_site_domain", "standing", ["site_id", "domain"])
