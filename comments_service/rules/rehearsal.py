"""What rules would make of the latest comments, before they are in force: the one read that answers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from comments_service.errors import CommentNotFound, KeyRefused, SiteNotFound
from comments_service.markup import excerpt, render
from comments_service.privacy import Keyring
from comments_service.rights import require
from comments_service.rules.change import Place, refuse_wrong
from comments_service.rules.judge import Facts, count_links, judge
from comments_service.rules.words import Texts, network
from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.rules import in_force
from comments_service.submit import EMAIL_COLUMN
from comments_service.vocabulary import InForce, ModeratorView, Reason, Role, Rules, Status

COMMENTS = 500
EXCERPT_CHARACTERS = 160
PUBLISHED_BY = frozenset({"known-author", "trusted", "no-rule"})


class Outcome(StrEnum):
    """What becomes of a comment at first; a closed article does not even take it."""

    PUBLISHED = "published"
    WAITS = "waits"
    REFUSED = "refused"
    CLOSED = "closed"


OUTCOMES = {Status.APPROVED: Outcome.PUBLISHED, Status.PENDING: Outcome.WAITS}


@dataclass(frozen=True)
class Otherwise:
    """One comment that would have been treated otherwise. `decided`: what a person made of it since."""

    comment_id: int
    name: str
    text: str
    created_at: datetime
    then: Outcome
    now: Outcome
    reasons: tuple[Reason, ...]
    decided: Status | None

    @property
    def excerpt(self) -> str:
        """The beginning of its text, on one line."""
        return excerpt(self.text, EXCERPT_CHARACTERS)


@dataclass(frozen=True)
class Tally:
    """How many would have had this outcome instead of theirs, and what people made of these."""

    outcome: Outcome
    count: int
    approved: int
    declined: int


@dataclass(frozen=True)
class Rehearsal:
    """The latest comments under other rules: how many there were, and those that differ, the newest first."""

    looked_at: int
    otherwise: tuple[Otherwise, ...]

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """The differences by what would become of the comments."""
        counts = Counter(one.now for one in self.otherwise)
        return tuple(
            Tally(outcome, counts[outcome], self._decided(outcome, True), self._decided(outcome, False))
            for outcome in Outcome
            if counts[outcome]
        )

    def _decided(self, outcome: Outcome, is_approved: bool) -> int:
        decided = [one.decided for one in self.otherwise if one.now == outcome and one.decided]
        return sum((status == Status.APPROVED) == is_approved for status in decided)


def rehearse(place: Place, rules: Mapping[str, Any], *, by: ModeratorView | None, keys: Keyring) -> Rehearsal:
    """Judge the latest comments of a site or an article by other rules, and say which fare otherwise.

    `rules` are as `change_rules` takes them. Nothing is stored. What came with a comment is judged: whether
    its author was known then, how fast comments came. An address is opened for its domain alone, and a
    network that the rules name is compared by its keyed hash.

    Raises: SiteNotFound, CommentNotFound, NotAllowed, FieldsRefused.
    """
    refuse_wrong(rules)
    require(by, Role.VIEWER, place.site_id, unseen=SiteNotFound)
    with reading() as session:
        site = session.get_one(Site, place.site_id)
        rows = _latest(session, place)
        bench = _Bench(site, place, rules, keys)
        treated = [(row, bench.treat(row)) for row in rows]
        changed = [(row, *found) for row, found in treated if found[0] != _then(row.Comment)]
        decided = _decided_by_people(session, [row.Comment.id for row, *_ in changed])
        return Rehearsal(len(rows), tuple(_otherwise(*one, decided) for one in changed))


class _Bench:
    """The new rules, article by article, and the networks that they name."""

    def __init__(self, site: Site, place: Place, rules: Mapping[str, Any], keys: Keyring) -> None:
        self._site, self._place, self._new, self._keys = site, place, rules, keys
        self._by_thread: dict[int, tuple[InForce, dict[str, tuple[bytes, ...]]]] = {}

    def treat(self, row: Row[Any]) -> tuple[Outcome, tuple[Reason, ...]]:
        """What would become of a comment, and why."""
        comment, thread = row.Comment, row.Thread
        rules, networks = self._for(thread)
        if rules.is_closed_by_age(thread.created_at, comment.created_at):
            return Outcome.CLOSED, ()
        verdict = judge(rules, _facts(comment), self._texts(comment, rules.rules, networks))
        return OUTCOMES.get(verdict.status, Outcome.REFUSED), verdict.reasons

    def _for(self, thread: Thread) -> tuple[InForce, dict[str, tuple[bytes, ...]]]:
        if thread.id not in self._by_thread:
            rules = self._changed(thread)
            words = (*rules.rules.hold_words, *rules.rules.refuse_words)
            named = {name for word in words if (name := network(word)) is not None}
            hashes = {name: self._keys.network_hashes(name, site_id=self._site.id) for name in named}
            self._by_thread[thread.id] = rules, hashes
        return self._by_thread[thread.id]

    def _changed(self, thread: Thread) -> InForce:
        if self._place.thread_id is None:
            now = in_force(self._site, thread)
            rules = Rules.of(self._site.rules).with_own(self._new)
            return InForce(rules.with_own(thread.rules), now.version + 1, now.own, now.own_version)
        rules = Rules.of(self._site.rules).with_own(self._new)
        own_version = thread.rules_version + 1
        return InForce(rules, self._site.rules_version, frozenset(self._new), own_version)

    def _texts(self, comment: Comment, rules: Rules, networks: Mapping[str, tuple[bytes, ...]]) -> Texts:
        email = self._email(comment) if rules.hold_words or rules.refuse_words else None
        met = [name for name, hashes in networks.items() if comment.network_hash in hashes]
        return Texts.of(comment.name, email, comment.website, comment.text, met)

    def _email(self, comment: Comment) -> str | None:
        try:
            sealed = comment.email_sealed
            return self._keys.open(sealed, column=EMAIL_COLUMN) if sealed else None
        except KeyRefused:  # one damaged row must not hide the other 499
            return None


def _latest(session: Session, place: Place) -> list[Row[Any]]:
    """The latest comments of readers, without edits of them.

    Letters always wait, and moderators' replies are judged by nobody.
    """
    rows = select(Comment, Thread).join(Thread, Thread.id == Comment.thread_id)
    rows = rows.where(
        Comment.site_id == place.site_id,
        Comment.is_purged.is_(False),
        Comment.is_letter.is_(False),
        Comment.edits_id.is_(None),
        Comment.moderator_id.is_(None),
    )
    if place.thread_id is not None:
        thread = session.get(Thread, place.thread_id)
        if thread is None or thread.site_id != place.site_id:
            raise CommentNotFound("There is no such article.")
        rows = rows.where(Comment.thread_id == place.thread_id)
    newest_first = rows.order_by(Comment.created_at.desc(), Comment.id.desc())
    return list(session.execute(newest_first.limit(COMMENTS)))


def _facts(comment: Comment) -> Facts:
    """What was known of it when it came; of comments of earlier releases, what can be told afterwards."""
    if kept := comment.verdict.get("facts"):
        return Facts(**{name: kept[name] for name in vars(Facts()) if name in kept})
    return Facts(
        links=count_links(render(comment.text)),
        has_website=comment.website is not None,
        is_known=comment.verdict_reason == "known-author",
    )


def _then(comment: Comment) -> Outcome:
    first = comment.verdict.get("status")
    if first is None:
        return Outcome.PUBLISHED if comment.verdict_reason in PUBLISHED_BY else Outcome.WAITS
    return OUTCOMES.get(Status(first), Outcome.REFUSED)


def _decided_by_people(session: Session, ids: list[int]) -> set[int]:
    decided = select(JournalRow.comment_id).where(
        JournalRow.comment_id.in_(ids), JournalRow.action == DECIDED, JournalRow.from_status.is_not(None)
    )
    return {number for number in session.scalars(decided) if number is not None}


def _otherwise(row: Row[Any], now: Outcome, reasons: tuple[Reason, ...], decided: set[int]) -> Otherwise:
    comment: Comment = row.Comment
    return Otherwise(
        comment_id=comment.id,
        name=comment.name,
        text=comment.text,
        created_at=comment.created_at,
        then=_then(comment),
        now=now,
        reasons=reasons,
        decided=comment.state if comment.id in decided else None,
    )
