"""Tells Akismet what was put down for it: one lesson at a time, tried again like a letter, then given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from comments_service.errors import KeyRefused
from comments_service.neighbours.akismet import Akismet
from comments_service.neighbours.ask import CIRCUIT, neighbours_of
from comments_service.neighbours.circuit import REST
from comments_service.neighbours.heard import Trouble, Unheard
from comments_service.neighbours.question import Question
from comments_service.notify.outbox import LEASE, MAX_TRIES, VANISHED, WAITS
from comments_service.options import Neighbour
from comments_service.privacy import KeyHolder, Keyring
from comments_service.settings import Settings
from comments_service.storage.database import reading, transaction
from comments_service.storage.models import Comment, Site
from comments_service.storage.neighbours import NeighbourLesson as Row
from comments_service.storage.outbox import State
from comments_service.submit import EMAIL_COLUMN

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Lesson:
    """A lesson that one worker has for itself until the lease ends."""

    id: int
    site_id: int
    comment_id: int
    is_spam: bool
    tries: int


def work(*, settings: Settings, keys: KeyHolder, now: datetime) -> bool:
    """Deal with one lesson that is due; whether there was one."""
    lesson = _claim(now)
    if lesson is None:
        return False
    told = _teach(lesson, settings, keys.ring, now)
    log.info("lesson", id=lesson.id, tries=lesson.tries, told=told)
    return True


def _claim(now: datetime) -> Lesson | None:
    with reading() as session:  # a look costs SQLite no turn as its only writer
        if session.scalars(select(Row.id).where(_is_free(now)).limit(1)).first() is None:
            return None
    with transaction() as session:
        lost = update(Row).where(_is_free(now), Row.tries >= MAX_TRIES)
        session.execute(lost.values(state=State.DEAD, settled_at=now, lease_until=None, error=VANISHED))
        due = select(Row.id).where(_is_free(now)).order_by(Row.due_at, Row.id).limit(1)
        number = session.scalars(due.with_for_update(skip_locked=True)).first()
        if number is None:
            return None
        row = session.get_one(Row, number)
        row.lease_until, row.tries = now + LEASE, row.tries + 1
        return Lesson(row.id, row.site_id, row.comment_id, row.is_spam, row.tries)


def _teach(lesson: Lesson, settings: Settings, keys: Keyring, now: datetime) -> str:
    with reading() as session:
        why = _why_not(session, lesson)
        question = _question(session, lesson, keys) if why is None else None
        site = question.site if question else None
        asked = neighbours_of(session, site, keys=keys, settings=settings) if site else ()
    if why is not None or question is None:
        return _settle(lesson, state=State.UNNEEDED, settled_at=now, error=why)
    akismet = next((one for one in asked if isinstance(one, Akismet)), None)
    if akismet is None:
        return _failed(lesson, Trouble.SECRET, now)
    if not CIRCUIT.lets(akismet.endpoint, now=now):
        return _settle(lesson, due_at=now + REST, tries=lesson.tries - 1)
    try:
        akismet.teach(question, is_spam=lesson.is_spam)
    except Unheard as error:
        if error.why is not Trouble.KEY:
            CIRCUIT.failed(akismet.endpoint, now=now)
        return _failed(lesson, error.why, now)
    CIRCUIT.answered(akismet.endpoint)
    return _settle(lesson, state=State.SENT, settled_at=now, error="")


def _why_not(session: Session, lesson: Lesson) -> str | None:
    """Why this need not be told any more; None while it must."""
    comment = session.get(Comment, lesson.comment_id)
    if comment is None or comment.is_purged:
        return "The comment is gone."
    if Neighbour.AKISMET not in session.get_one(Site, lesson.site_id).view().options.neighbours:
        return "Akismet is off."
    later = select(Row.id).where(
        Row.comment_id == lesson.comment_id, Row.id > lesson.id, Row.state != State.UNNEEDED
    )
    is_old = session.scalars(later.limit(1)).first() is not None
    return "It was decided otherwise meanwhile." if is_old else None


def _question(session: Session, lesson: Lesson, keys: Keyring) -> Question:
    comment = session.get_one(Comment, lesson.comment_id)
    return Question(
        site=session.get_one(Site, comment.site_id).view(),
        url=comment.page_url,
        name=comment.name,
        email=_email(comment, keys),
        website=comment.website,
        text=comment.text,
        at=comment.created_at,
        is_reply=comment.parent_id is not None,
    )


def _email(comment: Comment, keys: Keyring) -> str | None:
    try:
        sealed = comment.email_sealed
        return keys.open(sealed, column=EMAIL_COLUMN) if sealed else None
    except KeyRefused:
        return None


def _failed(lesson: Lesson, why: Trouble, now: datetime) -> str:
    if lesson.tries >= MAX_TRIES:
        return _settle(lesson, state=State.DEAD, settled_at=now, error=str(why))
    return _settle(lesson, due_at=now + WAITS[lesson.tries - 1], error=str(why))


def _settle(lesson: Lesson, **values: Any) -> str:
    """Note what became of it, unless another worker has it by now; in a word for the log."""
    mine = update(Row).where(Row.id == lesson.id, Row.state == State.WAITING, Row.tries == lesson.tries)
    with transaction() as session:
        session.execute(mine.values(lease_until=None, **values))
    return str(values.get("state", State.WAITING))


def _is_free(now: datetime) -> ColumnElement[bool]:
    is_unleased = or_(Row.lease_until.is_(None), Row.lease_until <= now)
    return and_(Row.state == State.WAITING, Row.due_at <= now, is_unleased)
