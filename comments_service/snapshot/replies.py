"""The replies that a page shows: the first ones below each top-level comment, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from comments_service.snapshot.question import Position, Way, cursor
from comments_service.snapshot.roots import Root
from comments_service.storage.models import Comment
from comments_service.vocabulary import Left, Status

REPLIES_SHOWN = 20
MAX_LEVELS = 10  # so far up a page looks for what its replies answer


@dataclass(frozen=True)
class Replies:
    """Comments below the top-level ones, in no order; and by the latter what is left."""

    comments: tuple[Comment, ...] = ()
    left: Mapping[int, Left] = field(default_factory=dict)


def first_replies(
    session: Session, thread_id: int, roots: Sequence[Root], wanted: Comment | None = None
) -> Replies:
    """The oldest approved replies below each, and one that was asked for, wherever it stands.

    One query for all that have few replies, and one more for each that has many.
    """
    few = [root.id for root in roots if 0 < root.replies <= REPLIES_SHOWN]
    shown = list(session.scalars(_approved(thread_id).where(Comment.root_id.in_(few)))) if few else []
    ends: dict[int, Position] = {}
    for root in roots:
        if root.replies > REPLIES_SHOWN:
            replies, end = _stretch(session, thread_id, root.id, None)
            shown += replies
            ends |= {root.id: end} if end else {}
    if wanted is not None and wanted.root_id is not None:
        shown.append(wanted)
    return _whole(session, roots, shown, ends)


def more_replies(session: Session, thread_id: int, root: Root, position: Position) -> Replies:
    """The replies below one top-level comment that follow a place."""
    shown, end = _stretch(session, thread_id, root.id, position)
    return _whole(session, [root], shown, {root.id: end} if end else {})


def _stretch(
    session: Session, thread_id: int, root_id: int, position: Position | None
) -> tuple[list[Comment], Position | None]:
    """As many replies as are shown at once, and where they end if there are more."""
    here = _approved(thread_id).where(Comment.root_id == root_id)
    columns = (Comment.created_at, Comment.id)
    if position is not None:
        there = tuple_(position.created_at, position.id, types=[column.type for column in columns])
        here = here.where(tuple_(*columns) > there)
    found = list(session.scalars(here.order_by(*columns).limit(REPLIES_SHOWN + 1)))
    shown = found[:REPLIES_SHOWN]
    if len(found) == len(shown):
        return shown, None
    seen = len(shown) + (position.seen if position else 0)
    return shown, Position(shown[-1].created_at, shown[-1].id, Way.BELOW, root_id, seen)


def _whole(
    session: Session, roots: Iterable[Root], shown: Iterable[Comment], ends: Mapping[int, Position]
) -> Replies:
    """With what they answer, as far as that stands elsewhere, and the counts of what is left."""
    found = _with_parents(session, shown, {root.id for root in roots})
    left = {}
    for root in roots:
        if (end := ends.get(root.id)) is not None:
            beyond = sum(_is_beyond(comment, end) for comment in found if comment.root_id == root.id)
            if (count := root.replies - end.seen - beyond) > 0:
                left[root.id] = Left(count, cursor(end))
    return Replies(tuple(found), left)


def _is_beyond(comment: Comment, end: Position) -> bool:
    is_later = (comment.created_at, comment.id) > (end.created_at, end.id)
    return is_later and comment.status == Status.APPROVED


def _with_parents(session: Session, shown: Iterable[Comment], known: set[int]) -> list[Comment]:
    """Replies with what they answer: removed places, and comments of other stretches."""
    found = {comment.id: comment for comment in shown}
    for _ in range(MAX_LEVELS):
        missing = {c.parent_id for c in found.values() if c.parent_id} - found.keys() - known
        if not missing:
            break
        known = known | missing
        found |= {c.id: c for c in session.scalars(select(Comment).where(Comment.id.in_(missing)))}
    return list(found.values())


def _approved(thread_id: int) -> Select[Comment]:
    return select(Comment).where(Comment.thread_id == thread_id, Comment.status == Status.APPROVED)
