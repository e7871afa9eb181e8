"""What the database and the author's receipt say about a submission, before it is judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from comments_service import tokens
from comments_service.decisions.standing import Kind, Traces, domains_of, standing_of
from comments_service.errors import ReceiptRefused
from comments_service.markup import render
from comments_service.privacy import Keyring
from comments_service.rules.judge import Facts, count_links
from comments_service.rules.staff import imitates_staff
from comments_service.rules.surge import is_in_surge, notice_surge
from comments_service.rules.words import Texts
from comments_service.storage.models import Comment, Thread
from comments_service.vocabulary import SignedName, Status, Submission

OF_SIGNER = 20  # comments of somebody whose name is signed that are looked at, the newest


def gather(
    session: Session,
    submission: Submission,
    thread: Thread,
    earlier: Comment | None,
    *,
    keys: Keyring,
    now: datetime,
    comes: bool = True,
) -> Facts:
    """The facts of one submission; `earlier` is the comment that its receipt proves.

    What does not come, but is there and is said otherwise, begins no surge.
    """
    stands = stands_as(session, submission, earlier, keys=keys, now=now)
    return Facts(
        links=count_links(render(submission.text)),
        has_website=submission.website is not None,
        is_known=_is_known(session, submission, earlier, keys),
        is_trusted=stands == Kind.TRUST,
        is_banned=stands == Kind.BAN,
        is_surge=(notice_surge if comes else is_in_surge)(session, thread, now=now),
        is_letter=submission.is_letter,
        imitates_staff=submission.signed is None
        and imitates_staff(session, submission.site.id, submission.name),
    )


def stands_as(
    session: Session, submission: Submission, earlier: Comment | None, *, keys: Keyring, now: datetime
) -> Kind | None:
    """Whether its author is banned or trusted, by all that the submission shows."""
    return standing_of(session, _traces(submission, earlier, keys), now=now)


def signer_data(site_id: int, signed: SignedName) -> bytes:
    """What is hashed of somebody whose name the owner's site signs."""
    return f"{site_id}:{signed.id}".encode()


def _is_known(session: Session, submission: Submission, earlier: Comment | None, keys: Keyring) -> bool:
    """Whether something of this author was approved before: by the receipt, or by the word of the site."""
    if submission.signed is None:
        return earlier is not None and earlier.status == Status.APPROVED
    site_id = submission.site.id
    theirs = _by_signer(site_id, _signer_hashes(site_id, submission.signed, keys))
    theirs = theirs.where(Comment.status == Status.APPROVED)
    return session.scalars(theirs.limit(1)).first() is not None


def others_by_author(
    session: Session, submission: Submission, earlier: Comment | None, *, keys: Keyring, own_id: int | None
) -> Sequence[Comment]:
    """What else is there by the author: whom the site's signature names, or whom the receipt proves.

    Of the latter the comment that it belongs to, and the first that was proven with it. Without the comment
    that is edited (`own_id`).
    """
    site_id = submission.site.id
    hashes: tuple[bytes, ...] = ()
    if submission.signed is not None:
        hashes = _signer_hashes(site_id, submission.signed, keys)
    elif earlier is not None and earlier.signer_hash is not None:  # so is that of an edit
        hashes = (earlier.signer_hash,)
    if hashes:
        signed = _by_signer(site_id, hashes).where(Comment.edits_id.is_(None))
        latest = signed.where(Comment.id.is_distinct_from(own_id)).order_by(Comment.id.desc())
        return session.scalars(latest.limit(OF_SIGNER)).all()
    ids = {earlier.id, earlier.proven_root_id} if earlier is not None else set()
    found = (session.get(Comment, number) for number in ids - {own_id, None})
    return [comment for comment in found if comment is not None]


def _signer_hashes(site_id: int, signed: SignedName, keys: Keyring) -> tuple[bytes, ...]:
    """What such a name is known by."""
    return keys.digests("signer", signer_data(site_id, signed))


def _by_signer(site_id: int, hashes: Collection[bytes]) -> Select[Comment]:
    return select(Comment).where(
        Comment.site_id == site_id, Comment.signer_hash.in_(hashes), Comment.signer_hash.is_not(None)
    )


def _traces(submission: Submission, earlier: Comment | None, keys: Keyring) -> Traces:
    site_id, email = submission.site.id, submission.email
    return Traces(
        site_id=site_id,
        root_id=(earlier.proven_root_id or earlier.id) if earlier else None,
        email_hashes=keys.email_hashes(email, site_id=site_id) if email else (),
        network_hashes=keys.network_hashes(submission.network, site_id=site_id),
        domains=domains_of(email, submission.website),
    )


def texts_of(submission: Submission) -> Texts:
    """What of it is held against words."""
    return Texts.of(
        submission.name, submission.email, submission.website, submission.text, (submission.network,)
    )


def proven_comment(session: Session, submission: Submission, keys: Keyring) -> Comment | None:
    """The earlier comment by the same address that the receipt proves: a name alone proves nothing."""
    if submission.previous is None or submission.email is None:
        return None
    try:
        site_key, comment_id = tokens.read_receipt(keys, submission.previous)
    except ReceiptRefused:
        return None
    earlier = session.get(Comment, comment_id)
    if earlier is None or site_key != submission.site.key or earlier.site_id != submission.site.id:
        return None
    hashes = keys.email_hashes(submission.email, site_id=submission.site.id)
    return earlier if earlier.email_hash in hashes else None
