"""Edits that wait, wherever the service deals with comments: letters, figures, files, the queue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from comments_service.dashboard import dashboard
from comments_service.decisions.decide import decide_all
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.erase import erase_person
from comments_service.settings import Settings
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment
from comments_service.storage.removal import remove
from comments_service.vocabulary import Access, Role, SiteView
from tests.browser import Console, assert_accessible
from tests.conftest import NOW, Clock
from tests.doors import ask, change_site, everything
from tests.factories import a_comment, a_moderator, a_site, an_address, wiring_of
from tests.mailboxes import Mailbox, deliver, mailbox, mailed, text_of
from tests.queue_pages import expect_told, sign_in
from tests.servers import LiveService
from tests.test_confirm import BUTTONS, press
from tests.test_export import exported, of_type
from tests.test_own_comments import OPEN, STRICT, an_edit, patch, rows, shown

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def lenient(app: Flask) -> SiteView:
    """A site that publishes at once what no rule holds."""
    return a_site(app, rules=OPEN)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which letters are written."""
    return mailed(settings, "smtp://127.0.0.1:9")


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """A mail server."""
    with mailbox() as box:
        yield box


@on_sqlite
def test_a_letter_tells_of_it_and_its_link_publishes_it_and_takes_that_back(
    app: Flask, settings: Settings, lenient: SiteView, client: FlaskClient, clock: Clock, box: Mailbox
) -> None:
    an_address(app, a_moderator(app))
    _, edit = an_edit(app, lenient)
    deliver(app, clock, mailed(settings, box.url))
    (message,) = box.messages
    text = text_of(message)
    assert "An edit of a published comment waits for you" in text
    assert "On the page, as long as the edit waits: First words." in text
    assert "Edited words." in text
    assert "?do=approve" in text_of(message, "html")
    assert "?do=reply" not in text_of(message, "html")
    found = re.search(r"/confirm/\S+", text)
    assert found
    page = client.get(found[0]).text
    assert "<del>First</del><ins>Edited</ins> words." in page
    assert re.findall(BUTTONS, page) == ["approve", "spam", "trash"]
    before = [(row.id, row.text, row.status) for row in rows(app)]
    assert press(client, found[0], "approve").status_code == 303
    assert press(client, found[0], "approve").status_code == 303  # twice is once
    assert "edit published" in client.get(found[0]).text
    assert shown(client) == ["<p>Edited words.</p>"]
    assert press(client, found[0], "undo").status_code == 303
    assert [(row.id, row.text, row.status) for row in rows(app)] == before
    assert edit.id == rows(app)[-1].id


def test_no_figure_counts_it_as_a_comment(app: Flask, lenient: SiteView) -> None:
    an_edit(app, lenient)
    with app.app_context():
        found = dashboard(None, access=Access(everywhere=Role.OWNER), now=NOW)
    assert (found.days[-1].submitted, found.days[-1].approved, found.waiting) == (1, 1, 1)
    assert [line.count for line in found.articles] == [1]


@on_sqlite
def test_an_export_names_what_it_is_an_edit_of(app: Flask, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    lines = of_type(exported(app, NOW), "comment")
    assert [(line["id"], line["edits"]) for line in lines] == [(original.id, None), (edit.id, original.id)]


def test_it_is_erased_with_its_author(app: Flask, lenient: SiteView) -> None:
    an_edit(app, lenient, email="dan@example.org", name="Dan Unforgettable")
    with app.app_context():
        erased = erase_person("dan@example.org", keys=wiring_of(app).keys, now=NOW)
    assert erased.total == 2
    assert "nforgettable" not in str(everything(app))
    assert "dited words" not in str(everything(app))


@on_sqlite
def test_where_the_edit_is_gone_its_comment_gets_its_words_back(
    app: Flask, lenient: SiteView, client: FlaskClient
) -> None:
    _, edit = an_edit(app, lenient)
    with app.app_context():
        batch = decide_all([Change(edit.id, edit.version, Verb.APPROVE)], by=None, now=NOW).batch
        with transaction() as session:
            remove(session, [edit.id])
        assert undo(by=None, now=NOW, batch=batch).count == 1
    assert shown(client) == ["<p>First words.</p>"]


def test_an_empty_place_does_not_keep_an_edit(app: Flask, lenient: SiteView, client: FlaskClient) -> None:
    original, _ = an_edit(app, lenient)
    change_site(app, lenient, rules=OPEN)
    a_comment(app, lenient, parent_id=original.id, now=NOW)
    with app.app_context(), transaction() as session:
        remove(session, [original.id])
    assert [(row.is_purged, row.edits_id) for row in rows(app)] == [(True, None), (False, None)]
    assert len(ask(client, "thread").get_json()["comments"]) == 2


@on_sqlite
def test_the_queue_publishes_it_by_a_key_and_declines_with_words_from_the_sheet(
    page: Page, console: Console, live_service: LiveService
) -> None:
    app, site = live_service.app, live_service.site
    change_site(app, site, rules=OPEN)
    url = f"{site.origins[0]}/article"
    comment = a_comment(app, site, name="Ana", text="First words.", url=url, now=datetime.now(UTC))
    change_site(app, site, rules=STRICT)
    answer = patch(app, comment, "Edited words.", headers={"Origin": site.origins[0]})
    assert answer.get_json()["comment"]["edit"]["status"] == "pending"
    sign_in(page, live_service)
    row = page.locator(".row")
    expect(row.locator("ins")).to_have_text("Edited")
    expect(row.get_by_role("link", name="Edit of a published comment")).to_be_visible()
    expect(row.get_by_role("link", name="Reply")).to_have_count(0)
    assert_accessible(page)
    page.keyboard.press("a")
    expect_told(page, "The edit was published.")
    assert [one.text for one in rows(app)] == ["Edited words.", "Edited words."]
    page.get_by_role("button", name="Undo").click()
    expect(row.locator("ins")).to_have_text("Edited")
    expect_told(page, "2 actions taken back: all is as it was before.")
    page.keyboard.press("e")
    sheet = page.get_by_role("dialog")
    sheet.get_by_label("Words to the author").fill("No, thank you.")
    assert_accessible(page)
    sheet.get_by_role("button", name="Trash", exact=True).click()
    expect_told(page, "1 comment moved to the trash.")
    edit: Comment = rows(app)[1]
    assert (edit.status, edit.author_note) == ("trash", "No, thank you.")
    assert console.unexpected == []
