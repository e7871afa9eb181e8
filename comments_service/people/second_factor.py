"""The own second factor: set up, given new recovery codes, dropped. Each asks for the password again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import update

from comments_service.errors import DecidedMeanwhile
from comments_service.people import passwords
from comments_service.people.accounts import forget_second_factor
from comments_service.people.codes import (
    recovery_codes_left,
    remake_recovery_codes,
    seal_column,
    spend_code,
    step_of,
)
from comments_service.people.refusals import refusal, wrong
from comments_service.people.rows import end_sign_ins, lock_people, note, token_hash
from comments_service.privacy import Keyring
from comments_service.storage.database import reading, transaction
from comments_service.storage.people import SecondFactor
from comments_service.vocabulary import ModeratorView

SET_UP_SECONDS = 900


@dataclass(frozen=True)
class FactorView:
    """How somebody's second factor stands: since when it is on, and how many recovery codes are good."""

    on_since: datetime | None
    codes_left: int


@dataclass(frozen=True)
class SetUp:
    """A secret that waits for its first right code: as text in groups of four, and as an app's link."""

    secret: str
    link: str


def standing(by: ModeratorView) -> FactorView:
    """How the own second factor stands."""
    with reading() as session:
        row = session.get(SecondFactor, by.id)
        return FactorView(row.confirmed_at if row else None, recovery_codes_left(session, by.id))


def begin(by: ModeratorView, password: str, *, token: str, keys: Keyring, now: datetime) -> None:
    """Make a secret, which only this sign-in may look at. One that is on stays as it is.

    Raises: FieldsRefused for a wrong password; DecidedMeanwhile where it is on.
    """
    passwords.check_own(by, password)
    sealed = keys.seal(pyotp.random_base32(), column=seal_column(by.id))
    with transaction() as session:
        lock_people(session)
        row = session.get(SecondFactor, by.id)
        if row is not None and row.confirmed_at is not None:
            raise DecidedMeanwhile
        row = row or SecondFactor(moderator_id=by.id)
        row.secret_sealed, row.begun_at, row.begun_in = sealed, now, token_hash(token)
        session.add(row)


def pending(by: ModeratorView, *, token: str, issuer: str, keys: Keyring, now: datetime) -> SetUp | None:
    """The secret that waits for its first code; None for other sign-ins, after a while, and once it is on."""
    with reading() as session:
        row = session.get(SecondFactor, by.id)
        if row is None or not _is_pending(row, token, now):
            return None
        secret = keys.open(row.secret_sealed, column=seal_column(by.id))
    link = pyotp.TOTP(secret).provisioning_uri(name=by.name, issuer_name=issuer)
    return SetUp(" ".join(re.findall("....", secret)), link)


def confirm(
    by: ModeratorView, code: str, *, token: str, keys: Keyring, now: datetime
) -> tuple[str, ...] | None:
    """Turn the second factor on by a first right code, and end all other sign-ins.

    Returns the recovery codes, which nobody will see again; None when the set-up has ended meanwhile.

    Raises: FieldsRefused for a wrong code.
    """
    with transaction() as session:
        row = session.get(SecondFactor, by.id, with_for_update=True)
        if row is None or not _is_pending(row, token, now):
            return None
        secret = keys.open(row.secret_sealed, column=seal_column(by.id))
        step = step_of(secret, "".join(code.split()), now=now)
        if step is None:
            raise refusal(wrong("code", "refused"))
        first = update(SecondFactor).where(
            SecondFactor.moderator_id == by.id, SecondFactor.confirmed_at.is_(None)
        )
        session.execute(first.values(confirmed_at=now, last_step=step))
        end_sign_ins(session, by.id, keep=token)
        note(session, "second-factor-set-up", by.id, now)
        return remake_recovery_codes(session, by.id)


def remake_codes(
    by: ModeratorView, password: str, code: str, *, keys: Keyring, now: datetime
) -> tuple[str, ...]:
    """New recovery codes in the place of the earlier ones; nobody will see them again.

    Raises: FieldsRefused for a wrong password or code.
    """
    passwords.check_own(by, password)
    with transaction() as session:
        is_right = spend_code(session, by.id, code, keys=keys, now=now) is not None
        note(session, "recovery-codes-made" if is_right else "code-refused", by.id, now)
        codes = remake_recovery_codes(session, by.id) if is_right else ()
    if not is_right:
        raise refusal(wrong("code", "refused"))
    return codes


def turn_off(
    by: ModeratorView, password: str, code: str, *, token: str, keys: Keyring, now: datetime
) -> None:
    """Do without the second factor from now on, and end all other sign-ins.

    Raises: FieldsRefused for a wrong password or code.
    """
    passwords.check_own(by, password)
    with transaction() as session:
        is_right = spend_code(session, by.id, code, keys=keys, now=now) is not None
        note(session, "second-factor-dropped" if is_right else "code-refused", by.id, now)
        if is_right:
            forget_second_factor(session, by.id)
            end_sign_ins(session, by.id, keep=token)
    if not is_right:
        raise refusal(wrong("code", "refused"))


def _is_pending(row: SecondFactor, token: str, now: datetime) -> bool:
    is_fresh = row.begun_at > now - timedelta(seconds=SET_UP_SECONDS)
    return row.confirmed_at is None and is_fresh and row.begun_in == token_hash(token)
