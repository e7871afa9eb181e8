"""Whether the database has the tables of this release; an SQLite file gets them at once."""

from __future__ import annotations

from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from comments_service.errors import CannotStart
from comments_service.settings import Settings
from comments_service.storage.database import (
    current_revision,
    head_revision,
    migrate,
    migration_config,
    open_engine,
)


def make_ready(settings: Settings) -> None:
    """Migrate an SQLite file; on PostgreSQL, where others may be at work, only look.

    Raises: CannotStart, which names the command that helps.
    """
    revision = stored_revision(settings)
    if revision == head_revision():
        return
    if settings.is_sqlite:
        bring_up(settings)
        return
    state = "has no tables yet" if revision is None else "was made by an earlier release"
    raise CannotStart(f"The database {state}. Run `comments migrate`.")


def bring_up(settings: Settings) -> tuple[str | None, str | None]:
    """Migrate to this release; returns the revision before and after.

    Raises: CannotStart when the database is away, cannot be written, or comes from a later release.
    """
    stored_revision(settings)
    try:
        return migrate(settings)
    except DBAPIError as error:
        raise CannotStart(sentence(settings, error)) from error


def stored_revision(settings: Settings) -> str | None:
    """The revision of the tables that are there; None where there are none.

    Raises: CannotStart when the database is away, or comes from a later release.
    """
    try:
        engine = open_engine(settings)
        try:
            with engine.connect() as connection:
                revision = current_revision(connection)
        finally:
            engine.dispose()
    except (DBAPIError, OSError) as error:
        raise CannotStart(sentence(settings, error)) from error
    known = {script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise CannotStart("The database was made by a later release of this service. Install that one.")
    return revision


def sentence(settings: Settings, error: DBAPIError | OSError) -> str:
    """What a person should know of a database that does not work: which, and the driver's own words."""
    words = str(getattr(error, "orig", None) or error).strip().splitlines()
    place = str(settings.sqlite_file) if settings.is_sqlite else "the PostgreSQL database"
    return f"Cannot use {place}: {words[0] if words else type(error).__name__}."
