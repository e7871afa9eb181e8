"""What people decide teaches Akismet: lessons are put down with the decision, and leave later, like letters.

It hears of a comment it was asked about, where people made something else of it than it said, or was told
last. A lesson that has not left when the decision is taken back never leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from comments_service.neighbours.heard import Opinion, opinion_kept
from comments_service.options import Neighbour
from comments_service.storage.models import Comment
from comments_service.storage.neighbours import NeighbourLesson as Row
from comments_service.storage.outbox import State

MOST_AT_ONCE = 100  # comments of one bulk: a wave of one text is one opinion


def put_down(
    session: Session, comment_ids: Sequence[int], *, is_spam: bool, now: datetime
) -> dict[int, dict[str, Any]]:
    """Put down what Akismet is to hear of these comments; what the journal keeps of it, by comment."""
    wanted = Opinion.SPAM if is_spam else Opinion.HAM
    found = select(Comment.id, Comment.site_id, Comment.verdict).where(
        Comment.id.in_(comment_ids[:MOST_AT_ONCE]), Comment.is_letter.is_(False), Comment.edits_id.is_(None)
    )
    told = {}
    for row in session.execute(found.order_by(Comment.id)):
        said = opinion_kept(row.verdict, Neighbour.AKISMET)
        if said is not None and _correct(session, row.site_id, row.id, said, wanted, now):
            told[row.id] = {"akismet": str(wanted)}
    return told


def take_back(
    session: Session, comment_id: int, details: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Tell it the opposite of what an earlier decision told, if it did; what the journal keeps of it."""
    if "akismet" not in details:
        return {}
    opposite = Opinion.HAM if details["akismet"] == Opinion.SPAM else Opinion.SPAM
    put_down(session, [comment_id], is_spam=opposite is Opinion.SPAM, now=now)
    return {"akismet": str(opposite)}


def _correct(
    session: Session, site_id: int, comment_id: int, said: str, wanted: Opinion, now: datetime
) -> bool:
    """See to it that it ends up with what people think; whether it did not think so before."""
    before = _believed(session, comment_id, said)
    if before == wanted:
        return False
    unsent = update(Row).where(Row.comment_id == comment_id, Row.state == State.WAITING, Row.tries == 0)
    session.execute(unsent.values(state=State.UNNEEDED, settled_at=now, error="It was taken back."))
    if _believed(session, comment_id, said) != wanted:
        is_spam = wanted is Opinion.SPAM
        session.add(Row(site_id=site_id, comment_id=comment_id, is_spam=is_spam, due_at=now, created_at=now))
        session.flush()
    return True


def _believed(session: Session, comment_id: int, said: str) -> str:
    """What it takes the comment for once all that lies here has left."""
    last = select(Row.is_spam).where(Row.comment_id == comment_id, Row.state.in_([State.WAITING, State.SENT]))
    is_spam = session.scalars(last.order_by(Row.id.desc()).limit(1)).first()
    return said if is_spam is None else Opinion.SPAM if is_spam else Opinion.HAM
