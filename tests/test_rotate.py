"""A new key while the service runs: what is sealed and hashed moves over, what was signed stays good."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from comments_service import rotate as rotation
from comments_service import tokens
from comments_service.erase import erase_person
from comments_service.errors import DuplicateComment, KeyRefused, ReceiptRefused
from comments_service.privacy import Keyring
from comments_service.rotate import Rotated, retire, rotate
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Canary, Comment
from comments_service.submit import EMAIL_COLUMN, submit
from comments_service.unlock import key_file, open_keys
from comments_service.vocabulary import SiteView
from tests.conftest import SECRET_KEY
from tests.factories import a_comment, a_site, a_submission, wiring_of

EMAIL = "zenobia@example.org"
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def silent(_count: int) -> None:
    """Nobody watches."""


@pytest.fixture
def two_keys(settings: Settings) -> Settings:
    """The same installation after somebody has put a second key into the setting."""
    return settings.model_copy(update={"secret_key": _secret(f"{SECRET_KEY},{Keyring.generate(2)}")})


def _secret(text: str) -> object:
    return Settings(database_url="sqlite:///unused", secret_key=text).secret_key


@pytest.fixture
def filed(settings: Settings, make_app: Callable[[Settings], Flask]) -> Iterator[Flask]:
    """An app whose key lies in `secret.key` beside its SQLite file."""
    app = make_app(settings.model_copy(update={"secret_key": None}))
    with app.app_context():
        yield app


def filed_settings(app: Flask) -> Settings:
    """The settings of that app."""
    return wiring_of(app).settings


def the_key_file(app: Flask) -> Path:
    """Where its key lies."""
    file = key_file(filed_settings(app))
    assert file is not None
    return file


def numbers_in_use(app: Flask) -> set[int]:
    """The key numbers that stand before sealed emails and hashes."""
    with app.app_context():
        rows = db.session.scalars(select(Comment).execution_options(populate_existing=True))
        values = [value for row in rows for value in (row.email_sealed, row.email_hash, row.twin_hash)]
    return {value[0] for value in values if value}


def test_every_email_and_hash_moves_to_the_newest_key(app: Flask, site: SiteView, two_keys: Settings) -> None:
    for _ in range(3):
        a_comment(app, site, email=EMAIL)
    assert numbers_in_use(app) == {1}
    with app.app_context():
        assert rotate(two_keys, on_progress=silent) == Rotated(2, 3, is_new=False)
    assert numbers_in_use(app) == {2}


def test_moved_emails_are_still_the_same(app: Flask, site: SiteView, two_keys: Settings) -> None:
    comment = a_comment(app, site, email=EMAIL)
    with app.app_context():
        rotate(two_keys, on_progress=silent)
        keys = open_keys(two_keys, db.engine).ring
        row = db.session.get_one(Comment, comment.id)
        assert row.email_sealed is not None
        assert keys.open(row.email_sealed, column=EMAIL_COLUMN) == EMAIL
        assert row.email_hash == keys.email_hash(EMAIL, site_id=site.id)


def test_comments_without_email_move_too(app: Flask, now: datetime, two_keys: Settings) -> None:
    site = a_site(app, key="free", now=now, email_required=False)
    a_comment(app, site, email=None)
    with app.app_context():
        assert rotate(two_keys, on_progress=silent).comments == 1
        assert rotate(two_keys, on_progress=silent).comments == 0


def test_a_person_is_found_after_the_rotation(
    app: Flask, site: SiteView, two_keys: Settings, now: datetime
) -> None:
    a_comment(app, site, email=EMAIL)
    with app.app_context():
        rotate(two_keys, on_progress=silent)
        keys = open_keys(two_keys, db.engine).ring
        assert erase_person(EMAIL, keys=keys, now=now).total == 1


def test_twins_are_known_after_the_old_key_is_gone(
    app: Flask, site: SiteView, two_keys: Settings, now: datetime
) -> None:
    a_comment(app, site, name="Ana", text="The same words.")
    with app.app_context():
        rotate(two_keys, on_progress=silent)
        newest = Keyring.parse(_key_2(two_keys))
        twin = a_submission(site, name="Ana", text="The same words.")
        with pytest.raises(DuplicateComment):
            submit(twin, settings=two_keys, keys=newest, now=now)


def _key_2(settings: Settings) -> str:
    assert settings.secret_key is not None
    return settings.secret_key.get_secret_value().split(",")[1]


def test_a_lone_key_in_the_setting_is_answered_with_what_to_add(app: Flask, settings: Settings) -> None:
    with app.app_context(), pytest.raises(KeyRefused, match="such as 2:"):
        rotate(settings, on_progress=silent)


def test_a_rotation_moves_many_batches_and_tells_how_far_it_is(
    app: Flask, site: SiteView, two_keys: Settings, now: datetime
) -> None:
    thread_id = a_comment(app, site).thread_id
    keys = wiring_of(app).keys
    with app.app_context(), transaction() as session:
        values = {"site_id": site.id, "thread_id": thread_id, "name": "Ana", "text": "x", "page_url": ""}
        values |= {"verdict_reason": "", "status": "spam", "created_at": now, "status_changed_at": now}
        sealed, hashed = keys.seal(EMAIL, column=EMAIL_COLUMN), keys.email_hash(EMAIL, site_id=site.id)
        session.add_all(Comment(email_sealed=sealed, email_hash=hashed, **values) for _ in range(450))
    told: list[int] = []
    with app.app_context():
        rotate(two_keys, on_progress=told.append)
    assert told == [200, 200, 51, 0]


@SQLITE
def test_the_key_file_gets_a_second_key_for_its_owner_alone(filed: Flask, now: datetime) -> None:
    a_comment(filed, a_site(filed, now=now), email=EMAIL)
    assert rotate(filed_settings(filed), on_progress=silent) == Rotated(2, 1, is_new=True)
    file = the_key_file(filed)
    assert [line[:2] for line in file.read_text().splitlines()] == ["1:", "2:"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@SQLITE
def test_a_running_service_takes_the_new_key_up_by_itself(filed: Flask, now: datetime) -> None:
    site = a_site(filed, now=now)
    a_comment(filed, site, email=EMAIL)
    receipt = tokens.receipt(wiring_of(filed).keys, site="demo", comment_id=1)
    rotate(filed_settings(filed), on_progress=silent)
    a_comment(filed, site, email=EMAIL)
    assert numbers_in_use(filed) == {2}
    assert tokens.read_receipt(wiring_of(filed).keys, receipt) == ("demo", 1)


@SQLITE
@pytest.mark.parametrize("wrong", ["1:" + "k" * 40, "2:" + "k" * 40, "1:short", "\x80"])
def test_a_running_service_takes_no_key_that_does_not_fit(filed: Flask, now: datetime, wrong: str) -> None:
    site, file = a_site(filed, now=now), the_key_file(filed)
    right = file.read_text()
    file.with_suffix(".new").write_text(wrong, encoding="latin-1")
    file.with_suffix(".new").replace(file)
    a_comment(filed, site, email=EMAIL)
    file.write_text(right)
    assert erase_person(EMAIL, keys=open_keys(filed_settings(filed), db.engine).ring, now=now).total == 1


@SQLITE
def test_comments_that_come_under_the_old_key_meanwhile_are_moved_as_well(
    filed: Flask, now: datetime
) -> None:
    site = a_site(filed, now=now)
    a_comment(filed, site)
    old = wiring_of(filed).keys

    def one_more_comes(count: int) -> None:
        if count == 1 and len(late) < 2:
            late.append(1)
            submit(a_submission(site), settings=filed_settings(filed), keys=old, now=now)

    late: list[int] = []
    assert rotate(filed_settings(filed), on_progress=one_more_comes).comments == 3
    assert numbers_in_use(filed) == {2}


@SQLITE
def test_a_rotation_that_was_killed_is_finished_before_another_key_is_made(
    filed: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(filed, now=now)
    for _ in range(3):
        a_comment(filed, site)
    monkeypatch.setattr(rotation, "BATCH", 1)

    def killed(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(filed_settings(filed), on_progress=killed)
    assert numbers_in_use(filed) == {1, 2}
    assert rotate(filed_settings(filed), on_progress=silent) == Rotated(2, 2, is_new=False)
    assert rotate(filed_settings(filed), on_progress=silent) == Rotated(3, 3, is_new=True)


@SQLITE
def test_two_rotations_at_once_do_not_lose_each_others_key(filed: Flask) -> None:
    def a_second_one(_count: int) -> None:
        with pytest.raises(KeyRefused, match="under way"):
            rotate(filed_settings(filed), on_progress=silent)

    rotate(filed_settings(filed), on_progress=a_second_one)
    assert len(the_key_file(filed).read_text().splitlines()) == 2


@SQLITE
def test_a_bare_key_gets_its_number_when_a_second_one_comes(filed: Flask) -> None:
    file = the_key_file(filed)
    bare = file.read_text().strip().removeprefix("1:")
    file.write_text(bare)
    rotate(filed_settings(filed), on_progress=silent)
    assert file.read_text().splitlines()[0] == f"1:{bare}"


def test_an_old_key_is_kept_while_comments_may_be_sent_again(
    app: Flask, site: SiteView, two_keys: Settings, now: datetime
) -> None:
    a_comment(app, site, now=now)
    with app.app_context(), pytest.raises(KeyRefused, match="2026-11-24 11:00 UTC"):
        retire(two_keys, now=now + timedelta(hours=1), on_progress=silent)


def test_a_retired_key_is_needed_by_nothing(
    app: Flask, site: SiteView, two_keys: Settings, now: datetime
) -> None:
    a_comment(app, site, now=now)
    with app.app_context():
        assert retire(two_keys, now=now + timedelta(days=1), on_progress=silent) == (1,)
        assert db.session.scalars(select(Canary.key_number)).all() == [2]
        assert db.session.scalars(select(Comment.network_hash)).all() == [None]
        alone = two_keys.model_copy(update={"secret_key": _secret(_key_2(two_keys))})
        assert open_keys(alone, db.engine).ring.numbers == (2,)
    assert numbers_in_use(app) == {2}


@SQLITE
def test_retiring_takes_the_old_key_out_of_the_file(filed: Flask, now: datetime) -> None:
    receipt = tokens.receipt(wiring_of(filed).keys, site="demo", comment_id=1)
    rotate(filed_settings(filed), on_progress=silent)
    assert retire(filed_settings(filed), now=now, on_progress=silent) == (1,)
    assert [line[:2] for line in the_key_file(filed).read_text().splitlines()] == ["2:"]
    with pytest.raises(ReceiptRefused):
        tokens.read_receipt(wiring_of(filed).keys, receipt)
    assert retire(filed_settings(filed), now=now, on_progress=silent) == ()


@SQLITE
def test_keys_are_asked_for_while_nobody_else_can_write(filed: Flask, now: datetime) -> None:
    site = a_site(filed)
    other = sqlite3.connect(str(filed_settings(filed).sqlite_file), timeout=0)

    class Watched:
        @property
        def ring(self) -> Keyring:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            return wiring_of(filed).keys

    with closing(other):
        receipt = submit(a_submission(site), settings=filed_settings(filed), keys=Watched(), now=now)
    assert receipt.comment_id
