"""What the layers look at: a submission's words, how it came, and what came before it. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from comments_service.sending import Sending
from comments_service.spam.features import Seen, look_at


@dataclass(frozen=True)
class Said:
    """What its author wrote. `links` are counted in the text as shown."""

    text: str
    links: int = 0
    name: str = ""
    website: str | None = None
    email_domain: str = ""
    language: str = "en"  # of the site
    seconds: int | None = None

    @cached_property
    def seen(self) -> Seen:
        """What the filter that learns sees of it."""
        return look_at(self.text, self.name, self.website, self.seconds)


@dataclass(frozen=True)
class Tally:
    """How many comments people approved, and how many they called spam."""

    honest: int = 0
    spam: int = 0


@dataclass(frozen=True)
class Twins:
    """How many comments of the last 30 days say nearly the same, by others; and what people made of them."""

    count: int = 0
    decided: Tally = Tally()


@dataclass(frozen=True)
class History:
    """What came before. Nothing in it depends on the email that was typed: an answer must not tell of it.

    `from_network` counts the last hour; `rush` is how many times as quickly as usual the installation gets
    comments (1 as usual). `by_author` is of whom a receipt, or the owner's site, proves.
    """

    from_network: int = 0
    rush: float = 1.0
    is_ticket_used: bool = False
    twins: Twins = Twins()
    by_network: Tally = Tally()
    by_author: Tally = Tally()


@dataclass(frozen=True)
class Evidence:
    """All that one submission is judged by."""

    said: Said
    sending: Sending = field(default_factory=Sending)
    history: History = field(default_factory=History)
