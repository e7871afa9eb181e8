"""What the database says of a submission's past: asked before it is stored, in its transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, ScalarSelect, bindparam, exists, func, select, text
from sqlalchemy.orm import Session

from comments_service.clusters.joining import Likes
from comments_service.spam.evidence import History, Tally, Twins
from comments_service.storage.base import UtcDateTime
from comments_service.storage.database import reading
from comments_service.storage.models import Comment
from comments_service.storage.spam import SpentTicket
from comments_service.storage.trails import EVER, latest_of_network
from comments_service.vocabulary import Status

BY_ITSELF = ("known-author", "trusted", "no-rule")  # what the service publishes without a person
OF_NETWORK = 100  # comments of one network that are looked at, the newest
LATE, USUAL = 30, 600  # comments: how quickly the last few came, beside how quickly the last many did
RUSH_WITHIN = timedelta(minutes=10)  # nothing slower is a rush, however quiet the place usually is


@dataclass(frozen=True)
class Past:
    """Whose past is asked for. `by_author` is of whom a receipt, or the site's signature, proves.

    `own_id` is the comment that is edited: it is not its own past.
    """

    site_id: int
    network_hashes: tuple[bytes, ...]
    nonce: str | None
    likes: Likes
    by_author: Tally
    own_id: int | None = None


def look_back(session: Session, past: Past, *, now: datetime) -> History:
    """What came before."""
    ticket = _hash(past.nonce) if past.nonce is not None else b""
    asked = {**EVER, "hashes": past.network_hashes, "but": past.own_id or 0}
    asked |= {"site_id": past.site_id, "nonce_hash": ticket, "lately": now - timedelta(hours=1)}
    found = session.execute(_PAST, asked).one()
    return History(
        from_network=found.lately,
        rush=rush(found.late, found.usual, now=now),
        is_ticket_used=found.is_spent,
        twins=Twins(len(past.likes.found), decided([row for _, row in past.likes.found])),
        by_network=Tally(found.honest, found.spam),
        by_author=past.by_author,
    )


def rush(late: datetime | None, usual: datetime | None, *, now: datetime) -> float:
    """How many times as quickly as usual comments come to the whole installation, by `BEGAN`."""
    if late is None or usual is None or now - late > RUSH_WITHIN:
        return 1.0
    seconds = max((now - late).total_seconds(), 1.0)
    return max(1.0, (now - usual).total_seconds() / USUAL / (seconds / LATE))


def spend(session: Session, site_id: int, nonce: str, *, now: datetime) -> None:
    """Remember that a form has brought a comment."""
    session.execute(_SPEND, {"site_id": site_id, "nonce_hash": _hash(nonce), "spent_at": now})


def is_spent(site_id: int, nonce: str) -> bool:
    """Whether a form has brought a comment, as far as that is remembered."""
    with reading() as session:
        return session.get(SpentTicket, (site_id, _hash(nonce))) is not None


def _hash(nonce: str) -> bytes:
    return hashlib.sha256(nonce.encode()).digest()[:16]


def decided(rows: Collection[Comment | Row[Any]]) -> Tally:
    """What people made of comments; what the service does by itself would only confirm itself."""
    honest = sum(row.status == Status.APPROVED and row.verdict_reason not in BY_ITSELF for row in rows)
    spam = sum(row.status == Status.SPAM and not row.is_quietly_declined for row in rows)
    return Tally(honest, spam)


def _came(back: int) -> ScalarSelect[datetime]:
    """When the comment came that so many others followed, by their ids."""
    newest = select(func.max(Comment.id)).scalar_subquery()
    before = select(Comment.created_at).where(Comment.id <= newest - back).order_by(Comment.id.desc())
    return before.limit(1).scalar_subquery()


# Made once: to build them takes longer than to run them
BEGAN = (_came(LATE).label("late"), _came(USUAL).label("usual"))  # the last few comments, and the last many
LATEST = latest_of_network(OF_NETWORK).subquery()
SENT_LATELY = func.count().filter(LATEST.c.created_at > bindparam("lately"))
# As `decided` counts
CALLED_SPAM = func.count().filter(LATEST.c.status == Status.SPAM, LATEST.c.is_quietly_declined.is_(False))
_CALLED_HONEST = func.count().filter(
    LATEST.c.status == Status.APPROVED, LATEST.c.verdict_reason.not_in(BY_ITSELF)
)
# One question: each way to the database takes as long as what is asked there
_PAST = select(
    SENT_LATELY.label("lately"),
    _CALLED_HONEST.label("honest"),
    CALLED_SPAM.label("spam"),
    *BEGAN,
    exists()
    .where(SpentTicket.site_id == bindparam("site_id"), SpentTicket.nonce_hash == bindparam("nonce_hash"))
    .label("is_spent"),
).select_from(LATEST)
_SPEND = text(
    "INSERT INTO spent_ticket (site_id, nonce_hash, spent_at) VALUES (:site_id, :nonce_hash, :spent_at)"
    " ON CONFLICT DO NOTHING"
).bindparams(bindparam("spent_at", type_=UtcDateTime()))
