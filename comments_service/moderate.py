"""The moderators' verbs: each change of status is one conditional update, with its decision row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from comments_service.article_url import normalise_url
from comments_service.errors import CommentNotFound, DecidedMeanwhile
from comments_service.rights import require
from comments_service.storage.database import transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Thread
from comments_service.storage.threads import learn_alias
from comments_service.vocabulary import Decision, ModeratorView, Role, Status


@dataclass(frozen=True)
class Change:
    """What somebody wants: this comment, as it was shown in this version, to this status."""

    comment_id: int
    version: int
    to_status: Status


def decide(change: Change, *, by: ModeratorView | None, now: datetime, reason: str = "") -> Decision:
    """Bring one comment to another status.

    Raises: CommentNotFound; NotAllowed; DecidedMeanwhile when the comment has changed since that version.
    """
    with transaction() as session:
        comment = session.get(Comment, change.comment_id)
        if comment is None or comment.is_purged:
            raise CommentNotFound
        decision = _apply(session, change, by=by, now=now, reason=reason)
        if decision is None:
            raise DecidedMeanwhile
        _recount(session, [decision])
        return decision


def decide_all(
    changes: Iterable[Change], *, by: ModeratorView | None, now: datetime, reason: str = ""
) -> tuple[list[Decision], list[Change]]:
    """Bring many comments to other statuses in one transaction: what took effect, and what came too late."""
    done: list[Decision] = []
    late: list[Change] = []
    with transaction() as session:
        for change in sorted(changes, key=lambda c: c.comment_id):  # one order for all: no deadlocks
            decision = _apply(session, change, by=by, now=now, reason=reason)
            if decision is None:
                late.append(change)
            else:
                done.append(decision)
        _recount(session, done)
    return done, late


def open_or_close(thread_id: int, *, is_open: bool, by: ModeratorView | None, now: datetime) -> None:
    """Let an article take comments, or no more.

    Raises: CommentNotFound when there is no such thread; NotAllowed.
    """
    with transaction() as session:
        thread = session.get(Thread, thread_id, with_for_update=True)
        if thread is None:
            raise CommentNotFound("There is no such article.")
        require(by, Role.MODERATOR, thread.site_id)
        if thread.is_open != is_open:
            thread.is_open = is_open
            thread.version += 1
            action = "thread-opened" if is_open else "thread-closed"
            session.add(
                JournalRow(
                    happened_at=now,
                    moderator_id=by.id if by else None,
                    action=action,
                    site_id=thread.site_id,
                    thread_id=thread.id,
                    subject=f"thread {thread.id}",
                )
            )


def _apply(
    session: Session, change: Change, *, by: ModeratorView | None, now: datetime, reason: str
) -> Decision | None:
    before = session.execute(
        select(Comment.status, Comment.site_id, Comment.thread_id, Comment.is_letter).where(
            Comment.id == change.comment_id
        )
    ).first()
    if before is None:
        return None
    require(by, Role.MODERATOR, before.site_id)
    if before.status == change.to_status or (before.is_letter and change.to_status == Status.APPROVED):
        return None
    here = (
        update(Comment)
        .where(
            Comment.id == change.comment_id,
            Comment.version == change.version,
            Comment.status == before.status,
        )
        .where(Comment.is_purged.is_(False))
        .values(
            status=change.to_status,
            version=Comment.version + 1,
            status_changed_at=now,
            is_quietly_declined=False,
        )
        .returning(Comment.id)
    )
    if session.execute(here).first() is None:
        return None
    session.add(
        JournalRow(
            happened_at=now,
            moderator_id=by.id if by else None,
            action=DECIDED,
            site_id=before.site_id,
            thread_id=before.thread_id,
            comment_id=change.comment_id,
            version=change.version,
            from_status=before.status,
            to_status=change.to_status,
            reason=reason,
        )
    )
    return Decision(change.comment_id, Status(before.status), change.to_status, change.version + 1)


def _recount(session: Session, decisions: Sequence[Decision]) -> None:
    """Carry what became visible or hidden into the threads' counts, in the same transaction."""
    moved = {
        d.comment_id: (d.to_status == Status.APPROVED) - (d.from_status == Status.APPROVED) for d in decisions
    }
    ids = [comment_id for comment_id, difference in moved.items() if difference]
    rows = session.execute(
        select(Comment.id, Comment.thread_id, Comment.page_url).where(Comment.id.in_(ids))
    ).all()
    differences: Counter[int] = Counter()
    for row in rows:
        differences[row.thread_id] += moved[row.id]
    for thread_id in sorted({row.thread_id for row in rows}):
        shown = {
            "approved_count": Thread.approved_count + differences[thread_id],
            "version": Thread.version + 1,
        }
        session.execute(update(Thread).where(Thread.id == thread_id).values(shown))
    for row in rows:
        if moved[row.id] > 0:
            learn_alias(session, session.get_one(Thread, row.thread_id), normalise_url(row.page_url))
