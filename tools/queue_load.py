"""Fills a database with comments by the hundred thousand, the same ones each time, for measurements.

Four fifths are approved, a tenth waits, the rest is spam and trash; five sites of unlike size. Some words
are in every second comment and some in twenty of all; a tenth of what waits belongs to clusters.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from comments_service.article_url import normalise_url
from comments_service.privacy import Keyring
from comments_service.storage.models import Site, Thread, ThreadAlias
from comments_service.submit import EMAIL_COLUMN
from comments_service.words import words

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
SITE_SHARES = (60, 20, 10, 6, 4)
STATUSES = {"approved": 80, "pending": 10, "spam": 6, "trash": 4}
REASONS = {"pending": ("every-comment-waits", "newcomer", "links", "held-word"), "approved": ("no-rule",)}
RARE_WORD, COMMON_WORD, PHRASE = "zebrafish", "bridge", "the harbour bridge"
RARE_COMMENTS = 20
COMMENTS_A_THREAD, COMMENTS_AN_AUTHOR = 100, 20
SENTENCES, VOCABULARY = 4_000, 20_000
BATCH = 20_000
COLUMNS = (
    *(
        "id",
        "site_id",
        "thread_id",
        "depth",
        "name",
        "email_sealed",
        "email_hash",
        "website",
        "text",
        "page_url",
    ),
    *("status", "verdict_reason", "version", "network_hash", "created_at", "status_changed_at", "is_purged"),
    *("moderator_id", "is_letter", "is_quietly_declined", "flag_count", "risk", "cluster_id", "verdict"),
)


@dataclass(frozen=True)
class Author:
    """Somebody who comments, with the sealed address on each site."""

    name: str
    sealed: bytes
    hashes: tuple[bytes, ...]
    networks: tuple[bytes, ...]


@dataclass(frozen=True)
class Sentence:
    """Some words as they are typed, and as they are stored for the search."""

    typed: str
    stored: str


def fill(engine: Engine, *, comments: int, keys: Keyring, moderator_id: int) -> None:
    """Store so many comments, with the indexes made after them: it takes minutes otherwise."""
    is_sqlite = engine.dialect.name == "sqlite"
    indexes = _indexes(engine)
    with engine.begin() as connection:
        for name in indexes:
            connection.execute(text(f"DROP INDEX {name}"))
        with Session(connection) as session:
            _frame(session, comments)
            session.flush()
    batches = _batches(_rows(comments, keys, moderator_id))
    (_into_sqlite if is_sqlite else _into_postgresql)(engine, batches)
    with engine.begin() as connection:
        if not is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        for definition in indexes.values():
            connection.execute(text(definition))
        if is_sqlite:
            connection.execute(text("INSERT INTO comment_search(comment_search) VALUES ('rebuild')"))
        connection.execute(
            text(
                "UPDATE thread SET approved_count = counted.approved FROM"
                " (SELECT thread_id, count(*) AS approved FROM comment WHERE status = 'approved'"
                " GROUP BY thread_id) AS counted"
                " WHERE counted.thread_id = thread.id"
            )
        )
    if not is_sqlite:  # as autovacuum does by and by
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE"))
            connection.invalidate()


def _indexes(engine: Engine) -> dict[str, str]:
    asked = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN"
        " ('comment', 'comment_words', 'comment_reason')"
        if engine.dialect.name == "sqlite"
        else "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN"
        " ('comment', 'comment_words', 'comment_reason') AND indexname LIKE 'ix_%'"
    )
    with engine.connect() as connection:
        return dict(connection.execute(text(asked)).all())


def _frame(session: Session, comments: int) -> None:
    """The sites, and an article for each hundred comments."""
    for number in range(1, len(SITE_SHARES) + 1):
        origin = f"https://site{number}.example.org"
        site = Site(id=number, key=f"site{number}", name=f"Site {number}", origins=[origin], created_at=BEGAN)
        session.add(site)
    session.flush()
    numbers = range(1, comments // COMMENTS_A_THREAD + 2)
    threads = [
        {"id": n, "site_id": _site_of(n), "title": f"Article {n}", "url": _page(n), "created_at": BEGAN}
        for n in numbers
    ]
    session.execute(insert(Thread), threads)
    aliases = [
        {"site_id": _site_of(n), "normalised_url": normalise_url(_page(n)), "thread_id": n} for n in numbers
    ]
    session.execute(insert(ThreadAlias), aliases)


def _page(thread_id: int) -> str:
    return f"https://site{_site_of(thread_id)}.example.org/a{thread_id}"


def _site_of(thread_id: int) -> int:
    place = thread_id * 7_919 % 100
    for number, share in enumerate(SITE_SHARES, 1):
        if place < share:
            return number
        place -= share
    return len(SITE_SHARES)


def _rows(comments: int, keys: Keyring, moderator_id: int) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Each comment's columns, and its words."""
    chance = random.Random(1)  # noqa: S311 - the same comments each time
    authors = _authors(comments // COMMENTS_AN_AUTHOR + 1, keys)
    sentences = _sentences(chance)
    rare = set(chance.sample(range(1, comments + 1), min(RARE_COMMENTS, comments)))
    statuses, weights = list(STATUSES), list(STATUSES.values())
    threads, cluster, left = comments // COMMENTS_A_THREAD + 1, 0, 0
    for number in range(1, comments + 1):
        thread_id = min(int(chance.expovariate(4) * threads), threads - 1) + 1
        site_id = _site_of(thread_id)
        status = chance.choices(statuses, weights)[0]
        author = authors[int(chance.random() ** 2 * len(authors))]
        said = chance.choices(sentences, k=chance.randint(1, 4))
        typed, stored = " ".join(s.typed for s in said), " ".join(s.stored for s in said)
        if number in rare:
            typed, stored = f"{typed} {RARE_WORD}", f"{stored} {RARE_WORD}"
        if status == "pending" and left == 0 and chance.random() < 0.02:
            cluster, left = number, chance.randint(2, 20)
        in_cluster = status == "pending" and left > 0 and chance.random() < 0.5
        left -= in_cluster
        moment = BEGAN + timedelta(seconds=60 * number)
        reason = chance.choice(REASONS.get(status, ("refused-word",)))
        columns = (
            *(number, site_id, thread_id, 1, author.name, author.sealed, author.hashes[site_id - 1], None),
            *(
                typed,
                _page(thread_id),
                status,
                reason,
                1,
                author.networks[site_id - 1],
                moment,
                moment,
                False,
            ),
            *(moderator_id if status == "approved" and number % 2_000 == 0 else None, False, False),
            *(int(chance.random() < 0.001), chance.randint(0, 100), cluster if in_cluster else None, "{}"),
        )
        yield columns, f" {author.name.lower()}  {stored}  https site{site_id} example org a{thread_id} "


def _authors(count: int, keys: Keyring) -> list[Author]:
    sites = range(1, len(SITE_SHARES) + 1)
    made = []
    for number in range(count):
        email, network = f"reader{number}@example.org", f"10.{number >> 8 & 255}.{number & 255}.0/24"
        made.append(
            Author(
                name=f"Reader {number}",
                sealed=keys.seal(email, column=EMAIL_COLUMN),
                hashes=tuple(keys.email_hash(email, site_id=site_id) for site_id in sites),
                networks=tuple(keys.network_hash(network, site_id=site_id) for site_id in sites),
            )
        )
    return made


def _sentences(chance: random.Random) -> list[Sentence]:
    """Sentences of made-up words, the first of which are far commoner than the last, as in every language."""
    syllables = [a + b for a in "bdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]
    known = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(VOCABULARY)]
    weights = [1 / (rank + 3) for rank in range(VOCABULARY)]
    made = []
    for number in range(SENTENCES):
        said = chance.choices(known, weights, k=chance.randint(6, 14))
        if number % 5 == 0:
            said.insert(2, COMMON_WORD)
        if number % 250 == 0:
            said[1:1] = PHRASE.split()
        typed = f"{' '.join(said).capitalize()}."
        made.append(Sentence(typed, " ".join(words(typed))))
    return made


def _batches(rows: Iterator[tuple[tuple[Any, ...], str]]) -> Iterator[list[tuple[tuple[Any, ...], str]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _into_sqlite(engine: Engine, batches: Iterator[list[tuple[tuple[Any, ...], str]]]) -> None:
    with engine.begin() as connection:
        raw: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
        raw.execute("PRAGMA cache_size = -500000")
        marks = ", ".join("?" * len(COLUMNS))
        for batch in batches:
            values = ([_stored(value) for value in columns] for columns, _ in batch)
            raw.executemany(f"INSERT INTO comment ({', '.join(COLUMNS)}) VALUES ({marks})", values)  # noqa: S608
            raw.executemany(
                "INSERT INTO comment_words VALUES (?, ?)", ((c[0], spread) for c, spread in batch)
            )
            raw.executemany("INSERT INTO comment_reason VALUES (?, ?)", ((c[0], c[11]) for c, _ in batch))


def _stored(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def _into_postgresql(engine: Engine, batches: Iterator[list[tuple[tuple[Any, ...], str]]]) -> None:
    with engine.begin() as connection:
        raw: psycopg.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
        for batch in batches:
            lines = {
                f"comment ({', '.join(COLUMNS)})": ("\t".join(map(_copied, c)) for c, _ in batch),
                "comment_words": (f"{c[0]}\t{spread}" for c, spread in batch),
                "comment_reason": (f"{c[0]}\t{c[11]}" for c, _ in batch),
            }
            for table, written in lines.items():
                with raw.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write("\n".join(written) + "\n")


def _copied(value: Any) -> str:
    if value is None:
        return r"\N"
    return rf"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
