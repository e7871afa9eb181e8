"""One opinion of all layers: signals add up to how likely a submission is spam. Pure.

The filter that learns is one layer among others: what it says is bounded, and the more so the less the site
has taught it, so that a start made of other people's comments lets a comment wait and does not decline it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from math import exp, log2
from typing import Any, TypeVar

from comments_service.spam.evidence import Evidence
from comments_service.spam.features import FEATURES
from comments_service.spam.model import Filter
from comments_service.spam.reasons import Sign, reasons
from comments_service.spam.signals import OF_COMING, SIGNALS, Signal, signals, that_count

T = TypeVar("T", Signal, Sign)
LEARNED = "filter"
SURE_AT_FIRST, SUREST = 2.2, 6.0  # 90 %, and 99.8 %: how sure the filter may be
LESSONS_TO_TRUST = 256  # decisions after which it may be as sure as it gets
MOST_PERCENT = 99  # nobody is sure


@dataclass(frozen=True)
class Opinion:
    """What the layers think: how likely it is spam (0 to 99), their signals, and the filter's own signs.

    `signals` come the strongest first. `versions` name the layers, and the features the filter looked at.
    """

    percent: int
    signals: tuple[Signal, ...]
    signs: tuple[Sign, ...] = ()
    versions: tuple[int, int] = (SIGNALS, FEATURES)

    @property
    def of_coming(self) -> tuple[Signal, ...]:
        """What was said of how it came, whatever its words are."""
        return tuple(signal for signal in self.signals if signal.code in OF_COMING)

    @property
    def kept(self) -> dict[str, Any]:
        """As it is kept with the comment."""
        return {
            "percent": self.percent,
            "signals": [asdict(signal) for signal in self.signals],
            "signs": [asdict(sign) for sign in self.signs],
            "versions": list(self.versions),
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Opinion:
        """The same, read again; of another release no more than what is known here."""
        signals = (_known(Signal, signal) for signal in kept.get("signals", ()))
        signs = (_known(Sign, sign) for sign in kept.get("signs", ()))
        layers, features = kept.get("versions", (0, 0))
        return cls(int(kept.get("percent", 0)), tuple(signals), tuple(signs), (layers, features))


def think(evidence: Evidence, site: Filter, *, lessons: int = 0, others: Iterable[Signal] = ()) -> Opinion:
    """Put all together. `lessons` is how many decisions taught the site's filter.

    `others` are signals from outside, and of how the words came that are edited.
    """
    seen = evidence.said.seen
    bound = trusted(lessons)
    score = max(-bound, min(bound, site.score(seen.slots)))
    found = [*that_count([*signals(evidence), *others]), Signal(LEARNED, round(score, 2))]
    total = sum(signal.weight for signal in found)
    ranked = sorted((signal for signal in found if signal.weight), key=lambda signal: -abs(signal.weight))
    return Opinion(percent_of(total), tuple(ranked), reasons(seen, site))


def _known(kind: type[T], kept: dict[str, Any]) -> T:
    return kind(**{field.name: kept[field.name] for field in fields(kind) if field.name in kept})


def trusted(lessons: int) -> float:
    """How far the filter's word counts, as a logarithm of odds."""
    share = min(1.0, log2(1 + lessons) / log2(1 + LESSONS_TO_TRUST))
    return SURE_AT_FIRST + share * (SUREST - SURE_AT_FIRST)


def percent_of(score: float) -> int:
    """The probability that belongs to a logarithm of odds, in whole percents, rounded down."""
    return min(MOST_PERCENT, int(100 / (1 + exp(-max(-30.0, min(30.0, score))))))
