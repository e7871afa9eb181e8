"""Measure the moderators' queue among very many comments, on SQLite and PostgreSQL.

    python -m tools.measure_queue [--comments 1000000] [--rounds 60] [--only sqlite]

Each figure is the time of a whole answer to GET /queue, asked for as a browser does, but without a network.
Ends with 1 when a limit is missed. The comments are the same each time; they lie in a temporary folder.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from comments_service import create_app, logs
from comments_service.decisions.decide import decide_all
from comments_service.decisions.verbs import Change
from comments_service.privacy import Keyring
from comments_service.queue.order import ORDERS, cursor_after
from comments_service.queue.page import queue_page
from comments_service.queue.question import QueueQuestion, Sort, View
from comments_service.settings import Settings
from comments_service.storage.database import db, migrate, open_engine, reading
from comments_service.storage.models import Comment, Thread
from comments_service.vocabulary import Access, Role, Status
from comments_service.web.wiring import Wiring
from comments_service.wsgi import make
from tests.doors import sign_in_as
from tests.factories import a_moderator
from tools.both_databases import SECRET_KEY, on_both
from tools.queue_load import COMMON_WORD, PHRASE, RARE_WORD, fill

FIRST_PAGE_MS, SEARCH_MS, BULK_SECONDS = 120.0, 300.0, 2.0
DEEP_RATIO = 1.5
NOISE_MS = 5.0  # by which a quick page may be slower than another before a ratio means anything
DEEP_PAGES = (2, 100, 1_000, 5_000)
BULK = 500
SEARCHES = {
    "rare word": RARE_WORD,
    "common word": f"{COMMON_WORD} ",
    "phrase": f'"{PHRASE}"',
    "beginning of a word": COMMON_WORD[:3],
    "two words": f"{COMMON_WORD} {RARE_WORD}",
    "no such word": "nosuchword",
    "email": "reader77@example.org",
    "network": "10.0.77.9",
    "permalink": "#comment-77777",
    "article": "https://site1.example.org/a1",
}
FILTERS: Mapping[str, Mapping[str, Any]] = {
    "author": {"author": 77_777},
    "network": {"network": 77_777},
    "article": {"article": 1},
    "reason": {"reason": "held-word"},
    "reason that none has": {"reason": "banned"},
    "flagged": {"flagged": 1},
    "letters": {"letters": 1},
    "site": {"site": "site3"},
}


@dataclass(frozen=True)
class Figure:
    """One measured thing, in milliseconds, with its limit if there is one."""

    name: str
    p50: float
    p95: float
    limit: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it took longer than it may."""
        return self.limit is not None and self.p95 > self.limit

    def __str__(self) -> str:
        limit = f"{self.limit:8.0f}" if self.limit is not None else " " * 8
        return (
            f"{self.name:<44} {self.p50:8.1f} {self.p95:8.1f} {limit}{'  MISSED' if self.is_missed else ''}"
        )


class Bench:
    """The queue of one database, asked again and again."""

    def __init__(self, app: Flask, moderator: FlaskClient, rounds: int) -> None:
        self.app = app
        self.moderator = moderator
        self.rounds = rounds

    def answer(self, name: str, limit: float | None = None, **query: Any) -> Figure:
        """How long GET /queue takes for this query."""
        return self.time(name, lambda: self.ask(query), limit)

    def ask(self, query: Mapping[str, Any]) -> None:
        """GET the page, which must be there."""
        response = self.moderator.get("/queue", query_string=query, headers={"Accept": "text/html"})
        if response.status_code != 200:
            raise SystemExit(f"GET /queue {query} answered {response.status}")

    def time(self, name: str, act: Callable[[], object], limit: float | None = None) -> Figure:
        """How long something takes, after a first time that fills the caches."""
        act()
        times = sorted(self._once(act) for _ in range(self.rounds))
        return Figure(name, times[len(times) // 2], times[int(len(times) * 0.95)], limit)

    def read(self, question: QueueQuestion) -> None:
        """The read below the page: without the template, but with everything that it shows."""
        with self.app.app_context():
            parts: Wiring = self.app.extensions["comments"]
            queue_page(
                question,
                access=Access(everywhere=Role.OWNER),
                moderator_id=1,
                keys=parts.keys,
                page_size=parts.settings.page_size,
                now=parts.now(),
            )

    def cursor(self, view: View, sort: Sort, page: int, page_size: int) -> str | None:
        """The cursor of a page counted from 1; None where there is none so deep."""
        order = ORDERS[sort]
        rows = select(Comment).where(Comment.status.in_(view.statuses), Comment.is_purged.is_(False))
        rows = rows.order_by(*order.sorting(order.of(Comment))).offset((page - 1) * page_size - 1).limit(1)
        with self.app.app_context(), reading() as session:
            if db.engine.dialect.name != "sqlite":
                session.execute(text("SET LOCAL statement_timeout = 0"))
            comment = session.scalars(rows).first()
            return cursor_after(comment, sort) if comment is not None else None

    @staticmethod
    def _once(act: Callable[[], object]) -> float:
        began = perf_counter()
        act()
        return (perf_counter() - began) * 1000


def pages(bench: Bench, page_size: int) -> Iterator[Figure]:
    """First and deep pages of what waits and of what is approved."""
    for view in (View.PENDING, View.APPROVED):
        first = bench.answer(f"{view}, first page", FIRST_PAGE_MS, status=view.value)
        yield first
        limit = max(first.p95 * DEEP_RATIO, first.p95 + NOISE_MS)
        for page in DEEP_PAGES:
            cursor = bench.cursor(view, Sort.NEWEST, page, page_size)
            if cursor is not None:
                yield bench.answer(f"{view}, page {page:,}", limit, status=view.value, cursor=cursor)


def orders(bench: Bench, page_size: int) -> Iterator[Figure]:
    """The first page and one far behind, of every view in every order: the read alone."""
    for view in View:
        for sort in Sort:
            question = QueueQuestion(view=view, sort=sort)
            first = bench.time(f"read {view} by {sort}", partial(bench.read, question), FIRST_PAGE_MS)
            yield first
            cursor = bench.cursor(view, sort, 400, page_size) if view != View.MINE else None
            if cursor is not None:
                deep = QueueQuestion(view=view, sort=sort, cursor=cursor)
                limit = max(first.p95 * DEEP_RATIO, first.p95 + NOISE_MS)
                yield bench.time(f"read {view} by {sort}, page 400", partial(bench.read, deep), limit)


def searches(bench: Bench) -> Iterator[Figure]:
    """Every kind of search, in what waits and in all."""
    for name, q in SEARCHES.items():
        for view in (View.PENDING, View.ALL):
            yield bench.answer(f"search in {view}: {name}", SEARCH_MS, status=view.value, q=q)


def filters(bench: Bench) -> Iterator[Figure]:
    """Every filter, in what waits."""
    for name, query in FILTERS.items():
        yield bench.answer(f"pending, filter: {name}", FIRST_PAGE_MS, status="pending", **query)


def bulk(bench: Bench) -> Figure:
    """Approve so many at once; once only, since they wait no more afterwards."""
    with bench.app.app_context():
        with reading() as session:
            waiting = select(Comment.id, Comment.version).where(Comment.status == Status.PENDING)
            rows = session.execute(waiting.order_by(Comment.created_at.desc()).limit(BULK)).all()
        changes = [Change(row.id, row.version, Status.APPROVED) for row in rows]
        began = perf_counter()
        decide_all(changes, by=None, now=datetime.now(UTC))
        taken = (perf_counter() - began) * 1000
    return Figure(f"approve {len(changes)} at once", taken, taken, BULK_SECONDS * 1000)


def drift(bench: Bench) -> int:
    """By how much the articles' counts differ from what they count."""
    with bench.app.app_context(), reading() as session:
        counted = select(Thread.approved_count).order_by(Thread.id)
        kept = session.scalars(counted).all()
        true: dict[int, int] = dict(
            session.execute(
                text("SELECT thread_id, count(*) FROM comment WHERE status = 'approved' GROUP BY thread_id")
            ).all()
        )
        return sum(abs(count - true.get(number, 0)) for number, count in enumerate(kept, 1))


def measure(url: str, comments: int, rounds: int) -> bool:
    """Print the figures of one database; tells whether all limits were kept."""
    settings = Settings(database_url=url, secret_key=SECRET_KEY, log_level="WARNING")
    logs.configure(settings)
    kind = "SQLite" if settings.is_sqlite else "PostgreSQL"
    migrate(settings)
    name = a_moderator(create_app(settings)).name
    began = perf_counter()
    engine = open_engine(settings)
    fill(engine, comments=comments, keys=Keyring.parse(SECRET_KEY), moderator_id=1)
    engine.dispose()
    print(f"\n{kind}: {comments:,} comments, stored in {perf_counter() - began:.0f} s")
    print(f"{'milliseconds':<44} {'p50':>8} {'p95':>8} {'limit':>8}")
    app = make(settings)  # as it is served
    bench = Bench(app, sign_in_as(app, name), rounds)
    is_kept = True
    for figure in _all(bench, settings.page_size):
        print(figure, flush=True)
        is_kept = is_kept and not figure.is_missed
    print(f"{'counts that drifted':<44} {drift(bench):8}")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return is_kept


def _all(bench: Bench, page_size: int) -> Iterator[Figure]:
    yield from pages(bench, page_size)
    yield from searches(bench)
    yield from filters(bench)
    yield from orders(bench, page_size)
    yield bulk(bench)


def main() -> int:
    """Measure both databases, or one."""
    return on_both(measure, "queue-figures", comments=1_000_000, description=__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
