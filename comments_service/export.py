"""All of a site as JSON Lines: one object a line, in an order in which they can be read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from comments_service import export_lines as line
from comments_service.privacy import Keyring
from comments_service.storage.blocklists import BlockedEntry
from comments_service.storage.database import reading, transaction
from comments_service.storage.decisions import Revision, Standing
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.outbox import LetterWish
from comments_service.storage.people import Grant, Moderator
from comments_service.storage.rules import RuleSet
from comments_service.storage.sites import find_site

BATCH = 500  # rows in memory at once
Row = TypeVar("Row", Thread, Comment, RuleSet, Standing, BlockedEntry, JournalRow)


def export_site(key: str, *, keys: Keyring | None, now: datetime) -> Iterator[str]:
    """Give the lines, all of one instant; parents before replies. With `keys`, emails are opened.

    Every export leaves an audit row, which is not among the lines. Raises: SiteNotFound, KeyRefused.
    """
    with transaction() as session:
        site_id = find_site(session, key).id
        subject = f"site {key}" + (", with emails" if keys else "")
        row = JournalRow(happened_at=now, action="site-exported", site_id=site_id, subject=subject)
        session.add(row)
        session.flush()
        until = row.id
    with reading() as session:
        site = find_site(session, key)
        for part in _parts(session, site, keys, now, until):
            yield json.dumps(part, ensure_ascii=False)


def _parts(
    session: Session, site: Site, keys: Keyring | None, now: datetime, until: int
) -> Iterator[dict[str, Any]]:
    yield line.site(site, now)
    site_id = site.id
    names: dict[int | None, str] = dict(session.execute(select(Moderator.id, Moderator.name)).all())
    for thread in _all(session, select(Thread).where(Thread.site_id == site_id), Thread.id):
        yield line.thread(session, thread)
    for rules in _all(session, select(RuleSet).where(RuleSet.site_id == site_id), RuleSet.id):
        yield line.rules(rules, names)
    for comment in _all(session, select(Comment).where(Comment.site_id == site_id), Comment.id):
        yield line.comment(comment, keys)
    for revision in _revisions(session, site_id):
        yield line.revision(revision, names)
    for standing in _all(session, select(Standing).where(Standing.site_id == site_id), Standing.id):
        yield line.standing(standing, _known_by(session, standing), names, is_full=keys is not None)
    for entry in _all(session, select(BlockedEntry).where(BlockedEntry.site_id == site_id), BlockedEntry.id):
        yield line.blocked_entry(entry, names, is_full=keys is not None)
    yield from _people(session, site_id)
    done = select(JournalRow).where(JournalRow.site_id == site_id, JournalRow.id < until)
    for row in _all(session, done, JournalRow.id):
        yield line.decision(row, names) if row.action == DECIDED else line.event(row, names)


def _all(session: Session, rows: Select[Row], identity: InstrumentedAttribute[int]) -> Iterator[Row]:
    """Every row by ascending id, a batch in memory at a time. Replies have higher ids than their parents."""
    last = 0
    while batch := session.scalars(rows.where(identity > last).order_by(identity).limit(BATCH)).all():
        last = batch[-1].id
        yield from batch
        session.expunge_all()


def _revisions(session: Session, site_id: int) -> Iterator[Revision]:
    """The words of comments that were edited, from what their authors sent on."""
    place = tuple_(Revision.comment_id, Revision.number)
    rows = select(Revision).join(Comment, Comment.id == Revision.comment_id)
    rows = rows.where(Comment.site_id == site_id).order_by(Revision.comment_id, Revision.number).limit(BATCH)
    last = (0, 0)
    while batch := session.scalars(rows.where(place > last)).all():
        last = (batch[-1].comment_id, batch[-1].number)
        yield from batch
        session.expunge_all()


def _known_by(session: Session, standing: Standing) -> int | None:
    """A comment that shows by its author whom a ban or a trust is about; hashes mean nothing elsewhere."""
    if standing.root_id is not None:
        return standing.root_id
    if standing.hash is None:
        return None
    trace = or_(Comment.email_hash == standing.hash, Comment.network_hash == standing.hash)
    return session.scalar(select(func.max(Comment.id)).where(Comment.site_id == standing.site_id, trace))


def _people(session: Session, site_id: int) -> Iterator[dict[str, Any]]:
    """Who has a role on this very site, or wishes about its letters."""
    rows = (
        select(Moderator.name, Grant.role, LetterWish.wish)
        .outerjoin(Grant, (Grant.moderator_id == Moderator.id) & (Grant.site_id == site_id))
        .outerjoin(LetterWish, (LetterWish.moderator_id == Moderator.id) & (LetterWish.site_id == site_id))
        .where(Moderator.removed_at.is_(None), or_(Grant.id.is_not(None), LetterWish.wish.is_not(None)))
        .order_by(Moderator.id)
    )
    for row in session.execute(rows):
        yield line.person(row.name, row.role, row.wish)
