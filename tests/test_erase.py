"""The right to be forgotten: everything of one person, out of every table and every byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from comments_service.erase import Erased, erase_person
from comments_service.errors import FieldsRefused, SiteNotFound, StoreUnavailable
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.base import Base
from comments_service.storage.database import db
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, SubmissionKey, Thread
from comments_service.vocabulary import SiteView, Status
from tests.factories import ARTICLE, a_comment, a_site

EMAIL = "zenobia.quux@example.org"
NAME = "Zenobia Quuxington"
TEXT = "Unmistakable words about a harpsichord, " + "and many more of them " * 400
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def erase(app: Flask, keys: Keyring, now: datetime, *, email: str = EMAIL, site: str | None = None) -> Erased:
    """Erase a person as the command does."""
    with app.app_context():
        return erase_person(email, keys=keys, now=now, site_key=site)


def shown(client: FlaskClient) -> list[str]:
    """The names below the article, with an empty one for a removed comment."""
    body = client.get("/api/v1/sites/demo/thread", query_string={"url": ARTICLE}).get_json()
    return [comment["author"]["name"] if comment["author"] else "" for comment in body["comments"]]


def test_all_comments_of_a_person_go_and_those_of_others_stay(
    app: Flask, client: FlaskClient, site: SiteView, keys: Keyring, now: datetime
) -> None:
    for status in Status:
        a_comment(app, site, email=EMAIL, name=NAME, status=status)
    a_comment(app, site, name="Ana")
    assert erase(app, keys, now).by_site == {"demo": 4}
    assert shown(client) == ["Ana"]


def test_replies_by_others_stay_below_an_empty_place(
    app: Flask, client: FlaskClient, site: SiteView, keys: Keyring, now: datetime
) -> None:
    first = a_comment(app, site, email=EMAIL, name=NAME)
    a_comment(app, site, name="Ana", parent_id=first.id)
    erase(app, keys, now)
    assert shown(client) == ["", "Ana"]
    with app.app_context():
        place = db.session.get_one(Comment, first.id)
        assert (place.name, place.text, place.website, place.page_url, place.is_purged) == (
            "",
            "",
            None,
            "",
            True,
        )
        assert (place.email_hash, place.email_sealed, place.twin_hash, place.network_hash) == (None,) * 4


def test_an_empty_place_goes_with_its_last_reply(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    first = a_comment(app, site, email=EMAIL)
    a_comment(app, site, email="ben@example.org", parent_id=first.id)
    erase(app, keys, now)
    erase(app, keys, now, email="ben@example.org")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Comment)) == 0


def test_counts_and_version_of_the_thread_follow(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    thread_id = a_comment(app, site, email=EMAIL).thread_id
    a_comment(app, site)
    with app.app_context():
        before = db.session.get_one(Thread, thread_id).version
    erase(app, keys, now)
    with app.app_context():
        thread = db.session.get_one(Thread, thread_id)
        assert thread.approved_count == 1
        assert thread.version > before


def test_twins_in_punycode_and_other_case_are_the_same_person(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    for email in ("Ana@müller.example.org", "ana@XN--MLLER-KVA.example.org"):
        a_comment(app, site, email=email)
    assert erase(app, keys, now, email="ANA@Müller.example.org").total == 2


def test_comments_hashed_under_an_older_key_are_found(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    a_comment(app, site, email=EMAIL)
    assert erase(app, keys.with_key(Keyring.generate(2)), now).total == 1


def test_one_site_can_be_named_and_the_others_keep_theirs(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    other = a_site(app, key="other", now=now)
    a_comment(app, site, email=EMAIL)
    a_comment(app, other, email=EMAIL)
    assert erase(app, keys, now, site="other").by_site == {"other": 1}
    assert erase(app, keys, now).by_site == {"demo": 1}


def test_more_than_one_batch_goes(app: Flask, site: SiteView, keys: Keyring, now: datetime) -> None:
    with app.app_context():
        thread_id = a_comment(app, site).thread_id
        email_hash = keys.email_hash(EMAIL, site_id=site.id)
        values = {"site_id": site.id, "thread_id": thread_id, "name": NAME, "text": "", "page_url": ""}
        values |= {"status": "spam", "verdict_reason": "", "created_at": now, "status_changed_at": now}
        db.session.add_all(Comment(email_hash=email_hash, **values) for _ in range(401))
        db.session.commit()
    assert erase(app, keys, now).total == 401


def test_no_table_remembers_the_person(app: Flask, site: SiteView, keys: Keyring, now: datetime) -> None:
    a_comment(app, site, email=EMAIL, name=NAME, text=TEXT)
    erase(app, keys, now)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SubmissionKey)) == 0
        rows = [
            repr(tuple(row)) for t in Base.metadata.sorted_tables for row in db.session.execute(select(t))
        ]
    assert not [row for row in rows if NAME in row or "harpsichord" in row or "zenobia" in row.lower()]


def test_the_audit_says_what_happened_and_not_to_whom(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    a_comment(app, site, email=EMAIL)
    erase(app, keys, now)
    with app.app_context():
        row = db.session.scalars(select(JournalRow).where(JournalRow.action == "person-erased")).one()
    assert (row.subject, row.happened_at) == ("site demo, comments: 1", now)


def test_an_unknown_address_erases_nothing(app: Flask, site: SiteView, keys: Keyring, now: datetime) -> None:
    a_comment(app, site)
    assert erase(app, keys, now).total == 0


def test_what_is_no_address_or_no_site_is_refused(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    with pytest.raises(FieldsRefused):
        erase(app, keys, now, email="zenobia")
    with pytest.raises(SiteNotFound):
        erase(app, keys, now, site="elsewhere")


def traces_of(app: Flask, comment_id: int) -> dict[str, bytes]:
    """What of a comment could be found again in bytes."""
    with app.app_context():
        row = db.session.get_one(Comment, comment_id)
        assert row.email_sealed is not None
        assert row.email_hash is not None
        assert row.twin_hash is not None
        found = {"name": NAME.encode(), "text": b"harpsichord", "later text": b"and many more of them"}
        found |= {"sealed": row.email_sealed, "hash": row.email_hash[1:], "twin": row.twin_hash[1:]}
        found["idempotency key"] = db.session.scalars(
            select(SubmissionKey.key_hash).where(SubmissionKey.comment_id == comment_id)
        ).one()
        return found | {"local part": b"zenobia.quux", "digest": hashlib.sha256(EMAIL.encode()).digest()}


def bytes_of(settings: Settings) -> bytes:
    """The database's file, journal and index, as they lie on the disk."""
    file = settings.sqlite_file
    assert file is not None
    return b"".join(part.read_bytes() for part in sorted(file.parent.glob(f"{file.name}*")))


@SQLITE
def test_no_byte_of_the_person_is_left_in_file_or_journal(
    app: Flask, site: SiteView, settings: Settings, keys: Keyring, now: datetime
) -> None:
    for number in range(60):  # so that pages split and leave copies of rows in their free space
        a_comment(app, site, text=f"Filler {number} " + "x" * 900, now=now + timedelta(hours=number))
    mine = a_comment(app, site, email=EMAIL, name=NAME, text=TEXT, status=Status.SPAM)
    a_comment(app, site, text="Filler " + "y" * 3000)
    traces = traces_of(app, mine.id)
    stored = bytes_of(settings)
    assert all(
        traces[what] in stored for what in ("name", "text", "sealed", "hash", "twin", "idempotency key")
    )
    erase(app, keys, now)
    left = bytes_of(settings)
    assert not [what for what, trace in traces.items() if trace in left]
    assert b"Filler 59" in left


@SQLITE
def test_a_reader_who_holds_the_journal_is_told_about(
    settings: Settings, site: SiteView, keys: Keyring, now: datetime, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(settings.model_copy(update={"database_wait_seconds": 0.1}))
    a_comment(app, site, email=EMAIL)
    file = settings.sqlite_file
    assert file is not None
    with app.app_context(), closing(db.engine.raw_connection()) as connection:
        raw = connection.driver_connection
        assert raw is not None
        raw.execute("BEGIN")
        raw.execute("SELECT count(*) FROM comment").fetchone()
        with pytest.raises(StoreUnavailable, match="Run the command again"):
            erase_person(EMAIL, keys=keys, now=now)
        raw.execute("ROLLBACK")
        assert erase_person(EMAIL, keys=keys, now=now).total == 0
    assert keys.email_hash(EMAIL, site_id=site.id) not in bytes_of(settings)
    assert Path(f"{file}-wal").stat().st_size == 0
