"""The tables of letters: what is to be told to whom, who wants what, and where letters go."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base


class Kind(StrEnum):
    """What happened, and so which letter it becomes."""

    WAITING = "waiting"  # one comment waits
    DIGEST = "digest"  # everything that waits on a site
    ADDRESS = "address"  # somebody gave an address: is it theirs?


class State(StrEnum):
    """How far a letter got. `unneeded`: what it would have told was no longer so when it was to leave."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    UNNEEDED = "unneeded"


class Wish(StrEnum):
    """When somebody wants letters about a site."""

    OFF = "off"
    EACH = "each"
    HOURLY = "hourly"
    DAILY = "daily"


class Outbox(Base):
    """One letter to one moderator, told by ids: its words are found when it leaves.

    While a worker has it, `lease_until` lies ahead; a worker that died leaves it to the next one after that.
    `error` is why the last try failed, without any address. A comment may be gone before its letter is.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "due_at", "id"),
        Index("ix_outbox_moderator", "moderator_id", "state", "settled_at"),
        Index("ix_outbox_settled", "state", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id", ondelete="CASCADE"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    comment_id: Mapped[int | None]
    address_hash: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    state: Mapped[str] = mapped_column(String(10), default=State.WAITING)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class LetterAddress(Base):
    """Where a moderator's letters go, once confirmed. A new `mark` makes the links sent there worthless."""

    __tablename__ = "letter_address"

    moderator_id: Mapped[int] = mapped_column(
        ForeignKey("moderator.id", ondelete="CASCADE"), primary_key=True
    )
    email_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    email_hash: Mapped[bytes] = mapped_column(LargeBinary)
    mark: Mapped[str] = mapped_column(String(22))
    given_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class LetterWish(Base):
    """What one moderator wants of one site; without a row: each comment, once there is an address."""

    __tablename__ = "letter_wish"

    moderator_id: Mapped[int] = mapped_column(
        ForeignKey("moderator.id", ondelete="CASCADE"), primary_key=True
    )
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    wish: Mapped[str] = mapped_column(String(10))
    next_digest_at: Mapped[datetime | None] = mapped_column(index=True)


class WorkerSign(Base):
    """When a worker was last seen at work: one row for all of them."""

    __tablename__ = "worker_sign"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    seen_at: Mapped[datetime]
