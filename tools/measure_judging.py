"""Time what judging by signals adds to a submission, among many comments, on both databases.

    python -m tools.measure_judging [--comments 5000] [--rounds 600] [--only sqlite|postgresql]

Everything that was not there before signals were asked is timed inside real submissions: the history, the
weights of the site, and putting all together. Looking for comments that say the same was there before.
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

from comments_service import create_app, judging
from comments_service.article_url import identify
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.errors import DuplicateComment
from comments_service.sending import Sending
from comments_service.settings import Settings
from comments_service.storage.database import db, migrate, transaction
from comments_service.storage.models import Comment, Site
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status, Submission
from comments_service.web.wiring import NAME, Wiring
from tools.attack_texts import MOST_HONEST, mixed
from tools.both_databases import SECRET_KEY, on_both

ORIGIN = "https://news.example.org"
BEGAN = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
TIMED = ("look_back", "learner", "think", "listed")
P50_MS, P99_MS = 1.0, 3.0
TAUGHT = 300


def measure(url: str, comments: int, rounds: int) -> bool:
    """Fill a database, decide some, then time submissions."""
    settings = Settings(
        database_url=url,
        secret_key=SECRET_KEY,
        submission_interval_seconds=0,
        submissions_per_hour=10**6,
        site_submissions_per_minute=10**6,
    )
    migrate(settings)
    app = create_app(settings)
    parts: Wiring = app.extensions[NAME]
    with app.app_context():
        with transaction() as session:
            row = Site(key="demo", name="Demo", origins=[ORIGIN], created_at=BEGAN)
            session.add(row)
            session.flush()
            session.refresh(row)
            site = row.view()
        honest = min(MOST_HONEST, comments // 2)
        sent = mixed(comments + rounds - honest, honest, 1)
        chance = random.Random(2)  # noqa: S311 - no secret
        spent: dict[str, list[float]] = defaultdict(list)
        whole = []
        for number, one in enumerate(sent):
            now = BEGAN + timedelta(minutes=3 * number)
            submission = _submission(site, one.text, one.name, number, chance)
            if number == comments:
                _time(spent)
            begun = time.perf_counter()
            try:
                receipt = submit(submission, settings=settings, keys=parts.keys, now=now)
            except DuplicateComment:  # a campaign repeats itself
                continue
            if number >= comments:
                whole.append((time.perf_counter() - begun) * 1000)
            if number < TAUGHT:
                found = db.session.get_one(Comment, receipt.comment_id)
                status = Status.SPAM if one.is_spam else Status.APPROVED
                version, is_there = found.version, found.status == status
                db.session.rollback()
                if not is_there:
                    decide(Change(receipt.comment_id, version, status), by=None, now=now)
        db.engine.dispose()
    return _tell(url, spent, whole)


def _submission(site: SiteView, text: str, name: str, number: int, chance: random.Random) -> Submission:
    network = chance.randrange(400)
    return Submission(
        site=site,
        article=identify(f"{ORIGIN}/{number % 50}", None, origins=site.origins),
        title="A bridge for the harbour",
        parent_id=None,
        name=name,
        email=f"reader{number}@example.org",
        website=None,
        text=text,
        network=f"10.{network >> 8}.{network & 255}.0/24",
        idempotency_key=f"key-{number}",
        sending=Sending(seconds=chance.randrange(120), nonce=f"nonce-{number}"),
    )


def _time(spent: dict[str, list[float]]) -> None:
    """Let each part of judging note how long it takes."""
    for name in TIMED:
        setattr(judging, name, _timed(getattr(judging, name), spent[name]))


def _timed(part: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    def run(*arguments: Any, **more: Any) -> Any:
        begun = time.perf_counter()
        try:
            return part(*arguments, **more)
        finally:
            spent.append((time.perf_counter() - begun) * 1000)

    return run


def _tell(url: str, spent: dict[str, list[float]], whole: list[float]) -> bool:
    together = [sum(parts) for parts in zip(*(spent[name] for name in TIMED), strict=True)]
    print(url.partition(":")[0])
    for name, took in (
        *spent.items(),
        ("all of judging by signals", together),
        ("a whole submission", whole),
    ):
        print(f"  {name:<28}p50 {median(took):6.2f} ms   p99 {quantiles(took, n=100)[-1]:6.2f} ms")
    print(f"  (at most {P50_MS:.0f} and {P99_MS:.0f} ms for judging)")
    return bool(median(together) <= P50_MS and quantiles(together, n=100)[-1] <= P99_MS)


if __name__ == "__main__":
    sys.exit(on_both(measure, "judging", comments=5_000, description=__doc__ or ""))
