"""All of a site as JSON Lines: one object a line, in an order in which they can be read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from comments_service.privacy import Keyring
from comments_service.storage.database import reading, transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import (
    Comment,
    Site,
    Thread,
    ThreadAlias,
)
from comments_service.storage.people import Moderator
from comments_service.storage.sites import find_site
from comments_service.submit import EMAIL_COLUMN

FORMAT = 1
BATCH = 500  # rows in memory at once
Row = TypeVar("Row", Thread, Comment, JournalRow)


def export_site(key: str, *, keys: Keyring | None, now: datetime) -> Iterator[str]:
    """Give the lines, all of one instant; parents before replies. With `keys`, emails are opened.

    Every export leaves an audit row. Raises: SiteNotFound, KeyRefused.
    """
    with transaction() as session:
        site_id = find_site(session, key).id
        subject = f"site {key}" + (", with emails" if keys else "")
        session.add(JournalRow(happened_at=now, action="site-exported", site_id=site_id, subject=subject))
    with reading() as session:
        site = find_site(session, key)
        for part in _parts(session, site, keys, now):
            yield json.dumps(part, ensure_ascii=False)


def _parts(session: Session, site: Site, keys: Keyring | None, now: datetime) -> Iterator[dict[str, Any]]:
    yield _site(site, now)
    site_id = site.id
    for thread in _all(session, select(Thread).where(Thread.site_id == site_id), Thread.id):
        yield _thread(session, thread)
    for comment in _all(session, select(Comment).where(Comment.site_id == site_id), Comment.id):
        yield _comment(comment, keys)
    names = {row.id: row.name for row in session.scalars(select(Moderator))}
    decided = select(JournalRow).where(JournalRow.site_id == site_id, JournalRow.action == DECIDED)
    for row in _all(session, decided, JournalRow.id):
        yield _decision(row, names)


def _all(session: Session, rows: Select[Row], identity: InstrumentedAttribute[int]) -> Iterator[Row]:
    """Every row by ascending id, a batch in memory at a time. Replies have higher ids than their parents."""
    last = 0
    while batch := session.scalars(rows.where(identity > last).order_by(identity).limit(BATCH)).all():
        last = batch[-1].id
        yield from batch
        session.expunge_all()


def _site(site: Site, now: datetime) -> dict[str, Any]:
    return {
        "type": "site",
        "format": FORMAT,
        "exported_at": _time(now),
        "key": site.key,
        "name": site.name,
        "origins": site.origins,
        "language": site.language,
        "texts": site.texts,
        "required": list(site.view().required),
        "open": site.is_open,
        "letters": site.takes_letters,
        "rules": site.view().rules.stored(),
        "created_at": _time(site.created_at),
    }


def _thread(session: Session, thread: Thread) -> dict[str, Any]:
    aliases = select(ThreadAlias.normalised_url).where(ThreadAlias.thread_id == thread.id)
    return {
        "type": "thread",
        "id": thread.id,
        "article_id": thread.explicit_id,
        "url": thread.url,
        "aliases": sorted(session.scalars(aliases)),
        "title": thread.title,
        "open": thread.is_open,
        "rules": thread.rules,
        "created_at": _time(thread.created_at),
    }


def _comment(comment: Comment, keys: Keyring | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "type": "comment",
        "id": comment.id,
        "thread": comment.thread_id,
        "parent": comment.parent_id,
        "status": comment.status,
        "removed": comment.is_purged,
        "letter": comment.is_letter,
        "name": comment.name,
        "website": comment.website,
        "text": comment.text,
        "page_url": comment.page_url,
        "reason": comment.verdict_reason,
        "verdict": comment.verdict,
        "created_at": _time(comment.created_at),
        "status_changed_at": _time(comment.status_changed_at),
        "edited_at": _time(comment.edited_at) if comment.edited_at else None,
        "pinned": comment.pinned_at is not None,
        "picked": comment.picked_at is not None,
        "by_moderator": comment.moderator_id is not None,
    }
    if keys is not None:
        sealed = comment.email_sealed
        line["email"] = keys.open(sealed, column=EMAIL_COLUMN) if sealed else None
    return line


def _decision(row: JournalRow, names: dict[int, str]) -> dict[str, Any]:
    return {
        "type": "decision",
        "comment": row.comment_id,
        "moderator": names.get(row.moderator_id) if row.moderator_id else None,
        "from": row.from_status,
        "to": row.to_status,
        "reason": row.reason,
        "decided_at": _time(row.happened_at),
    }


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
