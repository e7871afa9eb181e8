"""An author changes a comment. What was changed is judged like a new comment.

Where it would be published, it stands at once. Where it would not, a comment that waits is changed in its
place, and a published one stays as it is: its edit waits beside it, in a row of its own (`edits_id`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from comments_service.article_url import normalise_url
from comments_service.blocklists.matching import WordList
from comments_service.blocklists.ready import NO_WORDS, words_of
from comments_service.decisions import reports
from comments_service.decisions.act import COLUMNS, Act, before
from comments_service.decisions.edits import OVER, STATUS_COLUMNS, mark_of, put_in
from comments_service.decisions.revisions import Words
from comments_service.decisions.showing import recount, teach
from comments_service.decisions.standing import Kind
from comments_service.errors import CommentDeclined, EditWindowClosed, KeyRefused
from comments_service.judging import Bench, Judged
from comments_service.neighbours.ask import ask, crowded, neighbours_of, turn_of
from comments_service.neighbours.heard import UNHEARD, Heard
from comments_service.neighbours.keeping import note
from comments_service.neighbours.question import Question
from comments_service.notify import outbox
from comments_service.own.withdrawing import locked_own, own_as_is, take_away
from comments_service.privacy import KeyHolder, Keyring
from comments_service.rules.facts import gather, stands_as
from comments_service.sending import Sending
from comments_service.settings import Settings
from comments_service.snapshot.own import editable_until, latest_edit, told
from comments_service.spam.judge import Opinion
from comments_service.storage import search
from comments_service.storage.database import reading, transaction
from comments_service.storage.journal import DECIDED, JournalRow, standing
from comments_service.storage.models import Comment, CommentReason, Site, Thread
from comments_service.storage.rules import in_force
from comments_service.submit import EMAIL_COLUMN, explain, rules_told
from comments_service.vocabulary import ArticleRef, SiteView, Status, Submission


@dataclass(frozen=True)
class Change:
    """What an author wants a comment to say: checked by a form, judged by nobody yet."""

    site_key: str
    comment_id: int
    text: str
    network: str
    agent: str = ""
    referrer: str = ""


def change_own(change: Change, *, settings: Settings, keys: KeyHolder, now: datetime) -> None:
    """Let a comment say something else; sent twice it is one change. Whose it is is the caller's to prove.

    Raises: CommentNotFound; CommentDeclined; EditWindowClosed.
    """
    with reading() as session:
        site = own_as_is(session, change.site_key, change.comment_id)[1].view()
    if not site.options.neighbours:
        _change(change, site, UNHEARD, settings=settings, keys=keys, now=now)
        return
    network_hash = keys.ring.network_hash(change.network, site_id=site.id)
    with turn_of(network_hash, settings) as has_turn:
        heard = _hear(change, settings=settings, keys=keys, now=now) if has_turn else crowded(site)
        _change(change, site, heard, settings=settings, keys=keys, now=now)


def _hear(change: Change, *, settings: Settings, keys: KeyHolder, now: datetime) -> Heard:
    """What neighbours say of the new words, asked before the transaction; nothing if nothing is judged."""
    with reading() as session:
        comment, site = own_as_is(session, change.site_key, change.comment_id)
        desk = _Desk(session, site, change, settings, keys.ring, now)
        question = desk.question(comment)
        if question is None:
            return UNHEARD
        neighbours = neighbours_of(session, question.site, keys=keys.ring, settings=settings)
    return ask(question, neighbours, settings=settings, now=now)


def _change(
    change: Change, site_before: SiteView, heard: Heard, *, settings: Settings, keys: KeyHolder, now: datetime
) -> None:
    blocked = words_of(site_before)
    with transaction() as session:
        comment, site = locked_own(session, change.site_key, change.comment_id)
        desk = _Desk(session, site, change, settings, keys.ring, now, heard, blocked)
        if comment.status == Status.APPROVED:
            desk.change_published(comment)
        else:
            desk.change_waiting(comment)
        note(session, site.id, heard, now=now)


@dataclass(frozen=True)
class _Desk:
    """One change, with all that it takes."""

    session: Session
    site: Site
    change: Change
    settings: Settings
    keys: Keyring
    now: datetime
    heard: Heard = UNHEARD
    blocked: WordList = NO_WORDS

    def question(self, comment: Comment) -> Question | None:
        """What neighbours are asked about; None for a letter, or where nothing will be judged.

        Raises: CommentDeclined; EditWindowClosed.
        """
        is_new = self._is_new(comment, self._edit_of(comment)) and self.change.text != comment.text
        if comment.is_letter or not is_new:
            return None
        thread = self.session.get_one(Thread, comment.thread_id)
        submission = self._as_submission(comment, thread)
        stands = stands_as(self.session, submission, comment, keys=self.keys, now=self.now)
        if stands == Kind.TRUST and in_force(self.site, thread).rules.trusted_pass:
            return None
        return Question.of(submission, self.now, is_edit=True)

    def change_published(self, comment: Comment) -> None:
        edit = self._edit_of(comment)
        if not self._is_new(comment, edit):
            return
        if self.change.text == comment.text:  # the author wants no edit any more
            self._drop(edit)
            return
        judged = self._judge(comment)
        words = replace(Words.of(comment), text=self.change.text)
        if judged.verdict.status == Status.APPROVED:
            put_in(self.session, comment, words, Act(None, self.now), of=comment)
            self._drop(edit)
        elif edit is not None:
            self._replace(edit, words, judged, over=comment)
        else:
            self._put_beside(comment, words, judged)

    def change_waiting(self, comment: Comment) -> None:
        if not self._is_new(comment, None):
            return
        words = replace(Words.of(comment), text=self.change.text)
        self._replace(comment, words, self._judge(comment))

    def _edit_of(self, comment: Comment) -> Comment | None:
        """The edit of a published comment that waits beside it."""
        edit = latest_edit(self.session, comment.id) if comment.status == Status.APPROVED else None
        return edit if edit is not None and told(edit) == Status.PENDING else None

    def _is_new(self, comment: Comment, edit: Comment | None) -> bool:
        """Whether the words are others than those that stand, or wait. Raises where they may not be."""
        if self.change.text == (edit or comment).text:
            return False
        if told(comment).told == "declined":
            raise CommentDeclined
        self._refuse_late(comment)
        return True

    def _refuse_late(self, comment: Comment) -> None:
        if editable_until(comment, self.site.view().options.edit_minutes, self.now) is None:
            raise EditWindowClosed

    def _judge(self, comment: Comment) -> Judged:
        """What the rules make of it, had it come now, from this network, by an author as known as then."""
        thread = self.session.get_one(Thread, comment.thread_id)
        submission = self._as_submission(comment, thread)
        facts = gather(self.session, submission, thread, comment, keys=self.keys, now=self.now, comes=False)
        # Whoever signed the name, or let it be published, has vouched for it
        is_vouched = comment.signer_hash is not None or comment.status == Status.APPROVED
        came = self._kept_of_coming(comment)
        facts = replace(
            facts,
            is_known=facts.is_known or self._was_known(comment),
            imitates_staff=facts.imitates_staff and not is_vouched,
            lacks_proof=came.get("facts", {}).get("lacks_proof", False),
        )
        bench = Bench(
            self.session,
            self.keys,
            self.now,
            comes=False,
            own_id=comment.id,
            heard=self.heard,
            blocked=self.blocked,
            came=Opinion.of(came.get("spam", {})).of_coming,
        )
        return bench.judge_known(submission, facts, in_force(self.site, thread), comment)

    def _kept_of_coming(self, comment: Comment) -> dict[str, Any]:
        """What tells how it came: an edit mends nothing of that, a person who decided has passed over it."""
        return {} if self._is_decided_by_person(comment) else comment.verdict

    def _as_submission(self, comment: Comment, thread: Thread) -> Submission:
        article = ArticleRef(comment.page_url, normalise_url(comment.page_url), thread.explicit_id)
        return Submission(
            site=self.site.view(),
            article=article,
            title=thread.title,
            parent_id=comment.parent_id,
            name=comment.name,
            email=self._email(comment),
            website=comment.website,
            text=self.change.text,
            network=self.change.network,
            idempotency_key="",
            is_letter=comment.is_letter,
            sending=Sending(agent=self.change.agent, referrer=self.change.referrer),
        )

    def _email(self, comment: Comment) -> str | None:
        try:
            sealed = comment.email_sealed
            return self.keys.open(sealed, column=EMAIL_COLUMN) if sealed else None
        except KeyRefused:  # one damaged address must not keep its author from mending a typo
            return None

    def _was_known(self, comment: Comment) -> bool:
        """Whether something else of this author is approved: by the receipt, or by the word of the site."""
        if not comment.verdict.get("facts", {}).get("is_known"):
            return False
        is_same = Comment.id == comment.proven_root_id
        if comment.signer_hash is not None:
            is_same = and_(Comment.site_id == comment.site_id, Comment.signer_hash == comment.signer_hash)
        known = select(Comment.id).where(is_same, Comment.status == Status.APPROVED)
        return self.session.scalars(known.limit(1)).first() is not None

    def _replace(self, row: Comment, words: Words, judged: Judged, *, over: Comment | None = None) -> None:
        """Change what no reader sees, in its place, and let the new verdict take effect."""
        put_in(self.session, row, words, Act(None, self.now), of=row)
        kept = judged.kept | ({OVER: mark_of(Words.of(over))} if over is not None else {})
        if "spam" in kept:  # what is learned, and taken back, is learned of the form that it came by
            kept["spam"] |= {"seconds": row.verdict.get("spam", {}).get("seconds")}
        is_decided = self._is_decided_by_person(row)
        if is_decided and judged.verdict.status == Status.APPROVED:
            return  # somebody wants it to wait: no rule speaks against that, and none explains it
        row.verdict, row.verdict_reason, row.risk = kept, judged.verdict.reason, judged.verdict.risk
        row.spam_percent, row.raised_risk = judged.spam_percent, 0
        if row.report_count:
            reports.recount(self.session, [row.id])
        self.session.execute(delete(CommentReason).where(CommentReason.comment_id == row.id))
        codes = [reason.code for reason in judged.verdict.reasons]
        self.session.add_all(CommentReason(comment_id=row.id, code=code) for code in codes)
        self.session.flush()
        if not is_decided:
            self._let_stand(row, judged)

    def _let_stand(self, row: Comment, judged: Judged) -> None:
        """Bring a comment to where its new verdict wants it: the service changes its own mind only."""
        verdict = judged.verdict
        if (row.status, row.is_quietly_declined) == (verdict.status, verdict.is_quiet):
            return
        found = self.session.execute(select(*COLUMNS).where(Comment.id == row.id)).one()
        row.status, row.is_quietly_declined = verdict.status, verdict.is_quiet
        row.status_changed_at = self.now
        row.version += 1
        self.session.flush()
        recount(self.session, [(found, verdict.status)])
        details = {"before": before(found, STATUS_COLUMNS)} | rules_told(verdict)
        if verdict.status == Status.APPROVED and teach(self.session, [found]):
            details["taught"] = True
        self.session.add(
            Act(None, self.now, ", ".join(reason.code for reason in verdict.reasons)).row(
                found, DECIDED, from_status=found.status, to_status=verdict.status, details=details
            )
        )
        outbox.enqueue(self.session, row, settings=self.settings, now=self.now)

    def _is_decided_by_person(self, row: Comment) -> bool:
        told = select(JournalRow).where(JournalRow.comment_id == row.id).order_by(JournalRow.id)
        made = (line for line in standing(self.session.scalars(told)) if line.action == DECIDED)
        return any(line.from_status is not None and "rules" not in line.details for line in made)

    def _put_beside(self, comment: Comment, words: Words, judged: Judged) -> None:
        verdict = judged.verdict
        edit = Comment(
            site_id=comment.site_id,
            thread_id=comment.thread_id,
            depth=comment.depth,
            **vars(words),
            email_sealed=comment.email_sealed,
            email_hash=comment.email_hash,
            page_url=comment.page_url,
            status=verdict.status,
            verdict_reason=verdict.reason,
            network_hash=self.keys.network_hash(self.change.network, site_id=comment.site_id),
            created_at=self.now,
            status_changed_at=self.now,
            is_quietly_declined=verdict.is_quiet,
            risk=verdict.risk,
            spam_percent=judged.spam_percent,
            verdict=judged.kept | {OVER: mark_of(Words.of(comment))},
            proven_root_id=comment.proven_root_id or comment.id,
            badge=comment.badge,
            signer_hash=comment.signer_hash,
            edits_id=comment.id,
        )
        self.session.add(edit)
        self.session.flush()
        search.index(self.session, edit)
        explain(self.session, edit, verdict, self.now)
        outbox.enqueue(self.session, edit, settings=self.settings, now=self.now)

    def _drop(self, edit: Comment | None) -> None:
        if edit is not None:
            take_away(self.session, edit, self.now)
