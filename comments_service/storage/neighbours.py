"""The tables of neighbours: the secrets they know us by, how they fare, and what they are yet to be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base
from comments_service.storage.outbox import State


class NeighbourState(Base):
    """A site's neighbour: the sealed secret, and how many comments had to wait since it last answered.

    `why` is a code of `neighbours.heard.Trouble`. Whether the neighbour is asked is an option of the site.
    """

    __tablename__ = "neighbour"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    failures: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(String(20), default="")


class NeighbourLesson(Base):
    """What people made of a comment that Akismet took for something else; told by ids, like a letter.

    The words are found when it leaves. A comment may be gone before.
    """

    __tablename__ = "neighbour_lesson"
    __table_args__ = (
        Index("ix_neighbour_lesson_due", "state", "due_at", "id"),
        Index("ix_neighbour_lesson_settled", "state", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    comment_id: Mapped[int] = mapped_column(index=True)
    is_spam: Mapped[bool]
    state: Mapped[str] = mapped_column(String(10), default=State.WAITING)
    due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
