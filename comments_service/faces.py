"""The picture beside a name: its first letters on a colour, both of them out of the displayed name alone.

Never out of the email: whoever sees two pictures must not learn whether two comments share an address. The
widget draws the same by `static/face.js`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

HUES = 360


@dataclass(frozen=True)
class Face:
    """What to draw: one or two letters, and a hue in degrees."""

    letters: str
    hue: int


@lru_cache(maxsize=4_096)
def face_of(name: str) -> Face:
    """The picture of a name; of one without letters it is the sign it begins with."""
    words = [letters for word in name.split() if (letters := [c for c in word if _is_letter(c)])]
    shown = [words[0][0], words[-1][0]] if len(words) > 1 else [words[0][0]] if words else [*name.strip()][:1]
    hue = 0
    for character in name:
        hue = (hue * 31 + ord(character)) % HUES
    return Face("".join(shown).upper(), hue)


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"
