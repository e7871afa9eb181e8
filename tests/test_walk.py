"""What a newcomer sees, as one walk: from `make demo` to the approved comment, and on after a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from demo.run import HEADLINE, MODERATOR
from tests.browser import Console
from tools.demo_process import DemoProcess, running_demo

TEXT = "I was there as a student, and I think of the people I met."
WAITING = "Your comment is awaiting moderation"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoProcess]:
    """A demo in its first start."""
    with running_demo(tmp_path) as process:
        yield process


@pytest.fixture
def other(browser: Browser) -> Iterator[BrowserContext]:
    """Another browser on another desk."""
    context = browser.new_context()
    yield context
    context.close()


def see_comments(page: Page, demo: DemoProcess, *, count: int) -> None:
    """Open the article, or load it again, and see its heading and so many comments."""
    page.reload() if page.url == demo.newspaper else page.goto(demo.newspaper)
    page.locator("comment-thread").scroll_into_view_if_needed()
    heading = f"{count} thought on “{HEADLINE}”"
    expect(page.locator("comment-thread").get_by_role("heading", level=2)).to_have_text(heading)


def post(page: Page) -> None:
    """Fill the form in and send it."""
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible()
    page.get_by_role("textbox", name="Comment", exact=True).fill(TEXT)
    page.get_by_role("textbox", name="Name", exact=True).fill("Ana")
    page.get_by_role("textbox", name="Email", exact=True).fill("ana@example.org")
    page.get_by_role("button", name="Post Comment").click()


def sign_in(page: Page, demo: DemoProcess) -> None:
    """Go to the queue and be asked for name and password."""
    page.goto(f"{demo.service}/queue")
    page.get_by_label("Name").fill(MODERATOR)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()


def test_a_comment_goes_from_the_form_through_the_queue_onto_the_page_and_survives_a_restart(
    demo: DemoProcess, page: Page, console: Console, other: BrowserContext
) -> None:
    see_comments(page, demo, count=2)
    post(page)
    expect(page.get_by_text(WAITING).first).to_be_visible()
    expect(page.get_by_text(TEXT)).to_be_visible()
    see_comments(page, demo, count=2)
    expect(page.get_by_text(WAITING).first).to_be_visible()
    expect(page.get_by_text(TEXT)).to_be_visible()

    stranger = other.new_page()
    see_comments(stranger, demo, count=2)
    expect(stranger.get_by_text(TEXT)).to_have_count(0)

    moderator = other.new_page()
    sign_in(moderator, demo)
    expect(moderator).to_have_title(re.compile(r"\(1\)"))
    expect(moderator.get_by_text(TEXT)).to_be_visible()
    expect(moderator.get_by_role("link", name=HEADLINE).first).to_have_attribute("href", demo.newspaper)
    expect(moderator.locator(f'a[href^="{demo.newspaper}#comment-"]').first).to_be_visible()
    moderator.get_by_role("button", name="Approve: comment by Ana").click()
    expect(moderator.get_by_text(TEXT)).to_have_count(0)

    see_comments(page, demo, count=3)
    expect(page.get_by_text(WAITING)).to_have_count(0)
    see_comments(stranger, demo, count=3)
    expect(stranger.get_by_text(TEXT)).to_be_visible()

    assert demo.stop() == 0
    demo.start_demo()
    see_comments(page, demo, count=3)
    moderator.goto(f"{demo.service}/queue?status=approved")
    expect(moderator.get_by_text(TEXT)).to_be_visible()
    assert console.unexpected == []
