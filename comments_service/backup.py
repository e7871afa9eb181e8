"""A copy of everything but the key, taken while the service runs; and the way back from it."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from comments_service.errors import CannotStart, StoreUnavailable
from comments_service.settings import Settings
from comments_service.storage.files import new_file
from comments_service.storage.schema import bring_up

MAKE_ROOM = "Move it away first; nothing is ever overwritten."


@dataclass(frozen=True)
class Contents:
    """What a copy holds."""

    sites: int
    comments: int


def backup(settings: Settings, target: Path) -> Contents:
    """Write a copy of the SQLite database as it is at one instant; writers are not stopped.

    The copy is compact: nothing deleted travels in its free space. It is checked before it appears.

    Raises: FileExistsError, CannotStart (on PostgreSQL, with the command that does it), StoreUnavailable.
    """
    source = _source(settings, pg_command("pg_dump --format=custom --file", target, settings))
    with new_file(target) as draft:
        try:
            with closing(sqlite3.connect(source, timeout=settings.database_wait_seconds)) as connection:
                connection.execute("VACUUM INTO ?", (str(draft),))
            _drop_dead_words(draft)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"The copy could not be made: {error}.") from error
        return _check(draft)


def restore(settings: Settings, source: Path) -> Contents:
    """Put a copy where the settings want the database, and bring its tables to this release.

    Raises: CannotStart when the copy is damaged or none of ours, when a database is there already, or on
    PostgreSQL (with the command that does it).
    """
    target = _source(settings, pg_command("pg_restore --no-owner --dbname", source, settings))
    for file in (target, *(target.with_name(target.name + ending) for ending in ("-wal", "-journal"))):
        if file.exists():
            raise CannotStart(f"{file} is there already. {MAKE_ROOM}")
    contents = _check(source)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with new_file(target) as draft:
        shutil.copyfile(source, draft)
        _check(draft)
    bring_up(settings)
    return contents


def _drop_dead_words(draft: Path) -> None:
    """Take out of a copy the words of deleted comments, which the search's index keeps until it is merged."""
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("INSERT INTO comment_search(comment_search) VALUES ('optimize')")
        connection.execute("VACUUM")


def pg_command(command: str, file: Path, settings: Settings) -> str:
    """The line that does on PostgreSQL what we do on SQLite, without the password."""
    url = make_url(settings.database_url)
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    address = shlex.quote(bare.render_as_string())
    name = shlex.quote(str(file))
    return f"{command} {name} {address}" if "pg_dump" in command else f"{command} {address} {name}"


def _source(settings: Settings, instead: str) -> Path:
    if settings.sqlite_file is None:
        raise CannotStart(f"PostgreSQL brings its own tools for this. Run:\n  {instead}")
    return settings.sqlite_file


def _check(file: Path) -> Contents:
    """Count what is in a copy, after the database itself has looked at every page of it."""
    with _opened(file) as connection:
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchone()
        if verdict != "ok" or orphans:
            raise CannotStart(
                f"{file} is damaged: {verdict if verdict != 'ok' else 'comments without thread'}."
            )
        sites = connection.execute("SELECT count(*) FROM site").fetchone()[0]
        comments = connection.execute("SELECT count(*) FROM comment").fetchone()[0]
    return Contents(sites, comments)


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    if not file.is_file():
        raise CannotStart(f"There is no file {file}.")
    try:
        # Immutable: looking must leave no journal beside the copy
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise CannotStart(f"{file} is no copy of a comments database: {error}.") from error
