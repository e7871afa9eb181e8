"""Fills articles with comments by the thousand, straight into the tables, for measurements and tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from comments_service.storage.models import Comment, Thread
from comments_service.storage.roots import show_roots
from comments_service.storage.threads import open_thread
from comments_service.vocabulary import ArticleRef, Status

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=7)


def numbered(number: int) -> str:
    """A short text that says which comment it is."""
    return f"Comment number {number} of the article.\n\nIt has *two* paragraphs, as many have."


def add(
    session: Session,
    site_id: int,
    article: ArticleRef,
    count: int,
    *,
    below: int | None = None,
    status: Status = Status.APPROVED,
    with_votes: bool = False,
    text: Callable[[int], str] = numbered,
) -> list[int]:
    """Add so many comments, each later than the one before: on the first level, or replies of one there."""
    thread = open_thread(session, site_id, article, title="A long article", now=BEGAN)
    offset = session.scalar(select(func.count()).where(Comment.thread_id == thread.id)) or 0
    rows = [
        {
            "site_id": site_id,
            "thread_id": thread.id,
            "parent_id": below,
            "root_id": below,
            "depth": 2 if below else 1,
            "name": f"Reader {number % 97}",
            "text": text(number),
            "page_url": article.url,
            "status": str(status),
            "verdict_reason": "no-rule",
            "created_at": BEGAN + STEP * number,
            "status_changed_at": BEGAN + STEP * number,
            "up_count": number * number % 41 if with_votes else 0,
            "down_count": number % 7 if with_votes else 0,
        }
        for number in range(offset, offset + count)
    ]
    made = insert(Comment).returning(Comment.id, sort_by_parameter_order=True)
    ids = list(session.scalars(made, rows))
    if status == Status.APPROVED:
        shown = {"approved_count": Thread.approved_count + count, "version": Thread.version + 1}
        session.execute(update(Thread).where(Thread.id == thread.id).values(shown))
        show_roots(session, [below] if below else ids)
    return ids
