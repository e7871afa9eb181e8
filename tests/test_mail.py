"""Letters as they travel: nothing of a stranger's can be clicked, no header can be forged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from comments_service.notify.mail import defanged
from comments_service.settings import Settings
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment
from comments_service.vocabulary import ModeratorView, SiteView, Status
from tests.conftest import Clock
from tests.factories import a_comment, a_moderator, an_address
from tests.mailboxes import Mailbox, deliver, mailbox, mailed, text_of

HOSTILE_NAMES = [
    "Ana\r\nBcc: everybody@example.org",
    "Ana\nSubject: Won a prize",
    "\u202egro.elpmaxe@ana\u202c",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {% raw %}",
    "=?utf-8?q?Bcc=3A?=",
    "ana@evil.example",
    "x" * 245,
]


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite alone: the words are the same on both."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'comments.sqlite3')}"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """The moderators' mail server."""
    with mailbox() as box:
        yield box


@pytest.fixture
def settings(settings: Settings, box: Mailbox) -> Settings:
    """Settings that lead letters there."""
    return mailed(settings, box.url, public_url="https://comments.example.org/c")


@pytest.fixture
def ana(app: Flask, site: SiteView) -> ModeratorView:
    """A moderator with an address."""
    moderator = a_moderator(app, name="ana")
    an_address(app, moderator)
    return moderator


def the_letter(app: Flask, site: SiteView, box: Mailbox, clock: Clock, **fields: Any) -> EmailMessage:
    """The letter about a comment with these fields."""
    a_comment(app, site, status=Status.PENDING, **fields)
    deliver(app, clock)
    (message,) = box.messages
    return message


class Links(HTMLParser):
    """Collects what can be clicked or is fetched, and the words between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_letter_tells_all_it_takes_to_decide(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    message = the_letter(app, site, box, clock, name="Zenobia", text="Fine words.", email="z@example.org")
    for words in (text_of(message), Links(text_of(message, "html")).words):
        for told in (
            "Zenobia",
            "z•••@e•••.org",
            "A bridge for the harbour",
            "Fine words.",
            "1 comment waits",
        ):
            assert told in words
        assert "every comment is read before" in words
        assert "z@example.org" not in words
    assert "https://comments.example.org/c/confirm/" in text_of(message)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_name_makes_a_header_or_markup(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, name: str
) -> None:
    message = the_letter(app, site, box, clock, name=name)
    assert message["Bcc"] is None
    assert message["To"] == "ana@example.org"
    assert message.get_all("Subject") == [message["Subject"]]
    assert str(message["Subject"]).isprintable()
    assert "script" not in Links(text_of(message, "html")).tags


TEXTS = [
    "See https://evil.example/?a=1 and www.evil.example or mail me@evil.example",
    "![picture](https://evil.example/p.png) [here](https://evil.example)",
    '<img src="https://evil.example/p.png"><a href="https://evil.example">x</a>',
    "<script>alert(1)</script>",
    "http://1.2.3.4/x and 1.2.3.4",
    "mailto:me@evil.example tel:+49123",
    "evil。example evil．example",
]


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_in_a_text_can_be_clicked_or_is_fetched(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, text: str
) -> None:
    website = "https://evil.example/me"
    message = the_letter(app, site, box, clock, text=text, website=website, title="www.evil.example")
    html = Links(text_of(message, "html"))
    assert html.links
    assert all(link.startswith("https://comments.example.org/c/") for link in html.links)
    assert not html.tags & {"img", "script", "iframe", "form", "object", "link"}
    for words in (text_of(message), html.words):
        for clickable in (
            "https://evil",
            "www.evil",
            "evil.example",
            "me@evil",
            "mailto:",
            "1.2.3.4",
            "tel:",
        ):
            assert clickable not in words


def test_a_long_text_is_cut_and_says_so(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    message = the_letter(app, site, box, clock, text="word " * 5_000)
    assert len(text_of(message)) < 8_000
    assert "The rest is on the page" in text_of(message)


def test_the_words_that_held_it_are_told_but_cannot_be_clicked(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    with app.app_context(), transaction() as session:
        reasons = [{"code": "held-word", "words": ["casino", "https://evil.example"]}, {"code": "of-old"}]
        session.execute(update(Comment).values(verdict={"reasons": reasons}))
    deliver(app, clock)
    told = text_of(box.messages[0])
    assert "Waits because of a word on the list. (casino, https[:]//evil[.]example)" in told


def test_what_is_answered_is_told(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    parent = a_comment(app, site, name="Ben", text="First at https://evil.example")
    deliver(app, clock)
    box.messages.clear()
    message = the_letter(app, site, box, clock, parent_id=parent.id)
    assert "In reply to Ben: First at https[:]//evil[.]example" in text_of(message)


def test_headers_say_who_sends_and_how_to_stop_it(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    message = the_letter(app, site, box, clock)
    assert message["From"] == "Comments <comments@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<demo.comments.example.org>"
    assert message["List-Unsubscribe"].startswith("<https://comments.example.org/c/letters/stop/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"].endswith("@example.org>")


@given(st.text())
def test_defanging_never_leaves_a_scheme_a_host_or_an_address(text: str) -> None:
    told = defanged(f"{text} https://evil.example {text} me@evil.example")
    assert "https://" not in told
    assert "evil.example" not in told
    assert "me@" not in told


def test_plain_words_and_numbers_stay_as_they_are() -> None:
    text = "It costs 3.50, e.g. on 24.12. at 18:30.\nSee you."
    assert defanged(text) == text
