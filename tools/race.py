"""Lets two moderators decide about one comment at the same moment, again and again, on both databases.

Each round must have one winner, one row in the journal and true counts, whatever the two wanted; whoever was
second must be told so. Prints what happened, and fails unless all of that holds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

from flask import Flask
from sqlalchemy import func, select

from comments_service import create_app
from comments_service.decisions.decide import decide_all
from comments_service.decisions.verbs import Change, Verb
from comments_service.settings import Settings
from comments_service.storage.database import db, migrate
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, Thread
from comments_service.vocabulary import ModeratorView, SiteView, Status
from tests.conftest import SECRET_KEY, close
from tests.factories import a_comment, a_moderator, a_site
from tests.servers import DatabaseServers, postgres_database

ROUNDS = 1_000
# What the two want in turn: neither ever wants what the comment is already
GOALS = (
    (Verb.APPROVE, Verb.SPAM),
    (Verb.UNAPPROVE, Verb.TRASH),
)


@dataclass(frozen=True)
class Races:
    """What came of all rounds. `losers` are those who were told that somebody was faster."""

    rounds: int
    winners: int
    losers: int
    rows: int
    drift: int

    @property
    def holds(self) -> bool:
        """Whether each round had one winner, one loser and one row, and the counts are true."""
        return self == Races(self.rounds, self.rounds, self.rounds, self.rounds, 0)


def race(app: Flask, site: SiteView, rounds: int) -> Races:
    """Let two moderators race for one comment."""
    comment = a_comment(app, site, status=Status.PENDING)
    pair = [a_moderator(app, name=name) for name in ("Ana", "Bea")]
    start = Barrier(2)
    now = datetime.now(UTC)

    def run(by: ModeratorView, verb: Verb, version: int) -> tuple[int, int]:
        with app.app_context():
            start.wait()
            outcome = decide_all([Change(comment.id, version, verb)], by=by, now=now)
            db.session.remove()
            return len(outcome.done), len(outcome.late)

    winners = losers = 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(rounds):
            for won, lost in pool.map(run, pair, GOALS[number % 2], [comment.version + number] * 2):
                winners, losers = winners + won, losers + lost
    return Races(rounds, winners, losers, *_kept(app))


def _kept(app: Flask) -> tuple[int, int]:
    """How many rows moderators left in the journal, and by how much the counts are off."""
    shown = select(func.count()).where(Comment.thread_id == Thread.id, Comment.status == Status.APPROVED)
    decided = select(func.count()).where(JournalRow.moderator_id.is_not(None), JournalRow.comment_id > 0)
    with app.app_context():
        pairs = db.session.execute(select(Thread.approved_count, shown.scalar_subquery())).all()
        rows = db.session.scalar(decided) or 0
        db.session.remove()
    return rows, sum(abs(kept - counted) for kept, counted in pairs)


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    servers = DatabaseServers()
    try:
        with tempfile.TemporaryDirectory() as folder, postgres_database() as postgres:
            yield {"SQLite": f"sqlite:///{Path(folder) / 'race.sqlite3'}", "PostgreSQL": postgres}
    finally:
        servers.stop()


def main() -> int:
    """Race on both databases; 1 if anything else than one winner came of any round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    hold = []
    with _databases() as databases:
        for name, url in databases.items():
            settings = Settings(database_url=url, secret_key=SECRET_KEY, log_level="WARNING")
            migrate(settings)
            app = create_app(settings)
            races = race(app, a_site(app), rounds)
            close(app)
            print(
                f"{name}: {races.rounds} rounds, {races.winners} winners, {races.losers} told that they "
                f"were second, {races.rows} rows in the journal, count drift {races.drift}"
            )
            hold.append(races.holds)
    return 0 if all(hold) else 1


if __name__ == "__main__":
    sys.exit(main())
