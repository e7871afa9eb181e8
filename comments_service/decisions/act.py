"""Who does something, when and why, and the journal's row about it: shared by all the moderators' verbs."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from comments_service.errors import NotAllowed
from comments_service.spam.learning import Lessons
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment
from comments_service.vocabulary import Decision, ModeratorView, Role, Status

MAX_REASON_CHARACTERS = 200
COLUMNS = (
    *(Comment.id, Comment.site_id, Comment.thread_id, Comment.parent_id, Comment.root_id, Comment.depth),
    *(Comment.page_url, Comment.version, Comment.status, Comment.status_changed_at, Comment.is_purged),
    *(Comment.is_letter, Comment.is_quietly_declined, Comment.pinned_at, Comment.picked_at),
    *(Comment.flag_count, Comment.edited_at, Comment.edits_id, Comment.author_note, Comment.report_count),
    *(Comment.moderator_id, Comment.spam_percent),
)
Found = Row[*tuple[Any, ...]]


def new_batch() -> str:
    """A name for what is done, and taken back, together."""
    return secrets.token_urlsafe(16)


class Why(StrEnum):
    """Why a wish changed nothing."""

    GONE = "gone"
    CHANGED = "changed"
    LETTER = "letter"
    EDIT = "edit"  # an author's edit is no comment: it can be published or declined, and nothing else
    OVERTAKEN = "overtaken"  # what an edit was meant for does not stand any more as it did
    UNFIT = "unfit"
    UNDONE = "undone"
    TRACELESS = "traceless"  # its author is not known by the trace that was asked for
    FULL = "full"  # a blocklist has no room for what would come back
    ELSEWHERE = "elsewhere"  # not the comment was changed since, but its article or its author's standing


@dataclass(frozen=True)
class Late:
    """A comment about which somebody wanted something that could not be done."""

    comment_id: int
    why: Why


@dataclass(frozen=True)
class Outcome:
    """What took effect, what this person had just done already, and what came too late.

    `batch` names it all, for the undo; it is None when there is nothing to take back. `count` is of what
    was done to something else than comments.
    """

    batch: str | None = None
    done: tuple[Decision, ...] = ()
    repeated: tuple[Decision, ...] = ()
    late: tuple[Late, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Undone:
    """What was taken back: comments, and how many things in all. `batch` names the undo, for the redo.

    `is_redo`: what was taken back was itself an undo.
    """

    batch: str | None = None
    count: int = 0
    done: tuple[Decision, ...] = ()
    late: tuple[Late, ...] = ()
    is_redo: bool = False


@dataclass(frozen=True)
class Act:
    """Who does something (None is the operator, or the service itself), when, why, and in which batch.

    `note` is what an author whose comment is declined shall read. `lessons` are what the site's filter learns
    from it; whoever opens the transaction writes them at its end.
    """

    by: ModeratorView | None
    now: datetime
    reason: str = ""
    batch: str = field(default_factory=new_batch)
    note: str = ""
    lessons: Lessons = field(default_factory=Lessons)

    def row(self, of: Found | Comment, action: str, /, **more: Any) -> JournalRow:
        """The journal's row about a comment as it was before; `more` are further columns."""
        about = {"site_id": of.site_id, "thread_id": of.thread_id, "comment_id": of.id, "version": of.version}
        return self.line(action, **about | {"subject": f"comment {of.id}"} | more)

    def line(self, action: str, /, **columns: Any) -> JournalRow:
        """The journal's row about anything else."""
        return JournalRow(
            happened_at=self.now,
            moderator_id=self.by.id if self.by else None,
            action=action,
            reason=self.reason[:MAX_REASON_CHARACTERS],
            batch=self.batch,
            **columns,
        )


def locked(session: Session, ids: Collection[int], by: ModeratorView | None) -> dict[int, Found]:
    """These comments as they are now, by id; they change no more until the transaction ends.

    Those of sites that the person has no business on are as if they were not there.

    Raises: NotAllowed for a site where the person may only look.
    """
    found: dict[int, Found] = {}
    # One order for all, so that nobody waits in a circle; a lock that lets replies in
    wanted = select(*COLUMNS).where(Comment.id.in_(ids)).order_by(Comment.id)
    for row in session.execute(wanted.with_for_update(key_share=True)):
        if not row.is_purged and (by is None or by.access.may(Role.VIEWER, row.site_id)):
            found[row.id] = row
    refuse_onlookers(by, {row.site_id for row in found.values()})
    return found


def refuse_onlookers(by: ModeratorView | None, site_ids: Iterable[int]) -> None:
    """Let pass who may decide on all of these sites.

    Raises: NotAllowed.
    """
    if by is not None and not all(by.access.may(Role.MODERATOR, site_id) for site_id in site_ids):
        raise NotAllowed


def before(found: Found | Comment, names: Iterable[str]) -> dict[str, Any]:
    """Some columns as the journal keeps them, to bring them back by `restored`."""
    return {name: _plain(getattr(found, name)) for name in names}


def restored(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as they were when `before` kept them."""
    return {name: _moment(name, value) for name, value in kept.items()}


def decision(of: Found | Comment, to_status: str, *, is_edit: bool = False) -> Decision:
    """What happened to a comment, told to whoever did it."""
    return Decision(of.id, Status(of.status), Status(to_status), of.version + 1, is_edit)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _moment(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
