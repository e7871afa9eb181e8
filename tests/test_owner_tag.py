"""What an owner's tag may say, and what the page around it may be like, in a real browser."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from comments_service.sites import SiteChange, change_site
from comments_service.texts import Catalogue
from tests.browser import Console
from tests.factories import EARLY, a_comment
from tests.servers import HostPage, LiveService

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

INSECURE = "http://news.example.org"  # no secure context: crypto.subtle and randomUUID are missing there


def show(page: Page, host: HostPage, service: LiveService, attributes: str = "", body: str = "") -> None:
    """Open the article with a tag that says so, up to its form."""
    host.embed(service.url, attributes=attributes, body=body)
    page.goto(host.url())
    expect(page.get_by_role("heading", name="Leave a Reply").first).to_be_visible()


def test_an_id_finds_the_comments_under_a_new_address(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    a_comment(live_service.app, live_service.site, url=host_page.url("/old"), article_id="42", text="Moved.")
    show(page, host_page, live_service, 'data-article-id="42"')
    expect(page.get_by_text("Moved.")).to_be_visible()


def test_the_canonical_address_of_the_page_is_the_article(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    a_comment(live_service.app, live_service.site, url=host_page.url("/true"), text="Below the true one.")
    show(page, host_page, live_service, body='<link rel="canonical" href="/true">')
    expect(page.get_by_text("Below the true one.")).to_be_visible()


@pytest.mark.parametrize("canonical", ["https://elsewhere.example.com/", "/{{ page.url }}"])
def test_a_canonical_address_that_is_not_the_sites_is_passed_over(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage, canonical: str
) -> None:
    a_comment(live_service.app, live_service.site, url=host_page.url(), text="Below the page.")
    show(page, host_page, live_service, body=f'<link rel="canonical" href="{canonical}">')
    expect(page.get_by_text("Below the page.")).to_be_visible()
    assert console.unexpected == []


def test_the_newest_come_first_where_the_owner_says_so(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    for text in ("Older.", "Newer."):
        a_comment(live_service.app, live_service.site, url=host_page.url(), text=text)
    show(page, host_page, live_service, 'data-sort="newest"')
    expect(page.locator(".comment__body")).to_have_text(["Newer.", "Older."])


def test_the_language_is_asked_for_by_thread_and_counts(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "lang=" in request.url else None)
    link = '<a data-comments-count href="/busy">?</a>'
    show(page, host_page, live_service, 'data-lang="en-GB"', link)
    expect(page.locator("a[data-comments-count]")).to_have_text("No comments")
    told = {urlsplit(url).path.rpartition("/")[2]: parse_qs(urlsplit(url).query)["lang"] for url in asked}
    assert told == {"thread": ["en-GB"], "counts": ["en-GB"]}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_of_the_tag_beats_the_scheme_of_the_page(
    page: Page, live_service: LiveService, host_page: HostPage, theme: str
) -> None:
    show(page, host_page, live_service, f'data-theme="{theme}"')
    used = page.locator("comment-thread").evaluate("element => getComputedStyle(element).colorScheme")
    assert used == theme


def test_two_articles_on_one_page_are_two_threads(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    for number in "12":
        a_comment(live_service.app, live_service.site, url=host_page.url(), article_id=number, text=number)
    tag = f'<script src="{live_service.url}/embed.js" data-site="demo" data-article-id="1" async></script>'
    show(page, host_page, live_service, 'data-article-id="2"', tag)
    expect(page.locator("comment-thread")).to_have_count(2)
    expect(page.locator("comment-thread").nth(0).locator(".comment__body")).to_have_text("1")
    expect(page.locator("comment-thread").nth(1).locator(".comment__body")).to_have_text("2")


def over_plain_http(page: Page, service: LiveService, host_page: HostPage) -> None:
    """Open the article on a page of the site that came over plain http."""

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body=host_page.html, headers={"CSP": host_page.csp})

    with service.app.app_context():
        change_site("demo", SiteChange(added_origins=(INSECURE,)), catalogue=Catalogue.load(), now=EARLY)
    page.route(f"{INSECURE}/**", answer)
    # Fetched from here: browsers keep pages of the public net away from services on this machine
    page.route(f"{service.url}/**", lambda route: route.fulfill(response=route.fetch()))
    page.goto(f"{INSECURE}/article")
    assert page.evaluate("[isSecureContext, crypto.randomUUID, crypto.subtle]") == [False, None, None]


def test_a_page_over_plain_http_can_send_comments(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    over_plain_http(page, live_service, host_page)
    for label, value in (("Comment", "Hello."), ("Name", "Ana"), ("Email", "ana@example.org")):
        page.get_by_role("textbox", name=label, exact=True).fill(value)
    page.get_by_role("textbox", name="Comment", exact=True).press("Meta+Enter")
    expect(page.get_by_role("article")).to_contain_text("Your comment is awaiting moderation")
    page.unroute_all(behavior="wait")  # what the page still fetches must not outlive it
