"""What stands in the journal stays as it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHANGED = "what stands in the journal is never changed"
DELETED = "what stands in the journal is never deleted"
KEPT = (
    *("id", "happened_at", "moderator_id", "action", "site_id", "thread_id", "comment_id"),
    *("from_status", "to_status", "version", "batch"),
)


def upgrade() -> None:
    """Let the database itself refuse to change and delete rows.

    Erasing may blank what could name somebody. Retention may delete up to the row that it writes into
    `journal_retention` (a table, as SQLite's triggers know no settings), and forget which of these a later
    row took back.
    """
    op.create_table(
        "journal_retention",
        sa.Column("until_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("until_id", name=op.f("pk_journal_retention")),
    )
    if op.get_bind().dialect.name == "sqlite":
        guard_sqlite()
    else:
        guard_postgresql()


def is_swept(row: str) -> str:
    """Whether retention may take this row now."""
    return f"EXISTS (SELECT 1 FROM journal_retention WHERE until_id >= {row})"  # noqa: S608 -- names of our own


def guard_sqlite() -> None:
    """Two triggers: SQLite knows no other way to empty a table."""
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in KEPT)
    blanked = " OR ".join(f"NEW.{name} NOT IN (OLD.{name}, '')" for name in ("reason", "subject"))
    undoing = (
        f"NEW.undoes_id IS NOT OLD.undoes_id AND (NEW.undoes_id NOT NULL OR NOT {is_swept('OLD.undoes_id')})"
    )
    op.execute(
        "CREATE TRIGGER journal_stays BEFORE UPDATE ON journal"
        f" WHEN {changed} OR {blanked} OR NEW.details NOT IN (OLD.details, '{{}}') OR ({undoing})"
        f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END"
    )
    op.execute(
        f"CREATE TRIGGER journal_keeps BEFORE DELETE ON journal WHEN NOT {is_swept('OLD.id')}"
        f" BEGIN SELECT RAISE(ABORT, '{DELETED}'); END"
    )


def guard_postgresql() -> None:
    """The same, and against emptying the table at one go."""
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in KEPT)
    blanked = " OR ".join(f"NEW.{name} NOT IN (OLD.{name}, '')" for name in ("reason", "subject"))
    undoing = (
        "NEW.undoes_id IS DISTINCT FROM OLD.undoes_id"
        f" AND (NEW.undoes_id IS NOT NULL OR NOT {is_swept('OLD.undoes_id')})"
    )
    details = "NEW.details::text NOT IN (OLD.details::text, '{}')"
    refuse("journal_stays", f"{changed} OR {blanked} OR {details} OR ({undoing})", CHANGED, "NEW")
    refuse("journal_keeps", f"NOT {is_swept('OLD.id')}", DELETED, "OLD")
    refuse("journal_is_never_emptied", "TRUE", DELETED, "NULL")
    op.execute(trigger("journal_stays", "UPDATE", "ROW"))
    op.execute(trigger("journal_keeps", "DELETE", "ROW"))
    op.execute(trigger("journal_is_never_emptied", "TRUNCATE", "STATEMENT"))


def refuse(name: str, condition: str, words: str, answer: str) -> None:
    """A function that lets a trigger's row pass, or not."""
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {condition} THEN RAISE EXCEPTION '{words}'; END IF; RETURN {answer}; END $$"
    )


def trigger(name: str, event: str, each: str) -> str:
    """The statement that makes a function guard the journal."""
    return f"CREATE TRIGGER {name} BEFORE {event} ON journal FOR EACH {each} EXECUTE FUNCTION {name}()"
