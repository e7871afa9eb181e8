"""The worker: takes letters out of the outbox one by one, hands them over, and settles each.

Where none is due, it tells a neighbour what people decided.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from comments_service.errors import KeyRefused
from comments_service.neighbours import teaching
from comments_service.notify import outbox, smtp
from comments_service.notify.letters import Unneeded, write
from comments_service.notify.mail import Letter, compose, own_name
from comments_service.notify.outbox import Claimed
from comments_service.notify.recipients import next_place
from comments_service.notify.smtp import NotDelivered
from comments_service.privacy import KeyHolder
from comments_service.settings import Settings
from comments_service.storage.database import reading, transaction
from comments_service.storage.outbox import Kind, WorkerSign
from comments_service.storage.threads import insert_if_absent

PAUSE_SECONDS = 2.0  # nobody waits for a letter by the second
TROUBLE_SECONDS = 10.0  # the database is away
NOTE_PAUSES_SECONDS = (1.0, 5.0, 20.0)
SIGN_EVERY = timedelta(seconds=30)
SIGN = "letters"
log = structlog.get_logger(__name__)


class Worker:
    """Delivers until it is stopped. Any number of them may work on one database."""

    def __init__(
        self,
        settings: Settings,
        keys: KeyHolder,
        *,
        clock: Callable[[], datetime],
        context: Callable[[], AbstractContextManager[object]],
    ) -> None:
        """Take what each round needs; `context` opens the database's session for one of them."""
        self._settings, self._keys, self._clock, self._context = settings, keys, clock, context
        self._stopped = threading.Event()
        self._signed_at: datetime | None = None

    def run(self) -> None:
        """Work until `stop`: a letter that has begun to leave is finished first."""
        while not self._stopped.is_set():
            pause_seconds = self._round()
            if pause_seconds:
                self._stopped.wait(pause_seconds)

    def stop(self) -> None:
        """Begin no other letter."""
        self._stopped.set()

    def turn(self) -> bool:
        """Plan what is due, and deal with one letter, or one lesson; whether there was one."""
        now = self._clock()
        self._sign(now)
        outbox.plan_digests(now=now)
        claimed = outbox.claim(settings=self._settings, now=now)
        for one in claimed:
            self._deal_with(one, now)
        return bool(claimed) or self._teach(now)

    def _round(self) -> float:
        try:
            with self._context():
                return 0.0 if self.turn() else PAUSE_SECONDS
        except SQLAlchemyError as error:  # what it had stays claimed until its lease ends
            log.error(
                "worker_without_database", error=str(getattr(error, "orig", None) or type(error).__name__)
            )
            return TROUBLE_SECONDS

    def _deal_with(self, claimed: Claimed, now: datetime) -> None:
        try:
            told = "sent" if self._send(claimed, now) else "not sent"
            log.info("letter", id=claimed.id, kind=claimed.kind, tries=claimed.tries, told=told)
        except NotDelivered as failed:
            log.warning("letter_not_delivered", id=claimed.id, tries=claimed.tries, why=failed.sentence)
            self._failed(claimed, failed.sentence, is_permanent=failed.is_permanent)
        except SQLAlchemyError:
            raise
        except Exception as error:  # one letter that we cannot write must not hold up the others
            reference = secrets.token_hex(4)
            log.error("letter_failed", id=claimed.id, reference=reference, exc_info=error)
            self._failed(claimed, f"A mistake of the service; the log has it as {reference}.")

    def _teach(self, now: datetime) -> bool:
        try:
            return teaching.work(settings=self._settings, keys=self._keys, now=now)
        except SQLAlchemyError:
            raise
        except Exception as error:  # what it had stays claimed until its lease ends
            log.error("lesson_failed", reference=secrets.token_hex(4), exc_info=error)
            return False

    def _send(self, claimed: Claimed, now: datetime) -> bool:
        settings = self._settings
        if settings.mail_server is None:
            raise NotDelivered("No mail server is set: COMMENTS_SMTP_URL.")
        if (at := self._wait_for_place(claimed, now)) is not None:
            if claimed.kind == Kind.WAITING:
                outbox.settle_folded(claimed, at=at, now=now)
            else:
                outbox.settle_later(claimed, at=at)
            return False
        letter = self._written(claimed, now)
        if isinstance(letter, Unneeded):
            outbox.settle_unneeded(claimed, letter.why, now=now)
            return False
        message = compose(
            letter, number=claimed.id, created_at=claimed.created_at, settings=settings, now=now
        )
        if not outbox.is_held(claimed, now=self._clock()):
            return False
        smtp.deliver(
            message,
            settings.mail_server,
            own_name=own_name(settings),
            timeout_seconds=settings.smtp_timeout_seconds,
        )
        self._note_sent(claimed)
        return True

    def _note_sent(self, claimed: Claimed) -> None:
        """Note that it is gone, with patience: a letter whose note is lost goes out once more."""
        for pause_seconds in NOTE_PAUSES_SECONDS:
            try:
                outbox.settle_sent(claimed, now=self._clock())
                return
            except SQLAlchemyError:
                self._stopped.wait(pause_seconds)
        outbox.settle_sent(claimed, now=self._clock())

    def _written(self, claimed: Claimed, now: datetime) -> Letter | Unneeded:
        try:
            return write(claimed, settings=self._settings, keys=self._keys.ring, now=now)
        except KeyRefused:
            raise NotDelivered("The address cannot be opened: the secret key does not fit.") from None

    def _wait_for_place(self, claimed: Claimed, now: datetime) -> datetime | None:
        if claimed.kind == Kind.ADDRESS:
            return None  # these have a limit of their own
        with reading() as session:
            limit = self._settings.letters_per_hour
            return next_place(session, claimed.moderator_id, limit=limit, now=now)

    def _failed(self, claimed: Claimed, why: str, *, is_permanent: bool = False) -> None:
        outbox.settle_failed(claimed, why, is_permanent=is_permanent, now=self._clock())

    def _sign(self, now: datetime) -> None:
        if self._signed_at is not None and now - self._signed_at < SIGN_EVERY:
            return
        with transaction() as session:
            session.execute(insert_if_absent(session, WorkerSign, {"name": SIGN, "seen_at": now}))
            session.get_one(WorkerSign, SIGN).seen_at = now
        self._signed_at = now
