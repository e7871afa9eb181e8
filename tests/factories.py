"""Things that tests need to be there. Each factory fills in all but what the test is about."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import select

from comments_service.article_url import identify
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.notify.addresses import ADDRESS_COLUMN
from comments_service.people.accounts import add_moderator
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment, Site, ThreadRoot
from comments_service.storage.outbox import LetterAddress
from comments_service.submit import submit
from comments_service.vocabulary import ModeratorView, Role, SiteView, Status, Submission
from comments_service.web.wiring import Wiring

ORIGIN = "https://news.example.org"
ARTICLE = f"{ORIGIN}/article"
PASSWORD = "seven lanterns by the quay"
# Test texts look like spam in their own ways: only tests of that let it count
NO_DOUBT = {"hold_doubt_from": 0, "refuse_doubt_from": 0}
KNOWN = {"hold_all": False}  # rules under which a known author's comment is published at once
EARLY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class StoredComment:
    """Where a comment made by `a_comment` is to be found."""

    id: int
    thread_id: int
    version: int
    status: Status


def a_site(
    app: Flask,
    *,
    key: str = "demo",
    origins: Sequence[str] = (ORIGIN,),
    now: datetime = EARLY,
    **fields: Any,
) -> SiteView:
    """Store a site; further fields are columns, such as `email_required=False`."""
    with app.app_context(), transaction() as session:
        values = {"name": key.title(), "origins": list(origins), "created_at": now} | fields
        values["rules"] = {**NO_DOUBT, **fields.get("rules", {})}
        row = Site(key=key, **values)
        session.add(row)
        session.flush()
        session.refresh(row)
        return row.view()


def a_submission(
    site: SiteView,
    *,
    url: str = ARTICLE,
    article_id: str | None = None,
    **fields: Any,
) -> Submission:
    """A submission that nothing is wrong with, unlike any other: its own name, text, network and key."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "article": identify(url, article_id, origins=site.origins),
        "title": "A bridge for the harbour",
        "parent_id": None,
        "name": f"Reader {number}",
        "email": f"reader{number}@example.org",
        "website": None,
        "text": f"Comment number {number}.",
        "network": f"10.{number >> 8 & 255}.{number & 255}.0/24",
        "idempotency_key": f"key-{number}",
    }
    return Submission(site=site, **values | fields)


def a_comment(
    app: Flask,
    site: SiteView,
    *,
    status: Status | str = Status.APPROVED,
    now: datetime = EARLY,
    **fields: Any,
) -> StoredComment:
    """Store a comment the way readers and moderators do: submitted, then decided unless it waits."""
    parts = wiring_of(app)
    with app.app_context():
        receipt = submit(a_submission(site, **fields), settings=parts.settings, keys=parts.keys, now=now)
        row = db.session.get_one(Comment, receipt.comment_id)
        if row.status != status:
            change = Change(row.id, row.version, Status(status))
            db.session.rollback()
            decide(change, by=None, now=now)
            row = db.session.get_one(Comment, receipt.comment_id, populate_existing=True)
        stored = StoredComment(row.id, row.thread_id, row.version, Status(row.status))
        db.session.rollback()
        return stored


def a_moderator(
    app: Flask,
    *,
    name: str = "mo",
    role: Role = Role.OWNER,
    sites: Sequence[SiteView] = (),
    now: datetime = EARLY,
) -> ModeratorView:
    """Let somebody sign in with `PASSWORD`; the role holds everywhere if no sites are named."""
    with app.app_context():
        keys = [site.key for site in sites]
        return add_moderator(name, PASSWORD, now=now, role=role, site_keys=keys)


def a_body(ticket: str, **fields: str | None) -> Mapping[str, str | None]:
    """The JSON of a submission to the public door."""
    number = next(_numbers)
    values: dict[str, str | None] = {
        "url": ARTICLE,
        "title": "A bridge for the harbour",
        "name": f"Reader {number}",
        "email": f"reader{number}@example.org",
        "text": f"Comment number {number}.",
        "ticket": ticket,
    }
    return values | fields


def misplaced_roots() -> set[tuple[int, ...]]:
    """Where the kept top-level comments (id, thread, replies, rank) and the comments' rows differ."""
    columns = (Comment.id, Comment.root_id, Comment.thread_id, Comment.status)
    rows = db.session.execute(select(*columns, Comment.up_count, Comment.down_count)).all()
    replies = Counter(row.root_id for row in rows if row.status == Status.APPROVED)
    seen = {
        (row.id, row.thread_id, replies[row.id], row.down_count - row.up_count)
        for row in rows
        if row.root_id is None and (row.status == Status.APPROVED or replies[row.id])
    }
    kept = select(ThreadRoot.comment_id, ThreadRoot.thread_id, ThreadRoot.replies, ThreadRoot.rank)
    return seen ^ {tuple(row) for row in db.session.execute(kept)}


def wiring_of(app: Flask) -> Wiring:
    """The app's parts, as its views see them."""
    parts: Wiring = app.extensions["comments"]
    return parts


def an_address(app: Flask, moderator: ModeratorView, email: str = "ana@example.org") -> str:
    """Let a moderator's letters go to an address that is confirmed; no letter was needed for it."""
    keys = wiring_of(app).keys
    with app.app_context(), transaction() as session:
        session.add(
            LetterAddress(
                moderator_id=moderator.id,
                email_sealed=keys.seal(email, column=ADDRESS_COLUMN),
                email_hash=keys.digest("letters", email.encode()),
                mark="m" * 22,
                given_at=EARLY,
                confirmed_at=EARLY,
            )
        )
    return email
