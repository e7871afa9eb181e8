"""Kills the service under load, again and again, and counts what was lost, doubled or miscounted.

Sixteen readers, each a known author, write without a pause; each acknowledged id is on the disk before the
next is sent. After the last round everything whose fate is unknown is sent once more with its old key, and
the database is held against what was acknowledged. `--plant` damages the database first: then the check
must fail, or it is worth nothing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from comments_service import create_app, tokens
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.settings import load_settings
from comments_service.storage.database import db
from comments_service.vocabulary import Status
from comments_service.web.wiring import NAME, Wiring
from tools.service_process import BROKEN, SITE, Reader, ServiceProcess

ROUNDS = 20
SUBMITTERS = 16
ACCEPTED = (201, 202)
SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 1.5
PLANTS = {
    "lost": "DELETE FROM comment WHERE id = (SELECT max(id) FROM comment)",
    "doubled": (
        "CREATE TEMP TABLE twin AS SELECT * FROM comment WHERE status = 'pending' LIMIT 1;"
        "UPDATE twin SET id = id + 1000000; INSERT INTO comment SELECT * FROM twin"
    ),
    "drift": "UPDATE thread SET approved_count = approved_count + 1",
}


@dataclass
class Submitter:
    """One reader, and what became of all that was sent: acknowledged ids by text, and texts in doubt."""

    number: int
    file: Path
    previous: str
    acknowledged: dict[str, int] = field(default_factory=dict)
    doubtful: list[str] = field(default_factory=list)
    sent_again: int = 0
    refused: list[str] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)

    def write_until(self, gone: threading.Event, port: int) -> None:
        """Send comment after comment until the service is gone."""
        reader = Reader(port)
        while not gone.is_set():
            text = f"Comment {next(self._count)} of submitter {self.number}."
            try:
                self.send(reader, text)
            except BROKEN:
                self.doubtful.append(text)
                break
        reader.close()

    def send_doubtful_again(self, port: int) -> None:
        """Settle what nobody knows about, with the keys of then."""
        reader = Reader(port)
        waiting, self.doubtful = self.doubtful, []
        for text in waiting:
            self.send(reader, text)
            self.sent_again += 1
        reader.close()

    def send(self, reader: Reader, text: str) -> None:
        """Send one comment, and note its id on the disk if it was taken."""
        # Every other one is published at once, so that the counts move too
        fields = {"previous": self.previous} if text.split()[1].endswith(("0", "2", "4", "6", "8")) else {}
        status, body = reader.send(text, key=text, email=email_of(self.number), **fields)
        if status not in ACCEPTED:
            self.refused.append(f"{status} {body}")
            return
        number = int(body["comment"]["id"])
        with self.file.open("a") as out:
            out.write(f"{number} {text}\n")
            out.flush()
            os.fsync(out.fileno())
        self.acknowledged[text] = number


@dataclass(frozen=True)
class Finding:
    """What the database holds, against what was acknowledged."""

    acknowledged: int
    lost: int
    doubled: int
    drift: int
    integrity: str

    @property
    def is_good(self) -> bool:
        """Whether nothing went wrong, and something was tried at all."""
        wrong = self.lost or self.doubled or self.drift or self.integrity != "ok"
        return self.acknowledged > 0 and not wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds and print the figures; 1 when any of them is wrong."""
    parser = argparse.ArgumentParser(description="Kill the service under load and count what was lost.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--plant", choices=sorted(PLANTS), help="damage the database: the check must fail")
    chosen = parser.parse_args(arguments)
    print(f"crash test: {chosen.rounds} rounds, {SUBMITTERS} submitters, seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="comments-crash-") as folder:
        service = ServiceProcess(Path(folder), port=free_port())
        service.add_site()
        try:
            submitters = known_authors(service)
            chance = random.Random(chosen.seed)  # noqa: S311 - moments of crashes, not secrets
            slowest = run_rounds(service, submitters, chosen.rounds, chance)
        finally:
            service.stop()
        return report(service, submitters, slowest, chosen.plant)


def known_authors(service: ServiceProcess) -> list[Submitter]:
    """Let each submitter have an approved comment, so that the next ones are published at once."""
    service.run("site", "set", SITE, "--known-authors")
    service.start()
    ids = []
    for number in range(SUBMITTERS):
        reader = Reader(service.port)
        text = f"First words of submitter {number}."
        status, body = reader.send(text, key=f"first-{number}", email=email_of(number))
        if status not in ACCEPTED:
            raise RuntimeError(f"the first comment was refused: {status} {body}")
        ids.append(int(body["comment"]["id"]))
        reader.close()
    service.stop()
    receipts = approve(service, ids)
    return [
        Submitter(number, service.folder / f"acknowledged-{number}", previous)
        for number, previous in enumerate(receipts)
    ]


def approve(service: ServiceProcess, ids: Sequence[int]) -> list[str]:
    """Approve these comments; their receipts."""
    app = create_app(load_settings(service.environment))
    parts: Wiring = app.extensions[NAME]
    with app.app_context():
        for number in ids:
            decide(Change(number, 1, Status.APPROVED), by=None, now=datetime.now(UTC))
        db.engine.dispose()
        return [tokens.receipt(parts.keys, site=SITE, comment_id=number) for number in ids]


def run_rounds(
    service: ServiceProcess, submitters: Sequence[Submitter], rounds: int, chance: random.Random
) -> float:
    """Start, load and kill; then start once more and settle all doubts. Returns the slowest start."""
    slowest = 0.0
    for _ in range(rounds):
        slowest = max(slowest, timed_start(service))
        gone = threading.Event()
        threads = [threading.Thread(target=s.write_until, args=(gone, service.port)) for s in submitters]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))  # the moment of the crash
        service.kill()
        gone.set()
        for thread in threads:
            thread.join()
    slowest = max(slowest, timed_start(service))
    for submitter in submitters:
        submitter.send_doubtful_again(service.port)
    return slowest


def timed_start(service: ServiceProcess) -> float:
    """Start the service; how long it took to be ready."""
    started = time.monotonic()
    service.start()
    return time.monotonic() - started


def report(
    service: ServiceProcess, submitters: Sequence[Submitter], slowest: float, plant: str | None
) -> int:
    """Print the figures; 1 when any of them is wrong."""
    in_doubt = sum(len(s.doubtful) for s in submitters)
    refused = [answer for s in submitters for answer in s.refused]
    finding = check(service.folder, {t: n for s in submitters for t, n in s.acknowledged.items()}, plant)
    sent_again = sum(s.sent_again for s in submitters)
    print(f"  acknowledged {finding.acknowledged:,} ({sent_again:,} of them broken off and sent again)")
    print(f"  lost         {finding.lost:,}")
    print(f"  doubled      {finding.doubled:,}")
    print(f"  drift        {finding.drift:,}")
    print(f"  integrity    {finding.integrity}, slowest start {slowest:.1f} s")
    if refused or in_doubt:
        print(f"  refused      {len(refused)}, first: {refused[:1]}; still in doubt: {in_doubt}")
    return 0 if finding.is_good and not refused and not in_doubt else 1


def check(folder: Path, acknowledged: dict[str, int], plant: str | None) -> Finding:
    """Hold the database against what was acknowledged."""
    with closing(sqlite3.connect(folder / "comments.sqlite3", isolation_level=None)) as connection:
        if plant:
            connection.executescript(PLANTS[plant])
        rows = dict(connection.execute("SELECT id, text FROM comment"))
        integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
        counts = connection.execute(
            "SELECT approved_count, sum(comment.status = 'approved') FROM thread"
            " JOIN comment ON comment.thread_id = thread.id GROUP BY thread.id"
        ).fetchall()
    times = Counter(rows.values())
    return Finding(
        acknowledged=len(acknowledged),
        lost=sum(rows.get(number) != text for text, number in acknowledged.items()),
        doubled=sum(count - 1 for count in times.values()),
        drift=sum(abs(kept - real) for kept, real in counts),
        integrity=integrity,
    )


def email_of(number: int) -> str:
    """A submitter's address."""
    return f"submitter{number}@example.org"


def free_port() -> int:
    """The number of a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
