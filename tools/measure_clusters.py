"""Compare MinHash in bands with SimHash on a folder of labelled comments, then time one more among many.

    python -m tools.measure_clusters DIR [--stored 1000000] [--database URL]

The database must be a migrated, empty one; without it, an SQLite file is made and dropped.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from statistics import median, quantiles

from flask import Flask
from sqlalchemy import insert

from comments_service.clusters.fingerprint import Fingerprint, fingerprint, likeness
from comments_service.clusters.joining import assign, stored_numbers
from comments_service.labelled import LabelledComment, read_folder
from comments_service.settings import Settings
from comments_service.storage.clusters import ClusterKey
from comments_service.storage.database import connect_app, migrate, transaction
from comments_service.storage.models import Comment, Site, Thread

BITS, SIMHASH_BANDS = 64, 4
LIKENESSES = (0.5, 0.6, 0.7, 0.8)
BATCH = 2_000
TIMED = 400
NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stored", type=int, default=0)
    parser.add_argument("--database")
    options = parser.parse_args()
    comments = read_folder(options.folder)
    prints = [fingerprint(comment.text) for comment in comments]
    compare([own for own in prints if own.shingles])
    if options.stored:
        with tempfile.TemporaryDirectory() as folder:
            url = options.database or f"sqlite:///{folder}/comments.sqlite3"
            time_submissions(comments, options.stored, url)


def compare(prints: Sequence[Fingerprint]) -> None:
    """Recall and precision of both, for several degrees of likeness."""
    pairs = {pair: likeness(prints[pair[0]], prints[pair[1]]) for pair in combinations(range(len(prints)), 2)}
    ways = {
        "MinHash 16x3": sharing(own.bands for own in prints),
        "SimHash 4x16": sharing(simhash_bands(own) for own in prints),
    }
    print(f"{len(prints)} texts that are long enough, {len(pairs)} pairs\n")
    print("way           likeness  recall  precision")
    for name, found in ways.items():
        for least in LIKENESSES:
            like = {pair for pair, degree in pairs.items() if degree >= least}
            recall, precision = len(found & like) / len(like), len(found & like) / len(found)
            print(f"{name}      {least:.1f}  {recall:7.2%}  {precision:8.2%}")


def sharing(bands: Iterable[Sequence[int]]) -> set[tuple[int, int]]:
    """The pairs that share a number."""
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for number, keys in enumerate(bands):
        for key in keys:
            holders[key].append(number)
    return {pair for group in holders.values() for pair in combinations(group, 2)}


def simhash_bands(own: Fingerprint) -> list[int]:
    """SimHash (Charikar 2002) of the same shingles; texts meet where 16 bits in a row are the same."""
    weights = [0] * BITS
    for shingle in own.shingles:
        number = int.from_bytes(blake2b(shingle.encode(), digest_size=8).digest(), "big")
        for bit in range(BITS):
            weights[bit] += 1 if number >> bit & 1 else -1
    value = sum(1 << bit for bit in range(BITS) if weights[bit] > 0)
    width = BITS // SIMHASH_BANDS
    return [band << width | value >> band * width & (1 << width) - 1 for band in range(SIMHASH_BANDS)]


def time_submissions(comments: Sequence[LabelledComment], stored: int, url: str) -> None:
    """Time `assign` where so many comments of the last 30 days are stored: mixed words of the real ones."""
    settings = Settings(database_url=url)
    migrate(settings)
    app = Flask("measure", static_folder=None)
    connect_app(app, settings)
    words = [word for comment in comments for word in comment.text.split()]
    chance = random.Random(1)  # noqa: S311 -- figures, no secrets
    with app.app_context():
        with transaction() as session:
            session.add(Site(id=1, key="demo", name="Demo", origins=["https://a.example"], created_at=NOW))
            session.flush()
            session.add(Thread(id=1, site_id=1, url="https://a.example/", created_at=NOW))
        for first in range(1, stored + 1, BATCH):
            rows = [a_row(number, chance, words) for number in range(first, min(first + BATCH, stored + 1))]
            with transaction() as session:
                session.execute(insert(Comment), rows)
                session.execute(insert(ClusterKey), [key for row in rows for key in keys_of(row)])
        took = [
            time_one(comments[number % len(comments)], stored + 1 + number, chance) for number in range(TIMED)
        ]
    p95 = quantiles(took, n=20)[-1]
    print(f"\n{stored} stored: {median(took):.2f} ms for one more (median), {p95:.2f} ms (p95)")


def a_row(number: int, chance: random.Random, words: Sequence[str]) -> dict[str, object]:
    """A comment of words that are mixed anew: alike in nothing but its language."""
    return {
        "id": number,
        "site_id": 1,
        "thread_id": 1,
        "name": "Reader",
        "text": " ".join(chance.choices(words, k=chance.randint(5, 25))),
        "page_url": "",
        "status": "pending",
        "verdict_reason": "every-comment-waits",
        "email_hash": chance.randbytes(17),
        "network_hash": chance.randbytes(17),
        "created_at": NOW - timedelta(seconds=chance.random() * 29 * 86_400),
        "status_changed_at": NOW,
        "verdict": {},
    }


def keys_of(row: dict[str, object]) -> list[dict[str, object]]:
    """What a stored comment is found by."""
    bands = fingerprint(str(row["text"])).bands
    return [{"number": number, "comment_id": row["id"]} for number in stored_numbers(1, bands)]


def time_one(labelled: LabelledComment, number: int, chance: random.Random) -> float:
    """How many milliseconds the cluster of one comment takes, its transaction left out."""
    with transaction() as session:
        comment = Comment(**a_row(number, chance, [labelled.text]) | {"text": labelled.text})
        session.add(comment)
        session.flush()
        begun = time.perf_counter()
        assign(session, comment, now=NOW)
        session.flush()
        return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
