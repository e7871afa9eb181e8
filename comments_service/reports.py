"""Readers report comments to the moderators, each once, and never learn what others did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act
from comments_service.decisions.decide import carry_out
from comments_service.decisions.reports import BY_READERS, recount
from comments_service.decisions.verbs import Change
from comments_service.errors import ReportsOff
from comments_service.notify import outbox
from comments_service.opinions import Complaint
from comments_service.options import Options
from comments_service.privacy import KeyHolder
from comments_service.settings import Settings
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment
from comments_service.storage.reports import Report
from comments_service.storage.shown import lock_shown
from comments_service.vocabulary import Status


@dataclass(frozen=True)
class Objection:
    """What a reader objects to: checked by a form, looked at by nobody yet."""

    comment_id: int
    reason: Complaint
    note: str
    network: str


def report(objection: Objection, *, settings: Settings, keys: KeyHolder, now: datetime) -> None:
    """Put a report down for the moderators; the second one of a network about a comment is no other.

    Raises: CommentNotFound for what readers do not see; ReportsOff.
    """
    with transaction() as session:
        comment, site = lock_shown(session, objection.comment_id)
        options = Options.of(site.options)
        if not options.reports:
            raise ReportsOff
        hashes = keys.ring.digests("reporter", f"{comment.id}:{objection.network}".encode())
        known = select(Report.id).where(Report.comment_id == comment.id, Report.reporter.in_(hashes))
        if session.scalars(known.limit(1)).first() is not None:
            return
        row = {"reason": objection.reason, "note": objection.note, "reported_at": now}
        session.add(Report(comment_id=comment.id, reporter=hashes[0], **row))
        recount(session, [comment.id])
        if _is_too_much(session, comment, options.hold_reported):
            _hold(session, comment, settings, now)


def _is_too_much(session: Session, comment: Comment, most: int) -> bool:
    """Whether it shall wait until somebody has looked; never once somebody has, or wrote it."""
    if not most or comment.moderator_id is not None:
        return False
    counted = select(func.count()).where(Report.comment_id == comment.id)
    if session.scalar(counted.where(Report.is_settled.is_(True))):
        return False
    return (session.scalar(counted) or 0) >= most


def _hold(session: Session, comment: Comment, settings: Settings, now: datetime) -> None:
    session.refresh(comment)
    held = Change(comment.id, comment.version, Status.PENDING)
    carry_out(session, [held], Act(None, now, BY_READERS))
    session.refresh(comment)
    outbox.enqueue(session, comment, settings=settings, now=now)
