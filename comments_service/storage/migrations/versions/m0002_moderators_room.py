"""The moderators' room: one journal, roles by site, and what the queue shows of a comment."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COMMENT_COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("moderator_id", sa.Integer(), nullable=True),
    sa.Column("is_letter", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("is_quietly_declined", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("picked_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("flag_count", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("risk", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("cluster_id", sa.Integer(), nullable=True),
    sa.Column("proven_root_id", sa.Integer(), nullable=True),
    sa.Column("verdict", sa.JSON(), nullable=False, server_default="{}"),
)


def upgrade() -> None:
    """Merge decisions and audit into the journal; let everybody who could decide own every site."""
    make_journal()
    make_grants()
    with op.batch_alter_table("comment", table_kwargs={"sqlite_autoincrement": True}) as batch:
        for column in COMMENT_COLUMNS:
            batch.add_column(column)
        batch.create_foreign_key(
            op.f("fk_comment_moderator_id_moderator"), "moderator", ["moderator_id"], ["id"]
        )
        batch.create_check_constraint(
            op.f("ck_comment_letters_stay_inside"), "NOT (is_letter AND status = 'approved')"
        )
    op.create_table(
        "comment_reason",
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comment.id"],
            name=op.f("fk_comment_reason_comment_id_comment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("comment_id", "code", name=op.f("pk_comment_reason")),
    )
    op.create_index("ix_comment_reason_code", "comment_reason", ["code", "comment_id"])
    op.execute(
        "INSERT INTO comment_reason (comment_id, code)"
        " SELECT id, verdict_reason FROM comment WHERE NOT is_purged"
    )


def make_journal() -> None:
    """One table in the place of two, in the order of time."""
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("thread_id", sa.Integer(), nullable=True),
        sa.Column("comment_id", sa.Integer(), nullable=True),
        sa.Column("from_status", sa.String(length=10), nullable=True),
        sa.Column("to_status", sa.String(length=10), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("batch", sa.String(length=22), nullable=True),
        sa.Column("undoes_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_journal_moderator_id_moderator")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_journal_site_id_site")),
        sa.ForeignKeyConstraint(["undoes_id"], ["journal.id"], name=op.f("fk_journal_undoes_id_journal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_journal_undoes_id")),
    )
    op.create_index("ix_journal_site", "journal", ["site_id", "id"])
    op.create_index("ix_journal_comment", "journal", ["comment_id", "id"])
    op.create_index("ix_journal_moderator", "journal", ["moderator_id", "id"])
    op.create_index(op.f("ix_journal_happened_at"), "journal", ["happened_at"])
    op.create_index(op.f("ix_journal_batch"), "journal", ["batch"])
    op.execute(
        "INSERT INTO journal (happened_at, moderator_id, action, site_id, comment_id, from_status, to_status,"
        " version, reason, subject, details)"
        " SELECT happened_at, moderator_id, action, site_id, comment_id, from_status, to_status, version,"
        " reason, subject, '{}' FROM ("
        " SELECT decided_at AS happened_at, moderator_id, 'comment-decided' AS action, site_id, comment_id,"
        " from_status, to_status, comment_version AS version, reason, '' AS subject FROM decision"
        " UNION ALL SELECT happened_at, moderator_id, action, NULL, NULL, NULL, NULL, NULL, '', subject"
        " FROM audit) AS earlier ORDER BY happened_at"
    )
    op.drop_table("decision")
    op.drop_table("audit")


def make_grants() -> None:
    """Until now every moderator could do everything everywhere."""
    op.create_table(
        "grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_grant_moderator_id_moderator")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_grant_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
    )
    op.create_index(op.f("ix_grant_moderator_id"), "grant", ["moderator_id"])
    op.create_index(op.f("ix_grant_site_id"), "grant", ["site_id"])
    op.execute("INSERT INTO \"grant\" (moderator_id, role) SELECT id, 'owner' FROM moderator")
