"""How well clusters do on comments that somebody has labelled: the index, and what deciding once is worth."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from comments_service.clusters.fingerprint import Fingerprint, fingerprint, host_numbers, is_like
from comments_service.clusters.joining import COMPARED, NEWEST
from comments_service.labelled import LabelledComment

Pair = tuple[int, int]


@dataclass(frozen=True)
class Figures:
    """What `evaluate` found. Shares are from 0 to 1; a share of nothing is 1.

    `like_pairs` are those that brute force finds. `found_pairs` of them share a number of the index, out of
    `looked_at_pairs` that do; all that are looked at are compared in full, so no other pair ever joins.
    Of pairs within one cluster, `same_class` is the share with one label. `spam_in_clusters` is the share of
    spam that falls into clusters of two or more. `rows` is what is left to decide.
    """

    comments: int
    spam: int
    like_pairs: int
    looked_at_pairs: int
    found_pairs: int
    clusters: int
    largest: int
    paired: int
    paired_same_class: int
    clustered_spam: int
    clustered_others: int
    milliseconds: float

    @property
    def index_recall(self) -> float:
        """Of the pairs that are alike, those that the index finds."""
        return _share(self.found_pairs, self.like_pairs)

    @property
    def index_precision(self) -> float:
        """Of the pairs that the index looks at, those that are alike."""
        return _share(self.found_pairs, self.looked_at_pairs)

    @property
    def same_class(self) -> float:
        """How often one decision is right for two of a cluster: the precision of deciding once."""
        return _share(self.paired_same_class, self.paired)

    @property
    def spam_in_clusters(self) -> float:
        """How much of the spam is decided together with other comments: the recall of deciding once."""
        return _share(self.clustered_spam, self.spam)

    @property
    def rows(self) -> int:
        """What is left to decide, a cluster counting as one."""
        return self.comments - self.clustered_spam - self.clustered_others + self.clusters


def evaluate(comments: Sequence[LabelledComment]) -> Figures:
    """Take the figures on these comments, as if they came in this order. All pairs are compared: n² time."""
    begun = time.perf_counter()
    prints = [fingerprint(comment.text) for comment in comments]
    bands = [own.bands for own in prints]
    milliseconds = (time.perf_counter() - begun) * 1000 / len(comments)
    like = {pair for pair in combinations(range(len(prints)), 2) if is_like(*(prints[n] for n in pair))}
    looked_at = _sharing(bands)
    groups = [group for group in _clusters(prints, bands) if len(group) > 1]
    paired = [pair for group in groups for pair in combinations(group, 2)]
    is_spam = [comment.is_spam for comment in comments]
    clustered = Counter(is_spam[number] for group in groups for number in group)
    return Figures(
        comments=len(comments),
        spam=sum(is_spam),
        like_pairs=len(like),
        looked_at_pairs=len(looked_at),
        found_pairs=len(like & looked_at),
        clusters=len(groups),
        largest=max(map(len, groups), default=0),
        paired=len(paired),
        paired_same_class=sum(is_spam[one] == is_spam[other] for one, other in paired),
        clustered_spam=clustered[True],
        clustered_others=clustered[False],
        milliseconds=milliseconds,
    )


def _sharing(bands: Sequence[Sequence[int]]) -> set[Pair]:
    """The pairs that share a number."""
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for number, keys in enumerate(bands):
        for key in keys:
            holders[key].append(number)
    return {pair for group in holders.values() for pair in combinations(group, 2)}


def _clusters(prints: Sequence[Fingerprint], bands: Sequence[Sequence[int]]) -> Iterable[list[int]]:
    """Clusters as `joining` makes them of texts and hosts, with the same bounds; nothing is approved here."""
    holders: defaultdict[int, list[int]] = defaultdict(list)
    cluster_of: dict[int, int] = {}
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(prints):
        hosts = host_numbers(own.telling_hosts)
        shared = Counter(other for key in bands[number] for other in reversed(holders[key][-NEWEST:]))
        compared = [other for other, _ in shared.most_common(COMPARED) if is_like(own, prints[other])]
        linking = [other for key in hosts for other in holders[key][-1:]]
        fellow = compared[0] if compared else max(linking, default=number)
        cluster_of[number] = cluster_of.get(fellow, number)
        groups[cluster_of[number]].append(number)
        for key in (*bands[number], *hosts):
            holders[key].append(number)
    return groups.values()


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
