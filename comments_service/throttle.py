"""How often one network may post: indexed queries over what is stored."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.errors import TooManyComments
from comments_service.settings import Settings
from comments_service.storage.models import Comment
from comments_service.storage.trails import EVER, latest_of_network

COUNTED_FOR = timedelta(hours=1)  # of one network
CLOCK_SLACK = timedelta(minutes=1)  # rows from a clock that was set back must not lock anybody out for long


def refuse_haste(
    session: Session, *, site_id: int, network_hashes: tuple[bytes, ...], settings: Settings, now: datetime
) -> None:
    """Let the submission pass, or say when to come back.

    Raises: TooManyComments, with `retry_after_seconds`.
    """
    wait = max(
        _network_wait(session, network_hashes, settings, now), _site_wait(session, site_id, settings, now)
    )
    if wait > timedelta(0):
        raise TooManyComments(retry_after_seconds=max(1, math.ceil(wait.total_seconds())))


def _network_wait(
    session: Session, hashes: tuple[bytes, ...], settings: Settings, now: datetime
) -> timedelta:
    lately = {**EVER, "hashes": hashes, "after": now - COUNTED_FOR, "until": now + CLOCK_SLACK}
    rows = session.execute(latest_of_network(settings.submissions_per_hour), lately)
    times: list[datetime] = [row.created_at for row in rows]
    if not times:
        return timedelta(0)
    wait = times[0] + timedelta(seconds=settings.submission_interval_seconds) - now
    if len(times) >= settings.submissions_per_hour:
        wait = max(wait, times[-1] + COUNTED_FOR - now)
    return wait


def _site_wait(session: Session, site_id: int, settings: Settings, now: datetime) -> timedelta:
    minute = timedelta(minutes=1)
    recent = select(func.count(), func.min(Comment.created_at)).where(
        Comment.site_id == site_id, Comment.created_at > now - minute, Comment.created_at <= now + CLOCK_SLACK
    )
    count, oldest = session.execute(recent).one()
    return oldest + minute - now if count >= settings.site_submissions_per_minute else timedelta(0)
