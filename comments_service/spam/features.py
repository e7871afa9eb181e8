"""What the filter sees of a comment: words, pairs of them, pieces of words, links and marks. Pure.

Each feature has a name such as `word:subscribe`, so that reasons can be told; the model knows it by a slot.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil, sqrt
from zlib import crc32

from comments_service.rules.words import normal
from comments_service.spam.links import EMAIL, LINK, host_of, link_features, link_words, take_links

FEATURES = 3  # to be counted up with every change below: what was learned under another number says nothing
SLOTS = 1 << 18  # so many that two features of one comment seldom meet; only those in use take room
MOST_CHARACTERS = 1_200  # of a text are looked at, and
LAST_CHARACTERS = 400  # of these the last: advertisers like to come at the end
MOST_GRAMS = 1_000  # pieces of words; both bounds keep judging within a millisecond or two
GRAMS = (3, 4, 5)
WORDS_AT_HAND = 2_000  # whose pieces are not made anew: the same words come again and again

ALWAYS = SLOTS  # a slot of its own, which every comment has: how much is spam at all
ALWAYS_VALUE = 0.5

# What each kind has in the sum, whatever the number of its features: links say most about a newcomer
KINDS = {"word": 2.0, "pair": 3.0, "gram": 1.5, "link": 2.5, "mark": 1.0, "name": 0.5, "called": 0.5}

STANDS_FOR = {LINK: "…", EMAIL: "@"}  # in pairs, what stands beside a word

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SAID = re.compile(rf"{_WORD.pattern}|[{LINK}{EMAIL}]")
_STRETCHED = re.compile(r"(.)\1{2,}")
_NUMBER = re.compile(r"\d+")
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[ ().-]{0,2}\d){8,13}(?!\w)")
_TIME = re.compile(r"\b\d?\d:\d\d\b")
_LATIN = re.compile("[a-z]")
_SPELLED = str.maketrans("013457@$!", "oieastasi")
_EDGES = ".,;:!?()\"'"
# Letters of other alphabets that are read as Latin ones, where they stand in a word with these
_LOOKALIKES = str.maketrans("абсдеһіјкмнорԛѕтухѵԝαβγεικνορτυχω", "abcdehijkmhopqstyxvwabyeikvoptuxw")


@dataclass(frozen=True)
class Seen:
    """What is seen of one comment. `values`: what each feature has in the sum, by its name.

    `named` are the words that stand in its author's name alone.
    """

    values: dict[str, float]
    words: tuple[str, ...]
    named: tuple[str, ...] = ()

    @cached_property
    def placed(self) -> Mapping[str, tuple[int, float]]:
        """The slot of each feature by its name, and its value with the sign that it has there."""
        return {name: slot_of(name, value) for name, value in self.values.items()}

    @cached_property
    def slots(self) -> Mapping[int, float]:
        """The values by slots; a sign keeps features that meet in one slot from adding up."""
        found = {ALWAYS: ALWAYS_VALUE}
        for slot, signed in self.placed.values():
            found[slot] = found.get(slot, 0.0) + signed
        return found


def look_at(text: str, name: str = "", website: str | None = None, seconds: int | None = None) -> Seen:
    """All that is seen of a comment by what its author wrote, and how long its form was open."""
    text = _clip(text)
    links, rest = take_links(fold(text))
    said = tuple(_words(rest))
    words = tuple(word for word in said if word not in STANDS_FOR.values())
    in_links = tuple(link_words(links))
    called = _WORD.findall(fold(name))
    read = (*words, *_meant(rest), *in_links)
    found = {
        "word": [f"word:{word}" for word in read],
        "pair": [f"pair:{one} {other}" for one, other in zip(("^", *said), (*said, "$"), strict=True)],
        "gram": list(_all_grams((*words, *in_links))),
        "link": list(link_features(links, website)),
        "mark": [*_marks(text, rest, words, len(links)), *_timing(seconds)],
        "name": list(_name_features(name)),
        "called": [*(f"word:{word}" for word in called), *_all_grams(called)],
    }
    values: dict[str, float] = {}
    for kind, names in found.items():
        distinct = dict.fromkeys(names)  # a set would put them in another order each time
        share = KINDS[kind] / sqrt(len(distinct) or 1)
        for feature in distinct:
            values[feature] = values.get(feature, 0.0) + share
    return Seen(values, words, tuple(dict.fromkeys(word for word in called if word not in read)))


def slot_of(name: str, value: float = 1.0) -> tuple[int, float]:
    """The slot of a feature, and its value with the sign that it has there."""
    number = crc32(name.encode())
    return number % SLOTS, -value if number >> 31 else value


def fold(text: str) -> str:
    """A text as people read it: NFKC, no case, nothing unseen, lookalikes in Latin words as Latin letters."""
    folded = normal(text)
    if folded.isascii():
        return folded
    words = folded.split(" ")
    return " ".join(word.translate(_LOOKALIKES) if _LATIN.search(word) else word for word in words)


@lru_cache(maxsize=WORDS_AT_HAND)
def grams_of(word: str) -> tuple[str, ...]:
    """The names of a word's pieces, its edges marked by blanks."""
    framed = f" {word} "
    return tuple(
        f"gram:{framed[start : start + size]}" for size in GRAMS for start in range(len(framed) - size + 1)
    )


def _clip(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[: MOST_CHARACTERS - LAST_CHARACTERS]} {text[-LAST_CHARACTERS:]}"


def _words(rest: str) -> Iterator[str]:
    """The words, stretched letters once, of numbers no more than how long they are; and where links stand."""
    for word in _SAID.findall(rest):
        if word in STANDS_FOR:
            yield STANDS_FOR[word]
            continue
        plain = _STRETCHED.sub(r"\1", word)
        yield _NUMBER.sub(lambda number: "0" * min(len(number[0]), 4), plain)


def _meant(rest: str) -> Iterator[str]:
    """Words as they are meant where digits and signs stand for letters: `v1agra`."""
    for word in rest.split():
        if word.isalpha() or not _LATIN.search(word):
            continue
        typed = word.strip(_EDGES)
        meant = typed.translate(_SPELLED)
        if meant != typed and meant.isalpha():
            yield meant


def _all_grams(words: Iterable[str]) -> Iterator[str]:
    left = MOST_GRAMS
    for word in dict.fromkeys(words):
        for gram in grams_of(word):
            if left == 0:
                return
            left -= 1
            yield gram


def _marks(text: str, rest: str, words: tuple[str, ...], links: int) -> Iterator[str]:
    """Length, capitals, digits and the like, in steps."""
    letters = [character for character in text if character.isalpha()]
    yield f"mark:links {min(links, 3)}"
    yield f"mark:length {len(text).bit_length()}"
    yield f"mark:words {len(words).bit_length()}"
    yield f"mark:capitals {_steps(sum(map(str.isupper, letters)), letters, 5)}"
    yield f"mark:digits {_steps(sum(map(str.isdigit, text)), text, 10)}"
    yield f"mark:exclamations {min(text.count('!'), 4)}"
    yield f"mark:questions {min(text.count('?'), 2)}"
    signs = {
        "time": _TIME.search(text),
        "stretched": _STRETCHED.search(text),
        "at": "@" in text,
        "email": EMAIL in rest,
        "phone": _PHONE.search(rest),
        "hash": "#" in text,
        "money": any(unicodedata.category(character) == "Sc" for character in set(text)),
        "lines": "\n" in text,
        "blanks": "  " in text,
        "repeats": len(set(words)) < 0.7 * len(words),
        "pictures": any(unicodedata.category(character) == "So" for character in set(text)),
        "script": sum(map(str.isascii, letters)) < 0.8 * len(letters),
    }
    yield from (f"mark:{sign}" for sign, is_there in signs.items() if is_there)


def _timing(seconds: int | None) -> Iterator[str]:
    """How long it took, in doublings of seconds."""
    if seconds is not None:
        yield f"mark:seconds {min(seconds.bit_length(), 10)}"


def _steps(part: int, whole: Iterable[str], steps: int) -> int:
    """A share in steps, of which the lowest is none at all."""
    size = sum(1 for _ in whole)
    return ceil(part * steps / size) if size else 0


def _name_features(name: str) -> Iterator[str]:
    words = _WORD.findall(fold(name))
    yield from (f"name:{word}" for word in words)
    yield f"name:({min(len(words), 4)} words)"
    if any(map(str.isdigit, name)):
        yield "name:(digits)"
    if name.isupper():
        yield "name:(capitals)"
    if host_of(name):
        yield "name:(link)"
