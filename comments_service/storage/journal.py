"""The table of what happened: one row for each thing somebody, or the service itself, did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base
from comments_service.vocabulary import Status

DECIDED = "comment-decided"  # the action of a change of status: `from_status` and `to_status` say which
CONFIRMED = "confirmed"  # what the service took for spam by itself, and a person, too
CAUGHT = "caught"  # what nobody has confirmed any longer
# Of a ban or trust that was made because of a comment: `details` has the id of the `standing`
BANNED, TRUSTED = STANDING_ACTIONS = ("author-banned", "author-trusted")
_HAS_PERCENT = text("percent IS NOT NULL")


class JournalRow(Base):
    """One thing that was done: never changed afterwards, and nothing personal of a commenter in it.

    `moderator_id` None means the operator or the service itself. `version` is the comment's before the
    change. Rows of one bulk share `batch`. `details` holds what an undo needs (never names, addresses or
    texts: those live and go with the comment). `undoes_id` names the row that this one took back. Where
    somebody said what a comment is, `percent` is how likely spam it had looked (-1 where no signals were
    asked): it stays when the comment is gone.
    """

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_site", "site_id", "id"),
        Index("ix_journal_comment", "comment_id", "id"),
        Index("ix_journal_moderator", "moderator_id", "id"),
        Index("ix_journal_action", "action", "site_id"),
        Index(
            "ix_journal_percent", "site_id", "id", postgresql_where=_HAS_PERCENT, sqlite_where=_HAS_PERCENT
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    action: Mapped[str] = mapped_column(String(40))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    thread_id: Mapped[int | None]
    comment_id: Mapped[int | None]
    from_status: Mapped[str | None] = mapped_column(String(10))
    to_status: Mapped[str | None] = mapped_column(String(10))
    version: Mapped[int | None]
    percent: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(200), default="")
    subject: Mapped[str] = mapped_column(String(200), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    batch: Mapped[str | None] = mapped_column(String(22), index=True)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("journal.id"), unique=True)

    @property
    def outcome(self) -> str | None:
        """What became of the comment: its status, or of what stays spam whether a person says so now."""
        if self.action != DECIDED or not self.from_status == self.to_status == Status.SPAM:
            return self.to_status
        return CONFIRMED if self.details.get("before", {}).get("is_quietly_declined") else CAUGHT


def standing(rows: Iterable[Any]) -> list[Any]:
    """Those of some rows, the first first, that were not taken back; a redo stands for what it did again."""
    left: dict[int, Any] = {}
    for row in rows:
        if left.pop(row.undoes_id, None) is None:
            left[row.id] = row
    return list(left.values())


class JournalRetention(Base):
    """How far retention may delete, for as long as its transaction lasts; else the database refuses."""

    __tablename__ = "journal_retention"

    until_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
