"""The session and its transactions. The only room that knows how the two databases differ."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ARRAY,
    Connection,
    Engine,
    Integer,
    Select,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from comments_service.settings import PACKAGE, Settings
from comments_service.storage import (  # noqa: F401 -- every table is known by its import
    blocklists,
    clusters,
    decisions,
    journal,
    models,
    neighbours,
    outbox,
    people,
    reports,
    rules,
    search,
    spam,
    trails,
    votes,
)
from comments_service.storage.base import Base

db = SQLAlchemy(model_class=Base)

QUERY_CANCELED = "57014"  # PostgreSQL's code; its driver is not there on every installation
STEPS_BETWEEN_LOOKS = 10_000  # of SQLite's machine: below a millisecond
MODE_SECONDS = 5.0  # that another process may take with a new file
MIGRATION_LOCK = 7_214_055_301  # any number of ours: PostgreSQL's advisory lock around migrations


def engine_options(settings: Settings) -> dict[str, Any]:
    """How to connect: parameters stay out of logs and messages, no wait is endless."""
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
    wait_seconds = settings.database_wait_seconds
    if settings.is_sqlite:
        return options | {"connect_args": {"timeout": wait_seconds, "check_same_thread": False}}
    wait_ms = int(wait_seconds * 1000)
    limits = f"-c lock_timeout={wait_ms} -c statement_timeout={wait_ms * 6} -c timezone=UTC"
    connect = {"connect_timeout": max(2, int(wait_seconds)), "options": limits}
    return options | {"pool_size": settings.threads, "pool_timeout": wait_seconds, "connect_args": connect}


def connect_app(app: Flask, settings: Settings) -> None:
    """Give the app its session, and each SQLite connection its pragmas."""
    make_folder(settings)
    app.config["SQLALCHEMY_DATABASE_URI"] = absolute_url(settings)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


def open_engine(settings: Settings) -> Engine:
    """An engine of its own for commands that run without the app, such as migrations."""
    make_folder(settings)
    engine = create_engine(absolute_url(settings), **engine_options(settings))
    prepare_engine(engine)
    return engine


def absolute_url(settings: Settings) -> str:
    """The database's URL; a relative SQLite file is meant from the working folder, as every tool does."""
    return f"sqlite:///{settings.sqlite_file}" if settings.is_sqlite else settings.database_url


def make_folder(settings: Settings) -> None:
    """Make the folder of an SQLite file, readable by its owner alone if it is new."""
    if settings.sqlite_file is not None:
        settings.sqlite_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def prepare_engine(engine: Engine) -> None:
    """Set SQLite up for durable writes by many threads; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for read-then-write
        _keep_a_journal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A plain BEGIN that reads first and writes later fails at once when another writer came between
        is_write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _keep_a_journal(connection: sqlite3.Connection) -> None:
    """Bring a new file into WAL mode, for which SQLite waits for nobody who does the same at this moment."""
    ends = time.monotonic() + MODE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def transaction() -> Iterator[Session]:
    """One write transaction: all of it is stored, or nothing. Reads of this request end first."""
    session = db.session()
    session.rollback()
    session.connection(execution_options={"write": True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def reading() -> Iterator[Session]:
    """One consistent read: everything inside sees the same instant; holds nothing afterwards."""
    session = db.session()
    session.rollback()
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    try:
        yield session
    finally:
        session.rollback()


def keep_to_indexes(session: Session) -> None:
    """Let PostgreSQL read by index only in this transaction: fifty rows of a million need no more.

    It takes words, and what is computed of a row, for cheaper than they are, and would read whole tables.
    """
    if session.get_bind().dialect.name == "postgresql":
        off = {"enable_seqscan": "off", "max_parallel_workers_per_gather": "0", "jit": "off"}
        session.execute(select(*(func.set_config(name, value, True) for name, value in off.items())))


class TookTooLong(Exception):
    """A question to the database was given up."""


@contextmanager
def at_most(session: Session, *, seconds: float) -> Iterator[None]:
    """Give up what takes longer: each statement on PostgreSQL, all of it on SQLite. The read goes on.

    Raises: TookTooLong.
    """
    try:
        if session.get_bind().dialect.name == "postgresql":
            with session.begin_nested(), _statements_end(session, seconds):
                yield
        else:
            with _interrupted(session, seconds):
                yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") == QUERY_CANCELED or str(error.orig) == "interrupted":
            raise TookTooLong from error
        raise


@contextmanager
def _statements_end(session: Session, seconds: float) -> Iterator[None]:
    before = session.scalar(select(func.current_setting("statement_timeout")))
    limit = func.set_config("statement_timeout", str(max(1, int(seconds * 1000))), True)
    session.execute(select(limit))
    yield
    session.execute(select(func.set_config("statement_timeout", before, True)))


@contextmanager
def _interrupted(session: Session, seconds: float) -> Iterator[None]:
    ends = time.monotonic() + seconds
    connection: Any = session.connection().connection.driver_connection
    connection.set_progress_handler(lambda: time.monotonic() > ends, STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def listed(session: Session, ids: Sequence[int]) -> Select[Any]:
    """These numbers as rows with one column `id`, however many: they are one parameter, not one each."""
    if session.get_bind().dialect.name == "postgresql":
        return select(func.unnest(literal(list(ids), ARRAY(Integer))).label("id"))
    each = func.json_each(json.dumps(list(ids))).table_valued("value")
    return select(each.c.value.label("id"))


def lock_for(session: Session, *names: bytes) -> None:
    """Let one at a time through until the transaction ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        for number in sorted(
            {int.from_bytes(name[:8].ljust(8, b"\0"), "big", signed=True) for name in names}
        ):
            session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def migration_config() -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(PACKAGE / "storage" / "migrations"))
    return config


def head_revision() -> str:
    """The schema this code needs."""
    return ScriptDirectory.from_config(migration_config()).get_current_head() or ""


def current_revision(connection: Connection) -> str | None:
    """The schema this database has; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(settings: Settings, *, target: str = "head") -> tuple[str | None, str | None]:
    """Bring the database to `target`; returns the revision before and after.

    Foreign keys are off while SQLite rebuilds tables (a batch change of a parent would delete its
    children), and checked before the transaction ends. Two who migrate at once wait for each other.
    """
    engine = open_engine(settings)
    try:
        with engine.connect() as connection:
            is_sqlite = engine.dialect.name == "sqlite"
            if is_sqlite:
                raw = connection.connection.dbapi_connection
                if raw is not None:
                    raw.execute("PRAGMA foreign_keys=OFF")
                connection = connection.execution_options(write=True)
            with connection.begin():
                if not is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
                before = current_revision(connection)
                config = migration_config()
                config.attributes["connection"] = connection
                command.upgrade(config, target)
                after = current_revision(connection)
                if is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("the migration would leave comments without their thread")
        return before, after
    finally:
        engine.dispose()


def file_of(engine: Engine) -> Path | None:
    """The SQLite file behind an engine; None on PostgreSQL."""
    return Path(engine.url.database) if engine.dialect.name == "sqlite" and engine.url.database else None
