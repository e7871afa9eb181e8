"""Where letters go and who wants which: given by a moderator, confirmed by whoever reads the mailbox."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from comments_service import tokens
from comments_service.errors import FieldError, FieldsRefused, KeyRefused, LinkEnded, NotAllowed
from comments_service.notify.outbox import next_digest
from comments_service.notify.recipients import decides_at, moderator_now, wish_of
from comments_service.people.refusals import refusal, wrong
from comments_service.people.rows import new_mark
from comments_service.privacy import KeyHolder, Keyring, mask_email, normal_email
from comments_service.storage.database import lock_for, reading, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Site
from comments_service.storage.outbox import Kind, LetterAddress, LetterWish, Outbox, State, Wish
from comments_service.storage.people import Moderator
from comments_service.vocabulary import ModeratorView, Role

ADDRESS_COLUMN = "letter_address.email"
ADDRESS_PURPOSE = "letters"
# Nobody who can sign in may fill a stranger's mailbox: one letter a day to an address, few by one person
ONE_DAY = timedelta(days=1)
CONFIRMATIONS_A_DAY = 3
RECENT = 20
UNREADABLE = "•••"


@dataclass(frozen=True)
class SiteWish:
    """What somebody wants of one site."""

    site_id: int
    site_key: str
    site_name: str
    wish: Wish


@dataclass(frozen=True)
class RecentLetter:
    """A letter that left, waits or was given up. `who` names its moderator, for owners."""

    kind: Kind
    site_name: str | None
    state: State
    at: datetime
    tries: int
    error: str
    who: str | None = None


@dataclass(frozen=True)
class Letters:
    """All that a moderator's page of letters shows. `dead` are those to others, about sites that one owns."""

    masked_email: str | None
    is_confirmed: bool
    given_at: datetime | None
    wishes: tuple[SiteWish, ...]
    recent: tuple[RecentLetter, ...]
    dead: tuple[RecentLetter, ...]


@dataclass(frozen=True)
class Asked:
    """What a confirmation link is about: who gave which address, and whether it was confirmed already."""

    moderator: str
    masked_email: str
    is_confirmed: bool


def is_given_as(keys: Keyring, email: str, address_hash: bytes) -> bool:
    """Whether this hash, under whichever key, is of this address."""
    return address_hash in address_hashes(keys, email)


def letters_of(moderator: ModeratorView, *, keys: Keyring) -> Letters:
    """What somebody has set about letters, and what became of the last ones."""
    with reading() as session:
        address = session.get(LetterAddress, moderator.id)
        return Letters(
            masked_email=_shown(address, keys) if address else None,
            is_confirmed=bool(address and address.confirmed_at),
            given_at=address.given_at if address else None,
            wishes=tuple(
                SiteWish(site.id, site.key, site.name, wish_of(session, moderator.id, site.id))
                for site in decides_at(session, moderator)
            ),
            recent=_recent(session, moderator),
            dead=_dead_of_others(session, moderator),
        )


def letters_go_to(moderator: ModeratorView, *, keys: Keyring) -> str | None:
    """The address that somebody's letters go to, masked; None while there is none that was confirmed."""
    with reading() as session:
        address = session.get(LetterAddress, moderator.id)
        return _shown(address, keys) if address is not None and address.confirmed_at is not None else None


def give_address(email: str, *, proof: str, by: ModeratorView, keys: KeyHolder, now: datetime) -> None:
    """Take an address, and put down the one letter that asks whether it is theirs.

    `proof` is what `check_own` gave for the password: links in letters decide without a sign-in, so whoever
    finds a browser open must not have them sent elsewhere. The same address again, while it waits for its
    confirmation, sends another letter after a day.

    Raises: FieldsRefused for what is no address or may not be written to again yet, and for a proof of old.
    """
    normal_email(email)
    with transaction() as session:
        if session.get_one(Moderator, by.id, with_for_update=True).password_hash != proof:
            raise refusal(wrong("password", "refused"))  # changed while this one was looked at
        ring = keys.ring
        hashes = address_hashes(ring, email)
        lock_for(session, hashlib.sha256(b"letters " + hashes[-1]).digest(), _name_of(by))
        known = session.get(LetterAddress, by.id)
        if known is not None and known.confirmed_at is not None and known.email_hash in hashes:
            return
        _refuse_haste(session, by, hashes, now)
        session.execute(delete(LetterAddress).where(LetterAddress.moderator_id == by.id))
        session.add(
            LetterAddress(
                moderator_id=by.id,
                email_sealed=ring.seal(email, column=ADDRESS_COLUMN),
                email_hash=hashes[0],
                mark=new_mark(),
                given_at=now,
            )
        )
        session.add(
            Outbox(kind=Kind.ADDRESS, moderator_id=by.id, address_hash=hashes[0], due_at=now, created_at=now)
        )
        _note(session, "letters-address-given", by.id, now)


def drop_address(*, by: ModeratorView, now: datetime) -> None:
    """Forget somebody's address: no letter goes there any more."""
    with transaction() as session:
        row = session.get(LetterAddress, by.id)
        if row is not None:
            session.delete(row)
            _note(session, "letters-address-dropped", by.id, now)


def who_asks(token: str, *, keys: Keyring, now: datetime) -> Asked:
    """Who gave the address that a link would confirm.

    Raises: LinkEnded.
    """
    moderator_id, mark = tokens.read_address_token(keys, token, now=now)
    with reading() as session:
        row = _marked(session, moderator_id, mark)
        return Asked(
            moderator=session.get_one(Moderator, moderator_id).name,
            masked_email=_shown(row, keys),
            is_confirmed=row.confirmed_at is not None,
        )


def confirm_address(token: str, *, keys: Keyring, now: datetime) -> None:
    """Write to this address from now on. Confirming twice is no error.

    Raises: LinkEnded when the link is too old, or another address was given since.
    """
    moderator_id, mark = tokens.read_address_token(keys, token, now=now)
    with transaction() as session:
        row = _marked(session, moderator_id, mark)
        if row.confirmed_at is None:
            row.confirmed_at = now
            _note(session, "letters-address-confirmed", moderator_id, now)


def set_wishes(wishes: Mapping[int, Wish], *, by: ModeratorView, now: datetime) -> None:
    """Keep what somebody wants of sites, by their ids.

    Raises: NotAllowed for a site where they decide nothing; then nothing is kept.
    """
    with transaction() as session:
        allowed = {site.id for site in decides_at(session, by)}
        if not set(wishes) <= allowed:
            raise NotAllowed
        for site_id, wish in sorted(wishes.items()):
            _set(session, by.id, site_id, wish, now)


def stopped_site(token: str, *, keys: Keyring) -> str:
    """The name of the site whose letters a link would end.

    Raises: LinkEnded.
    """
    with reading() as session:
        return _to_stop(session, token, keys)[1].name


def stop_letters(token: str, *, keys: Keyring, now: datetime) -> str:
    """End somebody's letters about one site, for whoever holds the link; the site's name.

    Raises: LinkEnded.
    """
    with transaction() as session:
        moderator_id, site = _to_stop(session, token, keys)
        _set(session, moderator_id, site.id, Wish.OFF, now)
        return site.name


def _to_stop(session: Session, token: str, keys: Keyring) -> tuple[int, Site]:
    moderator_id, site_id, name = tokens.read_stop_token(keys, token)
    moderator, site = moderator_now(session, moderator_id), session.get(Site, site_id)
    address = session.get(LetterAddress, moderator_id)
    if moderator is None or site is None or address is None or name not in _names_now(address, keys):
        raise LinkEnded
    if not moderator.access.may(Role.VIEWER, site.id):  # no letter comes, and the site is none of theirs
        raise LinkEnded
    return moderator_id, site


def _names_now(address: LetterAddress, keys: Keyring) -> tuple[str, ...]:
    try:
        return address_names(keys, keys.open(address.email_sealed, column=ADDRESS_COLUMN))
    except KeyRefused:  # nothing can be sent there either
        return ()


def _set(session: Session, moderator_id: int, site_id: int, wish: Wish, now: datetime) -> None:
    row = session.get(LetterWish, (moderator_id, site_id))
    if row is None:
        row = LetterWish(moderator_id=moderator_id, site_id=site_id, wish="")
        session.add(row)
    if row.wish != wish:
        row.wish, row.next_digest_at = wish, next_digest(wish, now=now)


def _refuse_haste(session: Session, by: ModeratorView, hashes: tuple[bytes, ...], now: datetime) -> None:
    lately = (
        select(func.count())
        .select_from(Outbox)
        .where(Outbox.kind == Kind.ADDRESS, Outbox.created_at > now - ONE_DAY)
    )
    if session.scalar(lately.where(Outbox.address_hash.in_(hashes))):
        raise _refusal("written")
    if (session.scalar(lately.where(Outbox.moderator_id == by.id)) or 0) >= CONFIRMATIONS_A_DAY:
        raise _refusal("too_many")


def _refusal(code: str) -> FieldsRefused:
    key = f"letters.error.email.{code}"
    return FieldsRefused(key, errors=(FieldError("email", code, key),))


def _shown(row: LetterAddress, keys: Keyring) -> str:
    """The address as pages may show it."""
    try:
        return mask_email(keys.open(row.email_sealed, column=ADDRESS_COLUMN))
    except KeyRefused:  # a damaged row must not close the page on which it can be mended
        return UNREADABLE


def _marked(session: Session, moderator_id: int, mark: str) -> LetterAddress:
    row = session.get(LetterAddress, moderator_id)
    if row is None or not secrets.compare_digest(row.mark, mark):
        raise LinkEnded
    return row


def address_hashes(keys: Keyring, email: str) -> tuple[bytes, ...]:
    """What a moderator's address is known by under every key, the newest first."""
    return keys.digests(ADDRESS_PURPOSE, normal_email(email).encode())


def address_names(keys: Keyring, email: str) -> tuple[str, ...]:
    """The same hashes as links that end letters carry them."""
    return tuple(one.hex() for one in address_hashes(keys, email))


def _name_of(by: ModeratorView) -> bytes:
    return hashlib.sha256(f"letters of {by.id}".encode()).digest()


def _note(session: Session, action: str, moderator_id: int, now: datetime) -> None:
    session.add(JournalRow(happened_at=now, moderator_id=moderator_id, action=action))


def _recent(session: Session, moderator: ModeratorView) -> tuple[RecentLetter, ...]:
    mine = (
        select(Outbox, Site.name)
        .outerjoin(Site, Site.id == Outbox.site_id)
        .where(Outbox.moderator_id == moderator.id)
        .order_by(Outbox.id.desc())
        .limit(RECENT)
    )
    return tuple(_recent_letter(row.Outbox, row.name) for row in session.execute(mine))


def _dead_of_others(session: Session, moderator: ModeratorView) -> tuple[RecentLetter, ...]:
    owned = moderator.access.sites(Role.OWNER)
    dead = (
        select(Outbox, Site.name, Moderator.name.label("who"))
        .join(Site, Site.id == Outbox.site_id)
        .join(Moderator, Moderator.id == Outbox.moderator_id)
        .where(Outbox.state == State.DEAD, Outbox.moderator_id != moderator.id)
        .order_by(Outbox.settled_at.desc(), Outbox.id.desc())
        .limit(RECENT)
    )
    if owned is not None:
        dead = dead.where(Outbox.site_id.in_(owned))
    return tuple(_recent_letter(row.Outbox, row.name, row.who) for row in session.execute(dead))


def _recent_letter(row: Outbox, site_name: str | None, who: str | None = None) -> RecentLetter:
    at = row.settled_at or (row.due_at if row.tries else row.created_at)
    return RecentLetter(Kind(row.kind), site_name, State(row.state), at, row.tries, row.error, who)
