"""What a moderator sees: one page of comments with all it takes to decide, and the counts by status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from comments_service import markup
from comments_service.errors import KeyRefused, SiteNotFound
from comments_service.privacy import Keyring, mask_email
from comments_service.snapshot import Position, comment_view, cursor, read_cursor
from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.people import Moderator
from comments_service.storage.sites import find_site
from comments_service.submit import EMAIL_COLUMN
from comments_service.vocabulary import Access, CommentView, Role, Status

ALL = (Status.PENDING, Status.APPROVED)  # what moderators mean by "all": neither spam nor trash
LONG_TEXT_CHARACTERS = 1_200  # longer ones are folded, so that one comment does not fill the page
EXCERPT_CHARACTERS = 280
UNREADABLE_EMAIL = "•••"
EXPLAINED = {
    "every-comment-waits": Status.PENDING,
    "known-author": Status.APPROVED,
}  # by the verdict's reason


@dataclass(frozen=True)
class QueueQuestion:
    """Which part of the queue. `status` None means all that is neither spam nor trash."""

    status: Status | None = Status.PENDING
    site_key: str | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class ArticleLine:
    """The article a comment belongs to, as the queue shows it."""

    thread_id: int
    site_name: str
    title: str
    url: str
    is_open: bool
    approved_count: int


@dataclass(frozen=True)
class ParentLine:
    """The comment that this one answers. A name is missing when that comment is gone."""

    name: str | None
    excerpt: str
    permalink: str


@dataclass(frozen=True)
class QueueRow:
    """One comment in the queue. `excerpt` is set for long texts only, which are shown folded.

    `reason` says why the service put it where it stands; None once somebody has put it elsewhere.
    """

    view: CommentView
    version: int
    masked_email: str | None
    excerpt: str | None
    reason: str | None
    article: ArticleLine
    parent: ParentLine | None

    @property
    def id(self) -> int:
        """The comment's own id."""
        return self.view.id

    @property
    def status(self) -> Status:
        """Where the comment stands."""
        return self.view.status


@dataclass(frozen=True)
class SiteLine:
    """One site to filter by."""

    key: str
    name: str


@dataclass(frozen=True)
class QueuePage:
    """One page of the queue. `waiting` counts all sites, whatever the page is filtered by."""

    question: QueueQuestion
    rows: tuple[QueueRow, ...]
    counts: Mapping[Status, int]
    waiting: int
    sites: tuple[SiteLine, ...]
    next_cursor: str | None

    @property
    def count_of_all(self) -> int:
        """How many there are in the view of all."""
        return sum(self.counts[status] for status in ALL)


@dataclass(frozen=True)
class Happened:
    """What became of a comment that somebody wanted to decide about. `by` is None for the service itself."""

    comment_id: int
    author: str | None = None
    status: Status | None = None
    by: str | None = None
    by_id: int | None = None
    at: datetime | None = None
    version: int | None = None


def queue_page(question: QueueQuestion, *, access: Access, keys: Keyring, page_size: int) -> QueuePage:
    """One page of the queue, the newest first: what this person may see.

    Raises: SiteNotFound; Malformed for a cursor that nobody gave out.
    """
    position = read_cursor(question.cursor) if question.cursor else None
    with reading() as session:
        everywhere = access.sites()
        site_ids = everywhere
        if question.site_key:
            site_id = find_site(session, question.site_key).id
            if not access.may(Role.VIEWER, site_id):
                raise SiteNotFound
            site_ids = frozenset({site_id})
        found = list(session.execute(_page(question, site_ids, position).limit(page_size + 1)))
        rows = found[:page_size]
        last = rows[-1].Comment if len(found) > page_size else None
        return QueuePage(
            question=question,
            rows=tuple(_row(row.Comment, row.Thread, row.Site, row.parent, keys) for row in rows),
            counts=_counts(session, site_ids),
            waiting=_counts(session, everywhere)[Status.PENDING],
            sites=_sites(session, everywhere),
            next_cursor=cursor(Position(last.created_at, last.id)) if last else None,
        )


def happened_to(comment_ids: Iterable[int], *, access: Access) -> list[Happened]:
    """Where these comments stand now, and who brought them there; nothing of those one may not see."""
    ids = sorted(set(comment_ids))
    with reading() as session:
        names = select(Comment.id, Comment.name, Comment.status).where(Comment.id.in_(ids))
        if (site_ids := access.sites()) is not None:
            names = names.where(Comment.site_id.in_(site_ids))
        left = names.where(Comment.is_purged.is_(False))
        comments = {row.id: row for row in session.execute(left)}
        decisions = _last_decisions(session, ids)
    return [
        Happened(number)
        if (comment := comments.get(number)) is None
        else replace(
            decisions.get(number, Happened(number)), author=comment.name, status=Status(comment.status)
        )
        for number in ids
    ]


def _page(
    question: QueueQuestion, site_ids: frozenset[int] | None, position: Position | None
) -> Select[Comment, Thread, Site, Comment]:
    parent = aliased(Comment, name="parent")
    page = (
        select(Comment, Thread, Site, parent)
        .join(Thread, Thread.id == Comment.thread_id)
        .join(Site, Site.id == Comment.site_id)
        .outerjoin(parent, parent.id == Comment.parent_id)
        .where(Comment.status.in_(ALL if question.status is None else (question.status,)))
        .where(Comment.is_purged.is_(False))
        .order_by(Comment.created_at.desc(), Comment.id.desc())
    )
    if site_ids is not None:
        page = page.where(Comment.site_id.in_(site_ids))
    if position is not None:
        moment, number = position.created_at, position.id
        older = and_(Comment.created_at == moment, Comment.id < number)
        page = page.where(or_(Comment.created_at < moment, older))
    return page


def _row(comment: Comment, thread: Thread, site: Site, parent: Comment | None, keys: Keyring) -> QueueRow:
    is_long = len(comment.text) > LONG_TEXT_CHARACTERS
    return QueueRow(
        view=comment_view(comment, comment.page_url, site.max_depth, is_own=True),
        version=comment.version,
        masked_email=_masked(comment, keys),
        excerpt=markup.excerpt(comment.text, EXCERPT_CHARACTERS) if is_long else None,
        reason=comment.verdict_reason if EXPLAINED.get(comment.verdict_reason) == comment.status else None,
        article=ArticleLine(
            thread.id, site.name, thread.title, thread.url, thread.is_open, thread.approved_count
        ),
        parent=_parent(parent) if parent is not None else None,
    )


def _parent(parent: Comment) -> ParentLine:
    if parent.is_purged:
        return ParentLine(None, "", "")
    permalink = f"{parent.page_url.partition('#')[0]}#comment-{parent.id}"
    return ParentLine(parent.name, markup.excerpt(parent.text, EXCERPT_CHARACTERS), permalink)


def _masked(comment: Comment, keys: Keyring) -> str | None:
    if comment.email_sealed is None:
        return None
    try:
        return mask_email(keys.open(comment.email_sealed, column=EMAIL_COLUMN))
    except KeyRefused:  # one damaged row must not close the whole queue
        return UNREADABLE_EMAIL


def _counts(session: Session, site_ids: frozenset[int] | None) -> Mapping[Status, int]:
    counted = select(Comment.status, func.count()).where(Comment.is_purged.is_(False))
    if site_ids is not None:
        counted = counted.where(Comment.site_id.in_(site_ids))
    found: dict[str, int] = dict(session.execute(counted.group_by(Comment.status)).all())
    return {status: found.get(status, 0) for status in Status}


def _last_decisions(session: Session, ids: Sequence[int]) -> dict[int, Happened]:
    decided = (JournalRow.comment_id.in_(ids), JournalRow.action == DECIDED)
    latest = select(func.max(JournalRow.id)).where(*decided).group_by(JournalRow.comment_id)
    rows = session.execute(
        select(JournalRow, Moderator.name)
        .outerjoin(Moderator, Moderator.id == JournalRow.moderator_id)
        .where(JournalRow.id.in_(latest))
    )
    return {
        row.comment_id: Happened(
            row.comment_id, by=name, by_id=row.moderator_id, at=row.happened_at, version=row.version
        )
        for row, name in rows
        if row.comment_id is not None
    }


def _sites(session: Session, site_ids: frozenset[int] | None) -> tuple[SiteLine, ...]:
    sites = select(Site).order_by(Site.name)
    if site_ids is not None:
        sites = sites.where(Site.id.in_(site_ids))
    return tuple(SiteLine(site.key, site.name) for site in session.scalars(sites))
