"""One comment for its author: whatever its status, with what can still be done about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.errors import CommentNotFound
from comments_service.snapshot.views import comment_view
from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.rules import in_force
from comments_service.vocabulary import CommentView, SiteView, Status


@dataclass(frozen=True)
class OwnEdit:
    """An edit that lies beside a published comment: it waits, or a moderator declined it."""

    status: Status
    text: str
    note: str | None


@dataclass(frozen=True)
class OwnComment:
    """A comment as its author may know it.

    `text` is the source, `editable_until` is None where nothing can be changed any more. `note` is what the
    moderator who declined it wrote for its author.
    """

    site: SiteView
    view: CommentView
    text: str
    editable_until: datetime | None
    is_withdrawable: bool
    edit: OwnEdit | None
    note: str | None

    @property
    def status(self) -> Status:
        """Where it stands, as far as its author is told."""
        return self.view.status


def own_comment(site_key: str, comment_id: int, *, now: datetime) -> OwnComment:
    """One comment for its author. Who may see it is the caller's to prove.

    One that the service declined by itself is told as waiting until a person decides.

    Raises: CommentNotFound.
    """
    mine = select(Comment, Thread, Site).join(Thread, Thread.id == Comment.thread_id)
    mine = mine.join(Site, Site.id == Comment.site_id).where(Comment.id == comment_id)
    with reading() as session:
        row = session.execute(mine.where(Comment.is_purged.is_(False), Comment.edits_id.is_(None))).first()
        if row is None or row.Site.key != site_key:
            raise CommentNotFound
        comment, site = row.Comment, row.Site.view()
        depth = min(comment.depth, in_force(site, row.Thread).rules.max_depth)
        has_votes = site.options.has_votes
        view = comment_view(comment, comment.page_url, depth, is_own=True, has_votes=has_votes)
        return OwnComment(
            site=site,
            view=replace(view, status=told(comment)),
            text=comment.text,
            editable_until=editable_until(comment, site.options.edit_minutes, now),
            is_withdrawable=is_withdrawable(comment, site.options.edit_minutes, now),
            edit=_edit(session, comment),
            note=_note(comment),
        )


def told(comment: Comment) -> Status:
    """Where a comment stands, as far as its author is told."""
    return Status.PENDING if comment.is_quietly_declined else comment.state


def editable_until(comment: Comment, minutes: int, now: datetime) -> datetime | None:
    """Until when its author may change it; None where that is over, or it was declined."""
    ends = comment.created_at + timedelta(minutes=minutes)
    return ends if now < ends and told(comment).told != "declined" else None


def is_withdrawable(comment: Comment, minutes: int, now: datetime) -> bool:
    """Whether its author may withdraw it: what waits, at any time."""
    return told(comment) == Status.PENDING or now < comment.created_at + timedelta(minutes=minutes)


def latest_edit(session: Session, comment_id: int) -> Comment | None:
    """The last edit that was put beside a comment, wherever it stands."""
    edits = select(Comment).where(Comment.edits_id == comment_id, Comment.is_purged.is_(False))
    return session.scalars(edits.order_by(Comment.id.desc()).limit(1)).first()


def _edit(session: Session, comment: Comment) -> OwnEdit | None:
    """The edit that is of interest still: not one that was published, or that a later one has overtaken."""
    edit = latest_edit(session, comment.id) if comment.status == Status.APPROVED else None
    if edit is None:
        return None
    is_over = comment.edited_at is not None and comment.edited_at > edit.created_at
    if told(edit) != Status.PENDING and is_over:
        return None
    return OwnEdit(told(edit), edit.text, _note(edit))


def _note(comment: Comment) -> str | None:
    return comment.author_note if told(comment).told == "declined" else None
