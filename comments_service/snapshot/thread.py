"""The read walk: rows in, one frozen value out. JSON, page and heading all come from the same value."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.snapshot.question import Position, Question, Way, cursor, read_cursor
from comments_service.snapshot.replies import MAX_LEVELS, Replies, first_replies, more_replies
from comments_service.snapshot.roots import Root, RootPage, roots_of, walk
from comments_service.snapshot.views import Frame, in_reading_order
from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Thread
from comments_service.storage.rules import in_force
from comments_service.storage.threads import find_thread
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView, Status, ThreadSnapshot


@dataclass(frozen=True)
class Found:
    """The rows of one page."""

    page: RootPage = field(default_factory=RootPage)
    replies: Replies = field(default_factory=Replies)


def etag(question: Question, *, build: str, now: datetime) -> str:
    """The validator of the answer as it would be now, for one indexed look-up."""
    with reading() as session:
        return _etag(question, find_thread(session, question.site.id, question.article), build, now)


def thread(
    question: Question, *, catalogue: Catalogue, page_size: int, build: str, now: datetime
) -> ThreadSnapshot:
    """One page of an article's comments: the top-level ones in order, each with its first replies.

    How many rows are read depends on the page alone, never on how many comments the article has.

    Raises: Malformed for a cursor that nobody gave out.
    """
    position = read_cursor(question.cursor) if question.cursor else None
    with reading() as session:
        row = find_thread(session, question.site.id, question.article)
        found = _find(session, row.id, question, position, page_size) if row else Found()
        count = row.approved_count if row else 0
        title = question.title or (row.title if row else "")
        lang = catalogue.language(question.lang, question.site.language)
        depth = min(MAX_LEVELS, in_force(question.site, row).rules.max_depth)
        frame = Frame(question.article.url, depth, question.site.options.has_votes)
        return ThreadSnapshot(
            id=row.id if row else None,
            url=question.article.url,
            title=title,
            is_open=_is_open(question.site, row, now),
            count=count,
            heading=catalogue.heading(count, title, lang=lang, overrides=question.site.texts),
            comments=in_reading_order(_rows(session, found.page), found.replies, frame),
            sort=question.sort,
            previous_cursor=_cursor(found.page.previous),
            next_cursor=_cursor(found.page.next),
            max_depth=frame.max_depth,
            etag=_etag(question, row, build, now),
        )


def _rows(session: Session, page: RootPage) -> list[tuple[Root, Comment]]:
    ids = [root.id for root in page.roots]
    rows = {row.id: row for row in session.scalars(select(Comment).where(Comment.id.in_(ids)))}
    return [(root, rows[root.id]) for root in page.roots]


def _find(
    session: Session, thread_id: int, question: Question, position: Position | None, page_size: int
) -> Found:
    if position is not None and position.way is Way.BELOW:
        root = roots_of(session, thread_id, [position.root_id]).get(position.root_id)
        if root is None:  # gone since that page was shown, with all that was below
            return Found()
        return Found(RootPage((root,)), more_replies(session, thread_id, root, position))
    path = walk(session, thread_id, sort=question.sort, size=page_size)
    wanted = _wanted(session, thread_id, question.comment) if position is None else None
    if wanted is not None:
        root_id = wanted.root_id or wanted.id
        root = roots_of(session, thread_id, [root_id]).get(root_id)
        if root is not None and root_id not in path.tops:
            position = root.position(Way.FROM)
    page = path.page(position, page_size)
    return Found(page, first_replies(session, thread_id, page.roots, wanted))


def _wanted(session: Session, thread_id: int, comment_id: int | None) -> Comment | None:
    """The comment that a link leads to; of a reply that nobody sees, its place where replies need it."""
    comment = session.get(Comment, comment_id) if comment_id else None
    if comment is None or comment.thread_id != thread_id:
        return None
    is_shown = comment.status == Status.APPROVED or comment.root_id is None
    return comment if is_shown or _is_answered(session, comment) else None


def _is_answered(session: Session, comment: Comment) -> bool:
    answer = select(Comment.id).where(Comment.parent_id == comment.id, Comment.status == Status.APPROVED)
    return session.scalars(answer.limit(1)).first() is not None


def _cursor(position: Position | None) -> str | None:
    return cursor(position) if position else None


def _is_open(site: SiteView, row: Thread | None, now: datetime) -> bool:
    if row is None:
        return site.is_open
    return site.is_open and row.is_open and not in_force(site, row).is_closed_by_age(row.created_at, now)


def _etag(question: Question, row: Thread | None, build: str, now: datetime) -> str:
    asked = [question.article.url, question.article.explicit_id, question.title, question.lang, question.sort]
    seen = [row.id if row else None, row.version if row else 0, question.site.key, question.site.version]
    seen.append(_is_open(question.site, row, now))  # an article closes by age without any change of a row
    place = [question.cursor, question.comment]
    return hashlib.sha256(json.dumps([*seen, build, *place, *asked]).encode()).hexdigest()[:32]
