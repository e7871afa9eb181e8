"""One published comment, for whoever wants to say something of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from comments_service.errors import CommentNotFound
from comments_service.snapshot.views import comment_view
from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Site, Thread
from comments_service.vocabulary import CommentView, SiteView, Status


@dataclass(frozen=True)
class Published:
    """A comment that readers see, its site, and by which address and id its article is known."""

    site: SiteView
    view: CommentView
    article_url: str
    article_id: str | None


def published(comment_id: int) -> Published:
    """The comment with this id.

    Raises: CommentNotFound, also for one that readers do not see.
    """
    shown = select(Comment, Thread, Site).join(Thread, Thread.id == Comment.thread_id)
    shown = shown.join(Site, Site.id == Comment.site_id)
    with reading() as session:
        row = session.execute(
            shown.where(Comment.id == comment_id, Comment.status == Status.APPROVED)
        ).first()
        if row is None:
            raise CommentNotFound
        view = comment_view(row.Comment, row.Comment.page_url, 1)
        return Published(row.Site.view(), view, row.Thread.url, row.Thread.explicit_id)
