"""A row that stands for a cluster is decided once: its wish is a wish about all that wait like it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from comments_service.clusters.joining import members
from comments_service.decisions.verbs import Change
from comments_service.storage.database import reading
from comments_service.storage.models import Comment
from comments_service.vocabulary import Status


def those_like(collapsed: Iterable[Change], *, besides: Iterable[Change], limit: int) -> list[Change]:
    """The same wish for every waiting comment in the clusters of these, as it is now.

    At most so many, so that the transaction stays short; the rest go on standing as one row.
    """
    known = {change.comment_id for change in besides}
    goals = {change.comment_id: change.goal for change in collapsed}
    found: list[Change] = []
    with reading() as session:
        clusters = select(Comment.id, Comment.cluster_id).where(
            Comment.id.in_(goals), Comment.cluster_id.is_not(None)
        )
        for row in session.execute(clusters.order_by(Comment.id)).all():
            for member in members(session, row.cluster_id, (Status.PENDING,)):
                if member.id not in known:
                    known.add(member.id)
                    found.append(Change(member.id, member.version, goals[row.id]))
    return found[:limit]
