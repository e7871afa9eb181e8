"""The tables of what readers see and send. Nothing here decides anything; hashes carry their key's number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.options import Options
from comments_service.storage.base import Base
from comments_service.vocabulary import NOT_JUDGED, Rules, SiteView, Status

_WITHIN_CLUSTER = ("cluster_id", "site_id", "status", "created_at", "id")


def _some(condition: str, name: str, *columns: str) -> Index:
    """An index of some rows only: queries must repeat its condition word for word."""
    on_sqlite = condition.replace("IS true", "IS 1")
    return Index(name, *columns, postgresql_where=text(condition), sqlite_where=text(on_sqlite))


class Site(Base):
    """One web site that shows comments."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    origins: Mapped[list[str]]
    language: Mapped[str] = mapped_column(String(35), default="en")
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    name_required: Mapped[bool] = mapped_column(default=True)
    email_required: Mapped[bool] = mapped_column(default=True)
    is_open: Mapped[bool] = mapped_column(default=True)
    takes_letters: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rules_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    blocklist_version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    @property
    def max_depth(self) -> int:
        """How deep replies are shown where the article has no rule of its own."""
        return Rules.of(self.rules).max_depth

    def view(self) -> SiteView:
        """The site as the rooms above know it."""
        return SiteView(
            id=self.id,
            key=self.key,
            name=self.name,
            origins=tuple(self.origins),
            language=self.language,
            texts=self.texts,
            name_required=self.name_required,
            email_required=self.email_required,
            is_open=self.is_open,
            rules=Rules.of(self.rules),
            rules_version=self.rules_version,
            takes_letters=self.takes_letters,
            options=Options.of(self.options),
            version=self.version,
            blocklist_version=self.blocklist_version,
        )


class Thread(Base):
    """The comments of one article. A row exists from the first comment on.

    `rules` are those it has instead of its site's; their version is 0 until there were any.
    """

    __tablename__ = "thread"
    __table_args__ = (UniqueConstraint("site_id", "explicit_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    explicit_id: Mapped[str | None] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(String(300), default="")
    is_open: Mapped[bool] = mapped_column(default=True)
    approved_count: Mapped[int] = mapped_column(default=0)
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rules_version: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class ThreadAlias(Base):
    """One address under which a thread is known, in normal form."""

    __tablename__ = "thread_alias"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    normalised_url: Mapped[str] = mapped_column(Text, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"), index=True)


class Comment(Base):
    """One comment. `text` is the source as typed; a purged one with replies stays as an empty place.

    `moderator_id` is set on moderators' own replies. A letter is for the editors alone and can never be
    approved. One that the service declined by itself (`is_quietly_declined`) is told to its author as
    waiting until a person decides. `risk` is 0 to 100; `spam_percent` says how likely its signals alone take
    it for spam. `proven_root_id` is the first of the comments that this author proved by receipts.
    `signer_hash` is of the id under which the owner's site knows the author, where it signed the name.
    `verdict` holds `reasons` and `facts` of the automatic decision.
    A row with `edits_id` is no comment but an author's edit of that one, which waits beside it and can never
    be approved itself. `author_note` is what a moderator who declined it wants its author to read.
    `up_count` and `down_count` are the votes of readers; `votes.cast` alone changes them. `report_count`
    is of the reports that nobody has settled, `raised_risk` what of its `risk` comes from these.
    """

    __tablename__ = "comment"
    __table_args__ = (
        Index("ix_comment_thread_shown", "thread_id", "root_id", "status", "created_at", "id"),
        Index("ix_comment_queue", "status", "site_id", "created_at", "id"),
        Index("ix_comment_twin", "thread_id", "twin_hash"),
        Index("ix_comment_network", "network_hash", "created_at"),
        Index("ix_comment_queue_article", "status", "site_id", "thread_id", "created_at", "id"),
        Index("ix_comment_queue_author", "status", "site_id", "name", "created_at", "id"),
        Index("ix_comment_queue_risk", "status", "site_id", "risk", "created_at", "id"),
        Index("ix_comment_queue_doubt", "status", "site_id", "spam_percent", "created_at", "id"),
        _some("signer_hash IS NOT NULL", "ix_comment_signer", "site_id", "signer_hash", "status"),
        Index("ix_comment_email", "site_id", "email_hash", "status"),
        _some("cluster_id IS NOT NULL", "ix_comment_cluster", *_WITHIN_CLUSTER),
        _some("moderator_id IS NOT NULL", "ix_comment_moderator", "moderator_id", "created_at"),
        _some("flag_count > 0", "ix_comment_flagged", "site_id", "id"),
        _some("report_count > 0", "ix_comment_reported", "site_id", "id"),
        _some("is_quietly_declined IS true", "ix_comment_caught", "site_id", "status"),
        _some("is_letter IS true", "ix_comment_letters", "site_id", "id"),
        _some("edits_id IS NOT NULL", "ix_comment_edits", "edits_id", "id"),
        _some("edits_id IS NOT NULL", "ix_comment_edits_of_site", "site_id", "created_at"),
        _some("pinned_at IS NOT NULL", "ix_comment_pinned", "thread_id", "pinned_at"),
        _some("picked_at IS NOT NULL", "ix_comment_picked", "thread_id", "picked_at"),
        _some("is_purged IS true", "ix_comment_purged", "site_id", "status"),
        Index("ix_comment_site_time", "site_id", "created_at"),
        Index("ix_comment_thread_time", "thread_id", "created_at", "verdict_reason"),
        CheckConstraint("NOT (is_letter AND status = 'approved')", name="letters_stay_inside"),
        CheckConstraint("NOT (edits_id IS NOT NULL AND status = 'approved')", name="edits_stay_beside"),
        {"sqlite_autoincrement": True},  # an id is never used twice: old receipts must not open new comments
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    root_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    depth: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(245))
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    website: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    page_url: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))
    verdict_reason: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=1)
    twin_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    network_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    status_changed_at: Mapped[datetime]
    is_purged: Mapped[bool] = mapped_column(default=False)
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    is_letter: Mapped[bool] = mapped_column(default=False)
    is_quietly_declined: Mapped[bool] = mapped_column(default=False)
    pinned_at: Mapped[datetime | None]
    picked_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    flag_count: Mapped[int] = mapped_column(default=0)
    risk: Mapped[int] = mapped_column(default=0)
    spam_percent: Mapped[int] = mapped_column(default=NOT_JUDGED)
    cluster_id: Mapped[int | None]
    proven_root_id: Mapped[int | None]
    badge: Mapped[str | None] = mapped_column(String(10))
    signer_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    verdict: Mapped[dict[str, Any]] = mapped_column(default=dict)
    edits_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    author_note: Mapped[str | None] = mapped_column(String(500))
    up_count: Mapped[int] = mapped_column(default=0)
    down_count: Mapped[int] = mapped_column(default=0)
    report_count: Mapped[int] = mapped_column(default=0)
    raised_risk: Mapped[int] = mapped_column(default=0)

    @property
    def state(self) -> Status:
        """The status as the word it is."""
        return Status(self.status)


class ThreadRoot(Base):
    """A top-level comment that readers see, in its order, with the number of approved replies below it.

    It is there while the comment is approved, or while its place is needed by replies: so a page of a thread
    is one stretch of an index, whatever else the article was sent. `rank` is the votes against it less those
    for it: what is liked comes first, as what is old does. `roots.show_roots` and `votes.cast` write it.
    """

    __tablename__ = "thread_root"
    __table_args__ = (
        Index("ix_thread_root_order", "thread_id", "created_at", "comment_id"),
        Index("ix_thread_root_top", "thread_id", "rank", "created_at", "comment_id"),
    )

    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"))
    created_at: Mapped[datetime]
    replies: Mapped[int]
    rank: Mapped[int] = mapped_column(default=0)


class CommentReason(Base):
    """One reason why the service put a comment where it stands: for filters, beside `Comment.verdict`."""

    __tablename__ = "comment_reason"
    __table_args__ = (Index("ix_comment_reason_code", "code", "comment_id"),)

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)


class SubmissionKey(Base):
    """An idempotency key, the digest of the body it came with, and the answer it got."""

    __tablename__ = "submission_key"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), index=True)
    first_status: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(index=True)


class Canary(Base):
    """A known word sealed by each key: a start whose keys cannot open it is refused."""

    __tablename__ = "canary"

    key_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
