"""Codes of the second factor (RFC 6238) and recovery codes: made, and taken once each."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from enum import Enum

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from comments_service.privacy import Keyring
from comments_service.storage.people import RecoveryCode, SecondFactor

STEP_SECONDS = 30
DRIFT_STEPS = 1  # RFC 6238 §5.2: one step for the way and for clocks that differ
RECOVERY_CODES = 10
RECOVERY_CHARACTERS = 16  # of 32 letters and digits: 80 bits, so that a plain hash keeps them
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that is misread: no l, no o, no 0, no 1
_CODE = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(rf"[{_ALPHABET}]{{{RECOVERY_CHARACTERS}}}")
_GAPS = re.compile(r"[\s-]+")


class Spent(Enum):
    """What kind of code was taken."""

    TIMED = "timed"
    RECOVERY = "recovery"


def seal_column(moderator_id: int) -> str:
    """What a secret is sealed for: its column and its owner, so that nobody is given another one's secret."""
    return f"second_factor.secret_sealed/{moderator_id}"


def spend_code(
    session: Session, moderator_id: int, typed: str, *, keys: Keyring, now: datetime
) -> Spent | None:
    """Take a code, of the app or for recovery, once and for all; None when it is wrong or was used.

    Raises: KeyRefused.
    """
    code = _GAPS.sub("", typed).lower()
    if _CODE.fullmatch(code):
        return Spent.TIMED if _spend_timed(session, moderator_id, code, keys, now) else None
    if _RECOVERY.fullmatch(code) and _is_on(session, moderator_id):
        used = delete(RecoveryCode).where(
            RecoveryCode.moderator_id == moderator_id, RecoveryCode.code_hash == _hash(moderator_id, code)
        )
        gone = session.scalars(used.returning(RecoveryCode.code_hash)).all()
        return Spent.RECOVERY if gone else None
    return None


def step_of(secret: str, code: str, *, now: datetime, after: int = 0) -> int | None:
    """The step that a code belongs to, if it is one of now and later than `after`."""
    current = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    found = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):  # all of them: same time for each
        if secrets.compare_digest(totp.generate_otp(step), code) and step > after:
            found = step
    return found


def remake_recovery_codes(session: Session, moderator_id: int) -> tuple[str, ...]:
    """Ten new recovery codes in the place of all earlier ones. This is the only time that they are known."""
    codes = tuple(
        "".join(secrets.choice(_ALPHABET) for _ in range(RECOVERY_CHARACTERS)) for _ in range(RECOVERY_CODES)
    )
    session.execute(delete(RecoveryCode).where(RecoveryCode.moderator_id == moderator_id))
    hashes = (_hash(moderator_id, code) for code in codes)
    session.add_all(RecoveryCode(moderator_id=moderator_id, code_hash=one) for one in hashes)
    return tuple("-".join(re.findall("....", code)) for code in codes)


def recovery_codes_left(session: Session, moderator_id: int) -> int:
    """How many of them are still good."""
    own = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.moderator_id == moderator_id)
    return session.scalar(own) or 0


def _spend_timed(session: Session, moderator_id: int, code: str, keys: Keyring, now: datetime) -> bool:
    row = session.get(SecondFactor, moderator_id)
    if row is None or row.confirmed_at is None:
        return False
    secret = keys.open(row.secret_sealed, column=seal_column(moderator_id))
    step = step_of(secret, code, now=now, after=row.last_step)
    if step is None:
        return False
    # Two with the same code at once: the second one finds the step taken
    taken = update(SecondFactor).where(
        SecondFactor.moderator_id == moderator_id, SecondFactor.last_step < step
    )
    return bool(session.scalars(taken.values(last_step=step).returning(SecondFactor.moderator_id)).all())


def _is_on(session: Session, moderator_id: int) -> bool:
    row = session.get(SecondFactor, moderator_id)
    return row is not None and row.confirmed_at is not None


def _hash(moderator_id: int, code: str) -> bytes:
    return hashlib.sha256(f"recovery:{moderator_id}:{code}".encode()).digest()
