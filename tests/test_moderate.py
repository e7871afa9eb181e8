"""Decisions: one winner, one row, true counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from comments_service.decisions.articles import open_or_close
from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.verbs import Change
from comments_service.errors import CommentNotFound, DecidedMeanwhile
from comments_service.storage.database import db
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Thread, ThreadAlias
from comments_service.vocabulary import Decision, SiteView, Status
from tests.conftest import NOW
from tests.factories import a_comment, a_moderator, misplaced_roots

ROUNDS = 200
BY_SOMEBODY = (JournalRow.action == DECIDED) & JournalRow.from_status.is_not(None)


def drift(app: Flask) -> int:
    """By how much the threads' counts, and what is known of their first level, differ from the rows."""
    with app.app_context():
        rows = select(func.count()).where(Comment.thread_id == Thread.id, Comment.status == Status.APPROVED)
        pairs = db.session.execute(select(Thread.approved_count, rows.scalar_subquery())).all()
        differences = [abs(kept - counted) for kept, counted in pairs]
        return int(sum(differences)) + len(misplaced_roots())


def decisions(app: Flask) -> int:
    """How many changes of status the journal has."""
    counted = select(func.count()).select_from(JournalRow).where(BY_SOMEBODY)
    with app.app_context():
        return int(db.session.scalar(counted) or 0)


def test_a_decision_tells_who_when_from_to_and_why(app: Flask, site: SiteView) -> None:
    comment, moderator = a_comment(app, site, status="pending"), a_moderator(app)
    with app.app_context():
        decide(Change(comment.id, 1, Status.SPAM), by=moderator, now=NOW, reason="An advert.")
        row = db.session.scalars(select(JournalRow).where(BY_SOMEBODY)).one()
        assert (row.comment_id, row.version, row.moderator_id) == (comment.id, 1, moderator.id)
        assert (row.from_status, row.to_status, row.reason, row.happened_at) == (
            "pending",
            "spam",
            "An advert.",
            NOW,
        )


def test_a_decision_on_an_old_version_decides_nothing(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="approved")
    with app.app_context():
        with pytest.raises(DecidedMeanwhile):
            decide(Change(comment.id, comment.version - 1, Status.SPAM), by=None, now=NOW)
        assert db.session.get_one(Comment, comment.id).status == "approved"
        assert db.session.scalar(select(func.count()).select_from(JournalRow).where(BY_SOMEBODY)) == 1


def test_a_decision_on_nothing_is_not_found(app: Flask, site: SiteView) -> None:
    with app.app_context(), pytest.raises(CommentNotFound):
        decide(Change(404, 1, Status.SPAM), by=None, now=NOW)


def test_approving_counts_and_hiding_uncounts(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="approved")
    with app.app_context():
        thread = db.session.get_one(Thread, comment.thread_id)
        assert thread.approved_count == 1
        version = thread.version
        decide(Change(comment.id, comment.version, Status.TRASH), by=None, now=NOW)
        thread = db.session.get_one(Thread, comment.thread_id)
        assert (thread.approved_count, thread.version) == (0, version + 1)


def test_moving_from_spam_to_trash_changes_nothing_that_readers_see(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="spam")
    with app.app_context():
        version = db.session.get_one(Thread, comment.thread_id).version
        decide(Change(comment.id, comment.version, Status.TRASH), by=None, now=NOW)
        assert db.session.get_one(Thread, comment.thread_id).version == version


def test_a_bulk_tells_what_took_effect_and_what_came_too_late(app: Flask, site: SiteView) -> None:
    fresh, late = a_comment(app, site, status="pending"), a_comment(app, site, status="spam")
    changes = [Change(late.id, 1, Status.APPROVED), Change(fresh.id, 1, Status.APPROVED)]
    with app.app_context():
        outcome = decide_all(changes, by=None, now=NOW)
    assert [d.comment_id for d in outcome.done] == [fresh.id]
    assert [one.comment_id for one in outcome.late] == [late.id]
    assert drift(app) == 0


def test_the_same_comment_twice_in_one_bulk_is_decided_once(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="pending")
    with app.app_context():
        outcome = decide_all([Change(comment.id, 1, Status.APPROVED)] * 2, by=None, now=NOW)
    assert len(outcome.done) == 1
    assert drift(app) == 0


def test_two_hundred_races_have_one_winner_each(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="pending")
    barrier = Barrier(2)

    def run(to_status: Status, version: int) -> Decision | None:
        with app.app_context():
            barrier.wait()
            try:
                return decide(Change(comment.id, version, to_status), by=None, now=NOW)
            except DecidedMeanwhile:
                return None

    winners = 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            # Each round asks for two statuses that the comment does not have at its beginning
            goals = (Status.APPROVED, Status.SPAM) if number % 2 == 0 else (Status.PENDING, Status.TRASH)
            answers = list(pool.map(run, goals, [number + 1] * 2))
            winners += sum(answer is not None for answer in answers)
    with app.app_context():
        rows = db.session.scalar(select(func.count()).select_from(JournalRow).where(BY_SOMEBODY))
    assert (winners, rows, drift(app)) == (ROUNDS, ROUNDS, 0)


def test_two_bulks_over_the_same_comments_do_not_block_each_other(app: Flask, site: SiteView) -> None:
    comments = [
        a_comment(app, site, status="pending", url=f"https://news.example.org/{n % 4}") for n in range(12)
    ]
    forward = [Change(c.id, 1, Status.APPROVED) for c in comments]
    barrier = Barrier(2)

    def run(changes: list[Change]) -> int:
        with app.app_context():
            barrier.wait()
            return len(decide_all(changes, by=None, now=NOW).done)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, [forward, forward[::-1]]))
    assert sum(done) == len(comments)
    assert drift(app) == 0


def test_approval_teaches_the_address_a_comment_came_from(app: Flask, site: SiteView) -> None:
    url = "https://news.example.org/moved"
    comment = a_comment(app, site, status="pending", url=url, article_id="42")
    with app.app_context():
        assert db.session.scalars(select(ThreadAlias)).all() == []
        decide(Change(comment.id, 1, Status.APPROVED), by=None, now=NOW)
        assert db.session.scalars(select(ThreadAlias.thread_id)).all() == [comment.thread_id]


def test_closing_an_article_is_told_to_readers_and_kept_in_the_audit(app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site).thread_id
    with app.app_context():
        before = db.session.get_one(Thread, thread_id).version
        open_or_close(thread_id, is_open=False, by=None, now=NOW)
        open_or_close(thread_id, is_open=False, by=None, now=NOW)
        thread = db.session.get_one(Thread, thread_id)
        assert (thread.is_open, thread.version) == (False, before + 1)
        assert db.session.scalars(select(JournalRow.action)).all()[1:] == [DECIDED, "thread-closed"]
