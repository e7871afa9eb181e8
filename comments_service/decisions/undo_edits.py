"""Takes back edits by authors: out of the comment, and back into the queue where they had waited there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Found, Late, Undone, Why, locked
from comments_service.decisions.undo_comments import Undoer, earlier, restore, take_back, why_not
from comments_service.decisions.verbs import AUTHOR_EDITED, EDIT_PUBLISHED
from comments_service.storage.journal import JournalRow
from comments_service.vocabulary import Decision


def take_edits_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Give comments the words they had. What a published edit changed goes back as a pair, or not at all.

    Where the edit itself was deleted since, its comment is given its words back all the same.
    """
    alone = take_back(session, [row for row in rows if "edit" not in row.details], act)
    done, late = list(alone.done), list(alone.late)
    pairs: dict[int, list[JournalRow]] = {}
    for row in rows:
        if "edit" in row.details:
            pairs.setdefault(row.details["edit"], []).append(row)
    found = locked(session, {row.comment_id or 0 for pair in pairs.values() for row in pair}, act.by)
    for pair in pairs.values():
        there = [row for row in pair if row.comment_id in found or row.action == AUTHOR_EDITED]
        part = _pair(session, there, found, act)
        done += part.done
        late += part.late
    return Undone(None, len(done), tuple(done), tuple(late))


def same_edit(row: JournalRow, rows: Sequence[JournalRow]) -> list[JournalRow]:
    """Those of the rows of one batch that published the same edit."""
    return [other for other in rows if other.details.get("edit") == row.details.get("edit")]


def _pair(session: Session, pair: Sequence[JournalRow], found: Mapping[int, Found], act: Act) -> Undone:
    wanted = [(row, found.get(row.comment_id or 0), earlier(session, row, act)) for row in pair]
    late = [
        Late(row.comment_id or 0, why or Why.GONE)
        for row, comment, values in wanted
        if (why := why_not(session, comment, row, values)) is not None
    ]
    if late:
        return Undone(late=tuple(late))
    done: list[Decision] = []
    for row, comment, values in wanted:
        if comment is not None:
            done.append(restore(session, row, comment, values, act))
    return Undone(None, len(done), tuple(done), ())


UNDOERS: dict[str, Undoer] = {AUTHOR_EDITED: take_edits_back, EDIT_PUBLISHED: take_edits_back}
