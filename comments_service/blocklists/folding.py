"""The forms in which words on a blocklist and what people write meet: spelled otherwise, read alike. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from comments_service.lookalikes import letters_like_latin
from comments_service.rules.words import FIRST_HAN_PLANE, UNSPACED, as_ranges, letter_class
from comments_service.spam.features import fold as fold_lookalikes

BORDER = "\x1f"  # a blank to `fold`: no folded text has one of its own
SMALL_CAPITALS = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ"
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
# Letters in circles and boxes, which NFKC leaves as they are
_DRESSED = {
    **dict(zip(map(ord, SMALL_CAPITALS), ALPHABET, strict=True)),
    **{first + place: letter for first in (0x1F150, 0x1F170) for place, letter in enumerate(ALPHABET)},
}
# Letters of which nothing is seen, and lines and boxes laid over others
_UNSEEN = [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0]
_LAID_OVER = [0x0305, 0x0332, 0x0333, 0x033F, *range(0x20D0, 0x20F1)]
_UNDRESSED = {**_DRESSED, **dict.fromkeys((*_UNSEEN, *_LAID_OVER))}

# Digits and signs for letters. What stands for an i stands for an l as well
_SPELLED: tuple[dict[int, str], ...] = tuple(
    dict(zip(map(ord, "013457@$!|€"), letters, strict=True)) for letters in ("oieastasiie", "oleastaslle")
)
_TYPED = re.compile(r"[a-z0-9@$!|€]+")
_DIGIT, _LATIN = re.compile(r"[013457]"), re.compile(r"[a-z]")
_SIGN = re.compile(r"[013457@$!|€]")
_LETTERS, _ANY_LETTER = re.compile(r"[^\W\d_]+"), re.compile(r"[^\W\d_]")
# Those that make no letter together with the one before; upon others they may tell words apart
_LOOSE_MARKS = re.compile("(?<=[a-z\u0430-\u044f])[\u0300-\u0345]+")
_LATIN_WORD = re.compile(r"[a-z0-9]+")
_EDGES = "!|"  # at the end of a word these are what they look like
SHORTEST = 3  # "A5" is paper


def fold(text: str) -> str:
    """A text as people read it: NFKC, no case, nothing unseen, lookalikes in Latin words as Latin letters."""
    if text.isascii():
        return fold_lookalikes(text)
    folded = fold_lookalikes(text.translate(_UNDRESSED))
    return _LOOSE_MARKS.sub("", folded)


def meant(folded: str) -> tuple[str, ...]:
    """The same text with digits and signs as the letters that they stand for; none where none do.

    A word with more digits than letters is a number, or the name of a road.
    """
    if not _SIGN.search(folded):
        return ()
    found = (_spelled_out(folded, table) for table in _SPELLED)
    return tuple(form for form in dict.fromkeys(found) if form != folded)


def disguised(folded: str) -> tuple[str, ...]:
    """The same text with all that looks like Latin letters as these; none where nothing does.

    In words that have Latin letters as well. Where no letter of a text is of another alphabet for sure, a
    word may have none at all: `\u0455\u0435\u0445`. In Russian words between others it says what it says.
    """
    if folded.isascii():
        return ()
    like = _like_latin()
    is_plain = all(_is_latin(letter) or ord(letter) in like for letter in set(folded) if letter.isalpha())
    is_meant = _ANY_LETTER if is_plain else _LATIN
    found = _LETTERS.sub(
        lambda word: word[0].translate(like) if is_meant.search(word[0]) else word[0], folded
    )
    return (found,) if found != folded else ()


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN ")


def framed(folded: str) -> str:
    """A folded text with its words between borders, so that a framed entry is met as a whole.

    What is written without blanks has no borders: there, an entry is met wherever it stands.
    """
    words = _LATIN_WORD if folded.isascii() else _word()
    return words.sub(rf"{BORDER}\g<0>{BORDER}", folded)


def _spelled_out(folded: str, table: dict[int, str]) -> str:
    return _TYPED.sub(lambda typed: _word_meant(typed[0], table), folded)


def _word_meant(typed: str, table: dict[int, str]) -> str:
    word = typed.rstrip(_EDGES)
    if len(word) < SHORTEST or word.isalpha():
        return typed
    digits, letters = len(_DIGIT.findall(word)), len(_LATIN.findall(word))
    said = word.translate(table)
    is_word = letters >= max(digits, 1) and said.isalpha()
    return said + typed[len(word) :] if is_word else typed


@cache
def _like_latin() -> dict[int, str]:
    """What Unicode's list says, but the Turkish letter, which is its own."""
    return {number: letter for number, letter in letters_like_latin().items() if number != ord("\u0131")}


@cache
def _word() -> re.Pattern[str]:
    """What is written with blanks between words. One plain class: a text is as long as its author likes."""
    is_letter, is_unspaced = re.compile(letter_class()), re.compile(UNSPACED)
    found = [
        number
        for number in range(FIRST_HAN_PLANE)
        if is_letter.match(chr(number)) and not is_unspaced.match(chr(number))
    ]
    return re.compile(f"[{as_ranges(found)}]+")
