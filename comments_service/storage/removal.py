"""Takes comments out of the store for good: whole rows, or all they held where replies need their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, not_, or_, select, update
from sqlalchemy.orm import Session, aliased

from comments_service.storage.blocklists import BlockedEntry
from comments_service.storage.clusters import ClusterKey
from comments_service.storage.decisions import Claim, Revision, Standing
from comments_service.storage.journal import DECIDED, STANDING_ACTIONS, JournalRow
from comments_service.storage.models import Comment, CommentReason, SubmissionKey, Thread
from comments_service.storage.reports import Report
from comments_service.storage.roots import show_roots
from comments_service.storage.search import forget
from comments_service.storage.trails import leave_trails
from comments_service.storage.votes import Vote
from comments_service.vocabulary import NOT_JUDGED, Status

EMPTY_PLACE: dict[str, object] = {
    "name": "",
    "email_sealed": None,
    "email_hash": None,
    "website": None,
    "text": "",
    "page_url": "",
    "twin_hash": None,
    "network_hash": None,
    "moderator_id": None,
    "pinned_at": None,
    "picked_at": None,
    "cluster_id": None,
    "edited_at": None,
    "proven_root_id": None,
    "badge": None,
    "signer_hash": None,
    "author_note": None,
    "up_count": 0,
    "down_count": 0,
    "report_count": 0,
    "raised_risk": 0,
    "spam_percent": NOT_JUDGED,
    "verdict": {},
    "is_purged": True,
    "status": Status.TRASH,
    "version": Comment.version + 1,
}


class Trail(Enum):
    """How long the service remembers from which network a removed comment came."""

    NONE = "none"  # its author is to be forgotten
    BRIEF = "brief"  # an hour, as long as comments of a network are counted
    KEPT = "kept"  # as long as of comments that are there


def remove(session: Session, ids: Collection[int], *, trail: Trail = Trail.KEPT) -> None:
    """Remove these comments, within the caller's transaction; replies by others stay where they are.

    Edits of theirs that wait, or did, go along. The threads' counts and versions follow. A place emptied
    earlier goes with its last reply.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
    # Comments before threads, as in `moderate`; a lock that lets replies in, until the thread stops them.
    # Who stores an edit holds its comment: none can come once these are locked
    rows = _lock(session, [*ids, *_edits_of(session, ids)])
    if missed := _edits_of(session, ids) - {row.id for row in rows}:
        rows += _lock(session, missed)
    ids = [row.id for row in rows]
    thread_ids = sorted({row.thread_id for row in rows})
    session.execute(
        select(Thread.id).where(Thread.id.in_(thread_ids)).order_by(Thread.id).with_for_update()
    ).all()
    for thread_id, count in Counter(r.thread_id for r in rows if r.status == Status.APPROVED).items():
        less = {"approved_count": Thread.approved_count - count, "version": Thread.version + 1}
        session.execute(update(Thread).where(Thread.id == thread_id).values(less))
    session.execute(delete(SubmissionKey).where(SubmissionKey.comment_id.in_(ids)))
    session.execute(delete(ClusterKey).where(ClusterKey.comment_id.in_(ids)))
    session.execute(delete(CommentReason).where(CommentReason.comment_id.in_(ids)))
    session.execute(delete(Revision).where(Revision.comment_id.in_(ids)))
    session.execute(delete(Claim).where(Claim.comment_id.in_(ids)))
    session.execute(delete(Vote).where(Vote.comment_id.in_(ids)))
    session.execute(delete(Report).where(Report.comment_id.in_(ids)))
    forget(session, ids)
    if trail is not Trail.NONE:
        leave_trails(session, ids, is_brief=trail is Trail.BRIEF)
    _forget_in_journal(session, ids)
    session.execute(update(Comment).where(Comment.id.in_(ids)).values(EMPTY_PLACE))
    show_roots(session, {row.root_id or row.id for row in rows if row.edits_id is None})
    edits = [row.id for row in rows if row.edits_id is not None]
    session.execute(delete(Comment).where(Comment.id.in_(edits)))  # nobody replies to them
    _drop_empty_places(session, {row.id for row in rows} - set(edits))


def _lock(session: Session, ids: Collection[int]) -> list[Row[*tuple[Any, ...]]]:
    columns = (Comment.id, Comment.thread_id, Comment.root_id, Comment.status, Comment.edits_id)
    locked = select(*columns).where(Comment.id.in_(ids))
    return list(session.execute(locked.order_by(Comment.id).with_for_update(key_share=True)))


def _edits_of(session: Session, ids: Collection[int]) -> set[int]:
    return set(session.scalars(select(Comment.id).where(Comment.edits_id.in_(ids))))


def _forget_in_journal(session: Session, ids: Collection[int]) -> None:
    """Blank what people wrote, and what an undo would have needed: there is nothing left to bring back.

    What the service decided at first stays: it names rules alone, with their versions.
    """
    is_by_rules = and_(JournalRow.moderator_id.is_(None), JournalRow.from_status.is_(None))
    told = and_(JournalRow.action == DECIDED, is_by_rules)
    theirs = update(JournalRow).where(JournalRow.comment_id.in_(ids), not_(told))
    session.execute(theirs.values(reason="", details={}))


def forget_standings(
    session: Session, site_id: int, *, ids: Collection[int], hashes: Collection[bytes], domain: str
) -> None:
    """Forget who is banned or trusted by these hashes, or because of one of these comments, by any trace.

    To be called before the comments are removed. A domain in clear that nothing ties to anybody's comment
    any more goes too; one that is banned because of somebody else's stays.
    """
    of_site = delete(Standing).where(Standing.site_id == site_id)
    ties = _ties(session, JournalRow.comment_id.in_(ids))
    named = or_(Standing.hash.in_(hashes), Standing.id.in_(ties), Standing.root_id.in_(ids))
    session.execute(of_site.where(named))
    in_clear = session.scalars(
        select(Standing.id).where(Standing.site_id == site_id, Standing.domain == domain)
    ).all()
    if in_clear:
        tied = _ties(session, JournalRow.site_id == site_id)
        session.execute(of_site.where(Standing.id.in_(set(in_clear) - tied)))


def forget_listed(session: Session, site_id: int, hashes: Collection[bytes]) -> None:
    """Take these hashes off the site's blocklists, also where they were taken off and could come back."""
    theirs = BlockedEntry.site_id == site_id, BlockedEntry.hash.in_(hashes)
    session.execute(delete(BlockedEntry).where(*theirs).execution_options(synchronize_session=False))


def _ties(session: Session, which: ColumnElement[bool]) -> set[int]:
    """The bans and trusts that these lines of the journal tell of, as those of a comment."""
    rows = select(JournalRow.details).where(
        which, JournalRow.comment_id.is_not(None), JournalRow.action.in_(STANDING_ACTIONS)
    )
    found = (details.get("standing") for details in session.scalars(rows))
    return {number for number in found if isinstance(number, int)}


def _drop_empty_places(session: Session, ids: set[int]) -> None:
    """Delete what nobody replies to, then look whether the place above is needed by somebody else."""
    while ids:
        reply = aliased(Comment)
        bare = select(Comment.id, Comment.parent_id).where(
            Comment.id.in_(ids), Comment.is_purged, ~exists().where(reply.parent_id == Comment.id)
        )
        rows = session.execute(bare).all()
        session.execute(delete(Comment).where(Comment.id.in_([row.id for row in rows])))
        ids = {row.parent_id for row in rows if row.parent_id is not None}
