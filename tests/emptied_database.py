"""The PostgreSQL database of a worker: emptied for each test, by connections that are kept for the next one.

A new database, or a new connection, costs a test more than most of what it asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, _log_notices
from sqlalchemy.engine import make_url

from tests.servers import postgres_database

SHAPE = """
SELECT md5(coalesce(string_agg(line, ' ' ORDER BY line), '')) FROM (
  SELECT concat_ws(':', c.oid, c.relname, c.relkind, c.relnatts, c.relchecks, c.relhasrules, c.relacl) AS line
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(':', t.oid, t.xmin, t.tgenabled) FROM pg_trigger t WHERE NOT t.tgisinternal
  UNION ALL SELECT concat_ws(':', p.oid, p.xmin) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(':', k.oid, k.xmin) FROM pg_constraint k
  UNION ALL SELECT concat_ws(':', a.attrelid, a.attname, a.xmin) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(':', s.setdatabase, s.setconfig) FROM pg_db_role_setting s
  UNION ALL SELECT version_num FROM alembic_version
) AS lines
"""
OTHERS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL(%s)
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
SEQUENCES = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
SIZE = "SELECT {0}, pg_relation_size('{1}') WHERE EXISTS (SELECT 1 FROM {1})"
MOST_KEPT = 4
FEW_BYTES = 1 << 16  # up to here, to take the rows out is cheaper than to give the table new files


class KeptConnections:
    """Connections to one database that engines have closed: the next engine gets them as good as new."""

    def __init__(self) -> None:
        self.database = ""
        self._kept: list[psycopg.Connection] = []
        self._addresses: WeakKeyDictionary[psycopg.Connection, str] = WeakKeyDictionary()

    @property
    def pids(self) -> list[int]:
        """Their server processes."""
        return [connection.info.backend_pid for connection in self._kept]

    def close(self) -> None:
        """Close all of them."""
        while self._kept:
            self._kept.pop().close()

    @contextmanager
    def given_out(self) -> Iterator[None]:
        """Let engines take them and give them back."""
        connect_anew = PGDialect_psycopg.connect

        def connect(dialect: PGDialect_psycopg, *arguments: Any, **named: Any) -> Any:
            address = repr((arguments, sorted(named.items())))
            if kept := self._take(address):
                return kept
            made: Any = connect_anew(dialect, *arguments, **named)
            self._addresses[made] = address
            return made

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PGDialect_psycopg, "connect", connect)
            patch.setattr(PGDialect_psycopg, "do_close", lambda _, connection: self._give_back(connection))
            patch.setattr(PGDialect_psycopg, "do_terminate", lambda _, connection: connection.close())
            yield

    def _take(self, address: str) -> psycopg.Connection | None:
        for connection in self._kept[:]:
            if self._addresses[connection] == address:
                self._kept.remove(connection)
                if is_well(connection):
                    return connection
        return None

    def _give_back(self, connection: psycopg.Connection) -> None:
        is_ours = not connection.closed and connection.info.dbname == self.database
        if is_ours and len(self._kept) < MOST_KEPT and make_new(connection):
            self._kept.append(connection)
        else:
            connection.close()


def is_well(connection: psycopg.Connection) -> bool:
    """Whether somebody answers at the other end."""
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error:
        connection.close()
        return False
    return True


def make_new(connection: psycopg.Connection) -> bool:
    """Take all back that was done to the connection: locks, settings, prepared statements."""
    try:
        connection.rollback()
        connection.isolation_level = connection.read_only = connection.deferrable = None
        connection.autocommit = True
        connection.execute("DISCARD ALL")
        connection.autocommit = False
        connection.remove_notice_handler(_log_notices)
    except (psycopg.Error, ValueError):
        return False
    return True


class EmptiedDatabase:
    """One PostgreSQL database for a worker's tests: emptied for each, which is quicker than a new one.

    Where a test has changed its form, the next one gets a new copy of the template.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self._made: Any = None
        self._inside: Any = None
        self._shape = ""
        self.kept = KeptConnections()
        self.url = ""

    def emptied(self) -> str:
        """The URL of the database, with nothing in it."""
        if self._made is None:
            self._make()
        elif not self._empty():
            self.close()
            self._make()
        return self.url

    def close(self) -> None:
        """Drop it."""
        self.kept.close()
        if self._made is not None:
            self._inside.close()
            self._made.__exit__(None, None, None)
            self._made = None

    def _make(self) -> None:
        self._made = postgres_database(self._template)
        self.url = self._made.__enter__()
        address = make_url(self.url)
        self.kept.database = str(address.database)
        self._inside = psycopg.connect(
            address.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
        )
        self._shape = self._form()

    def _empty(self) -> bool:
        try:
            self._inside.execute(OTHERS, [[self._inside.info.backend_pid, *self.kept.pids]])
            if self._form() != self._shape:
                return False
            self._clear()
        except psycopg.Error:
            return False  # whatever a test has done to it
        return True

    def _clear(self) -> None:
        names = [name for (name,) in self._inside.execute(TABLES)]
        parts = [sql.SQL(SIZE).format(sql.Literal(name), sql.Identifier(name)) for name in names]
        full = dict(self._inside.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall())
        small = [sql.Identifier(name) for name, size in full.items() if size <= FEW_BYTES]
        large = [sql.Identifier(name) for name, size in full.items() if size > FEW_BYTES]
        with self._inside.transaction():
            # The journal refuses to go otherwise
            self._inside.execute("SET LOCAL session_replication_role = replica")
            for table in small:
                self._inside.execute(sql.SQL("DELETE FROM {}").format(table))
            if large:
                self._inside.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(large)))
            self._inside.execute(SEQUENCES)

    def _form(self) -> str:
        found = self._inside.execute(SHAPE).fetchone()
        return str(found[0]) if found else ""
