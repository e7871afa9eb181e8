"""The right to be forgotten: everything that one address ever sent, out of every table and file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.notify.addresses import address_hashes
from comments_service.privacy import Keyring, normal_email
from comments_service.storage.database import db, reading, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, Site
from comments_service.storage.outbox import LetterAddress
from comments_service.storage.removal import Trail, forget_listed, forget_standings, remove
from comments_service.storage.scrub import scrub
from comments_service.storage.sites import find_site

BATCH = 200  # short enough that nobody who posts meanwhile waits long


@dataclass(frozen=True)
class Erased:
    """How many comments of a person were removed, by the key of the site."""

    by_site: dict[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_site.values())


def erase_person(email: str, *, keys: Keyring, now: datetime, site_key: str | None = None) -> Erased:
    """Remove all comments of an address, on one site or on all; replies by others stay.

    They are invisible with the first batch's commit. Leaves audit rows that do not name the person.

    Raises: FieldsRefused for something that is no address; SiteNotFound; StoreUnavailable.
    """
    normal_email(email)
    with reading() as session:
        sites = [find_site(session, site_key)] if site_key else session.scalars(select(Site)).all()
        named = [(site.id, site.key) for site in sites]
    counts = {key: _erase_on(site_id, key, email, keys, now) for site_id, key in named}
    if site_key is None:
        _forget_letters_to(email, keys, now)
    scrub(db.engine)
    return Erased({key: count for key, count in counts.items() if count})


def _forget_letters_to(email: str, keys: Keyring, now: datetime) -> None:
    """Moderators are people too: none of their letters goes to this address any more."""
    with transaction() as session:
        theirs = LetterAddress.email_hash.in_(address_hashes(keys, email))
        for row in session.scalars(select(LetterAddress).where(theirs)).all():
            session.delete(row)
            session.add(JournalRow(happened_at=now, action="letters-address-dropped"))


def _erase_on(site_id: int, site_key: str, email: str, keys: Keyring, now: datetime) -> int:
    total, hashes = 0, keys.email_hashes(email, site_id=site_id)
    domain = normal_email(email).rpartition("@")[2]
    while count := _erase_batch(site_id, site_key, hashes, domain, now):
        total += count
    return total


def _erase_batch(site_id: int, site_key: str, hashes: tuple[bytes, ...], domain: str, now: datetime) -> int:
    with transaction() as session:
        ids = _ids_of(session, site_id, hashes)
        forget_standings(session, site_id, ids=ids, hashes=hashes, domain=domain)
        forget_listed(session, site_id, hashes)
        if ids:
            remove(session, ids, trail=Trail.NONE)
            subject = f"site {site_key}, comments: {len(ids)}"
            session.add(JournalRow(happened_at=now, action="person-erased", site_id=site_id, subject=subject))
    return len(ids)


def _ids_of(session: Session, site_id: int, hashes: tuple[bytes, ...]) -> list[int]:
    theirs = select(Comment.id).where(Comment.site_id == site_id, Comment.email_hash.in_(hashes))
    return list(session.scalars(theirs.order_by(Comment.id).limit(BATCH)))
