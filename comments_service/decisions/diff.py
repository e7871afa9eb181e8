"""What changed between two texts, word by word. Pure: the pieces are plain text, never safe as HTML.

The shortest way from one to the other, after Myers (1986, "An O(ND) difference algorithm", figure 2). Its
cost grows with what changed, not with how often a word comes, and has an end, so that no text can make a page
slow: where more changed than a reader could follow, the whole stretch is shown as gone and come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

MAX_WORDS = 2_000  # of longer texts the lines are compared
MAX_COMPARED = 30_000  # pairs of words: some 10 ms, enough for 150 changed words
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
Kind = Literal["same", "ins", "del"]
Step = tuple[Kind, str]


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, came or went."""

    kind: Kind
    text: str


def word_diff(first: str, now: str) -> tuple[Piece, ...]:
    """How the first text became the one of now."""
    split = _WORDS if len(first) + len(now) < MAX_WORDS * 8 else _LINES
    before, after = split.findall(first), split.findall(now)
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    gone, come = before[head : len(before) - tail], after[head : len(after) - tail]
    steps: list[Step] = [("same", word) for word in before[:head]]
    steps += _steps(gone, come)
    steps += [("same", word) for word in before[len(before) - tail :]]
    return tuple(_joined(steps))


def _alike(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words both begin with."""
    pairs = zip(before, after, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(before), len(after)))


def _steps(before: Sequence[str], after: Sequence[str]) -> list[Step]:
    is_short = len(before) <= MAX_WORDS and len(after) <= MAX_WORDS
    found = _shortest(before, after) if is_short else None
    if found is None:
        return [("del", word) for word in before] + [("ins", word) for word in after]
    return found


def _shortest(before: Sequence[str], after: Sequence[str]) -> list[Step] | None:
    """The fewest words gone and come; None if they are too many to be found soon.

    `furthest[k]` is how much of `before` is used up on the diagonal k, where k more words were taken from it
    than from `after`. Each round allows one change more.
    """
    furthest, rounds, compared = {1: 0}, list[dict[int, int]](), 0
    ends = len(before), len(after)
    for changes in range(ends[0] + ends[1] + 1):
        rounds.append(furthest.copy())
        for k in range(-changes, changes + 1, 2):
            x = begin = furthest[k + 1] if _comes(furthest, k, changes) else furthest[k - 1] + 1
            while x < ends[0] and x - k < ends[1] and before[x] == after[x - k]:
                x += 1
            furthest[k] = x
            if x >= ends[0] and x - k >= ends[1]:
                return _walked(rounds, before, after)
            compared += x - begin + 1
        if compared > MAX_COMPARED:
            break
    return None


def _comes(furthest: dict[int, int], k: int, changes: int) -> bool:
    """Whether the best way onto this diagonal is a word that came, rather than one that went."""
    return k == -changes or (k != changes and furthest[k - 1] < furthest[k + 1])


def _walked(rounds: Sequence[dict[int, int]], before: Sequence[str], after: Sequence[str]) -> list[Step]:
    """The way that was found, from its end back to the beginning."""
    steps: list[Step] = []
    x, y = len(before), len(after)
    for changes in range(len(rounds) - 1, -1, -1):
        k, furthest = x - y, rounds[changes]
        comes = _comes(furthest, k, changes)
        begin = furthest[k + 1] if comes else furthest[k - 1] + 1  # behind the change
        while x > begin:
            x, y = x - 1, y - 1
            steps.append(("same", before[x]))
        if changes and comes:
            y -= 1
            steps.append(("ins", after[y]))
        elif changes:
            x -= 1
            steps.append(("del", before[x]))
    return steps[::-1]


def _joined(steps: Sequence[Step]) -> Iterator[Piece]:
    """Neighbours of one kind as one piece; between two that stayed, what went stands before what came."""
    for is_same, run in groupby(steps, key=lambda step: step[0] == "same"):
        words = list(run)
        kinds: tuple[Kind, ...] = ("same",) if is_same else ("del", "ins")
        for kind in kinds:
            if text := "".join(word for its, word in words if its == kind):
                yield Piece(kind, text)
