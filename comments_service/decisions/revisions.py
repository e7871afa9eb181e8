"""A comment's words and their versions. What the author sent stays, as the first of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act
from comments_service.storage.decisions import Revision
from comments_service.storage.models import Comment


@dataclass(frozen=True)
class Words:
    """What an author says: checked by a form, never safe as HTML."""

    name: str
    website: str | None
    text: str

    @classmethod
    def of(cls, kept: Comment | Revision) -> Words:
        """The words of a comment, or of one of its revisions."""
        return cls(kept.name, kept.website, kept.text)


def write(comment: Comment, words: Words, edited_at: datetime | None) -> None:
    """Give a comment these words; its version follows."""
    comment.name, comment.website, comment.text = words.name, words.website, words.text
    comment.edited_at = edited_at
    comment.version += 1


def keep_both(session: Session, comment: Comment, words: Words, act: Act) -> tuple[int, int]:
    """Keep what stands there now, if nobody has, and what comes; returns the numbers of both."""
    kept = session.scalars(select(Revision).where(Revision.comment_id == comment.id)).all()
    known = {Words.of(one): one.number for one in kept}
    last = session.scalar(select(func.max(Revision.number)).where(Revision.comment_id == comment.id)) or 0
    numbers = []
    for wanted, moderator_id, written_at in (
        (Words.of(comment), comment.moderator_id, comment.created_at),
        (words, act.by.id if act.by else None, act.now),
    ):
        if wanted not in known:
            last += 1
            known[wanted] = last
            session.add(
                Revision(
                    comment_id=comment.id,
                    number=last,
                    **vars(wanted),
                    moderator_id=moderator_id,
                    written_at=written_at,
                )
            )
        numbers.append(known[wanted])
    return numbers[0], numbers[1]
