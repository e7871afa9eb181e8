"""Takes back what moderators and owners did: one thing or a whole bulk, to the exact earlier state, and back.

An undo is itself a row of the journal, so it can be undone: that is the redo.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions import (
    authors,
    undo_comments,
    undo_edits,
    undo_lists,
    undo_places,
    undo_roles,
    undo_sites,
)
from comments_service.decisions.act import Act, Late, Undone, Why, refuse_onlookers
from comments_service.decisions.verbs import MOVED
from comments_service.errors import NotUndoable
from comments_service.storage.database import lock_for, transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.vocabulary import Access, Decision, ModeratorView, Role

# What moderators do, and what owners do: an undo asks for the same role
BY_MODERATORS = {
    **undo_comments.UNDOERS,
    **undo_edits.UNDOERS,
    **undo_places.UNDOERS,
    **authors.UNDOERS,
}
BY_OWNERS = {**undo_sites.UNDOERS, **undo_roles.UNDOERS, **undo_lists.UNDOERS}
UNDOERS = BY_MODERATORS | BY_OWNERS
UNDOABLE = frozenset(BY_MODERATORS)


def undo(
    *, by: ModeratorView | None, now: datetime, batch: str | None = None, journal_id: int | None = None
) -> Undone:
    """Take back a whole batch, or the one thing that a row of the journal tells of.

    What somebody changed since, or took back already, stays as it is and is told as late.

    Raises: NotUndoable when there is no such thing, or nothing that could be taken back; NotAllowed.
    """
    act = Act(by, now)
    with transaction() as session:
        rows = _rows(session, by, batch, journal_id)
        if not rows:
            raise NotUndoable
        lock_for(session, sha256((rows[0].batch or f"row {rows[0].id}").encode()).digest())
        refuse_onlookers(by, {row.site_id for row in rows if row.site_id is not None})
        undone = _undo(session, rows, act)
        act.lessons.write(session)
        return undone


def can_take_back(row: JournalRow, access: Access) -> bool:
    """Whether an undo may be offered for a row that is not taken back yet."""
    if row.action not in UNDOERS or not _has_before(row):
        return False
    role = Role.OWNER if row.action in BY_OWNERS else Role.MODERATOR
    if row.site_id is None:
        return access.everywhere is not None and access.everywhere.includes(role)
    return access.may(role, row.site_id)


def _has_before(row: JournalRow) -> bool:
    return row.action != DECIDED or row.from_status is not None  # else it is what the service thought first


def _rows(
    session: Session, by: ModeratorView | None, batch: str | None, journal_id: int | None
) -> list[JournalRow]:
    wanted = JournalRow.id == journal_id if batch is None else JournalRow.batch == batch
    rows = session.scalars(select(JournalRow).where(wanted).order_by(JournalRow.id)).all()
    if journal_id is not None and rows and rows[0].action == MOVED:  # a move is taken back whole
        moved = (JournalRow.batch == rows[0].batch, JournalRow.action == MOVED)
        batch_rows = session.scalars(select(JournalRow).where(*moved).order_by(JournalRow.id)).all()
        rows = undo_places.same_move(rows[0], batch_rows)
    elif journal_id is not None and rows and "edit" in rows[0].details:  # so is a published edit
        whole = select(JournalRow).where(JournalRow.batch == rows[0].batch).order_by(JournalRow.id)
        rows = undo_edits.same_edit(rows[0], session.scalars(whole).all())
    return [
        row
        for row in rows
        if row.action in UNDOERS and _has_before(row) and (by is None or _is_shown(row, by.access))
    ]


def _is_shown(row: JournalRow, access: Access) -> bool:
    return access.everywhere is Role.OWNER if row.site_id is None else access.may(Role.VIEWER, row.site_id)


def _undo(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    taken_back = set(
        session.scalars(select(JournalRow.undoes_id).where(JournalRow.undoes_id.in_([r.id for r in rows])))
    )
    late = [Late(row.comment_id or 0, Why.UNDONE) for row in rows if row.id in taken_back]
    done: list[Decision] = []
    count = 0
    left = [row for row in rows if row.id not in taken_back]
    for undoer in dict.fromkeys(UNDOERS[row.action] for row in reversed(left)):  # the last thing first
        mine = [row for row in left if UNDOERS[row.action] is undoer]
        part = undoer(session, mine, act)
        done += part.done
        late += part.late
        count += part.count
    return Undone(act.batch if count else None, count, tuple(done), tuple(late), _is_undo(session, rows[0]))


def _is_undo(session: Session, row: JournalRow) -> bool:
    """Whether a row took something back; one that took such a row back did it again."""
    is_undo = False
    while row.undoes_id is not None:
        row, is_undo = session.get_one(JournalRow, row.undoes_id), not is_undo
    return is_undo
