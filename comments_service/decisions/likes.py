"""A row that stands for a cluster is decided once: its wish is a wish about all that wait like it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from comments_service.decisions.verbs import Change
from comments_service.storage.database import reading
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment
from comments_service.vocabulary import ModeratorView, Role, Seen, Status

Pairs = Select[*tuple[Any, ...]]
SHOWN, MEMBER = aliased(Comment), aliased(Comment)
TOGETHER = (MEMBER.cluster_id == SHOWN.cluster_id) & (MEMBER.site_id == SHOWN.site_id)
WAITS = (MEMBER.status == Status.PENDING) & MEMBER.is_purged.is_(False)
READS_ALIKE = (
    (MEMBER.name == SHOWN.name)
    & (MEMBER.text == SHOWN.text)
    & MEMBER.website.is_not_distinct_from(SHOWN.website)
)


@dataclass(frozen=True)
class Rest:
    """What still waits in a cluster when its row is decided: so many, and the one that stands for them."""

    shown_id: int
    stands_id: int
    count: int


def those_like(
    collapsed: Mapping[Change, Seen], *, besides: Collection[Change], by: ModeratorView, limit: int
) -> list[Change]:
    """One wish about some rows, carried to every waiting comment in their clusters that their page had shown.

    What came later or was changed since was on no page; nor is a row believed that is not as it was shown.
    What is approved goes no further than to those that readers would see just so: somebody who writes
    like a harmless comment must not be published unread. At most so many, so that the transaction stays
    short; the rest go on standing as one row.
    """
    known = {change.comment_id for change in besides}
    found: dict[int, Change] = {}
    if not collapsed:
        return []
    with reading() as session:
        for seen in dict.fromkeys(collapsed.values()):  # rows that came later saw further
            rows = [change for change in collapsed if collapsed[change] == seen]
            pairs = _members(rows, seen, by).where(MEMBER.id.not_in(known)).limit(limit)
            found |= {row.id: Change(row.id, row.version, rows[0].goal) for row in session.execute(pairs)}
    return list(found.values())[:limit]


def rest_of(shown_ids: Collection[int], *, by: ModeratorView) -> list[Rest]:
    """What of the clusters of these comments waits all the same."""
    if not shown_ids:
        return []
    left: Pairs = (
        select(SHOWN.id, func.max(MEMBER.id).label("stands_id"), func.count().label("size"))
        .join(MEMBER, TOGETHER)
        .where(SHOWN.id.in_(shown_ids), WAITS)
        .group_by(SHOWN.id)
        .order_by(SHOWN.id)
    )
    with reading() as session:
        return [Rest(row.id, row.stands_id, row.size) for row in session.execute(_own(left, by))]


def how_far(session: Session) -> Seen:
    """How far everything goes at this moment."""
    return Seen(*(session.scalar(select(func.max(table.id))) or 0 for table in (Comment, JournalRow)))


def _members(rows: Collection[Change], seen: Seen, by: ModeratorView) -> Pairs:
    changed = exists().where(
        JournalRow.comment_id == MEMBER.id,
        JournalRow.id > seen.journal_id,
        JournalRow.version.is_not(None),
    )
    as_shown = tuple_(SHOWN.id, SHOWN.version).in_([(row.comment_id, row.version) for row in rows])
    pairs: Pairs = select(MEMBER.id, MEMBER.version).join(SHOWN, TOGETHER)
    pairs = pairs.where(as_shown, WAITS, MEMBER.id <= seen.comment_id, ~changed).order_by(MEMBER.id)
    if any(row.to_status == Status.APPROVED for row in rows):
        pairs = pairs.where(READS_ALIKE)
    return _own(pairs, by)


def _own(pairs: Pairs, by: ModeratorView) -> Pairs:
    site_ids = by.access.sites(Role.MODERATOR)
    return pairs if site_ids is None else pairs.where(SHOWN.site_id.in_(site_ids))
