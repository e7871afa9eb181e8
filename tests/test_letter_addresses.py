"""Moderators' addresses move to new keys, and are forgotten with the person; old letters are swept out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from comments_service.erase import erase_person
from comments_service.notify.addresses import ADDRESS_COLUMN, is_given_as
from comments_service.people.accounts import remove_person
from comments_service.privacy import Keyring
from comments_service.retention import LETTERS_KEPT, sweep
from comments_service.rotate import rotate
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.outbox import LetterAddress
from comments_service.vocabulary import ModeratorView, SiteView, Status
from tests.conftest import SECRET_KEY, Clock
from tests.factories import a_comment, a_moderator, an_address, wiring_of
from tests.mailboxes import deliver, letters, mailbox, mailed


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation that sends letters."""
    return mailed(settings, "smtp://127.0.0.1:9")


@pytest.fixture
def ana(app: Flask, site: SiteView) -> ModeratorView:
    """A moderator with an address, beside another one."""
    a_moderator(app, name="ben")
    moderator = a_moderator(app, name="ana")
    an_address(app, moderator)
    return moderator


def addresses(app: Flask) -> list[LetterAddress]:
    """All that are stored."""
    with app.app_context():
        rows = list(db.session.scalars(select(LetterAddress)))
        db.session.expunge_all()
        db.session.rollback()
        return rows


def test_an_address_moves_to_the_newest_key(app: Flask, ana: ModeratorView, settings: Settings) -> None:
    both = f"{SECRET_KEY},{Keyring.generate(2)}"
    with app.app_context():
        rotate(Settings(**dict(settings) | {"secret_key": both}), on_progress=lambda _count: None)
    (row,) = addresses(app)
    newest = Keyring.parse(both.partition(",")[2])
    assert newest.open(row.email_sealed, column=ADDRESS_COLUMN) == "ana@example.org"
    assert is_given_as(newest, "ana@example.org", row.email_hash)


def test_an_erased_person_gets_no_letters_any_more(app: Flask, ana: ModeratorView, now: datetime) -> None:
    with app.app_context():
        erase_person("Ana@Example.org", keys=wiring_of(app).keys, now=now)
    assert addresses(app) == []


def test_a_removed_moderator_has_no_address_any_more(app: Flask, ana: ModeratorView, now: datetime) -> None:
    with app.app_context():
        remove_person(ana.id, by=None, now=now)
    assert addresses(app) == []


def test_what_became_of_letters_is_forgotten_in_time(
    app: Flask, site: SiteView, ana: ModeratorView, clock: Clock, settings: Settings
) -> None:
    a_comment(app, site, status=Status.PENDING)
    with mailbox() as box:
        deliver(app, clock, mailed(settings, box.url))
    a_comment(app, site, status=Status.PENDING)
    with app.app_context():
        assert sweep(settings=settings, now=clock() + LETTERS_KEPT - timedelta(seconds=1)).letters == 0
        assert sweep(settings=settings, now=clock() + LETTERS_KEPT).letters == 1
    assert [row.state for row in letters(app)] == ["waiting"]
