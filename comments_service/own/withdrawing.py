"""An author withdraws a comment: it is gone for ever at once, and the journal keeps no word of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act
from comments_service.decisions.verbs import WITHDRAWN
from comments_service.errors import CommentNotFound, EditWindowClosed
from comments_service.snapshot.own import is_withdrawable
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment, Site
from comments_service.storage.removal import Trail, remove
from comments_service.vocabulary import Status


def withdraw(site_key: str, comment_id: int, *, now: datetime) -> None:
    """Remove an author's own comment; replies by others stay. Whose it is is the caller's to prove.

    Raises: CommentNotFound, also once it is gone; EditWindowClosed.
    """
    with transaction() as session:
        comment, site = locked_own(session, site_key, comment_id)
        if not is_withdrawable(comment, site.view().options.edit_minutes, now):
            raise EditWindowClosed
        take_away(session, comment, now)


def locked_own(session: Session, site_key: str, comment_id: int) -> tuple[Comment, Site]:
    """An author's own comment as it is now; nobody changes it until the transaction ends.

    Raises: CommentNotFound.
    """
    return own_as_is(session, site_key, comment_id, is_locked=True)


def own_as_is(
    session: Session, site_key: str, comment_id: int, *, is_locked: bool = False
) -> tuple[Comment, Site]:
    """An author's own comment, and its site.

    Raises: CommentNotFound.
    """
    mine = select(Comment).where(Comment.id == comment_id, Comment.edits_id.is_(None))
    mine = mine.with_for_update(key_share=True) if is_locked else mine
    comment = session.scalars(mine.execution_options(populate_existing=True)).first()
    site = session.get_one(Site, comment.site_id) if comment is not None else None
    if comment is None or site is None or comment.is_purged or site.key != site_key:
        raise CommentNotFound
    return comment, site


def take_away(session: Session, row: Comment, now: datetime) -> None:
    """Remove a comment, or an edit of one, within the caller's transaction."""
    line = Act(None, now).row(row, WITHDRAWN, from_status=row.status)
    is_called_spam = row.status == Status.SPAM and not row.is_quietly_declined
    remove(session, [row.id], trail=Trail.KEPT if is_called_spam else Trail.BRIEF)
    session.add(line)
