"""What a page of the queue is narrowed by, each as a condition on a comment and as a list of ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, literal_column, select
from sqlalchemy.orm import Session

from comments_service.errors import KeyRefused
from comments_service.privacy import Keyring
from comments_service.queue.question import QueueQuestion, View
from comments_service.queue.scope import Scope
from comments_service.storage.models import Comment, CommentReason
from comments_service.submit import EMAIL_COLUMN


@dataclass(frozen=True)
class Narrowing:
    """One thing that a comment must be. `ids` are all it holds for, looked up if they are few."""

    holds: Callable[[type[Comment]], ColumnElement[bool]]
    ids: Select[Any] | None


@dataclass(frozen=True)
class Asker:
    """Who asks, and with which keys hashes are made."""

    moderator_id: int
    keys: Keyring


def narrowings(session: Session, question: QueueQuestion, scope: Scope, asker: Asker) -> list[Narrowing]:
    """Everything that the comments of a page must be, beside their view and site."""
    return list(_narrowings(session, question, scope, asker))


def _narrowings(session: Session, question: QueueQuestion, scope: Scope, asker: Asker) -> Iterator[Narrowing]:
    yield from _of_view(question.view, asker)
    if question.thread_id is not None:
        yield by(lambda c: c.thread_id == question.thread_id)
    if question.cluster is not None:
        yield by(lambda c: c.cluster_id == question.cluster)
    if question.author is not None:
        yield _same_email(_named(session, question.author, scope), asker.keys)
    if question.network is not None:
        yield _same_network(_named(session, question.network, scope))
    if question.reason:
        yield _held_for(question.reason)
    if question.flagged:
        yield by(lambda c: c.flag_count > literal_column("0"))  # as the index has it, so that it is used
    if question.letters:
        yield by(lambda c: c.is_letter.is_(True))
    if question.edits:
        yield by(lambda c: c.edits_id.is_not(None))


def _of_view(view: View, asker: Asker) -> Iterator[Narrowing]:
    if view == View.MINE:
        yield by(lambda c: c.moderator_id == asker.moderator_id)
    elif view == View.REPORTED:
        yield by(lambda c: c.report_count > literal_column("0"))  # as with flags
    elif view == View.CHECK:
        yield by(lambda c: c.is_quietly_declined.is_(True))


def by(holds: Callable[[type[Comment]], ColumnElement[bool]]) -> Narrowing:
    """A narrowing whose condition is all there is to it."""
    return Narrowing(holds, select(Comment.id).where(holds(Comment)))


NOTHING = by(lambda _: false())


def _named(session: Session, comment_id: int, scope: Scope) -> Comment | None:
    comment = session.get(Comment, comment_id)
    return comment if comment is not None and comment.site_id in scope.sites else None


def _same_email(comment: Comment | None, keys: Keyring) -> Narrowing:
    if comment is None or comment.email_hash is None:
        return NOTHING
    site_id, hashes = comment.site_id, {comment.email_hash}
    try:
        if comment.email_sealed is not None:  # half-way through a rotation there are hashes by two keys
            email = keys.open(comment.email_sealed, column=EMAIL_COLUMN)
            hashes |= set(keys.email_hashes(email, site_id=site_id))
    except KeyRefused:
        pass  # a key that is gone opens nothing: the stored hash still finds those of the same key
    return by(lambda c: and_(c.site_id == site_id, c.email_hash.in_(hashes)))


def _same_network(comment: Comment | None) -> Narrowing:
    if comment is None or comment.network_hash is None:
        return NOTHING
    network_hash = comment.network_hash  # of this site alone
    return by(lambda c: c.network_hash == network_hash)


def _held_for(code: str) -> Narrowing:
    return Narrowing(
        lambda c: exists().where(CommentReason.comment_id == c.id, CommentReason.code == code),
        select(CommentReason.comment_id).where(CommentReason.code == code),
    )
