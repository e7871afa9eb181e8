"""What owners choose: styles, properties, parts, several threads on a page, pages that load nothing anew."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Locator, Page, Route, expect

from comments_service.vocabulary import Badge, SignedName
from tests.browser import Console, assert_accessible, overflow
from tests.doors import change_site
from tests.factories import a_comment
from tests.servers import HostPage, LiveService

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# What WordPress' themes look for, and how often it is there: two comments, one of them an answer to the other
CLASSIC = {
    ".comments-area > div > h2.comments-title": 1,
    "ol.comment-list > li.comment.depth-1.even.thread-even.parent.bypostauthor > article.comment-body": 1,
    "ol.children > li.comment.depth-2.even > article.comment-body": 1,
    ".comment-body > .comment-meta > .comment-author.vcard > .avatar": 2,
    ".comment-author > .fn > a.url": 1,
    ".comment-meta > .comment-metadata > a > time": 2,
    ".comment-body > .comment-content > p": 2,
    ".comment-body > .reply > button": 7,
    ".comment-respond > form.comment-form": 1,
    ".comment-form .comment-reply-title": 1,
    ".comment-form > .comment-notes": 1,
    ".comment-form .comment-form-comment textarea": 1,
    ".comment-form .comment-form-author input": 1,
    ".comment-form .comment-form-email input": 1,
    ".comment-form .comment-form-url input": 1,
    ".comment-form > .comment-form-cookies-consent input": 1,
    ".comment-form > button.submit": 1,
}


def show(page: Page, host: HostPage, service: LiveService, attributes: str = "", body: str = "") -> Locator:
    """Load the host page with these attributes of the tag, until the form is there."""
    host.embed(service.url, attributes=attributes, body=body)
    page.goto(host.url())
    expect(page.get_by_role("textbox", name="Comment")).to_be_visible()
    return page.locator("comment-thread")


def a_talk(service: LiveService, host: HostPage) -> None:
    """Two comments: by the author of the article, and an answer to it."""
    first = a_comment(
        service.app,
        service.site,
        url=host.url(),
        name="Ana",
        website="https://ana.example.org",
        signed=SignedName("7", "Ana", Badge.AUTHOR),
    )
    a_comment(service.app, service.site, url=host.url(), name="Ben", parent_id=first.id)


def add_styles(page: Page, sheet: str) -> None:
    """Styles of the host page, as a link would bring them."""
    page.evaluate(
        """sheet => {
          const made = new CSSStyleSheet();
          made.replaceSync(sheet);
          document.adoptedStyleSheets = [...document.adoptedStyleSheets, made];
        }""",
        sheet,
    )


def turn_to_the_form(page: Page) -> None:
    """Everything that comes when somebody writes, the preview open."""
    page.get_by_role("textbox", name="Comment").fill("Fine.")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("Fine.")


# Properties and parts


def test_all_that_shows_has_a_part(page: Page, live_service: LiveService, host_page: HostPage) -> None:
    a_talk(live_service, host_page)
    thread = show(page, host_page, live_service)
    turn_to_the_form(page)
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text("Enter your name")).to_be_visible()
    nameless = thread.evaluate(
        """thread => [...thread.shadowRoot.querySelectorAll("*")]
          .filter(e => !e.closest("svg *, .comment__body *, option"))
          .filter(e => !e.part.length && !e.parentElement?.part.length).map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_properties_and_parts_reach_into_the_thread(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    a_talk(live_service, host_page)
    show(page, host_page, live_service)
    add_styles(
        page,
        """comment-thread { --comments-accent: rgb(1, 2, 3); --comments-ink: rgb(4, 5, 6) }
        comment-thread { --comments-radius: 3px }
        comment-thread::part(comment__author) { color: rgb(7, 8, 9) }
        comment-thread::part(comment__label--author) { color: rgb(10, 11, 12) }""",
    )
    send = page.get_by_role("button", name="Post Comment")
    expect(send).to_have_css("background-color", "rgb(1, 2, 3)")
    expect(send).to_have_css("border-radius", "3px")
    expect(page.locator(".comment__body").first).to_have_css("color", "rgb(4, 5, 6)")
    expect(page.locator(".comment__author").first).to_have_css("color", "rgb(7, 8, 9)")
    expect(page.locator(".comment__label")).to_have_css("color", "rgb(10, 11, 12)")


# Styles


def test_a_theme_made_for_wordpress_finds_what_it_knows(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    a_talk(live_service, host_page)
    thread = show(page, host_page, live_service, 'data-style="none"')
    expect(page.locator(".comment-metadata")).to_have_count(2)  # classic.js has come
    assert {selector: page.locator(selector).count() for selector in CLASSIC} == CLASSIC
    assert thread.evaluate("e => e.shadowRoot") is None
    turn_to_the_form(page)
    assert page.evaluate("document.adoptedStyleSheets.length") == 1  # write.css has no business here
    assert overflow(page) <= 0
    assert_accessible(page)
    page.get_by_role("button", name="Reply to Ben").click()
    expect(page.locator("li.depth-2 > .comment-form")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("Cleo")
    page.get_by_role("textbox", name="Email").fill("cleo@example.org")
    page.get_by_role("button", name="Post Comment").click()
    expect(page.locator("li.depth-3 .comment-awaiting-moderation").first).to_be_visible()
    expect(page.locator("li.depth-3 .comment-metadata time")).to_be_visible()
    assert console.unexpected == []


def test_a_thread_that_is_dressed_by_the_page_is_not_seen_before(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    held: list[Route] = []
    page.route("**/classic.*.js", lambda route: held.append(route))  # noqa: PLW0108 - a function it is
    page.on("response", lambda answer: held.pop().continue_() if "/thread?" in answer.url else None)
    page.add_init_script(
        """addEventListener("comments:ready", ({ target }) => {
          globalThis.wasDressed = Boolean(target.querySelector(".comments-area"));
        })"""
    )
    show(page, host_page, live_service, 'data-style="none"')
    assert page.evaluate("wasDressed") is True


def test_the_pages_own_styles_dress_a_thread_without_one(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    a_talk(live_service, host_page)
    show(page, host_page, live_service, 'data-style="none"')
    add_styles(page, ".comment-author .fn { color: rgb(1, 2, 3) } .comment-form * { display: block }")
    expect(page.locator(".fn").first).to_have_css("color", "rgb(1, 2, 3)")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_the_style_may_change_while_the_thread_stands_there(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    a_talk(live_service, host_page)
    change_site(live_service.app, live_service.site, options={"votes": "up"})
    thread = show(page, host_page, live_service, 'data-style="news"')
    expect(page.locator(".face").first).to_be_hidden()
    styled = page.locator(".vote").first.evaluate("e => getComputedStyle(e).padding")
    for look, shown in (("none", "inline"), ("plain", "block"), ("none", "inline"), ("news", "none")):
        thread.evaluate("(e, look) => e.setAttribute('look', look)", look)
        expect(page.locator(".face").first).to_have_css("display", shown)
        expect(page.get_by_role("article")).to_have_count(2)
    expect(page.locator(".vote").first).to_have_css("padding", styled)  # what has come later is still there
    assert console.unexpected == []


def test_the_classic_styles_are_for_every_page(client: FlaskClient) -> None:
    answer = client.get("/classic.css")
    assert (answer.status_code, answer.mimetype) == (200, "text/css")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert client.get("/classic.css", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    foreign = set(re.findall(r"\.([a-z][\w-]*__[\w-]+)", answer.text))
    assert foreign == set(), "only what WordPress' themes know may be asked for"


# Several threads, and pages that load nothing anew


@pytest.mark.parametrize("style", ["plain", "none"])
def test_two_threads_on_a_page_have_forms_of_their_own(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage, style: str
) -> None:
    tag = f'<script src="{live_service.url}/embed.js" data-site="demo" data-style="{style}" async></script>'
    host_page.embed(live_service.url, attributes=f'data-article-id="2" data-style="{style}"', body=tag)
    page.goto(host_page.url())
    expect(page.get_by_role("textbox", name="Comment")).to_have_count(2)
    second = page.locator("comment-thread").nth(1)
    for name, value in {"Comment": "To the second.", "Name": "Ana", "Email": "ana@example.org"}.items():
        second.get_by_role("textbox", name=name).fill(value)
    second.get_by_role("button", name="Post Comment").click()
    expect(second.get_by_text("To the second.")).to_be_visible()
    expect(page.get_by_text("To the second.")).to_have_count(1)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert_accessible(page)
    assert console.unexpected == []


def test_a_thread_that_comes_before_another_has_a_name_of_its_own(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    thread = show(page, host_page, live_service)
    thread.evaluate(
        """e => {
          const first = e.cloneNode();
          first.setAttribute("article-id", "2");
          e.before(first);
        }"""
    )
    expect(page.get_by_role("textbox", name="Comment")).to_have_count(2)
    expect(page.get_by_role("region", name="Comments 2", exact=True)).to_have_count(1)
    assert_accessible(page)


def test_a_router_may_take_the_thread_away_and_bring_it_back(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    a_talk(live_service, host_page)
    thread = show(page, host_page, live_service)
    page.get_by_role("textbox", name="Comment").fill("Half a thou")
    before = in_memory(page, thread, rounds=2)
    after = in_memory(page, thread, rounds=8)
    assert after["nodes"] < before["nodes"] * 1.5
    assert after["jsEventListeners"] < before["jsEventListeners"] * 1.5
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Half a thou")
    expect(page.get_by_role("article")).to_have_count(2)
    assert console.unexpected == []


@pytest.mark.parametrize("style", ["plain", "none"])
def test_a_page_that_is_kept_as_a_copy_has_one_thread(
    page: Page, live_service: LiveService, host_page: HostPage, style: str
) -> None:
    a_talk(live_service, host_page)
    thread = show(page, host_page, live_service, f'data-style="{style}"')
    expect(page.get_by_role("article")).to_have_count(2)
    thread.evaluate("e => e.replaceWith(e.cloneNode(true))")
    expect(page.get_by_role("textbox", name="Comment")).to_have_count(1)
    expect(page.get_by_role("article")).to_have_count(2)


def in_memory(page: Page, thread: Locator, *, rounds: int) -> dict[str, Any]:
    """How much there is after some rounds of taking the thread away and bringing it back."""
    devtools = page.context.new_cdp_session(page)
    for _ in range(rounds):
        thread.evaluate(
            """e => new Promise(resolve => {
              const place = e.parentElement;
              e.remove();
              e.addEventListener("comments:ready", resolve, { once: true });
              place.append(e);
            })"""
        )
    devtools.send("HeapProfiler.collectGarbage")
    counters: dict[str, Any] = devtools.send("Memory.getDOMCounters")
    return counters


def test_a_thread_taken_away_while_it_loads_says_and_shows_nothing(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    thread = show(page, host_page, live_service)
    thread.evaluate(
        """e => {
          const place = e.parentElement;
          e.remove();
          place.append(e);
          e.setAttribute("article-id", "x");
          e.remove();
          globalThis.told = 0;
          e.addEventListener("comments:ready", () => globalThis.told++);
        }"""
    )
    page.wait_for_load_state("networkidle")
    assert page.evaluate("globalThis.told") == 0
    assert console.unexpected == []


def test_an_element_of_the_page_needs_no_tag_with_a_site(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    a_talk(live_service, host_page)
    element = f'<comment-thread service="{live_service.url}/" site="demo"></comment-thread>'
    host_page.embed(live_service.url, body=element)
    host_page.html = host_page.html.replace('data-site="demo"', "")
    page.goto(host_page.url())
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.locator("comment-thread")).to_have_count(1)


def test_nobody_who_stays_above_costs_a_request(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    host_page.embed(live_service.url, body='<svg width="10" height="9000"></svg>')
    page.goto(host_page.url(), wait_until="networkidle")
    assert not [url for url in asked if "/api/" in url]
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.get_by_role("textbox", name="Comment")).to_be_visible()
