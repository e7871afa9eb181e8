"""The same walk where the service lives below a path: `/comments/`, behind Debian's nginx."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from comments_service.people.accounts import add_moderator
from tests.browser import Console
from tests.factories import PASSWORD
from tests.servers import HostPage, LiveService

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TEXT = "It will be a fine bridge."


@pytest.fixture
def moderator(proxied_service: LiveService) -> str:
    """The name of somebody who may sign in."""
    with proxied_service.app.app_context():
        return add_moderator("mo", PASSWORD, now=datetime.now(UTC)).name


def fill_in(page: Page) -> None:
    page.get_by_role("textbox", name="Comment", exact=True).fill(TEXT)
    page.get_by_role("textbox", name="Name", exact=True).fill("Ana")
    page.get_by_role("textbox", name="Email", exact=True).fill("ana@example.org")
    page.get_by_role("button", name="Post Comment").click()


def sign_in(page: Page, service: LiveService, name: str) -> None:
    page.goto(f"{service.url}/queue")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_comment_is_sent_approved_and_shown_and_everything_stays_below_the_path(
    page: Page, console: Console, proxied_service: LiveService, host_page: HostPage, moderator: str
) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.goto(host_page.url())
    fill_in(page)
    expect(page.get_by_text("Your comment is awaiting moderation").first).to_be_visible()
    sign_in(page, proxied_service, moderator)
    page.get_by_role("button", name="Approve: comment by Ana").click()
    expect(page.get_by_text("1 comment approved.")).to_be_visible()
    page.get_by_role("link", name="Approved").click()
    page.get_by_role("link", name="A bridge for the harbour", exact=True).click()
    expect(page.get_by_role("heading", level=2)).to_have_text("One thought on “A bridge for the harbour”")
    assert all(url.startswith((f"{proxied_service.url}/", host_page.origin)) for url in asked)
    assert console.unexpected == []


def test_pages_without_scripts_work_below_the_path(
    page: Page, console: Console, proxied_service: LiveService, host_page: HostPage
) -> None:
    page.goto(f"{proxied_service.url}/sites/demo/thread?url={host_page.url()}")
    fill_in(page)
    expect(page.get_by_text("Your comment is awaiting moderation").first).to_be_visible()
    assert page.url.startswith(f"{proxied_service.url}/status/")
    assert console.unexpected == []


def test_signing_out_works_below_the_path(page: Page, proxied_service: LiveService, moderator: str) -> None:
    sign_in(page, proxied_service, moderator)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto(f"{proxied_service.url}/queue")
    assert page.url.startswith(f"{proxied_service.url}/login")
