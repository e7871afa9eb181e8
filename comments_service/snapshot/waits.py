"""How long comments of a site usually wait for a person, taken from its latest decisions."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import select

from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.vocabulary import Status

ROWS = 500  # of the journal that are looked at: as quick on a site that decides thousands a day
FEWEST = 5  # fewer say nothing
RECENT = timedelta(days=30)


def usual_wait(site_id: int, *, now: datetime) -> timedelta | None:
    """The median time from a comment's coming to a person's decision; None where there were too few."""
    latest = (
        select(JournalRow)
        .where(JournalRow.site_id == site_id)
        .order_by(JournalRow.id.desc())
        .limit(ROWS)
        .subquery()
    )
    decided = (
        select(latest.c.happened_at, Comment.created_at)
        .join(Comment, Comment.id == latest.c.comment_id)
        .where(
            latest.c.action == DECIDED,
            latest.c.from_status == Status.PENDING,
            latest.c.moderator_id.is_not(None),
            latest.c.undoes_id.is_(None),
            latest.c.happened_at > now - RECENT,
        )
    )
    with reading() as session:
        took = [row.happened_at - row.created_at for row in session.execute(decided)]
    return median(took) if len(took) >= FEWEST else None
