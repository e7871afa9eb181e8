"""The settings pages in a real browser: on every screen, by keys, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from comments_service.settings import Settings
from comments_service.vocabulary import Status
from tests.browser import Console, assert_good, in_both_schemes
from tests.conftest import live
from tests.factories import PASSWORD, a_moderator, a_site
from tests.servers import HostPage, LiveService, listening_socket
from tests.test_thresholds import decided

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def service(settings: Settings, host_page: HostPage) -> Iterator[LiveService]:
    """The service, allowed to call the host page on this machine."""
    with listening_socket() as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        changed = {"public_url": url, "outbound_allow": "127.0.0.0/8"}
        yield from live(Settings(**dict(settings) | changed), listener, host_page)


def open_page(page: Page, service: LiveService, path: str) -> None:
    """Go to a page of the settings, signing in on the way."""
    a_moderator(service.app)
    page.goto(f"{service.url}/queue")
    page.get_by_label("Name").fill("mo")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/queue*")
    page.goto(f"{service.url}{path}")


def check(page: Page, url: str) -> None:
    """Let one page be looked at."""
    page.get_by_label("Address of an article").fill(url)
    page.get_by_role("button", name="Check this page").click()


def test_without_scripts_a_page_is_checked_and_a_text_changed(
    browser: Browser, service: LiveService, host_page: HostPage
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    open_page(page, service, "/settings/demo/embed")
    host_page.html = host_page.html.replace('data-site="demo"', 'data-site="other"')
    check(page, host_page.url())
    expect(page.get_by_role("heading", name="One thing keeps comments from working.")).to_be_visible()
    expect(page.get_by_text('data-site="demo"').first).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("link", name="Words").click()
    page.get_by_role("link", name="Change form.title", exact=True).click()
    page.get_by_role("textbox", name="Text", exact=True).fill("Say something")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved. It holds from now on.")
    page.context.close()


def test_the_lines_are_copied_by_a_button(page: Page, console: Console, service: LiveService) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, service, "/settings/demo/embed")
    page.get_by_role("button", name="Copy: Lines for your pages").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'<script src="{service.url}/embed.js" data-site="demo" async></script>' in copied
    assert console.unexpected == []


def test_what_is_found_or_refused_is_led_to(page: Page, service: LiveService, host_page: HostPage) -> None:
    open_page(page, service, "/settings/demo/embed")
    host_page.csp = "default-src 'none'; script-src 'self'"
    check(page, host_page.url())
    expect(page.get_by_role("heading", name="2 things keep comments from working.")).to_be_focused()
    page.goto(f"{service.url}/settings/demo")
    page.get_by_label("Origins of its pages").fill("news\nhttps://x.example.org/path")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Line 2:")).to_be_visible()


@in_both_schemes
def test_all_words_fit_the_smallest_screen(narrow: Page, console: Console, service: LiveService) -> None:
    open_page(narrow, service, "/settings/demo/words")
    assert_good(narrow)
    assert console.unexpected == []


def test_the_secret_of_signed_names_is_shown_and_copied(page: Page, service: LiveService) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, service, "/settings/demo/fields")
    page.get_by_label("Names signed by your site").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The secret that names are signed with").first.click()
    secret = page.locator(".code__text").inner_text()
    page.get_by_role("button", name="Copy: The secret").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert_good(page)


@in_both_schemes
def test_the_lines_of_thresholds_are_set_off_from_the_bars_below_them(
    page: Page, scheme: Literal["light", "dark"], service: LiveService
) -> None:
    page.emulate_media(color_scheme=scheme)
    site = a_site(service.app, key="other")
    decided(service.app, site, 50, Status.APPROVED)
    open_page(page, service, "/settings/other/spam?hold=52&refuse=0")
    seen = page.locator(".chart line:not(.chart__base)").evaluate_all("""lines => lines.map(line => {
        const {stroke, strokeWidth, strokeDasharray} = getComputedStyle(line);
        return {stroke, width: parseInt(strokeWidth), isWhole: strokeDasharray === "none"};
    })""")
    ground = page.locator(".panel").first.evaluate("panel => getComputedStyle(panel).backgroundColor")
    below, line = seen
    assert (below["stroke"], below["isWhole"], line["isWhole"]) == (ground, True, False)
    assert below["width"] >= line["width"] + 4
    assert line["stroke"] != ground
