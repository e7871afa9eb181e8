"""The layers that need nothing of what is learned: each looks at one thing, and says what it weighs. Pure.

A weight is added to the logarithm of the odds that this is spam: ln 3 ≈ 1.1 makes it three times as likely.
The cheapest come first. None can send a comment to spam alone but the hidden field and what is known to be
spam; honest people are quick, shout and quote too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from disposable_email_domains import blocklist as disposable

from comments_service.spam.evidence import Evidence, Tally
from comments_service.spam.links import SHORTENERS, host_of, hosts_of

SIGNALS = 1  # the version of these layers, kept with each verdict

TRAP = 6.0
QUICK = ((2, 2.0), (4, 1.0))  # under so many seconds since the form was opened
QUICK_TYPING = 12  # characters a second: twice what fast typists do; who pastes does it, too
PASTED = 1.0
TICKET_USED = 1.5
BY_PAGE = 0.3
NETWORK = ((12, 2.0), (6, 1.0), (3, 0.4))  # comments of one network in the last hour
RUSH = ((20.0, 1.0), (6.0, 0.5))
MANY_LINKS, EACH_LINK, LINKS_AT_MOST = 3, 0.4, 2.0  # links beyond the third, where nothing else is said
BARE_LINK = 1.0  # nothing but links
SHORTENER = 1.5
NAME_LINK = 2.5
NAME_CAPITALS, CAPITALS_FROM = 0.7, 10  # letters: acronyms are shorter
TWINS = ((5, 2.5), (2, 1.5), (1, 0.6))
TWIN_SPAM, TWIN_HONEST = 2.5, -1.0
FOREIGN, FOREIGN_SHARE, FOREIGN_FROM = 0.8, 0.6, 8
DISPOSABLE_EMAIL = 1.5
SPAM_BEFORE, HONEST_BEFORE = 1.2, 0.7  # each doubling of what people decided about the same network
AUTHOR_KNOWN, AUTHOR_SPAM = -2.5, 3.0

_LETTER_NAME = re.compile(r"^([A-Z]+)")
_CALLED = {"CJK": "Chinese or Japanese"}
_SAME_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HALFWIDTH": "CJK", "IDEOGRAPHIC": "CJK"}
# By ISO 15924, as Unicode's names of letters begin
_SCRIPTS = {
    "Latn": {"LATIN"},
    "Cyrl": {"CYRILLIC"},
    "Arab": {"ARABIC"},
    "Hebr": {"HEBREW"},
    "Hans": {"CJK"},
    "Hant": {"CJK"},
    "Hani": {"CJK"},
    "Jpan": {"CJK"},
    "Kore": {"HANGUL", "CJK"},
    "Grek": {"GREEK"},
    "Deva": {"DEVANAGARI"},
    "Thai": {"THAI"},
    "Geor": {"GEORGIAN"},
    "Armn": {"ARMENIAN"},
    "Beng": {"BENGALI"},
    "Taml": {"TAMIL"},
}


@dataclass(frozen=True)
class Signal:
    """What one layer says. Above 0 its weight speaks for spam. `what` fills its sentence."""

    code: str
    weight: float
    what: str = ""


# What is said of how a comment came: an edit changes its words, and nothing of that
OF_COMING = frozenset({"trap", "quick", "pasted", "ticket-used", "no-script"})

Layer = Callable[[Evidence], Iterator[Signal]]


def signals(evidence: Evidence) -> tuple[Signal, ...]:
    """What all layers say, in their order; silent ones are left out."""
    return tuple(signal for layer in LAYERS for signal in layer(evidence) if signal.weight)


def that_count(found: Collection[Signal]) -> list[Signal]:
    """Those that say something: that no scripts run does beside what speaks for spam, and alone does not."""
    others = [signal for signal in found if signal.code != "no-script"]
    return list(found) if any(signal.weight > 0 for signal in others) else others


def trap(evidence: Evidence) -> Iterator[Signal]:
    """A field was filled in that no person sees."""
    if evidence.sending.is_trapped:
        yield Signal("trap", TRAP)


def time(evidence: Evidence) -> Iterator[Signal]:
    """It came sooner after its form was opened than anybody reads and types."""
    seconds = evidence.sending.seconds
    if seconds is None:
        return
    if weight := next((weight for limit, weight in QUICK if seconds < limit), 0.0):
        yield Signal("quick", weight, str(seconds))
    elif len(evidence.said.text) > QUICK_TYPING * seconds:
        yield Signal("pasted", PASTED, str(seconds))


def ticket(evidence: Evidence) -> Iterator[Signal]:
    """The form was sent before, with another comment; or by a page without scripts, as simple bots do."""
    if evidence.history.is_ticket_used:
        yield Signal("ticket-used", TICKET_USED)
    if evidence.sending.by_page:
        yield Signal("no-script", BY_PAGE)


def rate(evidence: Evidence) -> Iterator[Signal]:
    """How much came from this network in an hour, and how much comes at all."""
    count, rush = evidence.history.from_network, evidence.history.rush
    yield Signal("network-rate", _step(count, NETWORK), str(count))
    yield Signal("rush", _step(rush, RUSH), str(round(rush)))


def links(evidence: Evidence) -> Iterator[Signal]:
    """Many links, nothing but links, or links that hide where they lead."""
    hosts = hosts_of(evidence.said.text)
    count = max(evidence.said.links, len(hosts))
    if count > MANY_LINKS:
        yield Signal("many-links", min((count - MANY_LINKS) * EACH_LINK, LINKS_AT_MOST), str(count))
    if count and len(evidence.said.seen.words) <= 1:
        yield Signal("bare-link", BARE_LINK)
    if hidden := next((host for host in hosts if host in SHORTENERS), None):
        yield Signal("shortener", SHORTENER, hidden)


def name(evidence: Evidence) -> Iterator[Signal]:
    """A name that is a link, or that is shouted."""
    given = evidence.said.name
    if host := host_of(given):
        yield Signal("name-link", NAME_LINK, host)
    letters = [character for character in given if character.isalpha()]
    if len(letters) >= CAPITALS_FROM and given.isupper():
        yield Signal("name-capitals", NAME_CAPITALS)


def twins(evidence: Evidence) -> Iterator[Signal]:
    """Others wrote nearly the same, lately; what people made of these says more than how many there are."""
    found = evidence.history.twins
    if found.decided.spam:
        yield Signal("twin-spam", TWIN_SPAM, str(found.decided.spam))
    elif found.decided.honest:
        yield Signal("twin-honest", TWIN_HONEST, str(found.decided.honest))
    else:
        yield Signal("twins", _step(found.count, TWINS), str(found.count))


def script(evidence: Evidence) -> Iterator[Signal]:
    """Most of its letters are of a script that the site's language is not written in."""
    counts = Counter(map(_script_of, filter(str.isalpha, evidence.said.text[:1_000])))
    total, known = counts.total(), scripts_of(evidence.said.language)
    foreign = total - sum(counts[each] for each in known)
    if known and total >= FOREIGN_FROM and foreign > FOREIGN_SHARE * total:
        most = max(counts.keys() - known, key=counts.__getitem__)
        yield Signal("foreign-script", FOREIGN, _CALLED.get(most, most.title()))


def email(evidence: Evidence) -> Iterator[Signal]:
    """An address of a kind that is thrown away after an hour. Its domain is not kept: it is of an address."""
    labels = evidence.said.email_domain.casefold().split(".")
    if any(".".join(labels[place:]) in disposable for place in range(len(labels) - 1)):
        yield Signal("disposable-email", DISPOSABLE_EMAIL)


def reputation(evidence: Evidence) -> Iterator[Signal]:
    """What people decided about the same network, and about the author, where a receipt proves one."""
    before, author = evidence.history.by_network, evidence.history.by_author
    if before.spam or before.honest:
        weight = SPAM_BEFORE * _doublings(before.spam) - HONEST_BEFORE * _doublings(before.honest)
        code = "network-spam" if weight > 0 else "network-honest"
        yield Signal(code, round(weight, 2), str(before.spam if weight > 0 else before.honest))
    yield from _author(author)


def _author(author: Tally) -> Iterator[Signal]:
    if author.spam:
        yield Signal("author-spam", AUTHOR_SPAM, str(author.spam))
    elif author.honest:
        yield Signal("author-known", AUTHOR_KNOWN, str(author.honest))


LAYERS: tuple[Layer, ...] = (trap, time, ticket, rate, links, name, twins, script, email, reputation)


@lru_cache(maxsize=256)
def scripts_of(language: str) -> frozenset[str]:
    """The scripts a language is written in, as Unicode's names of letters begin; Latin is at home everywhere.

    None are known for languages whose script we do not know: nothing is foreign there.
    """
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return frozenset()
    likely = locale.script or _likely_script(locale)
    return frozenset(_SCRIPTS[likely] | {"LATIN"}) if likely in _SCRIPTS else frozenset()


def _likely_script(locale: Locale) -> str | None:
    full = get_global("likely_subtags").get(locale.language)  # such as zh_Hans_CN
    return full.split("_")[1] if full and full.count("_") == 2 else None


@cache
def _script_of(character: str) -> str:
    found = _LETTER_NAME.match(unicodedata.name(character, ""))
    script_name = found[1] if found else ""
    return _SAME_SCRIPT.get(script_name, script_name)


def _step(value: float, steps: tuple[tuple[float, float], ...]) -> float:
    return next((weight for limit, weight in steps if value >= limit), 0.0)


def _doublings(count: int) -> int:
    """1 for one, 2 for two or three, up to 3."""
    return min(count.bit_length(), 3)
