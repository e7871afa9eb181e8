"""The write walk: what is stored, what is refused, what a repetition gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from comments_service import tokens
from comments_service.decisions.articles import open_or_close
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.errors import (
    CommentsError,
    DuplicateComment,
    FieldsRefused,
    KeyReused,
    ThreadClosed,
    TooManyComments,
)
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment, Site, Thread
from comments_service.submit import submit
from comments_service.vocabulary import Receipt, SiteView, Status, Submission
from tests.conftest import NOW
from tests.factories import KNOWN, a_comment, a_site, a_submission, wiring_of


def send(app: Flask, submission: Submission, *, seconds: float = 0) -> Receipt:
    """Submit at the test's time, or some seconds later."""
    parts = wiring_of(app)
    with app.app_context():
        now = NOW + timedelta(seconds=seconds)
        return submit(submission, settings=parts.settings, keys=parts.keys, now=now)


def stored(app: Flask) -> int:
    """How many comments there are, of whatever status."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Comment)) or 0


def test_a_new_comment_waits(app: Flask, site: SiteView) -> None:
    assert send(app, a_submission(site)).status == Status.PENDING


def test_the_thread_begins_with_the_first_comment(app: Flask, site: SiteView) -> None:
    send(app, a_submission(site, title="A bridge"))
    with app.app_context():
        assert db.session.scalars(select(Thread.title)).all() == ["A bridge"]


def test_the_same_key_and_body_get_the_first_answer_again(app: Flask, site: SiteView) -> None:
    submission = a_submission(site)
    first = send(app, submission)
    assert send(app, submission, seconds=1) == first
    assert stored(app) == 1


def test_the_first_answer_stays_even_when_a_moderator_decided_meanwhile(app: Flask, site: SiteView) -> None:
    submission = a_submission(site)
    first = send(app, submission)
    with app.app_context():
        decide(Change(first.comment_id, 1, Status.APPROVED), by=None, now=NOW)
    assert send(app, submission, seconds=1).status == Status.PENDING


@pytest.mark.parametrize("field", ["text", "name", "email", "website", "title", "previous"])
def test_the_same_key_with_another_body_is_refused(app: Flask, site: SiteView, field: str) -> None:
    first = a_submission(site)
    other: dict[str, Any] = {field: "other@example.org"}
    send(app, first)
    with pytest.raises(KeyReused):
        send(app, replace(first, **other), seconds=60)
    assert stored(app) == 1


def test_a_key_is_free_again_after_a_day(app: Flask, site: SiteView) -> None:
    send(app, a_submission(site, idempotency_key="one"))
    send(app, a_submission(site, idempotency_key="one"), seconds=24 * 3600)
    assert stored(app) == 2


def test_two_sites_may_use_the_same_key(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other")
    send(app, a_submission(site, idempotency_key="one"))
    send(app, a_submission(other, idempotency_key="one"))
    assert stored(app) == 2


@pytest.mark.parametrize("email", ["ana@example.org", "other@example.org"])
def test_a_twin_is_refused_whatever_its_email(app: Flask, site: SiteView, email: str) -> None:
    send(app, a_submission(site, name="Ana", text="I agree.", email="ana@example.org"))
    with pytest.raises(DuplicateComment):
        send(app, a_submission(site, name="Ana", text="I agree.", email=email))


def test_a_twin_of_a_trashed_comment_is_welcome(app: Flask, site: SiteView) -> None:
    a_comment(app, site, name="Ana", text="I agree.", status="trash")
    assert send(app, a_submission(site, name="Ana", text="I agree.")).status == Status.PENDING


def test_the_same_words_below_another_article_are_no_twin(app: Flask, site: SiteView) -> None:
    send(app, a_submission(site, name="Ana", text="I agree."))
    elsewhere = "https://news.example.org/elsewhere"
    assert send(app, a_submission(site, name="Ana", text="I agree.", url=elsewhere)).comment_id


def test_one_network_may_post_once_in_ten_seconds(app: Flask, site: SiteView) -> None:
    send(app, a_submission(site, network="192.0.2.0/24"))
    with pytest.raises(TooManyComments) as refusal:
        send(app, a_submission(site, network="192.0.2.0/24"), seconds=4)
    assert refusal.value.retry_after_seconds == 6
    assert send(app, a_submission(site, network="192.0.2.0/24"), seconds=10).comment_id


def test_one_network_may_post_twenty_times_in_an_hour(app: Flask, site: SiteView) -> None:
    for number in range(20):
        send(app, a_submission(site, network="192.0.2.0/24"), seconds=number * 60)
    with pytest.raises(TooManyComments) as refusal:
        send(app, a_submission(site, network="192.0.2.0/24"), seconds=20 * 60)
    assert refusal.value.retry_after_seconds == 40 * 60


def test_a_site_takes_three_hundred_a_minute(app: Flask, site: SiteView) -> None:
    small = wiring_of(app).settings.model_copy(update={"site_submissions_per_minute": 3})
    keys = wiring_of(app).keys
    with app.app_context():
        for _ in range(3):
            submit(a_submission(site), settings=small, keys=keys, now=NOW)
        with pytest.raises(TooManyComments) as refusal:
            submit(a_submission(site), settings=small, keys=keys, now=NOW + timedelta(seconds=20))
    assert refusal.value.retry_after_seconds == 40


def test_a_clock_that_was_set_back_locks_nobody_out(app: Flask, site: SiteView) -> None:
    send(app, a_submission(site, network="192.0.2.0/24"), seconds=3600)
    assert send(app, a_submission(site, network="192.0.2.0/24")).comment_id


def test_a_repetition_is_answered_before_any_limit(app: Flask, site: SiteView) -> None:
    submission = a_submission(site, network="192.0.2.0/24")
    first = send(app, submission)
    assert send(app, submission, seconds=1) == first


def test_a_closed_article_takes_nothing(app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site).thread_id
    with app.app_context():
        open_or_close(thread_id, is_open=False, by=None, now=NOW)
    with pytest.raises(ThreadClosed):
        send(app, a_submission(site))


def test_a_closed_site_takes_nothing_and_makes_no_thread(app: Flask, site: SiteView) -> None:
    with app.app_context(), transaction() as session:
        session.get_one(Site, site.id).is_open = False
    with pytest.raises(ThreadClosed):
        send(app, a_submission(site))
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Thread)) == 0


@pytest.mark.parametrize("status", ["pending", "spam", "trash"])
def test_a_parent_that_is_not_public_is_refused(app: Flask, site: SiteView, status: str) -> None:
    parent = a_comment(app, site, status=status)
    with pytest.raises(FieldsRefused) as refusal:
        send(app, a_submission(site, parent_id=parent.id))
    assert [error.field for error in refusal.value.errors] == ["parent"]


def test_a_parent_below_another_article_is_refused(app: Flask, site: SiteView) -> None:
    parent = a_comment(app, site, url="https://news.example.org/elsewhere")
    with pytest.raises(FieldsRefused):
        send(app, a_submission(site, parent_id=parent.id))


def test_a_parent_that_never_was_is_refused(app: Flask, site: SiteView) -> None:
    with pytest.raises(FieldsRefused):
        send(app, a_submission(site, parent_id=2**31 - 1))


def previous_of(app: Flask, site: SiteView, comment_id: int) -> str:
    """The receipt of an earlier comment."""
    return tokens.receipt(wiring_of(app).keys, site=site.key, comment_id=comment_id)


@pytest.mark.parametrize(
    ("earlier", "email", "expected"),
    [
        ("approved", "ana@example.org", Status.APPROVED),
        ("approved", "ANA@example.org", Status.APPROVED),
        ("approved", "eve@example.org", Status.PENDING),
        ("pending", "ana@example.org", Status.PENDING),
        ("spam", "ana@example.org", Status.PENDING),
    ],
)
def test_only_an_approved_receipt_with_its_own_email_makes_a_known_author(
    app: Flask, earlier: str, email: str, expected: Status
) -> None:
    site = a_site(app, rules=KNOWN)
    first = a_comment(app, site, email="ana@example.org", status=earlier)
    again = a_submission(site, email=email, previous=previous_of(app, site, first.id))
    assert send(app, again).status == expected


def test_a_known_author_still_waits_where_the_site_wants_it(app: Flask, site: SiteView) -> None:
    first = a_comment(app, site, email="ana@example.org")
    again = a_submission(site, email="ana@example.org", previous=previous_of(app, site, first.id))
    assert send(app, again).status == Status.PENDING


@pytest.mark.parametrize("previous", ["", "forged", "a.b", "\x00"])
def test_a_forged_receipt_makes_nobody_known(app: Flask, previous: str) -> None:
    site = a_site(app, rules=KNOWN)
    a_comment(app, site, email="ana@example.org")
    assert send(app, a_submission(site, email="ana@example.org", previous=previous)).status == Status.PENDING


def test_a_comment_published_at_once_is_counted_at_once(app: Flask) -> None:
    site = a_site(app, rules=KNOWN)
    first = a_comment(app, site, email="ana@example.org")
    send(app, a_submission(site, email="ana@example.org", previous=previous_of(app, site, first.id)))
    with app.app_context():
        assert db.session.scalars(select(Thread.approved_count)).all() == [2]


def at_once(app: Flask, submissions: list[Submission]) -> list[Receipt | CommentsError]:
    """Submit all of them at the same moment, each in its own thread."""
    barrier = Barrier(len(submissions))

    def one(submission: Submission) -> Receipt | CommentsError:
        barrier.wait()
        try:
            return send(app, submission)
        except CommentsError as error:
            return error

    with ThreadPoolExecutor(len(submissions)) as pool:
        return list(pool.map(one, submissions))


def test_eight_identical_sendings_at_once_make_one_comment(app: Flask, site: SiteView) -> None:
    answers = at_once(app, [a_submission(site)] * 8)
    assert len(set(map(repr, answers))) == 1
    assert stored(app) == 1


def test_eight_twins_at_once_make_one_comment(app: Flask, site: SiteView) -> None:
    answers = at_once(app, [a_submission(site, name="Ana", text="First!") for _ in range(8)])
    assert sum(isinstance(answer, DuplicateComment) for answer in answers) == 7
    assert stored(app) == 1


@pytest.mark.parametrize("article_id", [None, "42"])
def test_eight_first_comments_at_once_share_one_thread(
    app: Flask, site: SiteView, article_id: str | None
) -> None:
    at_once(app, [a_submission(site, article_id=article_id) for _ in range(8)])
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Thread)) == 1
    assert stored(app) == 8


def test_eight_sendings_of_one_network_at_once_pass_once(app: Flask, site: SiteView) -> None:
    answers = at_once(app, [a_submission(site, network="192.0.2.0/24") for _ in range(8)])
    assert sum(isinstance(answer, Receipt) for answer in answers) == 1
