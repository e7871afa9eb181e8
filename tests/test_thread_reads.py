"""A page of a thread costs the same, whether the article has few comments or thousands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event, text

from comments_service.article_url import identify
from comments_service.snapshot.question import Question
from comments_service.snapshot.thread import thread
from comments_service.storage.database import db, transaction
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView, Status, ThreadSnapshot
from tests.conftest import NOW
from tests.factories import ORIGIN
from tools.thread_load import add

SMALL, LARGE = f"{ORIGIN}/small", f"{ORIGIN}/large"
STEPS = 100  # of SQLite's machine between two counts


def fill(app: Flask, site: SiteView, url: str, roots: int, replies: int, unseen: int) -> list[int]:
    """An article with comments nobody sees, then comments, the first and the last of them much answered."""
    article = identify(url, None, origins=site.origins)
    with app.app_context(), transaction() as session:
        add(session, site.id, article, unseen, status=Status.SPAM)
        made = add(session, site.id, article, roots)
        for below in (made[0], made[-1]):
            add(session, site.id, article, replies, below=below)
            add(session, site.id, article, unseen, below=below, status=Status.TRASH)
    return made


def read(site: SiteView, url: str, **asked: Any) -> ThreadSnapshot:
    """What a reader of the article gets."""
    question = Question(site, identify(url, None, origins=site.origins), **asked)
    return thread(question, catalogue=Catalogue.load(), page_size=20, build="test", now=NOW)


@contextmanager
def counting_steps(counted: list[int]) -> Iterator[None]:
    """Count what SQLite's machine does meanwhile."""
    raw = db.session.connection().connection.driver_connection
    assert raw is not None
    raw.set_progress_handler(lambda: counted.append(STEPS), STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


def rows_of(plan: dict[str, Any]) -> int:
    """How many rows PostgreSQL looked at for a plan."""
    removed = sum(value for name, value in plan.items() if name.startswith("Rows Removed"))
    own = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return int(own) + sum(rows_of(part) for part in plan.get("Plans", []))


def cost(app: Flask, act: Callable[[], object]) -> int:
    """What an act costs the database: rows on PostgreSQL, steps on SQLite."""
    with app.app_context():
        act()  # what is read once in a process
        if db.engine.dialect.name == "sqlite":
            counted: list[int] = []
            with counting_steps(counted):
                act()
            return sum(counted)
        said: list[tuple[str, Any]] = []

        def listen(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            said.append((statement, values))

        event.listen(db.engine, "before_cursor_execute", listen)
        act()
        event.remove(db.engine, "before_cursor_execute", listen)
        connection = db.session.connection()
        asked = [one for one in said if one[0].startswith("SELECT")]
        rows = 0
        for statement, values in asked:
            told: Any = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
            rows += rows_of(told.scalar_one()[0]["Plan"])
        return rows


def test_a_page_of_a_long_article_costs_what_one_of_a_short_one_does(app: Flask, site: SiteView) -> None:
    small, large = fill(app, site, SMALL, 45, 45, 10), fill(app, site, LARGE, 2_000, 700, 700)
    with app.app_context(), transaction() as session:
        session.execute(text("ANALYZE"))
    for sort in ("oldest", "newest"):
        asked: dict[str, Any] = {"sort": sort}
        with app.app_context():
            pages = [read(site, url, **asked) for url in (SMALL, LARGE)]
        assert [len(page.comments) for page in pages] == [40, 40]
        places = [(page.next_cursor, page.comments[0].left) for page in pages]
        for wanted in (
            [asked, asked],
            [asked | {"cursor": cursor} for cursor, _ in places],
            [asked | {"cursor": left.cursor} for _, left in places if left],
            [asked | {"comment": made[len(made) // 2]} for made in (small, large)],
        ):
            few = cost(app, lambda: read(site, SMALL, **wanted[0]))  # noqa: B023 -- called at once
            many = cost(app, lambda: read(site, LARGE, **wanted[1]))  # noqa: B023
            assert 0 < many <= 1.5 * few, wanted
