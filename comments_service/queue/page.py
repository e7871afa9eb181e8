"""What a moderator sees: one page of comments with all it takes to decide, and the counts by view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Exists, bindparam, exists, select
from sqlalchemy.orm import Session

from comments_service.privacy import Keyring
from comments_service.queue.counts import counts_of
from comments_service.queue.lines import QueuePage, QueueRow, SiteLine, SurgeLine
from comments_service.queue.narrowing import Asker, narrowings
from comments_service.queue.order import read_cursor
from comments_service.queue.question import QueueQuestion, Sort
from comments_service.queue.rows import REASONS, Lens, rows_of
from comments_service.queue.scope import Scope, scope_of
from comments_service.queue.search import searched
from comments_service.queue.walk import Walk, ids_of
from comments_service.storage.database import TookTooLong, at_most, keep_to_indexes, reading
from comments_service.storage.models import Comment, CommentReason, Site, Thread
from comments_service.storage.rules import Surge, in_force
from comments_service.vocabulary import Access

MAX_SECONDS = 5.0  # of looking for a page; among a million comments the slowest take a third of a second
SURGES = 3  # of those that last; the dashboard has more
LOOKED_AT = 1_000  # of one reason's newest comments, to see whether it is worth offering


def queue_page(
    question: QueueQuestion,
    *,
    access: Access,
    moderator_id: int,
    keys: Keyring,
    page_size: int,
    now: datetime,
) -> QueuePage:
    """One page of the queue: what this person may see of what was asked for.

    Raises: SiteNotFound; Malformed for a cursor that nobody gave out, or that belongs to another order.
    """
    after = read_cursor(question.cursor, question.sort) if question.cursor else None
    lens = Lens(access, keys, now, question.sort, question.collapses)
    with reading() as session:
        keep_to_indexes(session)
        scope = scope_of(session, access, question.site_key)
        narrowed = narrowings(session, question, scope, Asker(moderator_id, keys))
        if question.q.strip():
            narrowed.append(searched(session, question.q, scope, keys))
        ids, is_given_up = _ids(session, Walk(question, scope.asked, narrowed, after), page_size + 1)
        rows = rows_of(session, ids[:page_size], lens)
        counts, waiting = counts_of(session, scope, moderator_id)
        return QueuePage(
            question=question,
            rows=rows,
            counts=counts,
            waiting=waiting,
            sites=tuple(SiteLine(site.key, site.name) for site in scope.sites.values()),
            reasons=_reasons(session, scope),
            next_cursor=rows[-1].cursor if len(ids) > page_size and rows else None,
            read_at=now,
            surges=_surges(session, scope, now),
            is_given_up=is_given_up,
        )


def queue_rows(
    ids: Sequence[int],
    *,
    access: Access,
    keys: Keyring,
    now: datetime,
    sort: Sort = Sort.NEWEST,
    collapses: bool = False,
) -> tuple[QueueRow, ...]:
    """These comments anew, wherever they stand now; without those that are gone, or not to be seen."""
    with reading() as session:
        return rows_of(session, ids, Lens(access, keys, now, sort, collapses))


def _ids(session: Session, walk: Walk, limit: int) -> tuple[list[int], bool]:
    """The ids of a page; none, and whether it was given up, where finding them takes too long.

    So it is with words that are all common and yet stand nowhere as asked.
    """
    try:
        with at_most(session, seconds=MAX_SECONDS):
            return ids_of(session, walk, limit), False
    except TookTooLong:
        return [], True


def _surges(session: Session, scope: Scope, now: datetime) -> tuple[SurgeLine, ...]:
    lasting = (
        select(Surge, Thread, Site)
        .join(Thread, Thread.id == Surge.thread_id)
        .join(Site, Site.id == Thread.site_id)
        .where(Site.id.in_(scope.asked), Surge.ends_at > now)
        .order_by(Surge.began_at.desc())
        .limit(SURGES)
    )
    return tuple(
        SurgeLine(thread.id, thread.title, surge.began_at, in_force(site, thread).rules.hold_surge)
        for surge, thread, site in session.execute(lasting)
    )


def _reasons(session: Session, scope: Scope) -> tuple[str, ...]:
    """The codes for which comments of these sites were held lately."""
    found = session.execute(_HELD_LATELY, {"site_ids": list(scope.sites)}).one()
    return tuple(code for code, is_found in zip(REASONS, found, strict=True) if is_found)


def _latest(code: str) -> Exists:
    held = select(CommentReason.comment_id).where(CommentReason.code == code)
    newest = held.order_by(CommentReason.comment_id.desc()).limit(LOOKED_AT).subquery()
    return exists().where(
        Comment.id == newest.c.comment_id,
        Comment.site_id.in_(bindparam("site_ids", expanding=True)),
    )


_HELD_LATELY = select(*(_latest(code).label(code) for code in REASONS))  # made once: it never changes
