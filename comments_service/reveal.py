"""A commenter's email, opened for one moderator's eyes. Each opening leaves a line in the audit."""

from __future__ import annotations

from datetime import datetime

from comments_service.errors import CommentNotFound
from comments_service.privacy import Keyring
from comments_service.storage.database import transaction
from comments_service.storage.models import AuditRow, Comment
from comments_service.submit import EMAIL_COLUMN


def reveal_email(comment_id: int, *, moderator_id: int, keys: Keyring, now: datetime) -> str:
    """The email a comment came with.

    Raises: CommentNotFound when there is no such comment, or it came without an email.
    """
    with transaction() as session:
        comment = session.get(Comment, comment_id)
        if comment is None or comment.is_purged or comment.email_sealed is None:
            raise CommentNotFound
        email = keys.open(comment.email_sealed, column=EMAIL_COLUMN)
        session.add(
            AuditRow(
                happened_at=now,
                moderator_id=moderator_id,
                action="email-revealed",
                subject=f"comment {comment_id}",
            )
        )
        return email
