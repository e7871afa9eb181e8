"""Time what a site's filter adds to a decision, and what judging by it takes, on labelled comments.

    python -m tools.measure_learning DIR [--database URL]

The database must be an empty one; without it, an SQLite file is made and dropped.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

from flask import Flask
from sqlalchemy import func, insert, select

from comments_service.labelled import LabelledComment, read_folder
from comments_service.settings import Settings
from comments_service.spam.features import look_at
from comments_service.spam.learning import Lessons, learn, site_filter
from comments_service.storage.database import connect_app, migrate, reading, transaction
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.spam import SpamWeight

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def main() -> None:
    """Print both costs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database")
    options = parser.parse_args()
    comments = read_folder(options.folder)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=options.database or f"sqlite:///{folder}/comments.sqlite3")
        migrate(settings)
        app = Flask("measure", static_folder=None)
        connect_app(app, settings)
        with app.app_context():
            measure(comments)


def measure(comments: Sequence[LabelledComment]) -> None:
    """Learn from each in a transaction of its own, then judge each."""
    numbered = list(enumerate(comments, 1))
    with transaction() as session:
        session.add(Site(id=1, key="demo", name="Demo", origins=["https://a.example"], created_at=NOW))
        session.flush()
        session.add(Thread(id=1, site_id=1, url="https://a.example/", created_at=NOW))
        session.flush()
        session.execute(insert(Comment), [a_row(number, one) for number, one in numbered])
    tell("learning, with the weights read and written", [learning(number, one) for number, one in numbered])
    tell("judging, with the weights read", [judging(one) for one in comments])
    with reading() as session:
        print(f"{session.scalar(select(func.count()).select_from(SpamWeight)):,} slots learned")


def a_row(number: int, comment: LabelledComment) -> dict[str, object]:
    """A comment that waits."""
    return {
        "id": number,
        "site_id": 1,
        "thread_id": 1,
        "name": comment.author,
        "text": comment.text,
        "page_url": "",
        "status": "pending",
        "verdict_reason": "every-comment-waits",
        "created_at": NOW,
        "status_changed_at": NOW,
        "verdict": {},
    }


def learning(number: int, comment: LabelledComment) -> float:
    """Milliseconds that one decision takes longer; the transaction itself would be there without it."""
    with transaction() as session:
        session.execute(select(Comment.id).where(Comment.id == number)).all()
        begun = time.perf_counter()
        lessons = Lessons()
        learn(session, [number], lessons, is_spam=comment.is_spam)
        lessons.write(session)
        return (time.perf_counter() - begun) * 1000


def judging(comment: LabelledComment) -> float:
    """Milliseconds that one submission would take longer."""
    with reading() as session:
        session.execute(select(Comment.id).where(Comment.id == 1)).all()
        begun = time.perf_counter()
        slots = look_at(comment.text, comment.author).slots
        site_filter(session, 1, slots).probability(slots)
        return (time.perf_counter() - begun) * 1000


def tell(what: str, took: Sequence[float]) -> None:
    """The usual, and the slowest in a hundred."""
    print(f"{what}: p50 {median(took):.2f} ms, p99 {quantiles(took, n=100)[-1]:.2f} ms")


if __name__ == "__main__":
    main()
