"""How a site wants things to be, beside its rules: how threads are shown, and who may do what with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

MAX_EDIT_MINUTES = 10_080  # a week
MAX_HOLD_REPORTS = 100
AKISMET = "Akismet"
SORTS = ("oldest", "newest", "top")  # the orders of top-level comments; replies always come oldest first


class Voting(StrEnum):
    """How readers may vote on the comments of a site."""

    OFF = "off"
    UP = "up"
    BOTH = "both"


class Asking(StrEnum):
    """When a form's browser is asked to work before a comment is sent."""

    OFF = "off"
    SUSPICION = "suspicion"
    ALWAYS = "always"


class Neighbour(StrEnum):
    """Another service that a site may let look at comments, by the name of its option."""

    AKISMET = "akismet"
    SERVICE = "service"  # any that keeps to docs/neighbours.md


@dataclass(frozen=True)
class Options:
    """How a site wants its threads to be shown; what is not stored is as for a new site.

    `edit_minutes` is how long authors may change what they wrote; 0 is not at all. `votes` is a `Voting`.
    `reports` lets readers report comments, `hold_reported` is how many take one off the page (0: none do).
    `proof` is an `Asking`.
    `akismet` and `service` are neighbours that are asked about each comment, and whether they get its email.
    """

    sort: str = SORTS[0]
    avatars: bool = True
    signed_names: int = 0  # 0: not taken; else which of its secrets the site's owner has
    edit_minutes: int = 15
    votes: str = Voting.OFF.value
    reports: bool = True
    hold_reported: int = 0
    proof: str = Asking.SUSPICION.value
    akismet: bool = False
    akismet_email: bool = False
    service: bool = False
    service_name: str = ""
    service_url: str = ""
    service_email: bool = False

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Options:
        """Options as they are kept in the database; a release that went back leaves what it does not know."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    @property
    def neighbours(self) -> Mapping[Neighbour, str]:
        """Who is asked what they think of each comment, by the name that readers are told."""
        names = {Neighbour.AKISMET: AKISMET, Neighbour.SERVICE: self.service_name}
        return {one: name for one, name in names.items() if getattr(self, one)}

    @property
    def told_neighbours(self) -> Mapping[str, bool]:
        """The same for readers: by name, whether they get the email."""
        return {name: bool(getattr(self, f"{one}_email")) for one, name in self.neighbours.items()}

    @property
    def has_votes(self) -> bool:
        """Whether readers may vote at all."""
        return self.votes != Voting.OFF

    @property
    def sorts(self) -> tuple[str, ...]:
        """The orders that readers may choose from: by votes only where there are any."""
        return SORTS if self.has_votes else SORTS[:-1]

    @property
    def order(self) -> str:
        """The order for whoever has chosen none."""
        return self.sort if self.sort in self.sorts else SORTS[0]
