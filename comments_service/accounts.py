"""Moderators: who they are, their passwords, their sign-ins. What happens here leaves a line in the audit."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import Session

from comments_service.errors import FieldError, FieldsRefused, SignInRefused
from comments_service.settings import Settings
from comments_service.storage.database import reading, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.people import Grant, Moderator, SignIn
from comments_service.texts import SOURCE_LANGUAGE, Catalogue
from comments_service.vocabulary import Access, ModeratorView, Role

MAX_MODERATOR_NAME_CHARACTERS = 100
MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 1_000  # nothing is cut; beyond this nobody types, and hashing is not free
MIN_DIFFERENT_CHARACTERS = 5
TOUCH_SECONDS = 60  # "last seen" is written once a minute, not with every click
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP: 19 MiB, 2 rounds, 1 lane

# The commonest of at least twelve characters in public lists of leaked passwords, without digits at the end
_COMMONEST = """
    password passwordpassword mypassword thisismypassword passw0rdpassw0rd p@ssw0rdp@ssw0rd qwerty qwertyuiop
    qwertyuiopasdfghjkl qwertyqwerty qazwsxedc qazwsxedcrfv 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv
    1q2w3e4r5t6y7u8i9o0p zxcvbnm asdfghjkl abcdefghijkl abcdefghijklmnopqrstuvwxyz iloveyou iloveyouforever
    letmein letmeinplease administrator administrator1 welcome welcomewelcome changeme changemeplease
    changemenow moderator commentscomments adminadmin adminadminadmin football baseball princess sunshine
    trustno1trustno1 michelle123456 superman batman dragon monkey
"""


@dataclass(frozen=True)
class NewPassword:
    """What somebody typed to change the own password. `keep` is the sign-in that goes on."""

    current: str
    new: str
    again: str
    keep: str


def prepare() -> None:
    """Make what the first refused name would otherwise have to wait for, and tell itself apart by."""
    _decoy()


def add_moderator(name: str, password: str, *, now: datetime) -> ModeratorView:
    """Let somebody decide from now on.

    Raises: FieldsRefused for a name that is taken or unfit, or a weak password.
    """
    name = _checked_name(name)
    _refuse_weak(password, name)
    password_hash = _hash(password)
    with transaction() as session:
        if _find(session, name) is not None:
            raise _refusal("name", "taken")
        row = Moderator(name=name, password_hash=password_hash, created_at=now)
        session.add(row)
        session.flush()
        session.add(Grant(moderator_id=row.id, role=Role.OWNER))
        _note(session, "moderator-added", row.id, now)
        return _view(session, row)


def list_moderators() -> list[ModeratorView]:
    """Everybody who may decide, by name."""
    with reading() as session:
        return [_view(session, row) for row in session.scalars(select(Moderator).order_by("name"))]


def reset_password(name: str, password: str, *, now: datetime) -> ModeratorView:
    """Give somebody a new password and end all their sign-ins.

    Raises: FieldsRefused for an unknown name or a weak password.
    """
    _refuse_weak(password, name.strip())
    password_hash = _hash(password)
    with transaction() as session:
        row = _find(session, name)
        if row is None:
            raise _refusal("name", "unknown")
        _replace_password(session, row.id, password_hash, keep="")
        _note(session, "password-reset", row.id, now)
        return _view(session, row)


def change_password(moderator: ModeratorView, wanted: NewPassword, *, now: datetime) -> None:
    """Replace the own password, and end all sign-ins but the one it is done from.

    Raises: FieldsRefused, with all wrong fields.
    """
    with reading() as session:
        seen = session.get_one(Moderator, moderator.id).password_hash
    wrong = []
    if not _fits(seen, wanted.current):
        wrong.append(_wrong("current", "refused"))
    if code := _weakness(wanted.new, moderator.name):
        wrong.append(_wrong("new", code))
    elif not secrets.compare_digest(wanted.new.encode(), wanted.again.encode()):
        wrong.append(_wrong("again", "differs"))
    if wrong:
        raise FieldsRefused(wrong[0].detail, errors=tuple(wrong))
    password_hash = _hash(wanted.new)
    with transaction() as session:
        if session.get_one(Moderator, moderator.id).password_hash != seen:
            raise _refusal("current", "refused")  # changed by somebody else while this was hashed
        _replace_password(session, moderator.id, password_hash, keep=wanted.keep)
        _note(session, "password-changed", moderator.id, now)


def sign_in(name: str, password: str, *, settings: Settings, now: datetime) -> str:
    """Begin a sign-in and return its secret, which is stored as a hash only.

    A name nobody has costs the same time and writes as much as a wrong password.

    Raises: SignInRefused, which never says which of the two is wrong.
    """
    with reading() as session:
        row = _find(session, name)
        moderator_id, seen = (row.id, row.password_hash) if row else (None, _decoy())
    is_right = _fits(seen, password) and moderator_id is not None
    token = secrets.token_urlsafe(32)
    with transaction() as session:
        known = session.get(Moderator, moderator_id) if moderator_id is not None else None
        is_right = is_right and known is not None and known.password_hash == seen
        if is_right and moderator_id is not None:
            _drop_ended(session, moderator_id, settings, now)
            session.add(
                SignIn(
                    token_hash=_token_hash(token), moderator_id=moderator_id, created_at=now, last_seen_at=now
                )
            )
        # Never the name that was typed: people type passwords into the wrong field
        _note(session, "signed-in" if is_right else "sign-in-refused", moderator_id, now)
    if not is_right:
        raise SignInRefused
    return token


def sign_out(token: str, *, now: datetime) -> None:
    """End one sign-in; one that has ended already is no error."""
    with transaction() as session:
        row = session.get(SignIn, _token_hash(token))
        if row is not None:
            session.delete(row)
            _note(session, "signed-out", row.moderator_id, now)


def current_moderator(token: str, *, settings: Settings, now: datetime) -> ModeratorView | None:
    """Whose sign-in this is; None when it has ended: idle, too old, signed out, or never begun."""
    with reading() as session:
        row = session.get(SignIn, _token_hash(token))
        if row is None or _has_ended(row, settings, now):
            return None
        moderator = session.get_one(Moderator, row.moderator_id)
        view, last_seen_at = _view(session, moderator), row.last_seen_at
    if now - last_seen_at > timedelta(seconds=TOUCH_SECONDS):
        with suppress(OperationalError, InternalError):  # moderators may read a store that cannot write
            _touch(token, now)
    return view


def _view(session: Session, row: Moderator) -> ModeratorView:
    grants = session.execute(select(Grant.site_id, Grant.role).where(Grant.moderator_id == row.id)).all()
    by_site = {grant.site_id: Role(grant.role) for grant in grants if grant.site_id is not None}
    everywhere = next((Role(grant.role) for grant in grants if grant.site_id is None), None)
    return ModeratorView(row.id, row.name, Access(everywhere, by_site))


def _touch(token: str, now: datetime) -> None:
    with transaction() as session:
        session.execute(
            update(SignIn).where(SignIn.token_hash == _token_hash(token)).values(last_seen_at=now)
        )


def _replace_password(session: Session, moderator_id: int, password_hash: str, *, keep: str) -> None:
    session.execute(update(Moderator).where(Moderator.id == moderator_id).values(password_hash=password_hash))
    others = delete(SignIn).where(SignIn.moderator_id == moderator_id)
    session.execute(others.where(SignIn.token_hash != _token_hash(keep)))


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


def _note(session: Session, action: str, moderator_id: int | None, now: datetime) -> None:
    session.add(JournalRow(happened_at=now, moderator_id=moderator_id, action=action))


def _find(session: Session, name: str) -> Moderator | None:
    if _unfit(name.strip()):
        return None  # U+0000 would be an error of PostgreSQL's own
    return session.scalars(select(Moderator).where(Moderator.name == name.strip())).one_or_none()


def _token_hash(token: str) -> bytes:
    # A plain hash is enough for 256 random bits, and looks the row up in constant time
    return hashlib.sha256(token.encode()).digest()


def _checked_name(name: str) -> str:
    name = name.strip()
    if code := _unfit(name):
        raise _refusal("name", code)
    return name


def _unfit(name: str) -> str | None:
    if not name:
        return "required"
    if len(name) > MAX_MODERATOR_NAME_CHARACTERS:
        return "too_long"
    return "characters" if any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in name) else None


def _refuse_weak(password: str, name: str) -> None:
    if code := _weakness(password, name):
        raise _refusal("new", code)


def _weakness(password: str, name: str) -> str | None:
    """Why this is no good password, as a code: long ones are taken whatever they are made of."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        return "too_short"
    if len(password) > MAX_PASSWORD_CHARACTERS:
        return "too_long"
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in password):
        return "characters"
    folded = password.casefold().replace(" ", "")
    stem = folded.strip("0123456789!.?-_")
    is_common = {folded, stem} & set(_COMMONEST.split()) or stem in ("", name.casefold())
    return "common" if is_common or len(set(folded)) < MIN_DIFFERENT_CHARACTERS else None


def _refusal(field: str, code: str) -> FieldsRefused:
    error = _wrong(field, code)
    return FieldsRefused(error.detail, errors=(error,))


def _wrong(field: str, code: str) -> FieldError:
    limits = {
        "name": MAX_MODERATOR_NAME_CHARACTERS,
        "new": MIN_PASSWORD_CHARACTERS if code == "too_short" else MAX_PASSWORD_CHARACTERS,
    }
    key = f"account.error.{field}.{code}"
    return FieldError(field, code, Catalogue.load().text(SOURCE_LANGUAGE, key, limit=limits.get(field, "")))


def _hash(password: str) -> str:
    return HASHER.hash(_normal(password))


def _fits(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, _normal(password[: MAX_PASSWORD_CHARACTERS + 1]))
    except (VerifyMismatchError, InvalidHashError):
        return False


def _normal(password: str) -> bytes:
    # One keyboard sends é as one character, another as two
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")


@cache
def _decoy() -> str:
    return HASHER.hash(secrets.token_hex(32))
