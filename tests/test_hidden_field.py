"""The field that no person sees: not on the screen, by the keys, or with a screen reader, in every form."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.servers import HostPage, LiveService
from tests.test_pages_browser import thread

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

REVERT = "* { all: revert !important }"  # what some pages do to whatever they embed
FIELD = "[name=subject]"
WITHOUT_IT = "(field) => (field.closest('.form__trap') ?? field).remove()"
WITHOUT_STYLE = "(field) => field.closest('.form__trap').style.setProperty('display', 'block', 'important')"
FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at.name || at.type || "";
}"""
FIND = f'(document.querySelector("comment-thread")?.shadowRoot ?? document).querySelector("{FIELD}")'


@pytest.fixture(params=["the page without scripts", "the widget", "a widget in the page's own style"])
def form(request: pytest.FixtureRequest, page: Page, live_service: LiveService, host_page: HostPage) -> Page:
    """A form with such a field, on a page that undoes all styles where that is somebody else's."""
    if request.param == "the page without scripts":
        page.goto(thread(live_service))
    else:
        host_page.embed(live_service.url, attributes='data-style="none"' if "own" in request.param else "")
        host_page.csp += f"; style-src 'self' {live_service.url}"
        host_page.css += REVERT
        page.goto(host_page.url())
    expect(page.get_by_role("textbox", name="Comment", exact=True)).to_be_visible()
    return page


def test_a_hidden_field_leaves_no_trace_on_the_screen(form: Page) -> None:
    def picture() -> bytes:
        return form.screenshot(full_page=True, animations="disabled")

    field = form.locator(FIELD)
    expect(field).to_be_hidden()
    before = picture()
    field.evaluate(WITHOUT_IT)
    assert picture() == before


@pytest.mark.parametrize("has_styles", [True, False])
def test_neither_keys_nor_a_screen_reader_nor_autofill_come_to_a_hidden_field(
    form: Page, *, has_styles: bool
) -> None:
    field = form.locator(FIELD)
    if not has_styles:  # they may not arrive
        field.evaluate(WITHOUT_STYLE)
        expect(field).to_be_visible()
    assert is_silent(form)
    assert field.get_attribute("autocomplete") == "off"
    reached = by_tab(form)
    assert {"name", "email", "website"} <= set(reached)
    assert "subject" not in reached


def is_silent(page: Page) -> bool:
    """Whether the browser tells those who listen to the page nothing of the field."""
    devtools = page.context.new_cdp_session(page)
    found: dict[str, Any] = devtools.send("Runtime.evaluate", {"expression": FIND})["result"]
    asked = {"objectId": found["objectId"], "fetchRelatives": False}
    nodes = devtools.send("Accessibility.getPartialAXTree", asked)["nodes"]
    return bool(nodes) and all(node["ignored"] for node in nodes)


def by_tab(page: Page) -> list[str]:
    """What Tab comes to from the text to the end of the form."""
    page.get_by_role("textbox", name="Comment", exact=True).focus()
    reached: list[str] = []
    while "submit" not in reached and len(reached) < 40:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    return reached
