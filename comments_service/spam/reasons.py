"""Why the filter thinks so, in a comment's own words: what is hashed is named while it is judged. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comments_service.spam.features import Seen, grams_of
from comments_service.spam.model import Filter

MOST = 5
_FACT = re.compile(r"[^a-z]")


@dataclass(frozen=True)
class Sign:
    """One reason. `weight` is what it adds to the logarithm of the odds: above 0 it speaks for spam.

    `kind` is `word`, `pair`, `link`, `host`, `path`, `query`, `mark` or `name`; `what` is the word, the host
    or the mark itself, empty for the fact that there is a link.
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
    kind, what = sign.kind, sign.what.replace("^ ", "").replace(" $", "")
    if kind == "mark":
        kind, what = f"mark.{what.partition(' ')[0]}", ""
    elif not what or what.startswith("(") or what in ("elsewhere", "website"):
        kind, what = f"{kind}.{'any' if not what else _FACT.sub('', what)}", ""
    return say(f"filter.sign.{kind}", what=what)


def _signs(seen: Seen, site: Filter) -> Iterator[Sign]:
    parts = {name: site.weight(slot) * signed for name, (slot, signed) in seen.placed.items()}
    for word in dict.fromkeys(seen.words):
        own = (f"word:{word}", *grams_of(word))
        yield Sign("word", word, sum(parts.pop(name, 0.0) for name in own))
    for name, part in parts.items():
        kind, _, what = name.partition(":")
        if kind != "gram":  # beyond the bound of pieces
            yield Sign(kind, what, part)
