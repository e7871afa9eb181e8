"""What labelled comments teach: each as it is, and spam once more, hidden among honest words. Pure.

Without the latter, a spammer who copies honest words behind the own ones passes (docs/spam.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from comments_service.labelled import LabelledComment
from comments_service.spam.features import look_at
from comments_service.spam.model import Example, Slots


def slots_of(comment: LabelledComment) -> Slots:
    """What the model sees of a labelled comment; never its label."""
    return look_at(comment.text, comment.author).slots


def examples_of(comments: Sequence[LabelledComment]) -> list[Example]:
    """All that these teach; the same comments in the same order teach the same."""
    honest, chance = honest_words(comments), random.Random(len(comments))  # noqa: S311 - no secret
    found = [Example(slots_of(comment), comment.is_spam) for comment in comments]
    if honest:
        found += [
            Example(look_at(hidden(comment.text, honest, chance), comment.author).slots, True)
            for comment in comments
            if comment.is_spam
        ]
    return found


def honest_words(comments: Iterable[LabelledComment]) -> list[str]:
    """All the words of honest comments, as often as they stand there."""
    return [word for comment in comments if not comment.is_spam for word in comment.text.split()]


def hidden(text: str, honest: Sequence[str], chance: random.Random) -> str:
    """A text of which half the words are honest ones, behind its own."""
    return " ".join([text, *chance.choices(honest, k=len(text.split()))])
