"""Opens the installation's keys: from the settings, or from `secret.key` beside the SQLite file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from comments_service.errors import CannotStart, KeyRefused
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.files import sync_folder
from comments_service.storage.models import Canary
from comments_service.storage.threads import insert_if_absent

CANARY_COLUMN = "canary"
CANARY_WORD = "the key fits"
log = structlog.get_logger(__name__)


def key_file(settings: Settings) -> Path | None:
    """Where the key lies when no setting names one; None on PostgreSQL, which many machines share."""
    return settings.sqlite_file.parent / "secret.key" if settings.sqlite_file else None


class KeySource:
    """The keys in use. A key file that changes (`comments secret rotate`) is read again without a restart."""

    def __init__(self, settings: Settings, ring: Keyring, engine: Engine) -> None:
        """Hold the keys that `open_keys` has proven on the database of `engine`."""
        self._file = None if settings.secret_key is not None else key_file(settings)
        self._ring, self._engine = ring, engine
        self._seen = self._stamp()

    @property
    def ring(self) -> Keyring:
        """The keys as they are now; a file that cannot be read or does not fit leaves those known so far."""
        stamp = self._stamp()
        if stamp != self._seen and self._file is not None and stamp is not None:
            try:
                self._ring = _proven(_read_file(self._file), _canaries(self._engine))
                self._seen = stamp
            except KeyRefused as error:
                self._seen = stamp  # said once; a file that is mended has another stamp
                log.error("secret_key_refused", error=error.detail)
            except (OSError, CannotStart) as error:
                log.error("secret_key_unreadable", error=str(error))
        return self._ring

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self._file.stat() if self._file else None
        except OSError:
            return None
        return (stat.st_mtime_ns, stat.st_ino) if stat else None


def open_keys(settings: Settings, engine: Engine) -> KeySource:
    """Read or make the keys, and prove them on the database.

    Raises: KeyRefused when they do not open what is stored; CannotStart when there are none.
    """
    canaries = _canaries(engine)
    keys = _proven(_read(settings, is_new=not canaries), canaries)
    keep_canary(keys, engine)
    return KeySource(settings, keys, engine)


def keep_canary(keys: Keyring, engine: Engine) -> None:
    """Leave a word sealed with the newest key, unless it has one yet."""
    with Session(engine) as session:
        session.connection(execution_options={"write": True})
        row: dict[str, object] = {
            "key_number": keys.current,
            "sealed": keys.seal(CANARY_WORD, column=CANARY_COLUMN),
        }
        session.execute(insert_if_absent(session, Canary, row))
        session.commit()


def _canaries(engine: Engine) -> dict[int, bytes]:
    try:
        with Session(engine) as session:
            return {row.key_number: row.sealed for row in session.scalars(select(Canary))}
    except DBAPIError as error:
        raise CannotStart(
            "The database is away or has no tables yet. If it is up, run `comments migrate`."
        ) from error


def _proven(keys: Keyring, canaries: Mapping[int, bytes]) -> Keyring:
    """The same keys: what a wrong one has sealed, the right one could never open."""
    for number, sealed in canaries.items():
        if keys.open(sealed, column=CANARY_COLUMN) != CANARY_WORD:
            raise KeyRefused(f"Key {number} does not open this database.")
    return keys


def _read(settings: Settings, *, is_new: bool) -> Keyring:
    if settings.secret_key is not None:
        return _parsed(settings.secret_key.get_secret_value(), "COMMENTS_SECRET_KEY")
    file = key_file(settings)
    if file is None:
        raise CannotStart(
            "COMMENTS_SECRET_KEY: set it (or COMMENTS_SECRET_KEY_FILE); on PostgreSQL every machine needs it."
        )
    if file.exists():
        return _read_file(file)
    if not is_new:
        raise KeyRefused(
            f"{file} is gone, and emails in this database were sealed with it. Put the file back, "
            "or set COMMENTS_SECRET_KEY."
        )
    _write_first(file)
    return _read_file(file)


def _read_file(file: Path) -> Keyring:
    return _parsed(file.read_bytes().decode("utf-8", "replace"), str(file))


def _parsed(text: str, place: str) -> Keyring:
    try:
        return Keyring.parse(text)
    except KeyRefused as error:
        raise KeyRefused(f"{place}: {error.detail}.") from None


def _write_first(file: Path) -> None:
    line = Keyring.generate() + "\n"
    write_key_file(file, line, is_first=True)
    log.warning("secret_key_made", file=str(file), advice="Keep a copy apart from the database's backups.")


def write_key_file(file: Path, lines: str, *, is_first: bool) -> None:
    """Store keys for their owner's eyes only: whole or not at all. A first one never replaces another's."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(lines)
        out.flush()
        os.fsync(out.fileno())
    try:
        if is_first:
            with suppress(FileExistsError):  # two that start at once: the first one's key is the key
                file.hardlink_to(draft)
        else:
            draft.replace(file)
        sync_folder(file.parent)  # before anything is sealed with it: a value without its key is lost
    finally:
        draft.unlink(missing_ok=True)
