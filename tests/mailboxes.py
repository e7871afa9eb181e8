"""A real mail server on loopback: it takes letters, or answers as a test tells it to."""

from __future__ import annotations

import email
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from sqlalchemy import select

from comments_service.notify.worker import Worker
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.outbox import Outbox
from tests.factories import wiring_of
from tests.servers import free_port, listening_socket

SENDER = "Comments <comments@example.org>"
GREYLISTED = "450 4.2.0 <ana@example.org>: Greylisted, come again"
UNKNOWN_USER = "550 5.1.1 <ana@example.org>: Nobody of this name here"


@dataclass
class Mailbox:
    """What arrived, and what to answer next: `answers` are given to recipients first, in their order."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    rcpt_count: int = 0
    before_data_answer: Callable[[], object] | None = None  # once a letter is kept, and nobody knows yet
    were_encrypted: list[bool] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The setting that leads here."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def subjects(self) -> list[str]:
        """What arrived, by subject."""
        return [str(message["Subject"]) for message in self.messages]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, unless a test wants otherwise."""
        self.rcpt_count += 1
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a letter."""
        if self.data_answers:
            return self.data_answers.pop(0)
        message: Any = email.message_from_bytes(envelope.original_content or b"", policy=default)
        message["X-Rcpt"] = ", ".join(envelope.rcpt_tos)
        self.messages.append(message)
        self.were_encrypted.append(session.ssl is not None)
        if self.before_data_answer is not None:
            self.before_data_answer()
        return "250 OK"


@contextmanager
def mailbox(**options: Any) -> Iterator[Mailbox]:
    """Serve a mailbox on loopback."""
    box = Mailbox(port=free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def mailed(settings: Settings, url: str, **values: object) -> Settings:
    """The same settings, with letters going to this server."""
    return Settings(**dict(settings) | {"smtp_url": url, "mail_from": SENDER} | values)


def deliver(app: Flask, clock: Callable[[], datetime], settings: Settings | None = None) -> None:
    """Work as a worker does, until nothing is due."""
    parts = wiring_of(app)
    working = Worker(settings or parts.settings, parts.keys, clock=clock, context=app.app_context)
    with app.app_context():
        while working.turn():
            pass


def letters(app: Flask) -> list[Outbox]:
    """All that lies in the outbox."""
    with app.app_context():
        rows = list(db.session.scalars(select(Outbox).order_by(Outbox.id)))
        db.session.expunge_all()
        db.session.rollback()
        return rows


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """One part of a letter."""
    part: Any = message.get_body((kind,))
    return str(part.get_content())


@contextmanager
def tarpit() -> Iterator[int]:
    """A server that greets by a byte now and then, for ever: no single wait is long. Yields its port."""
    stopped, listener = threading.Event(), listening_socket()
    listener.listen()

    def drip() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                while not stopped.wait(0.02):
                    connection.sendall(b"2")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        stopped.set()
        listener.close()
        thread.join(10)
