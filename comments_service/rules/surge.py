"""An article that suddenly gets far more comments than it usually does, and when that is over again.

What the service took for spam by itself is none of them, whatever people said about it later.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.rules.judge import CATCHING
from comments_service.storage.models import Comment, Thread
from comments_service.storage.rules import Surge

WINDOW = timedelta(minutes=10)
NORMAL_OVER = timedelta(days=7)
FLOOR = 20  # comments in the window: a lively new article is no surge yet
FACTOR = 6  # a busy hour has some times the week's average, nights included


def notice_surge(session: Session, thread: Thread, *, now: datetime) -> bool:
    """Whether the comment that comes now falls into a surge of its article; begins or prolongs it.

    A surge ends `WINDOW` after the last comment that came too quickly, by itself.
    """
    current = _current(session, thread.id, now)
    is_too_quick = _is_too_quick(session, thread, now)
    if current is None and is_too_quick:
        session.add(Surge(thread_id=thread.id, began_at=now, ends_at=now + WINDOW))
    elif current is not None and is_too_quick:
        current.ends_at = now + WINDOW
    return current is not None or is_too_quick


def _current(session: Session, thread_id: int, now: datetime) -> Surge | None:
    lasting = select(Surge).where(Surge.thread_id == thread_id, Surge.ends_at > now)
    return session.scalars(lasting.order_by(Surge.ends_at.desc()).limit(1)).first()


def _is_too_quick(session: Session, thread: Thread, now: datetime) -> bool:
    recent = 1 + _came(session, thread.id, now - WINDOW, now)
    if recent < FLOOR:
        return False
    recent -= _edits(session, thread.id, now - WINDOW, now)
    if recent < FLOOR:
        return False
    before = min(NORMAL_OVER, now - WINDOW - thread.created_at)
    if before < WINDOW:
        return True  # too young to have a normal: the floor alone counts
    came = _came(session, thread.id, now - WINDOW - before, now - WINDOW)
    return recent >= FACTOR * came / (before / WINDOW)


def is_in_surge(session: Session, thread: Thread, *, now: datetime) -> bool:
    """Whether the article is in a surge just now, for what is no comment that comes."""
    return _current(session, thread.id, now) is not None


def _edits(session: Session, thread_id: int, after: datetime, until: datetime) -> int:
    """How many of these were edits of what was there. Asked for when it is close alone."""
    count = select(func.count()).where(
        Comment.edits_id.is_not(None),
        Comment.verdict_reason.not_in(CATCHING),
        Comment.thread_id == thread_id,
        Comment.created_at > after,
        Comment.created_at <= until,
    )
    return session.scalar(count) or 0


def _came(session: Session, thread_id: int, after: datetime, until: datetime) -> int:
    """How many came and were published, or held."""
    count = select(func.count()).where(
        Comment.thread_id == thread_id,
        Comment.created_at > after,
        Comment.created_at <= until,
        Comment.verdict_reason.not_in(CATCHING),
    )
    return session.scalar(count) or 0
