"""What each of thousands of apps would work out anew is worked out once for a test run: no answer differs.

These are texts made of texts: the routes' address builders, the templates' code, the statements' SQL.
Werkzeug and SQLAlchemy have no door for the first and the last, so those reach into them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from psycopg import sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import make_url
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from comments_service.storage.database import db
from tests.servers import postgres_database

Built = Callable[..., tuple[str, str]]


class CompiledTemplates(BytecodeCache):
    """The code of templates, kept as long as the worker lives. Jinja asks it only for the same source."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what is known of this template."""
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what Jinja has compiled."""
        self.code[bucket.key, bucket.checksum] = bucket.code


COMPILED = CompiledTemplates()


def keep_compiled(app: Flask) -> None:
    """Let an app compile only templates and statements that no app before it has compiled."""
    app.jinja_env.bytecode_cache = COMPILED
    with app.app_context():
        for engine in db.engines.values():
            engine._compiled_cache = STATEMENTS


STATEMENTS: LRUCache[Any, Any] = LRUCache(4_000)


@contextmanager
def dialects_alike() -> Iterator[None]:
    """Let engines of one driver know each other's statements: all of them speak to the same server."""
    kinds = (SQLiteDialect_pysqlite, PGDialect_psycopg)
    with pytest.MonkeyPatch.context() as patch:
        for kind in kinds:
            patch.setattr(kind, "__eq__", lambda one, other: type(one) is type(other))
            patch.setattr(kind, "__hash__", lambda one: hash(type(one)))
        yield


@contextmanager
def routes_compiled_once() -> Iterator[None]:
    """Let every route of the same text share the code that builds its addresses."""
    built: dict[tuple[object, ...], Built] = {}
    compile_anew = Rule._compile_builder

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Built:
        key = (rule.rule, rule.subdomain, rule.host, repr(rule.defaults), append_unknown)
        if key not in built:
            built[key] = compile_anew(rule, append_unknown)
        return built[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compile_builder)
        yield


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
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
SEQUENCES = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


class EmptiedDatabase:
    """One PostgreSQL database for a worker's tests: emptied for each, which is quicker than a new one.

    Where a test has changed its form, the next one gets a new copy of the template.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self._made: Any = None
        self._shape = ""
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
        if self._made is not None:
            self._made.__exit__(None, None, None)
            self._made = None

    def _make(self) -> None:
        self._made = postgres_database(self._template)
        self.url = self._made.__enter__()
        with self._inside() as connection:
            self._shape = self._form(connection)

    def _empty(self) -> bool:
        try:
            with self._inside() as connection:
                connection.execute(OTHERS)
                if self._form(connection) != self._shape:
                    return False
                connection.execute(
                    "SET session_replication_role = replica"
                )  # the journal refuses to go otherwise
                tables = [sql.Identifier(name) for (name,) in connection.execute(TABLES)]
                holds = sql.SQL(" UNION ALL ").join(
                    sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})").format(
                        sql.Literal(table.as_string()), table
                    )
                    for table in tables
                )
                full = [sql.SQL(name) for (name,) in connection.execute(holds)]
                if full:
                    connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(full)))
                connection.execute(SEQUENCES)
        except psycopg.Error:
            return False  # whatever a test has done to it
        return True

    def _inside(self) -> psycopg.Connection:
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(address, autocommit=True)

    @staticmethod
    def _form(connection: psycopg.Connection) -> str:
        found = connection.execute(SHAPE).fetchone()
        return str(found[0]) if found else ""
