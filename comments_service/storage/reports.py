"""The table of reports: what readers object to, for moderators alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base


class Report(Base):
    """One reader's report of one comment, open until a moderator has settled it.

    `reporter` is a keyed hash of the comment's id and the network. It and the note go after a month, and then
    the whole row if it is settled.
    """

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("comment_id", "reporter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    reporter: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(500), default="")
    is_settled: Mapped[bool] = mapped_column(default=False)
    reported_at: Mapped[datetime] = mapped_column(index=True)
