"""Second factor, people and invitations in a browser, from the first step to the last."""

from __future__ import annotations

from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Page, expect

from comments_service.vocabulary import Role
from tests.browser import Console
from tests.factories import PASSWORD, a_moderator
from tests.servers import LiveService

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sign_in(page: Page, service: LiveService, name: str) -> None:
    """Come in by the password."""
    page.goto(f"{service.url}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@on_sqlite
def test_a_second_factor_is_set_up_and_asked_for(
    page: Page, console: Console, live_service: LiveService
) -> None:
    a_moderator(live_service.app, name="Ana")
    sign_in(page, live_service, "Ana")
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Set up a second factor").click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    totp = pyotp.TOTP((page.locator(".secret").text_content() or "").replace(" ", ""))
    page.get_by_label("Code of the app").fill(totp.at(datetime.now(UTC)))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    paper = page.locator(".codes li").first.text_content() or ""
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Recovery codes, or turn it off").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    sign_in(page, live_service, "Ana")
    expect(page.get_by_label("Code")).to_be_focused()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not good")
    page.get_by_label("Code").fill(paper)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/queue")
    assert console.unexpected == []


@on_sqlite
def test_somebody_is_invited_comes_in_and_gets_another_role(
    page: Page, console: Console, live_service: LiveService
) -> None:
    a_moderator(live_service.app, name="Olga")
    a_moderator(live_service.app, name="A name without any blank" * 4, role=Role.VIEWER)
    sign_in(page, live_service, "Olga")
    page.goto(f"{live_service.url}/settings/demo/people")
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("Link of the invitation")
    expect(link).to_be_focused()
    address = link.input_value()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == address
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(address)
    page.get_by_label("Name").fill("Ben")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_contain_text("Your account is ready")
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("This invitation has ended")
    sign_in(page, live_service, "Olga")
    page.goto(f"{live_service.url}/settings/people")
    page.locator("summary").last.click()
    page.get_by_label("Role of Ben").select_option("viewer")
    page.locator("details[open]").get_by_role("button", name="Give role").click()
    expect(page.get_by_role("status")).to_contain_text("The role is given.")
    expect(page.get_by_role("status")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_have_text("Taken back: it is as it was before.")
    assert console.unexpected == []
