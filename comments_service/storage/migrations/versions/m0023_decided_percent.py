"""How likely spam a comment looked stays with what people decided about it, when the comment is gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

CHANGED = "what stands in the journal is never changed"
# Decisions of people: what the service decided anew after an edit tells of rules, and reports say so. Of
# those that nobody made by name and whose details are gone, nobody knows
BY_PEOPLE = (
    "action = 'comment-decided' AND undoes_id IS NULL AND from_status IS NOT NULL"
    " AND (to_status IN ('approved', 'spam', 'trash') OR (from_status = 'spam' AND to_status = 'pending'))"
    " AND (moderator_id IS NOT NULL OR (reason <> 'reported'"
    " AND CAST(details AS TEXT) <> '{}' AND CAST(details AS TEXT) NOT LIKE '%\"rules\"%'))"
)
WITHOUT_SIGNALS = "is_letter OR edits_id IS NOT NULL OR moderator_id IS NOT NULL"


def upgrade() -> None:
    """Add the column, and fill it: -1 where the comment is gone, or no signals were asked."""
    op.add_column("journal", sa.Column("percent", sa.Integer(), nullable=True))
    op.execute(f"UPDATE journal SET percent = -1 WHERE {BY_PEOPLE}")  # noqa: S608
    op.execute(
        f"UPDATE journal SET percent = (SELECT CASE WHEN {WITHOUT_SIGNALS} THEN NULL ELSE spam_percent END"  # noqa: S608
        " FROM comment WHERE comment.id = journal.comment_id)"
        " WHERE percent IS NOT NULL AND comment_id IN (SELECT id FROM comment WHERE NOT is_purged)"
    )
    is_there = sa.text("percent IS NOT NULL")
    op.create_index(
        "ix_journal_percent", "journal", ["site_id", "id"], sqlite_where=is_there, postgresql_where=is_there
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER journal_percent_stays BEFORE UPDATE ON journal"
            f" WHEN NEW.percent IS NOT OLD.percent BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END"
        )
    else:
        op.execute(
            "CREATE FUNCTION journal_percent_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NEW.percent IS DISTINCT FROM OLD.percent THEN RAISE EXCEPTION '{CHANGED}'; END IF;"
            " RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER journal_percent_stays BEFORE UPDATE ON journal"
            " FOR EACH ROW EXECUTE FUNCTION journal_percent_stays()"
        )
