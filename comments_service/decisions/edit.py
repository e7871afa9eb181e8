"""A moderator mends a comment's name, website or text. What the author sent stays, as the first revision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Late, Outcome, Why, before, decision, locked
from comments_service.decisions.showing import shows_otherwise
from comments_service.decisions.verbs import EDITED
from comments_service.storage.database import transaction
from comments_service.storage.decisions import Revision
from comments_service.storage.models import Comment
from comments_service.storage.search import index
from comments_service.vocabulary import ModeratorView, Status


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


def edit(
    comment_id: int, version: int, words: Words, *, by: ModeratorView | None, now: datetime, reason: str = ""
) -> Outcome:
    """Put other words in the place of a comment's, as it was shown in this version.

    Nothing is done, and nothing is late, when they are the same. Raises: NotAllowed.
    """
    act = Act(by, now, reason)
    with transaction() as session:
        found = locked(session, [comment_id], by).get(comment_id)
        if found is None:
            return Outcome(late=(Late(comment_id, Why.GONE),))
        comment = session.get_one(Comment, comment_id, populate_existing=True)
        if Words.of(comment) == words:
            return Outcome()
        if comment.version != version:
            return Outcome(late=(Late(comment_id, Why.CHANGED),))
        was, now_is = _revisions(session, comment, words, act)
        details = {"before": before(found, ["edited_at"]), "revision": was, "to_revision": now_is}
        session.add(act.row(found, EDITED, details=details))
        write(comment, words, now)
        index(session, comment)
        if comment.status == Status.APPROVED:
            shows_otherwise(session, {comment.thread_id: 0})
        return Outcome(act.batch, done=(decision(found, found.status),))


def write(comment: Comment, words: Words, edited_at: datetime | None) -> None:
    """Give a comment these words; its version follows."""
    comment.name, comment.website, comment.text = words.name, words.website, words.text
    comment.edited_at = edited_at
    comment.version += 1


def _revisions(session: Session, comment: Comment, words: Words, act: Act) -> tuple[int, int]:
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
