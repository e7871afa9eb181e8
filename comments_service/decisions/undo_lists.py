"""Takes back what owners did to blocklists: entries that were put on them, or taken off."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from comments_service.blocklists.change import ADDED, IMPORTED, REMOVED, bring_back, take_off
from comments_service.decisions.act import Act, Late, Undone, Why
from comments_service.decisions.undo_comments import Undoer
from comments_service.errors import FieldsRefused
from comments_service.rights import require
from comments_service.storage.blocklists import BlockedEntry
from comments_service.storage.journal import JournalRow
from comments_service.vocabulary import Role


def take_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Take off what was put on by these rows, and the other way, as far as it stands so still and has room.

    Raises: NotAllowed.
    """
    count, late = 0, []
    for row in reversed(rows):
        site_id = row.site_id or 0
        require(act.by, Role.OWNER, site_id)
        change = bring_back if row.action == REMOVED else take_off
        try:
            changed = change(session, site_id, _meant(session, row), act, undoes=row.id)
        except FieldsRefused:
            late.append(Late(0, Why.FULL))
            continue
        if changed:
            count += 1
        else:
            late.append(Late(0, Why.ELSEWHERE))
    return Undone(None, count, (), tuple(late))


def _meant(session: Session, row: JournalRow) -> ColumnElement[bool]:
    """The entries that a row tells of: put on by it, taken off by it, or brought back by it."""
    if row.action == REMOVED:
        return BlockedEntry.removed_batch == row.batch
    undone = session.get(JournalRow, row.undoes_id) if row.undoes_id else None
    return BlockedEntry.batch == row.batch if undone is None else BlockedEntry.removed_batch == undone.batch


UNDOERS: dict[str, Undoer] = dict.fromkeys((ADDED, IMPORTED, REMOVED), take_back)
