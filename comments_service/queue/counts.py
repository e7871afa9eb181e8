"""How many comments each view holds, without reading a single one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from comments_service.queue.question import View
from comments_service.queue.scope import Scope
from comments_service.storage.models import Comment, Thread
from comments_service.vocabulary import Status

COUNTED = (Status.PENDING, Status.SPAM, Status.TRASH)  # the articles themselves know what is approved


def counts_of(session: Session, scope: Scope, moderator_id: int) -> tuple[Mapping[View, int], int]:
    """The counts of all views on the sites asked for, and how many wait on every site there is to see."""
    by_site = Counter(_approved(session, scope)) + Counter(_others(session, scope))
    by_site.subtract(_empty_places(session, scope))
    asked: Counter[str] = Counter()
    for (site_id, status), count in by_site.items():
        asked[status] += count if site_id in scope.asked else 0
    counts = {View(status): asked[status] for status in Status}
    counts[View.ALL] = counts[View.PENDING] + counts[View.APPROVED]
    counts[View.MINE] = _mine(session, scope, moderator_id)
    counts[View.REPORTED] = _reported(session, scope)
    counts[View.CHECK] = _to_check(session, scope)
    waiting = sum(count for (_, status), count in by_site.items() if status == Status.PENDING)
    return counts, waiting


def _approved(session: Session, scope: Scope) -> dict[tuple[int, str], int]:
    shown = select(Thread.site_id, func.sum(Thread.approved_count)).where(Thread.site_id.in_(scope.sites))
    grouped = session.execute(shown.group_by(Thread.site_id))
    return {(site_id, Status.APPROVED): int(count) for site_id, count in grouped}


def _others(session: Session, scope: Scope) -> dict[tuple[int, str], int]:
    counted = select(Comment.site_id, Comment.status, func.count()).where(
        Comment.status.in_(COUNTED), Comment.site_id.in_(scope.sites)
    )
    return _by_site(session.execute(counted.group_by(Comment.site_id, Comment.status)))


def _empty_places(session: Session, scope: Scope) -> dict[tuple[int, str], int]:
    """What stands in the trash only because somebody answered it: counted above, yet never shown."""
    counted = select(Comment.site_id, Comment.status, func.count()).where(
        Comment.is_purged.is_(True), Comment.site_id.in_(scope.sites)
    )
    return _by_site(session.execute(counted.group_by(Comment.site_id, Comment.status)))


def _mine(session: Session, scope: Scope, moderator_id: int) -> int:
    own = select(func.count()).where(
        Comment.moderator_id == moderator_id,
        Comment.site_id.in_(scope.asked),
        Comment.status.in_(View.MINE.statuses),
        Comment.is_purged.is_(False),
    )
    return session.scalar(own) or 0


def _reported(session: Session, scope: Scope) -> int:
    reported = select(func.count()).where(
        Comment.report_count > literal_column("0"),  # as the index has it, so that it is used
        Comment.site_id.in_(scope.asked),
        Comment.status.in_(View.REPORTED.statuses),
    )
    return session.scalar(reported) or 0


def _to_check(session: Session, scope: Scope) -> int:
    caught = select(func.count()).where(
        Comment.is_quietly_declined.is_(True),
        Comment.site_id.in_(scope.asked),
        Comment.status.in_(View.CHECK.statuses),
        Comment.is_purged.is_(False),
    )
    return session.scalar(caught) or 0


def _by_site(rows: Iterable[Any]) -> dict[tuple[int, str], int]:
    return {(site_id, status): count for site_id, status, count in rows}
