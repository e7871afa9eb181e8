"""Empties the spam or the trash: for good, and only of what the moderator's page had shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from comments_service.decisions.act import Act, new_batch
from comments_service.decisions.verbs import DECLINED, DELETED
from comments_service.errors import Malformed, NotAllowed, SiteNotFound
from comments_service.rights import require
from comments_service.storage.database import reading, transaction
from comments_service.storage.models import Comment
from comments_service.storage.removal import remove
from comments_service.storage.sites import find_site
from comments_service.vocabulary import ModeratorView, Role, Status

BATCH = 200  # short enough that nobody who posts meanwhile waits long


@dataclass(frozen=True)
class Shown:
    """What a page showed: one status, on one site or on all of the person's, as it was at that moment."""

    status: Status
    read_at: datetime
    site_key: str = ""


def count_shown(shown: Shown, *, by: ModeratorView) -> int:
    """How many comments an emptying would delete.

    Raises: Malformed for a status that is not emptied; NotAllowed; SiteNotFound.
    """
    here = _here(shown, by)
    with reading() as session:
        return session.scalar(select(func.count()).where(*here)) or 0


def empty(shown: Shown, *, by: ModeratorView, now: datetime) -> int:
    """Delete for ever what the page had shown and nobody has touched since; returns how many.

    Raises: as `count_shown`.
    """
    here, batch = _here(shown, by), new_batch()
    total = 0
    while count := _some(here, Act(by, now, batch=batch)):
        total += count
    return total


def _some(here: list[ColumnElement[bool]], act: Act) -> int:
    columns = (Comment.id, Comment.site_id, Comment.thread_id, Comment.version, Comment.status)
    with transaction() as session:
        old = select(*columns).where(*here).order_by(Comment.id).limit(BATCH)
        rows = session.execute(old.with_for_update(key_share=True)).all()
        remove(session, [row.id for row in rows])
        for row in rows:
            about = {"site_id": row.site_id, "thread_id": row.thread_id, "comment_id": row.id}
            told = {"version": row.version, "from_status": row.status, "subject": f"comment {row.id}"}
            session.add(act.line(DELETED, **about, **told))
    return len(rows)


def _here(shown: Shown, by: ModeratorView) -> list[ColumnElement[bool]]:
    if shown.status not in DECLINED:
        raise Malformed
    here: list[ColumnElement[bool]] = [
        Comment.status == shown.status,
        Comment.status_changed_at <= shown.read_at,  # what came later was on no page
        Comment.created_at <= shown.read_at,
        Comment.is_purged.is_(False),
    ]
    if shown.site_key:
        with reading() as session:
            site_id = find_site(session, shown.site_key).id
        if not by.access.may(Role.VIEWER, site_id):
            raise SiteNotFound
        require(by, Role.MODERATOR, site_id)
        here.append(Comment.site_id == site_id)
    elif (site_ids := by.access.sites(Role.MODERATOR)) is not None:
        if not site_ids:
            raise NotAllowed
        here.append(Comment.site_id.in_(site_ids))
    return here
