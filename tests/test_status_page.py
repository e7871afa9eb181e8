"""The status page: where a comment stands, how long that takes, and plain forms to edit and withdraw it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import update
from werkzeug.test import TestResponse

from comments_service import tokens
from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.verbs import Change, Verb
from comments_service.storage.database import transaction
from comments_service.storage.models import Site
from comments_service.vocabulary import SiteView
from tests.browser import Console, assert_accessible
from tests.conftest import NOW, Clock
from tests.doors import FORM, OWN_ORIGIN, a_network, change_site, dangers, everything, is_refused
from tests.factories import StoredComment, a_comment, a_moderator, a_site, wiring_of
from tests.servers import HostPage, LiveService
from tests.test_own_comments import OPEN, STRICT, an_edit, patch, rows

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def lenient(app: Flask) -> SiteView:
    """A site that publishes at once what no rule holds."""
    return a_site(app, rules=OPEN)


def address_of(app: Flask, number: int, *, site: str = "demo") -> str:
    """Where the status page of a comment of this test's beginning is."""
    keys = wiring_of(app).keys
    return f"/status/{tokens.status_token(keys, site=site, comment_id=number, created_at=NOW)}"


def look(app: Flask, comment: StoredComment | Any) -> str:
    """The page as its author reads it."""
    answer = app.test_client().get(address_of(app, comment.id))
    assert answer.status_code == 200
    assert dangers(answer.text) == []
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    return answer.text


def send(app: Flask, number: int, *, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
    """Press a button of the page."""
    return app.test_client().post(
        address_of(app, number),
        data=fields,
        content_type=FORM,
        headers={"Accept": "text/html"} | ({"Origin": OWN_ORIGIN} if headers is None else headers),
        environ_overrides=a_network(),
    )


def test_it_tells_the_median_wait_of_the_sites_latest_decisions(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    mine = a_comment(app, site, status="pending", now=NOW)
    other = a_site(app, key="other", origins=("https://other.example.org",))
    with app.app_context():
        mo = a_moderator(app)
    for minutes in (10, 20, 50, 70):
        decided(app, site, mo, minutes)
    for _ in range(5):
        decided(app, other, mo, 3, url="https://other.example.org/x")
    assert "usually takes" not in look(app, mine)  # four say too little
    decided(app, site, mo, 500)
    assert "It usually takes about 50 minutes." in look(app, mine)
    decided(app, site, mo, 60 * 30)
    assert "It usually takes about an hour." in look(app, mine)
    for _ in range(8):
        decided(app, site, mo, 60 * 24 * 3)
    assert "It usually takes about 3 days." in look(app, mine)
    clock.forward(days=29)
    assert "usually takes" in look(app, mine)


def decided(app: Flask, site: SiteView, by: Any, minutes: int, **fields: Any) -> None:
    """A comment that a moderator decided about after so long."""
    comment = a_comment(app, site, status="pending", now=NOW - timedelta(minutes=minutes), **fields)
    with app.app_context():
        decide(Change(comment.id, comment.version, Verb.APPROVE), by=by, now=NOW)


@on_sqlite
def test_it_tells_the_words_of_the_moderator_and_none_where_the_service_declined_quietly(
    app: Flask, lenient: SiteView
) -> None:
    comment = a_comment(app, lenient, now=NOW)
    with app.app_context():
        decide_all(
            [Change(comment.id, comment.version, Verb.TRASH)], by=None, now=NOW, note="Be <b>kind</b>."
        )
    page = look(app, comment)
    assert "Your comment was not published" in page
    assert "Be &lt;b&gt;kind&lt;/b&gt;." in page
    assert 'value="edit"' not in page
    quiet = a_comment(app, lenient, text="Casino.", status="spam", now=NOW)
    page = look(app, quiet)
    assert "Your comment is awaiting moderation" in page
    assert "The moderators write" not in page


@on_sqlite
def test_the_plain_form_edits_and_keeps_what_was_typed(app: Flask, lenient: SiteView, clock: Clock) -> None:
    comment = a_comment(app, lenient, text="First words.", now=NOW)
    assert ">\nFirst words.</textarea>" in look(app, comment)
    answer = send(app, comment.id, do="edit", text="Second words.")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        OWN_ORIGIN + address_of(app, comment.id),
    )
    page = look(app, comment)
    assert "<p>Second words.</p>" in page
    assert "edited Nov 23, 2026" in page
    wrong = send(app, comment.id, do="edit", text="\u200b")
    assert (wrong.status_code, "Please type your comment." in wrong.text) == (422, True)
    clock.forward(minutes=15)
    late = send(app, comment.id, do="edit", text="Too <late>.")
    assert (late.status_code, "The time for changes is over." in late.text) == (409, True)
    assert "Too &lt;late&gt;." in late.text
    assert "<textarea" not in look(app, comment)
    assert rows(app)[0].text == "Second words."


@on_sqlite
def test_it_tells_of_an_edit_that_waits_or_was_declined(app: Flask, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    page = look(app, original)
    assert "Your edit is awaiting moderation" in page
    assert "<p>First words.</p>" in page
    assert ">\nEdited words.</textarea>" in page
    with app.app_context():
        decide_all([Change(edit.id, edit.version, Verb.SPAM)], by=None, now=NOW, note="No adverts.")
    page = look(app, original)
    assert "Your edit was not published" in page
    assert "No adverts." in page


@on_sqlite
def test_withdrawing_asks_first(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, now=NOW)
    before = everything(app)
    asked = send(app, comment.id, do="withdraw")
    assert (asked.status_code, "It will be gone for ever." in asked.text) == (200, True)
    assert everything(app) == before
    gone = send(app, comment.id, do="withdraw", sure="1")
    assert (gone.status_code, "Your comment was withdrawn" in gone.text) == (200, True)
    assert rows(app) == []
    assert is_refused(send(app, comment.id, do="withdraw", sure="1"), 404)


@on_sqlite
def test_forms_come_from_our_own_page_and_are_read_strictly(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, now=NOW)
    before = everything(app)
    for headers in (
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example.net"},
        {"Origin": OWN_ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "null"},
    ):
        for fields in ({"do": "edit", "text": "Mine."}, {"do": "withdraw", "sure": "1"}):
            assert is_refused(send(app, comment.id, headers=headers, **fields), 403)
    assert is_refused(send(app, comment.id, do="x"), 400)
    for data, kind, status in (
        (b"do=edit&text=%ff", FORM, 400),
        (b"do=edit&do=withdraw", FORM, 400),
        (b"{}", "application/json", 415),
        (b"text=" + b"x" * 600_000, FORM, 413),
    ):
        answer = app.test_client().post(
            address_of(app, comment.id), data=data, content_type=kind, headers={"Origin": OWN_ORIGIN}
        )
        assert is_refused(answer, status)
    token = address_of(app, comment.id)
    assert is_refused(
        app.test_client().post(token[:-2], data={"do": "x"}, headers={"Origin": OWN_ORIGIN}), 404
    )
    assert everything(app) == before


@on_sqlite
def test_without_scripts_a_reader_edits_and_withdraws(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    app = live_service.app
    with app.app_context(), transaction() as session:
        session.execute(update(Site).values(rules=STRICT))
    page.goto(f"{live_service.url}/sites/demo/thread?url={host_page.url()}")
    page.get_by_role("textbox", name="Comment").fill("First words.")
    page.get_by_role("textbox", name="Name").fill("Ana")
    page.get_by_role("textbox", name="Email").fill("ana@example.org")
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_role("heading", name="Your comment is awaiting moderation")).to_be_visible()
    page.get_by_text("Edit", exact=True).click()
    page.get_by_role("textbox", name="Comment").fill("Second words.")
    assert_accessible(page)
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("blockquote")).to_contain_text("Second words.")
    page.get_by_role("link", name="Withdraw").click()
    assert_accessible(page)
    page.get_by_role("button", name="Withdraw for ever").click()
    expect(page.get_by_role("heading", name="Your comment was withdrawn")).to_be_visible()
    assert_accessible(page)
    assert rows(app) == []
    assert console.unexpected == []


def test_an_edit_by_the_page_is_the_same_as_by_the_widget(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, text="First words.", now=NOW)
    change_site(app, lenient, rules=STRICT)
    patch(app, comment, "Edited words.")
    before = everything(app)
    assert send(app, comment.id, do="edit", text="Edited words.").status_code == 303
    assert everything(app) == before
