"""A new key for the installation: what was sealed and hashed under older ones moves over, while serving."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_, delete, func, literal, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from comments_service.blocklists.entries import Kind
from comments_service.errors import KeyRefused
from comments_service.neighbours.keeping import sealed_for
from comments_service.notify.addresses import ADDRESS_COLUMN, address_hashes
from comments_service.people.codes import seal_column
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.blocklists import BlockedEntry
from comments_service.storage.database import db, reading, transaction
from comments_service.storage.decisions import Standing
from comments_service.storage.models import Canary, Comment, SubmissionKey
from comments_service.storage.neighbours import NeighbourState
from comments_service.storage.outbox import LetterAddress
from comments_service.storage.people import SecondFactor
from comments_service.storage.reports import Report
from comments_service.storage.trails import NetworkTrail
from comments_service.storage.votes import Vote
from comments_service.submit import EMAIL_COLUMN, KEY_LIFETIME, twin_data
from comments_service.unlock import keep_canary, key_file, open_keys, write_key_file

ADDRESS_COLUMNS = (LetterAddress.email_sealed, LetterAddress.email_hash)
BATCH = 200  # a few hundredths of a second each: nobody who posts meanwhile waits long


@dataclass(frozen=True)
class Rotated:
    """Which key seals now, how many comments moved to it, and whether it was made by this rotation."""

    number: int
    comments: int
    is_new: bool


def rotate(settings: Settings, *, on_progress: Callable[[int], None]) -> Rotated:
    """Make a new key (in the key file) and move every comment to the newest key.

    Killed half-way, the next call finishes before it would make another key. Running processes read
    the file anew; where the key is a setting, it must hold the new key already, everywhere.

    Raises: KeyRefused.
    """
    with _alone(settings):
        keys = open_keys(settings, db.engine).ring
        is_new = not _is_needed_before(keys.current)
        if is_new:
            keys = _with_new_key(settings, keys)
        return Rotated(keys.current, _move_all(keys, on_progress), is_new)


def retire(settings: Settings, *, now: datetime, on_progress: Callable[[int], None]) -> tuple[int, ...]:
    """Drop all keys but the newest; returns their numbers. Receipts signed with them no longer open.

    Raises: KeyRefused while something of the last day still needs an old key.
    """
    with _alone(settings):
        keys = open_keys(settings, db.engine).ring
        old = keys.numbers[:-1]
        _move_all(keys, on_progress)
        _refuse_while_repetitions_may_come(keys, now)
        _forget_old_marks(keys)
        if old and settings.secret_key is None and (file := key_file(settings)) is not None:
            kept = [line for line in _lines(file) if not line.startswith(tuple(f"{n}:" for n in old))]
            write_key_file(file, "".join(f"{line}\n" for line in kept), is_first=False)
        return old


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep a second rotation out: it would write a key file without the first one's key."""
    file = key_file(settings)
    if file is None or settings.secret_key is not None:
        yield
        return
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise KeyRefused("Another rotation is under way.") from None
    finally:
        os.close(folder)


def _with_new_key(settings: Settings, keys: Keyring) -> Keyring:
    file = key_file(settings)
    if settings.secret_key is not None or file is None:
        if len(keys.numbers) > 1:
            return keys  # the setting holds the new key, and everything is under it
        example = Keyring.generate(keys.current + 1)
        raise KeyRefused(
            f"COMMENTS_SECRET_KEY holds one key. Add a second one with a higher number, such as {example}, "
            "restart every process, then run this again."
        )
    numbered = "".join(f"{line}\n" for line in _lines(file)) + Keyring.generate(keys.current + 1) + "\n"
    write_key_file(file, numbered, is_first=False)
    keys = Keyring.parse(file.read_text(encoding="utf-8"))
    keep_canary(keys, db.engine)
    return keys


def _lines(file: Path) -> list[str]:
    """The entries of the key file, each with its number in front."""
    entries = file.read_text(encoding="utf-8").replace(",", " ").split()
    return [entry if ":" in entry else f"1:{entry}" for entry in entries]


def _is_needed_before(number: int) -> bool:
    """Whether something is still under an older key than this one."""
    factor = select(SecondFactor.moderator_id).where(_under_another(SecondFactor.secret_sealed, number))
    with reading() as session:
        addresses = select(LetterAddress.moderator_id).where(_is_older_address(number))
        secrets = select(NeighbourState.site_id).where(_under_another(NeighbourState.secret_sealed, number))
        wanted = (select(Comment.id).where(_is_older(number)), factor, addresses, secrets)
        return any(session.scalars(one.limit(1)).first() is not None for one in wanted)


def _move_all(keys: Keyring, on_progress: Callable[[int], None]) -> int:
    """Move comments until none is left, those that came meanwhile under an older key included."""
    total = 0
    _move_second_factors(keys)
    _move_neighbours(keys)
    while True:
        with transaction() as session:
            count = _move_batch(session, keys)
        total += count
        on_progress(count)
        if not count:
            break
    _move_addresses(keys)
    return total


def _move_addresses(keys: Keyring) -> None:
    """Moderators are few: their addresses move at once."""
    with transaction() as session:
        older = select(LetterAddress).where(_is_older_address(keys.current))
        for row in session.scalars(older.with_for_update()):
            email = keys.open(row.email_sealed, column=ADDRESS_COLUMN)
            row.email_sealed = keys.seal(email, column=ADDRESS_COLUMN)
            row.email_hash = address_hashes(keys, email)[0]


def _move_batch(session: Session, keys: Keyring) -> int:
    rows = session.scalars(
        select(Comment)
        .where(_is_older(keys.current))
        .order_by(Comment.id)
        .limit(BATCH)
        .with_for_update(key_share=True)
    ).all()
    for row in rows:
        email = keys.open(row.email_sealed, column=EMAIL_COLUMN) if row.email_sealed else None
        known_by = row.email_hash
        row.email_sealed = keys.seal(email, column=EMAIL_COLUMN) if email else None
        row.email_hash = keys.email_hash(email, site_id=row.site_id) if email else None
        if known_by is not None:  # a ban of the address moves with a comment that came from it
            theirs = update(Standing).where(Standing.site_id == row.site_id, Standing.hash == known_by)
            session.execute(theirs.values(hash=row.email_hash))
            _move_blocked(session, row.site_id, known_by, row.email_hash)
        if row.twin_hash is not None:
            row.twin_hash = keys.digest("twin", twin_data(row.parent_id, row.name, row.text))
    return len(rows)


def _move_blocked(session: Session, site_id: int, known_by: bytes, hashed: bytes | None) -> None:
    """An entry of a blocklist moves like a ban; it goes where somebody listed the address anew meanwhile."""
    here, there = (
        (BlockedEntry.site_id == site_id, BlockedEntry.kind == Kind.ADDRESS, BlockedEntry.hash == one)
        for one in (known_by, hashed)
    )
    if known_by == hashed or session.scalar(select(BlockedEntry.id).where(*here)) is None:
        return
    session.execute(delete(BlockedEntry).where(*there).execution_options(synchronize_session=False))
    moved = update(BlockedEntry).where(*here).values(hash=hashed)
    session.execute(moved.execution_options(synchronize_session=False))


def _move_second_factors(keys: Keyring) -> None:
    with transaction() as session:  # as many as there are moderators: one batch
        older = _under_another(SecondFactor.secret_sealed, keys.current)
        for row in session.scalars(select(SecondFactor).where(older).with_for_update()):
            column = seal_column(row.moderator_id)
            row.secret_sealed = keys.seal(keys.open(row.secret_sealed, column=column), column=column)


def _move_neighbours(keys: Keyring) -> None:
    with transaction() as session:  # two a site at most, and few sites have any
        older = select(NeighbourState).where(_under_another(NeighbourState.secret_sealed, keys.current))
        for row in session.scalars(older.with_for_update()):
            column = sealed_for(row.site_id, row.kind)
            row.secret_sealed = keys.seal(keys.open(row.secret_sealed or b"", column=column), column=column)


def _is_older(number: int) -> ColumnElement[bool]:
    """Which comments have a value under another key than this one. Networks cannot be hashed anew."""
    columns = (Comment.email_sealed, Comment.email_hash, Comment.twin_hash)
    return or_(*(_under_another(column, number) for column in columns))


def _is_older_address(number: int) -> ColumnElement[bool]:
    return or_(*(_under_another(column, number) for column in ADDRESS_COLUMNS))


def _under_another(column: InstrumentedAttribute[Any], number: int) -> ColumnElement[bool]:
    first = func.substr(column, 1, 1, type_=LargeBinary)
    return and_(column.is_not(None), first != literal(bytes([number]), LargeBinary))


def _refuse_while_repetitions_may_come(keys: Keyring, now: datetime) -> None:
    """A comment sent again within a day must get its first answer: its body's digest cannot be made anew."""
    with reading() as session:
        body = func.substr(SubmissionKey.body_hash, 1, 1, type_=LargeBinary)
        latest = session.scalar(
            select(func.max(SubmissionKey.created_at)).where(
                body != literal(bytes([keys.current]), LargeBinary),
                SubmissionKey.created_at > now - KEY_LIFETIME,
            )
        )
    if latest is not None:
        raise KeyRefused(
            "Comments of the last day may still be sent again under the old key. Retire it after "
            f"{latest + KEY_LIFETIME:%Y-%m-%d %H:%M} UTC."
        )


def _forget_old_marks(keys: Keyring) -> None:
    with transaction() as session:
        # Of no use without its key, and too old to slow anybody down
        forget = update(Comment).where(_under_another(Comment.network_hash, keys.current))
        session.execute(forget.values(network_hash=None).execution_options(synchronize_session=False))
        unknown = update(Comment).where(_under_another(Comment.signer_hash, keys.current))
        session.execute(unknown.values(signer_hash=None).execution_options(synchronize_session=False))
        session.execute(delete(NetworkTrail).where(_under_another(NetworkTrail.network_hash, keys.current)))
        session.execute(delete(Standing).where(_under_another(Standing.hash, keys.current)))
        session.execute(delete(BlockedEntry).where(_under_another(BlockedEntry.hash, keys.current)))
        reported = update(Report).where(_under_another(Report.reporter, keys.current))
        session.execute(reported.values(reporter=None).execution_options(synchronize_session=False))
        session.execute(delete(Vote).where(_under_another(Vote.voter, keys.current)))
        session.execute(delete(Canary).where(Canary.key_number != keys.current))
