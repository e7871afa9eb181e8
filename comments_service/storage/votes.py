"""The table of votes: who voted is known by a hash that is good for one comment, and for a month."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base


class Vote(Base):
    """One reader's vote on one comment: 1 for it, -1 against it.

    `voter` and `network` are keyed hashes of the comment's id and what is known of the reader, so that the
    votes on two comments show no common hand. The counts stand on the comment, and outlive these rows.
    """

    __tablename__ = "vote"
    __table_args__ = (Index("ix_vote_network", "comment_id", "network"),)

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    voter: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    network: Mapped[bytes] = mapped_column(LargeBinary)
    value: Mapped[int]
    cast_at: Mapped[datetime] = mapped_column(index=True)
