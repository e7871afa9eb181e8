"""The outbox: what is put down with a comment, who gets it, and when digests are due."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from comments_service import tokens
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.errors import ThreadClosed
from comments_service.notify import outbox
from comments_service.notify.addresses import set_wishes
from comments_service.notify.outbox import LEASE, MAX_TRIES, WAITS, Claimed, next_digest
from comments_service.settings import Settings
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment
from comments_service.storage.outbox import Kind, Outbox, State, Wish
from comments_service.storage.people import Grant
from comments_service.submit import submit
from comments_service.vocabulary import ModeratorView, Role, SiteView, Status
from tests.factories import KNOWN, a_comment, a_moderator, a_site, a_submission, an_address, wiring_of
from tests.mailboxes import letters, mailed
from tests.test_reports import report


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation that sends letters."""
    return mailed(settings, "smtp://127.0.0.1:9")


@pytest.fixture
def ana(app: Flask, site: SiteView) -> ModeratorView:
    """A moderator with an address."""
    moderator = a_moderator(app, name="ana")
    an_address(app, moderator)
    return moderator


def wish(app: Flask, moderator: ModeratorView, site: SiteView, wanted: Wish, now: datetime) -> None:
    """Let somebody want other letters."""
    with app.app_context():
        set_wishes({site.id: wanted}, by=moderator, now=now)


def claimed(app: Flask, now: datetime, count: int = 1) -> list[Claimed]:
    """Take letters as a worker does."""
    with app.app_context():
        return outbox.claim(settings=wiring_of(app).settings, now=now, count=count)


def test_a_waiting_comment_puts_down_one_letter_to_each_who_wants_one(
    app: Flask, site: SiteView, ana: ModeratorView
) -> None:
    ben, cay = a_moderator(app, name="ben"), a_moderator(app, name="cay")
    an_address(app, ben, "ben@example.org")
    comment = a_comment(app, site, status=Status.PENDING)
    assert cay.id not in {row.moderator_id for row in letters(app)}  # gave no address
    assert [(row.moderator_id, row.comment_id) for row in letters(app)] == [
        (ana.id, comment.id),
        (ben.id, comment.id),
    ]


def test_a_published_comment_that_readers_reports_hold_puts_down_a_letter(
    app: Flask, ana: ModeratorView
) -> None:
    site = a_site(app, key="open", options={"hold_reported": 1})
    comment = a_comment(app, site)
    before = len(letters(app))
    assert report(app, comment).status_code == 202
    assert [(row.moderator_id, row.comment_id) for row in letters(app)[before:]] == [(ana.id, comment.id)]


def test_a_comment_that_is_published_at_once_puts_down_none(app: Flask, ana: ModeratorView) -> None:
    open_site = a_site(app, key="open", rules=KNOWN)
    first = a_comment(app, open_site, email="zenobia@example.org")
    before = len(letters(app))
    parts = wiring_of(app)
    with app.app_context():
        receipt = tokens.receipt(parts.keys, site="open", comment_id=first.id)
        known = a_submission(open_site, email="zenobia@example.org", previous=receipt)
        assert submit(known, settings=parts.settings, keys=parts.keys, now=parts.now()).status == "approved"
    assert len(letters(app)) == before


def test_what_is_refused_puts_down_none(app: Flask, site: SiteView, ana: ModeratorView) -> None:
    closed = a_site(app, key="closed", is_open=False)
    with pytest.raises(ThreadClosed):
        a_comment(app, closed, status=Status.PENDING)
    assert letters(app) == []


def test_without_a_mail_server_nothing_is_put_down(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    settings = wiring_of(app).settings.model_copy(update={"smtp_url": None})
    with app.app_context():
        submit(a_submission(site), settings=settings, keys=wiring_of(app).keys, now=now)
    assert letters(app) == []


def test_what_the_service_declined_by_itself_tells_nobody(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    comment = a_comment(app, site, status=Status.TRASH)
    with app.app_context(), transaction() as session:
        session.query(Outbox).delete()
        row = session.get_one(Comment, comment.id)
        row.status, row.is_quietly_declined = Status.PENDING, True
        outbox.enqueue(session, row, settings=wiring_of(app).settings, now=now)
    assert letters(app) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_putting_a_letter_down_talks_to_nobody(
    app: Flask, site: SiteView, ana: ModeratorView, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a submission opened a connection")

    monkeypatch.setattr("socket.socket.connect", refuse)
    a_comment(app, site, status=Status.PENDING)
    assert len(letters(app)) == 1


@pytest.mark.parametrize("wanted", [Wish.OFF, Wish.HOURLY, Wish.DAILY])
def test_who_wants_no_letter_for_each_gets_none(
    app: Flask, site: SiteView, ana: ModeratorView, wanted: Wish, now: datetime
) -> None:
    wish(app, ana, site, wanted, now)
    a_comment(app, site, status=Status.PENDING)
    assert letters(app) == []


@pytest.mark.parametrize(("role", "count"), [(Role.VIEWER, 0), (Role.MODERATOR, 1), (Role.OWNER, 1)])
def test_only_who_may_decide_on_the_site_gets_letters(
    app: Flask, site: SiteView, ana: ModeratorView, role: Role, count: int
) -> None:
    elsewhere = a_site(app, key="elsewhere")
    with app.app_context(), transaction() as session:
        session.query(Grant).delete()
        session.add(Grant(moderator_id=ana.id, site_id=site.id, role=role))
    a_comment(app, elsewhere, status=Status.PENDING)
    a_comment(app, site, status=Status.PENDING)
    assert len(letters(app)) == count


@pytest.mark.parametrize(
    ("wanted", "at", "due"),
    [
        (Wish.HOURLY, (23, 11, 0), (23, 12, 0)),
        (Wish.HOURLY, (23, 23, 59), (24, 0, 0)),
        (Wish.DAILY, (23, 7, 59), (23, 8, 0)),
        (Wish.DAILY, (23, 8, 0), (24, 8, 0)),
    ],
)
def test_digests_are_due_at_the_full_hour_or_at_eight(
    wanted: Wish, at: tuple[int, int, int], due: tuple[int, int, int]
) -> None:
    moment = datetime(2026, 11, *at, tzinfo=UTC)
    assert next_digest(wanted, now=moment) == datetime(2026, 11, *due, tzinfo=UTC)


def test_an_hourly_digest_is_put_down_once_and_only_if_there_is_something_new(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    wish(app, ana, site, Wish.HOURLY, now)
    a_comment(app, site, status=Status.PENDING, now=now)
    with app.app_context():
        counts = [outbox.plan_digests(now=now + timedelta(hours=hours)) for hours in (0, 1, 1, 2, 3)]
    assert counts == [0, 1, 0, 0, 0]


def test_a_daily_digest_reminds_of_what_still_waits(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    wish(app, ana, site, Wish.DAILY, now)
    comment = a_comment(app, site, status=Status.PENDING, now=now)
    with app.app_context():
        assert [outbox.plan_digests(now=now + timedelta(days=days)) for days in (1, 2)] == [1, 1]
        decide(Change(comment.id, comment.version, Status.APPROVED), by=None, now=now)
        assert outbox.plan_digests(now=now + timedelta(days=3)) == 0


def test_a_claimed_letter_is_nobody_elses_until_its_lease_ends(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    a_comment(app, site, status=Status.PENDING, now=now)
    assert [one.tries for one in claimed(app, now)] == [1]
    assert claimed(app, now + LEASE - timedelta(seconds=1)) == []
    assert [one.tries for one in claimed(app, now + LEASE)] == [2]


def test_who_took_too_long_settles_nothing_any_more(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    a_comment(app, site, status=Status.PENDING, now=now)
    (slow,) = claimed(app, now)
    (quick,) = claimed(app, now + LEASE)
    with app.app_context():
        assert outbox.settle_sent(quick, now=now + LEASE)
        assert not outbox.settle_failed(slow, "late", is_permanent=True, now=now + LEASE)
    assert [row.state for row in letters(app)] == [State.SENT]


def test_who_took_too_long_puts_down_no_digest_of_what_was_sent(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    a_comment(app, site, status=Status.PENDING, now=now)
    (slow,) = claimed(app, now)
    (quick,) = claimed(app, now + LEASE)
    with app.app_context():
        assert outbox.settle_sent(quick, now=now + LEASE)
        assert not outbox.settle_folded(slow, at=now + LEASE, now=now + LEASE)
    assert [(row.kind, row.state) for row in letters(app)] == [(Kind.WAITING, State.SENT)]


def test_a_leased_digest_is_sent_by_one_worker_alone(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    wish(app, ana, site, Wish.DAILY, now)
    a_comment(app, site, status=Status.PENDING, now=now)
    now += timedelta(days=1)
    with app.app_context():
        assert outbox.plan_digests(now=now) == 1
    (slow,) = claimed(app, now)
    assert slow.kind == Kind.DIGEST
    with app.app_context():
        assert outbox.plan_digests(now=now) == 0
    assert claimed(app, now + LEASE - timedelta(seconds=1)) == []
    (quick,) = claimed(app, now + LEASE)
    with app.app_context():
        assert [outbox.is_held(one, now=now + LEASE) for one in (slow, quick)] == [False, True]
        assert outbox.settle_sent(quick, now=now + LEASE)
        assert not outbox.settle_later(slow, at=now)
    assert claimed(app, now + 3 * LEASE) == []
    assert [row.state for row in letters(app)] == [State.SENT]


def test_waits_grow_and_the_last_try_ends_it(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    a_comment(app, site, status=Status.PENDING, now=now)
    waits = []
    while found := claimed(app, now):
        with app.app_context():
            outbox.settle_failed(found[0], "busy", is_permanent=False, now=now)
        (row,) = letters(app)
        waits.append(row.due_at - now)
        now = max(row.due_at, now)
    assert waits == [*WAITS, timedelta(0)]
    assert (row.state, row.tries, row.error) == (State.DEAD, MAX_TRIES, "busy")
    assert sum(WAITS, timedelta()) < timedelta(hours=46)


def test_a_letter_that_kills_its_worker_each_time_is_given_up(
    app: Flask, site: SiteView, ana: ModeratorView, now: datetime
) -> None:
    a_comment(app, site, status=Status.PENDING, now=now)
    for _ in range(MAX_TRIES):
        assert claimed(app, now)
        now += LEASE
    assert claimed(app, now) == []
    assert [(row.state, row.error) for row in letters(app)] == [(State.DEAD, outbox.VANISHED)]


def test_the_installation_sends_no_more_than_its_limit_in_a_minute(
    settings: Settings, make_app: Callable[[Settings], Flask], now: datetime
) -> None:
    app = make_app(settings.model_copy(update={"letters_per_minute": 2}))
    site, moderator = a_site(app), a_moderator(app)
    an_address(app, moderator)
    for _ in range(3):
        a_comment(app, site, status=Status.PENDING, now=now)
    taken = claimed(app, now, count=9)
    with app.app_context():
        for one in taken:
            outbox.settle_sent(one, now=now)
    assert len(taken) == 2
    assert claimed(app, now + timedelta(seconds=59)) == []
    assert len(claimed(app, now + timedelta(seconds=60))) == 1


def test_many_claims_at_once_give_each_letter_to_one(
    settings: Settings, make_app: Callable[[Settings], Flask], now: datetime
) -> None:
    app = make_app(settings.model_copy(update={"letters_per_minute": 1000}))
    site, moderator = a_site(app), a_moderator(app)
    an_address(app, moderator)
    for _ in range(12):
        a_comment(app, site, status=Status.PENDING, now=now)
    taken: list[int] = []

    def take() -> None:
        while found := claimed(app, now):
            taken.extend(one.id for one in found)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [row.id for row in letters(app)]
