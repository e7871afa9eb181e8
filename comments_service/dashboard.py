"""How moderating goes: what waits, how quickly it is decided, what came in the last 30 days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from comments_service.errors import SiteNotFound
from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.people import Moderator
from comments_service.storage.rules import Surge
from comments_service.vocabulary import Access, Role, Status

DAYS = 30
NEWEST = 5_000  # rows that the figures of decisions and articles are taken from: quick however many there are
ARTICLES = 8
SURGES_OF = timedelta(days=7)
SURGES = 5


@dataclass(frozen=True)
class Day:
    """What came on one day (UTC), and how much of it stands as approved or spam by now."""

    day: date
    submitted: int
    approved: int
    spam: int


@dataclass(frozen=True)
class ArticleLine:
    """An article, and how many of the newest comments are on it."""

    title: str
    url: str
    count: int


@dataclass(frozen=True)
class PersonLine:
    """Somebody, and how many of the newest decisions were theirs."""

    name: str
    count: int


@dataclass(frozen=True)
class SurgeLine:
    """An article that got far more comments than it usually does."""

    title: str
    url: str
    began_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Decisions:
    """How the newest decisions went. None where there is nothing to take a figure from.

    `median` is from a comment's coming to a person's decision; `automatic` the share of comments that the
    service placed by itself. `people` is None for those who own none of the sites.
    """

    median: timedelta | None
    automatic: float | None
    people: tuple[PersonLine, ...] | None


@dataclass(frozen=True)
class Dashboard:
    """All of it, for the sites asked for."""

    waiting: int
    oldest_at: datetime | None
    days: tuple[Day, ...]
    decisions: Decisions
    articles: tuple[ArticleLine, ...]
    surges: tuple[SurgeLine, ...]
    sites: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing ever came in these days."""
        return not self.waiting and not any(day.submitted for day in self.days)


def dashboard(site_key: str | None, *, access: Access, now: datetime) -> Dashboard:
    """What this person may see, of all sites or of one.

    Raises: SiteNotFound for a site that is not there, or not for them.
    """
    with reading() as session:
        sites = _sites(session, access)
        ids = [site.id for site in sites if site_key in (None, site.key)]
        if site_key is not None and not ids:
            raise SiteNotFound
        waits = select(func.count(), func.min(Comment.created_at)).where(
            Comment.status == Status.PENDING, Comment.site_id.in_(ids)
        )
        waiting, oldest_at = session.execute(waits).one()
        return Dashboard(
            waiting=waiting,
            oldest_at=oldest_at,
            days=tuple(_days(session, ids, now)),
            decisions=_decisions(session, ids, access, now),
            articles=_articles(session, ids, now),
            surges=_surges(session, ids, now),
            sites=tuple((site.key, site.name) for site in sites),
        )


def _sites(session: Session, access: Access) -> list[Site]:
    sites = select(Site).order_by(Site.name, Site.id)
    if (ids := access.sites()) is not None:
        sites = sites.where(Site.id.in_(ids))
    return list(session.scalars(sites))


def _days(session: Session, ids: Sequence[int], now: datetime) -> Iterator[Day]:
    """Each count is a range of an index: cheaper than to group what may be a million rows by a date.

    Edits by authors, which are few, are taken off again: they are nothing that came.
    """
    today = now.astimezone(UTC).date()
    edits = _edits(session, ids, now - timedelta(days=DAYS))
    for back in reversed(range(DAYS)):
        day = today - timedelta(days=back)
        begin = datetime.combine(day, time(), UTC)
        came = select(func.count()).where(
            Comment.site_id.in_(ids),
            Comment.created_at >= begin,
            Comment.created_at < begin + timedelta(days=1),
        )
        approved, spam = (
            session.scalar(came.where(Comment.status == status)) or 0
            for status in (Status.APPROVED, Status.SPAM)
        )
        ours = edits.get(day, [])
        yield Day(day, (session.scalar(came) or 0) - len(ours), approved, spam - ours.count(Status.SPAM))


def _edits(session: Session, ids: Sequence[int], since: datetime) -> dict[date, list[str]]:
    """Where the edits of each day stand by now."""
    there = select(Comment.created_at, Comment.status).where(
        Comment.edits_id.is_not(None), Comment.site_id.in_(ids), Comment.created_at >= since
    )
    found: dict[date, list[str]] = {}
    for row in session.execute(there):
        found.setdefault(row.created_at.astimezone(UTC).date(), []).append(row.status)
    return found


def _decisions(session: Session, ids: Sequence[int], access: Access, now: datetime) -> Decisions:
    rows = list(_newest_decisions(session, ids, now - timedelta(days=DAYS)))
    came = [row for row in rows if row.from_status is None]
    took = [
        row.happened_at - row.created_at
        for row in rows
        if row.moderator_id is not None and row.from_status == Status.PENDING and row.created_at is not None
    ]
    owned = {site_id for site_id in ids if access.may(Role.OWNER, site_id)}
    counted = Counter(row.moderator_id for row in rows if row.site_id in owned and row.moderator_id)
    return Decisions(
        median=median(took) if took else None,
        automatic=sum(row.to_status != Status.PENDING for row in came) / len(came) if came else None,
        people=_people(session, counted) if owned else None,
    )


def _newest_decisions(
    session: Session, ids: Sequence[int], since: datetime
) -> Iterator[Row[*tuple[Any, ...]]]:
    """A share of each site: one site after the other is what the index of the journal answers at once."""
    columns = (
        *(JournalRow.site_id, JournalRow.moderator_id, JournalRow.from_status, JournalRow.to_status),
        *(JournalRow.happened_at, Comment.created_at),
    )
    for site_id in ids:
        decided = (
            select(*columns)
            .outerjoin(Comment, Comment.id == JournalRow.comment_id)
            .where(JournalRow.site_id == site_id, JournalRow.action == DECIDED)
            .order_by(JournalRow.id.desc())
            .limit(_share(ids))
        )
        yield from (row for row in session.execute(decided) if row.happened_at > since)


def _people(session: Session, counted: Counter[int]) -> tuple[PersonLine, ...]:
    names = dict(session.execute(select(Moderator.id, Moderator.name).where(Moderator.id.in_(counted))).all())
    return tuple(PersonLine(names[number], count) for number, count in counted.most_common())


def _articles(session: Session, ids: Sequence[int], now: datetime) -> tuple[ArticleLine, ...]:
    counted: Counter[int] = Counter()
    for site_id in ids:
        newest = (
            select(Comment.thread_id)
            .where(Comment.site_id == site_id, Comment.created_at > now - timedelta(days=DAYS))
            .where(Comment.edits_id.is_(None))
            .order_by(Comment.created_at.desc())
            .limit(_share(ids))
        )
        counted.update(session.scalars(newest))
    top = dict(counted.most_common(ARTICLES))
    threads = {thread.id: thread for thread in session.scalars(select(Thread).where(Thread.id.in_(top)))}
    return tuple(
        ArticleLine(threads[number].title, threads[number].url, count) for number, count in top.items()
    )


def _surges(session: Session, ids: Iterable[int], now: datetime) -> tuple[SurgeLine, ...]:
    recent = (
        select(Surge, Thread)
        .join(Thread, Thread.id == Surge.thread_id)
        .where(Thread.site_id.in_(ids), Surge.ends_at > now - SURGES_OF)
        .order_by(Surge.began_at.desc())
        .limit(SURGES)
    )
    return tuple(
        SurgeLine(thread.title, thread.url, surge.began_at, surge.ends_at)
        for surge, thread in session.execute(recent)
    )


def _share(ids: Sequence[int]) -> int:
    return max(NEWEST // len(ids), 50)
