"""What changed between two texts, word by word. Pure: the pieces are plain text, never safe as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

MAX_WORDS = 2_000  # comparing takes up to a second for them; longer texts are compared line by line
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, came or went."""

    kind: Literal["same", "ins", "del"]
    text: str


def word_diff(first: str, now: str) -> tuple[Piece, ...]:
    """How the first text became the one of now."""
    split = _WORDS if len(first) + len(now) < MAX_WORDS * 8 else _LINES
    before, after = split.findall(first), split.findall(now)
    if len(before) > MAX_WORDS or len(after) > MAX_WORDS:
        return _whole(first, now)
    return tuple(_pieces(before, after))


def _pieces(before: list[str], after: list[str]) -> Iterator[Piece]:
    for tag, b1, b2, a1, a2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, come = "".join(before[b1:b2]), "".join(after[a1:a2])
        if tag == "equal":
            yield Piece("same", come)
            continue
        if gone:
            yield Piece("del", gone)
        if come:
            yield Piece("ins", come)


def _whole(first: str, now: str) -> tuple[Piece, ...]:
    return (Piece("same", now),) if first == now else (Piece("del", first), Piece("ins", now))
