"""The read walk: rows in, one frozen value out. JSON, page and heading all come from the same value."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select
from sqlalchemy.orm import Session, aliased

from comments_service import article_url, markup
from comments_service.errors import ArticleRefused, CommentNotFound, Malformed
from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.rules import in_force
from comments_service.storage.threads import find_thread
from comments_service.texts import Catalogue
from comments_service.vocabulary import (
    ArticleRef,
    Author,
    CommentView,
    CountView,
    SiteView,
    Status,
    ThreadSnapshot,
)

SORTS = ("oldest", "newest")
MODERATOR = "moderator"  # the badge of those who answer in the name of the house
CACHED_TEXT_CHARACTERS = 2_000  # longer ones are rare, and 2,048 of them would be 128 MiB


@dataclass(frozen=True)
class Question:
    """What a reader asks for. `lang` and `title` as they came; unknown ones fall back."""

    site: SiteView
    article: ArticleRef
    title: str = ""
    lang: str | None = None
    sort: str = "oldest"
    cursor: str | None = None


@dataclass(frozen=True)
class Position:
    """Where a page ends: the last top-level comment on it."""

    created_at: datetime
    id: int


def etag(question: Question, *, build: str, now: datetime) -> str:
    """The validator of the answer as it would be now, for one indexed look-up."""
    with reading() as session:
        return _etag(question, find_thread(session, question.site.id, question.article), build, now)


def thread(
    question: Question, *, catalogue: Catalogue, page_size: int, build: str, now: datetime
) -> ThreadSnapshot:
    """One page of an article's comments: the top-level ones in order, each with all its replies.

    Raises: Malformed for a cursor that nobody gave out.
    """
    position = read_cursor(question.cursor) if question.cursor else None
    with reading() as session:
        row = find_thread(session, question.site.id, question.article)
        roots, more = _roots(session, row, question, position, page_size) if row else ([], False)
        comments = [*roots, *_replies(session, [root.id for root in roots])]
        count = row.approved_count if row else 0
        title = question.title or (row.title if row else "")
        lang = catalogue.language(question.lang, question.site.language)
        max_depth = in_force(question.site, row).rules.max_depth
        return ThreadSnapshot(
            id=row.id if row else None,
            url=question.article.url,
            title=title,
            is_open=_is_open(question.site, row, now),
            count=count,
            heading=catalogue.heading(count, title, lang=lang, overrides=question.site.texts),
            comments=tuple(comment_view(c, question.article.url, max_depth) for c in _in_order(comments)),
            next_cursor=cursor(Position(roots[-1].created_at, roots[-1].id)) if more else None,
            max_depth=max_depth,
            etag=_etag(question, row, build, now),
        )


def counts(site: SiteView, urls: Sequence[str], *, lang: str | None, catalogue: Catalogue) -> list[CountView]:
    """How many approved comments each address has, in the order asked; an address we refuse has none."""
    language = catalogue.language(lang, site.language)
    with reading() as session:
        return [_count(session, site, url, language, catalogue) for url in urls]


def own_comment(site_key: str, comment_id: int) -> tuple[SiteView, CommentView]:
    """One comment for its author, whatever its status. Who may see it is the caller's to prove.

    One that the service declined by itself is told as waiting until a person decides.

    Raises: CommentNotFound.
    """
    from_site = select(Comment, Thread).join(Thread, Thread.id == Comment.thread_id)
    with reading() as session:
        row = session.execute(from_site.where(Comment.id == comment_id, Comment.is_purged.is_(False))).first()
        site = session.get_one(Site, row.Comment.site_id).view() if row else None
        if row is None or site is None or site.key != site_key:
            raise CommentNotFound
        max_depth = in_force(site, row.Thread).rules.max_depth
        view = comment_view(row.Comment, row.Comment.page_url, max_depth, is_own=True)
        return site, replace(view, status=Status.PENDING) if row.Comment.is_quietly_declined else view


def comment_view(comment: Comment, page_url: str, max_depth: int, *, is_own: bool = False) -> CommentView:
    """A row as people may see it: its text only if it is approved, or if it is the asker's own."""
    is_shown = is_own or comment.status == Status.APPROVED
    return CommentView(
        id=comment.id,
        parent_id=comment.parent_id,
        depth=min(comment.depth, max_depth),
        author=_author(comment) if is_shown else None,
        html=_html(comment.text) if is_shown else "",
        created_at=comment.created_at,
        permalink=f"{page_url.partition('#')[0]}#comment-{comment.id}",
        is_removed=not is_shown,
        status=comment.state,
        is_letter=comment.is_letter,
        edited_at=comment.edited_at if is_shown else None,
        is_pinned=is_shown and comment.pinned_at is not None,
        is_picked=is_shown and comment.picked_at is not None,
    )


def _author(comment: Comment) -> Author:
    return Author(comment.name, comment.website, None if comment.moderator_id is None else MODERATOR)


def cursor(position: Position) -> str:
    """A position as text for the next request. It is not signed: it only names a place in public order."""
    packed = json.dumps([position.created_at.isoformat(), position.id])
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Position:
    """A position from text.

    Raises: Malformed.
    """
    try:
        moment, number = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        position = Position(datetime.fromisoformat(moment), number)
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed("The cursor is not one of ours.") from error
    is_id = type(number) is int and 0 < number < 2**31
    if not is_id or position.created_at.tzinfo is None or not 2000 < position.created_at.year < 3000:
        raise Malformed("The cursor is not one of ours.")
    return position


def _roots(
    session: Session, thread: Thread, question: Question, position: Position | None, page_size: int
) -> tuple[list[Comment], bool]:
    reply = aliased(Comment)
    has_replies = exists().where(
        reply.thread_id == thread.id, reply.root_id == Comment.id, reply.status == Status.APPROVED
    )
    roots = select(Comment).where(Comment.thread_id == thread.id, Comment.root_id.is_(None))
    is_pinned = and_(Comment.pinned_at.is_not(None), Comment.status == Status.APPROVED)
    page = roots.where(or_(Comment.status == Status.APPROVED, has_replies), not_(is_pinned))
    if question.sort == "newest":
        page = page.order_by(Comment.created_at.desc(), Comment.id.desc())
    else:
        page = page.order_by(Comment.created_at, Comment.id)
    if position is not None:
        page = page.where(_beyond(position, question.sort))
    rows = session.scalars(page.limit(page_size + 1)).all()
    pinned = roots.where(is_pinned).order_by(Comment.pinned_at.desc(), Comment.id.desc())
    first = session.scalars(pinned).all() if position is None else []
    return [*first, *rows[:page_size]], len(rows) > page_size


def _beyond(position: Position, sort: str) -> ColumnElement[bool]:
    moment, number = position.created_at, position.id
    if sort == "newest":
        return or_(Comment.created_at < moment, and_(Comment.created_at == moment, Comment.id < number))
    return or_(Comment.created_at > moment, and_(Comment.created_at == moment, Comment.id > number))


def _replies(session: Session, root_ids: list[int]) -> list[Comment]:
    """The approved replies below these roots, and the removed ones that still carry approved replies."""
    approved = select(Comment).where(Comment.root_id.in_(root_ids), Comment.status == Status.APPROVED)
    found = {reply.id: reply for reply in session.scalars(approved)}
    known = {*found, *root_ids}
    while missing := {reply.parent_id for reply in found.values() if reply.parent_id} - known:
        parents = session.scalars(select(Comment).where(Comment.id.in_(missing))).all()
        found |= {parent.id: parent for parent in parents}
        known |= missing
    return list(found.values())


def _in_order(comments: Iterable[Comment]) -> list[Comment]:
    """Depth first: each comment, then its replies from the oldest on; the roots stay in the order given."""
    children: defaultdict[int | None, list[Comment]] = defaultdict(list)
    for comment in comments:
        children[comment.parent_id].append(comment)
    for parent_id, replies in children.items():
        if parent_id is not None:
            replies.sort(key=lambda c: (c.created_at, c.id))
    ordered: list[Comment] = []
    waiting = children[None][::-1]
    while waiting:
        comment = waiting.pop()
        ordered.append(comment)
        waiting += children[comment.id][::-1]
    return ordered


def _count(session: Session, site: SiteView, url: str, lang: str, catalogue: Catalogue) -> CountView:
    try:
        row = find_thread(session, site.id, article_url.identify(url, None, origins=site.origins))
    except ArticleRefused:
        row = None
    count, title = (row.approved_count, row.title) if row else (0, "")
    label = catalogue.plural("count.label", count, lang=lang, overrides=site.texts)
    return CountView(url, count, label, catalogue.heading(count, title, lang=lang, overrides=site.texts))


def _is_open(site: SiteView, row: Thread | None, now: datetime) -> bool:
    if row is None:
        return site.is_open
    return site.is_open and row.is_open and not in_force(site, row).is_closed_by_age(row.created_at, now)


def _etag(question: Question, row: Thread | None, build: str, now: datetime) -> str:
    asked = [question.article.url, question.article.explicit_id, question.title, question.lang, question.sort]
    seen = [row.id if row else None, row.version if row else 0, question.site.key, question.site.version]
    seen.append(_is_open(question.site, row, now))  # an article closes by age without any change of a row
    return hashlib.sha256(json.dumps([*seen, build, question.cursor, *asked]).encode()).hexdigest()[:32]


def _html(text: str) -> str:
    return _kept_html(text) if len(text) <= CACHED_TEXT_CHARACTERS else markup.render(text)


@lru_cache(maxsize=2_048)
def _kept_html(text: str) -> str:
    return markup.render(text)


def iso(moment: datetime) -> str:
    """A time as every answer writes it: RFC 3339, in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
