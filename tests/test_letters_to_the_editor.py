"""Letters to the editor: for their eyes only, by both doors, and published by none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from comments_service import tokens
from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.reply import reply
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change
from comments_service.errors import DecidedMeanwhile, FieldsRefused
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment, Site, Thread
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from tests.browser import Console, assert_accessible
from tests.conftest import NOW
from tests.doors import (
    a_ticket,
    ask,
    change_site,
    everything,
    form_fields,
    own,
    page_ticket,
    post_comment,
    send,
    send_form,
    send_own,
    sign_in,
    wrong_fields,
)
from tests.doors import (
    page as page_of,
)
from tests.factories import (
    KNOWN,
    StoredComment,
    a_body,
    a_comment,
    a_moderator,
    a_site,
    a_submission,
    wiring_of,
)
from tests.servers import HostPage, LiveService

PASSING = {"hold_all": False, "hold_newcomers": False}
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def editors(app: Flask) -> SiteView:
    """A site that publishes at once and takes letters."""
    return a_site(app, rules=PASSING, takes_letters=True)


def a_letter(app: Flask, site: SiteView, **fields: Any) -> StoredComment:
    """A letter as it comes to the queue."""
    return a_comment(app, site, is_letter=True, status="pending", **fields)


def status_of(app: Flask, comment_id: int) -> str:
    """Where a comment stands."""
    with app.app_context():
        found = db.session.scalars(select(Comment.status).where(Comment.id == comment_id)).one()
        db.session.rollback()
        return found


def is_unpublished(app: Flask, client: FlaskClient, letter: StoredComment) -> bool:
    """Whether no reader sees it and nobody counts it."""
    with app.app_context():
        counted = set(db.session.scalars(select(Thread.approved_count)))
    answer = ask(client, "thread").get_json()
    counts = ask(client, "counts").get_json()["counts"][0]["count"]
    return (
        not answer["comments"] and counted == {0} and counts == 0 and status_of(app, letter.id) != "approved"
    )


def test_a_letter_by_the_json_door_waits_for_the_editors(
    app: Flask, client: FlaskClient, editors: SiteView
) -> None:
    assert ask(client, "thread").get_json()["form"]["letters"]
    answer = post_comment(client, audience="editors", text="A typo in line 3.")
    assert (answer["comment"]["status"], answer["comment"]["audience"]) == ("pending", "editors")
    again = own(client, answer["comment"]["id"], answer["receipt"]).get_json()["comment"]
    assert again["audience"] == "editors"
    status = client.get(answer["status_url"].removeprefix("http://localhost:8000"))
    assert "Your letter went to the editors" in status.text
    with app.app_context():
        row = db.session.scalars(select(Comment)).one()
        assert (row.is_letter, row.verdict_reason) == (True, "letter")


def test_a_letter_by_the_page_waits_for_the_editors(
    app: Flask, client: FlaskClient, editors: SiteView
) -> None:
    form = page_of(client)
    assert 'name="audience" value="editors"' in form.text
    answer = send_form(client, form_fields(page_ticket(form), audience="editors"))
    assert answer.status_code == 303
    status = client.get(answer.headers["Location"].removeprefix("http://localhost:8000"))
    assert "it will not be published" in status.text
    with app.app_context():
        assert db.session.scalars(select(Comment.is_letter)).all() == [True]


def test_a_form_that_comes_back_is_still_a_letter(client: FlaskClient, editors: SiteView) -> None:
    fields = form_fields(page_ticket(page_of(client)), audience="editors", text="")
    assert 'value="editors" checked' in send_form(client, fields).text


@pytest.mark.parametrize("audience", ["editors", "EDITORS", "x", "editors\x00"])
def test_a_site_that_takes_no_letters_refuses_them_and_stores_nothing(
    app: Flask, client: FlaskClient, site: SiteView, audience: str
) -> None:
    assert 'name="audience"' not in page_of(client).text
    before = everything(app)
    answer = send(client, a_body(a_ticket(client), audience=audience))
    assert wrong_fields(answer) == {"audience": "refused"}
    answer = send_form(client, form_fields(page_ticket(page_of(client)), audience=audience))
    assert answer.status_code == 422
    assert "The editors take no letters here." in answer.text
    assert everything(app) == before


def test_a_site_that_stopped_taking_letters_meanwhile_publishes_none(app: Flask, editors: SiteView) -> None:
    change_site(app, editors, takes_letters=False)
    parts = wiring_of(app)
    with app.app_context(), pytest.raises(FieldsRefused):
        submit(a_submission(editors, is_letter=True), settings=parts.settings, keys=parts.keys, now=NOW)


def test_everyone_is_what_a_comment_is_for_anyhow(client: FlaskClient, editors: SiteView) -> None:
    assert post_comment(client, audience="everyone")["comment"]["status"] == "approved"
    assert post_comment(client, audience="")["comment"]["audience"] == "everyone"


def test_neither_open_rules_nor_a_known_author_publish_a_letter(
    app: Flask, client: FlaskClient, editors: SiteView
) -> None:
    earlier = a_comment(app, editors, email="ana@example.org", url="https://news.example.org/other")
    proof = tokens.receipt(wiring_of(app).keys, site=editors.key, comment_id=earlier.id)
    letter = a_letter(app, editors, email="ana@example.org", previous=proof)
    assert letter.status == Status.PENDING
    assert not ask(client, "thread").get_json()["comments"]


def test_no_decision_publishes_a_letter(app: Flask, client: FlaskClient, editors: SiteView) -> None:
    letter = a_letter(app, editors)
    change = Change(letter.id, letter.version, Status.APPROVED)
    with app.app_context():
        with pytest.raises(DecidedMeanwhile):
            decide(change, by=None, now=NOW)
        outcome = decide_all([change], by=None, now=NOW)
    assert (outcome.done, [one.why for one in outcome.late]) == ((), ["letter"])
    assert is_unpublished(app, client, letter)


def test_a_letter_can_be_thrown_away_and_brought_back_but_not_published(
    app: Flask, client: FlaskClient, editors: SiteView
) -> None:
    letter = a_letter(app, editors)
    with app.app_context():
        decide(Change(letter.id, 1, Status.TRASH), by=None, now=NOW)
        decide(Change(letter.id, 2, Status.PENDING), by=None, now=NOW)
        with pytest.raises(DecidedMeanwhile):
            decide(Change(letter.id, 3, Status.APPROVED), by=None, now=NOW)
    assert is_unpublished(app, client, letter)


def test_taking_back_a_decision_about_a_letter_does_not_publish_it(
    app: Flask, client: FlaskClient, editors: SiteView
) -> None:
    letter = a_letter(app, editors)
    with app.app_context():
        outcome = decide_all([Change(letter.id, 1, Status.SPAM)], by=None, now=NOW)
        undo(by=None, now=NOW, batch=outcome.batch)
    assert status_of(app, letter.id) == "pending"
    assert is_unpublished(app, client, letter)


def test_a_letter_that_is_answered_is_not_approved_by_it(
    app: Flask, client: FlaskClient, editors: SiteView
) -> None:
    letter = a_letter(app, editors)
    with app.app_context():
        outcome = reply(letter.id, letter.version, "Thank you!", by=a_moderator(app), now=NOW)
    assert outcome.done == ()
    assert is_unpublished(app, client, letter)


@pytest.mark.parametrize("how", ["one", "bulk"])
def test_the_queue_does_not_publish_a_letter(
    app: Flask, client: FlaskClient, editors: SiteView, how: str
) -> None:
    letter = a_letter(app, editors)
    tick = f"{letter.id}:{letter.version}"
    fields = {"decide": f"approve {tick}"} if how == "one" else {"decide": "approve", "tick": tick}
    send_own(sign_in(app), "/queue/decisions", on="/queue", status="pending", **fields)
    assert is_unpublished(app, client, letter)


def test_the_database_itself_refuses_a_published_letter(app: Flask, editors: SiteView) -> None:
    letter = a_letter(app, editors)
    with app.app_context():
        for values in ({"status": "approved"}, {"status": "approved", "is_letter": True}):
            with pytest.raises(IntegrityError), transaction() as session:
                session.execute(update(Comment).where(Comment.id == letter.id).values(values))


def test_a_letter_proves_nobody_known_and_takes_no_reply(app: Flask) -> None:
    site = a_site(app, rules=KNOWN, takes_letters=True)
    letter = a_letter(app, site, email="ana@example.org")
    proof = tokens.receipt(wiring_of(app).keys, site=site.key, comment_id=letter.id)
    assert a_comment(app, site, email="ana@example.org", previous=proof, status="pending").version == 1
    with pytest.raises(FieldsRefused):
        a_comment(app, site, parent_id=letter.id)


def test_a_letter_and_a_comment_of_the_same_words_are_two_bodies(app: Flask, editors: SiteView) -> None:
    first = a_submission(editors, idempotency_key="one")
    parts = wiring_of(app)
    with app.app_context():
        submit(first, settings=parts.settings, keys=parts.keys, now=NOW)
        with pytest.raises(FieldsRefused):
            submit(replace(first, is_letter=True), settings=parts.settings, keys=parts.keys, now=NOW)


@on_sqlite
def test_a_reader_writes_to_the_editors_from_the_widget(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    with live_service.app.app_context(), transaction() as session:
        session.execute(update(Site).values(takes_letters=True, rules=PASSING))
    page.goto(host_page.url())
    page.get_by_role("textbox", name="Comment", exact=True).fill("A typo in line 3.")
    page.get_by_role("textbox", name="Name", exact=True).fill("Ana")
    page.get_by_role("textbox", name="Email", exact=True).fill("ana@example.org")
    page.get_by_label("Only for the editors").check()
    assert_accessible(page)
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text("This went to the editors only. It will not be published.").first).to_be_visible()
    expect(page.get_by_label("Only for the editors")).not_to_be_checked()
    page.reload()
    expect(page.get_by_text("This went to the editors only. It will not be published.").first).to_be_visible()
    assert console.unexpected == []
