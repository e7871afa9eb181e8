"""Which top-level comments stand on one page: a stretch of an index, however long the thread."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from comments_service.snapshot.question import Position, Way
from comments_service.storage.models import Comment, ThreadRoot
from comments_service.vocabulary import Status


@dataclass(frozen=True)
class Root:
    """A top-level comment's place, and how many approved replies are below it."""

    id: int
    created_at: datetime
    replies: int
    rank: int

    def position(self, way: Way) -> Position:
        """Its place, as the end of a page from which to read on."""
        return Position(self.created_at, self.id, way, rank=self.rank)


@dataclass(frozen=True)
class RootPage:
    """The top-level comments of one page in order, and where the pages beside it are."""

    roots: tuple[Root, ...] = ()
    previous: Position | None = None
    next: Position | None = None


@dataclass(frozen=True)
class Walk:
    """One thread in one order. `tops` are the comments that stand before its first page, and nowhere else."""

    session: Session
    thread_id: int
    sort: str
    tops: tuple[int, ...] = field(default=())

    def page(self, position: Position | None, size: int) -> RootPage:
        """The page there, or the first one."""
        way = position.way if position else Way.AFTER
        found = self._stretch(position, way, size + 1)
        has_more, found = len(found) > size, found[:size]
        if way is Way.BEFORE:
            found = found[::-1]
        first, last = position, position
        if found:
            first, last = found[0].position(Way.BEFORE), found[-1].position(Way.AFTER)
        has_next = has_more if way is not Way.BEFORE else self._is_any(last, Way.AFTER)
        has_previous = has_more if way is Way.BEFORE else self._is_any(first, Way.BEFORE)
        return RootPage(
            (*(() if has_previous else self._first()), *found),
            replace(first, way=Way.BEFORE) if first and has_previous else None,
            replace(last, way=Way.AFTER) if last and has_next else None,
        )

    def _is_any(self, position: Position | None, way: Way) -> bool:
        return position is not None and bool(self._stretch(position, way, 1))

    def _stretch(self, position: Position | None, way: Way, limit: int) -> list[Root]:
        here = select(ThreadRoot).where(ThreadRoot.thread_id == self.thread_id)
        here = here.where(ThreadRoot.comment_id.not_in(self.tops))
        by_votes, columns = self.sort == "top", [ThreadRoot.created_at, ThreadRoot.comment_id]
        if by_votes:
            columns.insert(0, ThreadRoot.rank)
        falls = (self.sort == "newest") != (way is Way.BEFORE)
        if position is not None:
            values = [position.rank, position.created_at, position.id]
            place = tuple_(*columns)
            there = tuple_(*values[not by_votes :], types=[column.type for column in columns])
            if way is Way.FROM:
                here = here.where(place <= there if falls else place >= there)
            else:
                here = here.where(place < there if falls else place > there)
        here = here.order_by(*(column.desc() if falls else column for column in columns)).limit(limit)
        return _as_roots(self.session.scalars(here).all())

    def _first(self) -> Sequence[Root]:
        rows = roots_of(self.session, self.thread_id, self.tops)
        return [rows[number] for number in self.tops if number in rows]


def walk(session: Session, thread_id: int, *, sort: str, size: int) -> Walk:
    """The thread in this order; on top stand pinned comments, then picks, as many as a page has of both.

    Of each, what was marked last comes first.
    """
    tops = _marked(session, thread_id, Comment.pinned_at, size)
    if len(tops) < size:
        picked = _marked(session, thread_id, Comment.picked_at, size)
        tops += [number for number in picked if number not in tops][: size - len(tops)]
    return Walk(session, thread_id, sort, tuple(tops))


def _marked(
    session: Session, thread_id: int, mark: InstrumentedAttribute[datetime | None], limit: int
) -> list[int]:
    shown = select(Comment.id).where(Comment.thread_id == thread_id, mark.is_not(None))
    shown = shown.where(Comment.root_id.is_(None), Comment.status == Status.APPROVED)
    return list(session.scalars(shown.order_by(mark.desc(), Comment.id.desc()).limit(limit)))


def roots_of(session: Session, thread_id: int, ids: Collection[int]) -> dict[int, Root]:
    """Those of these comments that readers see as top-level ones of the thread."""
    if not ids:
        return {}
    rows = select(ThreadRoot).where(ThreadRoot.comment_id.in_(ids), ThreadRoot.thread_id == thread_id)
    return {root.id: root for root in _as_roots(session.scalars(rows).all())}


def _as_roots(rows: Sequence[ThreadRoot]) -> list[Root]:
    return [Root(row.comment_id, row.created_at, row.replies, row.rank) for row in rows]
