"""What people decide about comments teaches Akismet: by the worker, once, and never what it must not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from comments_service.cli import main
from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.neighbours import ask as asking_room
from comments_service.neighbours.circuit import FAILURES
from comments_service.neighbours.lessons import MOST_AT_ONCE
from comments_service.notify.outbox import LEASE, MAX_TRIES, WAITS
from comments_service.retention import sweep
from comments_service.settings import Settings
from comments_service.storage.database import db, reading, transaction
from comments_service.storage.models import Comment
from comments_service.storage.neighbours import NeighbourLesson
from comments_service.storage.outbox import State
from comments_service.storage.removal import remove
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from tests.conftest import SECRET_KEY, Clock
from tests.doors import everything
from tests.factories import a_moderator, a_site, a_submission, wiring_of
from tests.mailboxes import deliver
from tests.neighbours import KEY, SPAMMER, Akismet, Answer, ask_akismet, asking, let_ask, serving
from tests.servers import free_port, wait_until
from tools.service_process import COMMENTS, Reader, ServiceProcess

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HELD = {"hold_all": True, "hold_doubt_from": 0, "refuse_doubt_from": 0}


@pytest.fixture(autouse=True)
def nobody_rests() -> None:
    """What other tests made of neighbours is not remembered here."""
    asking_room.CIRCUIT.forget()


@pytest.fixture
def akismet() -> Iterator[Akismet]:
    """Akismet, on this machine."""
    neighbour = Akismet()
    with serving(neighbour, "/1.1"):
        yield neighbour


@pytest.fixture
def settings(settings: Settings, akismet: Akismet) -> Settings:
    """Settings of an installation that finds Akismet on this machine, and has no mail server."""
    return asking(settings, akismet)


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site where all comments wait for people, and Akismet is asked."""
    return ask_akismet(app, a_site(app, rules=HELD, takes_letters=True))


def a_stored(app: Flask, site: SiteView, clock: Clock, **fields: Any) -> Comment:
    """Store a comment, as the doors do; it waits."""
    parts = wiring_of(app)
    with app.app_context():
        sent = a_submission(site, **fields)
        receipt = submit(sent, settings=parts.settings, keys=parts.keys, now=clock.now)
        row = db.session.get_one(Comment, receipt.comment_id)
        db.session.expunge(row)
        db.session.rollback()
        return row


def bring(app: Flask, comment: Comment, status: Status, clock: Clock, *, version: int | None = None) -> str:
    """Decide as a moderator; the batch, to take it back by."""
    mo = a_moderator(app, name=f"mo{comment.id}{status}{version}")
    change = Change(comment.id, version or comment.version, status)
    with app.app_context():
        outcome = decide_all([change], by=mo, now=clock.now)
    assert outcome.batch is not None, outcome
    return outcome.batch


def taught(akismet: Akismet) -> list[str]:
    """What Akismet was taught, in order."""
    return [path for path in akismet.paths() if path.startswith("submit")]


def lessons(app: Flask) -> list[NeighbourLesson]:
    """All that was put down for it."""
    with app.app_context(), reading() as session:
        rows = list(session.scalars(select(NeighbourLesson).order_by(NeighbourLesson.id)))
        session.expunge_all()
        return rows


def test_what_it_took_for_spam_and_somebody_published_is_told_as_ham(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    let_ask(app, site, akismet_email=True)
    parent = a_stored(app, site, clock)
    bring(app, parent, Status.APPROVED, clock)
    site = let_ask(app, site, akismet_email=True)
    words = {"name": SPAMMER, "email": "ana@example.org", "website": "https://ana.example.org"}
    bring(
        app,
        a_stored(app, site, clock, parent_id=parent.id, text="A fine bridge.", **words),
        Status.APPROVED,
        clock,
    )
    clock.forward(minutes=5)
    deliver(app, clock)
    assert taught(akismet) == ["submit-ham"]
    assert akismet.asked[-1][1] == {
        "api_key": KEY,
        "blog": "https://news.example.org/",
        "user_ip": "127.0.0.1",  # nobody's: the network is known by its hash alone
        "permalink": "https://news.example.org/article",
        "comment_type": "comment",
        "comment_author": SPAMMER,
        "comment_author_email": "ana@example.org",
        "comment_author_url": "https://ana.example.org",
        "comment_content": "A fine bridge.",
        "comment_date_gmt": "2026-11-23T11:00:00+00:00",
        "blog_lang": "en",
        "blog_charset": "UTF-8",
        "is_test": "1",
    }


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("Ana", Status.SPAM, ["submit-spam"]),
        ("Ana", Status.APPROVED, []),
        ("Ana", Status.TRASH, []),
        (SPAMMER, Status.APPROVED, ["submit-ham"]),
        (SPAMMER, Status.SPAM, []),  # it said so itself
    ],
)
@SQLITE
def test_only_what_it_got_wrong_is_told(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet, name: str, status: Status, told: list[str]
) -> None:
    bring(app, a_stored(app, site, clock, name=name), status, clock)
    deliver(app, clock)
    assert taught(akismet) == told


def test_an_undo_tells_the_opposite_and_a_redo_the_first_again(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    batch: str | None = bring(app, a_stored(app, site, clock), Status.SPAM, clock)
    deliver(app, clock)
    for _ in range(2):
        with app.app_context():
            batch = undo(by=None, now=clock.now, batch=batch).batch
        deliver(app, clock)
    assert taught(akismet) == ["submit-spam", "submit-ham", "submit-spam"]


def test_what_is_taken_back_before_it_left_never_leaves(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    batch = bring(app, a_stored(app, site, clock), Status.SPAM, clock)
    with app.app_context():
        undone = undo(by=None, now=clock.now, batch=batch)
    deliver(app, clock)
    assert (taught(akismet), [row.state for row in lessons(app)]) == ([], [State.UNNEEDED])
    with app.app_context():
        undo(by=None, now=clock.now, batch=undone.batch)
    deliver(app, clock)
    assert taught(akismet) == ["submit-spam"]


def test_another_mind_is_told_and_the_same_is_not_told_twice(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    comment = a_stored(app, site, clock, name=SPAMMER)
    for version, status in enumerate((Status.APPROVED, Status.TRASH, Status.APPROVED, Status.SPAM), 1):
        bring(app, comment, status, clock, version=version)
        deliver(app, clock)
    assert taught(akismet) == ["submit-ham", "submit-spam"]


def test_nothing_is_told_of_letters_edits_or_comments_it_was_not_asked_about(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    letter = a_stored(app, site, clock, is_letter=True)
    let_ask(app, site, akismet=False)
    off = a_site_of(app, site)
    before = a_stored(app, off, clock)
    on = let_ask(app, site, akismet=True)
    akismet.mood = lambda: Answer(status=500)
    away = a_stored(app, on, clock)
    akismet.mood = None
    for comment in (letter, before, away):
        bring(app, comment, Status.SPAM, clock)
    deliver(app, clock)
    assert (taught(akismet), lessons(app)) == ([], [])


def a_site_of(app: Flask, site: SiteView) -> SiteView:
    """The same site as it is now."""
    return let_ask(app, site, akismet_email=False)


def test_a_failure_is_tried_again_and_given_up_in_the_end(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    bring(app, a_stored(app, site, clock), Status.SPAM, clock)
    akismet.mood = lambda: Answer(b"<html>", status=502)
    for wait in WAITS:
        asking_room.CIRCUIT.forget()
        deliver(app, clock)
        (row,) = lessons(app)
        assert (row.state, row.error, row.due_at) == (State.WAITING, "status", clock.now + wait)
        clock.now += wait
    asking_room.CIRCUIT.forget()
    deliver(app, clock)
    (row,) = lessons(app)
    assert (row.state, row.tries, len(taught(akismet))) == (State.DEAD, MAX_TRIES, MAX_TRIES)


@SQLITE
def test_while_it_rests_nothing_is_tried_and_later_all_of_it_is_told(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    for _ in range(FAILURES + 2):
        bring(app, a_stored(app, site, clock), Status.SPAM, clock)
    akismet.mood = lambda: Answer(status=500)
    deliver(app, clock)
    assert len(taught(akismet)) == FAILURES
    akismet.mood = None
    for _ in range(3):
        clock.forward(minutes=1)
        deliver(app, clock)
    assert {row.state for row in lessons(app)} == {State.SENT}


def test_a_lesson_of_a_worker_that_died_goes_to_the_next_after_its_lease(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    bring(app, a_stored(app, site, clock), Status.SPAM, clock)
    with app.app_context(), transaction() as session:
        row = session.scalars(select(NeighbourLesson)).one()
        row.lease_until, row.tries = clock.now + LEASE, 1
    deliver(app, clock)
    assert taught(akismet) == []
    clock.now += LEASE
    deliver(app, clock)
    deliver(app, clock)
    assert taught(akismet) == ["submit-spam"]


@SQLITE
def test_what_is_gone_or_needs_no_telling_any_more_is_not_told(
    app: Flask, site: SiteView, clock: Clock, akismet: Akismet
) -> None:
    gone, kept = (a_stored(app, site, clock) for _ in range(2))
    for comment in (gone, kept):
        bring(app, comment, Status.SPAM, clock)
    with app.app_context(), transaction() as session:
        remove(session, [gone.id])
    let_ask(app, site, akismet=False)
    deliver(app, clock)
    assert taught(akismet) == []
    told = [(row.state, row.error) for row in lessons(app)]
    assert told == [(State.UNNEEDED, "The comment is gone."), (State.UNNEEDED, "Akismet is off.")]


@SQLITE
def test_a_bulk_teaches_by_its_first_hundred(app: Flask, site: SiteView, clock: Clock) -> None:
    first = a_stored(app, site, clock)
    with app.app_context(), transaction() as session:
        columns = {c.name: getattr(first, c.name) for c in Comment.__table__.columns if c.name != "id"}
        session.add_all(Comment(**columns) for _ in range(MOST_AT_ONCE + 10))
    with app.app_context():
        ids = list(db.session.scalars(select(Comment.id)))
        db.session.rollback()
        decide_all([Change(number, 1, Verb.SPAM) for number in ids], by=None, now=clock.now)
    assert len(lessons(app)) == MOST_AT_ONCE


def test_nothing_of_a_comment_is_in_what_is_put_down_or_logged(
    logging_app: Callable[..., Flask], clock: Clock, akismet: Akismet, capsys: pytest.CaptureFixture[str]
) -> None:
    app = logging_app(log_level="DEBUG")
    site = ask_akismet(app, a_site(app, rules=HELD))
    bring(app, a_stored(app, site, clock, text="Lanterns by the quay."), Status.SPAM, clock)
    deliver(app, clock)
    akismet.mood = lambda: Answer(b"invalid", headers={"X-akismet-debug-help": f"no {KEY}"})
    a_stored(app, site, clock, text="Lanterns by the bridge.")
    rows = everything(app)
    for table in ("neighbour", "neighbour_lesson", "journal", "outbox"):
        assert "anterns" not in repr(rows[table])
        assert KEY not in repr(rows[table])
    logged = capsys.readouterr().err
    assert '"neighbour_away"' in logged
    assert '"lesson"' in logged
    for secret in ("anterns", KEY, "Reader", "@example.org"):
        assert secret not in logged


def test_what_became_of_lessons_is_kept_for_thirty_days(
    app: Flask, site: SiteView, clock: Clock, settings: Settings
) -> None:
    bring(app, a_stored(app, site, clock), Status.SPAM, clock)
    deliver(app, clock)
    with app.app_context():
        assert sweep(settings=settings, now=clock.now + timedelta(days=29)).lessons == 0
        assert sweep(settings=settings, now=clock.now + timedelta(days=30)).lessons == 1
    assert lessons(app) == []


@SQLITE
def test_a_worker_without_a_mail_server_tells_lessons(
    app: Flask, tmp_path: Path, akismet: Akismet, database: str, settings: Settings
) -> None:
    a_site(app, rules=HELD)
    ours = {
        "COMMENTS_SECRET_KEY": SECRET_KEY,
        "COMMENTS_AKISMET_URL": akismet.url,
        "COMMENTS_OUTBOUND_ALLOW": "127.0.0.0/8",
    }
    turn_on = ["site", "set", "demo", "--akismet", "--akismet-key", "-"]
    done = CliRunner().invoke(main, turn_on, input=f"{KEY}\n", env=ours | {"COMMENTS_DATABASE_URL": database})
    assert done.exit_code == 0, done.output
    service = ServiceProcess(tmp_path, port=free_port(), settings=ours)
    service.start(command=(*COMMENTS, "serve", "--with-worker"))
    try:
        with closing(Reader(service.port)) as reader:
            assert reader.send("Watches at the best prices.", key="once")[0] == 202
        with app.app_context():
            decide(Change(1, 1, Status.SPAM), by=None, now=datetime.now(UTC))
        wait_until(lambda: akismet.paths() == ["comment-check", "submit-spam"], "the lesson")
    finally:
        code = service.stop()
    assert code == 0
    assert [row.state for row in lessons(app)] == [State.SENT]
