"""Owners' lists of words against what people write: one normal form for both, and the borders of words. Pure.

An entry is a word or a phrase and is met as a whole; `*` in it stands for any letters, so that `*press*`
is met in "WordPress" and `viagr*` in "viagra". An address or network is met by the sender's network too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from ipaddress import ip_network

from comments_service.privacy import network_of

MAX_STAR_LETTERS = 40  # a `*` inside a word: nobody spreads a word wider, and each letter is a step
WIDEST_PREFIX = {4: 24, 6: 64}  # what one sender is likely to hold, and all that is stored of an address

# Written without blanks between words: a border there would never be found
UNSPACED = (
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Vowel marks and stretching that Arabic writes or leaves out, strokes laid over letters, emoji selectors
_DECORATION = "\u0640\u064b-\u065f\u0670\u0334-\u0338\ufe00-\ufe0f"
FIRST_HAN_PLANE = 0x20000  # above are Han letters and private signs, but for the tags
_TAGS = "\U000e0000-\U000e007f"


class Places:
    """Where characters stand in a text: each as a number whose bit n is set if it is the text's nth."""

    def __init__(self, text: str) -> None:
        """Take a text in normal form."""
        self._text, self._known = text[::-1], dict.fromkeys(map(ord, text), "0")
        self._found: dict[str, int] = {}
        self.letters = self._where(
            {number for number in self._known if re.match(letter_class(), chr(number))}
        )

    def of(self, piece: str) -> int:
        """Where a piece of text begins."""
        found = self._of(piece[0])
        for distance, character in enumerate(piece[1:], 1):
            found &= self._of(character) >> distance
        return found

    def _of(self, character: str) -> int:
        if character not in self._found:
            self._found[character] = self._where({ord(character)} & self._known.keys())
        return self._found[character]

    def _where(self, numbers: set[int]) -> int:
        return int(self._text.translate(self._known | dict.fromkeys(numbers, "1")) or "0", 2)


@dataclass(frozen=True)
class Texts:
    """What of one comment is held against the entries. `networks`: its own, in the form of `network_of`."""

    name: str
    email_domain: str
    website: str
    text: str
    networks: frozenset[str] = frozenset()

    @cached_property
    def whole(self) -> str:
        """All of them in normal form, with borders that no entry can reach across."""
        parts = (self.name, self.email_domain, self.website, self.text)
        return "\n".join(normal(part) for part in parts if part)

    @cached_property
    def places(self) -> Places:
        """Where each character stands in the whole."""
        return Places(self.whole)

    @classmethod
    def of(
        cls, name: str, email: str | None, website: str | None, text: str, networks: Iterable[str]
    ) -> Texts:
        """Take the parts of a comment, of the address no more than its domain."""
        domain = (email or "").rpartition("@")[2]
        return cls(name, domain, website or "", text, frozenset(networks))


def normal(text: str) -> str:
    """The form in which texts and entries meet: NFKC, without case, unseen characters and decoration.

    The dotless ı stays itself: in Turkish it makes other words.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    folded = folded.replace("i\u0307", "i")  # what casefolding makes of İ
    # The underscore counts as a letter elsewhere; in a comment it is emphasis
    kept = hidden().sub("", folded).replace("_", " ")
    return " ".join(kept.split())


def fired(entries: Iterable[str], texts: Texts) -> tuple[str, ...]:
    """The entries that are met somewhere in a comment, as their owner typed them."""
    whole, networks = texts.whole, texts.networks
    return tuple(
        one.entry
        for one in _prepared(tuple(entries))
        if (one.longest and one.longest in whole and _is_met(one.entry, texts)) or one.network in networks
    )


def network(entry: str) -> str | None:
    """The network that an entry names, in the form of `network_of`; None for a word."""
    try:
        named = ip_network(entry.strip(), strict=False)
    except ValueError:
        return None
    return network_of(str(named.network_address))


def is_too_wide(entry: str) -> bool:
    """Whether an entry names more than one sender's network: only those are known, and only as hashes."""
    try:
        named = ip_network(entry.strip(), strict=False)
    except ValueError:
        return False
    return named.prefixlen < WIDEST_PREFIX[named.version]


def says_something(entry: str) -> bool:
    """Whether anything is left of an entry besides its stars."""
    return bool(normal(entry).replace("*", "").strip())


@dataclass(frozen=True)
class _Prepared:
    """An entry with what is quickly looked for first: its longest piece between stars, and its network."""

    entry: str
    longest: str
    network: str | None


@lru_cache(maxsize=64)
def _prepared(entries: tuple[str, ...]) -> tuple[_Prepared, ...]:
    return tuple(_Prepared(entry, max(_pieces(normal(entry)), key=len), network(entry)) for entry in entries)


def _pieces(form: str) -> list[str]:
    return [piece for piece in re.split(r"\*+", form) if piece] or [""]


def _is_met(entry: str, texts: Texts) -> bool:
    form = normal(entry)
    pieces = _pieces(form)
    if len(pieces) == 1:
        return _pattern(entry).search(texts.whole) is not None
    return _is_spread(form, pieces, texts.places)


def _is_spread(form: str, pieces: list[str], places: Places) -> bool:
    """Whether the pieces follow each other with letters between, all places of the text at once.

    A regular expression would begin anew at each place: the product of the text's length and of the stars.
    """
    letters = places.letters
    begun = places.of(pieces[0])
    if _is_bordered(form[0]):
        begun &= ~(letters << 1)
    ends = begun << len(pieces[0])
    for piece in pieces[1:]:
        for _ in range(MAX_STAR_LETTERS):
            ends |= (ends & letters) << 1
        ends = (ends & places.of(piece)) << len(piece)
    return bool(ends & ~letters if _is_bordered(form[-1]) else ends)


@lru_cache(maxsize=4_096)
def _pattern(entry: str) -> re.Pattern[str]:
    form, letter = normal(entry), letter_class()
    pattern = re.escape(_pieces(form)[0])
    if _is_bordered(form[0]):
        pattern = rf"(?<!{letter}){pattern}"
    if _is_bordered(form[-1]):
        pattern = rf"{pattern}(?!{letter})"
    return re.compile(pattern)


def _is_bordered(edge: str) -> bool:
    """Whether an entry that begins or ends so must begin or end a word; with a star it need not."""
    return unicodedata.category(edge)[0] in "LMN" and not re.match(UNSPACED, edge)


@cache
def letter_class() -> str:
    """The class of what words are made of: letters, digits, and the marks on them."""
    return rf"[\w{_ranges('M')}]"


@cache
def hidden() -> re.Pattern[str]:
    """What is not seen between letters: zero-width and direction marks, soft hyphens, decoration."""
    return re.compile(f"[{_ranges('Cf')}{_DECORATION}{_TAGS}]")


def _ranges(category: str) -> str:
    """All characters of a category, as they stand in a class of a regular expression."""
    named = range(FIRST_HAN_PLANE)
    return as_ranges(number for number in named if unicodedata.category(chr(number)).startswith(category))


def as_ranges(numbers: Iterable[int]) -> str:
    """Characters in their order, as they stand in a class of a regular expression."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in runs)
