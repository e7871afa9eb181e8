"""The widget on another site's page, under a strict policy, in a real browser, against the real service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.settings import Settings
from comments_service.storage.database import transaction
from comments_service.storage.models import Site
from comments_service.vocabulary import Status
from tests.browser import Console, assert_accessible
from tests.conftest import NOW, UNHURRIED, live
from tests.doors import change_site
from tests.factories import StoredComment, a_comment, a_site
from tests.servers import HostPage, LiveService, listening_socket

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

WAITING = "Your comment is awaiting moderation"
TEXT = "It will be a fine bridge."


@pytest.fixture
def settings_of_service() -> dict[str, Any]:
    """What a test wants otherwise than it is after installation."""
    return {}


@pytest.fixture
def service(
    settings: Settings, host_page: HostPage, settings_of_service: dict[str, Any]
) -> Iterator[LiveService]:
    """The service, with settings of the test's own."""
    listener = listening_socket()
    url = f"http://localhost:{listener.getsockname()[1]}"
    changed = UNHURRIED | {"public_url": url} | settings_of_service
    yield from live(settings.model_copy(update=changed), listener, host_page)


@pytest.fixture
def article(page: Page, console: Console, service: LiveService, host_page: HostPage) -> Iterator[Page]:
    """The host page with the loaded widget; whatever it complains about fails the test."""
    open_article(page, host_page)
    yield page
    assert console.unexpected == []


def with_settings(**values: Any) -> pytest.MarkDecorator:
    """Let the service of one test run with these settings."""
    return pytest.mark.parametrize("settings_of_service", [values])


def open_article(page: Page, host_page: HostPage, path: str = "/article") -> None:
    page.goto(host_page.url(path))
    expect(field(page, "Comment")).to_be_visible()


def field(page: Page, label: str) -> Locator:
    return page.get_by_role("textbox", name=label, exact=True)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def write(page: Page, text: str = TEXT, *, name: str = "Ana", email: str = "ana@example.org") -> None:
    field(page, "Comment").fill(text)
    field(page, "Name").fill(name)
    field(page, "Email").fill(email)


def post(page: Page) -> None:
    button(page, "Post Comment").click()


def comment(page: Page, text: str) -> Locator:
    return page.get_by_role("article").filter(has=page.get_by_text(text, exact=True))


def on(service: LiveService, host_page: HostPage, path: str = "/article", **fields: Any) -> StoredComment:
    """An approved comment below the host page's article."""
    return a_comment(service.app, service.site, url=host_page.url(path), **fields)


def kept(page: Page, storage: str) -> str:
    return str(page.evaluate(f"JSON.stringify({{...{storage}}})"))


# Reading


def test_the_thread_stands_under_the_article_in_the_hosts_own_type(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page, text=TEXT)
    open_article(page, host_page)
    fonts = [
        page.locator(each).first.evaluate("e => getComputedStyle(e).fontFamily")
        for each in ("body", ".comment__body", "textarea", "button")
    ]
    expect(page.get_by_role("heading", level=2)).to_have_text("One thought on “A bridge for the harbour”")
    assert set(fonts) == {fonts[0]}
    assert console.unexpected == []


def test_a_page_without_comments_shows_no_heading_but_a_form(article: Page) -> None:
    heading = article.get_by_role("heading", level=2)
    expect(heading).to_have_text("Comments")  # heard, not seen: the form's title is of the third level
    expect(heading).to_have_css("clip-path", "inset(50%)")
    expect(article.get_by_role("heading", name="Leave a Reply")).to_be_visible()


def test_a_title_that_looks_like_a_place_is_shown_as_it_is(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page)
    host_page.embed(service.url, attributes='data-article-title="{count} {title} &lt;b&gt;"')
    open_article(page, host_page)
    expect(page.get_by_role("heading", level=2)).to_have_text("One thought on “{count} {title} <b>”")


def test_names_and_texts_that_look_like_html_are_shown_as_text(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    hostile = "<img src=x onerror=console.error(1)>"
    on(service, host_page, name=hostile, text=f"Hello {hostile}")
    open_article(page, host_page)
    expect(page.get_by_text(f"Hello {hostile}")).to_be_visible()
    expect(page.locator(".comment__author")).to_have_text(hostile)
    assert console.unexpected == []


def test_the_date_is_a_permalink_that_leads_to_the_comment(article: Page, service: LiveService) -> None:
    stored = on(service, HostPage(origin_of(article)), text=TEXT)
    article.reload()
    comment(article, TEXT).locator(".comment__date").click()
    assert article.url.endswith(f"#comment-{stored.id}")
    expect(article.locator(f"#comment-{stored.id}")).to_be_focused()


@with_settings(thread_page_size=2)
def test_a_link_to_a_comment_finds_it_on_a_later_page(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    stored = [on(service, host_page, text=f"Number {number}") for number in range(6)]
    open_article(page, host_page, f"/article#comment-{stored[-1].id}")
    expect(comment(page, "Number 5")).to_be_focused()
    expect(comment(page, "Number 5")).to_be_in_viewport()


@with_settings(thread_page_size=2)
def test_more_comments_are_one_button_away(page: Page, service: LiveService, host_page: HostPage) -> None:
    for number in range(3):
        on(service, host_page, text=f"Number {number}")
    open_article(page, host_page)
    button(page, "More comments").click()
    expect(comment(page, "Number 2")).to_be_focused()
    expect(button(page, "More comments")).to_be_hidden()


def test_a_closed_site_shows_its_comments_and_says_that_it_is_closed(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    a_site(service.app, key="closed", origins=(host_page.origin,), is_open=False)
    host_page.embed(service.url, site="closed")
    page.goto(host_page.url())
    expect(page.get_by_text("Comments are closed.")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(0)


# Sending


def test_a_waiting_comment_is_shown_to_its_author_alone_also_after_a_reload(
    article: Page, browser: Browser, host_page: HostPage
) -> None:
    write(article)
    post(article)
    expect(comment(article, TEXT)).to_contain_text(WAITING)
    article.reload()
    expect(comment(article, TEXT)).to_contain_text(WAITING)
    with browser.new_context() as other:
        stranger = other.new_page()
        open_article(stranger, host_page)
        expect(comment(stranger, TEXT)).to_have_count(0)


def test_the_waiting_message_is_announced_and_the_comment_gets_the_focus(article: Page) -> None:
    write(article)
    post(article)
    expect(article.get_by_role("status").filter(has_text=WAITING)).to_have_count(1)
    expect(comment(article, TEXT)).to_be_focused()
    expect(field(article, "Comment")).to_have_value("")


def test_an_approved_comment_takes_the_place_of_the_waiting_one(article: Page, service: LiveService) -> None:
    write(article)
    post(article)
    number = (comment(article, TEXT).get_attribute("id") or "").removeprefix("comment-")
    with service.app.app_context():
        decide(Change(int(number), 1, Status.APPROVED), by=None, now=NOW)
    article.reload()
    expect(comment(article, TEXT)).to_have_count(1)
    expect(article.get_by_text(WAITING)).to_have_count(0)


def test_every_wrong_field_says_so_beside_itself_and_the_first_gets_the_focus(article: Page) -> None:
    field(article, "Email").fill("nobody")
    post(article)
    expect(field(article, "Comment")).to_be_focused()
    expect(field(article, "Comment")).to_have_accessible_description("Please type your comment.")
    expect(field(article, "Name")).to_have_accessible_description("Please enter your name.")
    expect(field(article, "Email")).to_have_accessible_description(
        re.compile("published.*valid email address")
    )
    expect(field(article, "Email")).to_have_attribute("aria-invalid", "true")
    expect(article.get_by_role("alert")).to_have_text("3 fields need another look.")


def test_mending_a_field_takes_its_error_away(article: Page) -> None:
    post(article)
    expect(article.get_by_text("Please enter your name.")).to_be_visible()
    field(article, "Name").fill("Ana")
    expect(article.get_by_text("Please enter your name.")).to_be_hidden()
    expect(field(article, "Name")).not_to_have_attribute("aria-invalid", "true")


def test_control_and_enter_send_the_comment(article: Page) -> None:
    write(article)
    field(article, "Comment").press("Control+Enter")
    expect(comment(article, TEXT)).to_contain_text(WAITING)


def test_the_ticket_is_asked_for_when_the_reader_turns_to_the_form(article: Page) -> None:
    with article.expect_request(lambda request: "/ticket?" in request.url):
        field(article, "Comment").focus()


def test_a_refused_ticket_is_replaced_and_the_comment_sent_again_under_the_same_key(article: Page) -> None:
    sent: list[Request] = []
    tickets: list[str] = []
    asked: list[str] = []

    def forge_the_first(route: Route) -> None:
        sent.append(route.request)
        body = json.loads(route.request.post_data or "{}")
        tickets.append(body["ticket"])
        route.continue_(post_data=json.dumps(body | {"ticket": "forged"} if len(sent) == 1 else body))

    article.route("**/comments", forge_the_first)
    article.on("request", lambda request: asked.append(request.url) if "/ticket?" in request.url else None)
    write(article)
    post(article)
    expect(comment(article, TEXT)).to_contain_text(WAITING)
    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    assert len(sent) == len(set(tickets)) == 2
    earlier = [parse_qs(urlsplit(address).query).get("earlier") for address in asked]
    assert earlier == [None, [tickets[0]]]  # it proves how long the form has been open


def test_a_lost_answer_costs_neither_the_text_nor_a_second_comment(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    open_article(page, host_page)
    page.route("**/comments", lose, times=1)
    write(page)
    post(page)
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    expect(field(page, "Comment")).to_have_value(TEXT)
    post(page)
    expect(comment(page, TEXT)).to_have_count(1)


def test_saying_the_same_twice_is_told_kindly(article: Page) -> None:
    for _ in range(2):
        write(article)
        post(article)
        expect(button(article, "Post Comment")).to_be_enabled()
    expect(article.get_by_role("alert")).to_contain_text("already said that")
    expect(field(article, "Comment")).to_have_value(TEXT)


@with_settings(submission_interval_seconds=600)
def test_a_reader_who_is_too_quick_is_told_how_long_to_wait(article: Page) -> None:
    write(article)
    post(article)
    expect(comment(article, TEXT)).to_be_visible()
    write(article, "And another thing.")
    post(article)
    expect(article.get_by_role("alert")).to_contain_text("You can post again in 10 minutes.")
    expect(field(article, "Comment")).to_have_value("And another thing.")


def test_a_thread_that_closes_meanwhile_leaves_the_text_in_its_place(
    article: Page, service: LiveService
) -> None:
    write(article)
    close(service)
    post(article)
    expect(article.get_by_role("alert")).to_contain_text("closed in the meantime")
    expect(field(article, "Comment")).to_have_value(TEXT)


@pytest.mark.parametrize(("status", "words"), [(503, "cannot be stored right now"), (413, "too large")])
def test_an_answer_from_a_proxy_in_between_is_told_in_words(
    page: Page, service: LiveService, host_page: HostPage, status: int, words: str
) -> None:
    allow = {"Access-Control-Allow-Origin": host_page.origin}
    open_article(page, host_page)
    page.route("**/comments", lambda route: route.fulfill(status=status, body="<html>", headers=allow))
    write(page)
    post(page)
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(field(page, "Comment")).to_have_value(TEXT)


# Replying


def test_reply_moves_the_form_below_the_comment_and_cancel_brings_it_back(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page, name="Ben", text="First.")
    open_article(page, host_page)
    field(page, "Comment").fill("half a thought")
    button(page, "Reply to Ben").click()
    expect(page.get_by_role("heading", name="Leave a Reply to Ben")).to_be_visible()
    expect(page.locator("li").get_by_role("textbox", name="Comment")).to_have_value("half a thought")
    expect(field(page, "Comment")).to_be_focused()
    button(page, "Cancel reply").click()
    expect(page.locator(".comments__respond").get_by_role("textbox", name="Comment")).to_have_value(
        "half a thought"
    )
    expect(button(page, "Reply to Ben")).to_be_focused()


def test_a_reply_stands_below_the_comment_it_answers(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page, name="Ben", text="First.")
    open_article(page, host_page)
    button(page, "Reply to Ben").click()
    write(page)
    post(page)
    expect(page.locator("li", has=comment(page, "First.")).locator("li")).to_contain_text(TEXT)
    expect(page.get_by_role("heading", name="Leave a Reply", exact=True)).to_be_visible()


def test_each_comment_answered_keeps_its_own_draft(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page, name="Ben")
    on(service, host_page, name="Cleo")
    open_article(page, host_page)
    for name in ("Ben", "Cleo"):
        button(page, f"Reply to {name}").click()
        field(page, "Comment").fill(f"to {name}")
    button(page, "Reply to Ben").click()
    expect(field(page, "Comment")).to_have_value("to Ben")


# What stays in the browser


def test_a_draft_outlives_a_reload_without_name_and_email(article: Page) -> None:
    write(article)
    assert "ana" not in (kept(article, "sessionStorage") + kept(article, "localStorage")).lower()
    article.reload()
    expect(field(article, "Comment")).to_have_value(TEXT)
    expect(field(article, "Email")).to_have_value("")


def test_a_draft_that_outlives_a_reload_is_no_younger_for_it_and_the_next_text_is(article: Page) -> None:
    def turn_to_the_form() -> Any:
        with article.expect_response(lambda answer: "/ticket?" in answer.url) as told:
            field(article, "Comment").focus()
        query = parse_qs(urlsplit(told.value.url).query)
        return query.get("earlier"), [told.value.json()["ticket"]]

    none, first = turn_to_the_form()
    write(article)
    article.reload()
    earlier, _ = turn_to_the_form()
    assert (none, earlier) == (None, first)
    write(article)
    post(article)
    expect(comment(article, TEXT)).to_be_visible()
    assert turn_to_the_form()[0] is None


def test_a_reload_in_the_middle_of_a_reply_goes_on_there(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page, name="Ben")
    open_article(page, host_page)
    button(page, "Reply to Ben").click()
    field(page, "Comment").fill("half a reply")
    page.reload()
    expect(page.get_by_role("heading", name="Leave a Reply to Ben")).to_be_visible()
    expect(field(page, "Comment")).to_have_value("half a reply")


def test_nothing_of_the_reader_is_kept_without_consent(article: Page) -> None:
    write(article)
    post(article)
    expect(comment(article, TEXT)).to_be_visible()
    assert kept(article, "localStorage") == "{}"
    assert "ana@" not in kept(article, "sessionStorage")


def test_with_consent_the_fields_are_filled_in_until_the_box_is_emptied(article: Page) -> None:
    write(article)
    article.get_by_role("checkbox").check()
    post(article)
    expect(comment(article, TEXT)).to_be_visible()
    article.reload()
    expect(field(article, "Email")).to_have_value("ana@example.org")
    expect(comment(article, TEXT)).to_be_visible()  # it stands above the box
    article.get_by_role("checkbox").uncheck()
    assert kept(article, "localStorage") == "{}"


# Owners


def test_a_service_that_does_not_answer_can_be_tried_again(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    page.route("**/thread?*", lambda route: route.abort())
    page.goto(host_page.url())
    expect(page.get_by_text("Comments could not be loaded.")).to_be_visible()
    page.unroute_all()
    button(page, "Try again").press("Enter")
    expect(field(page, "Comment")).to_be_visible()
    page.keyboard.press("Tab")
    expect(field(page, "Comment")).to_be_focused()


@pytest.mark.parametrize("wrong", ["key", "origin"])
def test_a_wrong_key_or_origin_is_one_warning_with_the_command_that_mends_it(
    page: Page, console: Console, service: LiveService, host_page: HostPage, wrong: str
) -> None:
    a_site(service.app, key="elsewhere")
    host_page.embed(service.url, site="nobody" if wrong == "key" else "elsewhere")
    with page.expect_console_message(lambda message: message.type == "warning") as said:
        page.goto(host_page.url())
    mends = (
        "comments site list"
        if wrong == "key"
        else f"comments site set elsewhere --add-origin {host_page.origin}"
    )
    assert mends in said.value.text
    assert len([line for line in console.complaints if line.startswith("comments:")]) == 1


def test_the_tag_twice_is_one_thread(page: Page, service: LiveService, host_page: HostPage) -> None:
    host_page.embed(
        service.url, body=f'<script src="{service.url}/embed.js" data-site="demo" async></script>'
    )
    open_article(page, host_page)
    page.wait_for_load_state("networkidle")
    expect(page.locator("comment-thread")).to_have_count(1)


def test_the_thread_goes_where_the_owner_says(page: Page, service: LiveService, host_page: HostPage) -> None:
    host_page.embed(service.url, attributes='data-target="#talk"', body='<aside id="talk"></aside>')
    open_article(page, host_page)
    expect(page.locator("#talk comment-thread")).to_have_count(1)


def test_links_show_their_counts(page: Page, service: LiveService, host_page: HostPage) -> None:
    on(service, host_page, "/busy")
    links = "".join(f'<a data-comments-count href="{path}">?</a>' for path in ("/busy#top", "/quiet"))
    host_page.embed(service.url, body=links)
    open_article(page, host_page)
    expect(page.locator("a[data-comments-count]")).to_have_text(["1 comment", "No comments"])


def test_the_count_script_asks_for_many_links_in_portions(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    links = "".join(f'<a data-comments-count href="/{number}/{"x" * 50}">?</a>' for number in range(130))
    host_page.embed(service.url)
    tag = f'<script src="{service.url}/count.js" data-site="demo" async></script>'
    host_page.html = f"<!doctype html><title>All</title>{links}{tag}"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/counts?" in request.url else None)
    page.goto(host_page.url("/"))
    expect(page.locator("a").last).to_have_text("No comments")
    assert len(asked) > 2
    assert max(len(url) for url in asked) < 4_000


def test_the_page_hears_of_what_happens(page: Page, service: LiveService, host_page: HostPage) -> None:
    page.add_init_script("""
        window.heard = [];
        for (const name of ["ready", "posted", "count"])
          addEventListener("comments:" + name, ({ type, detail }) => heard.push([type, detail.status]));
    """)
    open_article(page, host_page)
    write(page)
    post(page)
    expect(comment(page, TEXT)).to_be_visible()
    heard = page.evaluate("heard")
    assert heard == [["comments:count", None], ["comments:ready", None], ["comments:posted", "pending"]]


def test_a_page_that_lists_no_policy_for_us_still_shows_the_comments(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page, text=f"**{TEXT}**")
    host_page.csp = host_page.csp.replace("trusted-types comments", "trusted-types other")
    open_article(page, host_page)
    expect(page.get_by_text(TEXT)).to_be_visible()


def test_another_article_id_is_another_thread(page: Page, service: LiveService, host_page: HostPage) -> None:
    on(service, host_page, article_id="7", text="Below number seven.")
    open_article(page, host_page)
    page.locator("comment-thread").evaluate("element => element.setAttribute('article-id', '7')")
    expect(comment(page, "Below number seven.")).to_be_visible()


# Looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(page: Page, service: LiveService, host_page: HostPage, scheme: Any) -> None:
    parent = on(service, host_page, name="Ben", website="https://ben.example.org", text="> quoted\n\n`code`")
    on(service, host_page, parent_id=parent.id)
    page.emulate_media(color_scheme=scheme)
    host_page.html = host_page.html.replace(
        "<title>", f'<meta name="color-scheme" content="{scheme}"><title>'
    )
    open_article(page, host_page)
    write(page)
    post(page)
    expect(comment(page, TEXT)).to_be_visible()
    button(page, "Reply to Ben").click()
    post(page)
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)


def test_a_narrow_page_never_scrolls_sideways(page: Page, service: LiveService, host_page: HostPage) -> None:
    change_site(service.app, service.site, rules={"max_depth": 10})
    parent = None
    for _ in range(11):
        text = f"{'Donaudampfschiff' * 20} https://example.org/{'long' * 40}\n\n    {'code ' * 40}"
        parent = on(service, host_page, name="N" * 200, text=text, parent_id=parent and parent.id)
    page.set_viewport_size({"width": 320, "height": 600})
    open_article(page, host_page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_host_that_reverts_everything_does_not_flatten_it(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    host_page.embed(service.url, body='<link rel="stylesheet" href="/revert.css">')
    page.route(
        "**/revert.css",
        lambda route: route.fulfill(content_type="text/css", body="* {all: revert !important}"),
    )
    open_article(page, host_page)
    assert page.locator("comment-thread").evaluate("e => getComputedStyle(e).display") == "block"
    assert page.locator("textarea").evaluate("e => e.offsetWidth > 500")


def test_what_a_thumb_must_hit_is_large_enough(page: Page, service: LiveService, host_page: HostPage) -> None:
    on(service, host_page, name="Ben")
    page.set_viewport_size({"width": 360, "height": 740})
    open_article(page, host_page)
    heights = page.locator(
        "comment-thread :is(button, input:not([type=checkbox]), label:has(input))"
    ).evaluate_all("all => all.map((each) => each.offsetHeight).filter(Boolean)")
    assert len(heights) > 4
    assert min(heights) >= 44


def test_paper_gets_the_comments_without_what_only_a_screen_can_do(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    on(service, host_page, name="Ben")
    open_article(page, host_page)
    page.emulate_media(media="print")
    expect(page.get_by_text("Ben", exact=True)).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def close(service: LiveService) -> None:
    """Close the site, as its owner does."""
    with service.app.app_context(), transaction() as session:
        session.get_one(Site, service.site.id).is_open = False


def origin_of(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])
