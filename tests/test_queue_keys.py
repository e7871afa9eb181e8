"""The queue by keys alone: every key that moderators know from WordPress, and when keys mean nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Console, assert_accessible
from tests.queue_pages import (
    a_pending,
    caught,
    decisions,
    expect_focus,
    expect_told,
    row_of,
    sign_in,
    some,
    statuses,
)
from tests.servers import LiveService
from tests.test_reports import report
from tests.test_undo import last_batch

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def press(page: Page, *keys: str) -> None:
    """One key after the other."""
    for key in keys:
        page.keyboard.press(key)


def test_one_key_decides_and_the_next_row_has_the_keyboard(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem", "Dan")
    sign_in(page, live_service)
    press(page, "j", "a")
    expect_focus(page, "Ben")
    press(page, "s")
    expect_focus(page, "Cem")
    press(page, "d")
    expect_focus(page, "Dan")
    expect(page).to_have_title("(1) Comments")
    expect_told(page, "1 comment approved. 1 comment marked as spam. 1 comment moved to the trash.")
    assert statuses(live_service, *comments) == ["approved", "spam", "trash", "pending"]
    press(page, "z", "z")
    expect_focus(page, "Ben")
    expect(page).to_have_title("(3) Comments")
    assert statuses(live_service, *comments) == ["approved", "pending", "pending", "pending"]
    assert console.unexpected == []


@pytest.mark.parametrize(
    ("view", "key"), [("approved", "u"), ("spam", "u"), ("spam", "z"), ("trash", "u"), ("trash", "z")]
)
def test_each_view_has_its_keys(page: Page, live_service: LiveService, view: str, key: str) -> None:
    comments = some(live_service, "Ana", "Ben", status=view)
    sign_in(page, live_service, query=f"?status={view}")
    press(page, "j", key)
    expect_focus(page, "Ben")
    expect(page.get_by_role("link", name="Pending 1")).to_be_visible()
    assert statuses(live_service, *comments) == ["pending", view]


@pytest.mark.parametrize(("view", "key", "status"), [("spam", "u", "pending"), ("trash", "s", "spam")])
def test_undo_comes_before_bringing_back(
    page: Page, live_service: LiveService, view: str, key: str, status: str
) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem", status=view)
    sign_in(page, live_service, query=f"?status={view}")
    press(page, "j", key)
    expect(page.locator(f'[data-count="{status}"]')).to_have_text("1")
    assert statuses(live_service, *comments) == [status, view, view]
    press(page, "z")
    expect_focus(page, "Ana")
    assert statuses(live_service, *comments) == [view] * 3
    press(page, "z")  # nothing is left to undo
    expect_focus(page, "Ben")
    expect(page.locator('[data-count="pending"]')).to_have_text("1")
    assert statuses(live_service, *comments) == ["pending", view, view]


def test_the_button_says_whether_it_takes_back_or_does_again(page: Page, live_service: LiveService) -> None:
    comments = some(live_service, "Ana", "Ben")
    sign_in(page, live_service)
    press(page, "j", "s")
    expect_told(page, "1 comment marked as spam.")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    without_scripts = "(form, batch) => { form.batch.value = batch; form.submit() }"
    page.locator(".notice__undo").evaluate(without_scripts, last_batch(live_service.app))
    again = page.get_by_role("button", name="Redo", exact=True)
    expect(again).to_be_visible()
    press(page, "j", "j", "a")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    expect_focus(page, "Ana")
    press(page, "z")
    expect(again).to_be_visible()
    again.click()
    expect(page.locator(".notice__text")).to_contain_text("Done again")
    assert statuses(live_service, *comments) == ["spam", "pending"]


def test_what_is_to_be_checked_is_never_brought_back_by_the_key_of_undo(
    page: Page, live_service: LiveService
) -> None:
    comments = caught(live_service, "Ana", "Ben", "Cem")
    sign_in(page, live_service, query="?status=check&sort=newest")
    press(page, "z")
    expect(page.get_by_text("There is nothing to undo.").first).to_be_visible()
    press(page, "j", "u")
    expect_focus(page, "Ben")
    press(page, "s")
    expect_focus(page, "Cem")
    expect(page.get_by_role("link", name="To check 1")).to_be_visible()
    press(page, "z")
    expect_focus(page, "Ben")
    press(page, "z")
    expect_focus(page, "Ana")
    expect(page.get_by_role("link", name="To check 3")).to_be_visible()
    assert statuses(live_service, *comments) == ["spam"] * 3
    press(page, "z")
    expect(page.get_by_text("There is nothing to undo.").first).to_be_visible()
    press(page, "Shift+x", "Shift+z")
    expect(page.get_by_text("That cannot be done here.").first).to_be_visible()
    assert statuses(live_service, *comments) == ["spam"] * 3


def test_reports_are_dismissed_by_a_key_and_come_back_by_another(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem", status="approved")
    for comment in comments[:2]:
        report(live_service.app, comment, headers={"Origin": live_service.site.origins[0]})
    sign_in(page, live_service, query="?status=reported")
    expect(page.get_by_role("article")).to_have_count(2)
    press(page, "j", "i")
    expect(page.get_by_role("article")).to_have_count(1)
    expect_focus(page, "Ben")
    expect_told(page, "The reports about 1 comment are dismissed.")
    expect(page.get_by_role("link", name="Reported 1")).to_be_visible()
    assert statuses(live_service, *comments) == ["approved"] * 3
    press(page, "z")
    expect(page.get_by_role("article")).to_have_count(2)
    expect_focus(page, "Ana")
    expect(row_of(page, "Ana").get_by_text("1 report", exact=True)).to_be_visible()
    press(page, "s")  # settles them too
    expect(page.get_by_role("link", name="Reported 1")).to_be_visible()
    press(page, "u")  # waits, and is reported as before
    expect(row_of(page, "Ben").locator(".chip--pending")).to_be_visible()
    expect(row_of(page, "Ben").get_by_text("1 report", exact=True)).to_be_visible()
    assert statuses(live_service, *comments) == ["spam", "pending", "approved"]
    assert_accessible(page)
    assert console.unexpected == []


def test_keys_go_up_and_down_and_mark_and_tick(page: Page, live_service: LiveService) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem")
    sign_in(page, live_service)
    press(page, "j", "j", "k")
    expect_focus(page, "Ana")
    press(page, "f")
    expect(row_of(page, "Ana").get_by_text("1 flag", exact=True)).to_be_visible()
    expect_focus(page, "Ana")
    press(page, "f")
    expect(row_of(page, "Ana").get_by_text("1 flag", exact=True)).to_have_count(0)
    press(page, "x", "j", "x")
    expect(page.get_by_text("2 selected")).to_be_visible()
    press(page, "Shift+a")
    expect_focus(page, "Cem")
    expect(page).to_have_title("(1) Comments")
    assert statuses(live_service, *comments) == ["approved", "approved", "pending"]
    press(page, "z")
    expect(page.get_by_role("article")).to_have_count(3)
    press(page, "Shift+x", "Shift+s")
    expect(page.get_by_role("heading", name="All done")).to_be_focused()
    assert statuses(live_service, *comments) == ["spam", "spam", "spam"]


def test_keys_mean_nothing_while_somebody_types_or_asks_the_browser(
    page: Page, live_service: LiveService
) -> None:
    some(live_service, "Ana", "Ben")
    sign_in(page, live_service)
    press(page, "j", "/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("asduzx?")
    expect(search).to_have_value("asduzx?")
    press(page, "Escape")
    expect_focus(page, "Ana")
    press(page, "Control+a", "Alt+s", "Meta+d")
    page.get_by_role("link", name="Account").focus()
    press(page, "a")
    expect(page.get_by_role("article")).to_have_count(2)
    assert decisions(live_service) == []


def test_a_key_that_is_held_decides_once(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben", "Cem")
    sign_in(page, live_service)
    page.keyboard.press("j")
    for _ in range(5):
        page.keyboard.down("a")
    page.keyboard.up("a")
    expect_told(page, "1 comment approved.")
    assert len(decisions(live_service)) == 1


def test_after_two_undos_the_keyboard_is_on_the_second_whichever_row_comes_last(
    page: Page, live_service: LiveService
) -> None:
    some(live_service, "Ana", "Ben", "Cem")
    sign_in(page, live_service)
    press(page, "j", "s", "s")
    expect_told(page, "2 comments marked as spam.")
    page.evaluate("""() => {
      const ask = window.fetch;
      let asked = 0;
      window.fetch = async (address, ...more) => {
        const answer = await ask(address, ...more);
        if (String(address).includes("id=") && !asked++) await new Promise((wait) => setTimeout(wait, 700));
        return answer;
      };
    }""")
    press(page, "z", "z")
    expect(page.get_by_role("article")).to_have_count(3)
    expect_focus(page, "Ana")


def test_the_sheet_tells_the_keys_and_turns_them_off_for_good(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben")
    sign_in(page, live_service)
    press(page, "?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Unapprove")).to_be_visible()
    assert_accessible(page)
    sheet.get_by_label("Single keys decide").uncheck()
    press(page, "Escape")
    expect(sheet).to_be_hidden()
    for _ in range(2):
        press(page, "j", "a", "?")
        expect(sheet).to_be_hidden()
        page.reload()
    assert decisions(live_service) == []
    page.get_by_role("button", name="Keyboard shortcuts").click()
    sheet.get_by_label("Single keys decide").check()
    press(page, "Escape", "j")
    expect_focus(page, "Ana")


def test_deleting_for_ever_asks_first(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben", status="trash")
    sign_in(page, live_service, query="?status=trash")
    press(page, "j", "d")
    ask = page.get_by_role("dialog", name="Delete 1 comment for ever?")
    expect(ask).to_be_visible()
    assert_accessible(page)
    press(page, "Escape")
    expect(page.get_by_role("article")).to_have_count(2)
    ask_twice_at_once = """() => {
      const { activeElement: row } = document;
      const press = () => row.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true }));
      press(); document.querySelector("[data-ask]").close(); press();
    }"""
    page.evaluate(ask_twice_at_once)
    ask.get_by_role("button", name="Delete for ever").click()
    expect_focus(page, "Ben")
    expect(page.get_by_role("link", name="Trash 1")).to_be_visible()


def test_keys_page_at_the_edges(page: Page, live_service: LiveService) -> None:
    for age in range(52):
        a_pending(live_service, minutes_ago=age, name=f"Reader {age}")
    sign_in(page, live_service)
    page.get_by_role("article").last.focus()
    press(page, "j")
    page.wait_for_url("**cursor=**")
    expect_focus(page, "Reader 50")
    press(page, "k")
    expect_focus(page, "Reader 49")


def test_words_are_edited_and_answered_in_the_row(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben")
    sign_in(page, live_service)
    press(page, "j", "q")
    row = row_of(page, "Ana")
    text = row.get_by_role("textbox", name="Text")
    expect(text).to_be_focused()
    assert_accessible(page)
    press(page, "Escape")
    expect_focus(page, "Ana")
    press(page, "q")
    text.fill("Better words.")
    press(page, "Control+Enter")
    expect(row.locator(".comment__body")).to_have_text("Better words.")
    expect(row.get_by_text("Edited", exact=True)).to_be_visible()
    press(page, "r")
    row.get_by_role("textbox").fill("Thank you.")
    press(page, "Control+Enter")
    expect_focus(page, "Ben")
    assert statuses(live_service, comments[0]) == ["approved"]
    assert console.unexpected == []
