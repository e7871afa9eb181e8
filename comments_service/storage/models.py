"""The tables. Nothing here decides anything; times are aware UTC, hashes carry their key's number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from comments_service.vocabulary import SiteView, Status

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on both databases: SQLite forgets zones, so they are put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times and store the others as UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share: the names of their constraints."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UtcDateTime(), dict[str, Any]: JSON(), list[str]: JSON()},
    )


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
    publishes_known_authors: Mapped[bool] = mapped_column(default=False)
    max_depth: Mapped[int] = mapped_column(default=5)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

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
            publishes_known_authors=self.publishes_known_authors,
            max_depth=self.max_depth,
            version=self.version,
        )


class Thread(Base):
    """The comments of one article. A row exists from the first comment on."""

    __tablename__ = "thread"
    __table_args__ = (UniqueConstraint("site_id", "explicit_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    explicit_id: Mapped[str | None] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(String(300), default="")
    is_open: Mapped[bool] = mapped_column(default=True)
    approved_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class ThreadAlias(Base):
    """One address under which a thread is known, in normal form."""

    __tablename__ = "thread_alias"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    normalised_url: Mapped[str] = mapped_column(Text, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"), index=True)


class Comment(Base):
    """One comment. `text` is the source as typed; a purged one with replies stays as an empty place."""

    __tablename__ = "comment"
    __table_args__ = (
        Index("ix_comment_thread_shown", "thread_id", "root_id", "status", "created_at", "id"),
        Index("ix_comment_queue", "status", "site_id", "created_at", "id"),
        Index("ix_comment_twin", "thread_id", "twin_hash"),
        Index("ix_comment_network", "network_hash", "created_at"),
        Index("ix_comment_email", "site_id", "email_hash"),
        Index("ix_comment_site_time", "site_id", "created_at"),
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

    @property
    def state(self) -> Status:
        """The status as the word it is."""
        return Status(self.status)


class SubmissionKey(Base):
    """An idempotency key, the digest of the body it came with, and the answer it got."""

    __tablename__ = "submission_key"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), index=True)
    first_status: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(index=True)


class DecisionRow(Base):
    """One change of status: who, when, from, to, why. Outlives its comment, holds nothing personal of it."""

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    comment_id: Mapped[int] = mapped_column(index=True)
    comment_version: Mapped[int]
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    decided_at: Mapped[datetime] = mapped_column(index=True)
    from_status: Mapped[str] = mapped_column(String(10))
    to_status: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(200))


class AuditRow(Base):
    """What people with rights did apart from decisions: emails revealed, sign-ins, persons erased."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200), default="")


class Moderator(Base):
    """Somebody who may decide."""

    __tablename__ = "moderator"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class SignIn(Base):
    """A moderator's session; the cookie's secret is stored as a hash only."""

    __tablename__ = "sign_in"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class Canary(Base):
    """A known word sealed by each key: a start whose keys cannot open it is refused."""

    __tablename__ = "canary"

    key_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
