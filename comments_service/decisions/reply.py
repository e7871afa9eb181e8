"""A moderator answers a comment in public, and publishes it by the same click if it still waits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Found, Late, Outcome, Why, locked
from comments_service.decisions.decide import carry_out
from comments_service.decisions.showing import shows_otherwise
from comments_service.decisions.verbs import REPLIED, Change, Verb
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment
from comments_service.storage.roots import show_roots
from comments_service.storage.search import index
from comments_service.vocabulary import Decision, ModeratorView, Status

BY_MODERATOR = "moderator"  # in the place of a rule's reason


def reply(parent_id: int, version: int, text: str, *, by: ModeratorView, now: datetime) -> Outcome:
    """Answer a published comment, or one that waits, which is approved by it; all in one transaction.

    The same answer sent twice is one answer. Raises: NotAllowed.
    """
    act = Act(by, now)
    with transaction() as session:
        parent = locked(session, [parent_id], by).get(parent_id)
        if parent is None:
            return Outcome(late=(Late(parent_id, Why.GONE),))
        if parent.edits_id is not None:
            return Outcome(late=(Late(parent_id, Why.EDIT),))
        if (known := _same(session, parent, text, by)) is not None:
            return Outcome(repeated=(known,))
        done: list[Decision] = []
        if parent.status == Status.PENDING:
            approved = carry_out(session, [Change(parent_id, version, Verb.APPROVE)], act)
            if not approved.done:
                return approved
            done += approved.done
        elif parent.status != Status.APPROVED:
            return Outcome(late=(Late(parent_id, Why.UNFIT),))
        done.append(_store(session, parent, text, by, act))
        act.lessons.write(session)
        return Outcome(act.batch, done=tuple(done))


def _same(session: Session, parent: Found, text: str, by: ModeratorView) -> Decision | None:
    mine = select(Comment).where(
        Comment.parent_id == parent.id,
        Comment.moderator_id == by.id,
        Comment.text == text,
        Comment.status != Status.TRASH,
    )
    known = session.scalars(mine.limit(1)).first()
    return Decision(known.id, known.state, known.state, known.version) if known else None


def _store(session: Session, parent: Found, text: str, by: ModeratorView, act: Act) -> Decision:
    comment = Comment(
        site_id=parent.site_id,
        thread_id=parent.thread_id,
        parent_id=parent.id,
        root_id=parent.root_id or parent.id,
        depth=parent.depth + 1,
        name=by.name,
        text=text,
        page_url=parent.page_url,
        status=Status.APPROVED,
        verdict_reason=BY_MODERATOR,
        created_at=act.now,
        status_changed_at=act.now,
        moderator_id=by.id,
    )
    session.add(comment)
    session.flush()
    comment.proven_root_id = comment.id
    index(session, comment)
    shows_otherwise(session, {comment.thread_id: 1})
    show_roots(session, [comment.root_id or comment.id])
    session.add(act.row(comment, REPLIED, version=0, to_status=Status.APPROVED))
    return Decision(comment.id, Status.PENDING, Status.APPROVED, comment.version)
