"""The script takes the place of the fragment in the owner's page, and nothing jumps or is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import Console, assert_accessible
from tests.servers import HostPage, LiveService
from tests.test_fragment import lines_of
from tests.test_widget import button, field, on

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# How far the page jumped by itself, and whether there was a moment without comments
WATCH = """
window.shifts = [];
window.bare = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) shifts.push(each.value);
}).observe({ type: "layout-shift", buffered: true });
const shows = (name) => [...document.querySelectorAll(name)].some((each) => each.getClientRects().length);
let begun = false;
(function look() {
  begun ||= shows("[data-comments-fragment]");
  if (begun && !shows("[data-comments-fragment], comment-thread")) bare += 1;
  requestAnimationFrame(look);
})();
"""
FRAGMENT = "[data-comments-fragment]"
THREAD = "**/api/v1/sites/demo/thread?*"


@pytest.fixture
def release(page: Page) -> Callable[[], None]:
    """Hold the thread's answer back until the test calls this."""
    held: list[Route] | None = []

    def hold(route: Route) -> None:
        if held is None:
            route.continue_()
        else:
            held.append(route)

    def let_go() -> None:
        nonlocal held
        waiting, held = held or [], None
        for route in waiting:
            route.continue_()

    page.route(THREAD, hold)
    page.add_init_script(WATCH)
    return let_go


def build_in(service: LiveService, host_page: HostPage, *, before: str = "", after: str = "") -> None:
    """Put the article's fragment into the host page, styled by the lines of the document."""
    query = urlencode({"url": host_page.url(), "title": "A bridge for the harbour"})
    with urlopen(f"{service.url}/sites/demo/fragment?{query}") as answer:
        built = answer.read().decode()
    host_page.embed(service.url, body=before + built)
    host_page.html = host_page.html.replace("</main>", f"</main><footer>{after or 'The end'}</footer>")
    host_page.css += lines_of("css")[0]


def test_the_thread_takes_the_place_of_the_fragment_in_one_step(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage, release: Callable[[], None]
) -> None:
    first = on(live_service, host_page, name="Ana", text="It will be a fine bridge.")
    on(live_service, host_page, name="Ben", parent_id=first.id)
    build_in(live_service, host_page)
    page.set_viewport_size({"width": 1280, "height": 1400})
    page.goto(host_page.url(f"/article#comment-{first.id}"))
    expect(page.locator("comment-thread")).to_be_hidden()
    expect(page.locator(f"#comment-{first.id}")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Reply to Ana")).to_be_visible()
    foot = page.locator("footer").evaluate("e => e.getBoundingClientRect().y")
    expect(page.locator("footer")).to_be_in_viewport()
    release()
    expect(field(page, "Comment")).to_be_visible()
    expect(page.locator(FRAGMENT)).to_be_hidden()
    expect(
        page.locator(f"comment-thread > {FRAGMENT} [itemtype='https://schema.org/Comment']")
    ).to_have_count(2)
    expect(page.locator(".comments article:visible")).to_have_count(2)
    expect(page.locator(f"#comment-{first.id}:visible")).to_be_focused()
    assert page.locator("footer").evaluate("e => e.getBoundingClientRect().y") == pytest.approx(foot, abs=0.1)
    assert page.evaluate("[shifts.reduce((all, each) => all + each, 0) < 0.01, bare]") == [True, 0]
    frame = page.locator("comment-thread section").filter(has_not=page.locator("[itemscope]"))
    expect(frame).not_to_have_css("min-height", "0px")
    assert_accessible(page)
    page.set_viewport_size({"width": 400, "height": 700})  # the room is not kept for another width
    expect(frame).to_have_css("min-height", "0px")
    assert console.unexpected == []


def test_what_is_read_stays_where_it_is(
    page: Page, live_service: LiveService, host_page: HostPage, release: Callable[[], None]
) -> None:
    stored = [on(live_service, host_page, text=f"Number {number}. " * 30) for number in range(9)]
    build_in(
        live_service, host_page, before=f"<p>{'The council agreed. ' * 90}</p>", after="<p>More</p>" * 40
    )
    page.goto(host_page.url())
    read = page.locator(f"#comment-{stored[5].id}:visible")
    read.evaluate("e => scrollTo(0, scrollY + e.getBoundingClientRect().top + 40)")
    read.get_by_role("link", name="Reply").evaluate("e => e.focus({ preventScroll: true })")
    box = read.bounding_box()
    release()
    expect(field(page, "Comment")).to_be_attached()
    expect(read).to_be_focused()
    after = read.bounding_box()
    assert box
    assert after
    assert abs(box["y"] - after["y"]) < 1
    assert page.evaluate("[shifts.reduce((all, each) => all + each, 0) < 0.01, bare]") == [True, 0]


def test_a_thread_in_the_pages_own_tree_takes_the_place_too(
    page: Page, live_service: LiveService, host_page: HostPage, release: Callable[[], None]
) -> None:
    first = on(live_service, host_page, name="Ana", text="It will be a fine bridge.")
    build_in(live_service, host_page)
    host_page.html = host_page.html.replace(
        'data-site="demo" async', 'data-site="demo" data-style="none" async'
    )
    page.goto(host_page.url())
    expect(page.locator(f"#comment-{first.id}")).to_be_visible()
    expect(page.locator("comment-thread")).to_be_hidden()
    release()
    expect(field(page, "Comment")).to_be_visible()
    expect(page.locator(f"#comment-{first.id}")).to_have_count(1)
    expect(page.locator(FRAGMENT)).to_have_count(0)
    assert page.evaluate("bare") == 0


def test_where_the_service_is_away_the_fragment_stays_and_a_foreign_one_always(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    first = on(live_service, host_page, name="Ana", text="It will be a fine bridge.")
    build_in(live_service, host_page)
    page.route(THREAD, lambda route: route.abort())
    page.goto(host_page.url())
    expect(page.get_by_text("Replying is not possible just now.")).to_be_visible()
    expect(page.get_by_text("could not be loaded")).to_have_count(0)
    expect(page.locator(f"#comment-{first.id}")).to_be_visible()
    assert_accessible(page)
    page.unroute(THREAD)
    button(page, "Try again").click()
    expect(field(page, "Comment")).to_be_visible()
    expect(page.locator(FRAGMENT)).to_be_hidden()
    page.goto(host_page.url("/other"))  # the fragment on it is that of the first article
    expect(field(page, "Comment")).to_be_visible()
    expect(page.locator(FRAGMENT)).to_be_visible()


def test_a_router_may_go_on_while_the_thread_waits_behind_its_fragment(
    page: Page, live_service: LiveService, host_page: HostPage, release: Callable[[], None]
) -> None:
    on(live_service, host_page)
    build_in(live_service, host_page)
    page.goto(host_page.url())
    thread = page.locator("comment-thread")
    expect(thread).to_be_hidden()
    page.locator(FRAGMENT).evaluate("e => e.remove()")
    thread.evaluate("(e, url) => e.setAttribute('article-url', url)", host_page.url("/other"))
    release()
    expect(field(page, "Comment")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)


def test_a_filter_of_the_owners_may_take_the_ids_away(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage, release: Callable[[], None]
) -> None:
    for number in range(9):
        on(live_service, host_page, text=f"Number {number}. " * 30)
    build_in(live_service, host_page)
    host_page.html = re.sub(r' id="comment-\d+"', "", host_page.html)
    page.goto(host_page.url())
    read = page.get_by_role("article").nth(5)
    read.evaluate("e => scrollTo(0, scrollY + e.getBoundingClientRect().top + 40)")
    read.get_by_role("link", name="Reply").focus()
    release()
    expect(field(page, "Comment")).to_be_attached()
    expect(page.locator(FRAGMENT)).to_be_hidden()
    assert console.unexpected == []
