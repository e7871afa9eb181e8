"""The moderators' clicks through their door: what each does, who may, what comes too late."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.reply import reply
from comments_service.decisions.verbs import Change, Verb
from comments_service.storage.database import db, transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Thread
from comments_service.storage.people import Grant
from comments_service.vocabulary import Access, ModeratorView, Role, SiteView, Status
from tests.conftest import NOW, Clock
from tests.doors import OWN_ORIGIN, csrf_token, everything, sign_in
from tests.factories import ARTICLE, StoredComment, a_comment, a_moderator, a_site
from tools.race import race

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


def press(
    client: FlaskClient, address: str = "/queue/decisions", /, *, html: bool = False, **fields: Any
) -> TestResponse:
    """Send a form of the queue as its script does, or as the page does without."""
    data = {"csrf_token": csrf_token(client.get("/account"))} | fields
    accept = "text/html" if html else "application/json"
    return client.post(address, data=data, headers={"Origin": OWN_ORIGIN, "Accept": accept})


def at(comment: StoredComment, version: int | None = None) -> str:
    """A comment as forms name it."""
    return f"{comment.id}:{version or comment.version}"


def row_of(app: Flask, comment: StoredComment) -> Comment:
    """The comment as it is stored now."""
    with app.app_context():
        row = db.session.get_one(Comment, comment.id, populate_existing=True)
        db.session.expunge(row)
        db.session.rollback()
        return row


def journal(app: Flask, *actions: str) -> list[JournalRow]:
    """What the journal tells of comments and articles, or only these actions of it."""
    with app.app_context():
        rows = db.session.scalars(select(JournalRow).order_by(JournalRow.id)).all()
        db.session.expunge_all()
        db.session.rollback()
    told = [row for row in rows if (row.thread_id is not None and row.action != DECIDED) or row.from_status]
    return [row for row in told if not actions or row.action in actions]


def demote(app: Flask, role: Role | None, site: SiteView) -> None:
    """Let the signed-in moderator have this role on this site alone."""
    with app.app_context(), transaction() as session:
        values = {"role": str(role), "site_id": site.id}
        session.execute(update(Grant).values(**values))


STATUSES = [
    ("pending", "approve", "approved"),
    ("approved", "unapprove", "pending"),
    ("approved", "spam", "spam"),
    ("spam", "not_spam", "pending"),
    ("spam", "trash", "trash"),
    ("trash", "restore", "pending"),
]


@pytest.mark.parametrize(("before", "verb", "after"), STATUSES)
def test_a_click_is_answered_with_what_it_did(
    app: Flask, site: SiteView, moderator: FlaskClient, before: str, verb: str, after: str
) -> None:
    comment = a_comment(app, site, status=before)
    answer = press(moderator, decide=f"{verb} {at(comment)}").json
    assert answer is not None
    assert answer["done"] == [{"id": comment.id, "version": comment.version + 1, "status": after}]
    assert (answer["verb"], answer["late"], bool(answer["batch"])) == (verb, [], True)
    assert answer["notice"].startswith("1 comment")
    assert answer["counts"][after] == 1
    assert row_of(app, comment).status == after


MARKS = [("pin", "pinned_at"), ("pick", "picked_at"), ("flag", "flag_count")]


@pytest.mark.parametrize(("verb", "column"), MARKS)
def test_a_mark_is_put_on_and_taken_off_again(
    app: Flask, site: SiteView, moderator: FlaskClient, verb: str, column: str
) -> None:
    comment = a_comment(app, site)
    before = getattr(row_of(app, comment), column)
    press(moderator, decide=f"{verb} {at(comment)}")
    assert getattr(row_of(app, comment), column)
    press(moderator, decide=f"un{verb} {at(comment, comment.version + 1)}")
    assert getattr(row_of(app, comment), column) == before


@on_sqlite
def test_readers_see_pins_and_picks_anew_and_nothing_of_flags(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    seen = []
    with app.app_context():
        for number, verb in enumerate((Verb.PIN, Verb.PICK, Verb.FLAG)):
            decide(Change(comment.id, comment.version + number, verb), by=None, now=NOW)
            seen.append(db.session.get_one(Thread, comment.thread_id).version)
            db.session.rollback()
    assert seen == [seen[0], seen[0] + 1, seen[0] + 1]


UNFIT = [
    ("pending", "pin"),
    ("spam", "pick"),
    ("pending", "delete"),
    ("approved", "delete"),
    ("approved", "unpin"),
    ("approved", "approve"),
]


@pytest.mark.parametrize(("status", "verb"), UNFIT)
@on_sqlite
def test_what_does_not_fit_is_said_and_changes_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, status: str, verb: str
) -> None:
    comment = a_comment(app, site, status=status)
    rows = len(journal(app))
    response = press(moderator, decide=f"{verb} {at(comment)}")
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["late"][0]["sentence"].startswith("This does not fit a comment in this state")
    assert row_of(app, comment).version == comment.version
    assert len(journal(app)) == rows


@on_sqlite
def test_only_comments_of_the_first_level_are_pinned(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    reply = a_comment(app, site, parent_id=a_comment(app, site).id)
    assert press(moderator, decide=f"pin {at(reply)}").status_code == 409
    assert press(moderator, decide=f"pick {at(reply)}").status_code == 200


@pytest.mark.parametrize("verb", ["approve", "spam"])
def test_a_letter_can_be_declined_but_never_published(
    app: Flask, site: SiteView, moderator: FlaskClient, verb: str
) -> None:
    letter, other = a_comment(app, site, status="pending"), a_comment(app, site, status="pending")
    with app.app_context(), transaction() as session:
        session.execute(update(Comment).where(Comment.id == letter.id).values(is_letter=True))
    answer = press(moderator, decide=verb, tick=[at(letter), at(other)]).json
    assert answer is not None
    assert len(answer["done"]) == (1 if verb == "approve" else 2)
    assert row_of(app, letter).status == ("pending" if verb == "approve" else "spam")


@pytest.mark.parametrize("status", ["spam", "trash"])
def test_what_is_deleted_for_ever_is_gone_with_all_that_was_known_of_it(
    app: Flask, site: SiteView, moderator: FlaskClient, status: str
) -> None:
    comment = a_comment(app, site, status=status, name="Dan Unforgettable")
    press(moderator, decide=f"delete {at(comment)}")
    assert everything(app)["comment"] == []
    assert "Unforgettable" not in str(everything(app))
    assert [row.comment_id for row in journal(app, "comment-deleted")] == [comment.id]


def test_without_scripts_deleting_for_ever_asks_first(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = [a_comment(app, site, status="spam") for _ in range(2)]
    ticks = [at(comment) for comment in comments]
    question = press(moderator, html=True, decide="delete", tick=ticks, status="spam")
    assert "Delete 2 comments for ever?" in question.text
    assert question.text.count('name="tick"') == 2
    assert len(everything(app)["comment"]) == 2
    answer = press(moderator, html=True, decide="delete", tick=ticks, status="spam", sure="1")
    assert (answer.status_code, everything(app)["comment"]) == (303, [])


@on_sqlite
def test_a_bulk_of_everything_is_one_batch_and_a_row_for_each(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = [a_comment(app, site, status="pending") for _ in range(3)]
    press(moderator, decide="approve", tick=[at(c) for c in comments], reason="All from the fair.")
    rows = journal(app)
    assert [row.comment_id for row in rows] == [c.id for c in comments]
    assert len({row.batch for row in rows}) == 1
    assert {row.reason for row in rows} == {"All from the fair."}


# --- who may ---


@pytest.mark.parametrize("verb", ["approve", "pin", "delete"])
def test_whoever_may_only_look_is_refused_and_nothing_changes(
    app: Flask, site: SiteView, moderator: FlaskClient, verb: str
) -> None:
    comment = a_comment(app, site, status="spam")
    demote(app, Role.VIEWER, site)
    response = press(moderator, decide=f"{verb} {at(comment)}")
    assert response.status_code == 403
    assert row_of(app, comment).version == comment.version


def test_comments_of_other_sites_are_not_there(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    foreign = a_comment(app, other, status="pending", url="https://other.example.org/a")
    own = a_comment(app, site, status="pending")
    demote(app, Role.MODERATOR, site)
    assert press(moderator, decide=f"approve {at(foreign)}").status_code == 404
    answer = press(moderator, decide="approve", tick=[at(foreign), at(own)]).json
    assert answer is not None
    assert [one["id"] for one in answer["done"]] == [own.id]
    assert answer["late"] == [
        {"id": foreign.id, "sentence": "This comment was deleted in the meantime.", "status": None}
    ]
    assert row_of(app, foreign).status == "pending"


@on_sqlite
def test_a_site_where_one_may_not_decide_stops_the_whole_bulk(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    comments = [
        a_comment(app, site, status="pending"),
        a_comment(app, other, status="pending", url="https://other.example.org/a"),
    ]
    by = ModeratorView(1, "mo", Access(None, {site.id: Role.OWNER, other.id: Role.VIEWER}))
    with app.app_context(), pytest.raises(Exception, match="Your role"):
        decide_all([Change(c.id, 1, Verb.APPROVE) for c in comments], by=by, now=NOW)
    assert {row_of(app, c).status for c in comments} == {"pending"}


# --- too late ---


@pytest.mark.parametrize("verb", ["approve", "pin", "delete", "flag"])
def test_the_same_click_twice_is_told_as_done_and_done_once(
    app: Flask, site: SiteView, moderator: FlaskClient, verb: str
) -> None:
    comment = a_comment(app, site, status={"approve": "pending", "delete": "trash"}.get(verb, "approved"))
    answers = [press(moderator, decide=f"{verb} {at(comment)}") for _ in range(2)]
    rows = [row for row in journal(app) if row.moderator_id is not None]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json is not None
    assert [one["id"] for one in answers[1].json["done"]] == [comment.id]
    assert answers[1].json["batch"] == (answers[0].json or {})["batch"]  # a lost answer loses no undo
    assert len(rows) == 1


WHAT_HAPPENED = [
    (Status.SPAM, "Bea decided: Spam, 5 minutes ago."),
    (Verb.PIN, "Bea pinned it, 5 minutes ago. It is now: Approved."),
    (Verb.FLAG, "Bea flagged it for a second look, 5 minutes ago. It is now: Approved."),
]


@pytest.mark.parametrize(("goal", "sentence"), WHAT_HAPPENED)
def test_the_second_click_is_told_what_happened_by_whom_and_when(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock, goal: Any, sentence: str
) -> None:
    comment = a_comment(app, site)
    with app.app_context():
        by = a_moderator(app, name="Bea")
        decide(Change(comment.id, comment.version, goal), by=by, now=clock.now)
    clock.forward(minutes=5)
    response = press(moderator, decide=f"trash {at(comment)}")
    assert response.status_code == 409
    assert response.json is not None
    assert response.json["late"][0]["sentence"] == sentence
    assert row_of(app, comment).version == comment.version + 1


# --- hostile input ---

HOSTILE: list[dict[str, Any]] = [
    {"decide": ""},
    {"decide": "approve"} | {"tick": ["1:1"] * 501},
    {"decide": "approve one:1"},
    {"decide": "approve 1"},
    {"decide": "approve 1:1:1"},
    {"decide": "approve 99999999999:1"},
    {"decide": "approve -1:1"},
    {"decide": "approve ١:١"},
    {"decide": "APPROVE 1:1"},
    {"decide": "purge 1:1"},
    {"decide": "approve 1:1", "reason": "a\x00b"},
    {"tick": "1:1"},
]


@pytest.mark.parametrize("fields", HOSTILE)
@on_sqlite
def test_what_no_button_sends_is_refused_and_decides_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, fields: dict[str, Any]
) -> None:
    comment = a_comment(app, site, status="pending")
    assert comment.id == 1
    assert press(moderator, **fields).status_code == 400
    assert row_of(app, comment).status == "pending"


ELSEWHERE = ["https://evil.example/queue", "//evil.example/queue", "/queue/../api", "\\\\x"]


@pytest.mark.parametrize("back", ELSEWHERE)
@on_sqlite
def test_a_form_leads_back_to_our_own_pages_only(
    app: Flask, site: SiteView, moderator: FlaskClient, back: str
) -> None:
    comment = a_comment(app, site, status="pending")
    response = press(moderator, html=True, decide=f"approve {at(comment)}", back=back)
    assert response.headers["Location"] == "/queue?status=pending"


# --- who looks at what ---


def test_the_others_are_told_who_looks_and_for_a_minute_only(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock
) -> None:
    comment = a_comment(app, site, status="pending")
    other = sign_in(app, name="Bea")
    press(other, "/queue/claims", id=[comment.id])
    told = press(moderator, "/queue/claims", id=[comment.id])
    assert told.json == {"claims": {str(comment.id): {"name": "Bea"}}, "changed": {}}
    own = press(other, "/queue/claims", id=[comment.id])
    assert own.json == {"claims": {}, "changed": {}}
    clock.forward(seconds=61)
    assert press(moderator, "/queue/claims", id=[comment.id]).json == {"claims": {}, "changed": {}}


def test_a_page_that_is_no_longer_true_is_told_so(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock
) -> None:
    comment = a_comment(app, site, status="pending")
    with app.app_context():
        by = a_moderator(app, name="Bea")
        decide(Change(comment.id, 1, Verb.SPAM), by=by, now=clock.now)
    told = {"status": "spam", "by": "Bea", "age": "just now", "sentence": "Bea decided: Spam, just now."}
    for shown in (str(comment.id), f"{comment.id}:1"):
        answer = press(moderator, "/queue/claims", id=[shown])
        assert answer.json == {"claims": {}, "changed": {str(comment.id): told}}
    assert press(moderator, "/queue/claims", id=[f"{comment.id}:2"]).json == {"claims": {}, "changed": {}}


@on_sqlite
def test_a_claim_stops_nobody_and_needs_the_right_to_decide(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="pending")
    other = sign_in(app, name="Bea")
    press(other, "/queue/claims", id=[comment.id])
    assert press(moderator, decide=f"approve {at(comment)}").status_code == 200
    demote(app, Role.VIEWER, site)
    press(moderator, "/queue/claims", id=[comment.id])
    assert press(other, "/queue/claims", id=["nothing"]).status_code == 400


# --- two at once ---


def test_of_two_who_click_at_once_one_wins_and_the_other_is_told(app: Flask, site: SiteView) -> None:
    races = race(app, site, 60)
    assert races.holds, races


# --- emptying ---


@pytest.mark.parametrize("status", ["spam", "trash"])
def test_emptying_asks_first_and_takes_only_what_the_page_had_shown(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock, status: str
) -> None:
    shown = [a_comment(app, site, status=status) for _ in range(2)]
    read_at = clock.now.isoformat()
    clock.forward(minutes=1)
    later = a_comment(app, site, status=status, now=clock.now)
    others = a_comment(app, site, status="approved")
    fields: dict[str, Any] = {"status": status, "read_at": read_at}
    assert "Delete 2 comments for ever?" in press(moderator, "/queue/empty", html=True, **fields).text
    assert press(moderator, "/queue/empty", html=True, **fields, sure="1").status_code == 303
    with app.app_context():
        left = set(db.session.scalars(select(Comment.id)))
        db.session.rollback()
    assert left == {later.id, others.id}
    assert [row.comment_id for row in journal(app, "comment-deleted")] == [one.id for one in shown]


NOT_EMPTIED: list[tuple[dict[str, str], int]] = [
    ({"status": "pending", "read_at": NOW.isoformat()}, 400),
    ({"status": "spam"}, 400),
    ({"status": "spam", "read_at": "yesterday"}, 400),
    ({"status": "spam", "read_at": "2026-11-23T11:00:00"}, 400),
    ({"status": "spam", "read_at": NOW.isoformat(), "q": "word"}, 400),
    ({"status": "spam", "read_at": NOW.isoformat(), "author": "1"}, 400),
    ({"status": "spam", "read_at": NOW.isoformat(), "site": "nobody"}, 404),
]


@pytest.mark.parametrize(("fields", "status"), NOT_EMPTIED)
@on_sqlite
def test_an_emptying_of_anything_else_is_refused(
    app: Flask, site: SiteView, moderator: FlaskClient, fields: dict[str, Any], status: int
) -> None:
    comment = a_comment(app, site, status="spam")
    assert press(moderator, "/queue/empty", **fields, sure="1").status_code == status
    assert row_of(app, comment).status == "spam"


def test_only_who_may_decide_empties_and_only_there(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    foreign = a_comment(app, other, status="spam", url="https://other.example.org/a")
    own = a_comment(app, site, status="spam")
    fields: dict[str, Any] = {"status": "spam", "read_at": NOW.isoformat(), "sure": "1"}
    demote(app, Role.VIEWER, site)
    assert press(moderator, "/queue/empty", **fields, site="demo").status_code == 403
    demote(app, Role.MODERATOR, site)
    press(moderator, "/queue/empty", **fields)
    assert row_of(app, foreign).status == "spam"
    assert [row.comment_id for row in journal(app, "comment-deleted")] == [own.id]


# --- what readers see ---


def test_pinned_comments_stand_first_then_picks(app: Flask, site: SiteView, client: FlaskClient) -> None:
    comments = [a_comment(app, site) for _ in range(3)]
    with app.app_context():
        decide(Change(comments[2].id, comments[2].version, Verb.PIN), by=None, now=NOW)
        decide(Change(comments[1].id, comments[1].version, Verb.PICK), by=None, now=NOW)
    body = client.get("/api/v1/sites/demo/thread", query_string={"url": ARTICLE}).json
    assert body is not None
    told = [(one["id"], one.get("pinned"), one.get("picked")) for one in body["comments"]]
    assert told == [
        (str(comments[2].id), True, None),
        (str(comments[1].id), None, True),
        (str(comments[0].id), None, None),
    ]


def test_an_unapproved_comment_is_not_shown_for_being_pinned(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    comment = a_comment(app, site)
    with app.app_context():
        decide(Change(comment.id, comment.version, Verb.PIN), by=None, now=NOW)
        decide(Change(comment.id, comment.version + 1, Verb.UNAPPROVE), by=None, now=NOW)
    body = client.get("/api/v1/sites/demo/thread", query_string={"url": ARTICLE}).json
    assert body is not None
    assert body["comments"] == []


def test_a_moderators_answer_has_a_badge_in_json_and_on_the_page(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    comment = a_comment(app, site)
    with app.app_context():
        reply(comment.id, comment.version, "Thank you.", by=a_moderator(app, name="Ana"), now=NOW)
    body = client.get("/api/v1/sites/demo/thread", query_string={"url": ARTICLE}).json
    assert body is not None
    assert [one["author"]["badge"] for one in body["comments"]] == [None, "moderator"]
    page = client.get("/sites/demo/thread", query_string={"url": ARTICLE}).text
    assert page.count('<span class="comment__label">Moderator</span>') == 1
