"""Sites' filters learn from decisions, and unlearn what is undone."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.edit import edit
from comments_service.decisions.reply import reply
from comments_service.decisions.revisions import Words
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.spam import learning
from comments_service.spam.features import ALWAYS, FEATURES, look_at, slot_of
from comments_service.spam.learning import MOST_AT_ONCE, site_filter
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment
from comments_service.storage.spam import SpamWeight
from comments_service.vocabulary import SiteView
from tests.conftest import NOW
from tests.doors import sign_in
from tests.factories import StoredComment, a_comment, a_moderator, a_site
from tests.test_decisions import at, journal, press
from tests.test_undo import last_batch

TEXT = "Grand opening of the rope museum, doors at nine"


def a_waiting(app: Flask, site: SiteView, text: str = TEXT) -> StoredComment:
    """A comment that nobody has decided about."""
    return a_comment(app, site, status="pending", text=text)


def learned(app: Flask, site: SiteView) -> Mapping[int, float]:
    """All that a site's decisions have taught."""
    with app.app_context():
        rows = select(SpamWeight.slot, SpamWeight.weight).where(SpamWeight.site_id == site.id)
        found = {row.slot: row.weight for row in db.session.execute(rows)}
        db.session.rollback()
        return found


def likely(app: Flask, site: SiteView, text: str = TEXT, name: str = "Ann Miller") -> float:
    """How likely the site's filter takes a text for spam."""
    slots = look_at(text, name).slots
    with app.app_context():
        found = site_filter(db.session(), site.id, list(slots)).probability(slots)
        db.session.rollback()
        return found


def decided(app: Flask, comment: StoredComment, verb: Verb) -> None:
    """Decide about it as the operator."""
    with app.app_context():
        decide(Change(comment.id, comment.version, verb), by=None, now=NOW)


@pytest.mark.parametrize(("verb", "direction"), [("spam", 1), ("approve", -1)])
def test_a_moderators_click_teaches_the_filter_of_that_site_alone(
    app: Flask, site: SiteView, verb: str, direction: int
) -> None:
    other = a_site(app, key="other")
    before = likely(app, site)
    assert press(sign_in(app), decide=verb, tick=[at(a_waiting(app, site))]).status_code == 200
    assert (likely(app, site) - before) * direction > 0.00001
    assert likely(app, other) == pytest.approx(before)
    assert not learned(app, other)


@pytest.mark.parametrize("verb", [Verb.TRASH, Verb.FLAG])
def test_other_decisions_teach_nothing(app: Flask, site: SiteView, verb: Verb) -> None:
    decided(app, a_waiting(app, site), verb)
    assert not learned(app, site)


def test_what_was_said_already_teaches_nothing_and_its_opposite_does(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="spam", text=TEXT)
    said = [(Verb.NOT_SPAM, 1), (Verb.APPROVE, 0), (Verb.UNAPPROVE, 0), (Verb.SPAM, 1), (Verb.TRASH, 0)]
    for number, (verb, lessons) in enumerate([*said, (Verb.SPAM, 0), (Verb.NOT_SPAM, 1)]):
        before = likely(app, site)
        decided(app, replace(comment, version=comment.version + number), verb)
        assert (likely(app, site) != pytest.approx(before, abs=1e-12)) == lessons, verb


def test_what_was_taken_back_and_what_reads_otherwise_now_teaches_anew(app: Flask, site: SiteView) -> None:
    comment = a_waiting(app, site)
    decided(app, comment, Verb.APPROVE)
    with app.app_context():
        undo(by=None, now=NOW, batch=last_batch(app))
    decided(app, replace(comment, version=comment.version + 2), Verb.APPROVE)
    approved = learned(app, site)[ALWAYS]
    assert approved < 0
    with app.app_context():
        words = Words("Ann Miller", None, "The ferry was late again")
        edit(comment.id, comment.version + 3, words, by=a_moderator(app), now=NOW)
    decided(app, replace(comment, version=comment.version + 4), Verb.UNAPPROVE)
    decided(app, replace(comment, version=comment.version + 5), Verb.APPROVE)
    assert learned(app, site)[ALWAYS] < approved


def test_not_spam_of_what_was_none_teaches_nothing(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="approved")
    before = learned(app, site)
    decided(app, comment, Verb.NOT_SPAM)
    assert learned(app, site) == before


def test_a_reply_that_publishes_teaches(app: Flask, site: SiteView) -> None:
    comment = a_waiting(app, site)
    with app.app_context():
        reply(comment.id, comment.version, "Thanks", by=a_moderator(app), now=NOW)
    assert learned(app, site)[ALWAYS] < 0


def test_an_undo_is_one_opposite_step_and_a_redo_the_same_again(app: Flask, site: SiteView) -> None:
    decided(app, a_waiting(app, site), Verb.SPAM)
    with app.app_context():
        batch = last_batch(app)
    decided(app, a_waiting(app, site, "The ferry was late again"), Verb.APPROVE)
    both = learned(app, site)
    with app.app_context():
        undone = undo(by=None, now=NOW, batch=batch)
    ferry = learned(app, site)
    with app.app_context():
        undo(by=None, now=NOW, batch=undone.batch)
    assert learned(app, site) == pytest.approx(both, abs=1e-9)
    slot, _ = slot_of("word:museum")
    assert abs(ferry[slot]) < 1e-9 < abs(both[slot])
    assert ferry[ALWAYS] < 0


def test_a_step_of_earlier_features_is_neither_taken_back_nor_made_again(
    app: Flask, site: SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "FEATURES", FEATURES - 1)
    decided(app, a_waiting(app, site), Verb.SPAM)
    monkeypatch.undo()
    with app.app_context():
        undone = undo(by=None, now=NOW, batch=last_batch(app))
        assert undo(by=None, now=NOW, batch=undone.batch).count == 1
        assert not db.session.scalars(select(SpamWeight).where(SpamWeight.features == FEATURES)).all()


def test_a_wave_of_one_text_is_one_opinion(app: Flask, site: SiteView) -> None:
    names = (
        *("site_id", "thread_id", "depth", "name", "text", "page_url"),
        *("status", "verdict_reason", "created_at", "status_changed_at"),
    )
    first = a_waiting(app, site)
    with app.app_context():
        with transaction() as session:
            row = session.get_one(Comment, first.id)
            same = {name: getattr(row, name) for name in names}
            session.add_all(Comment(**same) for _ in range(MOST_AT_ONCE + 20))
        rows = db.session.execute(select(Comment.id, Comment.version)).all()
        outcome = decide_all([Change(row.id, row.version, Verb.SPAM) for row in rows], by=None, now=NOW)
        assert len(outcome.done) == MOST_AT_ONCE + 21
        assert sum("lesson" in row.details for row in journal(app)) == MOST_AT_ONCE
    assert likely(app, site) > 0.9
    with app.app_context():
        undo(by=None, now=NOW, batch=outcome.batch)
    assert max(map(abs, learned(app, site).values())) < 1e-9


def test_what_is_refused_teaches_nothing(app: Flask, site: SiteView) -> None:
    comment = a_waiting(app, site)
    with app.app_context():
        outcome = decide_all([Change(comment.id, comment.version + 5, Verb.SPAM)], by=None, now=NOW)
        assert outcome.late
    assert not learned(app, site)


def test_those_who_decide_at_once_lose_nothing_to_each_other(app: Flask, site: SiteView) -> None:
    comments = [a_waiting(app, site, f"{TEXT} on day {n}") for n in range(8)]
    barrier = Barrier(len(comments))

    def one(comment: StoredComment) -> None:
        with app.app_context():
            barrier.wait()
            decide(Change(comment.id, comment.version, Verb.SPAM), by=None, now=NOW)

    with ThreadPoolExecutor(len(comments)) as pool:
        list(pool.map(one, comments))
    with app.app_context():
        for row in journal(app):
            if "lesson" in row.details:
                undo(by=None, now=NOW, journal_id=row.id)
    weights = learned(app, site)
    assert weights
    assert max(map(abs, weights.values())) < 1e-9
