"""Everything but deleting for ever can be taken back, to the exact earlier state, and done again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from comments_service.decisions.articles import open_or_close
from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.errors import NotUndoable
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment, Thread, ThreadAlias
from comments_service.vocabulary import Role, SiteView, Status
from tests.conftest import NOW, Clock
from tests.doors import sign_in
from tests.factories import StoredComment, a_comment, a_moderator, a_site
from tests.test_decisions import at, demote, journal, on_sqlite, press, row_of
from tests.test_moderate import drift

SEEN = (
    *("status", "status_changed_at", "is_quietly_declined", "pinned_at", "picked_at", "flag_count"),
    *("name", "website", "text", "edited_at", "thread_id", "parent_id", "root_id", "depth", "page_url"),
)


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


def state(app: Flask, comment: StoredComment) -> dict[str, Any]:
    """All of a comment that decisions change, but its version."""
    row = row_of(app, comment)
    return {name: getattr(row, name) for name in SEEN}


def last_batch(app: Flask) -> str:
    """The batch of what was done last."""
    return str(journal(app)[-1].batch)


GOALS = [
    ("pending", Verb.APPROVE),
    ("pending", Verb.SPAM),
    ("approved", Verb.UNAPPROVE),
    ("approved", Verb.TRASH),
    ("approved", Verb.PIN),
    ("approved", Verb.PICK),
    ("approved", Verb.FLAG),
    ("spam", Verb.NOT_SPAM),
    ("trash", Verb.RESTORE),
]


@pytest.mark.parametrize(("status", "verb"), GOALS)
def test_an_undo_brings_back_the_exact_earlier_state_and_the_redo_the_later(
    app: Flask, site: SiteView, clock: Clock, status: str, verb: Verb
) -> None:
    comment = a_comment(app, site, status=status)
    before = state(app, comment)
    clock.forward(hours=1)
    with app.app_context():
        decide(Change(comment.id, comment.version, verb), by=None, now=clock.now)
        after = state(app, comment)
        undone = undo(by=None, now=clock.now, batch=last_batch(app))
        assert (undone.count, state(app, comment)) == (1, before)
        undo(by=None, now=clock.now, batch=undone.batch)
    assert state(app, comment) == after
    assert drift(app) == 0


def test_a_quiet_decline_is_quiet_again_after_the_undo(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="spam")
    with app.app_context():
        with transaction() as session:
            session.execute(update(Comment).values(is_quietly_declined=True))
        decide(Change(comment.id, comment.version, Verb.TRASH), by=None, now=NOW)
        assert not row_of(app, comment).is_quietly_declined
        undo(by=None, now=NOW, batch=last_batch(app))
    assert row_of(app, comment).is_quietly_declined


def test_a_whole_bulk_is_taken_back_but_for_what_was_changed_since(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock
) -> None:
    comments = [a_comment(app, site, status="pending") for _ in range(3)]
    answer = press(moderator, decide="approve", tick=[at(c) for c in comments]).json
    assert answer is not None
    with app.app_context():
        bea = a_moderator(app, name="Bea")
        decide(Change(comments[0].id, 2, Verb.SPAM), by=bea, now=clock.now)
    undone = press(moderator, "/queue/undo", batch=answer["batch"]).json
    assert undone is not None
    assert [(one["id"], one["version"], one["status"]) for one in undone["done"]] == [
        (c.id, 3, "pending") for c in comments[1:]
    ]
    assert [one["sentence"] for one in undone["late"]] == ["Bea decided: Spam, just now."]
    assert undone["notice"].startswith("2 actions taken back")
    assert drift(app) == 0


def test_one_row_of_a_bulk_is_taken_back_alone(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comments = [a_comment(app, site, status="pending") for _ in range(2)]
    press(moderator, decide="spam", tick=[at(c) for c in comments])
    row = next(row for row in journal(app) if row.comment_id == comments[1].id)
    press(moderator, "/queue/undo", journal=str(row.id))
    assert [row_of(app, c).status for c in comments] == ["spam", "pending"]
    assert journal(app)[-1].undoes_id == row.id


def test_what_was_done_to_one_comment_is_taken_back_step_by_step(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    comment = a_comment(app, site)
    states, batches = [], []
    with app.app_context():
        for number, verb in enumerate((Verb.PIN, Verb.PICK, Verb.UNPIN, Verb.SPAM)):
            states.append(state(app, comment))
            clock.forward(minutes=1)
            decide(Change(comment.id, comment.version + number, verb), by=None, now=clock.now)
            batches.append(last_batch(app))
        while batches:
            assert undo(by=None, now=clock.now, batch=batches.pop()).count == 1
            assert state(app, comment) == states.pop()
    assert drift(app) == 0


def test_what_was_taken_back_and_done_again_still_stands_in_the_way(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    comment = a_comment(app, site)
    with app.app_context():
        decide(Change(comment.id, comment.version, Verb.PIN), by=None, now=clock.now)
        first = last_batch(app)
        decide(Change(comment.id, comment.version + 1, Verb.UNPIN), by=None, now=clock.now)
        undone = undo(by=None, now=clock.now, batch=last_batch(app))
        again = undo(by=None, now=clock.now, batch=undone.batch)
        assert [one.why for one in undo(by=None, now=clock.now, batch=first).late] == ["changed"]
        undo(by=None, now=clock.now, batch=again.batch)
        assert undo(by=None, now=clock.now, batch=first).count == 1
    assert row_of(app, comment).pinned_at is None


def test_a_second_undo_is_told_that_it_was_taken_back(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="pending")
    answer = press(moderator, decide=f"approve {at(comment)}").json
    assert answer is not None
    first, second = (press(moderator, "/queue/undo", batch=answer["batch"]) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json is not None
    assert second.json["late"][0]["sentence"] == "This was taken back already."
    assert row_of(app, comment).version == 3


def test_the_notice_offers_the_undo_without_scripts(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="pending")
    press(moderator, html=True, decide=f"approve {at(comment)}")
    page = moderator.get("/queue", headers={"Accept": "text/html"}).text
    assert 'action="/queue/undo"' in page
    assert f'name="batch" value="{last_batch(app)}"' in page
    response = press(moderator, "/queue/undo", html=True, batch=last_batch(app), back="/audit?site=demo")
    assert (response.status_code, response.headers["Location"]) == (303, "/audit?site=demo")
    assert row_of(app, comment).status == "pending"


def test_the_notice_calls_a_redo_by_its_name(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comment = a_comment(app, site, status="pending")
    press(moderator, html=True, decide=f"approve {at(comment)}")
    for address in ("/queue", f"/queue/comments/{comment.id}", "/audit"):
        for told, offered in (("Taken back", "Redo"), ("Done again", "Undo")):
            press(moderator, "/queue/undo", html=True, batch=last_batch(app), back=address)
            page = moderator.get(address, headers={"Accept": "text/html"}).text
            notice = page.partition('class="notice')[2].partition("</button>")[0]
            assert told in notice
            assert notice.endswith(f">{offered}")
    assert row_of(app, comment).status == "approved"


def test_two_who_take_back_at_once_do_it_once(app: Flask, site: SiteView) -> None:
    comments = [a_comment(app, site, status="pending") for _ in range(5)]
    with app.app_context():
        decide_all([Change(c.id, 1, Verb.APPROVE) for c in comments], by=None, now=NOW)
    batch, one = last_batch(app), journal(app)[-1].id
    barrier = Barrier(3)

    def run(number: int) -> int:
        with app.app_context():
            barrier.wait()
            how: dict[str, Any] = {"journal_id": one} if number else {"batch": batch}
            return undo(by=None, now=NOW, **how).count

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(run, range(3))) == len(comments)
    assert {row_of(app, c).status for c in comments} == {"pending"}
    assert drift(app) == 0


def test_what_was_deleted_for_ever_stays_deleted(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="trash")
    trashed = journal(app)[-1].id
    with app.app_context():
        outcome = decide_all([Change(comment.id, comment.version, Verb.DELETE)], by=None, now=NOW)
        assert outcome.batch is None
        with pytest.raises(NotUndoable):
            undo(by=None, now=NOW, journal_id=journal(app)[-1].id)
        assert [one.why for one in undo(by=None, now=NOW, journal_id=trashed).late] == ["gone"]


def test_an_undo_does_not_publish_a_letter(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    with app.app_context():
        decide(Change(comment.id, comment.version, Verb.SPAM), by=None, now=NOW)
        with transaction() as session:
            session.execute(update(Comment).values(is_letter=True))
        undone = undo(by=None, now=NOW, batch=last_batch(app))
    assert [one.why for one in undone.late] == ["letter"]
    assert row_of(app, comment).status == "spam"


def test_taking_an_approval_back_forgets_the_address_that_it_taught(app: Flask, site: SiteView) -> None:
    url = "https://news.example.org/claimed"
    comment = a_comment(app, site, status="pending", url=url, article_id="42")
    known = select(ThreadAlias.normalised_url)
    with app.app_context():
        decide(Change(comment.id, 1, Verb.APPROVE), by=None, now=NOW)
        assert len(db.session.scalars(known).all()) == 1
        undo(by=None, now=NOW, batch=last_batch(app))
        assert db.session.scalars(known).all() == []


def test_closing_an_article_is_taken_back_unless_somebody_opened_it_since(app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site).thread_id
    with app.app_context():
        batch = open_or_close(thread_id, is_open=False, by=None, now=NOW)
        assert undo(by=None, now=NOW, batch=batch).count == 1
        assert db.session.get_one(Thread, thread_id).is_open
        later = open_or_close(thread_id, is_open=False, by=None, now=NOW)
        open_or_close(thread_id, is_open=True, by=None, now=NOW)
        assert [one.why for one in undo(by=None, now=NOW, batch=later).late] == ["elsewhere"]


def test_whoever_may_not_decide_takes_nothing_back(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="spam")
    batch = last_batch(app)
    demote(app, Role.VIEWER, site)
    assert press(moderator, "/queue/undo", batch=batch).status_code == 403
    demote(app, Role.OWNER, a_site(app, key="other"))
    assert press(moderator, "/queue/undo", batch=batch).status_code == 409
    assert row_of(app, comment).status == Status.SPAM


HOSTILE: list[dict[str, str]] = [
    {},
    {"batch": "short"},
    {"batch": "x" * 23},
    {"batch": "'; DROP TABLE journal"},
    {"journal": "-1"},
    {"journal": "99999999999"},
    {"journal": "one"},
]


@pytest.mark.parametrize("fields", HOSTILE)
@on_sqlite
def test_an_undo_of_nonsense_is_refused(moderator: FlaskClient, fields: dict[str, Any]) -> None:
    assert press(moderator, "/queue/undo", **fields).status_code == 400


@pytest.mark.parametrize("fields", [{"batch": "x" * 22}, {"journal": "4711"}])
@on_sqlite
def test_an_undo_of_nothing_says_so(moderator: FlaskClient, fields: dict[str, Any]) -> None:
    response = press(moderator, "/queue/undo", **fields)
    assert (response.status_code, "not-undoable" in response.text) == (409, True)
