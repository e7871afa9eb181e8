"""Measure pages of a thread of very many comments beside those of a small one, on SQLite and PostgreSQL.

    python -m tools.measure_threads [--comments 10000] [--rounds 60] [--only sqlite]

Each figure is the time of a whole answer to GET /api/v1/sites/demo/thread, without a network, and how many
times longer it takes than the same of an article with twenty comments that fill a page too. Ends with 1 when
that is more than a half longer, and at least 5 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from comments_service import logs
from comments_service.article_url import identify
from comments_service.settings import Settings
from comments_service.storage.database import db, migrate, transaction
from comments_service.storage.models import Site
from comments_service.vocabulary import Status
from comments_service.wsgi import make
from tools.both_databases import SECRET_KEY, on_both
from tools.thread_load import BEGAN, add

ORIGIN = "https://news.example.org"
SMALL = 20
MOST_RATIO, NOISE_MS = 1.5, 5.0


@dataclass(frozen=True)
class Article:
    """An article of a shape, and the page that is asked for: `last` is a comment near its end."""

    url: str
    last: int


@dataclass(frozen=True)
class Figure:
    """One page of the long article and the same of the small one, in milliseconds."""

    name: str
    small: float
    large: float

    @property
    def is_missed(self) -> bool:
        """Whether the long article makes a difference."""
        return self.large > self.small * MOST_RATIO and self.large - self.small > NOISE_MS

    def __str__(self) -> str:
        times = f"{self.small:8.1f} {self.large:8.1f} {self.large / self.small:8.2f}"
        return f"{self.name:<44} {times}{'  MISSED' if self.is_missed else ''}"


def flat(url: str, count: int) -> Article:
    """Only top-level comments."""
    return Article(url, _add(url, count)[-2])


def answered(url: str, count: int) -> Article:
    """All but a few are replies of the first comment."""
    first, *_ = _add(url, SMALL)
    return Article(url, _add(url, count, below=first)[-2])


def unseen(url: str, count: int) -> Article:
    """Twenty that readers see, among very many that they do not."""
    _add(url, count, status=Status.SPAM)
    return Article(url, _add(url, SMALL)[-2])


SHAPES = {"top-level comments": flat, "replies of one comment": answered, "spam around twenty": unseen}
PAGES: Mapping[str, Mapping[str, str]] = {
    "first page": {},
    "newest first": {"sort": "newest"},
    "top first": {"sort": "top"},
}


def measure(url: str, comments: int, rounds: int) -> bool:
    """Print the figures of one database; tells whether length made no difference."""
    settings = Settings(database_url=url, secret_key=SECRET_KEY, log_level="WARNING")
    logs.configure(settings)
    migrate(settings)
    app = make(settings)
    kind = "SQLite" if settings.is_sqlite else "PostgreSQL"
    print(f"\n{kind}\n{'milliseconds, median':<44} {SMALL:>8} {comments:>8,} {'ratio':>8}")
    figures = list(_figures(app, comments, rounds))
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return not any(figure.is_missed for figure in figures)


def _figures(app: Flask, comments: int, rounds: int) -> Iterator[Figure]:
    with app.app_context():
        with transaction() as session:
            options = {"votes": "both"}
            session.add(Site(key="demo", name="Demo", origins=[ORIGIN], options=options, created_at=BEGAN))
        pairs = {
            name: (
                make_shape(f"{ORIGIN}/{number}/small", SMALL),
                make_shape(f"{ORIGIN}/{number}/large", comments),
            )
            for number, (name, make_shape) in enumerate(SHAPES.items())
        }
        with transaction() as session:  # as autovacuum does by and by
            session.execute(text("ANALYZE"))
    client = app.test_client()
    for name, (small, large) in pairs.items():
        for page, asked in PAGES.items():
            yield _figure(client, f"{page} of {name}", rounds, (small, asked), (large, asked))
        for sort in ("oldest", "top"):
            links = [(one, {"comment": str(one.last), "sort": sort}) for one in (small, large)]
            yield _figure(client, f"link into {name}, {sort} first", rounds, *links)


def _figure(
    client: FlaskClient,
    name: str,
    rounds: int,
    small: tuple[Article, Mapping[str, str]],
    large: tuple[Article, Mapping[str, str]],
) -> Figure:
    times: list[list[float]] = [[], []]
    for _ in range(rounds + 1):  # in turn, so that a busy machine is busy for both
        for taken, (article, asked) in zip(times, (small, large), strict=True):
            began = perf_counter()
            response = client.get("/api/v1/sites/demo/thread", query_string={"url": article.url, **asked})
            taken.append((perf_counter() - began) * 1000)
            if response.status_code != 200:
                raise SystemExit(f"{article.url} answered {response.status}")
    figure = Figure(name, *(median(taken[1:]) for taken in times))
    print(figure, flush=True)
    return figure


def _add(url: str, count: int, *, below: int | None = None, status: Status = Status.APPROVED) -> list[int]:
    with transaction() as session:
        article = identify(url, None, origins=[ORIGIN])
        return add(session, 1, article, count, below=below, status=status, with_votes=True)


def main() -> int:
    """Measure both databases, or one."""
    return on_both(measure, "thread-figures", comments=10_000, description=__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
