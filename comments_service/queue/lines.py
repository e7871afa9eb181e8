"""What a moderator sees of a comment: frozen values, with all it takes to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from comments_service.decisions.diff import Piece
from comments_service.opinions import Complaint
from comments_service.queue.question import QueueQuestion, View
from comments_service.spam.judge import Opinion
from comments_service.vocabulary import CommentView, Role, Seen, Status


@dataclass(frozen=True)
class ReasonLine:
    """One reason why the service put a comment where it stands.

    `words` are what it was held for, `version` and `scope` (site or article) name the rules that were
    asked; None and empty where the reason needs none of them.
    """

    code: str
    words: tuple[str, ...] = ()
    version: int | None = None
    scope: str | None = None


@dataclass(frozen=True)
class ArticleLine:
    """The article a comment belongs to, as the queue shows it.

    `is_open` is what moderators set, `is_old` says that its age has closed it; `takes_comments` is whether
    it does, with its site open as well.
    """

    thread_id: int
    site_key: str
    site_name: str
    title: str
    url: str
    is_open: bool
    is_old: bool
    takes_comments: bool
    approved_count: int
    pending_count: int


@dataclass(frozen=True)
class ParentLine:
    """The comment that this one answers. A name is missing when that comment is gone."""

    name: str | None
    excerpt: str
    permalink: str


@dataclass(frozen=True)
class EditLine:
    """The published comment that a row is an edit of, and how its words differ from what stands there."""

    of_id: int
    permalink: str
    changes: tuple[Piece, ...]


@dataclass(frozen=True)
class HistoryLine:
    """How many other comments with the same email this site has, by where they stand."""

    approved: int
    pending: int
    spam: int
    trash: int


@dataclass(frozen=True)
class ClusterLine:
    """The waiting comments that are nearly the same as this one; `size` counts it too.

    What is decided about them all goes no further than `seen`.
    """

    id: int
    size: int
    seen: Seen


@dataclass(frozen=True)
class ReportNote:
    """What one reader wrote beside the reason."""

    reason: Complaint
    text: str
    at: datetime


@dataclass(frozen=True)
class ReportLines:
    """The open reports of a comment: how many for each reason, and the latest notes."""

    count: int
    reasons: tuple[tuple[Complaint, int], ...]
    notes: tuple[ReportNote, ...]


@dataclass(frozen=True)
class QueueRow:
    """One comment in the queue. `excerpt` is set for long texts only, which are shown folded.

    `reasons` say why the service put it where it stands; empty once somebody has put it elsewhere.
    `is_caught`: the service took it for spam by itself, and nobody has said whether it is. `role` is what
    the asker may do about it, `cursor` where the list goes on after it. `history` is missing where there is
    no other comment with this email, `cluster` where it stands for itself alone, `edit` where it is a
    comment and not an edit of one, `reports` where none are open, `doubt` where nobody asked whether it is
    spam.
    """

    view: CommentView
    version: int
    masked_email: str | None
    excerpt: str | None
    reasons: tuple[ReasonLine, ...]
    article: ArticleLine
    parent: ParentLine | None
    badge: str | None
    history: HistoryLine | None
    is_letter: bool
    is_pinned: bool
    is_picked: bool
    is_caught: bool
    flag_count: int
    is_edited: bool
    risk: int
    cluster: ClusterLine | None
    edit: EditLine | None
    reports: ReportLines | None
    doubt: Opinion | None
    role: Role
    cursor: str

    @property
    def id(self) -> int:
        """The comment's own id."""
        return self.view.id

    @property
    def status(self) -> Status:
        """Where the comment stands."""
        return self.view.status


@dataclass(frozen=True)
class SiteLine:
    """One site to filter by."""

    key: str
    name: str


@dataclass(frozen=True)
class SurgeLine:
    """An article that gets far more comments than it usually does, just now. `holds`: they wait for that."""

    thread_id: int
    title: str
    began_at: datetime
    holds: bool


@dataclass(frozen=True)
class QueuePage:
    """One page of the queue, as it was at `read_at`. `surges` are those that last.

    `counts` are those of the site asked for, `waiting` counts all sites. `reasons` are the codes to
    filter by. A page that `is_given_up` has no rows, since it would have taken too long to find them.
    """

    question: QueueQuestion
    rows: tuple[QueueRow, ...]
    counts: Mapping[View, int]
    waiting: int
    sites: tuple[SiteLine, ...]
    reasons: tuple[str, ...]
    next_cursor: str | None
    read_at: datetime
    surges: tuple[SurgeLine, ...] = ()
    is_given_up: bool = False
