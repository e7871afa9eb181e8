"""Everything about one comment, for its own page: what was done to it, its words over time, its author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.authors import standings_of
from comments_service.decisions.diff import Piece, word_diff
from comments_service.decisions.reports import BY_READERS
from comments_service.decisions.revisions import Words
from comments_service.decisions.undo import UNDOABLE
from comments_service.decisions.verbs import DECLINED, MOVED
from comments_service.errors import CommentNotFound
from comments_service.privacy import Keyring
from comments_service.queue.lines import QueueRow
from comments_service.queue.page import queue_rows
from comments_service.storage.database import reading
from comments_service.storage.decisions import Revision, Standing
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Site
from comments_service.storage.people import Moderator
from comments_service.vocabulary import Access, SiteView


@dataclass(frozen=True)
class DoneLine:
    """One thing that was done to the comment. `by` is None for the operator or the service itself.

    `outcome` is the status that it led to, or how it stays spam. `codes` are the service's own reasons,
    `reason` is what somebody wrote.
    """

    journal_id: int
    action: str
    outcome: str | None
    by: str | None
    at: datetime
    codes: tuple[str, ...]
    reason: str
    can_be_undone: bool
    is_undone: bool
    is_undo: bool


@dataclass(frozen=True)
class StandingLine:
    """How the author stands now, by which trace, and until when."""

    id: int
    kind: str
    mark: str
    label: str
    note: str
    by: str | None
    ends_at: datetime | None


@dataclass(frozen=True)
class Dossier:
    """One comment with its history. `changes` compares what the author sent with what stands there now.

    Of an author's edit `first` are the words on the page, and `changes` what it would make of them.
    """

    row: QueueRow
    site: SiteView
    words: Words
    first: Words | None
    changes: tuple[Piece, ...]
    done: tuple[DoneLine, ...]
    standings: tuple[StandingLine, ...]
    note: str | None

    @property
    def is_moved(self) -> bool:
        """Whether it was judged by the rules of another article than the one it stands under now."""
        return any(line.action == MOVED for line in self.done)


def dossier(comment_id: int, *, access: Access, keys: Keyring, now: datetime) -> Dossier:
    """All there is to know about a comment.

    Raises: CommentNotFound, also for one of a site that is none of the asker's business.
    """
    rows = queue_rows([comment_id], access=access, keys=keys, now=now)
    if not rows:
        raise CommentNotFound
    with reading() as session:
        comment = session.get(Comment, comment_id)
        if comment is None or comment.is_purged:
            raise CommentNotFound
        names: dict[int, str] = dict(session.execute(select(Moderator.id, Moderator.name)).all())
        first = _first(session, comment)
        words, sent = Words.of(comment), Words.of(first) if first else None
        standings = standings_of(session, comment, keys, now=now)
        return Dossier(
            row=rows[0],
            site=session.get_one(Site, comment.site_id).view(),
            words=words,
            first=sent if sent != words else None,
            changes=word_diff(sent.text, words.text) if sent else (),
            done=_done(session, comment_id, names),
            standings=tuple(_standing(one, names) for one in standings),
            note=comment.author_note if comment.status in DECLINED else None,
        )


def _first(session: Session, comment: Comment) -> Comment | Revision | None:
    if comment.edits_id is not None:
        return session.get(Comment, comment.edits_id)
    return session.get(Revision, (comment.id, 1))


def _done(session: Session, comment_id: int, names: Mapping[int, str]) -> tuple[DoneLine, ...]:
    rows = session.scalars(
        select(JournalRow).where(JournalRow.comment_id == comment_id).order_by(JournalRow.id.desc())
    ).all()
    undone = select(JournalRow.undoes_id).where(JournalRow.undoes_id.in_([row.id for row in rows]))
    taken_back = set(session.scalars(undone))
    return tuple(
        DoneLine(
            journal_id=row.id,
            action=row.action,
            outcome=row.outcome,
            by=names.get(row.moderator_id) if row.moderator_id else None,
            at=row.happened_at,
            codes=tuple(filter(None, row.reason.split(", "))) if _is_by_rules(row) else (),
            reason="" if _is_by_rules(row) else row.reason,
            can_be_undone=_can_be_undone(row, rows[0]) and row.id not in taken_back,
            is_undone=row.id in taken_back,
            is_undo=row.undoes_id is not None,
        )
        for row in rows
    )


def _can_be_undone(row: JournalRow, last: JournalRow) -> bool:
    if row.action not in UNDOABLE or _is_verdict(row):
        return False
    return row.version is None or row.version == last.version or row is last


def _is_verdict(row: JournalRow) -> bool:
    """Whether this is what the service itself made of it when it came."""
    return row.action == DECIDED and row.from_status is None


def _is_by_rules(row: JournalRow) -> bool:
    """Whether it is the service that decided: when it came, was reported, or its author changed it."""
    is_by_readers = row.moderator_id is None and row.reason == BY_READERS
    return _is_verdict(row) or (row.action == DECIDED and ("rules" in row.details or is_by_readers))


def _standing(row: Standing, names: Mapping[int, str]) -> StandingLine:
    by = names.get(row.moderator_id) if row.moderator_id else None
    return StandingLine(row.id, row.kind, row.mark, row.label, row.note, by, row.ends_at)
