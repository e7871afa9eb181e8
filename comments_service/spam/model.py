"""The filter's arithmetic: a logistic regression that learns from one decision at a time. Pure.

What a site has learned are differences from a shared start, so that a new start changes no site's own ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log, sqrt

from comments_service.spam.features import ALWAYS, ALWAYS_VALUE

Slots = Mapping[int, float]

STEP = 0.2  # of one decision: a bound, since nobody can be wrong by more than 1
CAUTION = log(2)  # to a site that has not decided yet, an honest comment caught is two spam comments missed
SUREST = 30.0  # beyond it e^x is 0 or overflows

# How the shared start is made; chosen on videos that were left out (docs/spam.md)
ROUNDS, SHUFFLES = 8, 3
RATE, SHRINK, FIRST = 0.2, 5e-4, 5e-3


@dataclass(frozen=True)
class Example:
    """One labelled comment, as the model sees it."""

    slots: Slots
    is_spam: bool


@dataclass
class Filter:
    """One site's filter: the start it shares with others, and what its own decisions taught it."""

    start: Slots = field(default_factory=dict)
    learned: dict[int, float] = field(default_factory=dict)

    def score(self, slots: Slots) -> float:
        """The logarithm of the odds that this is spam."""
        start, learned = self.start, self.learned
        return sum(value * (start.get(slot, 0.0) + learned.get(slot, 0.0)) for slot, value in slots.items())

    def weight(self, slot: int) -> float:
        """What a slot weighs for this site."""
        return self.start.get(slot, 0.0) + self.learned.get(slot, 0.0)

    def probability(self, slots: Slots) -> float:
        """How likely this is spam, from 0 to 1."""
        return _logistic(self.score(slots))

    def learn(self, slots: Slots, *, is_spam: bool) -> float:
        """Take one decision in. Gives the step that was made: `unlearn` wants it back."""
        step = STEP * (is_spam - self.probability(slots))
        self._move(slots, step)
        return step

    def unlearn(self, slots: Slots, step: float) -> None:
        """Take one decision back: the same step the other way, whatever was learned since."""
        self._move(slots, -step)

    def _move(self, slots: Slots, step: float) -> None:
        for slot, value in slots.items():
            self.learned[slot] = self.learned.get(slot, 0.0) + step * value


def train(examples: Sequence[Example]) -> dict[int, float]:
    """Weights from many labelled comments: AdaGrad (Duchi, Hazan, Singer 2011), the mean of some orders.

    The same examples in the same order give the same weights.
    """
    total: dict[int, float] = {}
    for seed in range(SHUFFLES):
        for slot, weight in _train_once(examples, random.Random(seed)).items():  # noqa: S311 - no secret
            total[slot] = total.get(slot, 0.0) + weight / SHUFFLES
    return total


def cautious(weights: Slots) -> dict[int, float]:
    """The same weights, for a site that has decided nothing yet."""
    return {**weights, ALWAYS: weights.get(ALWAYS, 0.0) - CAUTION / ALWAYS_VALUE}


def _train_once(examples: Iterable[Example], chance: random.Random) -> dict[int, float]:
    weights: dict[int, float] = {}
    squares: dict[int, float] = {}
    order = list(examples)
    for _ in range(ROUNDS):
        chance.shuffle(order)
        for example in order:
            score = sum(weights.get(slot, 0.0) * value for slot, value in example.slots.items())
            wrong = _logistic(score) - example.is_spam
            for slot, value in example.slots.items():
                weight = weights.get(slot, 0.0)
                slope = wrong * value + SHRINK * weight
                square = squares[slot] = squares.get(slot, FIRST) + slope * slope
                weights[slot] = weight - RATE * slope / sqrt(square)
    return weights


def _logistic(score: float) -> float:
    return 1 / (1 + exp(-max(-SUREST, min(SUREST, score))))
