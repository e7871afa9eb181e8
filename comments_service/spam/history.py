"""What the database says of a submission's past: asked before it is stored, in its transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from comments_service.clusters.joining import Likes
from comments_service.spam.evidence import History, Tally, Twins
from comments_service.storage.models import Comment
from comments_service.storage.spam import SpentTicket
from comments_service.vocabulary import Status

BY_ITSELF = ("known-author", "trusted", "no-rule")  # what the service publishes without a person
OF_NETWORK = 100  # comments of one network that are looked at, the newest
LATE, USUAL = 30, 600  # comments: how quickly the last few came, beside how quickly the last many did
RUSH_WITHIN = timedelta(minutes=10)  # nothing slower is a rush, however quiet the place usually is


@dataclass(frozen=True)
class Past:
    """Whose past is asked for. `is_known` and `is_spammer` are what a receipt proves of the author."""

    site_id: int
    network_hashes: tuple[bytes, ...]
    nonce: str | None
    likes: Likes
    is_known: bool = False
    is_spammer: bool = False


def look_back(session: Session, past: Past, *, now: datetime) -> History:
    """What came before."""
    rows = _of_network(session, past.network_hashes, now)
    return History(
        from_network=sum(row.created_at > now - timedelta(hours=1) for row in rows),
        rush=_rush(session, now),
        is_ticket_used=past.nonce is not None and _is_spent(session, past.site_id, past.nonce),
        twins=Twins(len(past.likes.found), _decided([row for _, row in past.likes.found])),
        by_network=_decided(rows),
        by_author=Tally(honest=int(past.is_known), spam=int(past.is_spammer)),
    )


def spend(session: Session, site_id: int, nonce: str, *, now: datetime) -> None:
    """Remember that a ticket has brought a comment."""
    if not _is_spent(session, site_id, nonce):
        session.add(SpentTicket(site_id=site_id, nonce_hash=_hash(nonce), spent_at=now))


def _is_spent(session: Session, site_id: int, nonce: str) -> bool:
    return session.get(SpentTicket, (site_id, _hash(nonce))) is not None


def _hash(nonce: str) -> bytes:
    return hashlib.sha256(nonce.encode()).digest()[:16]


def _of_network(session: Session, hashes: tuple[bytes, ...], now: datetime) -> list[Row[Any]]:
    theirs = select(Comment.created_at, Comment.status, Comment.verdict_reason, Comment.is_quietly_declined)
    theirs = theirs.where(Comment.network_hash.in_(hashes), Comment.edits_id.is_(None))
    return list(session.execute(theirs.order_by(Comment.created_at.desc()).limit(OF_NETWORK)))


def _decided(rows: Collection[Row[Any]]) -> Tally:
    """What people made of comments; what the service does by itself would only confirm itself."""
    honest = sum(row.status == Status.APPROVED and row.verdict_reason not in BY_ITSELF for row in rows)
    spam = sum(row.status == Status.SPAM and not row.is_quietly_declined for row in rows)
    return Tally(honest, spam)


def _rush(session: Session, now: datetime) -> float:
    """How many times as quickly as usual comments come to the whole installation; by their ids."""
    newest = session.scalar(select(func.max(Comment.id))) or 0
    late, usual = _came(session, newest - LATE), _came(session, newest - USUAL)
    if late is None or usual is None or now - late > RUSH_WITHIN:
        return 1.0
    seconds = max((now - late).total_seconds(), 1.0)
    return max(1.0, (now - usual).total_seconds() / USUAL / (seconds / LATE))


def _came(session: Session, number: int) -> datetime | None:
    if number <= 0:
        return None
    before = select(Comment.created_at).where(Comment.id <= number).order_by(Comment.id.desc()).limit(1)
    return session.scalar(before)
