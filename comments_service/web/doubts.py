"""What the signals say of a comment, in sentences for moderators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from comments_service.spam.judge import LEARNED, Opinion
from comments_service.spam.reasons import sentence_part


@dataclass(frozen=True)
class Sentence:
    """One signal in words. `speaks_for`: for spam; else against it."""

    text: str
    speaks_for: bool


def sentences(opinion: Opinion, say: Callable[..., str]) -> tuple[Sentence, ...]:
    """All that the signals say, the strongest first; what the site's filter says comes with its signs."""
    return tuple(_sentences(opinion, say))


def _sentences(opinion: Opinion, say: Callable[..., str]) -> Iterator[Sentence]:
    for signal in opinion.signals:
        if signal.code != LEARNED:
            words = _said(partial(say, f"signal.{signal.code}", what=signal.what), signal.code)
            yield Sentence(words, signal.weight > 0)
            continue
        is_for = signal.weight > 0
        signs = [sign for sign in opinion.signs if (sign.weight > 0) == is_for]
        parts = [_said(partial(sentence_part, sign, say), sign.what or sign.kind) for sign in signs]
        what = say("signal.comma").join(parts)
        side = "for" if is_for else "against"
        yield Sentence(
            say(f"signal.filter.{side}" if what else f"signal.filter.{side}.bare", what=what), is_for
        )


def _said(words: Callable[[], str], otherwise: str) -> str:
    """The words for it; what is stored of it where another release had other signals: no row may fail."""
    try:
        return words()
    except KeyError:
        return otherwise
