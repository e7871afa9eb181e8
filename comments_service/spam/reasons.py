"""Why the filter thinks so, in a comment's own words: what is hashed is named while it is judged. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comments_service.spam.features import STANDS_FOR, Seen, grams_of
from comments_service.spam.links import EMAIL, LINK
from comments_service.spam.model import Filter

MOST = 5
_FACT = re.compile(r"[^a-z]")
_WORDS_OF_NAME = re.compile(r"\((\d) words\)")
_SHARES = {"capitals": 20, "digits": 10}  # percents that one step of these marks is wide
_DOUBLING = ("length", "words", "seconds")
_STANDS_FOR = {STANDS_FOR[LINK]: "link", STANDS_FOR[EMAIL]: "email"}
_NO_END = ("seconds 10",)  # the last step of those that have one


@dataclass(frozen=True)
class Sign:
    """One reason. `weight` is what it adds to the logarithm of the odds: above 0 it speaks for spam.

    `kind` is `word`, `pair`, `link`, `host`, `depth`, `path`, `query`, `mark` or `name`; `what` is the word,
    the host or the mark itself with its number, empty for the fact that there is a link.
    """

    kind: str
    what: str
    weight: float


def reasons(seen: Seen, site: Filter) -> tuple[Sign, ...]:
    """What says most about a comment, the strongest first; a word counts with its pieces."""
    signs = [sign for sign in _signs(seen, site) if sign.weight]
    return tuple(sorted(signs, key=lambda sign: -abs(sign.weight))[:MOST])


def sentence(sign: Sign, say: Callable[..., str]) -> str:
    """A reason as a sentence that a moderator understands; `say` gives the texts."""
    side = "for" if sign.weight > 0 else "against"
    return say(f"filter.speaks.{side}", what=sentence_part(sign, say))


def sentence_part(sign: Sign, say: Callable[..., str]) -> str:
    """What a reason is about, as it stands in a sentence: “the word “subscribe””."""
    kind, what = sign.kind, sign.what
    if kind == "mark":
        return _mark(what, say)
    if kind == "pair":
        return _pair(what, say)
    if kind == "depth":
        return say(f"filter.sign.depth.{what}")
    if kind == "name" and (words := _WORDS_OF_NAME.fullmatch(what)):
        return say(f"filter.sign.name.words.{words[1]}")
    if kind == "word":
        return say("filter.sign.word", what=_shown(what, say))
    if not what or what.startswith("(") or what in ("elsewhere", "website"):
        kind, what = f"{kind}.{'any' if not what else _FACT.sub('', what)}", ""
    return say(f"filter.sign.{kind}", what=what)


def _pair(what: str, say: Callable[..., str]) -> str:
    """Two words in a row, or one at an edge of the text."""
    one, other = (_shown(word, say) for word in what.split(" ", 1))
    if one == "^":
        return say("filter.sign.pair.none") if other == "$" else say("filter.sign.pair.first", what=other)
    return (
        say("filter.sign.pair.last", what=one)
        if other == "$"
        else say("filter.sign.pair", what=f"{one} {other}")
    )


def _shown(word: str, say: Callable[..., str]) -> str:
    """A word as people know it: of links and numbers the filter sees only that they are there."""
    if word in _STANDS_FOR:
        return say(f"filter.sign.stands.{_STANDS_FOR[word]}")
    return say("filter.sign.stands.number") if word.strip("0") == "" else word.replace("0", "#")


def _mark(what: str, say: Callable[..., str]) -> str:
    """A mark with its number: most have a text for each, those of wide steps say from where to where."""
    name, _, number = what.partition(" ")
    key = f"filter.sign.mark.{name}"
    if not number.isdecimal():
        return say(key)
    least, most = _step(name, int(number))
    if least == most or what in _NO_END:
        return say(f"{key}.{number}")
    return say(key, least=least, most=most)


def _step(name: str, number: int) -> tuple[int, int]:
    """The lowest and the highest value that a step of a mark stands for."""
    if number and name in _SHARES:
        return (number - 1) * _SHARES[name] + 1, number * _SHARES[name]
    if number and name in _DOUBLING:
        return 1 << number - 1, (1 << number) - 1
    return number, number


def _signs(seen: Seen, site: Filter) -> Iterator[Sign]:
    parts = {name: site.weight(slot) * signed for name, (slot, signed) in seen.placed.items()}
    for word in dict.fromkeys(seen.words):
        own = (f"word:{word}", *grams_of(word))
        yield Sign("word", word, sum(parts.pop(name, 0.0) for name in own))
    for word in seen.named:
        own = (f"word:{word}", f"name:{word}", *grams_of(word))
        yield Sign("name", word, sum(parts.pop(name, 0.0) for name in own))
    for name, part in parts.items():
        kind, _, what = name.partition(":")
        if kind != "gram":  # beyond the bound of pieces
            yield Sign(kind, what, part)
