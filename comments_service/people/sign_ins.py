"""Sign-ins: how they begin, in one step or two, whose they are, and how they end."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import Session

from comments_service.errors import CodeRefused, SignInRefused
from comments_service.people import passwords
from comments_service.people.codes import Spent, spend_code
from comments_service.people.rows import end_sign_ins, find_person, note, token_hash, view_of
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.database import reading, transaction
from comments_service.storage.people import HalfSignIn, Moderator, SecondFactor, SignIn
from comments_service.vocabulary import ModeratorView

TOUCH_SECONDS = 60  # "last seen" is written once a minute, not with every click
HALF_SECONDS = 300
MAX_TRIES = 5  # of one half sign-in; then the password is asked for again
REFERENCE_CHARACTERS = 16


@dataclass(frozen=True)
class Browser:
    """From where somebody signs in, as coarse as people know it: "Firefox", "Linux". Empty where unknown."""

    name: str = ""
    system: str = ""


@dataclass(frozen=True)
class Begun:
    """A sign-in's secret. With `needs_code` it opens nothing but the page that asks for the code."""

    token: str
    needs_code: bool


@dataclass(frozen=True)
class SignInView:
    """One sign-in, as its owner sees it. `reference` names it in a form and opens nothing."""

    reference: str
    browser: Browser
    begun_at: datetime
    last_seen_at: datetime
    is_this: bool


def sign_in(name: str, password: str, *, browser: Browser, settings: Settings, now: datetime) -> Begun:
    """Begin a sign-in, or half of one where a code is still missing; secrets are stored as hashes only.

    A name nobody has costs the same time and writes as much as a wrong password.

    Raises: SignInRefused, which never says which of the two is wrong.
    """
    with reading() as session:
        row = find_person(session, name)
        moderator_id, seen = (row.id, row.password_hash) if row else (None, passwords.decoy())
    is_right = passwords.fits(seen, password) and moderator_id is not None
    begun = None
    with transaction() as session:
        # Locked, so that a password which is replaced at this moment does not miss the sign-in it should end
        known = session.get(Moderator, moderator_id, with_for_update=True) if moderator_id else None
        if is_right and known is not None and known.password_hash == seen:
            _drop_ended(session, known.id, settings, now)
            begun = _begin(session, known.id, browser, now)
        # Never the name that was typed: people type passwords into the wrong field
        if begun is None or not begun.needs_code:
            note(session, "signed-in" if begun else "sign-in-refused", moderator_id, now)
    if begun is None:
        raise SignInRefused
    return begun


def complete(
    half: str, code: str, *, browser: Browser, keys: Keyring, settings: Settings, now: datetime
) -> str:
    """Make a whole sign-in of a half one, by a code; returns its secret, which is another than the half's.

    Raises: CodeRefused for a wrong or used code; SignInRefused when the half one has ended.
    """
    with transaction() as session:
        moderator_id = _take_try(session, half, now)
        spent = spend_code(session, moderator_id, code, keys=keys, now=now) if moderator_id else None
        token = _complete(session, half, moderator_id, browser, now) if moderator_id and spent else None
        if spent is Spent.RECOVERY:
            note(session, "recovery-code-used", moderator_id, now)
        if moderator_id is not None:
            note(session, "signed-in" if token else "code-refused", moderator_id, now)
    if moderator_id is None:
        raise SignInRefused
    if token is None:
        raise CodeRefused
    return token


def half_signed_in(half: str, *, now: datetime) -> ModeratorView | None:
    """Who has given the right password, and not yet a code; None when that has ended."""
    with reading() as session:
        row = session.get(HalfSignIn, token_hash(half))
        if row is None or _is_half_over(row, now):
            return None
        return view_of(session, session.get_one(Moderator, row.moderator_id))


def sign_out(token: str, *, now: datetime) -> None:
    """End one sign-in; one that has ended already is no error."""
    with transaction() as session:
        row = session.get(SignIn, token_hash(token))
        if row is not None:
            session.delete(row)
            note(session, "signed-out", row.moderator_id, now)


def sign_out_everywhere(by: ModeratorView, *, now: datetime) -> None:
    """End all sign-ins of somebody, the one it is done from included."""
    with transaction() as session:
        end_sign_ins(session, by.id)
        note(session, "signed-out-everywhere", by.id, now)


def end_sign_in(reference: str, *, by: ModeratorView, now: datetime) -> None:
    """End one of the own sign-ins, named as in the list; one that has ended already is no error."""
    with transaction() as session:
        own = session.scalars(select(SignIn).where(SignIn.moderator_id == by.id)).all()
        for row in own:
            if _reference(row) == reference:
                session.delete(row)
                note(session, "sign-in-ended", by.id, now)


def own_sign_ins(
    by: ModeratorView, *, token: str, settings: Settings, now: datetime
) -> tuple[SignInView, ...]:
    """The own sign-ins that have not ended, this one first, then the one last seen."""
    this = token_hash(token)
    with reading() as session:
        rows = session.scalars(select(SignIn).where(SignIn.moderator_id == by.id)).all()
        views = [
            SignInView(
                reference=_reference(row),
                browser=Browser(row.browser, row.system),
                begun_at=row.created_at,
                last_seen_at=row.last_seen_at,
                is_this=row.token_hash == this,
            )
            for row in rows
            if not _has_ended(row, settings, now)
        ]
    views.sort(key=lambda view: view.last_seen_at, reverse=True)
    return tuple(sorted(views, key=lambda view: not view.is_this))


def current_moderator(token: str, *, settings: Settings, now: datetime) -> ModeratorView | None:
    """Whose sign-in this is; None when it has ended: idle, too old, signed out, or never begun."""
    with reading() as session:
        row = session.get(SignIn, token_hash(token))
        if row is None or _has_ended(row, settings, now):
            return None
        moderator = session.get_one(Moderator, row.moderator_id)
        view, last_seen_at = view_of(session, moderator), row.last_seen_at
    if now - last_seen_at > timedelta(seconds=TOUCH_SECONDS):
        with suppress(OperationalError, InternalError):  # moderators may read a store that cannot write
            _touch(token, now)
    return view


def _begin(session: Session, moderator_id: int, browser: Browser, now: datetime) -> Begun:
    token = secrets.token_urlsafe(32)
    factor = session.get(SecondFactor, moderator_id)
    if factor is not None and factor.confirmed_at is not None:
        session.add(HalfSignIn(token_hash=token_hash(token), moderator_id=moderator_id, created_at=now))
        return Begun(token, needs_code=True)
    _add(session, token, moderator_id, browser, now)
    return Begun(token, needs_code=False)


def _add(session: Session, token: str, moderator_id: int, browser: Browser, now: datetime) -> None:
    session.add(
        SignIn(
            token_hash=token_hash(token),
            moderator_id=moderator_id,
            created_at=now,
            last_seen_at=now,
            browser=browser.name,
            system=browser.system,
        )
    )


def _take_try(session: Session, half: str, now: datetime) -> int | None:
    """Count one code against the half sign-in; returns whose it is, None when it has ended."""
    left = (
        HalfSignIn.token_hash == token_hash(half),
        HalfSignIn.tries < MAX_TRIES,
        HalfSignIn.created_at > now - timedelta(seconds=HALF_SECONDS),
    )
    counted = update(HalfSignIn).where(*left).values(tries=HalfSignIn.tries + 1)
    return session.scalars(counted.returning(HalfSignIn.moderator_id)).one_or_none()


def _complete(session: Session, half: str, moderator_id: int, browser: Browser, now: datetime) -> str:
    session.execute(delete(HalfSignIn).where(HalfSignIn.token_hash == token_hash(half)))
    token = secrets.token_urlsafe(32)
    _add(session, token, moderator_id, browser, now)
    return token


def _is_half_over(row: HalfSignIn, now: datetime) -> bool:
    return row.tries >= MAX_TRIES or row.created_at <= now - timedelta(seconds=HALF_SECONDS)


def _touch(token: str, now: datetime) -> None:
    with transaction() as session:
        session.execute(update(SignIn).where(SignIn.token_hash == token_hash(token)).values(last_seen_at=now))


def _reference(row: SignIn) -> str:
    return row.token_hash.hex()[:REFERENCE_CHARACTERS]


def _ends(settings: Settings, now: datetime) -> tuple[datetime, datetime]:
    """The latest "last seen" and "begun" with which a sign-in is over."""
    return (
        now - timedelta(seconds=settings.session_idle_seconds),
        now - timedelta(seconds=settings.session_lifetime_seconds),
    )


def _has_ended(row: SignIn, settings: Settings, now: datetime) -> bool:
    idle, begun = _ends(settings, now)
    return row.last_seen_at <= idle or row.created_at <= begun


def _drop_ended(session: Session, moderator_id: int, settings: Settings, now: datetime) -> None:
    idle, begun = _ends(settings, now)
    ended = or_(SignIn.last_seen_at <= idle, SignIn.created_at <= begun)
    session.execute(delete(SignIn).where(SignIn.moderator_id == moderator_id, ended))
    half_ended = HalfSignIn.created_at <= now - timedelta(seconds=HALF_SECONDS)
    session.execute(delete(HalfSignIn).where(HalfSignIn.moderator_id == moderator_id, half_ended))
