"""The widget in every state and style, looked at by everybody: light, dark, magnified, by keys, mirrored."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Console
from tests.looks import complaints, prepare
from tests.reader_views import VIEWS, a_talk
from tests.servers import HostPage, LiveService
from tests.test_fragment_browser import build_in
from tests.test_widget_fresh import pass_time

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# The first comment is written out: the others have the same
TREE = """
- region "Comments":
  - heading "3 thoughts on “A bridge for the harbour”" [level=2]
  - list:
    - listitem:
      - article:
        - text: Ana Author
        - link:
          - time
        - blockquote:
          - paragraph: A ceasefire followed
        - paragraph
        - list
        - paragraph:
          - group "Votes on Ana’s comment":
            - 'button "Vote for Ana’s comment: 0 votes"'
            - 'button "Vote against Ana’s comment: 0 votes"'
          - button "Reply to Ana"
          - button "Copy link to the comment by Ana"
          - button "2 replies" [expanded]
      - list:
        - listitem:
          - article
          - list:
            - listitem:
              - article
  - status
  - form "Leave a Reply":
    - heading "Leave a Reply" [level=3]
    - paragraph: Your email address will not be published. Required fields are marked *
    - text: Comment
    - textbox "Comment"
    - text: Name
    - textbox "Name"
    - text: Email
    - textbox "Email"
    - text: Website
    - textbox "Website"
    - 'checkbox "Only for the editors: a correction, a tip. It will not be published."'
    - text: "Only for the editors: a correction, a tip. It will not be published."
    - checkbox "Save my name, email, and website in this browser for the next time I comment."
    - text: Save my name, email, and website in this browser for the next time I comment.
    - button "Post Comment"
    - paragraph
  - status
"""


@pytest.mark.parametrize("name", VIEWS)
def test_every_state_looks_right_to_everybody(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage, name: str
) -> None:
    view = VIEWS[name]
    view.before(live_service, host_page)
    attributes = " ".join(f'data-{key}="{value}"' for key, value in view.attributes.items())
    link = f'<link rel="stylesheet" href="{live_service.url}/classic.css">' if view.wordpress else ""
    if view.built_in:
        build_in(live_service, host_page)
    else:
        host_page.embed(live_service.url, attributes=attributes, body=link)
    host_page.html = host_page.html.replace(
        "<title>", '<meta name="color-scheme" content="light dark"><title>'
    )
    host_page.csp += f"; style-src 'self' {live_service.url}"
    prepare(page)
    if view.meanwhile:
        page.clock.install()
    page.goto(host_page.url())
    expect(page.locator("form, .comments__closed").first).to_be_visible()
    for step in view.then:
        step(page)
    if view.meanwhile:
        view.meanwhile(live_service, host_page)
        pass_time(page, 1)
        expect(page.locator(view.shows)).to_be_visible()
    text = page.locator("textarea:not(.report__note)").last  # in any language
    if text.is_visible():  # the tools for writing come with the focus; Tab shall find them
        text.focus()
        expect(page.locator(".tool--preview").last).to_be_visible()
    assert complaints(page) == []
    assert [said for said in console.unexpected if not said.startswith(view.complaints)] == []


def test_a_screen_reader_is_told_the_thread_and_the_form_in_order(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    a_talk(live_service, host_page)
    host_page.embed(live_service.url)
    page.goto(host_page.url())
    expect(page.locator("form")).to_be_visible()
    expect(page.locator("comment-thread")).to_match_aria_snapshot(TREE)
