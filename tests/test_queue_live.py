"""The queue with scripts: nothing is reloaded, jumps or is lost, and all can be undone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect

from comments_service.decisions.claims import look_at
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.vocabulary import ModeratorView, Status
from tests.browser import Console, assert_accessible
from tests.factories import StoredComment, a_moderator
from tests.queue_pages import (
    a_pending,
    decisions,
    expect_focus,
    expect_told,
    row_of,
    sign_in,
    some,
    statuses,
)
from tests.servers import LiveService

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
DECISIONS = "**/queue/decisions"


def decide_elsewhere(service: LiveService, comment: StoredComment, by: ModeratorView) -> None:
    """Somebody else marks it as spam."""
    with service.app.app_context():
        decide(Change(comment.id, comment.version, Status.SPAM), by=by, now=datetime.now(UTC))


def test_a_click_decides_without_a_reload_or_a_jump_and_undo_brings_the_row_back(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem")
    page.emulate_media(reduced_motion="reduce")
    sign_in(page, live_service)
    page.evaluate("window.isStill = true")
    before = row_of(page, "Ana").bounding_box()
    page.get_by_role("button", name="Approve: comment by Ana").click()
    expect_focus(page, "Ben")
    assert row_of(page, "Ben").bounding_box()["y"] == before["y"]  # type: ignore[index]
    expect(page.get_by_text("1 comment approved.").first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 comments wait for you")
    assert_accessible(page)
    page.get_by_role("button", name="Undo").click()
    expect_focus(page, "Ana")
    assert row_of(page, "Ana").bounding_box() == before
    assert statuses(live_service, *comments) == ["pending"] * 3
    assert page.evaluate("window.isStill")
    assert console.unexpected == []


def test_a_whole_bulk_is_undone_at_once(page: Page, live_service: LiveService) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem")
    sign_in(page, live_service)
    page.get_by_role("link", name="Select all on this page").click()
    page.get_by_role("group", name="Decide about all selected comments").get_by_role(
        "button", name="Spam"
    ).click()
    expect(page.get_by_role("heading", name="All done")).to_be_focused()
    assert statuses(live_service, *comments) == ["spam"] * 3
    assert_accessible(page)
    page.get_by_role("button", name="Undo").click()
    expect_focus(page, "Ana")
    expect(page.get_by_role("article")).to_have_count(3)
    assert statuses(live_service, *comments) == ["pending"] * 3


def test_quick_keys_lose_and_double_nothing_and_make_one_announcement(
    page: Page, live_service: LiveService
) -> None:
    comments = some(live_service, *(f"Reader {number}" for number in range(12)))
    sign_in(page, live_service)
    page.keyboard.press("j")
    page.evaluate(
        "const told = document.querySelector('[data-announcer]'); window.said = [];"
        "new MutationObserver(() => said.push(told.textContent)).observe(told, {childList: true});"
    )
    for key in "aaaaasssddaa":
        page.keyboard.press(key)
    expect_told(page, "7 comments approved. 3 comments marked as spam. 2 comments moved to the trash.")
    assert len(page.evaluate("said")) == 1
    meant = {"a": "approved", "s": "spam", "d": "trash"}
    assert decisions(live_service) == [
        (comment.id, meant[key]) for comment, key in zip(comments, "aaaaasssddaa", strict=True)
    ]


def test_the_page_fills_up_from_below_as_rows_leave(page: Page, live_service: LiveService) -> None:
    for age in range(60):
        a_pending(live_service, minutes_ago=age, name=f"Reader {age}")
    sign_in(page, live_service)
    expect(page.get_by_role("article")).to_have_count(50)
    for _ in range(6):
        page.get_by_role("article").first.focus()
        page.keyboard.press("a")
    expect(page.get_by_role("article", name="Reader 54", exact=True)).to_be_visible()
    expect(page).to_have_title("(54) Comments")
    ids = page.evaluate("[...document.querySelectorAll('.row')].map((row) => row.id)")
    assert len(ids) == len(set(ids))


def test_whoever_is_late_is_told_in_the_row_what_happened(
    page: Page, console: Console, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben")
    sign_in(page, live_service)
    decide_elsewhere(live_service, comments[0], a_moderator(live_service.app, name="Olga"))
    page.get_by_role("button", name="Approve: comment by Ana").click()
    row = row_of(page, "Ana")
    expect(row.get_by_text("Olga decided: Spam")).to_be_visible()
    expect_focus(page, "Ben")
    assert_accessible(page)
    row.get_by_role("button", name="Show it as it is now").click()
    expect(row).to_be_hidden()
    assert decisions(live_service) == [(comments[0].id, "spam")]
    assert console.unexpected == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (0, "Not saved: the service could not be reached."),
        (503, "Not saved: the service had a problem. Nothing was changed."),
    ],
)
def test_what_could_not_be_saved_says_so_in_its_row_and_can_be_tried_again(
    page: Page, live_service: LiveService, status: int, sentence: str
) -> None:
    comments = some(live_service, "Ana", "Ben")
    sign_in(page, live_service)

    def fail(route: Route) -> None:
        if status:
            route.fulfill(status=status, json={"title": "Busy"})
        else:
            route.abort()

    page.route(DECISIONS, fail)
    page.get_by_role("button", name="Spam: comment by Ana").click()
    row = row_of(page, "Ana")
    expect(row.get_by_text(sentence)).to_be_visible()
    expect_focus(page, "Ben")
    expect_told(page, sentence)
    assert_accessible(page)
    page.unroute(DECISIONS)
    row.get_by_role("button", name="Try again").click()
    expect(row_of(page, "Ana")).to_be_hidden()
    expect_told(page, "1 comment marked as spam.")
    assert statuses(live_service, *comments) == ["spam", "pending"]


def test_an_answer_that_got_lost_is_asked_for_again_and_is_one_decision(
    page: Page, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben")
    sign_in(page, live_service)
    lost: list[int] = []

    def lose(route: Route) -> None:
        response = route.fetch()
        lost.append(response.status)
        if len(lost) == 1:
            route.abort()
        else:
            route.fulfill(response=response)

    page.route(DECISIONS, lose)
    page.get_by_role("button", name="Approve: comment by Ana").click()
    expect_told(page, "1 comment approved.")
    assert lost == [200, 200]
    assert decisions(live_service) == [(comments[0].id, "approved")]


def test_after_a_new_sign_in_the_same_page_goes_on(page: Page, live_service: LiveService) -> None:
    some(live_service, "Ana", "Ben")
    sign_in(page, live_service)
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_role("button", name="Approve: comment by Ana").click()
    row = row_of(page, "Ana")
    expect(row.get_by_text("your sign-in has ended")).to_be_visible()
    expect(row.get_by_role("link", name="Sign in")).to_be_visible()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    row.get_by_role("button", name="Try again").click()
    expect(page).to_have_title("(1) Comments")
    expect_focus(page, "Ben")


def test_whoever_looks_at_the_same_comment_is_seen_and_so_is_what_they_do(
    page: Page, live_service: LiveService
) -> None:
    comments = some(live_service, "Ana", "Ben", "Cem")
    olga = a_moderator(live_service.app, name="Olga")
    with live_service.app.app_context():
        look_at({comments[1].id: comments[1].version}, by=olga, now=datetime.now(UTC))
    sign_in(page, live_service)
    page.keyboard.press("j")
    expect(row_of(page, "Ben").get_by_text("Olga is looking at this.")).to_be_visible()
    assert_accessible(page)
    decide_elsewhere(live_service, comments[2], olga)
    page.keyboard.press("j")
    expect(row_of(page, "Cem").get_by_text("Olga decided: Spam")).to_be_visible()


def test_an_email_is_revealed_in_its_row_without_a_reload(page: Page, live_service: LiveService) -> None:
    a_pending(live_service, name="Eva", email="eva@example.org")
    sign_in(page, live_service)
    page.evaluate("window.isStill = true")
    page.get_by_role("button", name="Reveal the email of Eva").click()
    expect(row_of(page, "Eva").get_by_text("eva@example.org")).to_be_visible()
    assert page.evaluate("window.isStill")
