"""The words of a text, as they are stored for the search and read from a query: both databases get the same.

Letters lose their case and their accents. Scripts that set no blanks between words, and signs such as emoji,
give one word for each character; whoever searches for several in a row gets them as a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_WORD_CHARACTERS = 64  # the rest of a longer one is left out, here and in queries alike
_ASCII_WORD = re.compile("[a-z0-9]+")
# Letters that Unicode takes for one piece, with what people type who do not have them
_PLAIN = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h"}
_TATWEEL = "\u0640"  # stretches Arabic words, and means nothing
_VOICING = "\u3099\u309a"  # makes か a が: another letter, not another accent
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]*)[\"“”„«»]")
MAX_QUERY_CHARACTERS = 1_000
MAX_PHRASES = 32
_BY_CHARACTER = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Thai, Lao, Burmese, Khmer
    *((0x3005, 0x3007), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)),  # kana and Han
    *((0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # Hangul, rarer Han
)


class _Characters(dict[int, str]):
    """What becomes of each character: part of a word, a word of its own, a gap, or nothing."""

    def __missing__(self, code: int) -> str:
        written = _written(chr(code))
        if code < 0x10000:  # rarer ones are not kept, or a hostile text could fill the memory with them
            self[code] = written
        return written


def words(text: str) -> list[str]:
    """The words of a text, in their order."""
    folded = text.casefold()
    if folded.isascii():
        found = _ASCII_WORD.findall(folded)
    else:
        # Composed last: Hangul must not fall apart into its letters
        bare = unicodedata.normalize("NFKD", folded).casefold().translate(_MARKS)
        found = unicodedata.normalize("NFC", bare).translate(_CHARACTERS).split()
    return [word[:MAX_WORD_CHARACTERS] for word in found]


@dataclass(frozen=True)
class Phrase:
    """Words that stand one behind the other. The last one may go on where the phrase `is_open`."""

    words: tuple[str, ...]
    is_open: bool = False


def phrases(query: str) -> list[Phrase]:
    """What a query asks for, all of it to be found: words, phrases in quotes, and beginnings of words.

    A beginning is a word with a star behind it, or the query's last one, which may still be being typed.
    Whatever else is typed is no language of its own: NEAR, OR and a minus are what they are in a text.
    """
    found: list[Phrase] = []
    rest = query[:MAX_QUERY_CHARACTERS]
    while quoted := _QUOTED.search(rest):
        found += _loose(rest[: quoted.start()], is_last=False)
        found += _phrase(quoted[1], is_open=False)
        rest = rest[quoted.end() :]
    found += _loose(rest, is_last=True)
    return found[:MAX_PHRASES]


def _loose(text: str, *, is_last: bool) -> list[Phrase]:
    """Each piece between blanks; one like "don't" has two words that belong together."""
    pieces = text.split()
    is_typed_on = is_last and not text[-1:].isspace()
    return [
        phrase
        for number, piece in enumerate(pieces, 1)
        for phrase in _phrase(piece, is_open=piece.endswith("*") or (is_typed_on and number == len(pieces)))
    ]


def _phrase(text: str, *, is_open: bool) -> list[Phrase]:
    found = tuple(words(text))
    # Nothing can be typed behind a character that is a word by itself
    return [Phrase(found, is_open and not _is_by_character(found[-1][-1]))] if found else []


def _written(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if _is_by_character(character):
        return f" {character} "
    kind = unicodedata.category(character)
    return character if kind[0] in "LN" or kind == "Mc" else " "


def _is_by_character(character: str) -> bool:
    code = ord(character)
    kind = unicodedata.category(character)
    if kind == "So":
        return True
    return kind[0] in "LN" and any(first <= code <= last for first, last in _BY_CHARACTER)


class _Marks(dict[int, int | None]):
    """Takes the accents off: marks that stand above or below a letter, and what only stretches one."""

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        is_mark = unicodedata.category(character) in ("Mn", "Me") and character not in _VOICING
        is_mark = is_mark or character == _TATWEEL
        if code < 0x10000:
            self[code] = None if is_mark else code
        return None if is_mark else code


_CHARACTERS = _Characters()
_MARKS = _Marks()
