"""Which top-level comments readers see, and how many replies below each, kept in step with each change."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session, aliased

from comments_service.storage.models import Comment, ThreadRoot
from comments_service.vocabulary import Status


def show_roots(session: Session, ids: Collection[int]) -> None:
    """Write anew what readers see of these top-level comments; one that they see no more has no row.

    To be called whenever one of them, or a reply below, became visible, hidden, moved or removed, after the
    thread's row was updated in the same transaction: its lock lets one at a time count.
    """
    if not ids:
        return
    session.flush()
    session.execute(delete(ThreadRoot).where(ThreadRoot.comment_id.in_(ids)))
    reply = aliased(Comment)
    below = (
        reply.thread_id == Comment.thread_id,
        reply.root_id == Comment.id,
        reply.status == Status.APPROVED,
    )
    # Counted one by one: a join might be planned as a reading of all replies there are
    replies = select(func.count()).where(*below).correlate(Comment).scalar_subquery().label("replies")
    rank = (Comment.down_count - Comment.up_count).label("rank")
    tops = select(Comment.id, Comment.thread_id, Comment.created_at, replies, Comment.status, rank)
    found = tops.where(Comment.id.in_(ids), Comment.root_id.is_(None)).subquery()
    shown = select(found.c.id, found.c.thread_id, found.c.created_at, found.c.replies, found.c.rank)
    shown = shown.where(or_(found.c.status == Status.APPROVED, found.c.replies > 0))
    names = ["comment_id", "thread_id", "created_at", "replies", "rank"]
    session.execute(insert(ThreadRoot).from_select(names, shown))
