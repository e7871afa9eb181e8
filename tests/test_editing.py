"""Moderators mend words, answer, and move comments; the first words are kept, and all of it can be undone."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from comments_service.decisions.decide import decide
from comments_service.decisions.diff import Piece, word_diff
from comments_service.decisions.edit import edit
from comments_service.decisions.move import Target, move
from comments_service.decisions.reply import reply
from comments_service.decisions.revisions import Words
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.errors import ArticleRefused
from comments_service.storage.database import db, transaction
from comments_service.storage.decisions import Revision
from comments_service.storage.models import Comment, Thread
from comments_service.storage.removal import remove
from comments_service.vocabulary import SiteView
from tests.conftest import NOW, Clock
from tests.doors import everything, sign_in
from tests.factories import ARTICLE, StoredComment, a_comment, a_moderator, a_site
from tests.test_decisions import at, journal, on_sqlite, press, row_of
from tests.test_moderate import drift
from tests.test_undo import state

ELSEWHERE = "https://news.example.org/elsewhere"
NEW = Words("Dan", "https://dan.example.net", "Other words.")


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


def thread_of(app: Flask, thread_id: int) -> Thread:
    """An article as it is stored now."""
    with app.app_context():
        row = db.session.get_one(Thread, thread_id, populate_existing=True)
        db.session.expunge(row)
        db.session.rollback()
        return row


def revisions(app: Flask) -> list[tuple[int, str]]:
    """The kept versions of all comments' texts."""
    with app.app_context():
        rows = db.session.execute(select(Revision.number, Revision.text).order_by(Revision.number)).all()
        db.session.rollback()
        return [(row.number, row.text) for row in rows]


# --- words ---


def test_an_edit_keeps_what_the_author_sent_and_each_later_version(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, text="First words.")
    with app.app_context():
        by = a_moderator(app)
        edit(comment.id, comment.version, NEW, by=by, now=NOW)
        edit(comment.id, comment.version + 1, Words("Dan", None, "Third words."), by=by, now=NOW)
    row = row_of(app, comment)
    assert (row.name, row.website, row.text, row.edited_at) == ("Dan", None, "Third words.", NOW)
    assert revisions(app) == [(1, "First words."), (2, "Other words."), (3, "Third words.")]


def test_readers_get_the_new_words_at_once(app: Flask, site: SiteView, client: FlaskClient) -> None:
    comment = a_comment(app, site)
    asked = {"url": ARTICLE}
    tag = client.get("/api/v1/sites/demo/thread", query_string=asked).headers["ETag"]
    with app.app_context():
        edit(comment.id, comment.version, NEW, by=None, now=NOW)
    response = client.get("/api/v1/sites/demo/thread", query_string=asked, headers={"If-None-Match": tag})
    assert response.json is not None
    assert response.json["comments"][0]["html"] == "<p>Other words.</p>"


def test_an_edit_is_undone_and_done_again_word_for_word(app: Flask, site: SiteView, clock: Clock) -> None:
    comment = a_comment(app, site)
    before = state(app, comment)
    clock.forward(hours=1)
    with app.app_context():
        batch = edit(comment.id, comment.version, NEW, by=None, now=clock.now).batch
        after = state(app, comment)
        undone = undo(by=None, now=clock.now, batch=batch)
        assert state(app, comment) == before
        undo(by=None, now=clock.now, batch=undone.batch)
        assert state(app, comment) == after
        edit(comment.id, comment.version + 3, Words("Eva", None, "More."), by=None, now=clock.now)
    assert [number for number, _ in revisions(app)] == [1, 2, 3]


def test_the_same_words_and_an_old_version_change_nothing(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    row = row_of(app, comment)
    with app.app_context():
        same = edit(comment.id, comment.version, Words(row.name, row.website, row.text), by=None, now=NOW)
        late = edit(comment.id, comment.version - 1, NEW, by=None, now=NOW)
    assert (same.done, same.late, [one.why for one in late.late]) == ((), (), ["changed"])
    assert revisions(app) == []


def test_all_versions_go_with_the_comment(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, name="Dan Unforgettable", text="Unforgettable words.")
    with app.app_context():
        edit(comment.id, comment.version, NEW, by=None, now=NOW)
        with transaction() as session:
            remove(session, [comment.id])
    assert "nforgettable" not in str(everything(app))
    assert "Other words" not in str(everything(app))


DIFFS = [
    ("a b c", "a b c", [("same", "a b c")]),
    ("a b c", "a x c", [("same", "a "), ("del", "b"), ("ins", "x"), ("same", " c")]),
    ("", "new", [("ins", "new")]),
    ("<b>", "<i>", [("same", "<"), ("del", "b"), ("ins", "i"), ("same", ">")]),
    ("gone", "", [("del", "gone")]),
    ("", "", []),
    ("one two two", "two", [("del", "one two "), ("same", "two")]),
    ("aye be", "aye see be", [("same", "aye "), ("ins", "see "), ("same", "be")]),
]


@pytest.mark.parametrize(("first", "now", "pieces"), DIFFS)
def test_a_diff_tells_word_by_word(first: str, now: str, pieces: list[Any]) -> None:
    assert word_diff(first, now) == tuple(Piece(*piece) for piece in pieces)


def test_the_longest_texts_are_compared_without_delay() -> None:
    first, now = "word " * 13_000, "other " * 10_000
    assert [piece.kind for piece in word_diff(first, now)] == ["del", "ins"]


HOSTILE = [
    ("a " * 1000, "b a " * 500),
    ("x. " * 500, "x , " * 500),
    ("a\n" * 2000, "b\na\n" * 1000),
    ("abc def ghi jk\n" * 1900, "abc def ghi jl\nabc def ghi jk\n" * 950),
]


@pytest.mark.parametrize(("first", "now"), HOSTILE)
def test_no_text_makes_a_comparison_slow(first: str, now: str) -> None:
    began = process_time()
    pieces = word_diff(first, now)
    assert process_time() - began < 0.5  # each of them took from 4 to 125 seconds once
    assert "".join(piece.text for piece in pieces if piece.kind != "ins") == first
    assert "".join(piece.text for piece in pieces if piece.kind != "del") == now


@given(st.text("ab .\n", max_size=60), st.text("ab .\n", max_size=60))
def test_a_diff_leads_from_the_first_text_to_the_one_of_now(first: str, now: str) -> None:
    pieces = word_diff(first, now)
    assert "".join(piece.text for piece in pieces if piece.kind != "ins") == first
    assert "".join(piece.text for piece in pieces if piece.kind != "del") == now


def test_small_changes_of_a_long_text_are_shown_word_by_word() -> None:
    words = [f"word{number % 50}" for number in range(900)]
    now = ["First", *words[1:450], "new", *words[450:-1], "last"]
    changed = [
        (p.kind, p.text.strip()) for p in word_diff(" ".join(words), " ".join(now)) if p.kind != "same"
    ]
    went, came = [text for kind, text in changed if kind == "del"], [t for k, t in changed if k == "ins"]
    assert (went, came) == (["word0", "word49"], ["First", "new", "last"])


# --- answers ---


def test_an_answer_is_public_at_once_and_the_moderators_own(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    with app.app_context():
        by = a_moderator(app, name="Ana")
        outcome = reply(comment.id, comment.version, "Thank you.", by=by, now=NOW)
        row = db.session.get_one(Comment, outcome.done[0].comment_id)
        told = (row.name, row.moderator_id, row.status, row.parent_id, row.depth, row.email_sealed)
        assert told == ("Ana", by.id, "approved", comment.id, 2, None)
        assert row.proven_root_id == row.id
    assert thread_of(app, comment.thread_id).approved_count == 2
    assert drift(app) == 0


def test_an_answer_approves_what_waits_in_the_same_batch_and_both_are_taken_back(
    app: Flask, site: SiteView
) -> None:
    comment = a_comment(app, site, status="pending")
    with app.app_context():
        by = a_moderator(app)
        outcome = reply(comment.id, 1, "Thank you.", by=by, now=NOW)
        assert len(outcome.done) == 2
        assert thread_of(app, comment.thread_id).approved_count == 2
        undone = undo(by=by, now=NOW, batch=outcome.batch)
        assert (undone.count, thread_of(app, comment.thread_id).approved_count) == (2, 0)
        undo(by=by, now=NOW, batch=undone.batch)
    assert thread_of(app, comment.thread_id).approved_count == 2
    assert drift(app) == 0


def test_the_same_answer_twice_is_one_answer(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    with app.app_context():
        by = a_moderator(app)
        first, second = (reply(comment.id, comment.version, "Yes.", by=by, now=NOW) for _ in range(2))
    assert (len(first.done), len(second.done), len(second.repeated)) == (1, 0, 1)
    assert thread_of(app, comment.thread_id).approved_count == 2


@pytest.mark.parametrize("status", ["spam", "trash"])
def test_what_is_declined_is_not_answered(app: Flask, site: SiteView, status: str) -> None:
    comment = a_comment(app, site, status=status)
    with app.app_context():
        outcome = reply(comment.id, comment.version, "Yes.", by=a_moderator(app), now=NOW)
    assert [one.why for one in outcome.late] == ["unfit"]
    assert row_of(app, comment).status == status


def test_a_letter_is_not_answered_in_public(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="pending")
    with app.app_context():
        with transaction() as session:
            session.get_one(Comment, comment.id).is_letter = True
        outcome = reply(comment.id, comment.version, "Yes.", by=a_moderator(app), now=NOW)
    assert [one.why for one in outcome.late] == ["letter"]
    assert row_of(app, comment).status == "pending"


# --- places ---


def a_tree(app: Flask, site: SiteView) -> list[StoredComment]:
    """A comment, a reply to it, a reply to that, and one in the trash."""
    top = a_comment(app, site)
    reply_to = a_comment(app, site, parent_id=top.id)
    deep = a_comment(app, site, parent_id=reply_to.id)
    return [top, reply_to, deep, a_comment(app, site, parent_id=top.id, status="trash")]


def test_a_move_takes_all_replies_along_and_counts_stay_true(app: Flask, site: SiteView) -> None:
    tree, there = a_tree(app, site), a_comment(app, site, url=ELSEWHERE)
    with app.app_context():
        outcome = move(tree[1].id, tree[1].version, Target(ELSEWHERE), by=None, now=NOW)
    moved = [row_of(app, comment) for comment in tree[1:3]]
    assert [(row.thread_id, row.parent_id, row.root_id, row.depth) for row in moved] == [
        (there.thread_id, None, None, 1),
        (there.thread_id, tree[1].id, tree[1].id, 2),
    ]
    assert {row.page_url for row in moved} == {ELSEWHERE}
    assert len(outcome.done) == 2
    counts = [thread_of(app, number).approved_count for number in (tree[0].thread_id, there.thread_id)]
    assert (counts, drift(app)) == ([1, 3], 0)


def test_a_move_is_taken_back_whole_with_the_replies_that_came_since(app: Flask, site: SiteView) -> None:
    tree = a_tree(app, site)
    a_comment(app, site, url=ELSEWHERE)
    before = [state(app, comment) for comment in tree]
    with app.app_context():
        move(tree[1].id, tree[1].version, Target(ELSEWHERE), by=None, now=NOW)
    late = a_comment(app, site, url=ELSEWHERE, parent_id=tree[2].id)
    row = next(row for row in journal(app, "comment-moved") if row.comment_id == tree[2].id)
    with app.app_context():
        undone = undo(by=None, now=NOW, journal_id=row.id)
        assert undone.count == 3
        assert [state(app, comment) for comment in tree] == before
        assert row_of(app, late).thread_id == tree[0].thread_id
        undo(by=None, now=NOW, batch=undone.batch)
    assert row_of(app, late).root_id == tree[1].id
    assert drift(app) == 0


def test_a_move_that_somebody_went_on_with_stays(app: Flask, site: SiteView) -> None:
    tree = a_tree(app, site)
    a_comment(app, site, url=ELSEWHERE)
    with app.app_context():
        batch = move(tree[0].id, tree[0].version, Target(ELSEWHERE), by=None, now=NOW).batch
        decide(Change(tree[2].id, tree[2].version + 1, Verb.SPAM), by=None, now=NOW)
        undone = undo(by=None, now=NOW, batch=batch)
    assert (undone.count, [one.comment_id for one in undone.late]) == (0, [tree[2].id])
    assert drift(app) == 0


WRONG_TARGETS = [
    (Target(ARTICLE), "same"),
    (Target("https://evil.example/"), "none of the site"),
    (Target("javascript:alert(1)"), "origins|begin"),
    (Target(""), "address"),
    (Target(thread_id=4711), "unknown"),
]


@pytest.mark.parametrize(("target", "told"), WRONG_TARGETS)
@on_sqlite
def test_a_move_to_nowhere_is_refused(app: Flask, site: SiteView, target: Target, told: str) -> None:
    comment = a_comment(app, site)
    with app.app_context(), pytest.raises(ArticleRefused, match=told):
        move(comment.id, comment.version, target, by=None, now=NOW)
    assert row_of(app, comment).version == comment.version


@on_sqlite
def test_no_comment_moves_to_another_site(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    foreign = a_comment(app, other, url="https://other.example.org/a")
    comment = a_comment(app, site)
    with app.app_context(), pytest.raises(ArticleRefused):
        move(comment.id, comment.version, Target(thread_id=foreign.thread_id), by=None, now=NOW)


@on_sqlite
def test_an_edit_and_a_move_tell_their_names_to_whoever_comes_second(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site)
    a_comment(app, site, url=ELSEWHERE)
    with app.app_context():
        by = a_moderator(app, name="Bea")
        move(comment.id, comment.version, Target(ELSEWHERE), by=by, now=NOW)
    answer = press(moderator, decide=f"spam {at(comment)}").json
    assert answer is not None
    assert answer["late"][0]["sentence"] == "Bea moved it to another article, just now. It is now: Approved."
