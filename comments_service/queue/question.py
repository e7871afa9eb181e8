"""What a moderator may ask the queue for: a view, an order, and what narrows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from comments_service.vocabulary import Status


class View(StrEnum):
    """A part of the queue. `all` is without spam and trash; `mine` holds what the asker wrote.

    `reported` holds what readers have reported, until somebody has settled it; `check` what the service
    took for spam by itself, until somebody has said whether it is.
    """

    ALL = "all"
    PENDING = "pending"
    APPROVED = "approved"
    SPAM = "spam"
    TRASH = "trash"
    MINE = "mine"
    REPORTED = "reported"
    CHECK = "check"

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Where the comments of this view stand."""
        if self in (View.ALL, View.MINE, View.REPORTED):
            return (Status.PENDING, Status.APPROVED)
        return (Status.SPAM,) if self == View.CHECK else (Status(self),)


class Sort(StrEnum):
    """An order of rows. Articles come the newest first, authors by name, risk the highest first.

    Doubt goes by the percentage of the signals alone: what they take least for spam comes first.
    """

    NEWEST = "newest"
    OLDEST = "oldest"
    ARTICLE = "article"
    AUTHOR = "author"
    RISK = "risk"
    DOUBT = "doubt"


@dataclass(frozen=True)
class QueueQuestion:
    """Which part of the queue, in which order, from where on.

    `author` and `network` are ids of comments: those of the same email, or from the same network, are
    meant. `reason` is a code. `q` is what was typed into the search. `cluster` shows the comments of one
    cluster each by itself.
    """

    view: View = View.PENDING
    site_key: str | None = None
    thread_id: int | None = None
    author: int | None = None
    network: int | None = None
    reason: str | None = None
    flagged: bool = False
    letters: bool = False
    edits: bool = False
    q: str = ""
    sort: Sort = Sort.NEWEST
    cursor: str | None = None
    cluster: int | None = None

    @property
    def collapses(self) -> bool:
        """Whether the waiting comments of a cluster are shown as one row: not where one asks for each."""
        asks_for_each = (self.cluster, self.author, self.network)
        return self.view == View.PENDING and all(one is None for one in asks_for_each)
