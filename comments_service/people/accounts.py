"""Moderators: who they are and their passwords. What happens here leaves a line in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from comments_service.errors import LastOwner, NotAllowed
from comments_service.people import passwords
from comments_service.people.refusals import refusal, wrong
from comments_service.people.rows import (
    access_of,
    add_person,
    checked_name,
    end_sign_ins,
    find_person,
    get_person,
    lock_people,
    note,
    view_of,
)
from comments_service.storage.database import reading, transaction
from comments_service.storage.outbox import LetterAddress, LetterWish
from comments_service.storage.people import Grant, Moderator, RecoveryCode, SecondFactor
from comments_service.storage.sites import find_site
from comments_service.vocabulary import ModeratorView, Role

NO_PASSWORD = "removed"  # noqa: S105 -- no hash at all, so that nothing fits it


@dataclass(frozen=True)
class NewPassword:
    """What somebody typed to change the own password. `keep` is the sign-in that goes on."""

    current: str
    new: str
    again: str
    keep: str


def add_moderator(
    name: str, password: str, *, now: datetime, role: Role = Role.OWNER, site_keys: Iterable[str] = ()
) -> ModeratorView:
    """Let somebody do what the role includes, on these sites or, without any, everywhere.

    Raises: FieldsRefused for a name that is taken or unfit, or a weak password; SiteNotFound.
    """
    name = checked_name(name)
    passwords.refuse_weak(password, name)
    password_hash = passwords.hashed(password)
    with transaction() as session:
        lock_people(session)
        places: list[int | None] = [find_site(session, key).id for key in site_keys]
        grants = [(site_id, role) for site_id in dict.fromkeys(places or [None])]
        row = add_person(session, name, password_hash, grants=grants, now=now)
        note(session, "moderator-added", None, now, subject=name, details={"moderator": row.id})
        return view_of(session, row)


def list_moderators() -> list[ModeratorView]:
    """Everybody who may sign in, by name."""
    with reading() as session:
        present = select(Moderator).where(Moderator.removed_at.is_(None)).order_by("name")
        return [view_of(session, row) for row in session.scalars(present)]


def person_named(name: str) -> ModeratorView:
    """Somebody by name.

    Raises: FieldsRefused for a name nobody has.
    """
    with reading() as session:
        return view_of(session, _known(session, name))


def reset_password(
    name: str, password: str, *, now: datetime, drop_second_factor: bool = False
) -> ModeratorView:
    """Give somebody a new password and end all their sign-ins; without the second factor if told so.

    Their letters go nowhere until they give an address anew: whoever knew the old password may have given
    the one that is there.

    Raises: FieldsRefused for an unknown name or a weak password.
    """
    passwords.refuse_weak(password, name.strip())
    password_hash = passwords.hashed(password)
    with transaction() as session:
        row = _known(session, name)
        row.password_hash = password_hash
        had_address = _forget_address(session, row.id)
        end_sign_ins(session, row.id)
        if drop_second_factor:
            forget_second_factor(session, row.id)
            _note_of(session, "second-factor-dropped", row, now)
        if had_address:
            _note_of(session, "letters-address-dropped", row, now)
        _note_of(session, "password-reset", row, now)
        return view_of(session, row)


def change_password(moderator: ModeratorView, wanted: NewPassword, *, now: datetime) -> None:
    """Replace the own password, and end all sign-ins but the one it is done from.

    Raises: FieldsRefused, with all wrong fields.
    """
    with reading() as session:
        seen = session.get_one(Moderator, moderator.id).password_hash
    found = [] if passwords.fits(seen, wanted.current) else [wrong("current", "refused")]
    found += passwords.wrong_pair(wanted.new, wanted.again, moderator.name)
    if found:
        raise refusal(*found)
    password_hash = passwords.hashed(wanted.new)
    with transaction() as session:
        row = session.get_one(Moderator, moderator.id, with_for_update=True)
        if row.password_hash != seen:
            raise refusal(wrong("current", "refused"))  # changed by somebody else while this was hashed
        row.password_hash = password_hash
        end_sign_ins(session, row.id, keep=wanted.keep)
        note(session, "password-changed", row.id, now)


def remove_person(person_id: int, *, by: ModeratorView | None, now: datetime) -> str:
    """Let somebody in no more: sign-ins and roles end at once, the journal keeps the name. Returns the name.

    Raises: NotAllowed for all but those who own every site, and for oneself; PersonNotFound; LastOwner.
    """
    with transaction() as session:
        lock_people(session)
        if by is not None and access_of(session, by.id).everywhere is not Role.OWNER:
            raise NotAllowed
        row = get_person(session, person_id)
        if by is not None and row.id == by.id:
            raise NotAllowed
        refuse_last_owner(session, row.id)
        session.execute(delete(Grant).where(Grant.moderator_id == row.id))
        end_sign_ins(session, row.id)
        forget_second_factor(session, row.id)
        _forget_address(session, row.id)
        session.execute(delete(LetterWish).where(LetterWish.moderator_id == row.id))
        row.password_hash, row.removed_at = NO_PASSWORD, now
        details = {"moderator": row.id}
        note(session, "moderator-removed", by.id if by else None, now, subject=row.name, details=details)
        return row.name


def refuse_last_owner(session: Session, person_id: int) -> None:
    """Keep one who owns every site: the only one cannot go, nor become less.

    Raises: LastOwner.
    """
    everywhere = select(Grant.moderator_id).where(Grant.site_id.is_(None), Grant.role == Role.OWNER)
    owners = set(session.scalars(everywhere))
    if owners == {person_id}:
        raise LastOwner


def forget_second_factor(session: Session, person_id: int) -> None:
    """Drop the secret and the recovery codes."""
    session.execute(delete(SecondFactor).where(SecondFactor.moderator_id == person_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.moderator_id == person_id))


def _forget_address(session: Session, person_id: int) -> bool:
    address = session.get(LetterAddress, person_id)
    if address is not None:
        session.delete(address)
    return address is not None


def _known(session: Session, name: str) -> Moderator:
    row = find_person(session, name)
    if row is None:
        raise refusal(wrong("name", "unknown"))
    return row


def _note_of(session: Session, action: str, row: Moderator, now: datetime) -> None:
    note(session, action, None, now, subject=row.name, details={"moderator": row.id})
