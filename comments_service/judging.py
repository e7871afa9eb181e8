"""A submission is judged: what is known of it, what all signals say, what the owner's rules make of that."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from comments_service.blocklists.looking import listed
from comments_service.blocklists.matching import WordList
from comments_service.blocklists.ready import NO_WORDS
from comments_service.clusters.joining import Likes, likes_of
from comments_service.neighbours.heard import UNHEARD, Heard
from comments_service.privacy import Keyring
from comments_service.rules.facts import gather, others_by_author, texts_of
from comments_service.rules.judge import Facts, judge
from comments_service.spam.evidence import Evidence, Said
from comments_service.spam.history import Past, decided, look_back
from comments_service.spam.judge import Opinion, think
from comments_service.spam.learning import learner
from comments_service.spam.signals import Signal
from comments_service.storage.models import Comment, Thread
from comments_service.vocabulary import NOT_JUDGED, InForce, Status, Submission, Verdict


@dataclass(frozen=True)
class Judged:
    """A submission after the rules: what is known of it, what is thought of it, the verdict.

    `earlier` is what its receipt proved; `likes` are the comments that say nearly the same.
    """

    facts: Facts
    verdict: Verdict
    earlier: Comment | None
    likes: Likes
    opinion: Opinion
    seconds: int | None = None
    heard: Heard = UNHEARD

    @property
    def told(self) -> Status:
        """The status that its author hears of at first."""
        return Status.PENDING if self.verdict.is_quiet else self.verdict.status

    @property
    def spam_percent(self) -> int:
        """How likely spam its signals say; nobody asks whether a letter to the editors is."""
        return NOT_JUDGED if self.facts.is_letter else self.opinion.percent

    @property
    def kept(self) -> dict[str, Any]:
        """What the comment keeps of it, so that "why was I held" has an answer: nothing personal."""
        reasons = [
            {"code": r.code, "scope": r.scope, "version": r.version, "words": list(r.words)}
            for r in self.verdict.reasons
        ]
        spam = self.opinion.kept | {"seconds": self.seconds}
        kept = {"status": str(self.verdict.status), "reasons": reasons, "facts": asdict(self.facts)}
        told = {"neighbours": self.heard.kept} if self.heard.said else {}
        return kept if self.facts.is_letter else kept | {"spam": spam} | told


@dataclass(frozen=True)
class Bench:
    """Where submissions are judged: the site's database, the keys, the time.

    What does not come, but is there and is said otherwise (`comes`), begins no surge, and is no twin of
    itself (`own_id`). `heard` is what neighbours said, who were asked before the transaction; `blocked` are
    the words on the site's blocklists, made ready there too. `came` is what was said of how the comment came
    that is edited now.
    """

    session: Session
    keys: Keyring
    now: datetime
    comes: bool = True
    own_id: int | None = None
    heard: Heard = UNHEARD
    blocked: WordList = NO_WORDS
    came: tuple[Signal, ...] = ()

    def judge(
        self, submission: Submission, thread: Thread, rules: InForce, earlier: Comment | None
    ) -> Judged:
        """Judge one submission; `earlier` is the comment that its receipt proves."""
        facts = gather(
            self.session, submission, thread, earlier, keys=self.keys, now=self.now, comes=self.comes
        )
        return self.judge_known(submission, facts, rules, earlier)

    def judge_known(
        self, submission: Submission, facts: Facts, rules: InForce, earlier: Comment | None
    ) -> Judged:
        """The same, of which all facts are known but what the signals say."""
        site_id, sending = submission.site.id, submission.sending
        likes = likes_of(
            self.session, site_id, submission.text, submission.website, now=self.now, own_id=self.own_id
        )
        past = Past(
            site_id,
            self.keys.network_hashes(submission.network, site_id=site_id),
            sending.nonce,
            likes,
            own_id=self.own_id,
            by_author=decided(
                others_by_author(self.session, submission, earlier, keys=self.keys, own_id=self.own_id)
            ),
        )
        evidence = Evidence(_said(submission, facts), sending, look_back(self.session, past, now=self.now))
        slots = evidence.said.seen.slots
        site = learner(self.session, site_id, slots)
        opinion = think(evidence, site.filter, lessons=site.lessons, others=(*self.heard.signals, *self.came))
        lacks_proof = facts.lacks_proof or sending.lacks_proof(is_ticket_used=evidence.history.is_ticket_used)
        met = listed(self.session, submission, self.blocked, keys=self.keys, now=self.now)
        facts = replace(
            facts,
            spam_percent=opinion.percent,
            lacks_proof=lacks_proof,
            neighbour_away=not facts.is_letter and self.heard.lacks(submission.site.options.neighbours),
            listed=met.held,
            list_refused=met.refused,
        )
        verdict = judge(rules, facts, texts_of(submission))
        return Judged(facts, verdict, earlier, likes, opinion, sending.seconds, self.heard)


def _said(submission: Submission, facts: Facts) -> Said:
    return Said(
        text=submission.text,
        links=facts.links,
        name=submission.name,
        website=submission.website,
        email_domain=(submission.email or "").rpartition("@")[2],
        language=submission.site.language,
        seconds=submission.sending.seconds,
    )
