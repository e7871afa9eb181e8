"""The write walk: a submission becomes a comment, in one transaction."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from comments_service import throttle
from comments_service.blocklists.ready import words_of
from comments_service.clusters import joining as clusters
from comments_service.decisions.standing import Kind
from comments_service.errors import (
    DuplicateComment,
    FieldError,
    FieldsRefused,
    KeyReused,
    ThreadClosed,
)
from comments_service.judging import Bench, Judged
from comments_service.neighbours.ask import ask, crowded, neighbours_of, turn_of
from comments_service.neighbours.heard import UNHEARD, Heard
from comments_service.neighbours.keeping import note
from comments_service.neighbours.question import Question
from comments_service.notify import outbox
from comments_service.privacy import KeyHolder, Keyring
from comments_service.rules.facts import proven_comment, signer_data, stands_as
from comments_service.settings import Settings
from comments_service.spam.history import spend
from comments_service.storage import search
from comments_service.storage.database import lock_for, reading, transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, CommentReason, Site, SubmissionKey, Thread
from comments_service.storage.roots import show_roots
from comments_service.storage.rules import in_force
from comments_service.storage.threads import find_thread, learn_alias, open_thread
from comments_service.vocabulary import InForce, Receipt, Status, Submission, Verdict

EMAIL_COLUMN = "comment.email"
KEY_LIFETIME = timedelta(hours=24)


def submit(submission: Submission, *, settings: Settings, keys: KeyHolder, now: datetime) -> Receipt:
    """Take one comment in: answer a repetition as before, else check, judge and store it.

    The keys are asked for inside the transaction: what is stored after a rotation is under its key.

    Raises: KeyReused, TooManyComments (with `retry_after_seconds`), ThreadClosed, FieldsRefused (parent),
    DuplicateComment. Whatever is raised, nothing is stored.
    """
    if submission.is_letter or not submission.site.options.neighbours:
        return _submit(submission, UNHEARD, settings=settings, keys=keys, now=now)
    network_hash = keys.ring.network_hash(submission.network, site_id=submission.site.id)
    with turn_of(network_hash, settings) as has_turn:
        heard = crowded(submission.site)
        if has_turn:
            heard = _hear(submission, settings=settings, keys=keys, now=now)
        return _submit(submission, heard, settings=settings, keys=keys, now=now)


def _hear(submission: Submission, *, settings: Settings, keys: KeyHolder, now: datetime) -> Heard:
    """What neighbours say of it, asked before the transaction.

    A short read first rules out whatever would not be stored anyway: nobody's flood is sent on. Nor are
    people asked about who are trusted, since they pass whatever is said. About those who are banned they
    are: a ban must not show in the time that an answer takes.

    Raises: as `submit`.
    """
    site, key_hash = submission.site, _key_hash(submission)
    with reading() as session:
        ring = keys.ring
        if _is_live(session.get(SubmissionKey, (site.id, key_hash)), now):
            return UNHEARD
        network_hashes = ring.network_hashes(submission.network, site_id=site.id)
        throttle.refuse_haste(
            session, site_id=site.id, network_hashes=network_hashes, settings=settings, now=now
        )
        thread = find_thread(session, site.id, submission.article)
        rules = _rules_of_open(session, submission, thread, now)
        _parent(session, submission, thread)
        if thread is not None:
            _refuse_twin(session, submission, thread, ring)
        stands = stands_as(session, submission, proven_comment(session, submission, ring), keys=ring, now=now)
        if stands == Kind.TRUST and rules.rules.trusted_pass:
            return UNHEARD
        neighbours = neighbours_of(session, site, keys=ring, settings=settings)
    return ask(Question.of(submission, now), neighbours, settings=settings, now=now)


def _submit(
    submission: Submission, heard: Heard, *, settings: Settings, keys: KeyHolder, now: datetime
) -> Receipt:
    key_hash = _key_hash(submission)
    blocked = words_of(submission.site)
    with transaction() as session:
        ring = keys.ring
        network_hashes = ring.network_hashes(submission.network, site_id=submission.site.id)
        lock_for(session, network_hashes[-1][1:], key_hash, *_article_names(submission))
        if (answer := _first_answer(session, submission, key_hash, ring, now)) is not None:
            return answer
        throttle.refuse_haste(
            session, site_id=submission.site.id, network_hashes=network_hashes, settings=settings, now=now
        )
        thread = open_thread(session, submission.site.id, submission.article, title=submission.title, now=now)
        rules = _rules_of_open(session, submission, thread, now)
        parent = _parent(session, submission, thread)
        _refuse_twin(session, submission, thread, ring)
        earlier = proven_comment(session, submission, ring)
        bench = Bench(session, ring, now, heard=heard, blocked=blocked)
        judged = bench.judge(submission, thread, rules, earlier)
        comment = _store(session, submission, thread, parent, judged, ring, now)
        clusters.assign(session, comment, now=now, likes=judged.likes)
        if submission.sending.nonce is not None:
            spend(session, submission.site.id, submission.sending.nonce, now=now)
        session.add(
            SubmissionKey(
                site_id=submission.site.id,
                key_hash=key_hash,
                body_hash=ring.digest("body", _body(submission)),
                comment_id=comment.id,
                first_status=judged.told,
                created_at=now,
            )
        )
        outbox.enqueue(session, comment, settings=settings, now=now)
        note(session, submission.site.id, heard, now=now)
        return Receipt(comment.id, judged.told, now)


def _key_hash(submission: Submission) -> bytes:
    return hashlib.sha256(submission.idempotency_key.encode()).digest()


def _rules_of_open(session: Session, submission: Submission, thread: Thread | None, now: datetime) -> InForce:
    """The rules for the article as they are in this transaction; for its first comment it has no thread.

    Raises: ThreadClosed where it takes no comments.
    """
    site = session.get_one(Site, submission.site.id)
    rules = in_force(site, thread)
    is_closed = thread is not None and (not thread.is_open or rules.is_closed_by_age(thread.created_at, now))
    if is_closed or not site.is_open:
        raise ThreadClosed
    if submission.is_letter and not site.takes_letters:
        raise FieldsRefused(errors=(FieldError("audience", "refused", "error.audience.refused"),))
    return rules


def _article_names(submission: Submission) -> list[bytes]:
    """Names to lock: two first comments at once must find, or make, the same thread."""
    article = submission.article
    keys = [article.normalised_url, *([f"id:{article.explicit_id}"] if article.explicit_id else [])]
    return [hashlib.sha256(f"{submission.site.id} {key}".encode()).digest() for key in keys]


def _first_answer(
    session: Session, submission: Submission, key_hash: bytes, keys: Keyring, now: datetime
) -> Receipt | None:
    row = session.get(SubmissionKey, (submission.site.id, key_hash))
    if row is None:
        return None
    if not _is_live(row, now):
        session.execute(delete(SubmissionKey).where(SubmissionKey.comment_id == row.comment_id))
        session.expunge(row)
        return None
    if row.body_hash not in keys.digests("body", _body(submission)):
        raise KeyReused
    return Receipt(row.comment_id, Status(row.first_status), row.created_at)


def _is_live(row: SubmissionKey | None, now: datetime) -> bool:
    return row is not None and row.created_at > now - KEY_LIFETIME


def _body(submission: Submission) -> bytes:
    article = submission.article
    place = (article.normalised_url, article.explicit_id, submission.parent_id)
    said = (submission.title, submission.name, submission.email, submission.website, submission.text)
    audience = ["editors"] if submission.is_letter else []
    signer = [submission.signed.id, submission.signed.badge] if submission.signed else []
    return json.dumps([*place, *said, submission.previous, *audience, *signer]).encode()


def _parent(session: Session, submission: Submission, thread: Thread | None) -> Comment | None:
    if submission.parent_id is None:
        return None
    parent = session.get(Comment, submission.parent_id)
    if parent is None or thread is None or parent.thread_id != thread.id or parent.status != Status.APPROVED:
        raise FieldsRefused(errors=(FieldError("parent", "refused", "error.parent.refused"),))
    return parent


def twin_data(parent_id: int | None, name: str, text: str) -> bytes:
    """What makes two comments of a thread the same."""
    # The email is left out: who guesses one must not learn from a 409 that it was used here
    return json.dumps([parent_id, name, text]).encode()


def _twin_data_of(submission: Submission) -> bytes:
    return twin_data(submission.parent_id, submission.name, submission.text)


def _refuse_twin(session: Session, submission: Submission, thread: Thread, keys: Keyring) -> None:
    hashes = keys.digests("twin", _twin_data_of(submission))
    twin = select(Comment.id).where(Comment.thread_id == thread.id, Comment.twin_hash.in_(hashes))
    if session.scalars(twin.where(Comment.status != Status.TRASH).limit(1)).first() is not None:
        raise DuplicateComment


def _store(
    session: Session,
    submission: Submission,
    thread: Thread,
    parent: Comment | None,
    judged: Judged,
    keys: Keyring,
    now: datetime,
) -> Comment:
    site_id, email, verdict = submission.site.id, submission.email, judged.verdict
    comment = Comment(
        site_id=site_id,
        thread_id=thread.id,
        parent_id=parent.id if parent else None,
        root_id=(parent.root_id or parent.id) if parent else None,
        depth=parent.depth + 1 if parent else 1,
        name=submission.name,
        email_sealed=keys.seal(email, column=EMAIL_COLUMN) if email else None,
        email_hash=keys.email_hash(email, site_id=site_id) if email else None,
        website=submission.website,
        text=submission.text,
        page_url=submission.article.url,
        status=verdict.status,
        verdict_reason=verdict.reason,
        twin_hash=keys.digest("twin", _twin_data_of(submission)),
        network_hash=keys.network_hash(submission.network, site_id=site_id),
        created_at=now,
        status_changed_at=now,
        badge=submission.signed.badge if submission.signed else None,
        signer_hash=keys.digest("signer", signer_data(site_id, submission.signed))
        if submission.signed
        else None,
        is_letter=submission.is_letter,
        is_quietly_declined=verdict.is_quiet,
        risk=verdict.risk,
        spam_percent=judged.spam_percent,
        verdict=judged.kept,
    )
    session.add(comment)
    session.flush()
    search.index(session, comment)
    earlier = judged.earlier or comment
    comment.proven_root_id = earlier.proven_root_id or earlier.id
    explain(session, comment, verdict, now)
    if verdict.status == Status.APPROVED:
        shown = {"approved_count": Thread.approved_count + 1, "version": Thread.version + 1}
        session.execute(update(Thread).where(Thread.id == thread.id).values(shown))
        show_roots(session, [comment.root_id or comment.id])
        learn_alias(session, thread, submission.article.normalised_url)
    return comment


def explain(session: Session, comment: Comment, verdict: Verdict, now: datetime) -> None:
    """Leave the reasons for the filters, and the decision in the journal like any other.

    The journal keeps which rules were asked, but not the words that were met: they go with the comment.
    """
    reasons = verdict.reasons
    codes = [reason.code for reason in reasons]
    session.add_all(CommentReason(comment_id=comment.id, code=code) for code in codes)
    session.add(
        JournalRow(
            happened_at=now,
            action=DECIDED,
            site_id=comment.site_id,
            thread_id=comment.thread_id,
            comment_id=comment.id,
            to_status=verdict.status,
            reason=", ".join(codes),
            details=rules_told(verdict),
        )
    )


def rules_told(verdict: Verdict) -> dict[str, Any]:
    """Which rules were asked, as the journal keeps them."""
    return {"rules": [{"code": r.code, "scope": r.scope, "version": r.version} for r in verdict.reasons]}
