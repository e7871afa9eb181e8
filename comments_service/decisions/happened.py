"""What became of comments that somebody wanted to decide about: who changed them last, how and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.decisions.verbs import EDIT_PUBLISHED
from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.storage.people import Moderator
from comments_service.vocabulary import Access, Status


@dataclass(frozen=True)
class Happened:
    """Where a comment stands now, and the last thing done to it. `by` is None for the service or operator.

    `status` is None for a comment that is gone, or that is none of the asker's business.
    """

    comment_id: int
    author: str | None = None
    status: Status | None = None
    version: int | None = None
    action: str | None = None
    by: str | None = None
    by_id: int | None = None
    at: datetime | None = None


def happened_to(comment_ids: Iterable[int], *, access: Access) -> list[Happened]:
    """What happened to these comments, by their ids; nothing of those one may not see."""
    ids = sorted(set(comment_ids))
    left = select(Comment.id, Comment.name, Comment.status, Comment.version).where(Comment.id.in_(ids))
    if (site_ids := access.sites()) is not None:
        left = left.where(Comment.site_id.in_(site_ids))
    with reading() as session:
        comments = {row.id: row for row in session.execute(left.where(Comment.is_purged.is_(False)))}
        last = _last_changes(session, list(comments))
    return [
        Happened(number)
        if (comment := comments.get(number)) is None
        else _happened(number, comment.name, comment.status, comment.version, last.get(number))
        for number in ids
    ]


def decision_by(moderator_id: int, comment_id: int, *, version: int) -> int | None:
    """The row of the journal by which somebody decided about a comment as it was in this version."""
    row = select(JournalRow.id).where(
        JournalRow.comment_id == comment_id,
        JournalRow.moderator_id == moderator_id,
        JournalRow.version == version,
        JournalRow.action.in_((DECIDED, EDIT_PUBLISHED)),
    )
    with reading() as session:
        return session.scalars(row.limit(1)).first()


def _happened(
    number: int, author: str, status: str, version: int, last: tuple[JournalRow, str | None] | None
) -> Happened:
    if last is None:
        return Happened(number, author, Status(status), version)
    row, by = last
    return Happened(
        number, author, Status(status), version, row.action, by, row.moderator_id, row.happened_at
    )


def _last_changes(session: Session, ids: Sequence[int]) -> dict[int, tuple[JournalRow, str | None]]:
    changed = (JournalRow.comment_id.in_(ids), JournalRow.version.is_not(None))
    latest = select(func.max(JournalRow.id)).where(*changed).group_by(JournalRow.comment_id)
    rows = session.execute(
        select(JournalRow, Moderator.name)
        .outerjoin(Moderator, Moderator.id == JournalRow.moderator_id)
        .where(JournalRow.id.in_(latest))
    )
    return {row.comment_id: (row, name) for row, name in rows if row.comment_id is not None}
