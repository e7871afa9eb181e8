"""What every verb about people needs of the tables: look-ups, roles, the ends of sign-ins, the journal."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from comments_service.errors import PersonNotFound
from comments_service.people.refusals import refusal, wrong
from comments_service.storage.database import lock_for
from comments_service.storage.journal import JournalRow
from comments_service.storage.outbox import LetterAddress
from comments_service.storage.people import Grant, HalfSignIn, Moderator, SignIn
from comments_service.vocabulary import Access, ModeratorView, Role

MAX_MODERATOR_NAME_CHARACTERS = 100
_LOCK = b"people"


def lock_people(session: Session) -> None:
    """Let one at a time change who may do what: two owners must not remove each other."""
    lock_for(session, _LOCK)


def find_person(session: Session, name: str) -> Moderator | None:
    """Whoever has this name now; nobody who was removed."""
    row = named(session, name)
    return row if row is not None and row.removed_at is None else None


def named(session: Session, name: str) -> Moderator | None:
    """Whoever has or had this name."""
    if unfit(name.strip()):
        return None  # U+0000 would be an error of PostgreSQL's own
    return session.scalars(select(Moderator).where(Moderator.name == name.strip())).one_or_none()


def get_person(session: Session, person_id: int) -> Moderator:
    """Somebody by id.

    Raises: PersonNotFound for nobody, and for somebody who was removed.
    """
    row = session.get(Moderator, person_id)
    if row is None or row.removed_at is not None:
        raise PersonNotFound
    return row


def add_person(
    session: Session,
    name: str,
    password_hash: str,
    *,
    grants: Iterable[tuple[int | None, Role]],
    now: datetime,
) -> Moderator:
    """Make somebody with these roles.

    Raises: FieldsRefused for a name that is or was somebody else's: the journal tells people apart by it.
    """
    if named(session, name) is not None:
        raise refusal(wrong("name", "taken"))
    row = Moderator(name=name, password_hash=password_hash, created_at=now)
    session.add(row)
    session.flush()
    session.add_all(Grant(moderator_id=row.id, site_id=site_id, role=role) for site_id, role in grants)
    session.flush()
    return row


def view_of(session: Session, row: Moderator) -> ModeratorView:
    """Somebody as the rooms above know them."""
    return ModeratorView(row.id, row.name, access_of(session, row.id))


def access_of(session: Session, person_id: int) -> Access:
    """What somebody may do, as it is stored at this moment."""
    grants = session.execute(select(Grant.site_id, Grant.role).where(Grant.moderator_id == person_id)).all()
    by_site = {grant.site_id: Role(grant.role) for grant in grants if grant.site_id is not None}
    everywhere = next((Role(grant.role) for grant in grants if grant.site_id is None), None)
    return Access(everywhere, by_site)


def end_sign_ins(session: Session, person_id: int, *, keep: str = "") -> int:
    """End all sign-ins of somebody, but for the one with this secret, and all links in letters.

    Returns how many sign-ins.
    """
    _end_links(session, person_id)
    session.execute(delete(HalfSignIn).where(HalfSignIn.moderator_id == person_id))
    others = select(SignIn.token_hash).where(SignIn.moderator_id == person_id)
    hashes = session.scalars(others.where(SignIn.token_hash != token_hash(keep))).all()
    session.execute(delete(SignIn).where(SignIn.token_hash.in_(hashes)))
    return len(hashes)


def _end_links(session: Session, person_id: int) -> None:
    """Letters that were sent decide nothing any more; the address stays, if its reader has confirmed it.

    One that nobody has confirmed may be the doing of whoever is being shut out.
    """
    own = LetterAddress.moderator_id == person_id
    session.execute(delete(LetterAddress).where(own, LetterAddress.confirmed_at.is_(None)))
    session.execute(update(LetterAddress).where(own).values(mark=new_mark()))


def new_mark() -> str:
    """What the links that go to an address are known by."""
    return secrets.token_urlsafe(16)


def note(session: Session, action: str, by_id: int | None, now: datetime, **more: Any) -> None:
    """Leave a line in the journal; `more` are its further columns."""
    session.add(JournalRow(happened_at=now, moderator_id=by_id, action=action, **more))


def new_batch() -> str:
    """A name for lines that belong together."""
    return secrets.token_urlsafe(16)


def token_hash(token: str) -> bytes:
    """What is stored of a secret of ours."""
    # A plain hash is enough for 256 random bits, and looks the row up in constant time
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def checked_name(name: str) -> str:
    """A name as it is stored.

    Raises: FieldsRefused.
    """
    name = name.strip()
    if code := unfit(name):
        raise refusal(wrong("name", code, limit=MAX_MODERATOR_NAME_CHARACTERS))
    return name


def unfit(name: str) -> str | None:
    """Why this cannot be a name, as a code."""
    if not name:
        return "required"
    if len(name) > MAX_MODERATOR_NAME_CHARACTERS:
        return "too_long"
    return "characters" if any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in name) else None
