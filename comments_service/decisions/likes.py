"""A row that stands for a cluster is decided once: its wish is a wish about all that wait like it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import aliased

from comments_service.decisions.verbs import Change
from comments_service.storage.database import reading
from comments_service.storage.models import Comment
from comments_service.vocabulary import ModeratorView, Role, Status


def those_like(
    collapsed: Iterable[Change], *, besides: Iterable[Change], by: ModeratorView, limit: int
) -> list[Change]:
    """The same wish for every waiting comment in the clusters of these, as it is now.

    What is approved goes no further than to those that readers would see just so: somebody who writes
    like a harmless comment must not be published unread. At most so many, so that the transaction stays
    short; the rest go on standing as one row.
    """
    known = {change.comment_id for change in besides}
    goals = {change.comment_id: change for change in collapsed}
    shown, member = aliased(Comment), aliased(Comment)
    pairs = (
        select(shown.id, member.id.label("member_id"), member.version)
        .join(member, (member.cluster_id == shown.cluster_id) & (member.site_id == shown.site_id))
        .where(member.status == Status.PENDING, member.is_purged.is_(False), member.id.not_in(known))
        .order_by(shown.id, member.id)
        .limit(limit)
    )
    if (site_ids := by.access.sites(Role.MODERATOR)) is not None:
        pairs = pairs.where(shown.site_id.in_(site_ids))
    approved = {number for number, change in goals.items() if change.to_status == Status.APPROVED}
    alike = (member.name == shown.name) & (member.text == shown.text)
    alike &= member.website.is_not_distinct_from(shown.website)
    found: dict[int, Change] = {}
    with reading() as session:
        for ids, narrowed in ((approved, pairs.where(alike)), (goals.keys() - approved, pairs)):
            for row in session.execute(narrowed.where(shown.id.in_(ids))):
                found.setdefault(row.member_id, Change(row.member_id, row.version, goals[row.id].goal))
    return list(found.values())[:limit]
