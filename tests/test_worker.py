"""The worker and a real mail server: what arrives, what is tried again, what is given up."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.notify.addresses import set_wishes
from comments_service.notify.letters import write
from comments_service.notify.outbox import LEASE, WAITS, Claimed
from comments_service.notify.worker import Worker
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.outbox import LetterAddress, Outbox, State, Wish, WorkerSign
from comments_service.storage.people import Grant
from comments_service.storage.removal import remove
from comments_service.vocabulary import ModeratorView, SiteView, Status
from tests.conftest import SECRET_KEY, Clock
from tests.factories import a_comment, a_moderator, a_site, an_address, wiring_of
from tests.mailboxes import (
    GREYLISTED,
    SENDER,
    UNKNOWN_USER,
    Mailbox,
    deliver,
    letters,
    mailbox,
    mailed,
    tarpit,
)
from tests.servers import free_port, wait_until
from tools.service_process import COMMENTS, Reader, ServiceProcess

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """The moderators' mail server."""
    with mailbox() as box:
        yield box


@pytest.fixture
def settings(settings: Settings, box: Mailbox) -> Settings:
    """Settings that lead letters there."""
    return mailed(settings, box.url)


@pytest.fixture
def ana(app: Flask, site: SiteView) -> ModeratorView:
    """A moderator with an address."""
    moderator = a_moderator(app, name="ana")
    an_address(app, moderator)
    return moderator


def worker(app: Flask, clock: Clock) -> Worker:
    """A worker on this test's database and time."""
    parts = wiring_of(app)
    return Worker(parts.settings, parts.keys, clock=clock, context=app.app_context)


def state(app: Flask) -> tuple[str, str]:
    """How far the only letter got, and why no further."""
    (row,) = letters(app)
    return row.state, row.error


def test_a_waiting_comment_reaches_its_moderator(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING, name="Zenobia")
    deliver(app, clock)
    assert [(m["X-Rcpt"], "Zenobia" in m["Subject"]) for m in box.messages] == [("ana@example.org", True)]
    assert state(app) == (State.SENT, "")


def test_what_was_sent_is_never_sent_again(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    clock.forward(days=3)
    deliver(app, clock)
    assert len(box.messages) == 1


def test_a_greylisted_letter_is_tried_again_after_the_wait(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    box.answers = [GREYLISTED, GREYLISTED]
    deliver(app, clock)
    assert state(app) == (State.WAITING, "The mail server said 450: 4.2.0 ••• Greylisted, come again")
    for wait in WAITS[:2]:
        clock.forward(seconds=wait.total_seconds() - 1)
        deliver(app, clock)
        assert box.messages == []
        clock.forward(seconds=1)
        deliver(app, clock)
    assert state(app) == (State.SENT, "")
    assert (box.rcpt_count, len(box.messages)) == (3, 1)


def test_a_letter_that_is_refused_for_good_is_dead_at_once_and_says_why_without_the_address(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    box.answers = [UNKNOWN_USER]
    deliver(app, clock)
    assert state(app) == (State.DEAD, "The mail server said 550: 5.1.1 ••• Nobody of this name here")


def test_words_that_are_refused_for_good_end_it_too(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    box.data_answers = ["554 5.7.1 Looks like spam"]
    deliver(app, clock)
    assert state(app)[0] == State.DEAD


def test_a_dead_server_is_tried_again(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, settings: Settings
) -> None:
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock, mailed(settings, f"smtp://127.0.0.1:{free_port()}"))
    assert state(app) == (State.WAITING, "The mail server could not be reached: nobody listens there.")
    clock.forward(minutes=1)
    deliver(app, clock)
    assert len(box.messages) == 1


@SQLITE
def test_a_server_that_drips_its_answer_holds_a_letter_no_longer_than_its_time(
    app: Flask, site: SiteView, ana: ModeratorView, clock: Clock, settings: Settings
) -> None:
    a_comment(app, site, status=Status.PENDING)
    with tarpit() as port:
        deliver(app, clock, mailed(settings, f"smtp://127.0.0.1:{port}", smtp_timeout_seconds=0.1))
    assert state(app) == (State.WAITING, "The mail server was too slow.")


@SQLITE
def test_a_server_without_the_encryption_that_is_demanded_gets_nothing(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, settings: Settings
) -> None:
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock, mailed(settings, f"{box.url}?starttls=always"))
    assert state(app)[0] == State.WAITING
    assert "offers no encryption" in state(app)[1]
    assert box.messages == []


@SQLITE
def test_a_connection_is_encrypted_when_the_server_offers_it(
    app: Flask, site: SiteView, ana: ModeratorView, clock: Clock, settings: Settings, own_tls: ssl.SSLContext
) -> None:
    a_comment(app, site, status=Status.PENDING)
    with mailbox(tls_context=own_tls) as box:
        deliver(app, clock, mailed(settings, box.url))
        assert box.were_encrypted == [True]


@SQLITE
def test_a_certificate_that_nobody_vouches_for_is_refused_elsewhere(
    app: Flask,
    site: SiteView,
    ana: ModeratorView,
    clock: Clock,
    settings: Settings,
    own_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_comment(app, site, status=Status.PENDING)
    monkeypatch.setattr("comments_service.notify.smtp._is_this_machine", lambda _host: False)
    with mailbox(tls_context=own_tls) as box:
        deliver(app, clock, mailed(settings, box.url))
        assert box.messages == []
    assert state(app)[0] == State.WAITING
    assert "No encrypted connection" in state(app)[1]


@pytest.fixture
def own_tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate it made itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    as_pem = serialization.Encoding.PEM
    secret = key.private_bytes(as_pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "server.pem").write_bytes(secret + certificate.public_bytes(as_pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    return context


def test_a_comment_that_is_decided_meanwhile_is_told_to_nobody(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    with app.app_context():
        decide(Change(comment.id, comment.version, Status.SPAM), by=ana, now=clock())
    deliver(app, clock)
    assert (box.messages, state(app)) == ([], (State.UNNEEDED, "The comment was decided meanwhile."))


def test_a_comment_that_is_gone_is_told_to_nobody(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    comment = a_comment(app, site, status=Status.PENDING)
    with app.app_context(), transaction() as session:
        remove(session, [comment.id])
    deliver(app, clock)
    assert (box.messages, state(app)[0]) == ([], State.UNNEEDED)


def test_who_may_decide_no_more_is_told_nothing(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    with app.app_context(), transaction() as session:
        session.query(Grant).delete()
    deliver(app, clock)
    assert (box.messages, state(app)[0]) == ([], State.UNNEEDED)


def test_who_dropped_the_address_is_told_nothing(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    with app.app_context(), transaction() as session:
        session.query(LetterAddress).delete()
    deliver(app, clock)
    assert (box.messages, state(app)[0]) == ([], State.UNNEEDED)


def test_a_digest_holds_what_waits_when_it_leaves(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    with app.app_context():
        set_wishes({site.id: Wish.HOURLY}, by=ana, now=clock())
    gone = a_comment(app, site, status=Status.PENDING, now=clock(), name="Gone")
    for name in ("Cay", "Dov"):
        a_comment(app, site, status=Status.PENDING, now=clock(), name=name)
    deliver(app, clock)
    assert box.messages == []
    clock.forward(hours=1)
    with app.app_context():
        decide(Change(gone.id, gone.version, Status.SPAM), by=ana, now=clock())
    deliver(app, clock)
    (message,) = box.messages
    assert message["Subject"] == "2 comments wait for you (Demo)"
    body = message.get_body(("plain",))
    assert body is not None
    assert [name in body.as_string() for name in ("Cay", "Dov", "Gone")] == [True, True, False]


def test_beyond_the_limit_of_an_hour_the_rest_comes_as_one_digest(
    settings: Settings, make_app: Callable[[Settings], Flask], box: Mailbox, clock: Clock
) -> None:
    app, site, _ = an_installation(make_app(mailed(settings, box.url, letters_per_hour=2)))
    for _ in range(5):
        a_comment(app, site, status=Status.PENDING, now=clock())
    deliver(app, clock)
    assert len(box.messages) == 2
    clock.forward(hours=1)
    deliver(app, clock)
    assert box.subjects[2:] == ["5 comments wait for you (Demo)"]
    assert [row.state for row in letters(app)].count(State.UNNEEDED) == 3


def an_installation(app: Flask) -> tuple[Flask, SiteView, ModeratorView]:
    """An app with a site, and a moderator who gets letters."""
    site, moderator = a_site(app), a_moderator(app, name="ana")
    an_address(app, moderator)
    return app, site, moderator


def test_a_letter_that_cannot_be_written_holds_up_no_other(
    app: Flask,
    site: SiteView,
    ana: ModeratorView,
    box: Mailbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stumble(claimed: Claimed, **more: Any) -> Any:
        if claimed.id == 1:
            raise ZeroDivisionError
        return write(claimed, **more)

    monkeypatch.setattr("comments_service.notify.worker.write", stumble)
    for _ in range(2):
        a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    assert [row.state for row in letters(app)] == [State.WAITING, State.SENT]
    assert "A mistake of the service" in letters(app)[0].error


def test_a_message_id_is_the_same_at_each_try(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    with app.app_context(), transaction() as session:  # as if the worker had been killed after the sending
        session.execute(Outbox.__table__.update().values(state=State.WAITING, settled_at=None))  # type: ignore[attr-defined]
    deliver(app, clock)
    first, second = box.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@example.org>")


def test_the_worker_leaves_a_sign_of_life(app: Flask, clock: Clock) -> None:
    deliver(app, clock)
    with app.app_context():
        assert db.session.get_one(WorkerSign, "letters").seen_at == clock()


def test_two_workers_at_once_send_each_letter_once(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    for _ in range(12):
        a_comment(app, site, status=Status.PENDING)
    workers = [worker(app, clock) for _ in range(2)]
    threads = [threading.Thread(target=one.run) for one in workers]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(box.messages) == 12, "twelve letters")
    for one in workers:
        one.stop()
    for thread in threads:
        thread.join()
    assert len({message["Message-ID"] for message in box.messages}) == len(box.messages) == 12


@pytest.mark.parametrize("wanted", [Wish.EACH, Wish.DAILY])
def test_a_worker_that_was_held_up_sends_nothing_that_another_has_sent(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, wanted: Wish
) -> None:
    with app.app_context():
        set_wishes({site.id: wanted}, by=ana, now=clock())
    a_comment(app, site, status=Status.PENDING)
    clock.forward(days=1)
    moments = iter([clock.now])

    def slow_clock() -> datetime:
        if (moment := next(moments, None)) is None:  # it slept since its first look
            clock.forward(seconds=LEASE.total_seconds())
            deliver(app, clock)
        return moment or clock.now

    slow = Worker(wiring_of(app).settings, wiring_of(app).keys, clock=slow_clock, context=app.app_context)
    with app.app_context():
        assert slow.turn()
    assert len(box.messages) == 1
    assert state(app) == (State.SENT, "")


def start(database: str, box: Mailbox) -> subprocess.Popen[bytes]:
    """`comments worker`, as a process of its own that is at work: told to stop sooner, it just ends."""
    environment = {
        "COMMENTS_DATABASE_URL": database,
        "COMMENTS_SECRET_KEY": SECRET_KEY,
        "COMMENTS_SMTP_URL": box.url,
        "COMMENTS_MAIL_FROM": SENDER,
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-m", "comments_service", "worker"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said.startswith(b"Delivering letters"), said + process.communicate()[1]
    return process


def test_two_processes_send_each_letter_once_and_stop_when_told(
    app: Flask, database: str, site: SiteView, ana: ModeratorView, box: Mailbox
) -> None:
    processes = [start(database, box) for _ in range(2)]
    try:
        for _ in range(10):
            a_comment(app, site, status=Status.PENDING)
        wait_until(lambda: len(box.messages) >= 10, "ten letters")
        for process in processes:
            process.send_signal(signal.SIGTERM)
        said = [process.communicate(timeout=30)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], said
    assert len({message["Message-ID"] for message in box.messages}) == len(box.messages) == 10


def test_a_worker_killed_before_it_settled_sends_once_more_at_most(
    app: Flask, database: str, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    killed = threading.Event()
    process = start(database, box)

    def kill() -> str:
        process.kill()
        process.wait(30)
        killed.set()
        return "250 OK"

    box.before_data_answer = kill
    a_comment(app, site, status=Status.PENDING)
    try:
        assert killed.wait(30)
    finally:
        process.kill()
        process.communicate()
    box.before_data_answer = None
    (row,) = letters(app)
    assert (row.state, row.tries) == (State.WAITING, 1)
    assert row.lease_until is not None
    clock.now = row.lease_until - timedelta(seconds=1)
    deliver(app, clock)
    assert len(box.messages) == 1
    clock.now = row.lease_until
    deliver(app, clock)
    deliver(app, clock)
    assert len(box.messages) == 2
    assert state(app) == (State.SENT, "")


@SQLITE
def test_the_server_delivers_too_and_stops_with_its_worker(
    app: Flask, database: str, site: SiteView, ana: ModeratorView, box: Mailbox, tmp_path: Path
) -> None:
    service = ServiceProcess(
        tmp_path,
        port=free_port(),
        settings={
            "COMMENTS_SECRET_KEY": SECRET_KEY,
            "COMMENTS_SMTP_URL": box.url,
            "COMMENTS_MAIL_FROM": SENDER,
        },
    )
    service.start(command=(*COMMENTS, "serve", "--with-worker"))
    try:
        with closing(Reader(service.port)) as reader:
            assert reader.send("Delivered by the server.", key="once")[0] == 202
        wait_until(lambda: len(box.messages) == 1, "the letter")
    finally:
        code = service.stop()
    assert code == 0
    assert state(app) == (State.SENT, "")
