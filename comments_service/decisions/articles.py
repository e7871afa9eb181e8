"""Whether an article takes comments: moderators and the operator open and close it."""

from __future__ import annotations

from datetime import datetime

from comments_service.decisions.act import Act
from comments_service.errors import CommentNotFound
from comments_service.rights import require
from comments_service.storage.database import transaction
from comments_service.storage.models import Thread
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
        if thread.is_open == is_open:
            return None
        thread.is_open = is_open
        thread.version += 1
        about = {"site_id": thread.site_id, "thread_id": thread.id, "subject": f"thread {thread.id}"}
        session.add(act.line(OPENED if is_open else CLOSED, **about))
        return act.batch
