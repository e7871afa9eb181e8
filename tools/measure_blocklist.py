"""Time what a long blocklist costs: taking it in, making it ready, and holding comments against it.

    python -m tools.measure_blocklist [--entries N] [--database URL]

The database must be an empty one; without it, an SQLite file is made and dropped. Words and comments are
drawn by chance, always the same ones.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from flask import Flask

from comments_service.article_url import identify
from comments_service.blocklists.change import import_entries
from comments_service.blocklists.entries import MAX_ENTRIES, Whose
from comments_service.blocklists.folding import fold
from comments_service.blocklists.lines import Read, read_lines
from comments_service.blocklists.looking import listed
from comments_service.blocklists.matching import WordList
from comments_service.blocklists.ready import words_of
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.database import connect_app, migrate, reading, transaction
from comments_service.storage.models import Site
from comments_service.vocabulary import MAX_TEXT_BYTES, SiteView, Submission

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
ORIGIN = "https://a.example"
SYLLABLES = ["".join(pair) for pair in zip("bcdfghjklmnprstvwz" * 5, "aeiou" * 18, strict=True)]
T = TypeVar("T")
COMMENTS, CHARACTERS = 500, 400
KEYS = Keyring.parse(Keyring.generate())


def main() -> None:
    """Print all costs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=MAX_ENTRIES)
    parser.add_argument("--database")
    options = parser.parse_args()
    chance = random.Random(1)  # noqa: S311 -- test data
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=options.database or f"sqlite:///{folder}/comments.sqlite3")
        migrate(settings)
        app = Flask("measure", static_folder=None)
        connect_app(app, settings)
        with app.app_context():
            measure(list(words(chance, options.entries)), chance)


def measure(entries: Sequence[str], chance: random.Random) -> None:
    """Take the words in, make them ready, and hold comments against them."""
    texts = [text_of(chance, CHARACTERS) for _ in range(COMMENTS)]
    long = text_of(chance, MAX_TEXT_BYTES)
    with transaction() as session:
        session.add(Site(id=1, key="demo", name="Demo", origins=[ORIGIN], created_at=NOW))
    read = timed("reading the file", lambda: read_lines("\n".join(entries), Whose(1, KEYS), now=NOW))
    steps = take_in(read)
    print(f"storing it: {sum(steps) / 1000:.2f} s in {len(steps)} steps, the longest {max(steps):.0f} ms")
    before = resident_mb()
    ready = timed("making it ready, reading from the database included", lambda: words_of(site_now()))
    print(f"memory of {len(ready):,} entries: {resident_mb() - before:.0f} MB")
    for count in (100, len(entries)):
        some = WordList(map(fold, entries[:count]))
        tell(f"{count:,} entries, {CHARACTERS} characters", [matching(some, text) for text in texts])
        print(f"{count:,} entries, {len(long):,} characters: {matching(some, long):.1f} ms")
    site = site_now()
    tell("all that judging asks of lists", [judging(site, ready, text) for text in texts])


def words(chance: random.Random, count: int) -> Iterator[str]:
    """Different words and phrases, as many as are wanted."""
    known: set[str] = set()
    while len(known) < count:
        one = " ".join(word_of(chance) for _ in range(chance.choice((1, 1, 2))))
        if one not in known:
            known.add(one)
            yield one


def text_of(chance: random.Random, characters: int) -> str:
    """Words of the same make, of which one in fifty is spelled with a digit."""
    text = ""
    while len(text) < characters:
        word = word_of(chance)
        text += (word.replace("o", "0") if chance.random() < 0.02 else word) + " "
    return text[:characters]


def word_of(chance: random.Random) -> str:
    """A word that nobody knows."""
    return "".join(chance.choice(SYLLABLES) for _ in range(chance.randint(2, 5)))


def take_in(read: Read) -> list[float]:
    """Store all entries; how many milliseconds each step had the database."""
    marks = [time.perf_counter()]
    import_entries(1, read.entries, by=None, now=NOW, on_progress=lambda _: marks.append(time.perf_counter()))
    return [(end - begin) * 1000 for begin, end in pairwise(marks)]


def site_now() -> SiteView:
    """The site as a request sees it."""
    with reading() as session:
        return session.get_one(Site, 1).view()


def matching(some: WordList, text: str) -> float:
    """Milliseconds that the words take alone."""
    return taken(lambda: some.met_in([text]))


def judging(site: SiteView, ready: WordList, text: str) -> float:
    """Milliseconds that one submission would take longer."""
    submission = Submission(
        site=site,
        article=identify(f"{ORIGIN}/x", None, origins=site.origins),
        title="",
        parent_id=None,
        name="Ana",
        email="ana@example.org",
        website=None,
        text=text,
        network="192.0.2.0/24",
        idempotency_key="",
    )
    with reading() as session:
        session.get_one(Site, 1)
        return taken(lambda: listed(session, submission, ready, keys=KEYS, now=NOW))


def timed(what: str, work: Callable[[], T]) -> T:
    """Do something, and print how long it took."""
    begun = time.perf_counter()
    found = work()
    print(f"{what}: {time.perf_counter() - begun:.2f} s")
    return found


def taken(work: Callable[[], object]) -> float:
    """Do something; how many milliseconds it took."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def tell(what: str, took: Sequence[float]) -> None:
    """The usual, and the slowest in a hundred."""
    print(f"{what}: p50 {median(took):.2f} ms, p99 {quantiles(took, n=100)[-1]:.2f} ms")


def resident_mb() -> float:
    """How much memory this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1_000_000


if __name__ == "__main__":
    main()
