"""The moderators' verbs of one click: each is one conditional update, with its row in the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from comments_service.decisions import reports
from comments_service.decisions.act import (
    Act,
    Found,
    Late,
    Outcome,
    Why,
    before,
    decision,
    locked,
    new_batch,
)
from comments_service.decisions.edits import STATUS_COLUMNS, is_overtaken, originals_of, publish
from comments_service.decisions.showing import recount, shows_otherwise, teach
from comments_service.decisions.verbs import (
    DECLINED,
    DELETED,
    EDIT_PUBLISHED,
    REPORTS_DISMISSED,
    Change,
    Mark,
    Verb,
)
from comments_service.errors import CommentNotFound, DecidedMeanwhile
from comments_service.neighbours import lessons
from comments_service.spam.learning import learn, lesson
from comments_service.storage.database import transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.storage.removal import remove
from comments_service.vocabulary import Decision, ModeratorView, Status

DECLINED_COLUMNS = (*STATUS_COLUMNS, "author_note")


def decide(change: Change, *, by: ModeratorView | None, now: datetime, reason: str = "") -> Decision:
    """Do one thing to one comment; a click that came twice is answered as the first time.

    Raises: CommentNotFound; NotAllowed; DecidedMeanwhile when the comment has changed since that version.
    """
    outcome = decide_all([change], by=by, now=now, reason=reason)
    for made in (*outcome.done, *outcome.repeated):
        return made
    if outcome.late and outcome.late[0].why == Why.GONE:
        raise CommentNotFound
    raise DecidedMeanwhile


def decide_all(
    changes: Iterable[Change],
    *,
    by: ModeratorView | None,
    now: datetime,
    reason: str = "",
    batch: str | None = None,
    note: str = "",
) -> Outcome:
    """Do what is wanted of many comments in one transaction: what took effect, and what came too late.

    To approve an author's edit is to give the comment its words. `note` is for the authors of what is
    declined.

    Raises: NotAllowed, and then nothing is done.
    """
    act = Act(by, now, reason, batch or new_batch(), note)
    with transaction() as session:
        outcome = carry_out(session, changes, act)
        act.lessons.write(session)
        return outcome


def carry_out(session: Session, changes: Iterable[Change], act: Act) -> Outcome:
    """Do what is wanted, within the caller's transaction."""
    wanted = list(changes)
    ids = {change.comment_id for change in wanted}
    originals = originals_of(session, {c.comment_id for c in wanted if c.to_status == Status.APPROVED})
    found = locked(session, {*ids, *originals.values()}, act.by)
    fit: dict[int, Change] = {}
    late: list[tuple[Change, Why]] = []
    taken = set(ids)  # one comment is changed by one wish
    for change in wanted:
        why = why_not(found.get(change.comment_id), change)
        if why is None and change.comment_id in fit:
            why = Why.CHANGED
        if why is None and (original_id := originals.get(change.comment_id)) is not None:
            if original_id in taken or is_overtaken(session, found[change.comment_id], found):
                why = Why.OVERTAKEN
            else:
                taken.add(original_id)
        if why is None:
            fit[change.comment_id] = change
        else:
            late.append((change, why))
    repeated = _repeated(session, [change for change, _ in late], found, act.by)
    done: list[Decision] = []
    for goal in dict.fromkeys(change.goal for change in fit.values()):
        same = [change for change in fit.values() if change.goal == goal]
        rows = [found[change.comment_id] for change in sorted(same, key=lambda c: c.comment_id)]
        if same[0].to_status == Status.APPROVED:
            done += publish(session, [row for row in rows if row.edits_id is not None], found, act)
            rows = [row for row in rows if row.edits_id is None]
        done += _do(session, same[0], rows, act) if rows else []
    can_be_undone = any(change.goal is not Verb.DELETE for change in fit.values())
    return Outcome(
        batch=act.batch if done and can_be_undone else _batch_of(repeated),
        done=tuple(done),
        repeated=tuple(repeated[change].decision for change, _ in late if change in repeated),
        late=tuple(Late(change.comment_id, why) for change, why in late if change not in repeated),
    )


def why_not(found: Found | None, change: Change) -> Why | None:
    """What stands against doing this now; None when nothing does."""
    if found is None:
        return Why.GONE
    if found.version != change.version:
        return Why.CHANGED
    if found.is_letter and change.to_status == Status.APPROVED:
        return Why.LETTER
    return None if _fits(found, change) else Why.UNFIT


def _fits(found: Found, change: Change) -> bool:
    if change.goal is Verb.DELETE:
        return found.status in DECLINED
    if change.goal is Verb.DISMISS:
        return bool(found.report_count)
    if change.mark is None:
        # What the service called spam by itself can be called so by a person: its author and the filter hear
        is_confirmed = change.to_status == Status.SPAM and found.is_quietly_declined
        return bool(found.status != change.to_status or is_confirmed)
    if not change.mark.is_set:
        return bool(getattr(found, change.mark.column))
    if change.goal is Verb.FLAG:
        return True
    is_shown = found.status == Status.APPROVED and getattr(found, change.mark.column) is None
    return is_shown and (change.goal is Verb.PICK or found.root_id is None)


def _do(session: Session, change: Change, rows: Sequence[Found], act: Act) -> list[Decision]:
    if change.to_status is not None:
        return _bring_to(session, change, change.to_status, rows, act)
    if change.mark is not None:
        return _mark(session, change.mark, rows, act)
    if change.goal is Verb.DISMISS:
        return _dismiss(session, rows, act)
    return _delete(session, rows, act)


def _bring_to(
    session: Session, change: Change, status: Status, rows: Sequence[Found], act: Act
) -> list[Decision]:
    values: dict[str, Any] = {"status": status, "status_changed_at": act.now, "is_quietly_declined": False}
    kept: tuple[str, ...] = STATUS_COLUMNS
    if status in DECLINED:
        kept, values["author_note"] = DECLINED_COLUMNS, act.note or None
    won = _change(session, rows, values)
    recount(session, [(row, status) for row in won])
    teachers = teach(session, won) if status == Status.APPROVED else set()
    reported = [row.id for row in won if row.report_count and status != Status.PENDING]
    settled = reports.settle(session, reported) if reported else {}
    said = [row.id for row in won if _says_what_it_is(change, row)]
    steps = learn(session, said, act.lessons, is_spam=status == Status.SPAM)
    told = lessons.put_down(session, said, is_spam=status == Status.SPAM, now=act.now)
    session.add_all(
        act.row(
            row,
            DECIDED,
            from_status=row.status,
            to_status=status,
            percent=_percent(change, row),
            details={"before": before(row, kept)}
            | ({"taught": True} if row.id in teachers else {})
            | (lesson(steps[row.id]) if row.id in steps else {})
            | told.get(row.id, {})
            | reports.told(settled.get(row.id)),
        )
        for row in won
    )
    return [decision(row, status) for row in won]


def _says_what_it_is(change: Change, row: Found) -> bool:
    """Whether somebody says by this that a comment is spam, or that it is honest."""
    is_freed = change.goal is Verb.NOT_SPAM and row.status == Status.SPAM
    return is_freed or change.to_status in (Status.APPROVED, Status.SPAM)


def _percent(change: Change, row: Found) -> int | None:
    """What the journal keeps of a comment that a person called honest, spam or worthless."""
    is_called = change.to_status == Status.TRASH or _says_what_it_is(change, row)
    is_judged = not row.is_letter and row.edits_id is None and row.moderator_id is None
    return row.spam_percent if is_called and is_judged else None


def _mark(session: Session, mark: Mark, rows: Sequence[Found], act: Act) -> list[Decision]:
    values: dict[str, Any] = {mark.column: act.now if mark.is_set else None}
    if mark.column == "flag_count":
        values = {"flag_count": Comment.flag_count + 1 if mark.is_set else 0}
    won = _change(session, rows, values)
    if mark.column != "flag_count":
        shows_otherwise(session, {row.thread_id: 0 for row in won if row.status == Status.APPROVED})
    session.add_all(act.row(row, mark.action, details={"before": before(row, [mark.column])}) for row in won)
    return [decision(row, row.status) for row in won]


def _dismiss(session: Session, rows: Sequence[Found], act: Act) -> list[Decision]:
    won = _change(session, rows, {})
    settled = reports.settle(session, [row.id for row in won])
    session.add_all(act.row(row, REPORTS_DISMISSED, details=reports.told(settled.get(row.id))) for row in won)
    return [decision(row, row.status) for row in won]


def _delete(session: Session, rows: Sequence[Found], act: Act) -> list[Decision]:
    remove(session, [row.id for row in rows])
    session.add_all(act.row(row, DELETED, from_status=row.status) for row in rows)
    return [decision(row, row.status) for row in rows]


def _change(session: Session, rows: Sequence[Found], values: dict[str, Any]) -> list[Found]:
    """Set columns of those that are still as they were found."""
    known = tuple_(Comment.id, Comment.version).in_([(row.id, row.version) for row in rows])
    changed = update(Comment).where(known, Comment.is_purged.is_(False))
    changed = changed.values(**values, version=Comment.version + 1).returning(Comment.id)
    ids = set(session.scalars(changed.execution_options(synchronize_session=False)))
    return [row for row in rows if row.id in ids]


@dataclass(frozen=True)
class _Repeated:
    """What a first click made of a wish that came once more, and the name for its undo, if it has one."""

    decision: Decision
    batch: str | None


def _batch_of(repeated: Mapping[Change, _Repeated]) -> str | None:
    """The one batch that the first clicks were; an answer that got lost must not lose its undo."""
    batches = {one.batch for change, one in repeated.items() if change.goal is not Verb.DELETE}
    return batches.pop() if len(batches) == 1 else None


def _repeated(
    session: Session, late: Sequence[Change], found: dict[int, Found], by: ModeratorView | None
) -> dict[Change, _Repeated]:
    """A click that came twice is no conflict: which of these wishes this person has just had fulfilled."""
    if by is None or not late:
        return {}
    mine = select(JournalRow).where(
        JournalRow.moderator_id == by.id,
        tuple_(JournalRow.comment_id, JournalRow.version).in_([(c.comment_id, c.version) for c in late]),
    )
    rows = {(row.comment_id, row.version): row for row in session.scalars(mine)}
    repeated: dict[Change, _Repeated] = {}
    for change in late:
        row = rows.get((change.comment_id, change.version))
        if row is not None and _is_same(row, change, found.get(change.comment_id)):
            before_it, after_it = row.from_status or Status.PENDING, found.get(change.comment_id)
            status = Status(after_it.status) if after_it is not None else Status(before_it)
            is_edit = row.action == EDIT_PUBLISHED
            made = Decision(change.comment_id, Status(before_it), status, change.version + 1, is_edit)
            repeated[change] = _Repeated(made, row.batch)
    return repeated


def _is_same(row: JournalRow, change: Change, now: Found | None) -> bool:
    if change.goal is Verb.DELETE:
        return row.action == DELETED
    if now is None or now.version != change.version + 1 or row.undoes_id is not None:
        return False
    if change.mark is not None:
        return row.action == change.mark.action
    if change.goal is Verb.DISMISS:
        return row.action == REPORTS_DISMISSED
    if row.action == EDIT_PUBLISHED:
        return change.to_status == Status.APPROVED
    return row.action == DECIDED and row.to_status == change.to_status
