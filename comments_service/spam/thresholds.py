"""What two thresholds would have made of a site's last decisions, and how often they had been wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.reports import BY_READERS
from comments_service.errors import SiteNotFound
from comments_service.markup import excerpt
from comments_service.rights import require
from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.vocabulary import ModeratorView, Role, Status

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
    """A comment with what people made of it. `percent`: how likely spam it looked when it came."""

    id: int
    name: str
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
    """The last decisions under two thresholds. `unknown` came before comments were judged by signals."""

    decided: tuple[Decided, ...]
    unknown: int
    thresholds: Thresholds

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
        """Those that would have been treated wrongly, the honest ones in spam first."""
        fates = [(self.thresholds.fate(one.percent), one) for one in self.decided]
        caught = [one for fate, one in fates if fate == Fate.SPAM and one.status == Status.APPROVED]
        missed = [one for fate, one in fates if fate == Fate.PUBLISHED and one.status == Status.SPAM]
        return (*caught, *missed)[:MOST_WRONG]


def rehearse_thresholds(site_id: int, thresholds: Thresholds, *, by: ModeratorView | None) -> Rehearsed:
    """Hold the last 500 comments that people decided about against two thresholds. Nothing is stored.

    Raises: SiteNotFound; NotAllowed.
    """
    require(by, Role.VIEWER, site_id, unseen=SiteNotFound)
    with reading() as session:
        rows = _decided(session, site_id)
        known = tuple(_as_decided(row) for row in rows if "spam" in row.verdict)
        return Rehearsed(known, len(rows) - len(known), thresholds)


def _decided(session: Session, site_id: int) -> Sequence[Any]:
    ids = _decided_by_people(session, site_id)
    columns = (Comment.id, Comment.name, Comment.text, Comment.status, Comment.verdict)
    wanted = select(*columns).where(
        Comment.id.in_(ids),
        Comment.status.in_(PEOPLE),
        Comment.is_purged.is_(False),
        Comment.is_letter.is_(False),
        Comment.edits_id.is_(None),
        Comment.moderator_id.is_(None),
    )
    return session.execute(wanted.order_by(Comment.id.desc())).all()


def _decided_by_people(session: Session, site_id: int) -> list[int]:
    """The comments of the last decisions that no rule and no report made."""
    rows = (
        select(JournalRow.comment_id, JournalRow.reason, JournalRow.details)
        .where(
            JournalRow.site_id == site_id,
            JournalRow.action == DECIDED,
            JournalRow.from_status.is_not(None),
            JournalRow.comment_id.is_not(None),
        )
        .order_by(JournalRow.id.desc())
        .limit(ROWS)
    )
    found = session.execute(rows)
    by_people = (row.comment_id for row in found if "rules" not in row.details and row.reason != BY_READERS)
    return list(_first(by_people, DECISIONS))


def _first(numbers: Iterable[int], count: int) -> Iterable[int]:
    return list(dict.fromkeys(numbers))[:count]


def _as_decided(row: Any) -> Decided:
    percent = int(row.verdict["spam"].get("percent", 0))
    return Decided(row.id, row.name, excerpt(row.text, EXCERPT_CHARACTERS), percent, Status(row.status))
