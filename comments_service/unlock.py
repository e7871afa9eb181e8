"""Opens the installation's keys: from the settings, or from `secret.key` beside the SQLite file."""

from __future__ import annotations

import os
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

    def __init__(self, settings: Settings, ring: Keyring) -> None:
        """Hold the keys that `open_keys` has proven."""
        self._file = None if settings.secret_key is not None else key_file(settings)
        self._ring = ring
        self._seen = self._stamp()

    @property
    def ring(self) -> Keyring:
        """The keys as they are now; a file that cannot be read keeps the keys known so far."""
        stamp = self._stamp()
        if stamp != self._seen and self._file is not None and stamp is not None:
            try:
                self._ring = Keyring.parse(self._file.read_text(encoding="utf-8"))
                self._seen = stamp
            except (OSError, KeyRefused) as error:
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
    keys = _read(settings, is_new=not canaries)
    for number, sealed in canaries.items():
        if keys.open(sealed, column=CANARY_COLUMN) != CANARY_WORD:
            raise KeyRefused(f"Key {number} does not open this database.")
    keep_canary(keys, engine)
    return KeySource(settings, keys)


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


def _read(settings: Settings, *, is_new: bool) -> Keyring:
    if settings.secret_key is not None:
        return Keyring.parse(settings.secret_key.get_secret_value())
    file = key_file(settings)
    if file is None:
        raise CannotStart(
            "COMMENTS_SECRET_KEY: set it (or COMMENTS_SECRET_KEY_FILE); on PostgreSQL every machine needs it."
        )
    if file.exists():
        return Keyring.parse(file.read_text(encoding="utf-8"))
    if not is_new:
        raise KeyRefused(
            f"{file} is gone, and emails in this database were sealed with it. Put the file back, "
            "or set COMMENTS_SECRET_KEY."
        )
    return Keyring.parse(_write_first(file))


def _write_first(file: Path) -> str:
    line = Keyring.generate() + "\n"
    write_key_file(file, line, is_first=True)
    log.warning("secret_key_made", file=str(file), advice="Keep a copy apart from the database's backups.")
    return file.read_text(encoding="utf-8")


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
