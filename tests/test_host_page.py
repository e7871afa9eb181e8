"""The demo's news page as readers meet it: on a phone, under its strict policy, and with scripts off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.run import HEADLINE
from tests.browser import Console, assert_accessible
from tools.demo_process import DemoProcess, running_demo

TEXT = "The map would help me too."


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    """One demo for all tests here; none of them approves anything, so its page stays as it is."""
    with running_demo(tmp_path_factory.mktemp("demo")) as process:
        yield process


@pytest.fixture
def article(page: Page, console: Console, demo: DemoProcess) -> Iterator[Page]:
    """The news page with its comments; whatever it complains about fails the test."""
    open_article(page, demo)
    yield page
    assert console.unexpected == []


@pytest.fixture
def plain(browser: Browser, demo: DemoProcess) -> Iterator[Page]:
    """The news page in a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(demo.newspaper)
    yield page
    context.close()


def open_article(page: Page, demo: DemoProcess) -> None:
    page.goto(demo.newspaper)
    page.locator("comment-thread").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible()


def width_beyond_the_screen(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def font(page: Page, selector: str) -> str:
    return str(page.locator(selector).first.evaluate("e => getComputedStyle(e).fontFamily"))


def test_the_page_ends_with_heading_comments_and_form(article: Page) -> None:
    headings = article.get_by_role("heading", level=2).all_text_contents()
    assert headings[-2:] == ["Don’t Miss", f"2 thought on “{HEADLINE}”"]
    expect(article.locator("comment-thread article")).to_have_count(2)
    expect(article.get_by_text("Your email address will not be published.")).to_be_visible()
    expect(article.get_by_text("Required fields are marked *")).to_be_visible()


def test_nothing_is_wider_than_a_phone_of_320_pixels(article: Page) -> None:
    article.set_viewport_size({"width": 320, "height": 640})
    assert width_beyond_the_screen(article) == 0
    article.get_by_role("button", name="Reply to Tomás Reyes").click()
    article.get_by_role("button", name="Post Comment").click()
    expect(article.get_by_text("Please enter your name.")).to_be_visible()
    assert width_beyond_the_screen(article) == 0


def test_comments_and_fields_have_the_font_of_the_article(article: Page) -> None:
    of_the_article = font(article, ".story p")
    assert font(article, ".comment__body p") == of_the_article
    assert font(article, "textarea") == of_the_article
    assert font(article, "comment-thread h2") == of_the_article


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_who_cannot_see_or_point_find_their_way(article: Page, scheme: str) -> None:
    article.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert_accessible(article)
    article.get_by_role("button", name="Post Comment").click()
    expect(article.get_by_text("Please type your comment.")).to_be_visible()
    assert_accessible(article)


def test_reading_costs_one_script_and_one_answer_and_nobody_else_is_asked(
    page: Page, demo: DemoProcess
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_article(page, demo)
    page.wait_for_load_state("networkidle")
    of_the_service = [url.partition("?")[0] for url in asked if url.startswith(demo.service)]
    assert of_the_service == [f"{demo.service}/embed.js", f"{demo.service}/api/v1/sites/demo/thread"]
    assert all(url.startswith((demo.service, demo.newspaper)) for url in asked)


def test_no_cookie_is_set_by_reading_or_turning_to_the_form(article: Page) -> None:
    with article.expect_response("**/ticket?*"):
        article.get_by_role("textbox", name="Comment", exact=True).focus()
    assert article.context.cookies() == []


def test_the_links_below_the_article_lead_somewhere(page: Page, demo: DemoProcess) -> None:
    page.goto(demo.newspaper)
    page.get_by_role("link", name="Taiwan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This story has not been written")
    page.get_by_role("link", name=HEADLINE).click()
    expect(page).to_have_url(demo.newspaper)


def test_without_scripts_a_link_leads_to_the_same_comments(plain: Page) -> None:
    plain.get_by_role("link", name="Comments").click()
    expect(plain.get_by_text(f"2 thought on “{HEADLINE}”")).to_be_visible()
    expect(plain.get_by_text("Marta Lindqvist").first).to_be_visible()
    assert width_beyond_the_screen(plain) == 0


def test_without_scripts_wrong_fields_keep_the_text_and_right_ones_reach_the_queue(plain: Page) -> None:
    plain.get_by_role("link", name="Comments").click()
    plain.get_by_role("textbox", name="Comment").fill(TEXT)
    plain.get_by_label("Name").fill("Cleo")
    plain.get_by_label("Email").fill("nobody@")
    plain.get_by_role("button", name="Post Comment").click()
    expect(plain.get_by_text("Please enter a valid email address").first).to_be_visible()
    expect(plain.get_by_role("textbox", name="Comment")).to_have_value(TEXT)
    plain.get_by_label("Email").fill("cleo@example.org")
    plain.get_by_role("button", name="Post Comment").click()
    expect(plain.get_by_text("Your comment is awaiting moderation")).to_be_visible()
    expect(plain.get_by_role("blockquote").get_by_text(TEXT)).to_be_visible()
