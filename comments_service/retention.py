"""What is kept no longer than promised: hashes of networks, spam and trash, keys, sign-ins, invitations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from comments_service import tokens
from comments_service.clusters.joining import MEMORY
from comments_service.people.sign_ins import HALF_SECONDS
from comments_service.settings import Settings
from comments_service.storage.blocklists import BlockedEntry
from comments_service.storage.clusters import ClusterKey
from comments_service.storage.database import transaction
from comments_service.storage.decisions import Standing
from comments_service.storage.journal import JournalRetention, JournalRow
from comments_service.storage.models import Comment, SubmissionKey
from comments_service.storage.neighbours import NeighbourLesson
from comments_service.storage.outbox import Outbox, State
from comments_service.storage.people import HalfSignIn, Invitation, InvitationSite, SignIn
from comments_service.storage.removal import remove
from comments_service.storage.reports import Report
from comments_service.storage.spam import SpentTicket
from comments_service.storage.trails import NetworkTrail
from comments_service.storage.votes import Vote
from comments_service.submit import KEY_LIFETIME
from comments_service.throttle import COUNTED_FOR
from comments_service.vocabulary import Status

BATCH = 500  # one batch is one short transaction: nobody who posts meanwhile waits long
LETTERS_KEPT = timedelta(days=30)  # what became of them; the letters themselves are kept nowhere
UNDO_KEPT = timedelta(days=7)  # so long what was lifted or taken off a list can be brought back
SWEPT = "comments-swept"
Batch = Callable[[Session], int]


@dataclass(frozen=True)
class Swept:
    """How much of each had come to its end."""

    networks: int
    comments: int
    idempotency_keys: int
    cluster_keys: int
    sign_ins: int
    journal_rows: int = 0
    invitations: int = 0
    letters: int = 0
    standings: int = 0
    votes: int = 0
    reports: int = 0
    tickets: int = 0
    lessons: int = 0
    blocked_entries: int = 0
    trails: int = 0


def sweep(*, settings: Settings, now: datetime) -> Swept:
    """Forget what is older than the settings allow. Running it twice, or by two at once, is harmless."""
    networks_until = now - timedelta(days=settings.network_retention_days)
    spam_until = now - timedelta(days=settings.spam_retention_days)
    journal_until = now - timedelta(days=settings.journal_retention_days)
    return Swept(
        networks=_in_batches(lambda session: _forget_networks(session, networks_until)),
        comments=_sweep_declined(spam_until, now),
        idempotency_keys=_in_batches(lambda session: _drop_keys(session, now - KEY_LIFETIME)),
        cluster_keys=_in_batches(lambda session: _drop_cluster_keys(session, now - MEMORY)),
        journal_rows=_in_batches(lambda session: _drop_journal(session, journal_until)),
        sign_ins=_in_batches(lambda session: _drop_sign_ins(session, settings, now))
        + _in_batches(lambda session: _drop_half_sign_ins(session, now)),
        invitations=_in_batches(lambda session: _drop_invitations(session, now)),
        letters=_in_batches(lambda session: _drop_letters(session, now - LETTERS_KEPT)),
        standings=_in_batches(lambda session: _drop_standings(session, now - UNDO_KEPT)),
        votes=_in_batches(lambda session: _forget_voters(session, networks_until)),
        reports=_in_batches(lambda session: _forget_reporters(session, networks_until)),
        tickets=_in_batches(lambda session: _drop_tickets(session, settings, now)),
        lessons=_in_batches(lambda session: _drop_lessons(session, now - LETTERS_KEPT)),
        blocked_entries=_in_batches(lambda session: _drop_blocked(session, now)),
        trails=_in_batches(lambda session: _drop_trails(session, networks_until, is_brief=False))
        + _in_batches(lambda session: _drop_trails(session, now - COUNTED_FOR, is_brief=True)),
    )


def _drop_standings(session: Session, until: datetime) -> int:
    """Bans and trusts that have ended: nobody's trace is kept longer than it is of use."""
    ended = select(Standing.id).where(or_(Standing.ends_at <= until, Standing.lifted_at <= until))
    ids = session.scalars(ended.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(Standing).where(Standing.id.in_(ids)))
    return len(ids)


def _drop_blocked(session: Session, now: datetime) -> int:
    """Entries of blocklists that are over, and those that were taken off so long ago that none comes back."""
    is_gone = BlockedEntry.removed_at <= now - UNDO_KEPT
    ended = select(BlockedEntry.id).where(or_(BlockedEntry.expires_at <= now, is_gone))
    ids = session.scalars(ended.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(BlockedEntry).where(BlockedEntry.id.in_(ids)))
    return len(ids)


def _in_batches(batch: Batch) -> int:
    total = 0
    while True:
        with transaction() as session:
            count = batch(session)
        total += count
        if count < BATCH:
            return total


def _forget_networks(session: Session, until: datetime) -> int:
    old = select(Comment.id).where(Comment.network_hash.is_not(None), Comment.created_at <= until)
    ids = session.scalars(old.order_by(Comment.id).limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(update(Comment).where(Comment.id.in_(ids)).values(network_hash=None))
    return len(ids)


def _drop_trails(session: Session, until: datetime, *, is_brief: bool) -> int:
    """Drop from which networks removed comments came."""
    old = select(NetworkTrail.id).where(NetworkTrail.is_brief.is_(is_brief), NetworkTrail.created_at <= until)
    ids = session.scalars(old.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(NetworkTrail).where(NetworkTrail.id.in_(ids)))
    return len(ids)


def _forget_voters(session: Session, until: datetime) -> int:
    """Drop who voted: the counts stay."""
    old = select(Vote.comment_id, Vote.voter).where(Vote.cast_at <= until).order_by(Vote.cast_at).limit(BATCH)
    rows = session.execute(old.with_for_update(skip_locked=True)).all()
    known = tuple_(Vote.comment_id, Vote.voter).in_([(row.comment_id, row.voter) for row in rows])
    session.execute(delete(Vote).where(known).execution_options(synchronize_session=False))
    return len(rows)


def _drop_tickets(session: Session, settings: Settings, now: datetime) -> int:
    """Drop what is remembered of forms that nobody can use any more."""
    lasts = tokens.OPENING_LASTS + timedelta(seconds=settings.ticket_lifetime_seconds)
    ended = SpentTicket.spent_at <= now - lasts
    old = select(SpentTicket.site_id, SpentTicket.nonce_hash).where(ended).limit(BATCH)
    rows = session.execute(old.with_for_update(skip_locked=True)).all()
    known = tuple_(SpentTicket.site_id, SpentTicket.nonce_hash)
    gone = delete(SpentTicket).where(known.in_([(row.site_id, row.nonce_hash) for row in rows]))
    session.execute(gone.execution_options(synchronize_session=False))
    return len(rows)


def _forget_reporters(session: Session, until: datetime) -> int:
    """Drop settled reports; of those that nobody has looked at, who sent them and what they wrote."""
    is_known = or_(Report.is_settled.is_(True), Report.reporter.is_not(None), Report.note != "")
    old = select(Report.id).where(Report.reported_at <= until, is_known).order_by(Report.id).limit(BATCH)
    ids = session.scalars(old.with_for_update(skip_locked=True)).all()
    session.execute(delete(Report).where(Report.id.in_(ids), Report.is_settled.is_(True)))
    session.execute(update(Report).where(Report.id.in_(ids)).values(reporter=None, note=""))
    return len(ids)


def _sweep_declined(until: datetime, now: datetime) -> int:
    """Delete old spam and trash for ever, and tell the journal once for each site how many there were."""
    removed: Counter[tuple[int, str]] = Counter()
    try:
        while True:
            with transaction() as session:
                batch = _purge_declined(session, until)
            removed.update(batch)
            if len(batch) < BATCH:
                return removed.total()
    finally:
        _tell_of(removed, now)


def _purge_declined(session: Session, until: datetime) -> list[tuple[int, str]]:
    """Delete some; returns the site and the status of each."""
    # By the day of the decision: what was put into the trash yesterday can be taken out again
    old = select(Comment.id, Comment.site_id, Comment.status).where(
        Comment.status.in_([Status.SPAM, Status.TRASH]),
        Comment.status_changed_at <= until,
        Comment.is_purged.is_(False),
    )
    rows = session.execute(old.order_by(Comment.id).limit(BATCH).with_for_update(skip_locked=True)).all()
    remove(session, [row.id for row in rows])
    return [(row.site_id, row.status) for row in rows]


def _tell_of(removed: Counter[tuple[int, str]], now: datetime) -> None:
    with transaction() as session:
        for site_id in sorted({site_id for site_id, _ in removed}):
            spam, trash = removed[site_id, Status.SPAM], removed[site_id, Status.TRASH]
            session.add(
                JournalRow(
                    happened_at=now,
                    action=SWEPT,
                    site_id=site_id,
                    subject=f"spam: {spam}, trash: {trash}",
                    details={"count": spam + trash},
                )
            )


def _drop_letters(session: Session, until: datetime) -> int:
    old = select(Outbox.id).where(Outbox.state != State.WAITING, Outbox.settled_at <= until)
    ids = session.scalars(old.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(Outbox).where(Outbox.id.in_(ids)))
    return len(ids)


def _drop_lessons(session: Session, until: datetime) -> int:
    """What became of what neighbours were told: as letters."""
    old = select(NeighbourLesson.id).where(
        NeighbourLesson.state != State.WAITING, NeighbourLesson.settled_at <= until
    )
    ids = session.scalars(old.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(NeighbourLesson).where(NeighbourLesson.id.in_(ids)))
    return len(ids)


def _drop_keys(session: Session, until: datetime) -> int:
    old = select(SubmissionKey.comment_id).where(SubmissionKey.created_at <= until)
    ids = session.scalars(old.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(SubmissionKey).where(SubmissionKey.comment_id.in_(ids)))
    return len(ids)


def _drop_cluster_keys(session: Session, until: datetime) -> int:
    """Forget what comments of that age were compared by; counts comments."""
    holders = select(ClusterKey.comment_id).distinct().order_by(ClusterKey.comment_id).limit(BATCH).subquery()
    old = select(Comment.id).join(holders, holders.c.comment_id == Comment.id)
    ids = session.scalars(old.where(Comment.created_at <= until)).all()
    session.execute(delete(ClusterKey).where(ClusterKey.comment_id.in_(ids)))
    return len(ids)


def _drop_journal(session: Session, until: datetime) -> int:
    """Delete what is too old to be told, the only way that the database lets rows go."""
    old = select(JournalRow.id).where(JournalRow.happened_at <= until).order_by(JournalRow.id).limit(BATCH)
    ids = session.scalars(old.with_for_update(skip_locked=True)).all()
    if ids:
        session.execute(insert(JournalRetention).values(until_id=ids[-1]))
        session.execute(update(JournalRow).where(JournalRow.undoes_id.in_(ids)).values(undoes_id=None))
        session.execute(delete(JournalRow).where(JournalRow.id.in_(ids)))
        session.execute(delete(JournalRetention))
    return len(ids)


def _drop_sign_ins(session: Session, settings: Settings, now: datetime) -> int:
    ended = select(SignIn.token_hash).where(
        or_(
            SignIn.last_seen_at <= now - timedelta(seconds=settings.session_idle_seconds),
            SignIn.created_at <= now - timedelta(seconds=settings.session_lifetime_seconds),
        )
    )
    hashes = session.scalars(ended.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(SignIn).where(SignIn.token_hash.in_(hashes)))
    return len(hashes)


def _drop_half_sign_ins(session: Session, now: datetime) -> int:
    over = select(HalfSignIn.token_hash).where(HalfSignIn.created_at <= now - timedelta(seconds=HALF_SECONDS))
    hashes = session.scalars(over.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(HalfSignIn).where(HalfSignIn.token_hash.in_(hashes)))
    return len(hashes)


def _drop_invitations(session: Session, now: datetime) -> int:
    over = select(Invitation.id).where(Invitation.ends_at <= now)
    ids = session.scalars(over.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(InvitationSite).where(InvitationSite.invitation_id.in_(ids)))
    session.execute(delete(Invitation).where(Invitation.id.in_(ids)))
    return len(ids)
