"""What neighbours said of a comment, as the judge takes it, and why one said nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from comments_service.options import Neighbour
from comments_service.spam.signals import Signal


class Trouble(StrEnum):
    """Why a neighbour said nothing. The first ones are those of the door out, by the same words."""

    UNREADABLE = "unreadable"
    PORT = "port"
    UNKNOWN_HOST = "unknown-host"
    PRIVATE = "private"
    REFUSED = "refused"
    CERTIFICATE = "certificate"
    TLS = "tls"
    SLOW = "slow"
    BROKEN = "broken"
    STATUS = "status"  # an answer that is none: an error of its own, or a redirect
    GARBAGE = "garbage"
    KEY = "key"  # it does not take our key
    SECRET = "secret"  # noqa: S105 - there is none here, or our own key does not open it
    CROWDED = "crowded"  # too many are being asked about at once
    RESTS = "rests"  # it failed again and again, and is left alone for a while


# Nothing was asked: this tells nothing new of the neighbour
UNASKED = frozenset({Trouble.CROWDED, Trouble.RESTS})


class Unheard(Exception):
    """A neighbour said nothing that could be used. `told` is its own word about it, for owners alone."""

    def __init__(self, why: Trouble, told: str = "") -> None:
        """Keep both."""
        super().__init__(why)
        self.why, self.told = why, told


class Opinion(StrEnum):
    """What a neighbour takes a comment for."""

    SPAM = "spam"
    HAM = "ham"
    NONE = "none"


@dataclass(frozen=True)
class Said:
    """What one neighbour said of a comment; `why` it said nothing, where that is so."""

    who: Neighbour
    opinion: Opinion = Opinion.NONE
    signals: tuple[Signal, ...] = ()
    why: Trouble | None = None


@dataclass(frozen=True)
class Heard:
    """What all neighbours said that were asked."""

    said: tuple[Said, ...] = ()

    @property
    def signals(self) -> tuple[Signal, ...]:
        """All of it, as the judge weighs it."""
        return tuple(signal for one in self.said for signal in one.signals)

    @property
    def kept(self) -> dict[str, str]:
        """Who took the comment for what, as the comment keeps it."""
        return {str(one.who): str(one.why or one.opinion) for one in self.said}

    def lacks(self, wanted: Iterable[Neighbour]) -> bool:
        """Whether one of these has not said anything, not even that it has no opinion."""
        return bool(set(wanted) - {one.who for one in self.said if one.why is None})


UNHEARD = Heard()  # nobody was asked


def opinion_kept(verdict: Mapping[str, object], who: Neighbour) -> str | None:
    """What a comment keeps of one neighbour's word; None where it was not asked, or gave no opinion."""
    kept = verdict.get("neighbours")
    opinion = kept.get(who) if isinstance(kept, dict) else None
    return opinion if opinion in (Opinion.SPAM, Opinion.HAM) else None
