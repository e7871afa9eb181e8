"""What each of thousands of apps would work out anew is worked out once for a test run: no answer differs.

These are texts made of texts: the routes' patterns, the templates' code, the statements' SQL.
SQLAlchemy has no door for the last, nor Werkzeug a whole one for the first, so those reach into them.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from operator import attrgetter
from typing import Any, ClassVar

import pytest
import structlog
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Map, Rule, RuleFactory


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
STATEMENTS: LRUCache[Any, Any] = LRUCache(4_000)


def keep_templates(app: Flask) -> None:
    """Let an app compile only templates that no app before it has compiled."""
    app.jinja_env.bytecode_cache = COMPILED


def _share_statements(patch: pytest.MonkeyPatch) -> None:
    """Engines of one driver know each other's: all of them speak to the same server."""
    shared = property(lambda _engine: STATEMENTS, lambda _engine, _its_own: None)
    patch.setattr(Engine, "_compiled_cache", shared, raising=False)
    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch.setattr(kind, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(kind, "__hash__", lambda one: hash(type(one)))


WHAT_A_RULE_SAYS = attrgetter(
    *("rule", "endpoint", "subdomain", "host", "strict_slashes", "merge_slashes", "build_only", "websocket"),
    *("alias", "redirect_to", "provide_automatic_options"),
)


def text_of(rule: Rule) -> tuple[object, ...]:
    """All that a route says."""
    return (*WHAT_A_RULE_SAYS(rule), frozenset(rule.methods or ()), repr(rule.defaults))


class SharedRoutes(Map):
    """The routes of an app, compiled when they are asked for, unless an app before it had just the same.

    What they are compiled to knows endpoints by their names alone.
    """

    compiled: ClassVar[dict[tuple[object, ...], Map]] = {}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._said: list[Rule] = []
        super().__init__(*arguments, **named)

    def add(self, rulefactory: RuleFactory) -> None:
        """Note what a route says."""
        self._said.extend(rulefactory.get_rules(self))
        self._remap = True

    def update(self) -> None:
        """Compile all of it, or take what is known."""
        with self._remap_lock:
            if not self._remap:
                return
            said = [text_of(rule) for rule in self._said]
            key = (self.merge_slashes, self.host_matching, *said)
            if key not in self.compiled:
                routes = Map(merge_slashes=self.merge_slashes, host_matching=self.host_matching)
                for rule in self._said:
                    routes.add(copy(rule))
                routes.update()
                self.compiled[key] = routes
            self._matcher = self.compiled[key]._matcher
            self._rules_by_endpoint = self.compiled[key]._rules_by_endpoint
            self._remap = False


@contextmanager
def compiled_once() -> Iterator[None]:
    """Let the apps of a worker share what their routes and statements are compiled to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "url_map_class", SharedRoutes)
        _share_statements(patch)
        yield


def collect_seldom() -> None:
    """Look less often for what nobody holds any more: a tenth of all the work went there."""
    gc.set_threshold(20_000, 50, 100)


def keep_for_good() -> None:
    """Never look again at what there is by now: modules, and the tests that were found."""
    gc.freeze()


SET_BY_THE_SERVICE = ("waitress", "sqlalchemy.engine", "sqlalchemy.pool", "alembic", "urllib3")


def log_plainly() -> None:
    """Log as structlog does by itself, but traces without colours and variables: those take seconds."""
    structlog.reset_defaults()
    *before, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])
    for handler in logging.root.handlers[:]:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            logging.root.removeHandler(handler)
    logging.root.setLevel(logging.WARNING)
    for name in SET_BY_THE_SERVICE:
        logging.getLogger(name).setLevel(logging.NOTSET)
