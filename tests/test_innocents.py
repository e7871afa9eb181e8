"""Honest comments that look a little like spam are published by a site that trusts its signals alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.sending import Sending
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from tests.conftest import Clock
from tests.doors import a_ticket, form_fields, is_problem, page, page_ticket, send, send_form
from tests.factories import a_body, a_site, a_submission, wiring_of
from tests.innocents import INNOCENTS

NAMES = ("Ana Berg", "Tom", "J. Okafor", "mira_87", "Dr. Helga Ström", "Li Wei", "Уляна")


# Nothing is held but what signals doubt
RULES = {
    "hold_all": False,
    "hold_newcomers": False,
    "hold_links_from": 0,
    "hold_doubt_from": 50,
    "refuse_doubt_from": 95,
}


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site that has decided nothing yet."""
    return a_site(app, rules=RULES)


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


@dataclass(frozen=True)
class Reader:
    """Somebody who writes slowly, and sends in a moment what comes back with a new ticket."""

    client: FlaskClient
    clock: Clock
    site: str
    name: str
    text: str

    def by_the_page(self, *, hours: int = 0, **at_first: str) -> TestResponse:
        """Send it with something otherwise at first, or late; and again two seconds later."""
        typed = {"name": self.name, "text": self.text}
        ticket = page_ticket(page(self.client, site=self.site))
        self.clock.forward(hours=hours, seconds=self._writing_seconds)
        again = send_form(self.client, form_fields(ticket, **(typed | at_first)), site=self.site)
        assert page_ticket(again) != ticket
        self.clock.forward(seconds=2)
        return send_form(self.client, form_fields(page_ticket(again), **typed), site=self.site)

    def by_the_script(self, *, hours: int) -> TestResponse:
        """Send it late, and at once again with a ticket that takes the place of the first."""
        typed = {"name": self.name, "text": self.text}
        ticket = a_ticket(self.client, site=self.site)
        self.clock.forward(hours=hours, seconds=self._writing_seconds)
        late = send(self.client, a_body(ticket, **typed), site=self.site)
        assert is_problem(late, 403, "ticket-refused")
        fresh = a_ticket(self.client, site=self.site, earlier=ticket)
        return send(self.client, a_body(fresh, **typed), site=self.site)

    @property
    def _writing_seconds(self) -> int:
        return max(20, len(self.text) // 4)


@pytest.mark.parametrize(
    "send_it",
    [
        pytest.param(lambda reader: reader.by_the_page(do="preview"), id="after a preview"),
        pytest.param(lambda reader: reader.by_the_page(email="nobody@"), id="after a wrong field"),
        pytest.param(lambda reader: reader.by_the_page(hours=5), id="by a page open for hours"),
        pytest.param(lambda reader: reader.by_the_script(hours=5), id="by a widget open for hours"),
    ],
)
def test_innocent_comments_are_published_that_are_sent_in_a_moment_at_last(
    app: Flask, client: FlaskClient, clock: Clock, send_it: Callable[[Reader], TestResponse]
) -> None:
    for number, (_, text) in enumerate(INNOCENTS):
        key, name = f"site-{number}", NAMES[len(text) % len(NAMES)]
        a_site(app, key=key, rules=RULES)
        assert send_it(Reader(client, clock, key, name, text)).status_code in (201, 303)
    with app.app_context():
        comments = db.session.scalars(select(Comment)).all()
        assert len(comments) == len(INNOCENTS)
        assert [comment.text for comment in comments if comment.status != Status.APPROVED] == []
