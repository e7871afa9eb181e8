"""Honest comments that look a little like spam are published by a site that trusts its signals alone."""

from __future__ import annotations

import pytest
from flask import Flask

from comments_service.sending import Sending
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from tests.conftest import Clock
from tests.factories import a_site, a_submission, wiring_of
from tests.innocents import INNOCENTS

NAMES = ("Ana Berg", "Tom", "J. Okafor", "mira_87", "Dr. Helga Ström", "Li Wei", "Уляна")


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site that has decided nothing yet, and holds nothing but what its signals doubt."""
    rules = {"hold_all": False, "hold_newcomers": False, "hold_links_from": 0}
    return a_site(app, rules={**rules, "hold_doubt_from": 50, "refuse_doubt_from": 95})


def test_there_are_enough_of_them() -> None:
    assert len({text for _, text in INNOCENTS}) >= 60


@pytest.mark.parametrize("text", [text for _, text in INNOCENTS], ids=lambda text: text[:24])
def test_an_innocent_comment_is_published(app: Flask, site: SiteView, clock: Clock, text: str) -> None:
    parts, name = wiring_of(app), NAMES[len(text) % len(NAMES)]
    sending = Sending(seconds=max(20, len(text) // 4))
    sent = a_submission(site, text=text, name=name, sending=sending)
    with app.app_context():
        receipt = submit(sent, settings=parts.settings, keys=parts.keys, now=clock.now)
        comment = db.session.get_one(Comment, receipt.comment_id)
        assert comment.status == Status.APPROVED, comment.verdict["spam"]
