"""How well the filter does on labelled comments that it has not seen, and what it costs."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from comments_service.labelled import LabelledComment
from comments_service.spam.features import look_at
from comments_service.spam.model import Example, Filter, Slots, cautious, train
from comments_service.spam.teaching import examples_of, hidden, honest_words, slots_of

LEARNED_SHARE = 0.7  # of each source in the published protocol: its first part is learned, the rest judged
FIRST_DECISIONS = 50  # of a new site do not count yet
FLIPPED = 0.05
SPAM_FROM = 0.5

Sources = Mapping[str, Sequence[LabelledComment]]


@dataclass(frozen=True)
class Score:
    """How often the filter was right about one source. Counts are of comments."""

    source: str
    spam_caught: int
    spam_missed: int
    honest_passed: int
    honest_caught: int

    @property
    def accuracy(self) -> float:
        """The share that was judged rightly."""
        return _share(self.spam_caught + self.honest_passed, self.judged)

    @property
    def judged(self) -> int:
        """How many were judged."""
        return self.spam_caught + self.spam_missed + self.honest_passed + self.honest_caught

    @property
    def wrongly_caught(self) -> float:
        """The share of honest comments that were taken for spam."""
        return self.honest_caught / ((self.honest_caught + self.honest_passed) or 1)

    @property
    def mcc(self) -> float:
        """Matthews' correlation of judgement and label, from -1 to 1; 0 where it is not defined."""
        caught, missed = self.spam_caught, self.spam_missed
        passed, wrong = self.honest_passed, self.honest_caught
        root = sqrt((caught + wrong) * (caught + missed) * (passed + wrong) * (passed + missed))
        return (caught * passed - wrong * missed) / root if root else 0.0


@dataclass(frozen=True)
class Cost:
    """Milliseconds a comment, half of the time and in 99 of 100 cases at most."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Figures:
    """What `evaluate` found. A table without a row could not be made: it needs more than one source."""

    published: tuple[Score, ...]
    published_with_start: tuple[Score, ...]
    across: tuple[Score, ...]
    stream: tuple[Score, ...]
    stream_poisoned: tuple[Score, ...]
    judging: Cost
    learning: Cost


class _Labelled:
    """The comments of a folder, each looked at once, by its source in the file's order.

    `given` are learned by every start, and never judged.
    """

    def __init__(self, comments: Iterable[LabelledComment], given: Sequence[LabelledComment]) -> None:
        self.given = given
        self.sources: dict[str, list[tuple[LabelledComment, Slots]]] = defaultdict(list)
        for comment in comments:
            self.sources[comment.source].append((comment, slots_of(comment)))

    def others(self, source: str) -> list[LabelledComment]:
        """All comments of the other sources."""
        others = [pairs for other, pairs in self.sources.items() if other != source]
        return [comment for pairs in others for comment, _ in pairs]

    def start(self, source: str) -> list[LabelledComment]:
        """What a site starts with that gets this source's comments."""
        return [*self.others(source), *self.given]


def evaluate(comments: Sequence[LabelledComment], given: Sequence[LabelledComment] = ()) -> Figures:
    """Take all figures. Nothing is judged that was learned before, and nothing shipped is used.

    `given` comments are part of what sites start with, wherever a start is used.
    """
    labelled = _Labelled(comments, given)
    starts = {
        source: cautious(train(examples_of(start)))
        for source in labelled.sources
        if (start := labelled.start(source))
    }
    return Figures(
        published=_each(labelled, lambda source: _published(labelled, source, ())),
        published_with_start=_each(
            labelled, lambda source: _published(labelled, source, labelled.start(source)), starts
        ),
        across=_each(labelled, lambda source: _across(labelled, source, starts[source]), starts),
        stream=_each(labelled, lambda source: _stream(labelled, source, starts.get(source, {}))),
        stream_poisoned=_each(
            labelled, lambda source: _stream(labelled, source, starts.get(source, {}), is_attacked=True)
        ),
        judging=_cost_of_judging(comments, labelled, starts),
        learning=_cost_of_learning(comments, labelled, starts),
    )


def in_thirds(comments: Sequence[LabelledComment]) -> tuple[LabelledComment, ...]:
    """The same comments as three sources of whole topics; a topic is what comes before an id's last `-`.

    Topics with spam and those without are dealt apart, by chance and always alike. In order of time.
    """
    topics: dict[str, bool] = {}
    for comment in comments:
        topic = _topic(comment)
        topics[topic] = topics.get(topic, False) or comment.is_spam
    drawn = sorted(topics)
    random.Random(0).shuffle(drawn)  # noqa: S311 - no secret
    drawn.sort(key=topics.__getitem__)
    thirds = {topic: f"third {place % 3 + 1}" for place, topic in enumerate(drawn)}
    ordered = sorted(comments, key=lambda comment: comment.written)
    return tuple(replace(comment, source=thirds[_topic(comment)]) for comment in ordered)


def _topic(comment: LabelledComment) -> str:
    return comment.key.rpartition("-")[0]


def mean(scores: Sequence[Score], figure: Callable[[Score], float]) -> float:
    """The mean of a figure over the sources, each counting the same, as published figures are given."""
    return sum(map(figure, scores)) / (len(scores) or 1)


def _each(
    labelled: _Labelled, table: Callable[[str], Score], only: Iterable[str] | None = None
) -> tuple[Score, ...]:
    return tuple(table(source) for source in (labelled.sources if only is None else only))


def _published(labelled: _Labelled, source: str, start: Sequence[LabelledComment]) -> Score:
    """The first 70 % of one source learned, together with the start; the last 30 % judged."""
    pairs = labelled.sources[source]
    cut = round(len(pairs) * LEARNED_SHARE)
    learned = [Example(slots, comment.is_spam) for comment, slots in pairs[:cut]]
    site = Filter(train([*examples_of(start), *learned]))
    return _scored(source, [(site.score(slots) > 0, comment) for comment, slots in pairs[cut:]])


def _across(labelled: _Labelled, source: str, start: Slots) -> Score:
    """All of a source judged by what only the others teach."""
    site = Filter(start)
    return _scored(source, [(site.score(slots) > 0, comment) for comment, slots in labelled.sources[source]])


def _stream(labelled: _Labelled, source: str, start: Slots, *, is_attacked: bool = False) -> Score:
    """A new site: each comment judged and then decided, in order of time; the first 50 do not count."""
    site, chance = Filter(start), random.Random(source)  # noqa: S311 - no secret
    honest = honest_words(labelled.others(source))  # what a spammer could read elsewhere
    judged = []
    for comment, slots in sorted(labelled.sources[source], key=lambda pair: pair[0].written):
        if is_attacked and comment.is_spam and honest:
            slots = look_at(hidden(comment.text, honest, chance), comment.author).slots
        judged.append((site.probability(slots) > SPAM_FROM, comment))
        is_flipped = is_attacked and chance.random() < FLIPPED
        site.learn(slots, is_spam=comment.is_spam != is_flipped)
    return _scored(source, judged[FIRST_DECISIONS:])


def _scored(source: str, judged: Iterable[tuple[bool, LabelledComment]]) -> Score:
    counts: dict[tuple[bool, bool], int] = defaultdict(int)
    for is_caught, comment in judged:
        counts[is_caught, comment.is_spam] += 1
    return Score(source, counts[True, True], counts[False, True], counts[False, False], counts[True, False])


def _cost_of_judging(
    comments: Sequence[LabelledComment], labelled: _Labelled, starts: Mapping[str, Slots]
) -> Cost:
    site = _any_site(labelled, starts)
    return _cost(comments, lambda comment: site.probability(slots_of(comment)))


def _cost_of_learning(
    comments: Sequence[LabelledComment], labelled: _Labelled, starts: Mapping[str, Slots]
) -> Cost:
    site = _any_site(labelled, starts)
    return _cost(comments, lambda comment: site.learn(slots_of(comment), is_spam=comment.is_spam))


def _any_site(labelled: _Labelled, starts: Mapping[str, Slots]) -> Filter:
    return Filter(next(iter(starts.values()), {}))


def _cost(comments: Sequence[LabelledComment], action: Callable[[LabelledComment], object]) -> Cost:
    times = []
    for comment in comments:
        begun = time.perf_counter()
        action(comment)
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    return Cost(times[len(times) // 2], times[int(len(times) * 0.99)])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
