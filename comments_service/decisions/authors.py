"""Moderators ban an author or trust one, by a trace of a comment, until a day or for good."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Late, Outcome, Undone, Why, locked
from comments_service.decisions.standing import Kind, Trace, domains_of
from comments_service.decisions.undo_comments import Undoer
from comments_service.errors import CommentNotFound, FieldError, FieldsRefused, KeyRefused
from comments_service.privacy import Keyring, mask_domain, mask_email
from comments_service.rights import require
from comments_service.storage.database import transaction
from comments_service.storage.decisions import Standing
from comments_service.storage.journal import BANNED, TRUSTED, JournalRow
from comments_service.storage.models import Comment
from comments_service.submit import EMAIL_COLUMN
from comments_service.vocabulary import ModeratorView, Role

ACTIONS = {Kind.BAN: BANNED, Kind.TRUST: TRUSTED}
LIFTED = "standing-lifted"
MAX_NOTE_CHARACTERS = 200


@dataclass(frozen=True)
class Wish:
    """How somebody wants an author to stand, by which trace, until when (None: for good), and why."""

    kind: Kind
    mark: Trace
    ends_at: datetime | None = None
    note: str = ""


def let_stand(
    comment_id: int,
    wish: Wish,
    *,
    by: ModeratorView | None,
    keys: Keyring,
    now: datetime,
    network_days: int,
) -> Outcome:
    """Ban or trust the author of a comment. A network is kept no longer than its hash may be.

    Raises: NotAllowed; FieldsRefused when the comment has no such trace, or the end has passed.
    """
    return let_all_stand([comment_id], wish, by=by, keys=keys, now=now, network_days=network_days)


def let_all_stand(
    comment_ids: Collection[int],
    wish: Wish,
    *,
    by: ModeratorView | None,
    keys: Keyring,
    now: datetime,
    network_days: int,
) -> Outcome:
    """The same for the authors of many comments, in one batch; `count` is of them, each counted once.

    Raises: NotAllowed; FieldsRefused when none of the comments has such a trace, or the end has passed.
    """
    act = Act(by, now)
    if wish.ends_at is not None and wish.ends_at <= now:
        raise _refusal("ends", "past")
    latest = now + timedelta(days=network_days)
    if wish.mark == Trace.NETWORK:
        wish = replace(wish, ends_at=min(wish.ends_at or latest, latest))
    with transaction() as session:
        found = locked(session, comment_ids, by)
        late = [Late(number, Why.GONE) for number in comment_ids if number not in found]
        known: set[tuple[object, ...]] = set()
        for comment in _anew(session, found):
            standing = _standing(comment, wish, keys)
            if standing is None:
                late.append(Late(comment.id, Why.TRACELESS))
            elif (who := (standing.site_id, standing.root_id, standing.hash, standing.domain)) not in known:
                known.add(who)
                _store(session, comment, standing, act)
        if found and not known:
            raise _refusal("mark", "missing")
        return Outcome(act.batch if known else None, late=tuple(late), count=len(known))


def _anew(session: Session, ids: Collection[int]) -> Sequence[Comment]:
    comments = select(Comment).where(Comment.id.in_(ids)).order_by(Comment.id)
    return session.scalars(comments, execution_options={"populate_existing": True}).all()


def _store(session: Session, comment: Comment, standing: Standing, act: Act) -> None:
    standing.moderator_id, standing.made_at = act.by.id if act.by else None, act.now
    session.add(standing)
    session.flush()
    details = {"standing": standing.id}
    session.add(act.row(comment, ACTIONS[Kind(standing.kind)], version=None, details=details))


def lift(standing_id: int, *, by: ModeratorView | None, now: datetime) -> str | None:
    """End a ban or a trust; the batch to undo it by, None if it had ended.

    Raises: CommentNotFound when there is no such thing; NotAllowed.
    """
    act = Act(by, now)
    with transaction() as session:
        standing = session.get(Standing, standing_id, with_for_update=True)
        if standing is None:
            raise CommentNotFound
        require(by, Role.MODERATOR, standing.site_id)
        if standing.lifted_at is not None:
            return None
        standing.lifted_at = now
        session.add(act.line(LIFTED, **_about(standing)))
        return act.batch


def standings_of(session: Session, comment: Comment, keys: Keyring, *, now: datetime) -> list[Standing]:
    """What holds for the author of this comment, the newest first."""
    domains = domains_of(_email(comment, keys), comment.website)
    rows = session.scalars(
        select(Standing)
        .where(Standing.site_id == comment.site_id, Standing.lifted_at.is_(None))
        .where(
            (Standing.root_id == (comment.proven_root_id or comment.id))
            | Standing.hash.in_([h for h in (comment.email_hash, comment.network_hash) if h is not None])
            | Standing.domain.in_(domains)
        )
        .order_by(Standing.id.desc())
    )
    return [row for row in rows if row.ends_at is None or row.ends_at > now]


def take_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """End what was begun by these rows, and let hold again what was lifted, unless that was done since."""
    count, late = 0, []
    for row in rows:
        number = row.details.get("standing", 0)
        standing = session.get(Standing, number, with_for_update=True)
        was_lifted = row.action == LIFTED
        if standing is None or (standing.lifted_at is not None) != was_lifted:
            late.append(Late(row.comment_id or 0, Why.ELSEWHERE))
            continue
        standing.lifted_at = None if was_lifted else act.now
        action = ACTIONS[Kind(standing.kind)] if was_lifted else LIFTED
        session.add(act.line(action, undoes_id=row.id, comment_id=row.comment_id, **_about(standing)))
        count += 1
    return Undone(None, count, (), tuple(late))


UNDOERS: dict[str, Undoer] = dict.fromkeys((*ACTIONS.values(), LIFTED), take_back)


def _about(standing: Standing) -> dict[str, object]:
    return {
        "site_id": standing.site_id,
        "subject": f"{standing.kind} {standing.id} by {standing.mark}",
        "details": {"standing": standing.id},
    }


def _standing(comment: Comment, wish: Wish, keys: Keyring) -> Standing | None:
    """What the wish makes of this comment's author; None where they left no such trace."""
    standing = Standing(
        site_id=comment.site_id,
        kind=wish.kind,
        mark=wish.mark,
        note=wish.note[:MAX_NOTE_CHARACTERS],
        ends_at=wish.ends_at,
    )
    email = _email(comment, keys)
    of_email, of_website = domains_of(email, None), domains_of(None, comment.website)
    if wish.mark == Trace.RECEIPT:
        standing.root_id = comment.proven_root_id or comment.id
        standing.label = f"#{standing.root_id}"
    elif wish.mark == Trace.EMAIL and email is not None:
        standing.hash = comment.email_hash
        standing.label = mask_email(email)
    elif wish.mark == Trace.NETWORK and comment.network_hash is not None:
        standing.hash = comment.network_hash
        standing.label = f"#{comment.id}"
    elif wish.mark == Trace.DOMAIN and of_email:
        # Not in full: that would be seeing the email, which leaves a line in the journal
        standing.domain, standing.label = of_email[0], mask_domain(of_email[0])
    elif wish.mark == Trace.DOMAIN and of_website:
        standing.domain = standing.label = of_website[0]
    else:
        return None
    return standing


def _email(comment: Comment, keys: Keyring) -> str | None:
    if comment.email_sealed is None:
        return None
    try:
        return keys.open(comment.email_sealed, column=EMAIL_COLUMN)
    except KeyRefused:  # one damaged row must not stand in the way of its other traces
        return None


def _refusal(field: str, code: str) -> FieldsRefused:
    return FieldsRefused(errors=(FieldError(field, code, f"comment.error.{field}.{code}"),))
