"""Edits by authors that wait beside their comments, and moderators' words to authors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

IS_EDIT = sa.text("edits_id IS NOT NULL")
STAYS_BESIDE = "NOT (edits_id IS NOT NULL AND status = 'approved')"


def upgrade() -> None:
    """Add the columns. SQLite takes them with their constraints, and need not copy all comments."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE comment ADD COLUMN edits_id INTEGER"
            " CONSTRAINT fk_comment_edits_id_comment REFERENCES comment (id)"
            f" CONSTRAINT ck_comment_edits_stay_beside CHECK ({STAYS_BESIDE})"
        )
    else:
        op.add_column("comment", sa.Column("edits_id", sa.Integer(), nullable=True))
        op.create_foreign_key("fk_comment_edits_id_comment", "comment", "comment", ["edits_id"], ["id"])
        op.create_check_constraint(op.f("ck_comment_edits_stay_beside"), "comment", STAYS_BESIDE)
    op.add_column("comment", sa.Column("author_note", sa.String(length=500), nullable=True))
    for name, columns in (
        ("ix_comment_edits", ["edits_id", "id"]),
        ("ix_comment_edits_of_site", ["site_id", "created_at"]),
    ):
        op.create_index(name, "comment", columns, sqlite_where=IS_EDIT, postgresql_where=IS_EDIT)
