"""What is done to all selected comments at once: one batch, one notice and one undo, by plain forms."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from comments_service.decisions.decide import decide
from comments_service.decisions.move import Target, move
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.storage.database import db, transaction
from comments_service.storage.decisions import Standing
from comments_service.storage.models import Comment, Thread
from comments_service.storage.removal import remove
from comments_service.vocabulary import Role, SiteView
from tests.conftest import NOW
from tests.doors import everything, sign_in, wrong_fields
from tests.factories import ARTICLE, ORIGIN, StoredComment, a_comment, a_site
from tests.test_decisions import at, demote, journal, on_sqlite, press, row_of
from tests.test_moderate import drift
from tests.test_queue import notice, queue
from tests.test_undo import last_batch, state

NEW = f"{ORIGIN}/never-commented"
BAN: dict[str, Any] = {"kind": "ban", "mark": "email", "ends": "2026-12-24", "note": "Insults."}


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


def send(client: FlaskClient, door: str, comments: list[StoredComment], /, **fields: Any) -> Any:
    """Send the queue's form about these without scripts."""
    return press(client, door, html=True, tick=[at(c) for c in comments], status="all", **fields)


def threads(app: Flask) -> dict[str, bool]:
    """Which articles are open, by address."""
    with app.app_context():
        found = {row.url: row.is_open for row in db.session.scalars(select(Thread))}
        db.session.rollback()
        return found


def banned(app: Flask) -> list[tuple[str, str, str, bool]]:
    """Every ban and trust there was: kind, trace, label, and whether it holds."""
    with app.app_context():
        rows = db.session.scalars(select(Standing).order_by(Standing.id)).all()
        found = [(row.kind, row.mark, row.label, row.lifted_at is None) for row in rows]
        db.session.rollback()
        return found


def undone(app: Flask, client: FlaskClient) -> str:
    """Take the last batch back by the notice's form; what the next page tells of it."""
    press(client, "/queue/undo", html=True, batch=last_batch(app), status="all")
    return notice(queue(client, status="all"))


# --- moves ---


def test_a_bulk_is_moved_to_an_article_that_had_no_comments_and_undone_whole(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = [a_comment(app, site) for _ in range(2)]
    reply = a_comment(app, site, parent_id=comments[0].id)
    everybody = [*comments, reply]
    before = [state(app, comment) for comment in everybody]
    question = send(moderator, "/queue/move", comments)
    assert "Move 2 comments to another article" in question.text
    assert question.text.count('name="tick"') == 2
    response = send(moderator, "/queue/move", comments, address=f"{NEW}?utm_source=x")
    assert (response.status_code, response.headers["Location"]) == (303, "/queue?status=all")
    told = "2 comments stand below the other article now, with all their replies."
    assert notice(queue(moderator, status="all")) == told
    rows = [row_of(app, comment) for comment in everybody]
    assert len({row.thread_id for row in rows} - {comments[0].thread_id}) == 1
    assert (rows[2].parent_id, rows[2].root_id) == (comments[0].id, comments[0].id)
    assert len({row.batch for row in journal(app, "comment-moved")}) == 1
    assert undone(app, moderator) == "3 actions taken back: all is as it was before."
    assert [state(app, comment) for comment in everybody] == before
    assert drift(app) == 0
    press(moderator, "/queue/undo", batch=last_batch(app))
    assert {row_of(app, comment).thread_id for comment in everybody} == {rows[0].thread_id}


def test_a_reply_that_is_selected_with_its_comment_stays_below_it(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    top = a_comment(app, site)
    reply = a_comment(app, site, parent_id=top.id)
    deep = a_comment(app, site, parent_id=reply.id)
    send(moderator, "/queue/move", [deep, top], address=NEW)
    assert [row_of(app, c).parent_id for c in (top, reply, deep)] == [None, top.id, reply.id]
    assert len({row_of(app, c).thread_id for c in (top, reply, deep)}) == 1
    assert notice(queue(moderator)).startswith("2 comments")


def test_one_tree_of_a_bulk_is_taken_back_alone(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comments = [a_comment(app, site) for _ in range(2)]
    reply = a_comment(app, site, parent_id=comments[1].id)
    send(moderator, "/queue/move", comments, address=NEW)
    row = next(row for row in journal(app, "comment-moved") if row.comment_id == reply.id)
    press(moderator, "/queue/undo", journal=str(row.id))
    places = [row_of(app, c).thread_id == c.thread_id for c in (*comments, reply)]
    assert places == [False, True, True]
    assert drift(app) == 0


def test_what_was_changed_since_stays_and_the_rest_of_the_bulk_goes_back(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = [a_comment(app, site) for _ in range(3)]
    send(moderator, "/queue/move", comments, address=NEW)
    batch = last_batch(app)
    with app.app_context():
        decide(Change(comments[0].id, comments[0].version + 1, Verb.SPAM), by=None, now=NOW)
        result = undo(by=None, now=NOW, batch=batch)
    assert ([one.comment_id for one in result.late], result.count) == ([comments[0].id], 2)
    assert drift(app) == 0


@pytest.mark.parametrize("is_purged", [True, False])
def test_a_move_is_undone_after_a_reply_was_deleted(app: Flask, site: SiteView, *, is_purged: bool) -> None:
    top = a_comment(app, site)
    reply = a_comment(app, site, parent_id=top.id)
    below = [a_comment(app, site, parent_id=reply.id)] if is_purged else []  # then its place stays
    before = [state(app, comment) for comment in (top, *below)]
    with app.app_context():
        batch = move(top.id, top.version, Target(NEW), by=None, now=NOW).batch
        with transaction() as session:
            remove(session, [reply.id])
        result = undo(by=None, now=NOW, batch=batch)
        assert (result.count, result.late) == (1 + len(below), ())
        assert [state(app, comment) for comment in (top, *below)] == before
        assert undo(by=None, now=NOW, batch=result.batch).count == 1 + len(below)
    assert row_of(app, top).thread_id != top.thread_id
    assert drift(app) == 0


def test_a_move_whose_first_comment_was_deleted_is_told_as_gone(app: Flask, site: SiteView) -> None:
    top = a_comment(app, site)
    a_comment(app, site, parent_id=top.id)
    with app.app_context():
        batch = move(top.id, top.version, Target(NEW), by=None, now=NOW).batch
        with transaction() as session:
            remove(session, [top.id])
        result = undo(by=None, now=NOW, batch=batch)
    assert (result.count, {one.why for one in result.late}) == (0, {"gone"})


def test_those_that_are_there_already_stay_and_all_of_them_is_a_mistake(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    here, there = a_comment(app, site), a_comment(app, site, url=NEW)
    send(moderator, "/queue/move", [here, there], address=NEW)
    assert notice(queue(moderator)).startswith("1 comment stands below the other article")
    assert row_of(app, there).version == there.version
    answer = press(moderator, "/queue/move", tick=[at(there)], address=NEW)
    assert wrong_fields(answer) == {"address": "same"}


WRONG_ADDRESSES = ["", "https://evil.example/a", "javascript:alert(1)", f"{ORIGIN}/{{{{ slug }}}}", ARTICLE]


@pytest.mark.parametrize("address", WRONG_ADDRESSES)
@on_sqlite
def test_a_wrong_address_is_told_at_its_field_and_moves_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, address: str
) -> None:
    comments = [a_comment(app, site) for _ in range(2)]
    before = everything(app)
    response = send(moderator, "/queue/move", comments, address=address)
    assert response.status_code == 422
    assert 'aria-describedby="move-address-error"' in response.text
    assert response.text.count('name="tick"') == 2
    answer = press(moderator, "/queue/move", tick=[at(c) for c in comments], address=address)
    assert wrong_fields(answer) == {"address": "same" if address == ARTICLE else "refused"}
    assert everything(app) | {"sign_in": before["sign_in"]} == before


@on_sqlite
def test_comments_of_several_sites_do_not_move_together(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    comments = [a_comment(app, site), a_comment(app, other, url="https://other.example.org/a")]
    response = send(moderator, "/queue/move", comments, address=NEW)
    assert (response.status_code, "of several sites" in response.text) == (422, True)
    assert [row_of(app, c).version for c in comments] == [c.version for c in comments]


# --- authors ---


def test_the_authors_of_a_bulk_are_banned_once_each_and_undone_at_once(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = [a_comment(app, site, email=email) for email in ("dan@a.org", "eva@b.org", "dan@a.org")]
    question = send(moderator, "/queue/authors", comments)
    assert "Ban or trust the authors of 3 comments" in question.text
    assert send(moderator, "/queue/authors", comments, **BAN).status_code == 303
    assert notice(queue(moderator)) == "2 authors banned."
    assert banned(app) == [("ban", "email", "d•••@a•••.org", True), ("ban", "email", "e•••@b•••.org", True)]
    assert len({row.batch for row in journal(app, "author-banned")}) == 1
    assert undone(app, moderator) == "2 actions taken back: all is as it was before."
    assert [holds for *_, holds in banned(app)] == [False, False]


def test_who_left_no_such_trace_is_told_and_the_others_are_trusted(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    known, unknown = a_comment(app, site), a_comment(app, site)
    with app.app_context(), transaction() as session:
        session.get_one(Comment, unknown.id).network_hash = None  # as retention does
    fields: dict[str, Any] = {"kind": "trust", "mark": "network", "ends": "", "note": ""}
    send(moderator, "/queue/authors", [known, unknown], **fields)
    told = "1 author trusted. 1 was left as it is: it does not go with that one."
    assert notice(queue(moderator)) == told
    answer = press(moderator, "/queue/authors", tick=at(unknown), **fields)
    assert wrong_fields(answer) == {"mark": "missing"}


WRONG_WISHES = [
    ({"kind": "kill"}, 400),
    ({"mark": "face"}, 400),
    ({"ends": "2020-01-01"}, 422),
    ({"ends": "soon"}, 422),
    ({"note": "a\x00b"}, 422),
]


@pytest.mark.parametrize(("wrong", "status"), WRONG_WISHES)
@on_sqlite
def test_a_wrong_wish_about_many_authors_changes_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, wrong: dict[str, str], status: int
) -> None:
    comments = [a_comment(app, site) for _ in range(2)]
    assert send(moderator, "/queue/authors", comments, **BAN | wrong).status_code == status
    assert banned(app) == []


# --- articles ---


def test_the_articles_of_a_bulk_are_closed_and_opened_again_by_one_undo(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = [a_comment(app, site, url=f"{ORIGIN}/{page}") for page in ("a", "b", "b", "c")]
    with app.app_context(), transaction() as session:
        session.get_one(Thread, comments[3].thread_id).is_open = False
    response = send(moderator, "/queue/articles", comments, switch="close")
    assert response.headers["Location"] == "/queue?status=all"
    assert notice(queue(moderator)) == "2 articles take no more comments."
    assert threads(app) == {f"{ORIGIN}/{page}": False for page in "abc"}
    undone(app, moderator)
    assert threads(app) == {f"{ORIGIN}/a": True, f"{ORIGIN}/b": True, f"{ORIGIN}/c": False}
    send(moderator, "/queue/articles", comments[:3], switch="open")
    assert notice(queue(moderator)) == "These articles were open already."
    assert press(moderator, "/queue/articles", tick=at(comments[0]), switch="burn").status_code == 400


def test_closing_by_the_form_comes_back_to_the_same_part_of_the_queue(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    number = a_comment(app, site).thread_id
    fields = {"status": "approved", "article": str(number)}
    response = press(moderator, f"/queue/articles/{number}", html=True, switch="close", **fields)
    assert response.headers["Location"] == f"/queue?status=approved&article={number}"


# --- marks ---


@pytest.mark.parametrize(
    ("verb", "column"), [("pin", "pinned_at"), ("pick", "picked_at"), ("flag", "flag_count")]
)
def test_a_bulk_is_marked_and_undone_to_the_exact_earlier_state(
    app: Flask, site: SiteView, moderator: FlaskClient, verb: str, column: str
) -> None:
    comments = [a_comment(app, site) for _ in range(2)]
    before = [state(app, comment) for comment in comments]
    assert f'name="decide" value="{verb}"' in queue(moderator, status="approved").text
    send(moderator, "/queue/decisions", comments, decide=verb)
    assert all(getattr(row_of(app, comment), column) for comment in comments)
    assert undone(app, moderator) == "2 actions taken back: all is as it was before."
    assert [state(app, comment) for comment in comments] == before


@on_sqlite
def test_what_a_mark_does_not_fit_is_counted_apart_from_what_came_too_late(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    top = a_comment(app, site)
    reply, changed = a_comment(app, site, parent_id=top.id), a_comment(app, site)
    with app.app_context():
        decide(Change(changed.id, changed.version, Verb.FLAG), by=None, now=NOW)
    send(moderator, "/queue/decisions", [top, reply, changed], decide="pin")
    told = notice(queue(moderator))
    assert told.startswith("1 comment pinned above the others. 1 came too late")
    assert told.endswith("1 was left as it is: it does not go with that one.")


# --- who may, and about what ---

FORMS: list[tuple[str, dict[str, Any]]] = [
    ("/queue/move", {"address": NEW}),
    ("/queue/authors", BAN),
    ("/queue/articles", {"switch": "close"}),
]


@pytest.mark.parametrize(("address", "fields"), FORMS)
def test_who_may_only_look_and_who_is_a_stranger_change_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, address: str, fields: dict[str, Any]
) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    comments = [a_comment(app, site) for _ in range(2)]
    demote(app, Role.VIEWER, site)
    before = everything(app)
    assert send(moderator, address, comments, **fields).status_code == 403
    demote(app, Role.OWNER, other)
    assert send(moderator, address, comments, **fields).status_code in (404, 409)
    assert send(moderator, address, comments).status_code in (400, 404)
    after = everything(app)
    assert {name: after[name] for name in ("comment", "thread", "standing", "journal")} == {
        name: before[name] for name in ("comment", "thread", "standing", "journal")
    }


@pytest.mark.parametrize(("address", "fields"), FORMS)
@on_sqlite
def test_a_bulk_of_nothing_says_so_and_nonsense_is_refused(
    app: Flask, site: SiteView, moderator: FlaskClient, address: str, fields: dict[str, Any]
) -> None:
    comment = a_comment(app, site)
    assert send(moderator, address, [], **fields).status_code == 303
    assert notice(queue(moderator)) == "Nothing was selected, so nothing was changed."
    for nonsense in ("x", "1", f"{comment.id}:0", "-1:1", "1:1:1"):
        assert press(moderator, address, tick=nonsense, **fields).status_code == 400
    assert press(moderator, address, tick=["1:1"] * 501, **fields).status_code == 400
