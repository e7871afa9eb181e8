"""A published comment that readers say something of, held until it is written down."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.errors import CommentNotFound
from comments_service.storage.models import Comment, Site
from comments_service.vocabulary import Status


def lock_shown(session: Session, comment_id: int) -> tuple[Comment, Site]:
    """A published comment and its site; nobody else changes the comment until the transaction ends.

    Raises: CommentNotFound.
    """
    shown = select(Comment).where(Comment.id == comment_id, Comment.status == Status.APPROVED)
    shown = shown.with_for_update(key_share=True).execution_options(populate_existing=True)
    if (comment := session.scalars(shown).first()) is None:
        raise CommentNotFound
    return comment, session.get_one(Site, comment.site_id)
