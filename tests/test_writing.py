"""What helps with writing: buttons, keys, a preview by the service, a counter, quotations; a bad network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Locator, Page, Route, expect

from comments_service.settings import Settings
from comments_service.vocabulary import MAX_TEXT_BYTES, SiteView
from tests.browser import Console, assert_accessible, overflow
from tests.doors import a_network, everything, form_fields, page_ticket, send_form
from tests.doors import page as thread_page
from tests.factories import ORIGIN, a_comment
from tests.servers import HostPage, LiveService

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PREVIEW = "/api/v1/sites/demo/preview"


# The door


def preview(client: FlaskClient, body: Any, **headers: str | None) -> Any:
    """Ask how a text will look, from the site's own page."""
    sent = {"Origin": ORIGIN} | headers
    given = {name: value for name, value in sent.items() if value is not None}
    return client.post(PREVIEW, json=body, headers=given, environ_overrides=a_network())


def test_a_preview_is_what_the_comment_will_be(app: Flask, client: FlaskClient, site: SiteView) -> None:
    text = "A *fine* bridge <script>alert(1)</script>\n\n> https://example.org"
    before = everything(app)
    answer = preview(client, {"text": text})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "<em>fine</em>" in answer.json["html"]
    assert "<script" not in answer.json["html"]
    assert everything(app) == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "required"),
        (" \u200b", "required"),
        ("a\0b", "characters"),
        (7, "type"),
        ([], "type"),
        (None, "required"),
        ("x" * (MAX_TEXT_BYTES + 1), "too_long"),
    ],
)
@one_database
def test_a_text_that_cannot_be_posted_has_no_preview(
    client: FlaskClient, site: SiteView, text: Any, code: str
) -> None:
    answer = preview(client, {"text": text})
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [("text", code)]


@one_database
def test_a_page_elsewhere_gets_no_preview(client: FlaskClient, site: SiteView) -> None:
    assert preview(client, {"text": "x"}, Origin="https://elsewhere.example").status_code == 403
    assert preview(client, {"text": "x"}, Origin=None).status_code == 403


@one_database
def test_previews_have_a_limit_of_their_own(
    settings: Settings, make_app: Callable[[Settings], Flask], site: SiteView
) -> None:
    client = make_app(settings.model_copy(update={"previews_per_minute": 2})).test_client()
    headers = {"Origin": ORIGIN}
    answers = [client.post(PREVIEW, json={"text": "x"}, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60


@one_database
def test_the_page_shows_a_preview_and_keeps_what_was_typed(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    typed = {"text": "A *fine* bridge", "name": "Ana", "email": "ana@example.org"}
    before = everything(app)
    answer = send_form(client, form_fields(page_ticket(thread_page(client)), do="preview", **typed))
    assert answer.status_code == 200
    assert "<em>fine</em>" in answer.text
    assert 'value="Ana"' in answer.text
    assert "ana@example.org" not in answer.text
    assert everything(app) == before
    empty = send_form(client, form_fields(page_ticket(answer), do="preview", **(typed | {"text": " "})))
    assert (empty.status_code, "Please type your comment." in empty.text) == (422, True)
    sent = send_form(client, form_fields(page_ticket(empty), **typed))
    assert sent.status_code == 303


# The widget


@pytest.fixture
def text(page: Page, console: Console, live_service: LiveService, host_page: HostPage) -> Any:
    """The text's field, with what helps in it."""
    a_comment(live_service.app, live_service.site, url=host_page.url(), text="Who pays\nfor it?")
    page.goto(host_page.url())
    field = page.get_by_role("textbox", name="Comment")
    field.click()
    page.get_by_role("toolbar", name="Formatting").wait_for()
    yield field
    assert [line for line in console.unexpected if "net::ERR" not in line] == []


def select(text: Locator, value: str) -> None:
    """Fill in a text whose part between | and | is selected; one | is where the cursor stands."""
    bare = value.replace("|", "")
    first = value.index("|")
    last = value.rindex("|") - (value.count("|") - 1)
    text.fill(bare)
    text.evaluate("(field, [from, to]) => field.setSelectionRange(from, to)", [first, last])


def selected(text: Locator) -> str:
    """The text as `select` writes it."""
    value, first, last = text.evaluate("field => [field.value, field.selectionStart, field.selectionEnd]")
    inner = f"|{value[first:last]}|" if first != last else "|"
    return str(value[:first] + inner + value[last:])


MARKS = [
    ("Bold", "b", "a |fine| bridge", "a **|fine|** bridge"),
    ("Bold", "b", "a **|fine|** bridge", "a |fine| bridge"),
    ("Italic", "i", "a| fine |bridge", "a *|fine|* bridge"),
    ("Italic", "i", "|", "*|*"),
    ("Code", "e", "|x = 1|", "`|x = 1|`"),
    ("Code", "e", "so: |x = 1\ny = 2|", "so: \n```\n|x = 1\ny = 2|\n```\n"),
    ("Quote", "Shift+Period", "a\nb|ad\nc|ode", "a\n|> bad\n> code|"),
    ("Quote", "Shift+Period", "|> a\n> b|", "|a\nb|"),
    ("List", "Shift+Digit8", "one|", "- one|"),
    ("Link", "k", "see |here|", "see [here](|https://|)"),
    ("Link", "k", "|https://example.org|", "[|](https://example.org)"),
]


@one_database
def test_buttons_and_keys_put_marks_around_what_is_selected(page: Page, text: Locator) -> None:
    for name, key, before, after in MARKS:
        select(text, before)
        page.get_by_role("button", name=name, exact=True).click()
        assert selected(text).replace("a* |", "a *|") == after.replace("a* |", "a *|"), name
        select(text, before)
        text.press(f"Control+{key}")
        assert selected(text) == after, key
    select(text, "a |fine| bridge")
    text.press("Control+b")
    text.press("Control+z")
    expect(text).to_have_value("a fine bridge")


@one_database
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_moves_when_the_buttons_come(
    page: Page, live_service: LiveService, host_page: HostPage, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    host_page.embed(live_service.url, attributes='data-lang="uk"')  # its word for a preview is a long one
    page.goto(host_page.url())
    button = page.locator("form .button")
    before = button.bounding_box()
    page.locator("textarea").focus()
    page.get_by_role("toolbar").wait_for()
    assert button.bounding_box() == before
    assert overflow(page) <= 0


@one_database
def test_the_toolbar_is_one_stop_for_tab(page: Page, text: Locator) -> None:
    text.press("Tab")
    expect(page.get_by_role("button", name="Bold")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("button", name="Preview")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Italic")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()


@one_database
def test_the_preview_follows_what_is_typed(page: Page, text: Locator) -> None:
    switch, panel = page.get_by_role("button", name="Preview"), page.get_by_role("region", name="Preview")
    switch.click()
    expect(panel).to_contain_text("There is nothing to show yet.")
    text.fill("A *fine* bridge")
    expect(panel.locator("em")).to_have_text("fine")
    assert_accessible(page)
    page.context.set_offline(True)
    text.fill("A *fine* bridge?")
    expect(panel).to_contain_text("The preview cannot be shown just now.")
    page.context.set_offline(False)
    switch.click()
    expect(panel).to_be_hidden()


@one_database
def test_the_preview_closes_with_the_comment_that_was_sent(page: Page, text: Locator) -> None:
    text.fill("A *fine* bridge")
    page.get_by_role("button", name="Preview").click()
    panel = page.get_by_role("region", name="Preview")
    expect(panel.locator("em")).to_have_text("fine")
    page.get_by_role("textbox", name="Name").fill("Ana")
    page.get_by_role("textbox", name="Email").fill("ana@example.org")
    page.get_by_role("button", name="Post Comment").click()
    expect(text).to_have_value("")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Preview")).to_have_attribute("aria-expanded", "false")


@one_database
def test_no_tool_is_cut_on_a_small_screen(page: Page, text: Locator) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    text.focus()
    switch = page.get_by_role("button", name="Preview")
    expect(switch).to_be_visible()
    assert switch.evaluate("(button) => button.scrollWidth <= button.clientWidth")


@one_database
def test_the_counter_shows_when_little_is_left(page: Page, text: Locator) -> None:
    text.fill("x" * 50_000)
    expect(page.get_by_text("characters left")).to_be_hidden()
    text.fill("x" * (MAX_TEXT_BYTES - 1_234))
    expect(page.get_by_text("1,234 characters left")).to_be_visible()
    text.fill("é" * (MAX_TEXT_BYTES // 2 + 1))
    expect(page.get_by_text("1 character too many")).to_be_visible()


@one_database
def test_what_is_selected_of_a_comment_is_quoted_in_the_reply(page: Page, text: Locator) -> None:
    page.get_by_role("article").first.locator(".comment__body").select_text()
    page.get_by_role("button", name="Reply to").click()
    expect(text).to_have_value("> Who pays\n> for it?\n\n")


@one_database
def test_offline_a_comment_waits_and_goes_by_itself(
    page: Page, text: Locator, live_service: LiveService
) -> None:
    fill(page)
    page.context.set_offline(True)
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_role("alert")).to_have_text(
        "You are offline. Your comment is kept here, and sent as soon as you are back."
    )
    page.context.set_offline(False)
    expect(page.get_by_role("article")).to_have_count(2)
    expect(text).to_have_value("")


@one_database
def test_a_lost_answer_costs_no_second_comment_after_a_reload_either(
    page: Page, text: Locator, live_service: LiveService
) -> None:
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()
        route.abort()

    page.route("**/comments", lose, times=1)
    fill(page)
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_role("alert")).to_contain_text("Your text is still here")
    page.reload()
    expect(text).to_have_value("Kept here.")
    with page.expect_request("**/comments") as sent:
        fill(page)
        page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text("Kept here.")).to_have_count(1)
    assert sent.value.headers["idempotency-key"] == keys[0]
    assert "ana@example.org" not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")


def fill(page: Page) -> None:
    """Fill in the form."""
    for name, value in {"Comment": "Kept here.", "Name": "Ana", "Email": "ana@example.org"}.items():
        page.get_by_role("textbox", name=name).fill(value)
