"""The outbox: letters are put down with what they tell of, claimed by one worker, and settled.

A claim is one statement and ends with its commit, so that no transaction stays open while a mail server is
talked to. `tries` grows with each claim and is named when it is settled: a worker that took too long, whose
letter another one has claimed since, settles nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from comments_service.notify.recipients import HOUR, wanting_each
from comments_service.settings import Settings
from comments_service.storage.database import lock_for, reading, transaction
from comments_service.storage.models import Comment
from comments_service.storage.outbox import Kind, LetterWish, Outbox, State, Wish
from comments_service.vocabulary import Status

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LEASE = 5 * MINUTE  # longer than any letter may take to be handed over
# After the first failure, the second… and after the last of them a letter is dead: 8 tries in 45 hours
WAITS = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY)
MAX_TRIES = len(WAITS) + 1
DIGEST_HOUR = 8  # UTC
MAX_SENTENCE = 200
CLAIMS = b"outbox claims"
VANISHED = "The worker ended while it sent this, again and again."


@dataclass(frozen=True)
class Claimed:
    """A letter that one worker has for itself until the lease ends."""

    id: int
    kind: Kind
    moderator_id: int
    site_id: int | None
    comment_id: int | None
    address_hash: bytes | None
    tries: int
    created_at: datetime


def enqueue(session: Session, comment: Comment, *, settings: Settings, now: datetime) -> None:
    """Put down a letter to everybody who wants one for each comment, within the caller's transaction."""
    if settings.smtp_url is None or comment.status != Status.PENDING or comment.is_quietly_declined:
        return
    for moderator_id in wanting_each(session, comment.site_id):
        session.add(
            Outbox(
                kind=Kind.WAITING,
                moderator_id=moderator_id,
                site_id=comment.site_id,
                comment_id=comment.id,
                due_at=now,
                created_at=now,
            )
        )


def claim(*, settings: Settings, now: datetime, count: int = 1) -> list[Claimed]:
    """Take letters that are due, the longest due first, as many as the installation may send now.

    Nobody else gets them until their lease ends. Letters that a worker took along each time it died are
    given up here.
    """
    if not _is_any_due(now):
        return []
    with transaction() as session:
        lock_for(session, hashlib.sha256(CLAIMS).digest())
        _give_up_vanished(session, now)
        count = min(count, _left_of_minute(session, settings.letters_per_minute, now))
        if count <= 0:
            return []
        due = (
            select(Outbox.id)
            .where(_is_free(now), Outbox.tries < MAX_TRIES)
            .order_by(Outbox.due_at, Outbox.id)
            .limit(count)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        taken = (
            update(Outbox)
            .where(Outbox.id.in_(select(due.c.id)))
            .values(lease_until=now + LEASE, tries=Outbox.tries + 1)
            .returning(Outbox)
            .execution_options(populate_existing=True)
        )
        return [_claimed(row) for row in session.scalars(taken)]


def is_held(claimed: Claimed, *, now: datetime) -> bool:
    """Whether the lease still holds: whoever was held up since the claim must not send it, too."""
    mine = _is_mine(claimed)
    with reading() as session:
        return session.scalars(select(Outbox.id).where(mine, Outbox.lease_until > now)).first() is not None


def settle_sent(claimed: Claimed, *, now: datetime) -> bool:
    """It was handed over."""
    return _settle(claimed, state=State.SENT, settled_at=now, error="")


def settle_unneeded(claimed: Claimed, why: str, *, now: datetime) -> bool:
    """What it would have told is no longer so."""
    return _settle(claimed, state=State.UNNEEDED, settled_at=now, error=why[:MAX_SENTENCE])


def settle_failed(claimed: Claimed, why: str, *, is_permanent: bool, now: datetime) -> bool:
    """It was refused: for good, or to be tried again after a wait that grows."""
    if is_permanent or claimed.tries >= MAX_TRIES:
        return _settle(claimed, state=State.DEAD, settled_at=now, error=why[:MAX_SENTENCE])
    return _settle(claimed, due_at=now + WAITS[claimed.tries - 1], error=why[:MAX_SENTENCE])


def settle_later(claimed: Claimed, *, at: datetime) -> bool:
    """It may not leave yet: nothing was tried."""
    return _settle(claimed, due_at=at, tries=claimed.tries - 1)


def settle_folded(claimed: Claimed, *, at: datetime, now: datetime) -> bool:
    """Leave it to a digest of its site, which leaves at `at` unless one waits already."""
    with transaction() as session:
        if not _settle_within(
            session, claimed, state=State.UNNEEDED, settled_at=now, error="It comes with a digest."
        ):
            return False  # somebody else has it by now, or it has gone: nothing is left to tell
        lock_for(
            session, hashlib.sha256(f"digest {claimed.moderator_id} {claimed.site_id}".encode()).digest()
        )
        waiting = select(Outbox.id).where(
            Outbox.moderator_id == claimed.moderator_id,
            Outbox.site_id == claimed.site_id,
            Outbox.kind == Kind.DIGEST,
            Outbox.state == State.WAITING,
            or_(Outbox.lease_until.is_(None), Outbox.lease_until <= now),  # not one that is being written
        )
        if session.scalars(waiting.limit(1)).first() is None:
            session.add(_digest(claimed.moderator_id, claimed.site_id, due_at=at, now=now))
        return True


def plan_digests(*, now: datetime) -> int:
    """Put down the digests whose time has come, where anything is to be told; how many.

    An hourly one tells of something new; a daily one reminds of whatever waits.
    """
    with reading() as session:
        due = session.execute(
            select(LetterWish.moderator_id, LetterWish.site_id, LetterWish.wish, LetterWish.next_digest_at)
            .where(LetterWish.next_digest_at <= now)
            .order_by(LetterWish.moderator_id, LetterWish.site_id)
        ).all()
    if not due:
        return 0
    planned = 0
    with transaction() as session:
        for row in due:
            mine = update(LetterWish).where(
                LetterWish.moderator_id == row.moderator_id,
                LetterWish.site_id == row.site_id,
                LetterWish.wish == row.wish,
                LetterWish.next_digest_at == row.next_digest_at,
            )
            moved = session.execute(mine.values(next_digest_at=next_digest(Wish(row.wish), now=now)))
            since = row.next_digest_at - HOUR if row.wish == Wish.HOURLY else None
            if _rows(moved) and is_waiting(session, row.site_id, since=since):
                session.add(_digest(row.moderator_id, row.site_id, due_at=now, now=now))
                planned += 1
    return planned


def next_digest(wish: Wish, *, now: datetime) -> datetime | None:
    """When the next digest is due: at the full hour, or at 08:00 UTC; None for those who want none."""
    moment = now.astimezone(UTC)
    if wish == Wish.HOURLY:
        return moment.replace(minute=0, second=0, microsecond=0) + HOUR
    if wish == Wish.DAILY:
        today = moment.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
        return today if today > moment else today + DAY
    return None


def is_waiting(session: Session, site_id: int, *, since: datetime | None = None) -> bool:
    """Whether anything waits for a decision on a site, or has begun to since then."""
    waiting = select(Comment.id).where(
        Comment.status == Status.PENDING, Comment.site_id == site_id, Comment.is_quietly_declined.is_(False)
    )
    if since is not None:
        waiting = waiting.where(Comment.created_at >= since)
    return session.scalars(waiting.limit(1)).first() is not None


def _is_any_due(now: datetime) -> bool:
    # A look costs SQLite no turn as its only writer
    with reading() as session:
        return session.scalars(select(Outbox.id).where(_is_free(now)).limit(1)).first() is not None


def _is_free(now: datetime) -> ColumnElement[bool]:
    return and_(
        Outbox.state == State.WAITING,
        Outbox.due_at <= now,
        or_(Outbox.lease_until.is_(None), Outbox.lease_until <= now),
    )


def _left_of_minute(session: Session, limit: int, now: datetime) -> int:
    gone = and_(Outbox.state == State.SENT, Outbox.settled_at > now - MINUTE)
    leaving = and_(Outbox.state == State.WAITING, Outbox.lease_until > now)
    return limit - (session.scalar(select(func.count()).select_from(Outbox).where(or_(gone, leaving))) or 0)


def _give_up_vanished(session: Session, now: datetime) -> None:
    lost = update(Outbox).where(_is_free(now), Outbox.tries >= MAX_TRIES)
    session.execute(lost.values(state=State.DEAD, settled_at=now, lease_until=None, error=VANISHED))


def _digest(moderator_id: int, site_id: int | None, *, due_at: datetime, now: datetime) -> Outbox:
    return Outbox(kind=Kind.DIGEST, moderator_id=moderator_id, site_id=site_id, due_at=due_at, created_at=now)


def _settle(claimed: Claimed, **values: object) -> bool:
    with transaction() as session:
        return _settle_within(session, claimed, **values)


def _settle_within(session: Session, claimed: Claimed, **values: object) -> bool:
    mine = update(Outbox).where(_is_mine(claimed))
    return bool(_rows(session.execute(mine.values(lease_until=None, **values))))


def _is_mine(claimed: Claimed) -> ColumnElement[bool]:
    return and_(Outbox.id == claimed.id, Outbox.state == State.WAITING, Outbox.tries == claimed.tries)


def _rows(result: Any) -> int:
    return int(result.rowcount)


def _claimed(row: Outbox) -> Claimed:
    return Claimed(
        row.id,
        Kind(row.kind),
        row.moderator_id,
        row.site_id,
        row.comment_id,
        row.address_hash,
        row.tries,
        row.created_at,
    )
