"""Looks an installation over: what would keep it from working, in sentences that say what to do."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.errors import CommentsError
from comments_service.neighbours.keeping import is_any_taught, states_of
from comments_service.notify import smtp
from comments_service.notify.mail import own_name
from comments_service.notify.worker import SIGN
from comments_service.settings import Settings
from comments_service.storage.database import db, head_revision, reading
from comments_service.storage.models import Site
from comments_service.storage.neighbours import NeighbourLesson, NeighbourState
from comments_service.storage.outbox import Outbox, State, WorkerSign
from comments_service.storage.schema import stored_revision
from comments_service.texts import SOURCE_LANGUAGE, Catalogue
from comments_service.unlock import open_keys

LITTLE_SPACE_BYTES = 100 << 20
SILENT_AFTER = timedelta(minutes=3)  # a sign comes every half minute, but a letter may take a minute
LATE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. The sentence tells what was found, and what to do where it is wrong."""

    name: str
    is_well: bool
    sentence: str


@dataclass(frozen=True)
class Post:
    """How the outbox stands."""

    waiting: int
    oldest_due_at: datetime | None
    dead: int
    worker_seen_at: datetime | None


def look_at_store(settings: Settings) -> list[Finding]:
    """The database and the disk, before anything is opened for writing."""
    return [_schema(settings), _disk(settings)]


def look_inside(settings: Settings, *, with_smtp: bool, now: datetime) -> list[Finding]:
    """The keys, the letters and their worker, in a database that has its tables."""
    findings = [_keys(settings)]
    with reading() as session:
        post, neighbours = post_of(session, now), _neighbours(session)
        is_taught = is_any_taught(session)
    findings += [_outbox(post, now), _worker(settings, post, now, is_taught=is_taught), *neighbours]
    return [*findings, _smtp(settings)] if with_smtp else findings


def post_of(session: Session, now: datetime) -> Post:
    """Count the outbox."""
    count = select(func.count()).select_from(Outbox)
    due = select(func.min(Outbox.due_at)).where(Outbox.state == State.WAITING, Outbox.due_at <= now)
    sign = session.get(WorkerSign, SIGN)
    return Post(
        waiting=session.scalar(count.where(Outbox.state == State.WAITING)) or 0,
        oldest_due_at=session.scalar(due),
        dead=session.scalar(count.where(Outbox.state == State.DEAD)) or 0,
        worker_seen_at=sign.seen_at if sign else None,
    )


def _schema(settings: Settings) -> Finding:
    file = settings.sqlite_file
    if file is not None and not file.exists():
        return Finding("database", False, f"There is no database at {file}. `comments migrate` makes one.")
    try:
        revision = stored_revision(settings)
    except CommentsError as error:
        return Finding("database", False, error.detail)
    if revision != head_revision():
        return Finding("database", False, "Its tables are not those of this release. Run `comments migrate`.")
    return Finding("database", True, "It answers, and has the tables of this release.")


def _disk(settings: Settings) -> Finding:
    folder = settings.sqlite_file.parent if settings.sqlite_file else Path.cwd()
    if settings.sqlite_file is None:
        return Finding("disk", True, "The comments are on the database's machine, which is not looked at.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("disk", False, f"{folder} cannot be written by this user.")
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE_BYTES:
        return Finding("disk", False, f"{folder} has only {free >> 20} MiB left.")
    return Finding("disk", True, f"{folder} can be written, with {free >> 20:,} MiB left.")


def _keys(settings: Settings) -> Finding:
    try:
        ring = open_keys(settings, db.engine).ring
    except CommentsError as error:
        return Finding("keys", False, error.detail)
    return Finding("keys", True, f"They open what is stored; number {ring.current} seals.")


def _outbox(post: Post, now: datetime) -> Finding:
    told = f"{post.waiting} waiting, {post.dead} given up within 30 days."
    late = post.oldest_due_at is not None and now - post.oldest_due_at > LATE_AFTER
    if late and post.oldest_due_at is not None:
        minutes = int((now - post.oldest_due_at).total_seconds() // 60)
        return Finding("letters", False, f"{told} The oldest should have left {minutes} minutes ago.")
    if post.dead:
        return Finding("letters", False, f"{told} Their reasons are on /account/letters.")
    return Finding("letters", True, told)


def _neighbours(session: Session) -> list[Finding]:
    """Those that sites ask about comments, if there are any: which of them let comments wait, and why."""
    sites = [site.view() for site in session.scalars(select(Site).order_by(Site.key))]
    asking = [site for site in sites if site.options.neighbours]
    if not asking:
        return []
    states, wrong = states_of(session, [site.id for site in asking]), []
    for site in asking:
        for who, name in site.options.neighbours.items():
            state = states.get((site.id, who))
            if state is None or state.failures:
                wrong.append(f"{site.key}, {name}: {_trouble(state)}")
    given_up = session.scalar(
        select(func.count()).select_from(NeighbourLesson).where(NeighbourLesson.state == State.DEAD)
    )
    if given_up:
        wrong.append(f"{given_up} decisions could not be told to Akismet within 30 days.")
    return [Finding("neighbours", not wrong, " ".join(wrong) or "All that are asked about comments answer.")]


def _trouble(state: NeighbourState | None) -> str:
    say = Catalogue.load().text
    if state is None:
        return f"Comments wait. {say(SOURCE_LANGUAGE, 'settings.neighbours.why.secret')}"
    why = say(SOURCE_LANGUAGE, f"settings.neighbours.why.{state.why}") if state.why else ""
    since = f", the last time at {state.failed_at:%Y-%m-%d %H:%M} UTC" if state.failed_at else ""
    return f"The last {state.failures} comments had to wait{since}. {why}".strip()


def _worker(settings: Settings, post: Post, now: datetime, *, is_taught: bool) -> Finding:
    if settings.mail_server is None and not is_taught:
        return Finding("worker", True, "No mail server is set (COMMENTS_SMTP_URL), so none is needed.")
    if post.worker_seen_at is None:
        return Finding("worker", False, "None was ever at work. Run `comments worker`.")
    seen = f"Last seen {post.worker_seen_at:%Y-%m-%d %H:%M:%S} UTC."
    if now - post.worker_seen_at > SILENT_AFTER:
        return Finding("worker", False, f"{seen} Run `comments worker`, or `comments serve --with-worker`.")
    return Finding("worker", True, seen)


def _smtp(settings: Settings) -> Finding:
    if settings.mail_server is None:
        return Finding("smtp", False, "COMMENTS_SMTP_URL is not set.")
    try:
        smtp.reach(
            settings.mail_server,
            own_name=own_name(settings),
            timeout_seconds=settings.smtp_timeout_seconds,
        )
    except smtp.NotDelivered as error:
        return Finding("smtp", False, error.sentence)
    return Finding("smtp", True, f"{settings.mail_server.host} answers and lets us in.")
