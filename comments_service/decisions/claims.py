"""Who looks at which comment just now: a courtesy between moderators. A claim stops nobody, and soon ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from comments_service.storage.database import transaction
from comments_service.storage.decisions import Claim
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment
from comments_service.storage.people import Moderator
from comments_service.storage.threads import insert_if_absent
from comments_service.vocabulary import ModeratorView, Role

LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True)
class Looking:
    """Who else looks at what, by comment; and what is no longer as this person's page shows it."""

    names: Mapping[int, str]
    changed: tuple[int, ...]


def look_at(shown: Mapping[int, int | None], *, by: ModeratorView, now: datetime) -> Looking:
    """Claim the first of the comments on this person's page, if nobody has, and tell about all of them.

    `shown` gives the version of each as the page has it; where it gives none, what somebody else did in
    the last minute counts as a change.
    """
    ids = list(shown)
    with transaction() as session:
        session.execute(delete(Claim).where(Claim.ends_at <= now))
        if ids:
            _claim(session, ids[0], by, now)
        others = (
            select(Claim.comment_id, Moderator.name)
            .join(Moderator, Moderator.id == Claim.moderator_id)
            .join(Comment, Comment.id == Claim.comment_id)
            .where(Claim.comment_id.in_(ids), Claim.moderator_id != by.id, _seen_by(by))
        )
        names = {row.comment_id: row.name for row in session.execute(others)}
        return Looking(names, _changed(session, shown, by, now))


def _claim(session: Session, comment_id: int, by: ModeratorView, now: datetime) -> None:
    site_id = session.scalar(select(Comment.site_id).where(Comment.id == comment_id, _seen_by(by)))
    if site_id is None or not by.access.may(Role.MODERATOR, site_id):
        return
    ends_at = now + LIFETIME
    values = {"comment_id": comment_id, "moderator_id": by.id, "ends_at": ends_at}
    session.execute(insert_if_absent(session, Claim, values))
    own = update(Claim).where(Claim.comment_id == comment_id, Claim.moderator_id == by.id)
    session.execute(own.values(ends_at=ends_at))
    elsewhere = (Claim.moderator_id == by.id, Claim.comment_id != comment_id)
    session.execute(delete(Claim).where(*elsewhere))  # nobody looks at two at once


def _changed(
    session: Session, shown: Mapping[int, int | None], by: ModeratorView, now: datetime
) -> tuple[int, ...]:
    there = select(Comment.id, Comment.version).where(
        Comment.id.in_(shown), _seen_by(by), Comment.is_purged.is_(False)
    )
    versions: dict[int, int] = dict(session.execute(there).all())
    lately = select(JournalRow.comment_id).where(
        JournalRow.comment_id.in_(shown),
        JournalRow.version.is_not(None),
        JournalRow.moderator_id != by.id,
        JournalRow.happened_at > now - LIFETIME,
    )
    touched: Sequence[int | None] = session.scalars(lately).all()
    return tuple(
        number
        for number, version in shown.items()
        if number not in versions or (number in touched if version is None else versions[number] != version)
    )


def _seen_by(by: ModeratorView) -> ColumnElement[bool]:
    site_ids = by.access.sites()
    return Comment.id.is_not(None) if site_ids is None else Comment.site_id.in_(site_ids)
