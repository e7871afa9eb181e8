"""The moderators' queue: what it shows, what its buttons do, and what happens when two decide at once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, Thread
from comments_service.tokens import receipt
from comments_service.vocabulary import SiteView, Status
from tests.conftest import Clock
from tests.doors import OWN_ORIGIN, csrf_token, everything, sign_in
from tests.factories import ARTICLE, KNOWN, StoredComment, a_comment, a_moderator, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


def queue(client: FlaskClient, **query: str) -> TestResponse:
    """Open the queue."""
    response = client.get("/queue", query_string=query, headers={"Accept": "text/html"})
    assert response.status_code == 200, response.text
    return response


def press(client: FlaskClient, address: str = "/queue/decisions", **fields: Any) -> TestResponse:
    """Send the queue's form by one of its buttons."""
    data = {"csrf_token": csrf_token(client.get("/account"))} | fields
    return client.post(address, data=data, headers={"Origin": OWN_ORIGIN, "Accept": "text/html"})


def tick(comment: StoredComment) -> str:
    """A comment as its tick box names it."""
    return f"{comment.id}:{comment.version}"


def status_of(app: Flask, comment: StoredComment) -> Status:
    """Where a comment stands now."""
    with app.app_context():
        row = db.session.get_one(Comment, comment.id, populate_existing=True)
        db.session.rollback()
        return row.state


def shown(response: TestResponse) -> list[int]:
    """The ids of the rows, from the top."""
    return [int(number) for number in re.findall(r'<li class="row [^"]*" id="comment-(\d+)"', response.text)]


class Scripts(HTMLParser):
    """What a browser would make of a page: its scripts, its attributes, its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def notice(response: TestResponse) -> str:
    """What the page tells about the last action."""
    found = re.search(r'<p class="notice__text">([^<]*)', response.text)
    return unescape(found[1]).strip() if found else ""


def counts(response: TestResponse) -> dict[str, int]:
    """The number beside each view."""
    found = re.findall(r'data-count="(\w+)">(\d+)<', response.text)
    return {view: int(count) for view, count in found}


# --- what it shows ---


def test_the_queue_shows_what_waits_the_newest_first(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    old = a_comment(app, site, status="pending", now=now - timedelta(hours=2))
    new = a_comment(app, site, status="pending", now=now)
    a_comment(app, site, status="approved")
    assert shown(queue(moderator)) == [new.id, old.id]


def test_a_row_has_all_it_takes_to_decide(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    parent = a_comment(app, site, name="Leyla", text="A **first** word.")
    fields = {"name": "Dan", "email": "dan@example.org", "website": "https://dan.example.net"}
    comment = a_comment(
        app,
        site,
        status="pending",
        parent_id=parent.id,
        text="I **disagree**.",
        now=now - timedelta(hours=3),
        **fields,
    )
    text = queue(moderator).text
    for part in (
        *("Dan", "d•••@e•••.org", 'href="https://dan.example.net"', "<strong>disagree</strong>"),
        *("In reply to", "Leyla", "A first word.", "A bridge for the harbour", f'href="{ARTICLE}"'),
        *(f'href="{ARTICLE}#comment-{comment.id}"', "3 hours ago", "Nov 23, 2026, 8:00", "1 published"),
        "Waits because every comment is read before it is shown.",
    ):
        assert part in text.replace("\u202f", " "), part
    assert "dan@example.org" not in text


def test_the_reason_is_told_while_the_comment_stands_where_it_put_it(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="pending")
    assert "Waits because" in queue(moderator).text
    press(moderator, decide=f"approve {tick(comment)}")
    assert "Waits because" not in queue(moderator, status="approved").text


def test_a_known_authors_comment_says_why_it_is_published(
    app: Flask, keys: Keyring, moderator: FlaskClient
) -> None:
    trusting = a_site(app, key="trusting", rules=KNOWN)
    first = a_comment(app, trusting, email="dan@example.org")
    previous = receipt(keys, site="trusting", comment_id=first.id)
    known = a_comment(app, trusting, email="dan@example.org", previous=previous)
    text = queue(moderator, status="approved").text
    assert known.version == 1
    assert text.count("Published at once: the author is known here.") == 1


def test_the_views_carry_their_counts_and_the_title_what_waits(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    for status, count in {"pending": 3, "approved": 2, "spam": 1, "trash": 1}.items():
        for _ in range(count):
            a_comment(app, site, status=status)
    response = queue(moderator, status="spam")
    assert counts(response) == {
        "pending": 3,
        "approved": 2,
        "spam": 1,
        "trash": 1,
        "all": 5,
        "mine": 0,
        "reported": 0,
        "check": 0,
    }
    assert "<title>(3) Comments</title>" in response.text


def test_the_view_of_all_is_without_spam_and_trash(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = {status: a_comment(app, site, status=status).id for status in Status}
    assert set(shown(queue(moderator, status="all"))) == {comments[Status.PENDING], comments[Status.APPROVED]}


@pytest.mark.parametrize("status", ["pending", "approved", "spam", "trash", "all"])
@on_sqlite
def test_an_empty_view_has_a_kind_word(moderator: FlaskClient, status: str) -> None:
    response = queue(moderator, status=status)
    assert '<div class="empty" data-empty>' in response.text
    assert "<title>Comments</title>" in response.text


def test_the_queue_can_be_narrowed_to_one_site(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    here = a_comment(app, site, status="pending")
    there = a_comment(app, other, status="pending", url="https://other.example.org/a")
    assert set(shown(queue(moderator))) == {here.id, there.id}
    narrowed = queue(moderator, site="other")
    assert shown(narrowed) == [there.id]
    assert counts(narrowed)["pending"] == 1
    assert "(2) Comments" in narrowed.text


def test_every_comment_is_on_one_page_only_while_new_ones_arrive(
    app: Flask, site: SiteView, moderator: FlaskClient, settings: Settings, now: datetime
) -> None:
    moments = [now - timedelta(minutes=n // 2) for n in range(settings.page_size + 5)]
    known = [a_comment(app, site, status="pending", now=m).id for m in moments]
    first = queue(moderator)
    a_comment(app, site, status="pending", now=now)
    older = re.search(r'href="([^"]+cursor=[^"]+)"[^>]*>Older comments', first.text)
    assert older
    second = moderator.get(unescape(older[1]))
    assert len(shown(first)) == settings.page_size
    assert sorted(shown(first) + shown(second)) == sorted(known)
    assert "Back to the newest" in second.text


HOSTILE = ("<script>alert(1)</script>", "\" onload='x'", "{{ 7 * 7 }}", "&amp;", "مرحبا", "W" * 245)


@pytest.mark.parametrize("name", HOSTILE)
@on_sqlite
def test_hostile_names_and_titles_stay_text(
    app: Flask, site: SiteView, moderator: FlaskClient, name: str
) -> None:
    a_comment(app, site, status="pending", name=name, title=name)
    found = Scripts()
    found.feed(queue(moderator).text)
    assert found.scripts == 1  # ours
    assert not [name for name in found.attributes if name.startswith("on")]
    assert [text.strip() for text in found.texts].count(name) >= 2


def test_a_row_that_cannot_be_opened_does_not_close_the_queue(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    damaged, whole = (a_comment(app, site, status="pending") for _ in range(2))
    with app.app_context(), transaction() as session:
        session.execute(update(Comment).where(Comment.id == damaged.id).values(email_sealed=b"\x09garbage"))
    assert set(shown(queue(moderator))) == {damaged.id, whole.id}


@on_sqlite
def test_a_long_comment_is_folded(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    a_comment(app, site, status="pending", text="A sentence of many. " * 200)
    assert queue(moderator).text.count('<details class="fold"') == 1


@on_sqlite
def test_a_comment_without_a_name_or_email_is_shown(app: Flask, moderator: FlaskClient) -> None:
    lenient = a_site(app, key="lenient", name_required=False, email_required=False)
    a_comment(app, lenient, status="pending", name="", email=None)
    text = queue(moderator).text
    assert "Anonymous" in text
    assert "No email given" in text


# --- deciding ---

BUTTONS = [
    ("pending", "approve", "approved", "1 comment approved."),
    ("pending", "spam", "spam", "1 comment marked as spam."),
    ("pending", "trash", "trash", "1 comment moved to the trash."),
    ("approved", "unapprove", "pending", "1 comment taken back: it waits again."),
    ("approved", "spam", "spam", "1 comment marked as spam."),
    ("approved", "trash", "trash", "1 comment moved to the trash."),
    ("spam", "not_spam", "pending", "1 comment is no longer spam and waits again."),
    ("spam", "trash", "trash", "1 comment moved to the trash."),
    ("trash", "restore", "pending", "1 comment restored: it waits again."),
    ("trash", "spam", "spam", "1 comment marked as spam."),
]


@pytest.mark.parametrize(("before", "action", "after", "told"), BUTTONS)
def test_each_button_of_a_row_does_what_it_says(
    app: Flask, site: SiteView, moderator: FlaskClient, before: str, action: str, after: str, told: str
) -> None:
    comment = a_comment(app, site, status=before)
    button = f"{action} {tick(comment)}"
    response = press(moderator, decide=button, status=before)
    assert (response.status_code, response.headers["Location"]) == (303, f"/queue?status={before}")
    assert status_of(app, comment) == after
    assert notice(queue(moderator, status=before)) == told


def test_a_row_offers_what_fits_its_status_and_nothing_else(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    marks = {"pending": ["flag"], "approved": ["pin", "pick", "flag"], "spam": [], "trash": []}
    buttons = {
        "pending": ["approve", "spam", "trash"],
        "approved": ["unapprove", "spam", "trash"],
        "spam": ["not_spam", "delete"],
        "trash": ["restore", "spam", "delete"],
    }
    for status in Status:
        comment = a_comment(app, site, status=status)
        page = queue(moderator, status=status).text
        offered = re.findall(rf'value="(\w+) {tick(comment)}"', page)
        assert offered == [*buttons[status], *marks[status]]


def test_spam_and_trash_are_emptied_where_all_of_them_is_shown(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    for _ in range(2):
        a_comment(app, site, status="spam")
    assert "Empty spam" not in queue(moderator, status="spam", q="x").text
    assert "Empty" not in queue(moderator, status="approved").text
    found = re.search(r'name="read_at" value="([^"]+)"', queue(moderator, status="spam").text)
    assert found
    asked = press(moderator, "/queue/empty", status="spam", read_at=found[1])
    assert "Delete 2 comments for ever?" in asked.text
    press(moderator, "/queue/empty", status="spam", read_at=found[1], sure="1")
    assert not shown(queue(moderator, status="spam"))


def test_a_decision_keeps_who_made_it(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comment = a_comment(app, site, status="pending")
    press(moderator, decide=f"approve {tick(comment)}")
    with app.app_context():
        row = db.session.scalars(select(JournalRow).where(JournalRow.from_status.is_not(None))).one()
        told = (row.comment_id, row.from_status, row.to_status, row.moderator_id)
        db.session.rollback()
    assert told == (comment.id, "pending", "approved", 1)


def test_a_bulk_decision_takes_all_that_are_ticked(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    ticked = [a_comment(app, site, status="pending") for _ in range(3)]
    other = a_comment(app, site, status="pending")
    press(moderator, decide="spam", tick=[tick(c) for c in ticked])
    assert {status_of(app, c) for c in ticked} == {Status.SPAM}
    assert status_of(app, other) == Status.PENDING
    assert notice(queue(moderator)) == "3 comments marked as spam."


def test_the_bar_confirms_what_was_caught_in_the_words_of_its_rows(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    for view, label in (("check", "It is spam"), ("pending", "Spam")):
        bar = queue(moderator, status=view).text.partition('class="bulk"')[2].partition("<ol")[0]
        assert re.findall(r'name="decide" value="spam"[^>]*>([^<]*)<', bar) == [label]


def test_a_bulk_decision_about_nothing_says_so(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    a_comment(app, site, status="pending")
    before = everything(app)
    press(moderator, decide="approve")
    assert notice(queue(moderator)) == "Nothing was selected, so nothing was changed."
    assert everything(app) == before


def test_enter_in_a_tick_box_decides_nothing(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comment = a_comment(app, site, status="pending")
    first_button = re.search(r'<button[^>]*value="(\w+)"', queue(moderator).text.partition("decisions")[2])
    assert first_button
    press(moderator, decide=first_button[1], tick=[tick(comment)])
    assert status_of(app, comment) == Status.PENDING


def test_a_notice_is_told_once_and_never_by_the_address(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    press(moderator, decide=f"approve {tick(a_comment(app, site, status='pending'))}")
    assert notice(queue(moderator))
    assert not notice(queue(moderator, notice="Call this number", message="Call this number"))


def test_deciding_leads_back_to_the_same_place(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comment = a_comment(app, site, status="spam")
    response = press(moderator, decide=f"not_spam {tick(comment)}", status="spam", site="demo")
    assert response.headers["Location"] == "/queue?status=spam&site=demo"


# --- two at once ---


def test_whoever_comes_second_is_told_and_changes_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock
) -> None:
    comment = a_comment(app, site, status="pending", name="Dan")
    with app.app_context():
        other = a_moderator(app, name="Bea")
        decide(Change(comment.id, comment.version, Status.SPAM), by=other, now=clock.now)
    clock.forward(minutes=5)
    before = everything(app)
    response = press(moderator, decide=f"approve {tick(comment)}")
    after = everything(app) | {"sign_in": before["sign_in"]}  # when it was last seen is written there
    assert response.status_code == 409
    assert "Bea decided: Spam, 5 minutes ago." in response.text
    assert "Comment by Dan" in response.text
    assert after == before


def test_a_bulk_tells_how_many_took_effect_and_how_many_came_too_late(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    comments = [a_comment(app, site, status="pending") for _ in range(3)]
    with app.app_context():
        decide(Change(comments[0].id, comments[0].version, Status.TRASH), by=None, now=now)
    press(moderator, decide="approve", tick=[tick(c) for c in comments])
    told = "2 comments approved. 1 came too late: somebody had decided already."
    assert notice(queue(moderator)) == told
    assert [status_of(app, c) for c in comments] == [Status.TRASH, Status.APPROVED, Status.APPROVED]


def test_a_bulk_that_came_too_late_altogether_says_so(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    comments = [a_comment(app, site, status="pending", name=name) for name in ("Dan", "Eva")]
    with app.app_context():
        for comment in comments:
            decide(Change(comment.id, comment.version, Status.TRASH), by=None, now=now)
    response = press(moderator, decide="approve", tick=[tick(c) for c in comments])
    assert response.status_code == 409
    assert "It has changed since your page was loaded, and is now: Trash." in response.text
    assert {"Comment by Dan", "Comment by Eva"} <= set(re.findall(r"<h2>([^<]+)</h2>", response.text))


def test_the_same_click_twice_is_no_conflict(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    button = f"approve {tick(a_comment(app, site, status='pending'))}"
    assert [press(moderator, decide=button).status_code for _ in range(2)] == [303, 303]
    with app.app_context():
        assert (
            len(db.session.scalars(select(JournalRow).where(JournalRow.from_status.is_not(None))).all()) == 1
        )
        db.session.rollback()


def test_a_comment_that_is_gone_is_said_to_be_gone(app: Flask, moderator: FlaskClient) -> None:
    response = press(moderator, decide="approve 999:1")
    assert response.status_code == 404
    assert "no longer here" in response.text


# --- emails ---


def test_an_email_is_shown_on_request_once_and_the_audit_knows(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="pending", email="dan@example.org")
    response = press(moderator, f"/queue/{comment.id}/reveal")
    assert "dan@example.org" in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert "dan@example.org" not in queue(moderator).text
    with app.app_context():
        row = db.session.scalars(select(JournalRow).where(JournalRow.action == "email-revealed")).one()
        told = (row.moderator_id, row.subject)
        db.session.rollback()
    assert told == (1, f"comment {comment.id}")


def test_looking_at_the_queue_leaves_no_line_in_the_audit(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    a_comment(app, site, status="pending")
    before = everything(app)["journal"]
    queue(moderator)
    assert everything(app)["journal"] == before


def test_there_is_nothing_to_reveal_where_no_email_is(app: Flask, moderator: FlaskClient) -> None:
    lenient = a_site(app, key="lenient", email_required=False)
    comment = a_comment(app, lenient, status="pending", email=None)
    for number in (comment.id, 999):
        assert press(moderator, f"/queue/{number}/reveal").status_code == 404


# --- articles ---


def test_an_article_is_closed_and_opened_from_a_row(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="pending")
    address = f"/queue/articles/{comment.thread_id}"
    assert press(moderator, address, switch="close").status_code == 303
    closed = queue(moderator)
    assert notice(closed) == "The article takes no more comments."
    assert "Comments closed" in closed.text
    press(moderator, address, switch="open")
    with app.app_context():
        assert db.session.get_one(Thread, comment.thread_id).is_open
        db.session.rollback()


# --- bad input ---

MALFORMED: list[tuple[str, dict[str, Any], int]] = [
    ("/queue/decisions", {}, 400),
    ("/queue/decisions", {"decide": "explode 1:1"}, 400),
    ("/queue/decisions", {"decide": "approve 1"}, 400),
    ("/queue/decisions", {"decide": "approve 1:1:1"}, 400),
    ("/queue/decisions", {"decide": "approve 99999999999:1"}, 400),
    ("/queue/decisions", {"decide": "approve ١:١"}, 400),
    ("/queue/decisions", {"decide": "approve", "tick": ["1:1", "x"]}, 400),
    ("/queue/decisions", {"decide": "approve", "tick": [f"{n}:1" for n in range(1, 700)]}, 400),
    ("/queue/decisions", {"decide": "approve 1:1", "status": "everything"}, 404),
    ("/queue/articles/1", {"switch": "burn"}, 400),
    ("/queue/articles/999", {"switch": "close"}, 404),
    ("/queue/articles/99999999999", {"switch": "close"}, 404),
    ("/queue/99999999999/reveal", {}, 404),
]


@pytest.mark.parametrize(("address", "fields", "status"), MALFORMED)
def test_what_no_page_of_ours_sends_is_refused_and_changes_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, address: str, fields: dict[str, Any], status: int
) -> None:
    a_comment(app, site, status="pending")
    before = everything(app)
    assert press(moderator, address, **fields).status_code == status
    assert everything(app) == before


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"status": "everything"}, 404),
        ({"site": "nobody"}, 404),
        ({"site": "\x00"}, 400),
        ({"cursor": "x"}, 400),
        ({"cursor": "W10"}, 400),
        ({"cursor": "\x00"}, 400),
    ],
)
def test_an_address_that_leads_nowhere_gets_a_page(
    site: SiteView, moderator: FlaskClient, query: dict[str, str], status: int
) -> None:
    response = moderator.get("/queue", query_string=query, headers={"Accept": "text/html"})
    assert (response.status_code, response.mimetype) == (status, "text/html")


def test_strangers_see_nothing_and_change_nothing(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site, status="pending", text="Secret so far.")
    before = everything(app)
    for address in ("/", "/queue", "/queue?status=all", "/account"):
        response = client.get(address)
        assert response.status_code == 303
        assert response.headers["Location"].startswith("/login")
    assert everything(app) == before
