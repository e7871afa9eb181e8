"""What neighbours are asked about: one comment, and what may be told of how it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from comments_service.vocabulary import SiteView, Submission

NOBODY = "127.0.0.1"  # where no network is known: a protocol that wants an address gets one of no person


@dataclass(frozen=True)
class Question:
    """One comment. `network` is "" once we have forgotten it; `is_edit`: its author says it otherwise now."""

    site: SiteView
    url: str
    name: str
    email: str | None
    website: str | None
    text: str
    at: datetime
    network: str = ""
    agent: str = ""
    referrer: str = ""
    is_reply: bool = False
    is_edit: bool = False

    @classmethod
    def of(cls, submission: Submission, now: datetime, *, is_edit: bool = False) -> Question:
        """What is asked about a submission."""
        return cls(
            site=submission.site,
            url=submission.article.url,
            name=submission.name,
            email=submission.email,
            website=submission.website,
            text=submission.text,
            at=now,
            network=submission.network,
            agent=submission.sending.agent,
            referrer=submission.sending.referrer,
            is_reply=submission.parent_id is not None,
            is_edit=is_edit,
        )

    @property
    def home(self) -> str:
        """The site's front page."""
        return f"{self.site.origins[0]}/"

    @property
    def address(self) -> str:
        """The first address of the network: nobody is told the author's own."""
        try:
            return str(ip_network(self.network).network_address)
        except ValueError:
            return NOBODY
