"""The tables beside the journal: versions of words, who is banned or trusted, who looks at what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base


class Revision(Base):
    """One version of a comment's words. Number 1 is what the author sent; they all go with the comment."""

    __tablename__ = "revision"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(245))
    website: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    written_at: Mapped[datetime]


class Standing(Base):
    """Somebody is banned from a site, or trusted there, by one trace of theirs.

    `mark` says which: a chain of receipts (`root_id`), an email or a network (`hash`), a `domain`. `label`
    is what moderators see: masked. It holds until `ends_at`, or until somebody lifts it.
    """

    __tablename__ = "standing"
    __table_args__ = (
        Index("ix_standing_site_hash", "site_id", "hash"),
        Index("ix_standing_site_root", "site_id", "root_id"),
        Index("ix_standing_site_domain", "site_id", "domain"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str] = mapped_column(String(10))
    mark: Mapped[str] = mapped_column(String(10))
    root_id: Mapped[int | None]
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    domain: Mapped[str | None] = mapped_column(String(253))
    label: Mapped[str] = mapped_column(String(260))
    note: Mapped[str] = mapped_column(String(200), default="")
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]


class Claim(Base):
    """Somebody looks at a comment just now: a courtesy to the others, not a lock."""

    __tablename__ = "claim"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"))
    ends_at: Mapped[datetime]
