"""The table that finds like comments: numbers of a text's bands and of the hosts it links to."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base


class ClusterKey(Base):
    """One number that a comment shares with those like it. It goes with the comment, or after 30 days."""

    __tablename__ = "cluster_key"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True, index=True
    )
