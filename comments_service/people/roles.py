"""Who may do what, where: roles given, changed and withdrawn by those who own a site, or by the operator."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from comments_service.errors import NotAllowed, PersonNotFound, SiteNotFound
from comments_service.people.accounts import refuse_last_owner
from comments_service.people.rows import access_of, end_sign_ins, get_person, lock_people, note
from comments_service.storage.database import transaction
from comments_service.storage.people import Grant, Moderator
from comments_service.vocabulary import Access, ModeratorView, Role

GIVEN, WITHDRAWN = "role-given", "role-withdrawn"


def change_role(
    person_id: int,
    role: Role | None,
    site_id: int | None,
    *,
    by: ModeratorView | None,
    now: datetime,
    batch: str | None = None,
) -> bool:
    """Give somebody a role on a site, or everywhere where the site is None; None as the role withdraws it.

    Nobody changes the own role. Without any role left, all sign-ins end. `batch` names the change, to take
    it back by. Returns whether the role was another one before.

    Raises: NotAllowed, SiteNotFound, PersonNotFound; LastOwner for the only one who owns every site.
    """
    with transaction() as session:
        lock_people(session)
        require_owner(session, by, site_id)
        row = get_person(session, person_id)
        access = access_of(session, row.id)
        _refuse_strangers(session, access, site_id, by)
        if by is not None and row.id == by.id:
            raise NotAllowed
        if role_at(session, row.id, site_id) is role:
            return False
        put_role(session, row, role, site_id, by=by, now=now, batch=batch)
        return True


def role_at(session: Session, person_id: int, site_id: int | None) -> Role | None:
    """The role that somebody was given on this very site, or everywhere where it is None."""
    access = access_of(session, person_id)
    return access.everywhere if site_id is None else access.by_site.get(site_id)


def put_role(
    session: Session,
    row: Moderator,
    role: Role | None,
    site_id: int | None,
    *,
    by: ModeratorView | None,
    now: datetime,
    batch: str | None,
    undoes: int | None = None,
) -> None:
    """Let this be somebody's role there, whoever asks, and tell the journal.

    Raises: LastOwner.
    """
    before = role_at(session, row.id, site_id)
    if site_id is None and before is Role.OWNER:
        refuse_last_owner(session, row.id)
    _store(session, row.id, role, site_id)
    details = {"moderator": row.id, "before": before and str(before), "role": role and str(role)}
    about = {"site_id": site_id, "subject": row.name, "details": details}
    action = GIVEN if role else WITHDRAWN
    note(session, action, by.id if by else None, now, batch=batch, undoes_id=undoes, **about)


def require_owner(session: Session, by: ModeratorView | None, site_id: int | None) -> None:
    """Let pass who owns the site, or every site where it is None, at this very moment. None is the operator.

    Raises: NotAllowed; SiteNotFound for somebody who has no business on the site.
    """
    if by is None:
        return
    access = access_of(session, by.id)
    if access.everywhere is Role.OWNER or (site_id is not None and access.may(Role.OWNER, site_id)):
        return
    if site_id is None or access.may(Role.VIEWER, site_id):
        raise NotAllowed
    raise SiteNotFound


def _refuse_strangers(
    session: Session, access: Access, site_id: int | None, by: ModeratorView | None
) -> None:
    """An owner of single sites knows the people of these sites, and must not learn of others."""
    if by is None or access_of(session, by.id).everywhere is Role.OWNER:
        return
    if site_id is None or not access.may(Role.VIEWER, site_id):
        raise PersonNotFound


def _store(session: Session, person_id: int, role: Role | None, site_id: int | None) -> None:
    here = Grant.site_id.is_(None) if site_id is None else Grant.site_id == site_id
    session.execute(delete(Grant).where(Grant.moderator_id == person_id, here))
    if role is not None:
        session.add(Grant(moderator_id=person_id, site_id=site_id, role=role))
    session.flush()
    if access_of(session, person_id) == Access():
        end_sign_ins(session, person_id)
