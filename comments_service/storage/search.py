"""The words of every comment, where a search looks for them: FTS5 on SQLite, a GIN index on PostgreSQL.

An index only proposes comments that have all the words; whether they stand as asked is read from the stored
words themselves, by the same comparison on both databases. So both give the same answers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Mapped, Session, mapped_column

from comments_service.storage.base import Base
from comments_service.storage.models import Comment
from comments_service.words import Phrase, words

# Word for word as the index has it, or PostgreSQL would not use it
_VECTOR = "array_to_tsvector(array_remove(string_to_array(btrim(comment_words.words), ' '), ''))"


class CommentWords(Base):
    """The words of one comment: name, website, text and page address, with a blank on each side of a word.

    Two blanks part the fields, so that no phrase reaches from one into the next.
    """

    __tablename__ = "comment_words"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    words: Mapped[str] = mapped_column(Text)


# FTS5's index of the table above. It has no copy of the words, so it must be told the old ones to drop them;
# triggers could do that, but they may not use it while the schema is not trusted (`PRAGMA trusted_schema`)
_FTS = Table(
    "comment_search",
    MetaData(),
    Column("rowid", Integer, primary_key=True),
    Column("comment_search", Text),
    Column("words", Text),
)


def index(session: Session, comment: Comment) -> None:
    """Keep the words of a comment that is new or was changed, within the caller's transaction."""
    session.flush()
    forget(session, [comment.id])
    kept = {"comment_id": comment.id, "words": spread(comment)}
    session.execute(insert(CommentWords).values(kept))
    if not _is_postgresql(session):
        session.execute(insert(_FTS).values(rowid=kept["comment_id"], words=kept["words"]))


def forget(session: Session, ids: Collection[int]) -> None:
    """Drop the words of these comments, within the caller's transaction."""
    known = CommentWords.comment_id.in_(ids)
    if not _is_postgresql(session):
        old = select(literal("delete"), CommentWords.comment_id, CommentWords.words).where(known)
        session.execute(insert(_FTS).from_select(["comment_search", "rowid", "words"], old))
    session.execute(delete(CommentWords).where(known))


def spread(comment: Comment) -> str:
    """A comment's words as they are stored."""
    fields = (comment.name, comment.website or "", comment.text, comment.page_url)
    return f" {'  '.join(' '.join(found) for field in fields if (found := words(field)))} "


def having(session: Session, phrases: Sequence[Phrase]) -> Select[Any]:
    """The ids of all comments that have these phrases.

    Beginnings of one letter are asked of the index too: a common one is found by reading a page in its order,
    before anybody comes here, and a rare one would have all comments be read.
    """
    terms = [term for phrase in phrases for term in _terms(phrase)]
    as_asked = [_stands(session, phrase) for phrase in phrases if len(phrase.words) > 1]
    if _is_postgresql(session):
        query = " & ".join(f"'{word}'{':*' if is_open else ''}" for word, is_open in terms)
        fits = literal_column(_VECTOR).op("@@")(cast(query, TSQUERY))
        return select(CommentWords.comment_id).where(fits, *as_asked)
    query = " AND ".join(f'"{word}"{"*" if is_open else ""}' for word, is_open in terms)
    known = select(_FTS.c.rowid.label("comment_id")).where(_FTS.c.comment_search.op("MATCH")(query))
    if as_asked:
        known = known.join(CommentWords, CommentWords.comment_id == _FTS.c.rowid).where(*as_asked)
    return known


def has(session: Session, comment: type[Comment], phrases: Sequence[Phrase]) -> ColumnElement[bool]:
    """Whether a comment has all of these phrases."""
    sought = [_stands(session, phrase) for phrase in phrases]
    return exists().where(CommentWords.comment_id == comment.id, and_(*sought))


def _stands(session: Session, phrase: Phrase) -> ColumnElement[bool]:
    place = func.strpos if _is_postgresql(session) else func.instr
    return place(CommentWords.words, _as_stored(phrase)) > 0


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _terms(phrase: Phrase) -> list[tuple[str, bool]]:
    last = len(phrase.words) - 1
    return [(word, phrase.is_open and number == last) for number, word in enumerate(phrase.words)]


def _as_stored(phrase: Phrase) -> str:
    return f" {' '.join(phrase.words)}{'' if phrase.is_open else ' '}"
