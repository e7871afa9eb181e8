"""Who takes comments back, or whose spam is deleted, is no newcomer: what is left of a network."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change, Verb
from comments_service.erase import erase_person
from comments_service.errors import TooManyComments
from comments_service.own.withdrawing import withdraw
from comments_service.retention import sweep
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.storage.trails import NetworkTrail
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from tests.conftest import Clock
from tests.factories import a_comment, a_submission, wiring_of
from tests.test_signals import given

NETWORK = "203.0.113.0/24"


def sent(app: Flask, site: SiteView, clock: Clock, network: str = NETWORK) -> int:
    """One more comment from the network."""
    parts = wiring_of(app)
    submission = a_submission(site, network=network)
    return submit(submission, settings=parts.settings, keys=parts.keys, now=clock.now).comment_id


def trails() -> int:
    """How many are kept."""
    return db.session.scalar(select(func.count()).select_from(NetworkTrail)) or 0


def test_nobody_writes_more_by_withdrawing(app: Flask, site: SiteView, clock: Clock) -> None:
    most = wiring_of(app).settings.submissions_per_hour
    with app.app_context():
        for _ in range(most):
            withdraw("demo", sent(app, site, clock), now=clock.now)
            with pytest.raises(TooManyComments):
                sent(app, site, clock)
            clock.forward(seconds=10)
        with pytest.raises(TooManyComments):
            sent(app, site, clock)
        sent(app, site, clock, "198.51.100.0/24")  # others are not slowed
        clock.forward(seconds=3600)
        sent(app, site, clock)


def test_a_network_whose_spam_was_deleted_is_still_that_network(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    spam = a_comment(app, site, network=NETWORK, status=Status.SPAM, now=clock.now)
    clock.forward(seconds=60)
    with app.app_context():
        before = given(db.session.get_one(Comment, sent(app, site, clock)))
        db.session.rollback()
        decide(Change(spam.id, spam.version, Verb.DELETE), by=None, now=clock.now)
        assert db.session.get(Comment, spam.id) is None
        clock.forward(seconds=60)
        after = given(db.session.get_one(Comment, sent(app, site, clock)))
    assert "network-spam" in before & after


def test_what_people_called_spam_is_remembered_though_its_author_takes_it_back(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    for status, is_remembered in ((Status.SPAM, True), (Status.APPROVED, False)):
        network = f"203.0.{int(is_remembered)}.0/24"
        comment = a_comment(app, site, network=network, status=status, now=clock.now)
        clock.forward(seconds=60)
        with app.app_context():
            withdraw("demo", comment.id, now=clock.now)
            sweep(settings=wiring_of(app).settings, now=clock.now + timedelta(hours=2))
            said = given(db.session.get_one(Comment, sent(app, site, clock, network)))
            assert ("network-spam" in said) is is_remembered
            assert "network-honest" not in said
            db.session.rollback()


def test_a_trail_ends_with_what_it_is_for(app: Flask, site: SiteView, clock: Clock) -> None:
    settings = wiring_of(app).settings
    spam = a_comment(app, site, network=NETWORK, status=Status.SPAM, now=clock.now)
    clock.forward(seconds=60)
    with app.app_context():
        withdraw("demo", sent(app, site, clock), now=clock.now)
        decide(Change(spam.id, spam.version, Verb.DELETE), by=None, now=clock.now)
        assert trails() == 2
        assert sweep(settings=settings, now=clock.now + timedelta(minutes=59)).trails == 0
        assert sweep(settings=settings, now=clock.now + timedelta(hours=1)).trails == 1
        days = timedelta(days=settings.network_retention_days)
        assert sweep(settings=settings, now=clock.now + days).trails == 1
        assert trails() == 0


def test_whoever_is_forgotten_leaves_no_trail(app: Flask, site: SiteView, clock: Clock) -> None:
    a_comment(app, site, email="ana@example.org", network=NETWORK, now=clock.now)
    with app.app_context():
        erase_person("ana@example.org", keys=wiring_of(app).keys.ring, now=clock.now)
        assert trails() == 0
