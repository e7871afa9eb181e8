"""Takes back what was done to comments: decisions, marks, edits, and replies of moderators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from comments_service.clusters import joining as clusters
from comments_service.decisions import reports
from comments_service.decisions.act import (
    Act,
    Found,
    Late,
    Undone,
    Why,
    before,
    decision,
    locked,
    restored,
)
from comments_service.decisions.showing import recount, shows_otherwise, teach, unteach
from comments_service.decisions.verbs import (
    AUTHOR_EDITED,
    EDIT_PUBLISHED,
    EDITED,
    MARKS,
    OPPOSITE,
    REPLIED,
    REPORTS_DISMISSED,
    REPORTS_REOPENED,
)
from comments_service.neighbours import lessons
from comments_service.spam.learning import is_of_these_features, lesson, unlearn
from comments_service.storage.decisions import Revision
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.storage.search import index
from comments_service.vocabulary import Decision, Status

Undoer = Callable[[Session, Sequence[JournalRow], Act], Undone]
UNSEEN = frozenset(
    {"comment-flagged", "comment-unflagged", REPORTS_DISMISSED, REPORTS_REOPENED}
)  # readers see nothing of these


def take_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Bring comments back to where they were before these rows, if nobody has changed them since."""
    found = locked(session, {row.comment_id for row in rows if row.comment_id is not None}, act.by)
    done: list[Decision] = []
    late: list[Late] = []
    for row in rows:
        comment = found.get(row.comment_id or 0)
        values = earlier(session, row, act)
        why = why_not(session, comment, row, values)
        if why is not None or comment is None:
            late.append(Late(row.comment_id or 0, why or Why.GONE))
        else:
            done.append(restore(session, row, comment, values, act))
    return Undone(None, len(done), tuple(done), tuple(late))


def earlier(session: Session, row: JournalRow, act: Act) -> dict[str, Any]:
    """The columns as they were before the row."""
    values = restored(row.details.get("before", {}))
    if row.action == REPLIED:
        values = {"status": Status.TRASH}  # it was not there: now nobody sees it, and the redo finds it
    if row.action == DECIDED:
        values.setdefault("status", row.from_status)
    if "status" in values:
        values.setdefault("status_changed_at", act.now)
    if "revision" in row.details:
        words = session.get_one(Revision, (row.comment_id, row.details["revision"]))
        values |= {"name": words.name, "website": words.website, "text": words.text}
    return values


def why_not(session: Session, comment: Found | None, row: JournalRow, values: dict[str, Any]) -> Why | None:
    """What stands against taking the row back; None when nothing does."""
    if comment is None:
        return Why.GONE
    if not _is_as_left(session, comment, row):
        return Why.CHANGED
    if comment.is_letter and values.get("status") == Status.APPROVED:
        return Why.LETTER
    if comment.edits_id is not None and values.get("status") == Status.APPROVED:
        return Why.EDIT
    return None


def _is_as_left(session: Session, comment: Found, row: JournalRow) -> bool:
    """Whether nothing was done to the comment since, or all of it was taken back, the last thing first."""
    if row.version is None or comment.version == row.version + 1:
        return row.version is not None
    since = select(JournalRow.id, JournalRow.undoes_id).where(
        JournalRow.comment_id == comment.id, JournalRow.id > row.id, JournalRow.version.is_not(None)
    )
    done = session.execute(since.order_by(JournalRow.id)).all()
    standing: list[int] = []
    for later in done:
        if standing and later.undoes_id == standing[-1]:
            standing.pop()
        else:
            standing.append(later.id)
    return not standing and len(done) == comment.version - row.version - 1  # each change has its row


def restore(session: Session, row: JournalRow, was: Found, values: dict[str, Any], act: Act) -> Decision:
    """Give a comment, as it was found, its `earlier` columns; readers, search and journal follow."""
    back = update(Comment).where(Comment.id == was.id, Comment.version == was.version)
    back = back.values(**values, version=Comment.version + 1)
    session.execute(back.execution_options(synchronize_session=False))
    to_status = values.get("status", was.status)
    is_shown_anew = to_status == Status.APPROVED != was.status
    if to_status != was.status:
        recount(session, [(was, to_status)])
    elif was.status == Status.APPROVED and row.action not in UNSEEN:
        shows_otherwise(session, {was.thread_id: 0})
    if row.details.get("taught"):
        unteach(session, was)
    details: dict[str, Any] = {"before": before(was, values.keys() & set(_KEPT))}
    if is_shown_anew and teach(session, [was]):
        details["taught"] = True
    if "revision" in row.details:
        details |= {"revision": row.details["to_revision"], "to_revision": row.details["revision"]}
        session.expire_all()
        comment = session.get_one(Comment, was.id)
        index(session, comment)
        if row.action == AUTHOR_EDITED:
            clusters.assign_anew(session, comment, now=act.now)
    if "lesson" in row.details and is_of_these_features(row.details):
        step = row.details["lesson"]
        unlearn(session, was.id, step, act.lessons, is_new=row.undoes_id is not None)
        details |= lesson(-step)
    details |= lessons.take_back(session, was.id, row.details, now=act.now)
    details |= reports.take_back(session, was.id, row.details)
    if "edit" in row.details:
        details["edit"] = row.details["edit"]
    session.add(_row(row, was, to_status, details, _percent(session, row), act))
    return decision(was, to_status)


_KEPT = (
    *("status", "status_changed_at", "is_quietly_declined", "pinned_at", "picked_at"),
    *("flag_count", "edited_at", "author_note"),
)


def _percent(session: Session, row: JournalRow) -> int | None:
    """What the decision had that is brought back, where the row had taken one back."""
    undone = session.get(JournalRow, row.undoes_id) if row.undoes_id is not None else None
    return undone.percent if undone is not None else None


def _row(
    row: JournalRow, was: Found, to_status: str, details: dict[str, Any], percent: int | None, act: Act
) -> JournalRow:
    more: dict[str, Any] = {"undoes_id": row.id, "details": details, "percent": percent}
    if row.action in (DECIDED, REPLIED):
        return act.row(was, DECIDED, from_status=was.status, to_status=to_status, **more)
    if row.action == EDIT_PUBLISHED:
        more |= {"from_status": was.status, "to_status": to_status}
    return act.row(was, OPPOSITE.get(row.action, row.action), **more)


ACTIONS = (
    DECIDED,
    EDITED,
    REPLIED,
    REPORTS_DISMISSED,
    REPORTS_REOPENED,
    *(mark.action for mark in MARKS.values()),
)
UNDOERS: dict[str, Undoer] = dict.fromkeys(ACTIONS, take_back)
