"""Moves a comment with all its replies below another article of the same site, and back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from comments_service.article_url import identify
from comments_service.decisions.act import COLUMNS, Act, Found, Late, Outcome, Why, decision, locked
from comments_service.decisions.showing import shows_otherwise
from comments_service.decisions.verbs import MOVED
from comments_service.errors import ArticleRefused
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.search import index
from comments_service.storage.threads import find_thread
from comments_service.vocabulary import Decision, ModeratorView, Status


@dataclass(frozen=True)
class Target:
    """Where to: the article's address, or the id of its thread."""

    address: str = ""
    thread_id: int | None = None


def move(comment_id: int, version: int, to: Target, *, by: ModeratorView | None, now: datetime) -> Outcome:
    """Put a comment, as it was shown in this version, on the first level below another article.

    Raises: NotAllowed; ArticleRefused when there is no such article with comments on this site, or when
    the comment is there already.
    """
    act = Act(by, now)
    with transaction() as session:
        top = locked(session, [comment_id], by).get(comment_id)
        if top is None:
            return Outcome(late=(Late(comment_id, Why.GONE),))
        target = _thread(session, top, to)
        if top.version != version:
            return Outcome(late=(Late(comment_id, Why.CHANGED),))
        rows = lock_tree(session, top, [target.id])
        done = relocate(session, rows, rows[top.id], target, None, act)
        return Outcome(act.batch, done=tuple(done))


def lock_tree(session: Session, top: Found, thread_ids: Collection[int]) -> dict[int, Found]:
    """A comment and all below it. Comments first, then both threads, then the replies that came meanwhile."""
    locked_places(session, _ids(session, top.id))
    ids = sorted({top.thread_id, *thread_ids})
    session.execute(select(Thread.id).where(Thread.id.in_(ids)).order_by(Thread.id).with_for_update()).all()
    return locked_places(session, _ids(session, top.id))


def relocate(
    session: Session,
    rows: Mapping[int, Found],
    top: Found,
    thread: Thread,
    parent: Found | None,
    act: Act,
    *,
    page_urls: Mapping[int, str] | None = None,
    undoes: Mapping[int, int] | None = None,
) -> list[Decision]:
    """Carry a tree over; `undoes` names the rows of the journal that this takes back, by comment."""
    depth = parent.depth + 1 if parent else 1
    root_id = (parent.root_id or parent.id) if parent else None
    done = []
    for row in rows.values():
        is_top = row.id == top.id
        details = {"before": _place(row), "top": is_top}
        url = (page_urls or {}).get(row.id, thread.url)
        place: dict[str, Any] = {
            "thread_id": thread.id,
            "root_id": root_id if is_top else root_id or top.id,
            "depth": row.depth - top.depth + depth,
            "page_url": "" if row.is_purged else url,
            "version": Comment.version + 1,
        }
        if is_top:
            place["parent_id"] = parent.id if parent else None
        changed = update(Comment).where(Comment.id == row.id).values(place)
        session.execute(changed.execution_options(synchronize_session=False))
        session.add(act.row(row, MOVED, details=details, undoes_id=(undoes or {}).get(row.id)))
        if not row.is_purged:
            done.append(decision(row, row.status))
    _follow(session, rows, top.thread_id, thread.id)
    return done


def _place(row: Found) -> dict[str, Any]:
    return {"thread_id": row.thread_id, "parent_id": row.parent_id, "page_url": row.page_url}


def _follow(session: Session, rows: Mapping[int, Found], from_id: int, to_id: int) -> None:
    """Counts and the words for the search follow."""
    shown = Counter(row.status for row in rows.values())[Status.APPROVED]
    shows_otherwise(session, {from_id: -shown, to_id: shown})
    session.expire_all()
    for row in rows.values():
        if not row.is_purged:
            index(session, session.get_one(Comment, row.id))


def _thread(session: Session, top: Found, to: Target) -> Thread:
    site = session.get_one(Site, top.site_id)
    if to.thread_id is not None:
        thread = session.get(Thread, to.thread_id)
    else:
        thread = find_thread(session, site.id, identify(to.address, None, origins=site.origins))
    if thread is None or thread.site_id != site.id:
        raise ArticleRefused("address", "unknown")
    if thread.id == top.thread_id:
        raise ArticleRefused("address", "same")
    return thread


def _ids(session: Session, top_id: int) -> set[int]:
    ids, level = {top_id}, {top_id}
    while level:
        replies = select(Comment.id).where(Comment.parent_id.in_(level))
        level = set(session.scalars(replies)) - ids
        ids |= level
    return ids


def locked_places(session: Session, ids: Collection[int]) -> dict[int, Found]:
    """These comments, and what stays of those that were removed."""
    wanted = select(*COLUMNS).where(Comment.id.in_(ids)).order_by(Comment.id)
    return {row.id: row for row in session.execute(wanted.with_for_update(key_share=True))}
