"""Authors change and withdraw what they wrote, by the receipt; an edit is judged like a new comment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from comments_service import tokens
from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.edit import edit as edit_as_moderator
from comments_service.decisions.move import Target, move
from comments_service.decisions.reply import reply
from comments_service.decisions.revisions import Words
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.errors import DecidedMeanwhile
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, Thread
from comments_service.vocabulary import SiteView, Status
from tests.conftest import NOW, Clock
from tests.doors import (
    a_network,
    a_ticket,
    ask,
    change_site,
    everything,
    is_problem,
    own,
    send,
    send_own,
    sign_in,
    wrong_fields,
)
from tests.factories import (
    ARTICLE,
    ORIGIN,
    StoredComment,
    a_comment,
    a_moderator,
    a_site,
    misplaced_roots,
    wiring_of,
)

OPEN = {"hold_all": False, "hold_newcomers": False, "refuse_words": ["casino"], "hold_words": ["prize"]}
STRICT = OPEN | {"hold_all": True}
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def lenient(app: Flask) -> SiteView:
    """A site that publishes at once what no rule holds."""
    return a_site(app, rules=OPEN)


def receipt_of(app: Flask, comment: StoredComment | int, *, site: str = "demo") -> str:
    """What the author has in hand."""
    number = comment if isinstance(comment, int) else comment.id
    return tokens.receipt(wiring_of(app).keys, site=site, comment_id=number)


def patch(
    app: Flask, comment: StoredComment | int, text: Any = None, *, receipt: str | None = None, **more: Any
) -> TestResponse:
    """Edit an own comment by the JSON door."""
    number = comment if isinstance(comment, int) else comment.id
    return touch(app, "PATCH", number, receipt=receipt, **({"json": {"text": text}} | more))


def touch(
    app: Flask, method: str, number: object, *, receipt: str | None = None, **more: Any
) -> TestResponse:
    """Knock at the own comment's door."""
    name = receipt if receipt is not None else receipt_of(app, int(str(number)))
    headers = {"Authorization": f"Bearer {name}", "Origin": ORIGIN} | more.pop("headers", {})
    known = {key: value for key, value in headers.items() if value is not None}
    client = app.test_client()
    return client.open(
        f"/api/v1/comments/{number}", method=method, headers=known, environ_overrides=a_network(), **more
    )


def rows(app: Flask) -> list[Comment]:
    """All comments there are, and edits of them."""
    with app.app_context():
        found = list(db.session.scalars(select(Comment).order_by(Comment.id)))
        db.session.expunge_all()
        db.session.rollback()
        return found


def done(app: Flask, *, action: str = "") -> list[JournalRow]:
    """The journal's rows, of one action."""
    with app.app_context():
        found = list(db.session.scalars(select(JournalRow).order_by(JournalRow.id)))
        db.session.expunge_all()
        db.session.rollback()
        return [row for row in found if action in ("", row.action)]


def shown(client: FlaskClient) -> list[str]:
    """What readers read."""
    return [one["html"] for one in ask(client, "thread").get_json()["comments"]]


def an_edit(
    app: Flask, site: SiteView, text: str = "Edited words.", **fields: Any
) -> tuple[Comment, Comment]:
    """A published comment, and its edit that waits for a moderator."""
    comment = a_comment(app, site, text="First words.", now=NOW, **fields)
    change_site(app, site, rules=STRICT)
    assert patch(app, comment, text).get_json()["comment"]["edit"]["status"] == "pending"
    original, edit = rows(app)[-2:]
    assert (edit.edits_id, edit.text, edit.status) == (original.id, text, "pending")
    return original, edit


# --- at once ---


def test_an_edit_that_would_be_published_stands_at_once_and_keeps_the_first_words(
    app: Flask, client: FlaskClient, lenient: SiteView, clock: Clock
) -> None:
    comment = a_comment(app, lenient, text="First words.", now=NOW)
    tag = ask(client, "thread").headers["ETag"]
    clock.forward(minutes=3)
    told = patch(app, comment, "Second  words, **bold**.\r\n").get_json()["comment"]
    assert (told["text"], told["edit"], told["status"]) == ("Second  words, **bold**.", None, "approved")
    assert (told["edited_at"], told["editable_until"]) == ("2026-11-23T11:03:00Z", "2026-11-23T11:15:00Z")
    again = ask(client, "thread", headers={"If-None-Match": tag})
    assert [one["edited_at"] for one in again.get_json()["comments"]] == ["2026-11-23T11:03:00Z"]
    assert shown(client) == ["<p>Second  words, <strong>bold</strong>.</p>"]
    (line,) = done(app, action="comment-author-edited")
    assert (line.moderator_id, line.details["revision"], line.details["to_revision"]) == (None, 1, 2)
    with app.app_context():
        assert undo(by=a_moderator(app), now=clock.now, journal_id=line.id).count == 1
    assert shown(client) == ["<p>First words.</p>"]
    assert rows(app)[0].edited_at is None


def test_what_is_found_follows_an_edit_and_its_undo(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, text="A heron.", now=NOW)
    patch(app, comment, "A kingfisher.")
    words = dict(everything(app)["comment_words"])
    assert "kingfisher" in words[comment.id]
    assert "heron" not in words[comment.id]
    with app.app_context():
        undo(by=None, now=NOW, journal_id=done(app, action="comment-author-edited")[0].id)
    assert "heron" in dict(everything(app)["comment_words"])[comment.id]


@on_sqlite
def test_the_same_edit_twice_is_one(app: Flask, lenient: SiteView, clock: Clock) -> None:
    comment = a_comment(app, lenient, now=NOW)
    first = patch(app, comment, "Other words.")
    before = everything(app)
    clock.forward(minutes=30)  # the answer was lost, and the reader's machine slept
    second = patch(app, comment, "Other words.")
    assert (first.status_code, second.status_code) == (200, 200)
    assert everything(app) == before


# --- the window ---


def test_the_window_ends_by_the_comments_age(app: Flask, lenient: SiteView, clock: Clock) -> None:
    comment = a_comment(app, lenient, now=NOW)
    clock.forward(minutes=14, seconds=59.999)
    assert patch(app, comment, "Just in time.").status_code == 200
    clock.forward(seconds=0.001)
    before = everything(app)
    assert is_problem(patch(app, comment, "Too late."), 409, "edit-window-closed")
    assert is_problem(touch(app, "DELETE", comment.id), 409, "edit-window-closed")
    told = own(app.test_client(), comment.id, receipt_of(app, comment)).get_json()["comment"]
    assert (told["editable_until"], told["withdrawable"]) == (None, False)
    assert everything(app) == before


@on_sqlite
def test_a_site_has_a_window_of_its_own_or_none(app: Flask, lenient: SiteView, clock: Clock) -> None:
    change_site(app, lenient, options={"edit_minutes": 60})
    comment = a_comment(app, lenient, now=NOW)
    clock.forward(minutes=59)
    assert patch(app, comment, "Late, and in time.").status_code == 200
    change_site(app, lenient, options={"edit_minutes": 0})
    assert is_problem(patch(app, comment, "Now it is off."), 409, "edit-window-closed")


def test_what_waits_can_be_withdrawn_at_any_time(app: Flask, site: SiteView, clock: Clock) -> None:
    comment = a_comment(app, site, status="pending", now=NOW)
    clock.forward(days=20)
    assert is_problem(patch(app, comment, "Too late."), 409, "edit-window-closed")
    answer = touch(app, "DELETE", comment.id)
    assert (answer.status_code, answer.data) == (204, b"")
    assert rows(app) == []


# --- a comment that waits ---


def test_a_waiting_comment_is_changed_in_its_place_and_judged_anew(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, text="You won a prize.", status="pending", now=NOW)
    told = patch(app, comment, "A prize, a prize!").get_json()["comment"]
    assert (told["status"], told["edit"], told["text"]) == ("pending", None, "A prize, a prize!")
    with app.app_context(), pytest.raises(DecidedMeanwhile):  # what that moderator read is not there any more
        decide(Change(comment.id, comment.version, Verb.APPROVE), by=a_moderator(app), now=NOW)
    assert patch(app, comment, "Nothing won.").get_json()["comment"]["status"] == "approved"
    (row,) = rows(app)
    assert (row.status, row.verdict_reason, row.verdict["reasons"][0]["code"]) == (
        "approved",
        "no-rule",
        "no-rule",
    )
    assert [one["comment_id"] for one in reasons(app)] == [row.id]
    with app.app_context():
        assert db.session.scalars(select(Thread.approved_count)).all() == [1]
        assert misplaced_roots() == set()
        decided = done(app, action="comment-decided")[-1]
        assert (decided.from_status, decided.to_status, decided.moderator_id) == ("pending", "approved", None)
        undo(by=a_moderator(app, name="ann"), now=NOW, journal_id=decided.id)
    assert rows(app)[0].status == "pending"


def reasons(app: Flask) -> list[dict[str, Any]]:
    """What comments are filtered by."""
    return [{"comment_id": row[0], "code": row[1]} for row in everything(app)["comment_reason"]]


@on_sqlite
def test_what_a_person_wants_to_wait_is_not_published_by_an_edit(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, now=NOW)
    with app.app_context():
        decide(Change(comment.id, comment.version, Verb.UNAPPROVE), by=a_moderator(app), now=NOW)
    assert patch(app, comment, "Better words.").get_json()["comment"]["status"] == "pending"
    assert [(row.text, row.status) for row in rows(app)] == [("Better words.", "pending")]


@on_sqlite
def test_refused_words_are_told_as_waiting_and_can_be_taken_out_again(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, text="You won a prize.", status="pending", now=NOW)
    told = patch(app, comment, "A prize of the casino.").get_json()["comment"]
    assert (told["status"], told["note"], rows(app)[0].status) == ("pending", None, "spam")
    assert rows(app)[0].is_quietly_declined
    assert patch(app, comment, "No game.").get_json()["comment"]["status"] == "approved"


@on_sqlite
def test_a_letter_is_changed_and_stays_one(app: Flask, lenient: SiteView, client: FlaskClient) -> None:
    change_site(app, lenient, takes_letters=True)
    letter = a_comment(app, lenient, is_letter=True, status="pending", now=NOW)
    told = patch(app, letter, "Another typo.").get_json()["comment"]
    assert (told["status"], told["audience"], told["text"]) == ("pending", "editors", "Another typo.")
    assert (shown(client), rows(app)[0].is_letter, len(rows(app))) == ([], True, 1)


@on_sqlite
def test_a_declined_comment_is_not_changed(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, status="trash", now=NOW)
    before = everything(app)
    assert is_problem(patch(app, comment, "Please!"), 409, "comment-declined")
    assert everything(app) == before


# --- an edit that waits beside its comment ---


def test_a_held_edit_waits_while_the_approved_words_stay_up(
    app: Flask, client: FlaskClient, lenient: SiteView
) -> None:
    original, edit = an_edit(app, lenient)
    assert shown(client) == ["<p>First words.</p>"]
    thread = ask(client, "thread").get_json()["thread"]
    assert (thread["count"], ask(client, "counts").get_json()["counts"][0]["count"]) == (1, 1)
    assert (edit.parent_id, edit.email_hash, edit.cluster_id) == (None, original.email_hash, None)
    told = own(client, original.id, receipt_of(app, original.id)).get_json()["comment"]
    assert told["edit"] == {"status": "pending", "text": "Edited words.", "note": None}
    assert (told["text"], told["status"], told["edited_at"]) == ("First words.", "approved", None)


def test_a_newer_edit_takes_the_place_of_the_one_that_waits(app: Flask, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    patch(app, original.id, "Better words.")
    assert [(row.id, row.text) for row in rows(app)] == [
        (original.id, "First words."),
        (edit.id, "Better words."),
    ]
    assert rows(app)[1].version > edit.version
    before = everything(app)
    patch(app, original.id, "Better words.")
    assert everything(app) == before
    patch(app, original.id, "First words.")  # the author wants none of it any more
    assert [row.id for row in rows(app)] == [original.id]
    assert "Better words" not in str(everything(app))


@on_sqlite
def test_an_edit_that_is_published_at_once_makes_an_end_of_the_one_that_waited(
    app: Flask, client: FlaskClient, lenient: SiteView
) -> None:
    original, _ = an_edit(app, lenient)
    change_site(app, lenient, rules=OPEN)
    told = patch(app, original.id, "Third words.").get_json()["comment"]
    assert (told["edit"], told["text"], len(rows(app))) == (None, "Third words.", 1)
    assert shown(client) == ["<p>Third words.</p>"]


def test_approving_an_edit_publishes_its_words_and_one_undo_brings_both_back(
    app: Flask, client: FlaskClient, lenient: SiteView, clock: Clock
) -> None:
    original, edit = an_edit(app, lenient)
    before = columns(app)
    clock.forward(hours=1)
    with app.app_context():
        mo = a_moderator(app)
        outcome = decide_all([Change(edit.id, edit.version, Verb.APPROVE)], by=mo, now=clock.now)
    assert [(one.comment_id, one.to_status, one.is_edit) for one in outcome.done] == [
        (edit.id, "trash", True)
    ]
    assert shown(client) == ["<p>Edited words.</p>"]
    assert ask(client, "thread").get_json()["thread"]["count"] == 1
    assert own(client, original.id, receipt_of(app, original.id)).get_json()["comment"]["edit"] is None
    assert [(line.comment_id, line.moderator_id) for line in done(app, action="comment-author-edited")] == [
        (original.id, mo.id)
    ]
    after = columns(app)
    with app.app_context():
        again = decide_all([Change(edit.id, edit.version, Verb.APPROVE)], by=mo, now=clock.now)
        assert (again.done, again.batch, again.repeated[0].is_edit) == ((), outcome.batch, True)
        late = decide_all(
            [Change(edit.id, edit.version, Verb.APPROVE)], by=a_moderator(app, name="b"), now=NOW
        )
        assert [one.why for one in late.late] == ["changed"]
        back = undo(by=mo, now=clock.now, batch=outcome.batch)
        assert columns(app) == before
        assert own(client, original.id, receipt_of(app, original.id)).get_json()["comment"]["edit"]
        undo(by=mo, now=clock.now, batch=back.batch)
        assert columns(app) == after
        line = done(app, action="comment-edit-published")[0]
        assert undo(by=mo, now=clock.now, journal_id=line.id).count == 0  # it was taken back already


def columns(app: Flask) -> list[tuple[Any, ...]]:
    """What an undo must bring back of every row."""
    return [
        (
            row.id,
            row.text,
            row.name,
            row.status,
            row.status_changed_at,
            row.edited_at,
            row.is_quietly_declined,
        )
        for row in rows(app)
    ]


@on_sqlite
def test_one_row_of_the_audit_takes_back_the_pair(app: Flask, lenient: SiteView) -> None:
    _, edit = an_edit(app, lenient)
    before = columns(app)
    with app.app_context():
        decide(Change(edit.id, edit.version, Verb.APPROVE), by=None, now=NOW)
        line = done(app, action="comment-author-edited")[0]
        assert undo(by=None, now=NOW, journal_id=line.id).count == 2
    assert columns(app) == before


@on_sqlite
def test_a_pair_is_taken_back_whole_or_not_at_all(app: Flask, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    with app.app_context():
        batch = decide_all([Change(edit.id, edit.version, Verb.APPROVE)], by=None, now=NOW).batch
        decide(Change(original.id, original.version + 1, Verb.PICK), by=None, now=NOW)
        before = columns(app)
        undone = undo(by=None, now=NOW, batch=batch)
    assert (undone.count, [one.why for one in undone.late]) == (0, ["changed"])
    assert columns(app) == before


def hide(app: Flask, original: Comment) -> None:
    """Take the comment off the page."""
    decide(Change(original.id, original.version, Verb.TRASH), by=None, now=NOW)


def mend(app: Flask, original: Comment) -> None:
    """Give the comment other words."""
    edit_as_moderator(original.id, original.version, Words(original.name, None, "Mended."), by=None, now=NOW)


@on_sqlite
@pytest.mark.parametrize("what", [hide, mend])
def test_an_edit_that_was_overtaken_changes_nothing(
    app: Flask, lenient: SiteView, what: Callable[[Flask, Comment], None]
) -> None:
    original, edit = an_edit(app, lenient)
    with app.app_context():
        what(app, original)
        before = everything(app)
        outcome = decide_all([Change(edit.id, edit.version, Verb.APPROVE)], by=None, now=NOW)
        assert (outcome.done, [one.why for one in outcome.late]) == ((), ["overtaken"])
    assert everything(app) == before


def test_two_edits_of_one_comment_are_not_published_by_one_click(app: Flask, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    with app.app_context():
        decide(Change(edit.id, edit.version, Verb.SPAM), by=None, now=NOW)
        patch(app, original.id, "A second edit.")
        decide(Change(edit.id, edit.version + 1, Verb.NOT_SPAM), by=None, now=NOW)
        changes = [Change(row.id, row.version, Verb.APPROVE) for row in rows(app) if row.edits_id]
        outcome = decide_all(changes, by=None, now=NOW)
    assert (len(outcome.done), [one.why for one in outcome.late]) == (1, ["overtaken"])


@on_sqlite
def test_a_quietly_refused_edit_is_told_as_waiting(
    app: Flask, client: FlaskClient, lenient: SiteView
) -> None:
    comment = a_comment(app, lenient, text="First words.", now=NOW)
    told = patch(app, comment, "Come to the casino.").get_json()["comment"]
    assert (told["edit"]["status"], told["edit"]["note"]) == ("pending", None)
    assert [(row.status, row.is_quietly_declined) for row in rows(app)][1:] == [("spam", True)]
    assert shown(client) == ["<p>First words.</p>"]


@on_sqlite
def test_a_declined_edit_is_told_with_the_words_to_its_author(app: Flask, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    change = Change(edit.id, edit.version, Verb.TRASH)
    with app.app_context():
        batch = decide_all([change], by=None, now=NOW, note="Too long.").batch
        told = own(app.test_client(), original.id, receipt_of(app, original.id)).get_json()["comment"]
        assert told["edit"] == {"status": "declined", "text": "Edited words.", "note": "Too long."}
        assert told["note"] is None
        undo(by=None, now=NOW, batch=batch)
    assert rows(app)[1].author_note is None


# --- nothing that readers or moderators do reaches an edit ---


def test_no_door_treats_an_edit_as_a_comment(app: Flask, client: FlaskClient, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    change_site(app, lenient, rules=OPEN)
    before = everything(app)
    mo_app = a_moderator(app)
    with app.app_context():
        for verb in (Verb.PIN, Verb.PICK, Verb.UNAPPROVE):
            assert decide_all([Change(edit.id, edit.version, verb)], by=None, now=NOW).done == ()
        outcome = reply(edit.id, edit.version, "Thank you.", by=mo_app, now=NOW)
        assert [one.why for one in outcome.late] == ["edit"]
        elsewhere = Target("https://news.example.org/elsewhere")
        assert [one.why for one in move(edit.id, edit.version, elsewhere, by=None, now=NOW).late] == ["edit"]
    answer = send(
        client,
        {
            "url": ARTICLE,
            "name": "Dan",
            "email": "dan@example.org",
            "text": "Answer.",
            "parent": str(edit.id),
            "ticket": a_ticket(client),
        },
    )
    assert wrong_fields(answer) == {"parent": "refused"}
    for method in ("GET", "PATCH", "DELETE"):  # even if there were a receipt of it
        assert is_problem(touch(app, method, edit.id, json={"text": "x"}), 404, "comment-not-found")
    assert [one["id"] for one in ask(client, "thread", comment=str(edit.id)).get_json()["comments"]] == [
        str(original.id)
    ]
    journal = {"journal", "moderator", "role_grant", "thread", "grant"}
    assert {k: v for k, v in everything(app).items() if k not in journal} == {
        k: v for k, v in before.items() if k not in journal
    }


def test_an_edit_moves_and_goes_with_its_comment(app: Flask, client: FlaskClient, lenient: SiteView) -> None:
    original, edit = an_edit(app, lenient)
    with app.app_context():
        elsewhere = Target("https://news.example.org/elsewhere")
        batch = move(original.id, original.version, elsewhere, by=None, now=NOW).batch
        moved = rows(app)
        assert moved[0].thread_id == moved[1].thread_id != edit.thread_id
        undo(by=None, now=NOW, batch=batch)
        assert {row.thread_id for row in rows(app)} == {edit.thread_id}
        assert {row.page_url for row in rows(app)} == {edit.page_url}
    assert touch(app, "DELETE", original.id).status_code == 204
    assert rows(app) == []
    assert "Edited words" not in str(everything(app))


def test_the_database_itself_refuses_an_approved_edit(app: Flask, lenient: SiteView) -> None:
    _, edit = an_edit(app, lenient)
    change = update(Comment).where(Comment.id == edit.id).values(status=Status.APPROVED)
    with app.app_context(), pytest.raises(IntegrityError, match="edits_stay_beside"):
        db.session.execute(change)


# --- withdrawing ---


def test_a_withdrawn_comment_is_gone_for_ever_and_the_journal_keeps_no_word(
    app: Flask, client: FlaskClient, lenient: SiteView
) -> None:
    comment = a_comment(app, lenient, name="Dan Unforgettable", text="Unforgettable words.", now=NOW)
    patch(app, comment, "Unforgettable, too.")
    assert touch(app, "DELETE", comment.id).status_code == 204
    assert is_problem(touch(app, "DELETE", comment.id), 404, "comment-not-found")
    assert is_problem(patch(app, comment, "x"), 404, "comment-not-found")
    assert ask(client, "thread").get_json()["thread"]["count"] == 0
    assert "nforgettable" not in str(everything(app))
    (line,) = done(app, action="comment-withdrawn")
    assert (line.comment_id, line.moderator_id, line.from_status, line.details) == (
        comment.id,
        None,
        "approved",
        {},
    )


@on_sqlite
def test_replies_stay_below_an_empty_place(app: Flask, client: FlaskClient, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, now=NOW)
    a_comment(app, lenient, parent_id=comment.id, text="An answer.", now=NOW)
    assert touch(app, "DELETE", comment.id).status_code == 204
    found = ask(client, "thread").get_json()["comments"]
    assert [(one["removed"], one["html"]) for one in found] == [(True, ""), (False, "<p>An answer.</p>")]
    assert is_problem(touch(app, "DELETE", comment.id), 404, "comment-not-found")


# --- who may, and how often ---


@on_sqlite
def test_only_the_comments_own_receipt_opens_the_doors(app: Flask, lenient: SiteView) -> None:
    comment, other = a_comment(app, lenient, now=NOW), a_comment(app, lenient, now=NOW)
    a_site(app, key="second", origins=(ORIGIN,))
    before = everything(app)
    for method in ("PATCH", "DELETE"):
        for wrong in (receipt_of(app, other), "", "x", receipt_of(app, comment) + "x"):
            answer = touch(app, method, comment.id, receipt=wrong, json={"text": "Mine."})
            assert is_problem(answer, 403, "receipt-refused")
        forged = receipt_of(app, comment, site="second")
        assert is_problem(
            touch(app, method, comment.id, receipt=forged, json={"text": "x"}), 404, "comment-not-found"
        )
        for origin in (None, "null", "https://evil.example.net"):
            answer = touch(app, method, comment.id, headers={"Origin": origin}, json={"text": "x"})
            assert is_problem(answer, 403, "origin-refused")
    assert everything(app) == before


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"data": b"{"}, 400, "malformed"),
    ({"data": b"[]"}, 400, "malformed"),
    ({"data": b'{"text":"a","text":"b"}'}, 400, "malformed"),
    ({"data": b'{"text":"\xff"}'}, 400, "malformed"),
    ({"data": b'{"text":"a"}', "headers": {"Content-Type": "text/plain"}}, 415, "type-refused"),
    ({"data": b"x" * 600_000}, 413, "body-too-large"),
    ({"json": {"text": 7}}, 422, "fields-refused"),
    ({"json": {"text": None}}, 422, "fields-refused"),
    ({"json": {}}, 422, "fields-refused"),
    ({"json": {"text": " \u200b\n"}}, 422, "fields-refused"),
    ({"json": {"text": "a\x00b"}}, 422, "fields-refused"),
    ({"data": b'{"text":"\\ud800"}'}, 422, "fields-refused"),
    ({"json": {"text": "ä" * 32_763}}, 422, "fields-refused"),
]


@on_sqlite
def test_bad_input_is_refused_as_when_posting(app: Flask, lenient: SiteView) -> None:
    comment = a_comment(app, lenient, now=NOW)
    before = everything(app)
    for more, status, slug in WRONG:
        headers = {"Content-Type": "application/json"} | more.get("headers", {})
        answer = touch(app, "PATCH", comment.id, **more | {"headers": headers if "data" in more else {}})
        assert is_problem(answer, status, slug), (more.keys(), answer.status_code)
        assert answer.headers.get("Access-Control-Allow-Origin") == ORIGIN
    assert everything(app) == before
    assert patch(app, comment, "ä" * 32_762).status_code == 200


@on_sqlite
def test_pages_of_a_site_may_edit_and_withdraw(app: Flask, lenient: SiteView, client: FlaskClient) -> None:
    for method in ("PATCH", "DELETE"):
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
        answer = client.options("/api/v1/comments/1", headers=asked)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
        assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")


@on_sqlite
def test_edits_and_withdrawals_have_limits_of_their_own(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(settings.model_copy(update={"edits_per_hour": 2, "withdrawals_per_hour": 1}))
    site = a_site(app, rules=OPEN)
    comment = a_comment(app, site, now=NOW)
    network = a_network()
    client = app.test_client()
    headers = {"Authorization": f"Bearer {receipt_of(app, comment)}", "Origin": ORIGIN}

    def knock(method: str, **more: Any) -> TestResponse:
        address = f"/api/v1/comments/{comment.id}"
        return client.open(address, method=method, headers=headers, environ_overrides=network, **more)

    answers = [knock("PATCH", json={"text": f"Words {number}."}) for number in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert is_problem(answers[2], 429, "too-many-changes")
    assert 0 < int(answers[2].headers["Retry-After"]) <= 3600
    assert answers[2].headers["Access-Control-Allow-Origin"] == ORIGIN
    assert knock("DELETE").status_code == 204
    assert knock("DELETE").status_code == 429


def test_a_decision_and_an_edit_at_once_leave_one_story(app: Flask, site: SiteView) -> None:
    change_site(app, site, rules=STRICT)
    comment = a_comment(app, site, text="First words.", status="pending", now=NOW)
    barrier, told = threading.Barrier(2), []

    def approve() -> None:
        with app.app_context():
            barrier.wait()
            try:
                decide(Change(comment.id, comment.version, Verb.APPROVE), by=None, now=NOW)
                told.append("approved")
            except DecidedMeanwhile:
                told.append("changed")

    def rewrite() -> None:
        barrier.wait()
        assert patch(app, comment, "Other words.").status_code == 200

    both = [threading.Thread(target=one) for one in (approve, rewrite)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    stored = [(row.text, row.status) for row in rows(app)]
    if told == ["approved"]:  # then the edit waits beside what the moderator read
        assert stored == [("First words.", "approved"), ("Other words.", "pending")]
    else:
        assert stored == [("Other words.", "pending")]


# --- the moderators' pages ---


@on_sqlite
def test_the_queue_shows_an_edit_beside_what_stands_and_says_that_it_was_published(
    app: Flask, lenient: SiteView, client: FlaskClient
) -> None:
    original, edit = an_edit(app, lenient, "First and last words.")
    a_comment(app, lenient, status="pending", text="Nothing to do with it.", now=NOW)
    browser = sign_in(app)
    page = browser.get("/queue?edits=1").text
    assert "Edit of a published comment" in page
    assert "First <ins>and last </ins>words." in page
    assert "Nothing to do with it" not in page
    file = browser.get(f"/queue/comments/{edit.id}").text
    assert "What this edit changes" in file
    assert "First <ins>and last </ins>words." in file
    assert 'id="reply"' not in file
    assert 'id="move"' not in file
    fields = {"decide": f"approve {edit.id}:{edit.version}", "status": "pending"}
    send_own(browser, "/queue/decisions", on="/queue", **fields)
    assert "The edit was published." in browser.get("/queue").text
    assert shown(client) == ["<p>First and last words.</p>"]
    history = browser.get(f"/queue/comments/{original.id}").text
    assert "Edited by its author" in history
    assert "put in an author’s edit" in browser.get("/audit").text
    late = send_own(sign_in(app, name="ann"), "/queue/decisions", on="/queue", **fields)
    assert (late.status_code, "mo published this edit" in late.text) == (409, True)


@on_sqlite
def test_words_to_the_author_come_with_spam_and_trash_and_go_with_an_undo(
    app: Flask, lenient: SiteView, client: FlaskClient
) -> None:
    comment = a_comment(app, lenient, now=NOW)
    browser = sign_in(app)
    on = f"/queue/comments/{comment.id}"
    assert 'name="note"' in browser.get(on).text
    fields = {"decide": f"trash {comment.id}:{comment.version}", "note": "Please be <kind>."}
    send_own(browser, "/queue/decisions", on=on, **fields)
    told = own(client, comment.id, receipt_of(app, comment)).get_json()["comment"]
    assert (told["status"], told["note"]) == ("declined", "Please be <kind>.")
    assert "Please be &lt;kind&gt;." in browser.get(on).text
    batch = done(app, action="comment-decided")[-1].batch or ""
    send_own(browser, "/queue/undo", on="/queue", batch=batch)
    assert (rows(app)[0].status, rows(app)[0].author_note) == ("approved", None)
    redo = done(app)[-1].batch or ""
    send_own(browser, "/queue/undo", on="/queue", batch=redo)
    assert rows(app)[0].author_note == "Please be <kind>."
    for wrong in ("x" * 501, "two\nlines"):
        answer = send_own(browser, "/queue/decisions", on=on, decide=f"spam {comment.id}:4", note=wrong)
        assert answer.status_code == 400
