"""Passwords: which are too weak, how they are stored, and whether one fits."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from comments_service.errors import FieldError
from comments_service.people.refusals import refusal, wrong
from comments_service.storage.database import reading
from comments_service.storage.people import Moderator
from comments_service.vocabulary import ModeratorView

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 1_000  # nothing is cut; beyond this nobody types, and hashing is not free
MIN_DIFFERENT_CHARACTERS = 5
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


def prepare() -> None:
    """Make what the first refused name would otherwise have to wait for, and tell itself apart by."""
    decoy()


def refuse_weak(password: str, name: str) -> None:
    """Let pass what is good enough for this name.

    Raises: FieldsRefused.
    """
    if code := weakness(password, name):
        raise refusal(wrong_new(code))


def wrong_new(code: str) -> FieldError:
    """The sentence for a new password with this weakness."""
    limit = MIN_PASSWORD_CHARACTERS if code == "too_short" else MAX_PASSWORD_CHARACTERS
    return wrong("new", code, limit=limit)


def wrong_pair(new: str, again: str, name: str) -> list[FieldError]:
    """What is wrong with a new password that was typed twice."""
    if code := weakness(new, name):
        return [wrong_new(code)]
    is_same = secrets.compare_digest(new.encode("utf-8", "replace"), again.encode("utf-8", "replace"))
    return [] if is_same else [wrong("again", "differs")]


def weakness(password: str, name: str) -> str | None:
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


def hashed(password: str) -> str:
    """What is stored of a password. Takes long on purpose: never inside a transaction."""
    return HASHER.hash(_normal(password))


def fits(password_hash: str, password: str) -> bool:
    """Whether this is the password. Takes long on purpose: never inside a transaction."""
    try:
        return HASHER.verify(password_hash, _normal(password[: MAX_PASSWORD_CHARACTERS + 1]))
    except (VerifyMismatchError, InvalidHashError):
        return False


def check_own(by: ModeratorView, password: str) -> str:
    """Let pass somebody's own password only; its hash is the proof, to be compared within a transaction.

    Raises: FieldsRefused for the field `password`.
    """
    with reading() as session:
        seen = session.get_one(Moderator, by.id).password_hash
    if not fits(seen, password):
        raise refusal(wrong("password", "refused"))
    return seen


@cache
def decoy() -> str:
    """The hash of a password nobody has: an unknown name costs the same time as a wrong password."""
    return HASHER.hash(secrets.token_hex(32))


def _normal(password: str) -> bytes:
    # One keyboard sends é as one character, another as two
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")
