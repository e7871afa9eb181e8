"""From which networks comments came, also those that were taken out of the store since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    bindparam,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from comments_service.storage.base import Base
from comments_service.storage.models import Comment
from comments_service.vocabulary import Status


class NetworkTrail(Base):
    """What is left of a comment that is gone: when something came from a network, and how it stood.

    So nobody gets a new number of comments by withdrawing some, and no network a new name when its spam is
    deleted. The columns mean what they mean of comments. What its author withdrew (`is_brief`) is forgotten
    after an hour, the rest with the networks of comments.
    """

    __tablename__ = "network_trail"
    __table_args__ = (
        Index("ix_network_trail_network", "network_hash", "created_at"),
        Index("ix_network_trail_brief", "is_brief", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    network_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(10))
    verdict_reason: Mapped[str] = mapped_column(String(100))
    is_quietly_declined: Mapped[bool] = mapped_column(Boolean)
    is_brief: Mapped[bool] = mapped_column(Boolean)


# What `latest_of_network` is asked with for all there is, beside the networks
EVER: Mapping[str, Any] = {
    "after": datetime.min.replace(tzinfo=UTC),
    "until": datetime.max.replace(tzinfo=UTC),
    "but": 0,
}
_KEPT = ("site_id", "network_hash", "created_at", "status", "verdict_reason", "is_quietly_declined")
_TOLD = ("created_at", "status", "verdict_reason", "is_quietly_declined")


def leave_trails(session: Session, ids: Collection[int], *, is_brief: bool) -> None:
    """Keep of these comments, which are about to go, from which network they came."""
    columns = {name: getattr(Comment, name) for name in _KEPT}
    if is_brief:  # what its author took back speaks for nobody
        columns["status"] = literal(Status.TRASH)
    left = select(*columns.values(), literal(is_brief)).where(
        Comment.id.in_(ids), Comment.network_hash.is_not(None), Comment.edits_id.is_(None)
    )
    session.execute(insert(NetworkTrail).from_select([*_KEPT, "is_brief"], left))


@cache
def latest_of_network(most: int) -> Select[Any]:
    """The latest comments of the networks `hashes` between `after` and `until`, there or gone, newest first.

    Without the comment `but` (0: with all).

    Rows have `created_at`, `status`, `verdict_reason` and `is_quietly_declined`. Made once for each number:
    to build it takes longer than to run it.
    """
    there = _of_network(Comment, most, Comment.edits_id.is_(None), Comment.id != bindparam("but"))
    both = union_all(there, _of_network(NetworkTrail, most)).subquery()
    return select(both).order_by(both.c.created_at.desc()).limit(most)


def _of_network(source: type[Comment | NetworkTrail], most: int, *which: Any) -> Select[Any]:
    latest = (
        select(*(getattr(source, name) for name in _TOLD))
        .where(
            source.network_hash.in_(bindparam("hashes", expanding=True)),
            source.created_at > bindparam("after"),
            source.created_at <= bindparam("until"),
            *which,
        )
        .order_by(source.created_at.desc())
        .limit(most)
    )
    return select(latest.subquery())
