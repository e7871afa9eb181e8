"""Long and deep threads in the widget: folded, paged, linked and ordered, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from comments_service.article_url import identify
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.storage.database import transaction
from comments_service.vocabulary import Status
from tests.browser import Console, assert_accessible
from tests.conftest import NOW
from tests.doors import change_site
from tests.servers import HostPage, LiveService
from tests.test_widget import TEXT, button, comment, field, on, open_article, post, write
from tools.thread_load import add

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

ARTICLES = ".comments > .comments__list .comment:visible"
AT_ONCE = {"hold_all": False, "hold_newcomers": False}
RECORD_SCROLLING = """
window.scrolled = [];
const scroll = Element.prototype.scrollIntoView;
Element.prototype.scrollIntoView = function (options) {
  scrolled.push(options.behavior);
  scroll.call(this, options);
};
"""


@pytest.fixture(autouse=True)
def nothing_complains(console: Console) -> Iterator[None]:
    """Whatever the page complains about fails the test."""
    yield
    assert console.unexpected == []


def some(service: LiveService, host_page: HostPage, count: int, *, below: int | None = None) -> list[int]:
    """So many comments below the host page's article, or below one of them."""
    article = identify(host_page.url("/article"), None, origins=service.site.origins)
    with service.app.app_context(), transaction() as session:
        return add(session, service.site.id, article, count, below=below)


def shown(page: Page) -> list[int]:
    """The comments on the screen from top to bottom, by their ids."""
    ids = page.locator(ARTICLES).evaluate_all("all => all.map((each) => each.id)")
    return [int(name.removeprefix("comment-")) for name in ids]


def at(page: Page, number: int) -> Locator:
    """One comment by its id."""
    return page.locator(f"#comment-{number}")


def follow(page: Page, number: int | str) -> None:
    """Change the page's address to the comment's, as a link on the page does."""
    page.evaluate(f"location.hash = '#comment-{number}'")


def test_replies_fold_away_with_their_count_and_a_link_unfolds_them(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    first = on(live_service, host_page, name="Ana")
    second = on(live_service, host_page, name="Ben", parent_id=first.id)
    third = on(live_service, host_page, name="Cleo", parent_id=second.id)
    open_article(page, host_page)
    expect(page.get_by_role("combobox")).to_have_count(0)  # there is nothing to order
    fold = at(page, first.id).get_by_role("button", name="2 replies")
    expect(fold).to_have_attribute("aria-expanded", "true")
    fold.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "false")
    assert shown(page) == [first.id]
    expect(fold).to_be_focused()
    follow(page, third.id)
    expect(at(page, third.id)).to_be_focused()
    expect(fold).to_have_attribute("aria-expanded", "true")
    expect(at(page, second.id).get_by_role("button", name="1 reply")).to_be_visible()


def test_more_replies_come_into_their_places_each_once(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    first, last = some(live_service, host_page, 2)
    replies = some(live_service, host_page, 45, below=first)
    open_article(page, host_page, f"/article#comment-{replies[30]}")
    expect(at(page, replies[30])).to_be_focused()
    assert shown(page) == [first, *replies[:20], replies[30], last]
    button(page, "Show 24 more replies").click()
    expect(at(page, replies[20])).to_be_focused()
    assert shown(page) == [first, *replies[:40], last]
    assert_accessible(page)
    button(page, "Show 5 more replies").click()
    expect(at(page, replies[40])).to_be_focused()
    assert shown(page) == [first, *replies, last]
    expect(page.locator(".comments__left:visible")).to_have_count(0)
    expect(at(page, first).get_by_role("button", name="45 replies")).to_be_visible()


def test_a_link_opens_the_page_of_its_comment_which_leads_both_ways(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    made = some(live_service, host_page, 70)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/thread?" in request.url else None)
    open_article(page, host_page, f"/article#comment-{made[45]}")
    expect(at(page, made[45])).to_be_focused()
    expect(at(page, made[45])).to_be_in_viewport()
    assert (shown(page), len(asked)) == (made[45:65], 1)
    button(page, "Previous comments").click()
    expect(at(page, made[25])).to_be_focused()
    button(page, "More comments").click()
    expect(at(page, made[65])).to_be_focused()
    expect(button(page, "More comments")).to_be_hidden()
    assert shown(page) == made[25:]
    follow(page, made[2])
    expect(at(page, made[2])).to_be_focused()
    assert shown(page) == made[2:22]
    button(page, "Previous comments").click()
    expect(at(page, made[0])).to_be_focused()
    expect(button(page, "Previous comments")).to_be_hidden()
    follow(page, 999_999)
    expect(page.get_by_text("The comment that this link leads to is not here.")).to_be_visible()
    assert shown(page) == made[:22]


def test_a_link_on_a_long_page_finds_its_comment_among_threads_that_have_not_been_loaded(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    stored = on(live_service, host_page)
    tag = f'<script src="{live_service.url}/embed.js" data-site="demo" async'
    other = f'{tag} data-article-url="{host_page.url("/other")}"></script>'
    words = "<p>The council agreed on Tuesday.</p>" * 200
    host_page.embed(live_service.url, body=f'<a href="#comment-{stored.id}">Latest</a>{words}{other}')
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/thread?" in request.url else None)
    page.goto(host_page.url("/article"))
    expect(page.locator("comment-thread")).to_have_count(2)
    assert asked == []
    page.get_by_role("link", name="Latest").click()
    expect(at(page, stored.id)).to_be_focused()
    expect(page.get_by_role("textbox", name="Comment")).to_have_count(2)
    expect(page.get_by_text("is not here")).to_have_count(0)


@pytest.mark.parametrize(("motion", "behavior"), [("no-preference", "smooth"), ("reduce", "instant")])
def test_a_comment_that_is_gone_to_stands_out_and_moves_only_where_that_is_welcome(
    page: Page, live_service: LiveService, host_page: HostPage, motion: Any, behavior: str
) -> None:
    made = some(live_service, host_page, 12)
    page.emulate_media(reduced_motion=motion)
    page.add_init_script(RECORD_SCROLLING)
    open_article(page, host_page)
    follow(page, made[10])
    expect(at(page, made[10])).to_be_in_viewport()
    marked = at(page, made[10]).evaluate(
        "e => [getComputedStyle(e, '::before').width, getComputedStyle(e).animationName]"
    )
    assert marked == ["3px", "arrive" if motion == "no-preference" else "none"]
    follow(page, made[1])
    expect(page.locator(".comment--target")).to_have_attribute("id", f"comment-{made[1]}")
    at(page, made[1]).locator(".comment__date").click()  # the address is its own already
    assert page.evaluate("scrolled") == [behavior] * 3


def test_the_link_of_each_comment_can_be_copied(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    stored = on(live_service, host_page, name="Ana")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=host_page.origin)
    open_article(page, host_page)
    copying = button(page, "Copy link to the comment by Ana")
    copying.click()
    expect(copying).to_have_text("Copied")
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{host_page.url('/article')}#comment-{stored.id}"
    assert at(page, stored.id).locator(".comment__date").get_attribute("href") == link


def test_a_reader_chooses_an_order_for_this_tab_and_the_site_one_for_all(
    page: Page, browser: Browser, live_service: LiveService, host_page: HostPage
) -> None:
    made = some(live_service, host_page, 25)
    replies = some(live_service, host_page, 2, below=made[-1])
    newest = [made[-1], *replies, *made[-2:4:-1]]
    open_article(page, host_page)
    order = page.get_by_role("combobox", name="Order")
    order.focus()
    order.select_option("Newest first")
    expect(at(page, made[-1])).to_be_visible()
    assert shown(page) == newest
    expect(order).to_be_focused()
    button(page, "More comments").click()
    expect(at(page, made[0])).to_be_visible()
    assert shown(page) == [*newest, *made[4::-1]]
    page.reload()
    expect(order).to_have_value("newest")
    assert shown(page) == newest
    with browser.new_context() as other:
        stranger = other.new_page()
        open_article(stranger, host_page)
        assert shown(stranger) == made[:20]
        change_site(live_service.app, live_service.site, options={"sort": "newest"})
        stranger.reload()
        expect(stranger.get_by_role("combobox", name="Order")).to_have_value("newest")


def test_a_new_comment_stands_where_it_belongs_and_once(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    change_site(live_service.app, live_service.site, rules=AT_ONCE)
    made = some(live_service, host_page, 22)
    open_article(page, host_page)
    write(page, "First words.")
    post(page)
    expect(comment(page, "First words.")).to_be_focused()  # apart, as the end of the thread is not here yet
    assert shown(page)[:-1] == made[:20]
    button(page, "More comments").click()
    expect(at(page, made[21])).to_be_visible()
    expect(comment(page, "First words.")).to_have_count(1)
    page.get_by_role("combobox", name="Order").select_option("newest")
    expect(page.locator(ARTICLES).first).to_contain_text("First words.")
    write(page, "Second words.")
    post(page)
    expect(comment(page, "Second words.")).to_be_focused()
    texts = page.locator(f"{ARTICLES} .comment__body").all_inner_texts()
    assert texts[:2] == ["Second words.", "First words."]
    expect(page.get_by_role("heading", level=2)).to_contain_text("24 thoughts")


def test_answers_on_the_last_level_stand_flat_and_say_whom_they_answer(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    change_site(live_service.app, live_service.site, rules=AT_ONCE | {"max_depth": 2})
    first = on(live_service, host_page, name="Ana")
    second = on(live_service, host_page, name="Ben", parent_id=first.id)
    open_article(page, host_page)
    button(page, "Reply to Ben").click()
    write(page, "To Ben.", name="Cleo")
    post(page)
    answer = comment(page, "To Ben.")
    answer.get_by_role("link", name="in reply to Ben").click()
    expect(at(page, second.id)).to_be_focused()
    page.goto(host_page.url("/article"))
    edges = [each.evaluate("e => e.getBoundingClientRect().x") for each in (at(page, second.id), answer)]
    assert edges[0] == edges[1]


def test_answers_to_what_was_removed_stay_in_reach(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    gone = on(live_service, host_page, name="Ana", text="Bad words.")
    below = on(live_service, host_page, name="Ben", parent_id=gone.id)
    with live_service.app.app_context():
        decide(Change(gone.id, gone.version, Status.TRASH), by=None, now=NOW)
    open_article(page, host_page, f"/article#comment-{below.id}")
    expect(at(page, below.id)).to_be_focused()
    expect(at(page, gone.id)).to_contain_text("This comment was removed.")
    at(page, gone.id).get_by_role("button", name="1 reply").click()
    expect(at(page, below.id)).to_be_hidden()


def test_a_reply_is_lost_neither_by_another_order_nor_by_a_reload_nor_by_cancel(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    made = some(live_service, host_page, 44)
    open_article(page, host_page, f"/article#comment-{made[30]}")
    at(page, made[30]).get_by_role("button", name="Reply to Reader 30").click()
    field(page, "Comment").fill(TEXT)
    page.get_by_role("combobox", name="Order").select_option("newest")
    expect(at(page, made[24])).to_be_visible()
    expect(
        page.locator(f"li:has(> #comment-{made[30]})").get_by_role("textbox", name="Comment")
    ).to_have_value(TEXT)
    page.get_by_role("combobox", name="Order").select_option("oldest")
    expect(at(page, made[0])).to_be_visible()  # where the comment answered is not on the page
    expect(page.get_by_role("heading", name="Leave a Reply to Reader 30")).to_be_visible()
    expect(field(page, "Comment")).to_have_value(TEXT)
    page.goto(host_page.url("/article"))
    expect(
        page.locator(f"li:has(> #comment-{made[30]})").get_by_role("textbox", name="Comment")
    ).to_have_value(TEXT)
    button(page, "Cancel reply").click()
    expect(page.locator(".comments__respond").get_by_role("textbox", name="Comment")).to_have_value(TEXT)


def test_an_own_reply_is_put_below_what_it_answers_once_that_is_on_the_screen(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    made = some(live_service, host_page, 25)
    open_article(page, host_page, f"/article#comment-{made[24]}")
    at(page, made[24]).get_by_role("button", name="Reply to Reader 24").click()
    write(page)
    post(page)
    answered = page.locator(f"li:has(> #comment-{made[24]})")
    expect(answered.locator(".comment")).to_have_count(2)
    page.goto(host_page.url("/article"))
    expect(page.locator(".comments__own").get_by_text(TEXT)).to_be_visible()
    button(page, "More comments").click()
    expect(answered.get_by_text(TEXT)).to_be_visible()
    expect(comment(page, TEXT)).to_have_count(1)
