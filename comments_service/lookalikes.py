"""Whether a name looks like another: skeletons after Unicode Technical Standard #39, section 4.

What is confusable is told by Unicode's own list, which `confusable_homoglyphs` carries. Case, blanks and
signs are no difference, since names are read, not compared.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from confusable_homoglyphs.utils import load

MAX_CHARACTERS = 245  # of a name


@lru_cache(maxsize=4_096)
def skeletons(name: str) -> frozenset[str]:
    """What a name looks like as typed, in small letters and in capitals: an I looks otherwise than an i.

    Empty where nothing of it can be seen.
    """
    typed = name[:MAX_CHARACTERS]
    ways = (typed, typed.casefold(), typed.upper())
    return frozenset(filter(None, map(_skeleton, ways)))


def looks_like(name: str, others: Iterable[str]) -> bool:
    """Whether a name looks like one of the others, however each of them is written."""
    own = skeletons(name)
    return any(not own.isdisjoint(skeletons(other)) for other in others)


def _skeleton(text: str) -> str:
    # Compatibility forms (full width, mathematical) first: the list has most of them, not all
    known = _prototypes()
    bare = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    shown = "".join(known.get(character, character) for character in bare)
    letters = (c for c in unicodedata.normalize("NFD", shown) if unicodedata.category(c)[0] in "LMN")
    return "".join(letters).casefold()


@cache
def _prototypes() -> dict[str, str]:
    """What each character is shown as. The package has each pair both ways; a prototype has many sources."""
    pairs = {one: [other["c"] for other in others] for one, others in load("confusables.json").items()}
    found = {}
    for one, others in pairs.items():
        if len(one) != 1 or len(others) != 1:
            continue
        other = others[0]
        is_source = len(pairs.get(other, ())) > 1 or len(other) > 1 or one > other
        if is_source:
            found[one] = other
    return found


@cache
def letters_like_latin() -> dict[int, str]:
    """Letters that are shown as one Latin letter each, by their numbers; Latin ones with marks are none."""
    shown = {ord(one): other.casefold() for one, other in _prototypes().items() if one.isalpha()}
    is_plain = "abcdefghijklmnopqrstuvwxyz".__contains__
    return {one: other for one, other in shown.items() if one > 127 and len(other) == 1 and is_plain(other)}
