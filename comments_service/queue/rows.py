"""Turns comments into the rows of a page: everything that it takes to decide about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from comments_service import markup
from comments_service.decisions.diff import word_diff
from comments_service.errors import KeyRefused
from comments_service.privacy import Keyring, mask_email
from comments_service.queue.around import Around, around
from comments_service.queue.lines import ArticleLine, EditLine, ParentLine, QueueRow, ReasonLine
from comments_service.queue.order import cursor_after
from comments_service.queue.question import Sort
from comments_service.snapshot.views import comment_view, permalink
from comments_service.spam.judge import Opinion
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.rules import in_force
from comments_service.submit import EMAIL_COLUMN
from comments_service.vocabulary import Access, Badge, Role, Status

LONG_TEXT_CHARACTERS = 1_200  # longer ones are folded, so that one comment does not fill the page
EXCERPT_CHARACTERS = 280
UNREADABLE_EMAIL = "•••"
EXPLAINED: dict[str, tuple[Status, ...]] = {
    "known-author": (Status.APPROVED,),
    "trusted": (Status.APPROVED,),
    "no-rule": (Status.APPROVED,),
    "refused-word": (Status.SPAM, Status.TRASH),
    "listed-refused": (Status.SPAM, Status.TRASH),
    "spam": (Status.SPAM, Status.TRASH),
    "banned": (Status.SPAM, Status.TRASH),
}  # where a reason puts a comment; every other one lets it wait
DOUBTS = ("maybe-spam", "spam")
REASONS = (
    *("every-comment-waits", "newcomer", "links", "held-word", "listed", "imitates-staff", "surge", "letter"),
    *("maybe-spam", "no-proof", "neighbour-away"),
    *EXPLAINED,
)  # in the order in which a page offers them


@dataclass(frozen=True)
class Lens:
    """Who looks, when, in which order, and whether clusters are shown as one row."""

    access: Access
    keys: Keyring
    now: datetime
    sort: Sort = Sort.NEWEST
    collapses: bool = False


def rows_of(session: Session, ids: Sequence[int], lens: Lens) -> tuple[QueueRow, ...]:
    """The rows of these comments in the order of `ids`, less those that are gone or not to be seen."""
    parent: Any = aliased(Comment, name="parent")
    found = (
        select(Comment, Thread, Site, parent)
        .join(Thread, Thread.id == Comment.thread_id)
        .join(Site, Site.id == Comment.site_id)
        .outerjoin(parent, parent.id == Comment.parent_id)
        .where(Comment.id.in_(ids), Comment.is_purged.is_(False))
    )
    if (site_ids := lens.access.sites()) is not None:
        found = found.where(Comment.site_id.in_(site_ids))
    by_id = {row.Comment.id: row for row in session.execute(found)}
    edited = _edited(session, [row.Comment for row in by_id.values()])
    known = around(session, [row.Comment for row in by_id.values()], with_clusters=lens.collapses)
    rows = (by_id[number] for number in ids if number in by_id)
    return tuple(
        _row(row.Comment, row.Thread, row.Site, row.parent or edited.get(row.Comment.edits_id), known, lens)
        for row in rows
    )


def _edited(session: Session, comments: Sequence[Comment]) -> dict[int | None, Comment]:
    """The comments that these, as far as they are edits, want to change."""
    ids = {comment.edits_id for comment in comments if comment.edits_id is not None}
    if not ids:
        return {}
    return {one.id: one for one in session.scalars(select(Comment).where(Comment.id.in_(ids)))}


def _row(
    comment: Comment, thread: Thread, site: Site, above: Comment | None, known: Around, lens: Lens
) -> QueueRow:
    """One row; `above` is what the comment answers, or what it is an edit of."""
    is_edit = comment.edits_id is not None
    is_long = len(comment.text) > LONG_TEXT_CHARACTERS
    return QueueRow(
        view=comment_view(comment, comment.page_url, min(comment.depth, site.max_depth), is_own=True),
        version=comment.version,
        masked_email=_masked(comment, lens.keys),
        excerpt=markup.excerpt(comment.text, EXCERPT_CHARACTERS) if is_long else None,
        reasons=tuple(_reasons(comment)),
        article=_article(thread, site, known, lens),
        badge=Badge.MODERATOR if comment.moderator_id is not None else comment.badge,
        parent=_parent(above) if above is not None and not is_edit else None,
        history=known.history(comment),
        is_letter=comment.is_letter,
        is_pinned=comment.pinned_at is not None,
        is_picked=comment.picked_at is not None,
        is_caught=comment.is_quietly_declined and comment.status == Status.SPAM,
        flag_count=comment.flag_count,
        is_edited=comment.edited_at is not None,
        risk=comment.risk,
        cluster=known.cluster(comment),
        edit=_edit(comment, above) if above is not None and is_edit else None,
        reports=known.reports(comment),
        doubt=Opinion.of(kept) if (kept := comment.verdict.get("spam")) else None,
        role=_role(lens.access, comment.site_id),
        cursor=cursor_after(comment, lens.sort),
    )


def _article(thread: Thread, site: Site, known: Around, lens: Lens) -> ArticleLine:
    is_old = in_force(site, thread).is_closed_by_age(thread.created_at, lens.now)
    return ArticleLine(
        thread_id=thread.id,
        site_key=site.key,
        site_name=site.name,
        title=thread.title,
        url=thread.url,
        is_open=thread.is_open,
        is_old=is_old,
        takes_comments=site.is_open and thread.is_open and not is_old,
        approved_count=thread.approved_count,
        pending_count=known.waiting_by_thread.get(thread.id, 0),
    )


def _parent(parent: Comment) -> ParentLine:
    if parent.is_purged:
        return ParentLine(None, "", "")
    return ParentLine(
        parent.name, markup.excerpt(parent.text, EXCERPT_CHARACTERS), permalink(parent, parent.page_url)
    )


def _edit(edit: Comment, comment: Comment) -> EditLine:
    return EditLine(comment.id, permalink(comment, comment.page_url), word_diff(comment.text, edit.text))


def _masked(comment: Comment, keys: Keyring) -> str | None:
    if comment.email_sealed is None:
        return None
    try:
        return mask_email(keys.open(comment.email_sealed, column=EMAIL_COLUMN))
    except KeyRefused:  # one damaged row must not close the whole queue
        return UNREADABLE_EMAIL


def _reasons(comment: Comment) -> list[ReasonLine]:
    """The verdict's reasons, or the one word that comments of earlier releases came with."""
    given = comment.verdict.get("reasons") or [{"code": comment.verdict_reason}]
    lines = (
        ReasonLine(
            code=str(reason.get("code", "")),
            words=_words(reason, is_doubt_told=bool(comment.verdict.get("spam"))),
            version=reason.get("version") or None,  # 0 is no version: the reason is none of the rules'
            scope=reason.get("scope"),
        )
        for reason in given
    )
    return [line for line in lines if _explains(line.code, comment.state)]


def _words(reason: Mapping[str, Any], *, is_doubt_told: bool) -> tuple[str, ...]:
    """What the reason met in the comment; how likely spam it is stands in the row's doubt, if it has one."""
    is_said = is_doubt_told and reason.get("code") in DOUBTS
    return () if is_said else tuple(map(str, reason.get("words") or ()))


def _explains(code: str, status: Status) -> bool:
    return code in REASONS and status in EXPLAINED.get(code, (Status.PENDING,))


def _role(access: Access, site_id: int) -> Role:
    return next((role for role in reversed(Role) if access.may(role, site_id)), Role.VIEWER)
