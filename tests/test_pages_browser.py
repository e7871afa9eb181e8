"""Sign-in, account, errors, status and the thread without scripts, in a real browser, in light and dark."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Console, assert_good, in_both_schemes
from tests.factories import PASSWORD, StoredComment, a_comment, a_moderator
from tests.servers import LiveService

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def thread(service: LiveService) -> str:
    """The address of the article's comments as a page."""
    return f"{service.url}/sites/demo/thread?url={service.site.origins[0]}/article"


@on_sqlite
def test_the_sign_in_tells_what_is_wrong_and_keeps_the_name(
    page: Page, console: Console, live_service: LiveService
) -> None:
    page.goto(f"{live_service.url}/login")
    page.get_by_label("Name").fill("Ana")
    page.get_by_label("Password").fill("a mistake")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This name and password do not belong together.")
    expect(page.get_by_label("Name")).to_have_value("Ana")
    expect(page.get_by_label("Password")).to_be_focused()
    assert console.unexpected == []


@on_sqlite
def test_a_password_is_changed_and_the_new_one_opens(
    page: Page, console: Console, live_service: LiveService
) -> None:
    sign_in(page, live_service, PASSWORD, name=a_moderator(live_service.app).name)
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")
    change(page, PASSWORD, "short")
    expect(page.get_by_label("New password", exact=True)).to_be_focused()
    change(page, PASSWORD, "four other words entirely")
    expect(page.get_by_role("status")).to_contain_text("Your password is changed.")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    sign_in(page, live_service, "four other words entirely", name="mo")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits")
    assert console.unexpected == []


def sign_in(page: Page, service: LiveService, password: str, *, name: str) -> None:
    page.goto(f"{service.url}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/queue")


def change(page: Page, current: str, new: str) -> None:
    page.locator("form.form").evaluate("form => form.noValidate = true")  # as a browser without these checks
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password, once more").fill(new)
    page.get_by_role("button", name="Change password").click()


@in_both_schemes
@on_sqlite
def test_a_reader_without_scripts_mends_the_form_and_sees_what_becomes_of_the_comment(
    narrow: Page, console: Console, live_service: LiveService
) -> None:
    comment(live_service, parent_id=comment(live_service, name="Leyla").id)
    narrow.goto(thread(live_service))
    assert_good(narrow)
    narrow.get_by_role("link", name="Reply to Leyla").click()
    expect(narrow.get_by_role("textbox", name="Comment")).to_be_in_viewport()
    narrow.get_by_role("textbox", name="Comment").fill("I agree.")
    narrow.get_by_role("button", name="Post Comment").click()
    expect(narrow.get_by_role("alert")).to_be_focused()
    assert_good(narrow)
    narrow.get_by_role("link", name="Please enter your name.").click()
    expect(narrow.get_by_role("textbox", name="Name")).to_be_focused()
    narrow.keyboard.type("Dan")
    narrow.get_by_role("textbox", name="Email").fill("dan@example.org")
    narrow.get_by_role("button", name="Post Comment").click()
    expect(narrow.get_by_role("heading", level=1)).to_have_text("Your comment is awaiting moderation")
    assert_good(narrow)
    assert console.unexpected == []


def comment(service: LiveService, **fields: Any) -> StoredComment:
    url = f"{service.site.origins[0]}/article"
    return a_comment(service.app, service.site, url=url, now=datetime.now(UTC), **fields)


@on_sqlite
def test_the_first_tab_leads_past_the_bar(page: Page, live_service: LiveService) -> None:
    page.goto(thread(live_service))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
