"""The widget in every state that looks its own way, in every style: the table of `test_widget_looks.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, expect

from comments_service.decisions.decide import decide_all
from comments_service.decisions.verbs import Change, Verb
from comments_service.vocabulary import Badge, SignedName
from tests.conftest import NOW
from tests.doors import change_site
from tests.factories import a_comment
from tests.servers import HostPage, LiveService
from tests.test_own_comments import OPEN

Before = Callable[[LiveService, HostPage], Any]
Then = Callable[[Page], Any]


def nothing(_service: LiveService, _host: HostPage) -> None:
    """An article that nobody has commented on."""


def a_talk(service: LiveService, host: HostPage) -> None:
    """All that a comment can have: badges, a website, code, replies, votes; and that a neighbour looks."""
    options = {"votes": "both", "akismet": True, "akismet_email": True}
    change_site(service.app, service.site, options=options, takes_letters=True)
    text = "> A ceasefire followed\n\nThat was *hopeful*, with `code`, [a link](https://example.org)\n\n- one"
    url = host.url()
    first = a_comment(service.app, service.site, url=url, name="Ana", text=text, signed=AUTHOR)
    answer = a_comment(
        service.app,
        service.site,
        url=url,
        name="Ben",
        website="https://ben.example.org",
        parent_id=first.id,
    )
    a_comment(service.app, service.site, url=url, name="Cleo", text="Donau" * 40, parent_id=answer.id)


def a_long_talk(service: LiveService, host: HostPage) -> None:
    """More than a page holds."""
    for number in range(22):
        a_comment(
            service.app, service.site, url=host.url(), name=f"Reader {number}", text=f"Comment {number}."
        )


def an_open_talk(service: LiveService, host: HostPage) -> None:
    """What is written is published at once."""
    change_site(service.app, service.site, rules=OPEN)


def a_closed_talk(service: LiveService, host: HostPage) -> None:
    """Nothing more can be said."""
    a_talk(service, host)
    change_site(service.app, service.site, is_open=False)


def fill(page: Page) -> None:
    """Write a comment that can be sent."""
    for name, value in {"Comment": "A *fine* bridge.", "Name": "Dora", "Email": "dora@example.org"}.items():
        page.get_by_role("textbox", name=name, exact=True).fill(value)


def send(page: Page) -> None:
    """Send it."""
    fill(page)
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_role("button", name="Withdraw your comment")).to_be_visible()


def send_nothing(page: Page) -> None:
    """Send the form as it is."""
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text("Please type your comment.")).to_be_visible()


def preview(page: Page) -> None:
    """See how it will look."""
    fill(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview").get_by_text("fine")).to_be_visible()


def reply(page: Page) -> None:
    """Answer somebody, with a wrong field."""
    page.get_by_role("button", name="Reply to Ben").click()
    expect(page.get_by_role("button", name="Bold")).to_be_visible()
    send_nothing(page)


def edit(page: Page) -> None:
    """Change the own words."""
    send(page)
    page.get_by_role("button", name="Edit your comment").click()
    expect(
        page.get_by_role("form", name="Edit your comment").get_by_role("button", name="Bold")
    ).to_be_visible()


def withdraw(page: Page) -> None:
    """Take the own words back, but for the last word."""
    send(page)
    page.get_by_role("button", name="Withdraw your comment").click()


def follow(page: Page) -> None:
    """Go to a comment by its link."""
    page.evaluate("location.hash = 'comment-2'")
    expect(page.locator(".comment--target")).to_be_focused()


def lose(page: Page) -> None:
    """Let the service be away."""
    page.route("**/api/v1/**", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def vote(page: Page) -> None:
    """Vote for one comment and against another."""
    for name in ("Vote for Ana’s comment", "Vote against Ben’s comment"):
        button = page.get_by_role("button", name=name)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")


def object_to(page: Page) -> None:
    """Report a comment, without saying why."""
    page.get_by_role("button", name="Report the comment by Ben").click()
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("alert").filter(has_text="Please choose")).to_be_visible()


def say_more(service: LiveService, host: HostPage) -> None:
    """Somebody else comments."""
    a_comment(service.app, service.site, url=host.url(), name="Edda")


def decline(service: LiveService, _host: HostPage) -> None:
    """A moderator does not publish the first comment, and says why."""
    with service.app.app_context():
        decide_all([Change(1, 1, Verb.TRASH)], by=None, now=NOW, note="Please stay kind.")


AUTHOR = SignedName("7", "Ana", Badge.AUTHOR)


@dataclass(frozen=True)
class View:
    """What there is before the page is opened, the tag's attributes, and what the reader does then.

    `meanwhile` happens while the page is open; `shows` finds what the page tells of it after its next look.
    """

    before: Before = a_talk
    then: tuple[Then, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    wordpress: bool = False
    built_in: bool = False  # the fragment stands in the page
    meanwhile: Before | None = None
    shows: str = ""
    complaints: tuple[str, ...] = ()  # of the browser, which are as they should be


NEW = ".comments__new"
NO_NETWORK = ("Failed to load resource: net::ERR_FAILED",)
NEWS, BARE, DARK = {"style": "news"}, {"style": "none"}, {"theme": "dark"}
VIEWS = {
    "empty": View(nothing),
    "talk": View(),
    "a comment by its link": View(then=(follow,)),
    "waiting": View(nothing, (send,)),
    "published": View(an_open_talk, (send,)),
    "wrong fields": View(nothing, (send_nothing,)),
    "reply with wrong fields": View(then=(reply,)),
    "preview": View(nothing, (preview,)),
    "edit": View(an_open_talk, (edit,)),
    "withdraw": View(an_open_talk, (withdraw,)),
    "pages": View(a_long_talk),
    "closed": View(a_closed_talk),
    "no answer": View(nothing, (lose,), complaints=NO_NETWORK),
    "fragment without an answer": View(then=(lose,), built_in=True, complaints=NO_NETWORK),
    "votes": View(then=(vote,)),
    "report": View(then=(object_to,)),
    "new comments": View(meanwhile=say_more, shows=NEW),
    "new comments from the right": View(attributes={"lang": "ar"}, meanwhile=say_more, shows=NEW),
    "new comments among nobody's": View(nothing, meanwhile=say_more, shows=NEW),
    "declined": View(nothing, (send,), meanwhile=decline, shows=".comment__reason"),
    "from the right": View(attributes={"lang": "ar"}),
    "dark by the tag": View(then=(reply,), attributes=DARK),
    "news": View(then=(reply,), attributes=NEWS),
    "news, published": View(an_open_talk, (send,), NEWS),
    "bare": View(then=(reply,), attributes=BARE),
    "bare, votes and a report": View(then=(vote, object_to), attributes=BARE),
    "classic": View(then=(reply,), attributes=BARE, wordpress=True),
    "classic, waiting": View(nothing, (send,), BARE, wordpress=True),
}
