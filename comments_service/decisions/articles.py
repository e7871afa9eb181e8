"""Whether an article takes comments: moderators and the operator open and close it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Outcome, refuse_onlookers
from comments_service.errors import CommentNotFound
from comments_service.rights import require
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment, Thread
from comments_service.vocabulary import ModeratorView, Role

OPENED, CLOSED = "thread-opened", "thread-closed"


def open_or_close(thread_id: int, *, is_open: bool, by: ModeratorView | None, now: datetime) -> str | None:
    """Let an article take comments, or no more; the batch to undo it by, None if it was so already.

    Raises: CommentNotFound when there is no such thread; NotAllowed.
    """
    act = Act(by, now)
    with transaction() as session:
        thread = session.get(Thread, thread_id, with_for_update=True)
        if thread is None:
            raise CommentNotFound("There is no such article.")
        require(by, Role.MODERATOR, thread.site_id)
        return act.batch if _switch(session, thread, is_open, act) else None


def open_or_close_all(
    comment_ids: Collection[int], *, is_open: bool, by: ModeratorView, now: datetime
) -> Outcome:
    """The same for the articles of many comments, all in one batch; those that were so already stay.

    Raises: CommentNotFound when there are no such comments; NotAllowed, and then nothing is done.
    """
    act = Act(by, now)
    theirs = select(Comment.thread_id).where(Comment.id.in_(comment_ids), Comment.is_purged.is_(False))
    with transaction() as session:
        wanted = select(Thread).where(Thread.id.in_(theirs)).order_by(Thread.id).with_for_update()
        threads = [one for one in session.scalars(wanted) if by.access.may(Role.VIEWER, one.site_id)]
        if not threads:
            raise CommentNotFound
        refuse_onlookers(by, {thread.site_id for thread in threads})
        count = sum(_switch(session, thread, is_open, act) for thread in threads)
        return Outcome(act.batch if count else None, count=count)


def _switch(session: Session, thread: Thread, is_open: bool, act: Act) -> bool:
    if thread.is_open == is_open:
        return False
    thread.is_open = is_open
    thread.version += 1
    about = {"site_id": thread.site_id, "thread_id": thread.id, "subject": f"thread {thread.id}"}
    session.add(act.line(OPENED if is_open else CLOSED, **about))
    return True
