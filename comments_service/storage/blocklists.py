"""The table of what sites keep on their blocklists."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Row,
    String,
    Text,
    TextClause,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from comments_service.storage.base import Base, UtcDateTime


def _where_there_is(column: str, *before: str, is_unique: bool = False) -> Index:
    """An index without the rows that have no such value.

    With them, a database that does not know its table well takes the wrong index, and reads all of a list.
    """
    there = text(f"{column} IS NOT NULL")
    name = f"ix_blocked_entry_{column}"
    return Index(name, *before, column, unique=is_unique, postgresql_where=there, sqlite_where=there)


class BlockedEntry(Base):
    """One entry of a site's blocklists: a word, a domain, a network or an address.

    Words and domains have their `folded` form, in which they are compared; networks and addresses a keyed
    `hash` alone, and `shown` is no more than a mask of them. `batch` is the act that put it there. It holds
    until `expires_at`, or until it is taken off, and can be brought back for some days. `removed_batch` is
    the act that took it off last, also where it was brought back since.
    """

    __tablename__ = "blocked_entry"
    __table_args__ = (
        _where_there_is("folded", "site_id", "kind", is_unique=True),
        _where_there_is("hash", "site_id", "kind", is_unique=True),
        Index("ix_blocked_entry_site", "site_id", "id"),
        _where_there_is("expires_at"),
        _where_there_is("removed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    shown: Mapped[str] = mapped_column(String(260))
    folded: Mapped[str | None] = mapped_column(Text)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    action: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime | None]
    made_at: Mapped[datetime]
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    batch: Mapped[str] = mapped_column(String(22))
    removed_at: Mapped[datetime | None]
    removed_batch: Mapped[str | None] = mapped_column(String(22))


def holds(site_id: int, now: datetime) -> ColumnElement[bool]:
    """Which entries of a site count."""
    is_over = BlockedEntry.expires_at <= now
    return and_(
        BlockedEntry.site_id == site_id,
        BlockedEntry.removed_at.is_(None),
        or_(BlockedEntry.expires_at.is_(None), ~is_over),
    )


@dataclass(frozen=True)
class Marks:
    """By what a comment may be met: words and domains in folded form, hashes of its address and network."""

    words: Collection[str]
    domains: Collection[str]
    addresses: Collection[bytes]
    networks: Collection[bytes]


def entries_met(session: Session, site_id: int, marks: Marks, *, now: datetime) -> Sequence[Row[Any]]:
    """The entries of a site that count, and have one of these marks: id, kind, shown, action.

    The statement is always the same, whatever a comment has: every comment waits for it.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    folded = {"words": sorted(marks.words), "domains": sorted(marks.domains)}
    texts = {name: texts if is_postgresql else json.dumps(texts) for name, texts in folded.items()}
    hashes = {"addresses": list(marks.addresses), "networks": list(marks.networks)}
    asked = {"site": site_id, "now": now, **texts, **hashes}
    return session.execute(_MET["postgresql" if is_postgresql else "sqlite"], asked).all()


def _met(folded_in: str) -> TextClause:
    holds = "removed_at IS NULL AND (expires_at IS NULL OR expires_at > :now)"
    conditions = {
        "word": folded_in.format("words"),
        "domain": folded_in.format("domains"),
        "address": "hash IN :addresses",
        "network": "hash IN :networks",
    }
    parts = [
        f"SELECT id, kind, shown, action FROM blocked_entry WHERE site_id = :site AND kind = '{kind}'"  # noqa: S608
        f" AND {condition} AND {holds}"
        for kind, condition in conditions.items()
    ]
    statement = text(" UNION ALL ".join(parts))
    hashes = (bindparam(name, type_=LargeBinary(), expanding=True) for name in ("addresses", "networks"))
    return statement.bindparams(bindparam("now", type_=UtcDateTime()), *hashes)


_MET = {
    "postgresql": _met("folded = ANY(CAST(:{} AS text[]))"),
    "sqlite": _met("folded IN (SELECT value FROM json_each(:{}))"),
}


def folded_among(session: Session, values: Collection[str]) -> ColumnElement[bool]:
    """Which entries have one of these forms, however many: they are one parameter, not one each."""
    if session.get_bind().dialect.name == "postgresql":
        return BlockedEntry.folded == any_(literal(list(values), ARRAY(Text)))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return BlockedEntry.folded.in_(select(each.c.value))
