"""Account, second factor, people and invitations in a browser, on the smallest screen, by plain forms."""

from __future__ import annotations

from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Page, expect

from comments_service.vocabulary import Role
from tests.browser import Console, assert_accessible
from tests.factories import PASSWORD, a_moderator
from tests.servers import LiveService

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
in_both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def narrow(page: Page, scheme: str) -> Page:
    """A page on the smallest screen."""
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    return page


def assert_good(page: Page) -> None:
    """The page fits the screen, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert_accessible(page)


def sign_in(page: Page, service: LiveService, name: str) -> None:
    """Come in by the password."""
    page.goto(f"{service.url}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@in_both_schemes
@on_sqlite
def test_a_second_factor_is_set_up_and_asked_for(
    narrow: Page, console: Console, live_service: LiveService
) -> None:
    a_moderator(live_service.app, name="Ana")
    sign_in(narrow, live_service, "Ana")
    narrow.get_by_role("link", name="Account").click()
    assert_good(narrow)
    narrow.get_by_role("link", name="Set up a second factor").click()
    assert_good(narrow)
    narrow.get_by_label("Current password").fill(PASSWORD)
    narrow.get_by_role("button", name="Continue").click()
    expect(narrow.get_by_role("img", name="QR code")).to_be_visible()
    assert_good(narrow)
    totp = pyotp.TOTP((narrow.locator(".secret").text_content() or "").replace(" ", ""))
    narrow.get_by_label("Code of the app").fill(totp.at(datetime.now(UTC)))
    narrow.get_by_role("button", name="Turn it on").click()
    expect(narrow.locator(".codes li")).to_have_count(10)
    assert_good(narrow)
    paper = narrow.locator(".codes li").first.text_content() or ""
    narrow.get_by_role("link", name="I have kept them").click()
    narrow.get_by_role("link", name="Recovery codes, or turn it off").click()
    assert_good(narrow)
    narrow.get_by_role("button", name="Sign out", exact=True).click()
    sign_in(narrow, live_service, "Ana")
    expect(narrow.get_by_label("Code")).to_be_focused()
    narrow.get_by_label("Code").fill("000000")
    narrow.get_by_role("button", name="Sign in").click()
    expect(narrow.get_by_role("alert")).to_contain_text("This code is not good")
    assert_good(narrow)
    narrow.get_by_label("Code").fill(paper)
    narrow.get_by_role("button", name="Sign in").click()
    narrow.wait_for_url("**/queue")
    assert console.unexpected == []


@in_both_schemes
@on_sqlite
def test_somebody_is_invited_comes_in_and_gets_another_role(
    narrow: Page, console: Console, live_service: LiveService
) -> None:
    a_moderator(live_service.app, name="Olga")
    a_moderator(live_service.app, name="A name without any blank" * 4, role=Role.VIEWER)
    sign_in(narrow, live_service, "Olga")
    narrow.goto(f"{live_service.url}/settings/demo/people")
    assert_good(narrow)
    narrow.get_by_role("button", name="Make the link").click()
    link = narrow.get_by_label("Link of the invitation")
    expect(link).to_be_focused()
    assert_good(narrow)
    address = link.input_value()
    narrow.context.grant_permissions(["clipboard-read", "clipboard-write"])
    narrow.get_by_role("button", name="Copy the link").click()
    expect(narrow.get_by_role("button", name="Copied")).to_be_visible()
    assert narrow.evaluate("navigator.clipboard.readText()") == address
    narrow.get_by_role("button", name="Sign out", exact=True).click()
    narrow.goto(address)
    assert_good(narrow)
    narrow.get_by_label("Name").fill("Ben")
    narrow.get_by_label("Password", exact=True).fill(PASSWORD)
    narrow.get_by_label("Password, once more").fill(PASSWORD)
    narrow.get_by_role("button", name="Accept").click()
    expect(narrow.get_by_role("status")).to_contain_text("Your account is ready")
    narrow.goto(address)
    expect(narrow.get_by_role("heading", level=1)).to_have_text("This invitation has ended")
    assert_good(narrow)
    sign_in(narrow, live_service, "Olga")
    narrow.goto(f"{live_service.url}/settings/people")
    narrow.locator("summary").last.click()
    assert_good(narrow)
    narrow.get_by_label("Role of Ben").select_option("viewer")
    narrow.locator("details[open]").get_by_role("button", name="Give role").click()
    expect(narrow.get_by_role("status")).to_have_text("The role is given.")
    expect(narrow.get_by_role("status")).to_be_focused()
    assert_good(narrow)
    narrow.get_by_role("button", name="Undo").click()
    expect(narrow.get_by_role("status")).to_have_text("Taken back: it is as it was before.")
    assert console.unexpected == []
