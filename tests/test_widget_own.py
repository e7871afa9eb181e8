"""Authors change what they wrote where it stands: edit and withdraw in the widget, by keys and pointer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import update

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change, Verb
from comments_service.storage.database import transaction
from comments_service.storage.models import Site
from tests.browser import Console, assert_accessible
from tests.conftest import NOW
from tests.servers import HostPage, LiveService
from tests.test_own_comments import OPEN, STRICT, rows
from tests.test_widget import button, kept, on, open_article, post, service, settings_of_service, write

__all__ = ["service", "settings_of_service"]  # fixtures
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def rule(service: LiveService, rules: dict[str, Any], **values: Any) -> None:
    """Let the site have these rules."""
    with service.app.app_context(), transaction() as session:
        session.execute(update(Site).values(rules=rules, **values))


def mine(page: Page) -> Locator:
    """The own comment."""
    return page.get_by_role("article").filter(has=button(page, "Withdraw your comment"))


def editor(page: Page) -> Locator:
    """The form that stands in the place of the comment's text."""
    return page.get_by_role("form", name="Edit your comment")


def test_an_author_edits_a_published_comment_by_keys_and_loses_nothing_by_cancel(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    rule(service, OPEN)
    open_article(page, host_page)
    write(page, "First words.")
    post(page)
    expect(page.get_by_role("article")).to_be_focused()
    button(page, "Edit your comment").press("Enter")
    text = editor(page).get_by_role("textbox", name="Comment")
    expect(text).to_be_focused()
    expect(text).to_have_value("First words.")
    expect(editor(page).get_by_role("button", name="Bold")).to_be_visible()
    assert_accessible(page)
    text.fill("Second **words**.")
    text.press("Escape")
    expect(button(page, "Edit your comment")).to_be_focused()
    expect(page.locator("article > .comment__body")).to_have_text("First words.")
    page.reload()  # nor by a reload
    button(page, "Edit your comment").click()
    expect(text).to_have_value("Second **words**.")
    text.fill(" ")
    button(page, "Save changes").click()
    expect(editor(page).get_by_role("alert")).to_have_text("Please type your comment.")
    text.fill("Third **words**.")
    text.press("Control+Enter")
    expect(page.locator("article > .comment__body strong")).to_have_text("words")
    expect(page.get_by_role("article")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Your change is saved.")).to_have_count(1)
    expect(page.locator(".comment__edited")).to_have_text(re.compile("^edited .* at "))
    assert_accessible(page)
    page.reload()
    expect(page.locator(".comment__edited")).to_be_visible()  # for everybody
    expect(button(page, "Edit your comment")).to_be_visible()
    other = page.context.browser
    assert other is not None
    stranger = other.new_page()
    stranger.goto(host_page.url())
    expect(stranger.locator(".comment__edited")).to_be_visible()
    expect(stranger.get_by_role("button", name="Edit your comment")).to_have_count(0)
    stranger.close()
    assert "receipt" not in kept(page, "localStorage")
    assert console.unexpected == []


def test_an_edit_that_is_held_waits_beside_the_comment_and_says_so(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    rule(service, OPEN)
    open_article(page, host_page)
    write(page, "First words.")
    post(page)
    expect(button(page, "Edit your comment")).to_be_visible()
    rule(service, STRICT)
    button(page, "Edit your comment").click()
    editor(page).get_by_role("textbox").fill("Other words.")
    button(page, "Save changes").click()
    note = page.get_by_text("Your edit is awaiting moderation.")
    expect(note.first).to_be_visible()
    expect(page.locator("article > .comment__body")).to_have_text("First words.")
    assert_accessible(page)
    page.reload()
    expect(note.first).to_be_visible()
    button(page, "Edit your comment").click()
    expect(editor(page).get_by_role("textbox")).to_have_value("Other words.")
    _, edit = rows(service.app)
    with service.app.app_context():
        decide(Change(edit.id, edit.version, Verb.APPROVE), by=None, now=NOW)
    page.reload()
    expect(page.locator("article > .comment__body")).to_have_text("Other words.")
    expect(note).to_have_count(0)
    assert console.unexpected == []


def test_a_waiting_comment_is_edited_until_it_is_good_and_withdrawing_asks_first(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    rule(service, OPEN)
    on(service, host_page, text="An older comment.")
    open_article(page, host_page)
    write(page, "You won a prize.")
    post(page)
    expect(page.get_by_text("Your comment is awaiting moderation.").first).to_be_visible()
    button(page, "Edit your comment").click()
    editor(page).get_by_role("textbox").fill("Nothing won.")
    button(page, "Save changes").click()
    expect(page.get_by_role("heading", name="2 thoughts")).to_be_visible()
    expect(page.get_by_text("Your comment is awaiting moderation.")).to_have_count(0)
    expect(mine(page)).to_be_focused()
    button(page, "Withdraw your comment").click()
    asked = page.get_by_role("form", name="Withdraw this comment? It will be gone for ever.")
    expect(asked.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    assert_accessible(page)
    asked.get_by_role("button", name="Cancel", exact=True).click()
    expect(button(page, "Withdraw your comment")).to_be_focused()
    button(page, "Withdraw your comment").click()
    button(page, "Withdraw for ever").click()
    gone = page.get_by_role("article").filter(has_text="Your comment was withdrawn")
    expect(gone).to_be_focused()
    expect(page.get_by_role("heading", name="One thought")).to_be_visible()
    assert_accessible(page)
    assert [row.text for row in rows(service.app)] == ["An older comment."]
    assert "receipt" not in kept(page, "sessionStorage")
    page.reload()
    expect(page.get_by_role("article")).to_have_count(1)
    assert console.unexpected == []


def test_trouble_is_told_and_the_text_stays(page: Page, service: LiveService, host_page: HostPage) -> None:
    rule(service, OPEN)
    open_article(page, host_page)
    write(page, "First words.")
    page.get_by_label(re.compile("Save my name")).check()
    post(page)
    expect(button(page, "Edit your comment")).to_be_visible()
    assert "receipt" in kept(page, "localStorage")  # for longer with consent only, and gone with it
    button(page, "Edit your comment").click()
    text = editor(page).get_by_role("textbox")
    text.fill("Other words.")
    alert = editor(page).get_by_role("alert")

    def cut(route: Route) -> None:
        route.abort() if route.request.method == "PATCH" else route.continue_()

    page.route("**/api/v1/comments/*", cut)
    button(page, "Save changes").click()
    expect(alert).to_contain_text("could not be reached")
    page.unroute("**/api/v1/comments/*")
    rule(service, OPEN, options={"edit_minutes": 0})
    button(page, "Save changes").click()
    expect(alert).to_contain_text("The time for changes is over.")
    expect(text).to_have_value("Other words.")
    rule(service, OPEN, options={})
    button(page, "Save changes").click()
    expect(page.locator("article > .comment__body")).to_have_text("Other words.")
    page.get_by_label(re.compile("Save my name")).uncheck()
    assert "receipt" not in kept(page, "localStorage")
