"""Takes what was deleted out of the database's files, where the database allows it."""

from __future__ import annotations

from sqlalchemy import Engine, text

from comments_service.errors import StoreUnavailable


def scrub(engine: Engine) -> None:
    """Rewrite the SQLite file without its free space and empty its journal; on PostgreSQL, VACUUM.

    On SQLite no byte of a deleted row is left. PostgreSQL frees the space and overwrites it by and by.

    Raises: StoreUnavailable when a long read keeps the SQLite journal in use.
    """
    if engine.dialect.name == "sqlite":
        _scrub_sqlite(engine)
    else:
        _vacuum_postgresql(engine)


def _scrub_sqlite(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.driver_connection.execute(  # type: ignore[union-attr]
            "INSERT INTO comment_search(comment_search) VALUES ('optimize')"  # else it keeps dropped words
        )
        # secure_delete alone is not enough: pages split before it was on still hold copies of cells
        connection.driver_connection.execute("VACUUM")  # type: ignore[union-attr]
        is_busy, _pages, _moved = connection.driver_connection.execute(  # type: ignore[union-attr]
            "PRAGMA wal_checkpoint(TRUNCATE)"
        ).fetchone()
    finally:
        connection.close()
    if is_busy:
        raise StoreUnavailable(
            "It is done, but a long read keeps the journal in use, and the journal still holds old pages. "
            "Run the command again."
        )


def _vacuum_postgresql(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(
            text(
                "VACUUM comment, cluster_key, comment_words, submission_key, journal, standing, vote, report,"
                " blocked_entry"
            )
        )
        connection.invalidate()  # the setting above must not come back to the pool
