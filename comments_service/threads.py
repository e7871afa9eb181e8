"""The operator's look at threads: which articles have comments, and whether they take more."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.sites import find_site
from comments_service.vocabulary import Status


@dataclass(frozen=True)
class ThreadLine:
    """One article's comments in a list."""

    id: int
    site_key: str
    explicit_id: str | None
    url: str
    title: str
    is_open: bool
    approved: int
    pending: int


def list_threads(site_key: str | None = None) -> list[ThreadLine]:
    """All threads of one site or of all, the oldest first.

    Raises: SiteNotFound.
    """
    waiting = (
        select(func.count())
        .where(Comment.thread_id == Thread.id, Comment.status == Status.PENDING)
        .scalar_subquery()
    )
    lines = select(Thread, Site.key, waiting.label("pending")).join(Site, Site.id == Thread.site_id)
    with reading() as session:
        if site_key is not None:
            lines = lines.where(Thread.site_id == find_site(session, site_key).id)
        rows = session.execute(lines.order_by(Thread.id)).all()
        return [_line(row.Thread, row.key, row.pending) for row in rows]


def _line(thread: Thread, site_key: str, pending: int) -> ThreadLine:
    return ThreadLine(
        id=thread.id,
        site_key=site_key,
        explicit_id=thread.explicit_id,
        url=thread.url,
        title=thread.title,
        is_open=thread.is_open,
        approved=thread.approved_count,
        pending=pending,
    )
