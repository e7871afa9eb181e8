"""The queue in a real browser: by thumb, by keys, with scripts and without, in light and dark."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.vocabulary import Status
from tests.browser import Console, assert_accessible
from tests.factories import PASSWORD, StoredComment, a_comment, a_moderator, a_site
from tests.servers import LiveService

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SMALLEST_TARGET = 44
LONG = "Donaudampfschifffahrtsgesellschaft" * 7


@pytest.fixture
def waiting(live_service: LiveService) -> list[StoredComment]:
    """Three comments that wait: one answers another, one is long, one is hostile."""
    texts = ({"name": "Ana"}, {"name": LONG[:245], "text": "A sentence. " * 200}, {"name": "<b>Dan</b>"})
    return [a_pending(live_service, **fields) for fields in texts]


def a_pending(service: LiveService, **fields: str) -> StoredComment:
    origin = service.site.origins[0]
    now = datetime.now(UTC)
    return a_comment(service.app, service.site, status="pending", url=f"{origin}/article", now=now, **fields)


def sign_in(page: Page, service: LiveService) -> None:
    """Come in by the sign-in page."""
    moderator = a_moderator(service.app)
    page.goto(f"{service.url}/queue")
    page.get_by_label("Name").fill(moderator.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/queue*")


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_all_are_ticked_counted_and_approved_by_three_clicks(
    page: Page, console: Console, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service)
    expect(page).to_have_title("(3) Comments")
    bulk = page.get_by_role("group", name="Decide about all selected comments")
    expect(bulk.get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Select all on this page").click()
    expect(bulk.get_by_text("3 selected")).to_be_visible()
    bulk.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_have_text("3 comments approved.")
    expect(page.get_by_role("status")).to_be_focused()
    expect(page.get_by_role("heading", name="All done")).to_be_visible()
    assert console.unexpected == []


@on_sqlite
def test_without_scripts_everything_works_too(
    browser: Browser, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_service)
    page.get_by_role("button", name="Spam: comment by Ana").click()
    expect(page.get_by_role("status")).to_have_text("1 comment marked as spam.")
    page.get_by_role("link", name="Select all on this page").click()
    page.get_by_role("button", name="Trash", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("2 comments moved to the trash.")
    page.get_by_role("link", name="Spam").click()
    page.get_by_role("button", name="Not spam: comment by Ana").click()
    expect(page.get_by_role("status")).to_have_text("1 comment is no longer spam and waits again.")
    context.close()


@on_sqlite
def test_by_keys_alone_a_comment_is_ticked_and_enter_there_decides_nothing(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service)
    box = page.get_by_label("Select the comment by Ana")
    box.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(box).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.get_by_role("status")).to_have_count(1)  # the count of ticks; nothing was sent
    expect(page).to_have_title("(3) Comments")


@on_sqlite
def test_a_double_click_is_one_decision(
    page: Page, console: Console, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service)
    page.get_by_role("button", name="Approve: comment by Ana").dblclick()
    expect(page.get_by_role("status")).to_have_text("1 comment approved.")
    expect(page).to_have_title("(2) Comments")
    assert console.unexpected == []


@on_sqlite
def test_an_email_is_revealed_in_its_row(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    a_pending(live_service, name="Eva", email="eva@example.org")
    sign_in(page, live_service)
    page.get_by_role("button", name="Reveal the email of Eva").click()
    row = page.get_by_role("listitem").filter(has_text="eva@example.org")
    expect(row.get_by_role("heading", name="Eva")).to_be_in_viewport()
    page.goto(f"{live_service.url}/queue")
    expect(page.get_by_text("eva@example.org")).to_have_count(0)


@on_sqlite
def test_whoever_is_second_gets_a_page_that_tells_what_happened(
    page: Page, console: Console, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service)
    with live_service.app.app_context():
        change = Change(waiting[0].id, waiting[0].version, Status.SPAM)
        decide(change, by=None, now=datetime.now(UTC))
    page.get_by_role("button", name="Approve: comment by Ana").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Somebody was faster")
    assert_accessible(page)
    page.get_by_role("link", name="Show it").click()
    expect(page.get_by_role("heading", name="Ana")).to_be_in_viewport()
    assert console.unexpected == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 800, 1280])
@on_sqlite
def test_the_queue_fits_every_screen_and_everybody(
    page: Page, live_service: LiveService, waiting: list[StoredComment], width: int, scheme: str
) -> None:
    a_site(live_service.app, key="second", name=LONG)
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    sign_in(page, live_service)
    for query in ("", "?tick=all", "?status=all", "?status=spam"):
        page.goto(f"{live_service.url}/queue{query}")
        assert overflow(page) <= 0
        assert_accessible(page)


@on_sqlite
def test_what_decides_is_large_enough_for_a_thumb_and_always_at_hand(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    sign_in(page, live_service)
    page.get_by_label("Select the comment by Ana").check()
    bulk = page.get_by_role("group", name="Decide about all selected comments")
    expect(bulk.get_by_role("button", name="Approve")).to_be_in_viewport()
    for control in page.locator(".act:visible, .row__tick, .bar__link, .quiet:visible, .views__link").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= SMALLEST_TARGET
