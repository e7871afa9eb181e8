"""A commenter's email, opened for one moderator's eyes. Each opening leaves a line in the journal."""

from __future__ import annotations

from datetime import datetime

from comments_service.errors import CommentNotFound
from comments_service.privacy import Keyring
from comments_service.rights import require
from comments_service.storage.database import transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment
from comments_service.submit import EMAIL_COLUMN
from comments_service.vocabulary import ModeratorView, Role


def reveal_email(comment_id: int, *, by: ModeratorView, keys: Keyring, now: datetime) -> str:
    """The email a comment came with.

    Raises: CommentNotFound when there is no such comment, or it came without an email; NotAllowed.
    """
    with transaction() as session:
        comment = session.get(Comment, comment_id)
        if comment is None or comment.is_purged or comment.email_sealed is None:
            raise CommentNotFound
        require(by, Role.MODERATOR, comment.site_id)
        email = keys.open(comment.email_sealed, column=EMAIL_COLUMN)
        session.add(
            JournalRow(
                happened_at=now,
                moderator_id=by.id,
                action="email-revealed",
                site_id=comment.site_id,
                thread_id=comment.thread_id,
                comment_id=comment_id,
                subject=f"comment {comment_id}",
            )
        )
        return email
