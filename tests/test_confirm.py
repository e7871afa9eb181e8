"""Where letters lead: a page that changes nothing by being opened, and buttons that decide once."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from comments_service import tokens
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.storage.database import db, reading, transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.storage.outbox import LetterAddress
from comments_service.storage.people import Grant
from comments_service.tokens import ConfirmLink
from comments_service.vocabulary import ModeratorView, SiteView, Status
from tests.browser import Console, assert_good
from tests.conftest import Clock
from tests.doors import OWN_ORIGIN, dangers, everything
from tests.factories import StoredComment, a_comment, a_moderator, an_address, wiring_of
from tests.servers import HostPage, LiveService

BUTTONS = r'name="do" value="([a-z]+)"'


@pytest.fixture
def ana(app: Flask, site: SiteView) -> ModeratorView:
    """The moderator whom letters are sent to."""
    moderator = a_moderator(app, name="ana")
    an_address(app, moderator)
    return moderator


def link(app: Flask, moderator: ModeratorView, comment: StoredComment, *, now: datetime) -> str:
    """The address in a letter about this comment."""
    with app.app_context(), reading() as session:
        mark = session.get_one(LetterAddress, moderator.id).mark
    wanted = ConfirmLink(moderator.id, comment.id, comment.version, mark)
    return f"/confirm/{tokens.confirm_token(wiring_of(app).keys, wanted, now=now)}"


def press(client: FlaskClient, address: str, verb: str, **headers: str) -> TestResponse:
    """Press a button of the page."""
    return client.post(address, data={"do": verb}, headers={"Origin": OWN_ORIGIN} | headers)


def status(app: Flask, comment: StoredComment) -> str:
    """Where a comment stands."""
    with app.app_context():
        found = db.session.scalar(select(Comment.status).where(Comment.id == comment.id))
        db.session.rollback()
        return str(found)


def test_opening_the_page_shows_the_comment_and_changes_nothing(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.PENDING, name="Zenobia", text="Some *words*.")
    before = everything(app)
    page = client.get(link(app, ana, comment, now=now))
    assert page.status_code == 200
    assert "Zenobia" in page.text
    assert "<em>words</em>" in page.text
    assert re.findall(BUTTONS, page.text) == ["approve", "reply", "spam", "trash"]
    assert everything(app) == before


def test_the_page_is_kept_by_nobody_and_needs_no_cookie(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    page = client.get(link(app, ana, a_comment(app, site, status=Status.PENDING), now=now))
    told = {name: page.headers[name] for name in ("X-Robots-Tag", "Cache-Control", "Referrer-Policy")}
    assert set(told.values()) == {"noindex", "no-store", "no-referrer"}
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize(
    ("verb", "stands"), [("approve", "approved"), ("reply", "approved"), ("spam", "spam"), ("trash", "trash")]
)
def test_a_button_decides_as_the_moderator_of_the_letter(
    app: Flask,
    site: SiteView,
    ana: ModeratorView,
    client: FlaskClient,
    now: datetime,
    verb: str,
    stands: str,
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    assert press(client, link(app, ana, comment, now=now), verb).status_code == 303
    assert status(app, comment) == stands
    with app.app_context():
        row = db.session.scalars(
            select(JournalRow).where(JournalRow.moderator_id == ana.id, JournalRow.action == DECIDED)
        ).one()
        assert row.moderator_id == ana.id


def test_pressing_twice_decides_once(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    address = link(app, ana, comment, now=now)
    assert [press(client, address, "spam").status_code for _ in range(2)] == [303, 303]
    assert "You decided" in client.get(address).text
    with app.app_context():
        assert (
            len(
                db.session.scalars(
                    select(JournalRow).where(JournalRow.moderator_id == ana.id, JournalRow.action == DECIDED)
                ).all()
            )
            == 1
        )


def test_a_decision_can_be_taken_back_from_the_page_once(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    address = link(app, ana, comment, now=now)
    assert press(client, address, "undo").status_code == 409
    press(client, address, "spam")
    assert re.findall(BUTTONS, client.get(address).text) == ["undo"]
    assert press(client, address, "undo").status_code == 303
    assert status(app, comment) == "pending"
    assert press(client, address, "undo").status_code == 409
    assert re.findall(BUTTONS, client.get(address).text) == []
    assert "It waits, but has changed" in client.get(address).text


def test_approving_to_reply_leads_to_the_form_for_the_reply(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    answer = press(client, link(app, ana, comment, now=now), "reply")
    assert answer.location == f"/queue/comments/{comment.id}#reply"


def test_what_somebody_decided_meanwhile_is_said_and_stays(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment, ben = a_comment(app, site, status=Status.PENDING), a_moderator(app, name="ben")
    with app.app_context():
        decide(Change(comment.id, comment.version, Status.SPAM), by=ben, now=now)
    address = link(app, ana, comment, now=now)
    late = press(client, address, "approve")
    assert late.status_code == 409
    assert "ben decided: Spam" in late.text
    assert re.findall(BUTTONS, client.get(address).text) == []
    assert status(app, comment) == "spam"


def test_a_comment_that_changed_is_not_decided_unseen(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    with app.app_context(), transaction() as session:
        session.execute(update(Comment).values(text="Otherwise.", version=Comment.version + 1))
    address = link(app, ana, comment, now=now)
    assert "It waits, but has changed" in client.get(address).text
    assert press(client, address, "approve").status_code == 409
    assert status(app, comment) == "pending"


def test_a_letter_to_the_editors_offers_no_approval_and_takes_none(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    with app.app_context(), transaction() as session:
        session.execute(update(Comment).values(is_letter=True))
    address = link(app, ana, comment, now=now)
    assert re.findall(BUTTONS, client.get(address).text) == ["spam", "trash"]
    assert press(client, address, "approve").status_code == 409
    assert status(app, comment) == "pending"


def test_rights_count_as_they_are_now(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    address = link(app, ana, comment, now=now)
    with app.app_context(), transaction() as session:
        session.execute(update(Grant).values(role="viewer"))
    assert re.findall(BUTTONS, client.get(address).text) == []
    assert press(client, address, "spam").status_code == 403
    with app.app_context(), transaction() as session:
        session.query(Grant).delete()
    assert client.get(address).status_code == 404
    assert press(client, address, "spam").status_code == 404
    assert status(app, comment) == "pending"


def test_a_link_ends_after_seven_days(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, clock: Clock
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    address = link(app, ana, comment, now=clock())
    clock.forward(days=7, seconds=-1)
    assert client.get(address).status_code == 200
    clock.forward(seconds=1)
    ended = client.get(address, headers={"Accept": "text/html"})
    assert (ended.status_code, press(client, address, "spam").status_code) == (404, 404)
    assert "This link has ended" in ended.text


def test_no_other_signed_thing_passes_for_a_link(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    comment, keys = a_comment(app, site, status=Status.PENDING), wiring_of(app).keys
    others = [
        tokens.receipt(keys, site=site.key, comment_id=comment.id),
        tokens.stop_token(keys, moderator_id=ana.id, site_id=site.id, address="a"),
        tokens.address_token(keys, moderator_id=ana.id, mark="m", now=now),
        link(app, ana, comment, now=now)[9:-2],
        "nonsense",
    ]
    assert {client.get(f"/confirm/{token}").status_code for token in others} == {404}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": OWN_ORIGIN, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_from_elsewhere_decides_nothing(
    app: Flask,
    site: SiteView,
    ana: ModeratorView,
    client: FlaskClient,
    now: datetime,
    headers: dict[str, str],
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    response = client.post(link(app, ana, comment, now=now), data={"do": "approve"}, headers=headers)
    assert (response.status_code, status(app, comment)) == (403, "pending")


@pytest.mark.parametrize("verb", ["", "delete", "approve\x00", "unapprove"])
def test_what_no_button_says_is_refused(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime, verb: str
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    assert press(client, link(app, ana, comment, now=now), verb).status_code == 400
    assert status(app, comment) == "pending"


def test_a_hostile_comment_runs_nothing_on_the_page(
    app: Flask, site: SiteView, ana: ModeratorView, client: FlaskClient, now: datetime
) -> None:
    bad = "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>"
    comment = a_comment(app, site, status=Status.PENDING, name=bad, text=bad, title=bad)
    assert dangers(client.get(link(app, ana, comment, now=now)).text) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_decides_by_the_button_alone(
    live_service: LiveService, host_page: HostPage, page: Page, console: Console, scheme: str
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    app, now = live_service.app, datetime.now(UTC)
    ana = a_moderator(app, name="ana")
    an_address(app, ana)
    comment = a_comment(app, live_service.site, status=Status.PENDING, now=now, url=host_page.url())
    page.goto(live_service.url + link(app, ana, comment, now=now) + "?do=spam")
    expect(page.locator("[value=spam]")).to_be_focused()
    assert_good(page)
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_text("It is now: Approved").wait_for()
    assert_good(page)
    assert status(app, comment) == "approved"
    assert console.unexpected == []
