"""What became of comments that somebody wanted to decide about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.storage.people import Moderator
from comments_service.vocabulary import Access, Status


@dataclass(frozen=True)
class Happened:
    """Where a comment stands now, and who brought it there. `by` is None for the service itself."""

    comment_id: int
    author: str | None = None
    status: Status | None = None
    by: str | None = None
    by_id: int | None = None
    at: datetime | None = None
    version: int | None = None


def happened_to(comment_ids: Iterable[int], *, access: Access) -> list[Happened]:
    """Where these comments stand now, and who brought them there; nothing of those one may not see."""
    ids = sorted(set(comment_ids))
    with reading() as session:
        names = select(Comment.id, Comment.name, Comment.status).where(Comment.id.in_(ids))
        if (site_ids := access.sites()) is not None:
            names = names.where(Comment.site_id.in_(site_ids))
        left = names.where(Comment.is_purged.is_(False))
        comments = {row.id: row for row in session.execute(left)}
        decisions = _last_decisions(session, ids)
    return [
        Happened(number)
        if (comment := comments.get(number)) is None
        else replace(
            decisions.get(number, Happened(number)), author=comment.name, status=Status(comment.status)
        )
        for number in ids
    ]


def _last_decisions(session: Session, ids: Sequence[int]) -> dict[int, Happened]:
    decided = (
        JournalRow.comment_id.in_(ids),
        JournalRow.action == DECIDED,
        JournalRow.from_status.is_not(None),
    )
    latest = select(func.max(JournalRow.id)).where(*decided).group_by(JournalRow.comment_id)
    rows = session.execute(
        select(JournalRow, Moderator.name)
        .outerjoin(Moderator, Moderator.id == JournalRow.moderator_id)
        .where(JournalRow.id.in_(latest))
    )
    return {
        row.comment_id: Happened(
            row.comment_id, by=name, by_id=row.moderator_id, at=row.happened_at, version=row.version
        )
        for row, name in rows
        if row.comment_id is not None
    }
