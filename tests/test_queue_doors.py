"""What is done seldom is as quick as the rest: marks, moves, bans, closed articles, the whole file."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change, Verb
from comments_service.storage.database import db
from comments_service.storage.decisions import Standing
from comments_service.storage.models import Comment, Thread
from tests.browser import Console, assert_accessible
from tests.factories import StoredComment
from tests.queue_pages import a_pending, decisions, expect_focus, expect_told, row_of, sign_in, some, statuses
from tests.servers import LiveService
from tests.test_queue_keys import press

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NOT_HERE = "That cannot be done here."


def come_in(page: Page, service: LiveService, query: str = "") -> None:
    """Sign in, and mark the page: a reload would lose the mark."""
    sign_in(page, service, query=query)
    page.evaluate("window.isStill = true")


def is_still(page: Page) -> bool:
    """Whether the page was not loaded anew since."""
    return bool(page.evaluate("window.isStill"))


def places(service: LiveService, *comments: StoredComment) -> list[str]:
    """Below which articles these stand now."""
    with service.app.app_context():
        found = select(Comment.id, Thread.url).join(Thread, Thread.id == Comment.thread_id)
        urls = {row.id: row.url.rpartition("/")[2] for row in db.session.execute(found)}
        db.session.rollback()
        return [urls[comment.id] for comment in comments]


def standings(service: LiveService) -> list[tuple[str, str, bool]]:
    """Every ban and trust there was, and whether it holds."""
    with service.app.app_context():
        rows = db.session.scalars(select(Standing).order_by(Standing.id)).all()
        found = [(row.kind, row.mark, row.lifted_at is None) for row in rows]
        db.session.rollback()
        return found


def elsewhere(service: LiveService) -> str:
    """An article that has no comments yet."""
    return f"{service.site.origins[0]}/elsewhere"


def chip(page: Page, name: str, text: str) -> Locator:
    """A mark in somebody's row."""
    return row_of(page, name).locator(".row__head .chip").get_by_text(text, exact=True)


def tick(page: Page, *names: str) -> None:
    """Tick the comments of these people."""
    for name in names:
        page.get_by_label(f"Select the comment by {name}", exact=True).check()


def bulk_menu(page: Page) -> Locator:
    """The menu of the bar, opened."""
    bulk = page.get_by_role("group", name="Decide about all selected comments")
    bulk.get_by_text("More", exact=True).click()
    return bulk


MARKS = [("p", "Pinned", "Pin to the top"), ("c", "Editors’ pick", "Make it a pick of the editors")]


@pytest.mark.parametrize(("key", "mark", "button"), MARKS)
def test_a_key_or_a_button_marks_one_comment_and_the_key_takes_it_off_again(
    page: Page, console: Console, live_service: LiveService, key: str, mark: str, button: str
) -> None:
    some(live_service, "Ana", "Ben", status="approved")
    come_in(page, live_service, "?status=approved")
    press(page, "j", key)
    expect(chip(page, "Ana", mark)).to_be_visible()
    expect_focus(page, "Ana")
    press(page, key)
    expect(chip(page, "Ana", mark)).to_have_count(0)
    row_of(page, "Ben").locator(".menu > summary").click()
    assert_accessible(page)
    row_of(page, "Ben").get_by_role("button", name=button).click()
    expect(chip(page, "Ben", mark)).to_be_visible()
    press(page, "z")
    expect(chip(page, "Ben", mark)).to_have_count(0)
    assert is_still(page)
    assert console.unexpected == []


@pytest.mark.parametrize(("key", "mark"), [("p", "Pinned"), ("c", "Editors’ pick"), ("f", "1 flag")])
def test_shift_marks_all_that_are_ticked_and_one_undo_is_for_all(
    page: Page, live_service: LiveService, key: str, mark: str
) -> None:
    some(live_service, "Ana", "Ben", "Cem", status="approved")
    come_in(page, live_service, "?status=approved")
    tick(page, "Ana", "Cem")
    press(page, f"Shift+{key}")
    for name, count in {"Ana": 1, "Ben": 0, "Cem": 1}.items():
        expect(chip(page, name, mark)).to_have_count(count)
    press(page, f"Shift+{key}")
    expect(page.locator(".row .chip").get_by_text(mark, exact=True)).to_have_count(0)
    press(page, "z")
    expect(page.locator(".row .chip").get_by_text(mark, exact=True)).to_have_count(2)
    press(page, "z")
    expect(page.locator(".row .chip").get_by_text(mark, exact=True)).to_have_count(0)
    assert is_still(page)


def test_the_menu_of_the_bar_marks_those_that_it_fits(page: Page, live_service: LiveService) -> None:
    ana, _ = some(live_service, "Ana", "Ben", status="approved")
    with (
        live_service.app.app_context()
    ):  # by a key, both would be told in one sentence if the bar came quickly
        decide(Change(ana.id, ana.version, Verb.PIN), by=None, now=datetime.now(UTC))
    come_in(page, live_service, "?status=approved")
    expect(chip(page, "Ana", "Pinned")).to_be_visible()
    press(page, "Shift+x")
    menu = bulk_menu(page)
    assert_accessible(page)
    menu.get_by_role("button", name="Pin to the top").click()
    expect(page.locator(".row .chip").get_by_text("Pinned", exact=True)).to_have_count(2)
    expect_told(page, "1 comment pinned above the others.")
    bulk_menu(page).get_by_role("button", name="Unpin").click()
    expect(page.locator(".row .chip").get_by_text("Pinned", exact=True)).to_have_count(0)


def test_what_waits_is_neither_pinned_nor_picked_by_a_key(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben")
    come_in(page, live_service)
    press(page, "j", "p", "c", "x", "Shift+p", "Shift+c")
    expect_told(page, NOT_HERE)
    for key in ("m", "b", "o"):
        press(page, "x" if key == "m" else "j", f"Shift+{key}")
    expect_told(page, "Nothing was selected, so nothing was changed.")
    assert is_still(page)


# --- moves ---


def test_a_key_moves_a_comment_by_a_form_in_its_row_that_tells_what_is_wrong(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben")
    come_in(page, live_service)
    press(page, "j", "m")
    field = row_of(page, "Ana").get_by_role("textbox", name="Address of the other article")
    expect(field).to_be_focused()
    page.keyboard.type("https://evil.example/mpbocz")
    press(page, "Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("This is not an address of this site.")
    expect(field).to_be_focused()
    expect(field).to_have_value("https://evil.example/mpbocz")
    assert_accessible(page)
    field.fill(elsewhere(live_service))
    press(page, "Enter")
    expect(field).to_have_count(0)
    expect_focus(page, "Ana")
    expect_told(page, "The comment stands below the other article now, with all its replies.")
    assert places(live_service, *comments) == ["elsewhere", "article"]
    press(page, "z")
    expect_focus(page, "Ana")
    expect_told(page, "Taken back: it is as it was before.")
    assert places(live_service, *comments) == ["article", "article"]
    assert is_still(page)
    assert console.unexpected == []


def test_a_comment_that_moves_away_leaves_the_list_of_its_article(
    page: Page, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben")
    come_in(page, live_service, f"?article={comments[0].thread_id}")
    row_of(page, "Ana").locator(".menu > summary").click()
    row_of(page, "Ana").get_by_role("link", name="Move to another article").click()
    row_of(page, "Ana").get_by_role("textbox").fill(elsewhere(live_service))
    press(page, "Enter")
    expect_focus(page, "Ben")
    expect(page.get_by_role("article")).to_have_count(1)
    press(page, "z")
    expect_focus(page, "Ana")
    assert places(live_service, *comments) == ["article", "article"]
    assert is_still(page)


def test_shift_moves_all_that_are_ticked_by_one_form(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem")
    come_in(page, live_service)
    tick(page, "Ana", "Cem")
    press(page, "Shift+m")
    sheet = page.get_by_role("dialog", name="Move 2 comments to another article")
    expect(sheet.get_by_text("Ana, Cem")).to_be_visible()
    field = sheet.get_by_role("textbox")
    expect(field).to_be_focused()
    assert_accessible(page)
    field.fill("https://evil.example/")
    press(page, "Enter")
    expect(field).to_have_accessible_description("This is not an address of this site.")
    assert_accessible(page)
    field.fill(elsewhere(live_service))
    press(page, "Enter")
    expect(sheet).to_be_hidden()
    expect_told(page, "2 comments stand below the other article now, with all their replies.")
    assert places(live_service, *comments) == ["elsewhere", "article", "elsewhere"]
    press(page, "z")
    expect_told(page, "2 actions taken back: all is as it was before.")
    assert places(live_service, *comments) == ["article"] * 3
    assert is_still(page)
    assert console.unexpected == []


# --- authors ---


def test_a_key_bans_an_author_by_a_form_in_the_row_and_lifts_it_there(
    page: Page, console: Console, live_service: LiveService
) -> None:
    some(live_service, "Ana", "Ben")
    come_in(page, live_service)
    press(page, "j", "b")
    row = row_of(page, "Ana")
    expect(row.get_by_role("radio").first).to_be_focused()
    assert_accessible(page)
    row.get_by_label("Until the end of").fill("2020-01-01")
    row.get_by_label("Note for the other moderators").fill("Insults: mpbo.")
    row.get_by_role("button", name="Ban", exact=True).click()
    expect(row.get_by_label("Until the end of")).to_have_accessible_description("This day has passed.")
    expect(row.get_by_label("Until the end of")).to_be_focused()
    expect(row.get_by_label("Note for the other moderators")).to_have_value("Insults: mpbo.")
    row.get_by_label("Until the end of").fill("")
    row.get_by_role("button", name="Ban", exact=True).click()
    expect_focus(page, "Ana")
    expect_told(page, "The author is banned.")
    press(page, "b")
    row.get_by_role("button", name="Lift what holds for").click()
    expect_told(page, "That no longer holds.")
    assert standings(live_service) == [("ban", "receipt", False)]
    press(page, "z")
    expect_told(page, "Taken back: it is as it was before.")
    assert standings(live_service) == [("ban", "receipt", True)]
    assert is_still(page)
    assert console.unexpected == []


def test_a_trace_that_is_missing_is_told_at_the_choice(page: Page, live_service: LiveService) -> None:
    comment = a_pending(live_service, name="Ana")
    with live_service.app.app_context():
        db.session.get_one(Comment, comment.id).network_hash = None
        db.session.commit()
    come_in(page, live_service)
    press(page, "j", "b")
    page.get_by_label("the network").check()
    page.get_by_role("button", name="Trust", exact=True).click()
    choice = page.get_by_role("radiogroup", name="Known by")
    expect(choice).to_have_attribute("aria-invalid", "true")
    expect(choice).to_have_accessible_description(re.compile("came without this trace"))
    expect(page.get_by_label("the network")).to_be_focused()
    assert_accessible(page)


def test_shift_judges_the_authors_of_all_that_are_ticked(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben", "Cem")
    come_in(page, live_service)
    press(page, "Shift+x", "Shift+b")
    sheet = page.get_by_role("dialog", name="Ban or trust the authors of 3 comments")
    sheet.get_by_label("the email", exact=True).check()
    assert_accessible(page)
    sheet.get_by_role("button", name="Trust", exact=True).click()
    expect(sheet).to_be_hidden()
    expect_told(page, "3 authors trusted.")
    assert standings(live_service) == [("trust", "email", True)] * 3
    press(page, "z")
    expect_told(page, "3 actions taken back: all is as it was before.")
    assert standings(live_service) == [("trust", "email", False)] * 3
    bulk_menu(page).get_by_role("button", name="Ban or trust the authors").click()
    expect(sheet).to_be_visible()
    press(page, "Escape")
    expect(sheet).to_be_hidden()
    assert is_still(page)


# --- articles ---


def test_a_key_closes_the_article_in_all_its_rows_and_opens_it_again(
    page: Page, console: Console, live_service: LiveService
) -> None:
    some(live_service, "Ana", "Ben")
    come_in(page, live_service)
    press(page, "j", "o")
    expect(page.locator(".row").get_by_text("Comments closed", exact=True)).to_have_count(2)
    expect_focus(page, "Ana")
    expect_told(page, "The article takes no more comments.")
    press(page, "o")
    expect(page.locator(".row").get_by_text("Comments closed", exact=True)).to_have_count(0)
    row_of(page, "Ben").locator(".menu > summary").click()
    row_of(page, "Ben").get_by_role("button", name="Close comments on").click()
    expect(page.locator(".row").get_by_text("Comments closed", exact=True)).to_have_count(2)
    expect_focus(page, "Ben")
    press(page, "z")
    expect(page.locator(".row").get_by_text("Comments closed", exact=True)).to_have_count(0)
    assert is_still(page)
    assert console.unexpected == []


def test_shift_closes_the_articles_of_all_that_are_ticked(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben")
    come_in(page, live_service)
    press(page, "Shift+x", "Shift+o")
    expect(page.locator(".row").get_by_text("Comments closed", exact=True)).to_have_count(2)
    expect_told(page, "1 article takes no more comments.")
    bulk_menu(page).get_by_role("button", name="Open comments on their articles").click()
    expect(page.locator(".row").get_by_text("Comments closed", exact=True)).to_have_count(0)
    press(page, "z")
    expect(page.locator(".row").get_by_text("Comments closed", exact=True)).to_have_count(2)
    assert is_still(page)


# --- the whole file ---


def test_a_key_shows_the_whole_file_before_the_list_and_saving_loses_no_place(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem")
    come_in(page, live_service)
    press(page, "j", "j", "e")
    sheet = page.get_by_role("dialog", name="Comment by Ben")
    expect(sheet.get_by_role("heading", name="What happened to it")).to_be_visible()
    assert_accessible(page)
    press(page, "a", "s", "m")  # keys mean nothing here
    edit = sheet.locator("#edit")
    edit.get_by_label("Text").fill("")
    edit.get_by_role("button", name="Save").click()
    expect(edit.get_by_label("Text")).to_have_attribute("aria-invalid", "true")
    edit.get_by_label("Text").fill("Better words.")
    edit.get_by_role("button", name="Save").click()
    expect(sheet).to_be_hidden()
    expect_focus(page, "Ben")
    expect(row_of(page, "Ben").locator(".comment__body")).to_have_text("Better words.")
    press(page, "e")
    sheet.get_by_role("button", name="Undo: Edited").click()
    expect(sheet).to_be_hidden()
    expect(row_of(page, "Ben").locator(".comment__body")).not_to_have_text("Better words.")
    press(page, "e")
    sheet.get_by_role("button", name="Spam", exact=True).click()
    expect_focus(page, "Cem")
    expect(page).to_have_title("(2) Comments")
    assert statuses(live_service, *comments) == ["pending", "spam", "pending"]
    row_of(page, "Cem").locator(".menu > summary").click()
    row_of(page, "Cem").get_by_role("link", name="Full edit and history").click()
    page.get_by_role("dialog", name="Comment by Cem").get_by_role("link", name="Back to the queue").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect_focus(page, "Cem")
    assert is_still(page)
    assert console.unexpected == []


# --- what was typed ---


@pytest.mark.parametrize(("key", "label"), [("q", "Text"), ("r", "Your reply")])
def test_a_refused_form_says_so_at_its_field_and_keeps_what_was_typed(
    page: Page, live_service: LiveService, key: str, label: str
) -> None:
    some(live_service, "Ana", "Ben")
    come_in(page, live_service)
    press(page, "j", key)
    row = row_of(page, "Ana")
    if key == "q":
        row.get_by_label("Name", exact=True).fill("Ana, but longer")
    row.get_by_label(label).fill("  ")
    press(page, "Control+Enter")
    expect(row.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    expect(row.get_by_label(label)).to_have_accessible_description(re.compile(r"\w+"))
    expect(row.get_by_label(label)).to_be_focused()
    assert_accessible(page)
    if key == "q":
        expect(row.get_by_label("Name", exact=True)).to_have_value("Ana, but longer")
    row.get_by_label(label).fill("Words.")
    press(page, "Control+Enter")
    expect(row.locator("form.write")).to_have_count(0)


def test_the_longest_edits_are_saved_too(page: Page, live_service: LiveService) -> None:
    comment = a_pending(live_service, name="Ana")
    come_in(page, live_service)
    press(page, "j", "q")
    text = "Длинное слово. " * 1_699 + "Конец."  # 45 kB: more than browsers keep alive
    row_of(page, "Ana").get_by_label("Text").fill(text)
    press(page, "Control+Enter")
    expect(row_of(page, "Ana").get_by_text("Edited", exact=True)).to_be_visible()
    with live_service.app.app_context():
        assert db.session.get_one(Comment, comment.id).text == text
        db.session.rollback()


def test_no_key_means_anything_while_somebody_types(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben", status="approved")
    come_in(page, live_service, "?status=approved")
    press(page, "j", "/")
    page.keyboard.type("pcfmboePCFMBO")
    expect(page.get_by_role("searchbox")).to_have_value("pcfmboePCFMBO")
    press(page, "Escape", "q")
    row = row_of(page, "Ana")
    row.get_by_label("Text").fill("")
    page.keyboard.type("pcfmboePCFMBO")
    expect(row.get_by_label("Text")).to_have_value("pcfmboePCFMBO")
    press(page, "Escape", "Control+p", "Alt+m", "Meta+b")
    expect(page.locator("form.write, .sheet[open]")).to_have_count(0)
    expect(page.locator(".row .chip")).to_have_count(0)
    assert decisions(live_service) == []
    assert is_still(page)


def test_the_sheet_of_keys_tells_of_each(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben", status="approved")
    come_in(page, live_service, "?status=approved")
    press(page, "?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    for word in ("Pin, or unpin", "Editors’ pick", "Move to another article", "Ban or trust the author"):
        expect(sheet.get_by_text(word)).to_be_visible()
    press(page, "Escape")
    row_of(page, "Ana").locator(".menu > summary").click()
    pin = row_of(page, "Ana").get_by_role("button", name="Pin to the top", exact=True)
    expect(pin).to_have_attribute("aria-keyshortcuts", "p")
    expect(pin.locator("kbd")).to_be_visible()
