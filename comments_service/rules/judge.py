"""What the rules make of one comment. Pure: rules, facts and texts in, a verdict with its reasons out."""

from __future__ import annotations

from dataclasses import dataclass

from comments_service.rules.words import Texts, fired
from comments_service.vocabulary import InForce, Reason, Status, Verdict

# How risky a comment looks, from 0 to 100: the sum of what speaks against it
RISK_BANNED = 100
RISK_REFUSED_WORD = 80
RISK_HELD_WORD = 40  # these two for entries of blocklists as well
RISK_LINK, RISK_LINKS_AT_MOST = 10, 40
RISK_UNKNOWN_AUTHOR = 15
RISK_SURGE = 15
RISK_IMITATION = 30
RISK_WEBSITE = 5

CATCHING = ("banned", "refused-word", "listed-refused", "spam")  # reasons to send a comment to spam unasked


@dataclass(frozen=True)
class Facts:
    """What is known of a comment besides its texts; nothing personal. `links` are those of the text.

    `spam_percent` is how likely it is spam by all signals (spam/judge.py), from 0 to 100. `listed` and
    `list_refused` are the entries of the site's blocklists that are met, to hold or to refuse it.
    """

    links: int = 0
    has_website: bool = False
    is_known: bool = False
    is_trusted: bool = False
    is_banned: bool = False
    is_surge: bool = False
    is_letter: bool = False
    imitates_staff: bool = False
    spam_percent: int = 0
    lacks_proof: bool = False
    neighbour_away: bool = False
    listed: tuple[str, ...] = ()
    list_refused: tuple[str, ...] = ()


def count_links(html: str) -> int:
    """How many links a rendered comment has; addresses that were typed bare are links there."""
    return html.count("<a ")


def judge(in_force: InForce, facts: Facts, texts: Texts) -> Verdict:
    """Decide about a comment, with every reason that speaks for the decision.

    First come letters, then people (banned, trusted), then what is refused: words, the site's blocklists, and
    what is surely spam.
    The other rules let a comment wait, and one that none of them holds is published.
    """
    rules = in_force.rules
    refused = fired(rules.refuse_words, texts)
    held = fired(rules.hold_words, texts)
    risk = _risk(facts, is_refused=bool(refused or facts.list_refused), is_held=bool(held or facts.listed))
    if facts.is_letter:
        return Verdict(Status.PENDING, (Reason("letter"),), risk)
    if facts.is_banned:
        return Verdict(Status.SPAM, (Reason("banned"),), risk, is_quiet=True)
    if facts.is_trusted and rules.trusted_pass:
        return Verdict(Status.APPROVED, (_reason(in_force, "trusted", "trusted_pass"),))
    if refusals := _refusals(in_force, facts, refused):
        return Verdict(Status.SPAM, refusals, risk, is_quiet=True)
    if _reaches(rules.refuse_doubt_from, facts):
        reason = _reason(in_force, "spam", "refuse_doubt_from", _percent(facts))
        return Verdict(Status.SPAM, (reason,), risk, is_quiet=True)
    holds = _holds(in_force, facts, held)
    if holds:
        return Verdict(Status.PENDING, holds, risk)
    passed = "known-author" if facts.is_known else "no-rule"
    return Verdict(Status.APPROVED, (_reason(in_force, passed, "hold_newcomers"),), risk)


def _refusals(in_force: InForce, facts: Facts, refused: tuple[str, ...]) -> tuple[Reason, ...]:
    """The entries for which a comment is refused: those of the rules, and those of blocklists."""
    by_rules = (_reason(in_force, "refused-word", "refuse_words", refused),) if refused else ()
    by_lists = (Reason("listed-refused", words=tuple(facts.list_refused)),) if facts.list_refused else ()
    return by_rules + by_lists


def _holds(in_force: InForce, facts: Facts, held: tuple[str, ...]) -> tuple[Reason, ...]:
    """Why a comment waits, what says most about it first."""
    rules = in_force.rules
    links = facts.links + (rules.count_website and facts.has_website)
    found = (
        (bool(held), "held-word", "hold_words"),
        (bool(facts.listed), "listed", ""),
        (_reaches(rules.hold_doubt_from, facts), "maybe-spam", "hold_doubt_from"),
        (0 < rules.hold_links_from <= links, "links", "hold_links_from"),
        (rules.hold_imitations and facts.imitates_staff, "imitates-staff", "hold_imitations"),
        (rules.hold_surge and facts.is_surge, "surge", "hold_surge"),
        (facts.lacks_proof, "no-proof", ""),
        (facts.neighbour_away, "neighbour-away", ""),
        (rules.hold_all, "every-comment-waits", "hold_all"),
        (rules.hold_newcomers and not rules.hold_all and not facts.is_known, "newcomer", "hold_newcomers"),
    )
    met = {"held-word": held, "listed": tuple(facts.listed), "maybe-spam": _percent(facts)}
    return tuple(_reason(in_force, code, rule, met.get(code, ())) for is_held, code, rule in found if is_held)


def _reaches(threshold: int, facts: Facts) -> bool:
    return 0 < threshold <= facts.spam_percent


def _percent(facts: Facts) -> tuple[str, ...]:
    return (f"{facts.spam_percent} %",)


def _reason(in_force: InForce, code: str, rule: str, words: tuple[str, ...] = ()) -> Reason:
    """A reason with the rule behind it, where it is one of the owner's."""
    if not rule:
        return Reason(code, words=words)
    scope, version = in_force.source(rule)
    return Reason(code, scope, version, words)


def _risk(facts: Facts, *, is_refused: bool, is_held: bool) -> int:
    weights = (
        RISK_BANNED * facts.is_banned,
        RISK_REFUSED_WORD * is_refused,
        RISK_HELD_WORD * is_held,
        min(RISK_LINK * facts.links, RISK_LINKS_AT_MOST),
        RISK_UNKNOWN_AUTHOR * (not facts.is_known),
        RISK_SURGE * facts.is_surge,
        RISK_IMITATION * facts.imitates_staff,
        RISK_WEBSITE * facts.has_website,
    )
    return max(min(sum(weights), 100), facts.spam_percent)
