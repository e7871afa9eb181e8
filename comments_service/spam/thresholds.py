"""What two thresholds would have made of a site's last decisions, and how often they had been wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.errors import SiteNotFound
from comments_service.markup import excerpt
from comments_service.rights import require
from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow, standing
from comments_service.storage.models import Comment
from comments_service.vocabulary import NOT_JUDGED, ModeratorView, Role, Status

DECISIONS = 500
ROWS = 2_000  # of the journal that are looked at: a comment may have been decided more than once
BIN = 5  # percent
MOST_WRONG = 20
EXCERPT_CHARACTERS = 160
PEOPLE = (Status.APPROVED, Status.SPAM, Status.TRASH)


class Fate(StrEnum):
    """What becomes of a comment by its percentage alone."""

    PUBLISHED = "published"
    WAITS = "waits"
    SPAM = "spam"


@dataclass(frozen=True)
class Decided:
    """A comment with what people made of it. `percent`: how likely spam it looked when they did.

    One that was deleted since has no name.
    """

    id: int
    name: str | None
    excerpt: str
    percent: int
    status: Status


@dataclass(frozen=True)
class Thresholds:
    """From how many percent comments wait, and go to spam. 0 switches one off."""

    hold: int
    refuse: int

    def fate(self, percent: int) -> Fate:
        """What becomes of a comment."""
        if 0 < self.refuse <= percent:
            return Fate.SPAM
        return Fate.WAITS if 0 < self.hold <= percent else Fate.PUBLISHED


@dataclass(frozen=True)
class Zone:
    """The comments of one fate by what people made of them."""

    fate: Fate
    approved: int
    spam: int
    trash: int

    @property
    def wrong(self) -> int:
        """How many were treated against what people wanted."""
        return {Fate.PUBLISHED: self.spam, Fate.SPAM: self.approved}.get(self.fate, 0)


@dataclass(frozen=True)
class Bin:
    """The comments of `BIN` percents from `start` on, by what people made of them."""

    start: int
    approved: int
    spam: int
    trash: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.approved + self.spam + self.trash


@dataclass(frozen=True)
class Rehearsed:
    """The last decisions under two thresholds. Of `unknown` more nobody knows how likely spam they looked.

    Where `all_wait`, nothing is published by its percentage.
    """

    decided: tuple[Decided, ...]
    unknown: int
    thresholds: Thresholds
    all_wait: bool

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The three fates with their counts."""
        fate = self.thresholds.fate
        counts = Counter((fate(one.percent), one.status) for one in self.decided)
        return tuple(Zone(fate, *(counts[fate, status] for status in PEOPLE)) for fate in Fate)

    @property
    def bins(self) -> tuple[Bin, ...]:
        """The percentages as they are spread."""
        counts = Counter((one.percent // BIN * BIN, one.status) for one in self.decided)
        return tuple(
            Bin(start, *(counts[start, status] for status in PEOPLE)) for start in range(0, 100, BIN)
        )

    @property
    def wrong(self) -> tuple[Decided, ...]:
        """Those that would have been treated wrongly and are still there, the honest ones in spam first."""
        return tuple(one for one in self._wrong if one.name is not None)[:MOST_WRONG]

    @property
    def wrong_and_gone(self) -> int:
        """How many of them were deleted since."""
        return sum(one.name is None for one in self._wrong)

    @property
    def _wrong(self) -> tuple[Decided, ...]:
        fates = [(self.thresholds.fate(one.percent), one) for one in self.decided]
        caught = [one for fate, one in fates if fate == Fate.SPAM and one.status == Status.APPROVED]
        missed = [one for fate, one in fates if fate == Fate.PUBLISHED and one.status == Status.SPAM]
        return (*caught, *(() if self.all_wait else missed))


def rehearse_thresholds(
    site_id: int, thresholds: Thresholds, *, by: ModeratorView | None, all_wait: bool = False
) -> Rehearsed:
    """Hold the last 500 comments that people decided about against two thresholds. Nothing is stored.

    `all_wait`: whether the site's rules let every comment wait.

    Raises: SiteNotFound; NotAllowed.
    """
    require(by, Role.VIEWER, site_id, unseen=SiteNotFound)
    with reading() as session:
        said = _said(session, site_id)
        judged = {number: row for number, row in said.items() if row.percent != NOT_JUDGED}
        words = _words(session, judged)
        decided = tuple(_as_decided(row, words.get(number)) for number, row in judged.items())
        return Rehearsed(decided, len(said) - len(judged), thresholds, all_wait)


def _said(session: Session, site_id: int) -> dict[int, Any]:
    """What people said last of the comments they decided about, the last first. It outlives the comments."""
    lately = select(JournalRow.comment_id).where(
        JournalRow.site_id == site_id, JournalRow.percent.is_not(None)
    )
    ids = set(session.scalars(lately.order_by(JournalRow.id.desc()).limit(ROWS)))
    columns = (JournalRow.id, JournalRow.undoes_id, JournalRow.comment_id, JournalRow.action)
    done = select(*columns, JournalRow.to_status, JournalRow.percent).where(JournalRow.comment_id.in_(ids))
    rows = session.execute(done.order_by(JournalRow.id))
    # By action here, and not in the query: SQLite would take the index of actions, and read all decisions
    last = {row.comment_id: row for row in standing(rows) if row.action == DECIDED}
    said = sorted((row for row in last.values() if row.percent is not None), key=lambda row: -row.id)
    return {row.comment_id: row for row in said[:DECISIONS]}


def _words(session: Session, ids: Iterable[int]) -> dict[int, Any]:
    """Names and texts of those that are still there."""
    there = select(Comment.id, Comment.name, Comment.text)
    rows = session.execute(there.where(Comment.id.in_(ids), Comment.is_purged.is_(False)))
    return {row.id: row for row in rows}


def _as_decided(said: Any, words: Any | None) -> Decided:
    status = Status(said.to_status)
    return Decided(
        id=said.comment_id,
        name=words.name if words is not None else None,
        excerpt=excerpt(words.text, EXCERPT_CHARACTERS) if words is not None else "",
        percent=said.percent,
        status=Status.APPROVED if status == Status.PENDING else status,  # it was called no spam
    )
