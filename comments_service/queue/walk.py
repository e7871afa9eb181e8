"""Finds the ids of one page, without looking at more rows than it must.

Each status of each site has its own stretch of an index in the order asked for; a page is merged from the
tops of these stretches. Where the page is narrowed to few comments, those are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from comments_service.queue.narrowing import Narrowing
from comments_service.queue.order import ORDERS, Order
from comments_service.queue.question import QueueQuestion
from comments_service.storage.database import listed
from comments_service.storage.models import Comment

FEW = 20_000  # comments that are looked up and sorted within a tenth of a second
SAMPLE, COMMON_IN_SAMPLE = 400, 8
MERGED_AT_ONCE = 100  # SQLite takes 500 selects in one union


@dataclass(frozen=True)
class Walk:
    """A question with all that it names looked up. `after` is where the page begins."""

    question: QueueQuestion
    site_ids: tuple[int, ...]
    narrowings: Sequence[Narrowing]
    after: tuple[Any, ...] | None

    @property
    def order(self) -> Order:
        """The order of the rows."""
        return ORDERS[self.question.sort]


def ids_of(session: Session, walk: Walk, limit: int) -> list[int]:
    """The ids of the next `limit` rows, in order."""
    if walk.narrowings and walk.site_ids and (few := _few(session, walk)) is not None:
        return list(session.scalars(_among(session, *few, walk).limit(limit)))
    stretches = list(_stretches(walk, limit, _conditions(walk, walk.narrowings)))
    return list(session.scalars(_merged(stretches, walk.order, limit))) if stretches else []


def _few(session: Session, walk: Walk) -> tuple[Narrowing, Sequence[int]] | None:
    """What holds for few comments, with their ids; None where the next rows are full of it, or soon end."""
    stretches = list(_stretches(walk, SAMPLE, _beyond(walk)))
    sample = session.scalars(_merged(stretches, walk.order, SAMPLE)).all()
    if len(sample) < SAMPLE:
        return None
    for narrowing in walk.narrowings:
        if narrowing.ids is not None and not _is_common(session, narrowing, sample):
            ids = session.scalars(narrowing.ids.limit(FEW + 1)).all()
            if len(ids) <= FEW:
                return narrowing, ids
    return None


def _is_common(session: Session, narrowing: Narrowing, sample: Sequence[int]) -> bool:
    among = select(func.count()).where(Comment.id.in_(sample), narrowing.holds(Comment))
    return (session.scalar(among) or 0) >= COMMON_IN_SAMPLE


def _among(session: Session, few: Narrowing, ids: Sequence[int], walk: Walk) -> Select[Any]:
    known = listed(session, ids).cte("few").prefix_with("MATERIALIZED")
    # Wrapped, so that no database takes the long way along an index that is in order already
    stands = func.lower(Comment.status).in_(walk.question.view.statuses)
    here = Comment.site_id.in_(walk.site_ids)
    others = [narrowing for narrowing in walk.narrowings if narrowing is not few]
    page = select(Comment.id).join(known, known.c.id == Comment.id).where(stands, here)
    columns = walk.order.of(Comment)
    return page.where(*_conditions(walk, others)).order_by(*walk.order.sorting(columns))


def _stretches(walk: Walk, limit: int, conditions: list[ColumnElement[bool]]) -> Iterator[Select[Any]]:
    columns = walk.order.of(Comment)
    sorting = walk.order.sorting(columns)
    for site_id in walk.site_ids:
        for status in walk.question.view.statuses:
            there = select(*columns).where(Comment.status == status, Comment.site_id == site_id, *conditions)
            yield there.order_by(*sorting).limit(limit)


def _merged(stretches: Sequence[Select[Any]], order: Order, limit: int) -> Select[Any]:
    """The tops of all stretches as one page."""
    while len(stretches) > MERGED_AT_ONCE:
        parts = (stretches[n : n + MERGED_AT_ONCE] for n in range(0, len(stretches), MERGED_AT_ONCE))
        stretches = [_union(part, order, limit) for part in parts]
    page = _union(stretches, order, limit)
    return page.with_only_columns(page.selected_columns[order.columns[-1]], maintain_column_froms=True)


def _union(stretches: Sequence[Select[Any]], order: Order, limit: int) -> Select[Any]:
    together = union_all(*(select(stretch.subquery()) for stretch in stretches)).subquery()
    columns = [together.c[name] for name in order.columns]
    return select(*columns).order_by(*order.sorting(columns)).limit(limit)


def _beyond(walk: Walk) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Comment.is_purged.is_(False)]
    if walk.after is not None:
        conditions.append(walk.order.beyond(walk.order.of(Comment), walk.after))
    return conditions


def _conditions(walk: Walk, narrowings: Sequence[Narrowing]) -> list[ColumnElement[bool]]:
    conditions = [*_beyond(walk), *(n.holds(Comment) for n in narrowings)]
    if walk.question.collapses:
        conditions.append(_stands_for_its_cluster(walk))
    return conditions


def _stands_for_its_cluster(walk: Walk) -> ColumnElement[bool]:
    """Whether this is the newest of its cluster's comments on its site that match."""
    other: Any = aliased(Comment)
    alike = select(other.id).where(
        other.cluster_id == Comment.cluster_id,
        other.site_id == Comment.site_id,
        other.status.in_(walk.question.view.statuses),
        other.is_purged.is_(False),
        *(n.holds(other) for n in walk.narrowings),
    )
    newest = alike.order_by(other.created_at.desc(), other.id.desc()).limit(1).correlate(Comment)
    return or_(Comment.cluster_id.is_(None), Comment.id == newest.scalar_subquery())
