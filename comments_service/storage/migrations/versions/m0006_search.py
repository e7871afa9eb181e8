"""The search: the words of every comment, and an index for every order and filter of the queue."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 500
FTS = (
    "CREATE VIRTUAL TABLE comment_search USING fts5(words, content='comment_words',"
    " content_rowid='comment_id', tokenize='ascii', detail=none, columnsize=0)"
)
FILL_FTS = "INSERT INTO comment_search(comment_search) VALUES ('rebuild')"
GIN = (
    "CREATE INDEX ix_comment_words_search ON comment_words USING gin"
    " (array_to_tsvector(array_remove(string_to_array(btrim(words), ' '), ''))) WITH (fastupdate = off)"
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    make_indexes()
    op.create_table(
        "comment_words",
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comment.id"],
            name=op.f("fk_comment_words_comment_id_comment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_comment_words")),
    )
    if is_sqlite:
        op.execute(FTS)
    fill()
    op.execute(FILL_FTS if is_sqlite else GIN)


def make_indexes() -> None:
    """One index for each order of the queue, and for each filter that leaves few comments."""
    for order, column in {"article": "thread_id", "author": "name", "risk": "risk"}.items():
        columns = ["status", "site_id", column, "created_at", "id"]
        op.create_index(f"ix_comment_queue_{order}", "comment", columns)
    op.drop_index("ix_comment_email", "comment")
    op.create_index("ix_comment_email", "comment", ["site_id", "email_hash", "status"])
    partial(
        "ix_comment_cluster",
        ["cluster_id", "site_id", "status", "created_at", "id"],
        "cluster_id IS NOT NULL",
    )
    partial("ix_comment_moderator", ["moderator_id", "created_at"], "moderator_id IS NOT NULL")
    partial("ix_comment_flagged", ["site_id", "id"], "flag_count > 0")
    partial("ix_comment_letters", ["site_id", "id"], "is_letter IS true", "is_letter IS 1")
    partial("ix_comment_purged", ["site_id", "status"], "is_purged IS true", "is_purged IS 1")


def partial(name: str, columns: list[str], condition: str, on_sqlite: str | None = None) -> None:
    """An index of some rows only."""
    op.create_index(
        name,
        "comment",
        columns,
        postgresql_where=sa.text(condition),
        sqlite_where=sa.text(on_sqlite or condition),
    )


def fill() -> None:
    """Store the words of the comments that are there already."""
    connection, last = op.get_bind(), 0
    more = sa.text(
        "SELECT id, name, website, text, page_url FROM comment"
        " WHERE id > :last AND NOT is_purged ORDER BY id LIMIT :batch"
    )
    keep = sa.text("INSERT INTO comment_words (comment_id, words) VALUES (:comment_id, :words)")
    while rows := connection.execute(more, {"last": last, "batch": BATCH}).all():
        connection.execute(keep, [{"comment_id": row[0], "words": spread(*row[1:])} for row in rows])
        last = rows[-1][0]


# From here on: how words were told apart when this migration was written.

MAX_WORD_CHARACTERS = 64
PLAIN = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h"}
KEPT_MARKS = "\u3099\u309a"
TATWEEL = "\u0640"
BY_CHARACTER = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)


def spread(name: str, website: str | None, text: str, page_url: str) -> str:
    fields = (words(field) for field in (name, website or "", text, page_url))
    return f" {'  '.join(' '.join(found) for found in fields if found)} "


def words(text: str) -> list[str]:
    folded = text.casefold()
    if folded.isascii():
        found = re.findall("[a-z0-9]+", folded)
    else:
        bare = unicodedata.normalize("NFKD", folded).casefold()
        bare = "".join(c for c in bare if not is_mark(c))
        found = "".join(map(written, unicodedata.normalize("NFC", bare))).split()
    return [word[:MAX_WORD_CHARACTERS] for word in found]


def is_mark(character: str) -> bool:
    if character in KEPT_MARKS:
        return False
    return unicodedata.category(character) in ("Mn", "Me") or character == TATWEEL


def written(character: str) -> str:
    if character in PLAIN:
        return PLAIN[character]
    kind = unicodedata.category(character)
    is_letter = kind[0] in "LN"
    if kind == "So" or (is_letter and any(a <= ord(character) <= b for a, b in BY_CHARACTER)):
        return f" {character} "
    return character if is_letter or kind == "Mc" else " "
