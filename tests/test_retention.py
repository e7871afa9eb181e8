"""What is kept no longer than promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from comments_service import retention
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.retention import BATCH, Swept, sweep
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, SubmissionKey, Thread
from comments_service.storage.people import Moderator, SignIn
from comments_service.vocabulary import SiteView, Status
from tests.doors import sign_in
from tests.factories import a_comment, a_site

LONG_AGO = datetime(2026, 9, 1, tzinfo=UTC)
NOTHING = Swept(networks=0, comments=0, idempotency_keys=0, cluster_keys=0, sign_ins=0)


def swept(app: Flask, settings: Settings, now: datetime) -> Swept:
    """Sweep as the service does every hour."""
    with app.app_context():
        return sweep(settings=settings, now=now)


def row(app: Flask, comment_id: int) -> Comment | None:
    """A comment as it is stored now."""
    with app.app_context():
        return db.session.get(Comment, comment_id)


def test_nothing_young_is_touched(app: Flask, site: SiteView, settings: Settings, now: datetime) -> None:
    for status in Status:
        a_comment(app, site, status=status, now=now)
    assert swept(app, settings, now + timedelta(hours=23)) == NOTHING


def test_networks_are_forgotten_after_their_days(
    app: Flask, site: SiteView, settings: Settings, now: datetime
) -> None:
    comment = a_comment(app, site, now=now)
    swept(app, settings, now + timedelta(days=30, seconds=-1))
    kept = row(app, comment.id)
    swept(app, settings, now + timedelta(days=30))
    forgotten = row(app, comment.id)
    assert kept is not None
    assert kept.network_hash is not None
    assert forgotten is not None
    assert (forgotten.network_hash, forgotten.text) == (None, kept.text)


@pytest.mark.parametrize("status", [Status.SPAM, Status.TRASH])
def test_what_was_declined_is_deleted_after_its_days(
    app: Flask, site: SiteView, settings: Settings, now: datetime, status: Status
) -> None:
    comment = a_comment(app, site, status=status, now=now)
    swept(app, settings, now + timedelta(days=30, seconds=-1))
    assert row(app, comment.id) is not None
    assert swept(app, settings, now + timedelta(days=30)).comments == 1
    assert row(app, comment.id) is None


def test_the_audit_tells_once_a_site_how_many_were_removed(
    app: Flask, site: SiteView, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    other = a_site(app, key="other")
    for status in ("spam", "spam", "spam", "trash"):
        a_comment(app, site, status=status, now=now)
    a_comment(app, other, status="spam", now=now)
    assert swept(app, settings, now + timedelta(days=30)).comments == 5
    with app.app_context():
        rows = db.session.scalars(select(JournalRow).where(JournalRow.action == "comments-swept")).all()
        assert [(r.site_id, r.subject) for r in rows] == [
            (site.id, "spam: 3, trash: 1"),
            (other.id, "spam: 1, trash: 0"),
        ]
    text = " ".join(sign_in(app).get("/audit?site=demo&action=comments-swept").text.split())
    assert "removed 4 old comments from spam and trash, as kept long enough" in text
    assert swept(app, settings, now + timedelta(days=31)).comments == 0
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(JournalRow.action == "comments-swept")) == 2


@pytest.mark.parametrize("status", [Status.PENDING, Status.APPROVED])
def test_what_waits_or_is_shown_stays_for_ever(
    app: Flask, site: SiteView, settings: Settings, now: datetime, status: Status
) -> None:
    comment = a_comment(app, site, status=status, now=now)
    assert swept(app, settings, now + timedelta(days=3650)).comments == 0
    assert row(app, comment.id) is not None


def test_the_days_of_an_old_comment_begin_with_the_decision(
    app: Flask, site: SiteView, settings: Settings, now: datetime
) -> None:
    comment = a_comment(app, site, now=LONG_AGO)
    with app.app_context():
        decide(Change(comment.id, comment.version, Status.TRASH), by=None, now=now)
    assert swept(app, settings, now + timedelta(days=29)).comments == 0


def test_a_declined_comment_with_replies_becomes_an_empty_place(
    app: Flask, site: SiteView, settings: Settings, now: datetime
) -> None:
    first = a_comment(app, site, now=LONG_AGO)
    reply = a_comment(app, site, parent_id=first.id, now=LONG_AGO)
    with app.app_context():
        decide(Change(first.id, first.version, Status.TRASH), by=None, now=LONG_AGO)
    swept(app, settings, now)
    place = row(app, first.id)
    assert place is not None
    assert (place.is_purged, place.name, place.text, place.email_sealed) == (True, "", "", None)
    assert row(app, reply.id) is not None
    assert swept(app, settings, now).comments == 0


def test_counts_stay_equal_to_the_rows(app: Flask, site: SiteView, settings: Settings, now: datetime) -> None:
    shown = [a_comment(app, site, now=LONG_AGO) for _ in range(3)]
    a_comment(app, site, parent_id=shown[0].id, status=Status.SPAM, now=LONG_AGO)
    with app.app_context():
        decide(Change(shown[0].id, shown[0].version, Status.SPAM), by=None, now=LONG_AGO)
    swept(app, settings, now)
    with app.app_context():
        counted = db.session.scalar(select(func.count()).where(Comment.status == Status.APPROVED))
        assert db.session.scalars(select(Thread.approved_count)).all() == [counted] == [2]


def test_idempotency_keys_end_after_a_day(
    app: Flask, site: SiteView, settings: Settings, now: datetime
) -> None:
    a_comment(app, site, now=now)
    assert swept(app, settings, now + timedelta(hours=24, seconds=-1)).idempotency_keys == 0
    assert swept(app, settings, now + timedelta(hours=24)).idempotency_keys == 1
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SubmissionKey)) == 0


@pytest.mark.parametrize("age", [{"last_seen_at": timedelta(hours=12)}, {"created_at": timedelta(days=14)}])
def test_sign_ins_end_when_idle_or_old(
    app: Flask, settings: Settings, now: datetime, age: dict[str, timedelta]
) -> None:
    with app.app_context(), transaction() as session:
        session.add(Moderator(id=1, name="ana", password_hash="-", created_at=now))
        session.flush()
        times = {"created_at": now, "last_seen_at": now}
        session.add(SignIn(token_hash=b"kept", moderator_id=1, **times))
        old = times | {name: now - length for name, length in age.items()}
        session.add(SignIn(token_hash=b"ended", moderator_id=1, **old))
    assert swept(app, settings, now).sign_ins == 1
    with app.app_context():
        assert db.session.scalars(select(SignIn.token_hash)).all() == [b"kept"]


def test_more_than_one_batch_is_swept(app: Flask, site: SiteView, settings: Settings, now: datetime) -> None:
    thread_id = a_comment(app, site, now=now).thread_id
    values = {"site_id": site.id, "thread_id": thread_id, "name": "Ana", "text": "x", "page_url": ""}
    values |= {"verdict_reason": "", "created_at": LONG_AGO, "status_changed_at": LONG_AGO}
    with app.app_context(), transaction() as session:
        rows = (Comment(status="spam", network_hash=b"\1x", **values) for _ in range(BATCH * 2))
        session.add_all(rows)
    assert swept(app, settings, now) == Swept(BATCH * 2, BATCH * 2, 0, 0, 0)


def test_the_settings_say_how_long(app: Flask, site: SiteView, settings: Settings, now: datetime) -> None:
    comment = a_comment(app, site, status=Status.SPAM, now=now)
    a_comment(app, site, now=now)
    changed = settings.model_copy(update={"network_retention_days": 2, "spam_retention_days": 3})
    later = swept(app, changed, now + timedelta(days=2))
    assert (later.networks, later.comments) == (2, 0)
    assert swept(app, changed, now + timedelta(days=3)).comments == 1
    assert row(app, comment.id) is None


def test_a_sweep_over_what_it_swept_finds_nothing(
    app: Flask, site: SiteView, settings: Settings, now: datetime
) -> None:
    a_comment(app, site, status=Status.SPAM, now=LONG_AGO)
    a_comment(app, site, now=LONG_AGO)
    swept(app, settings, now)
    with app.app_context(), transaction() as session:
        session.execute(update(Comment).values(version=7))
    assert swept(app, settings, now) == NOTHING
