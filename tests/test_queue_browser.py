"""The queue in a real browser: by thumb, with scripts and without, in light and dark, small and magnified."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import Console, assert_accessible, overflow
from tests.factories import StoredComment
from tests.queue_pages import a_pending, decisions, row_of, sign_in, some, statuses
from tests.servers import LiveService

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SMALLEST_TARGET = 44
LONG = "Donaudampfschifffahrtsgesellschaft" * 7


@pytest.fixture
def waiting(live_service: LiveService) -> list[StoredComment]:
    """Three comments that wait: one is long, one is hostile."""
    return [
        a_pending(live_service, name="Ana"),
        a_pending(live_service, name=LONG[:245], text="A sentence. " * 200),
        a_pending(live_service, name="<b>Dan</b>"),
    ]


def test_without_scripts_everything_works_too(
    browser: Browser, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_service)
    notice = page.get_by_role("status").first
    page.get_by_role("button", name="Spam: comment by Ana").click()
    expect(notice).to_contain_text("1 comment marked as spam.")
    notice.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("3 comments wait for you")
    page.get_by_role("link", name="Select all on this page").click()
    page.get_by_role("button", name="Trash", exact=True).click()
    expect(notice).to_contain_text("3 comments moved to the trash.")
    page.get_by_role("link", name="Trash").click()
    row_of(page, "Ana").get_by_role("button", name="Delete for ever").click()
    page.get_by_role("button", name="Delete 1 comment for ever").click()
    expect(notice).to_contain_text("1 comment deleted for ever.")
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_have_count(0)
    assert statuses(live_service, *waiting[1:]) == ["trash", "trash"]
    context.close()


def test_without_scripts_the_menu_marks_and_the_filters_narrow(
    browser: Browser, live_service: LiveService
) -> None:
    some(live_service, "Ana", "Ben")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 700})
    page = context.new_page()
    sign_in(page, live_service)
    row_of(page, "Ana").locator(".menu > summary").click()
    row_of(page, "Ana").get_by_role("button", name="Flag", exact=True).click()
    page.locator(".filters__summary").click()
    page.get_by_label("Flagged").check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("link", name="Remove the filter “Flagged”").click()
    expect(page.get_by_role("article")).to_have_count(2)
    context.close()


def test_what_narrows_the_list_is_shown_and_taken_away_one_by_one(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service, query=f"?article={waiting[0].thread_id}&author={waiting[0].id}&letters=1")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Remove the filter “Letters to the editor”").click()
    expect(page.get_by_role("article")).to_have_count(1)
    assert_accessible(page)
    page.get_by_role("link", name="Remove all filters").click()
    expect(page.get_by_role("article")).to_have_count(3)
    page.get_by_role("link", name="3 wait on A bridge for the harbour").first.click()
    expect(
        page.get_by_role("link", name="Remove the filter “Article: A bridge for the harbour”")
    ).to_be_visible()


def test_enter_in_a_tick_box_decides_nothing(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service)
    box = page.get_by_label("Select the comment by Ana")
    box.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(box).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()
    assert decisions(live_service) == []


def test_a_double_click_is_one_decision(
    page: Page, console: Console, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service)
    page.get_by_role("button", name="Approve: comment by Ana").dblclick()
    expect(page).to_have_title("(2) Comments")
    assert len(decisions(live_service)) == 1
    assert console.unexpected == []


def test_what_decides_can_be_magnified(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    sign_in(page, live_service)
    for width, height in ((640, 400), (320, 200)):  # what is left of 1280 by 800 at 200 % and at 400 %
        page.set_viewport_size({"width": width, "height": height})
        page.get_by_role("button", name="Approve: comment by Ana").scroll_into_view_if_needed()
        expect(page.get_by_role("button", name="Approve: comment by Ana")).to_be_in_viewport()
        assert overflow(page) <= 0


def test_what_decides_is_large_enough_for_a_thumb_and_always_at_hand(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    sign_in(page, live_service)
    page.get_by_label("Select the comment by Ana").check()
    bulk = page.get_by_role("group", name="Decide about all selected comments")
    expect(bulk.get_by_role("button", name="Approve")).to_be_in_viewport()
    page.locator(".menu > summary").first.click()
    page.locator(".filters__summary").click()
    buttons = ".act:visible, .quiet:visible, .menu__item:visible, .row__tick, .filters__box"
    for control in page.locator(f"{buttons}, .bar__link, .views__link").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= SMALLEST_TARGET, control.inner_text()


def test_nothing_moves_under_the_thumb(
    page: Page, live_service: LiveService, waiting: list[StoredComment]
) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    sign_in(page, live_service)
    row, button = row_of(page, "Ana"), page.locator(".filters__summary")
    before = place_of(row), place_of(button)
    page.get_by_label("Select the comment by Ana").check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    assert place_of(row) == before[0]
    button.click()
    expect(page.get_by_label("Flagged")).to_be_visible()
    assert place_of(button) == before[1]


def place_of(thing: Locator) -> list[float]:
    """Where it stands on the page, wherever that is scrolled to."""
    where: list[float] = thing.evaluate(
        "one => (({ left, top }) => [left, top + scrollY].map(Math.round))(one.getBoundingClientRect())"
    )
    return where
