"""Who gets letters about a site: who may decide there, has an address, and wants them."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from comments_service.people.rows import view_of
from comments_service.storage.models import Site
from comments_service.storage.outbox import LetterAddress, LetterWish, Outbox, State, Wish
from comments_service.storage.people import Grant, Moderator
from comments_service.tokens import ConfirmLink
from comments_service.vocabulary import ModeratorView, Role

DECIDERS = tuple(role for role in Role if role.includes(Role.MODERATOR))
HOUR = timedelta(hours=1)


def wanting_each(session: Session, site_id: int) -> list[int]:
    """The ids of all who want a letter for each comment that waits on this site."""
    wanting = (
        select(LetterAddress.moderator_id)
        .join(Grant, Grant.moderator_id == LetterAddress.moderator_id)
        .outerjoin(
            LetterWish,
            (LetterWish.moderator_id == LetterAddress.moderator_id) & (LetterWish.site_id == site_id),
        )
        .where(LetterAddress.confirmed_at.is_not(None))
        .where(or_(Grant.site_id == site_id, Grant.site_id.is_(None)), Grant.role.in_(DECIDERS))
        .where(or_(LetterWish.wish.is_(None), LetterWish.wish == Wish.EACH))
    )
    return sorted(set(session.scalars(wanting)))


def moderator_now(session: Session, moderator_id: int) -> ModeratorView | None:
    """Somebody with the rights of this moment; None when there is no such moderator any more."""
    row = session.get(Moderator, moderator_id)
    return view_of(session, row) if row is not None and row.removed_at is None else None


def holder_of(session: Session, link: ConfirmLink) -> ModeratorView | None:
    """Whom a letter's link stands for, with the rights of this moment.

    None once letters go elsewhere, or whatever ends all sign-ins has ended the links too.
    """
    address = session.get(LetterAddress, link.moderator_id)
    if address is None or address.confirmed_at is None:
        return None
    if not secrets.compare_digest(address.mark, link.mark):
        return None
    return moderator_now(session, link.moderator_id)


def wish_of(session: Session, moderator_id: int, site_id: int) -> Wish:
    """What somebody wants of a site; each comment, where nothing else was said."""
    row = session.get(LetterWish, (moderator_id, site_id))
    return Wish(row.wish) if row else Wish.EACH


def decides_at(session: Session, moderator: ModeratorView) -> list[Site]:
    """The sites where somebody may decide, by name."""
    site_ids = moderator.access.sites(Role.MODERATOR)
    sites = select(Site).order_by(Site.name, Site.id)
    if site_ids is not None:
        sites = sites.where(Site.id.in_(site_ids))
    return list(session.scalars(sites))


def next_place(session: Session, moderator_id: int, *, limit: int, now: datetime) -> datetime | None:
    """When the next letter to somebody may leave; None when now. Letters just leaving count as gone."""
    theirs = select(func.count()).select_from(Outbox).where(Outbox.moderator_id == moderator_id)
    leaving = session.scalar(theirs.where(Outbox.state == State.WAITING, Outbox.lease_until > now)) or 0
    sent = session.scalars(
        select(Outbox.settled_at)
        .where(Outbox.moderator_id == moderator_id, Outbox.state == State.SENT)
        .where(Outbox.settled_at > now - HOUR)
        .order_by(Outbox.settled_at)
    ).all()
    used = len(sent) + max(leaving - 1, 0)  # the one that asks is leaving too
    if used < limit:
        return None
    return (sent[0] if sent and sent[0] else now) + HOUR
