"""What moderators can do to a comment by one click, and what each of these verbs changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from comments_service.vocabulary import Status

# The journal's words for what is no change of status
DELETED = "comment-deleted"  # the only one that cannot be taken back
EDITED = "comment-edited"
AUTHOR_EDITED = "comment-author-edited"  # by its author; the moderator, if any, let it pass
EDIT_PUBLISHED = "comment-edit-published"  # of the row that held such an edit until then
WITHDRAWN = "comment-withdrawn"  # by its author, for ever
MOVED = "comment-moved"
REPLIED = "comment-replied"
REPORTS_DISMISSED = "comment-reports-dismissed"
REPORTS_REOPENED = "comment-reports-reopened"  # by an undo alone


class Verb(StrEnum):
    """One click of a moderator's."""

    APPROVE = "approve"
    UNAPPROVE = "unapprove"
    SPAM = "spam"
    NOT_SPAM = "not_spam"
    TRASH = "trash"
    RESTORE = "restore"
    DELETE = "delete"
    PIN = "pin"
    UNPIN = "unpin"
    PICK = "pick"
    UNPICK = "unpick"
    FLAG = "flag"
    UNFLAG = "unflag"
    DISMISS = "dismiss"  # the reports of readers


@dataclass(frozen=True)
class Mark:
    """Something put on a comment, or taken off it: the journal's word for it, and its column."""

    action: str
    column: str
    is_set: bool


TO_STATUS = {
    Verb.APPROVE: Status.APPROVED,
    Verb.UNAPPROVE: Status.PENDING,
    Verb.SPAM: Status.SPAM,
    Verb.NOT_SPAM: Status.PENDING,
    Verb.TRASH: Status.TRASH,
    Verb.RESTORE: Status.PENDING,
}
MARKS = {
    Verb.PIN: Mark("comment-pinned", "pinned_at", True),
    Verb.UNPIN: Mark("comment-unpinned", "pinned_at", False),
    Verb.PICK: Mark("comment-picked", "picked_at", True),
    Verb.UNPICK: Mark("comment-unpicked", "picked_at", False),
    Verb.FLAG: Mark("comment-flagged", "flag_count", True),
    Verb.UNFLAG: Mark("comment-unflagged", "flag_count", False),
}
OPPOSITE = {
    one.action: other.action
    for one in MARKS.values()
    for other in MARKS.values()
    if one.column == other.column and one.is_set != other.is_set
} | {REPORTS_DISMISSED: REPORTS_REOPENED, REPORTS_REOPENED: REPORTS_DISMISSED}
DECLINED = frozenset({Status.SPAM, Status.TRASH})


@dataclass(frozen=True)
class Change:
    """What somebody wants of a comment, as it was shown in this version: a status, or a verb."""

    comment_id: int
    version: int
    goal: Status | Verb

    @property
    def to_status(self) -> Status | None:
        """The status it is to have; None when the wish is about something else."""
        return TO_STATUS.get(self.goal) if isinstance(self.goal, Verb) else self.goal

    @property
    def mark(self) -> Mark | None:
        """The mark it is to get or lose; None when the wish is about something else."""
        return MARKS.get(self.goal) if isinstance(self.goal, Verb) else None
