"""Invitations: a link by which somebody becomes a moderator, once, within some days."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from comments_service.errors import InvitationEnded, NotAllowed
from comments_service.people import passwords
from comments_service.people.refusals import refusal, wrong
from comments_service.people.roles import require_owner
from comments_service.people.rows import MAX_MODERATOR_NAME_CHARACTERS as MAX_NAME
from comments_service.people.rows import (
    access_of,
    add_person,
    lock_people,
    new_batch,
    note,
    token_hash,
    unfit,
)
from comments_service.storage.database import reading, transaction
from comments_service.storage.models import Site
from comments_service.storage.people import Grant, Invitation, InvitationSite, Moderator
from comments_service.vocabulary import ModeratorView, Role

MAX_DAYS = 30
Places = tuple[int | None, ...]


@dataclass(frozen=True)
class Offer:
    """What an invitation is to give: a role on these sites, or on every site where there are none."""

    role: Role
    site_ids: tuple[int, ...]
    days: int


@dataclass(frozen=True)
class InvitationView:
    """An open invitation, without its link, which nobody sees again. No sites means every site."""

    id: int
    role: Role
    site_names: tuple[str, ...]
    made_by: str
    ends_at: datetime


@dataclass(frozen=True)
class Guest:
    """What somebody typed who follows an invitation."""

    name: str
    password: str
    again: str


def invite(offer: Offer, *, by: ModeratorView, now: datetime) -> str:
    """Make an invitation; returns its secret, which is stored as a hash only.

    Raises: FieldsRefused for a time that is too long or short; NotAllowed, SiteNotFound.
    """
    if not 1 <= offer.days <= MAX_DAYS:
        raise refusal(wrong("days", "refused", limit=MAX_DAYS))
    token, sites = secrets.token_urlsafe(32), tuple(dict.fromkeys(offer.site_ids))
    with transaction() as session:
        for site_id in sites or (None,):
            require_owner(session, by, site_id)
        row = Invitation(
            token_hash=token_hash(token),
            role=offer.role,
            is_everywhere=not sites,
            made_by_id=by.id,
            made_at=now,
            ends_at=now + timedelta(days=offer.days),
        )
        session.add(row)
        session.flush()
        session.add_all(InvitationSite(invitation_id=row.id, site_id=site_id) for site_id in sites)
        _note(session, "invitation-made", row, sites or (None,), by.id, now)
    return token


def withdraw(invitation_id: int, *, by: ModeratorView, now: datetime) -> None:
    """Let an invitation open nothing any more; one that is not there, or not this owner's, is no error."""
    with transaction() as session:
        lock_people(session)
        row = session.get(Invitation, invitation_id)
        places = _places(session, row) if row else ()
        if row is not None and _may_make(session, by.id, places):
            _take(session, row)
            _note(session, "invitation-withdrawn", row, places, by.id, now)


def open_invitations(*, by: ModeratorView, site_id: int | None, now: datetime) -> tuple[InvitationView, ...]:
    """The invitations that are still good, and that this owner could have made: to one site, or to all."""
    with reading() as session:
        rows = session.scalars(select(Invitation).where(Invitation.ends_at > now).order_by(Invitation.id))
        found = []
        for row in rows:
            places = _places(session, row)
            is_here = site_id is None or site_id in places or None in places
            if is_here and all(_may_make(session, one, places) for one in (by.id, row.made_by_id)):
                found.append(_view(session, row, places))
        return tuple(found)


def invitation(token: str, *, now: datetime) -> InvitationView:
    """What a link offers.

    Raises: InvitationEnded, which never says why.
    """
    with reading() as session:
        row = _open(session, token, now)
        return _view(session, row, _places(session, row))


def accept(token: str, guest: Guest, *, now: datetime) -> ModeratorView:
    """Become a moderator; of two with the same link at once, one does.

    Raises: InvitationEnded; FieldsRefused, with all wrong fields, and the invitation stays good.
    """
    invitation(token, now=now)  # before a password is hashed for whoever knocks
    name = guest.name.strip()
    code = unfit(name)
    found = [wrong("name", code, limit=MAX_NAME)] if code else []
    found += passwords.wrong_pair(guest.password, guest.again, name)
    if found:
        raise refusal(*found)
    password_hash = passwords.hashed(guest.password)
    with transaction() as session:
        lock_people(session)
        row = _open(session, token, now)
        places = _places(session, row)
        _take(session, row)
        grants = [(site_id, Role(row.role)) for site_id in places]
        person = add_person(session, name, password_hash, grants=grants, now=now)
        _note(session, "invitation-used", row, places, person.id, now)
        return ModeratorView(person.id, person.name, access_of(session, person.id))


def accept_as(token: str, *, by: ModeratorView, now: datetime) -> None:
    """Take what an invitation offers for an account that is there already; no role becomes less by it.

    Raises: InvitationEnded; NotAllowed for the own invitation: nobody gives themselves anything.
    """
    with transaction() as session:
        lock_people(session)
        row = _open(session, token, now)
        places, role = _places(session, row), Role(row.role)
        if row.made_by_id == by.id:
            raise NotAllowed
        _take(session, row)
        access = access_of(session, by.id)
        for site_id in places:
            held = access.everywhere if site_id is None else access.by_site.get(site_id)
            if held is None or not held.includes(role):
                here = Grant.site_id.is_(None) if site_id is None else Grant.site_id == site_id
                session.execute(delete(Grant).where(Grant.moderator_id == by.id, here))
                session.add(Grant(moderator_id=by.id, site_id=site_id, role=role))
        _note(session, "invitation-used", row, places, by.id, now)


def _open(session: Session, token: str, now: datetime) -> Invitation:
    known = select(Invitation).where(Invitation.token_hash == token_hash(token), Invitation.ends_at > now)
    row = session.scalars(known).one_or_none()
    if row is None or not _may_make(session, row.made_by_id, _places(session, row)):
        raise InvitationEnded
    return row


def _may_make(session: Session, person_id: int, places: Places) -> bool:
    """Whether somebody owns all this now: an invitation ends with the role of whoever made it."""
    access = access_of(session, person_id)
    is_everywhere = access.everywhere is Role.OWNER
    return bool(places) and all(
        is_everywhere if site_id is None else access.may(Role.OWNER, site_id) for site_id in places
    )


def _take(session: Session, row: Invitation) -> None:
    """Remove an invitation; whoever else wants it waits for `lock_people`, and finds it gone.

    Raises: InvitationEnded.
    """
    session.execute(delete(InvitationSite).where(InvitationSite.invitation_id == row.id))
    gone = delete(Invitation).where(Invitation.id == row.id).returning(Invitation.id)
    if not session.scalars(gone, execution_options={"synchronize_session": False}).all():
        raise InvitationEnded


def _places(session: Session, row: Invitation) -> Places:
    """The sites that it is for; (None,) means every site, and nothing at all means that it is for none."""
    if row.is_everywhere:
        return (None,)
    of_it = select(InvitationSite.site_id).where(InvitationSite.invitation_id == row.id)
    return tuple(session.scalars(of_it.order_by(InvitationSite.site_id)))


def _view(session: Session, row: Invitation, places: Places) -> InvitationView:
    names = session.scalars(select(Site.name).where(Site.id.in_(places)).order_by(Site.name)).all()
    made_by = session.get_one(Moderator, row.made_by_id).name
    return InvitationView(row.id, Role(row.role), tuple(names), made_by, row.ends_at)


def _note(session: Session, action: str, row: Invitation, places: Places, by_id: int, now: datetime) -> None:
    """One line a site, so that its owners see it and nobody sees the other sites."""
    batch, details = new_batch(), {"invitation": row.id, "role": str(row.role)}
    for site_id in places:
        note(session, action, by_id, now, site_id=site_id, details=details, batch=batch)
