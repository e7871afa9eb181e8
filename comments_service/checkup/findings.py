"""What the check-up finds: a state, the key of a sentence, and the very line to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from comments_service.checkup.host_page import HostPage
from comments_service.outbound import Fetched
from comments_service.vocabulary import SiteView


class State(StrEnum):
    """How it stands, the worst first."""

    BAD = "bad"
    ATTENTION = "attention"
    GOOD = "good"


@dataclass(frozen=True)
class Finding:
    """One thing: `code` is the catalogue's key below "checkup."; `found` is on the page, `line` should be."""

    code: str
    state: State
    found: str = ""
    line: str = ""
    count: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Visit:
    """A page that was fetched for a site, and where the service is that it should name."""

    site: SiteView
    service: str
    fetched: Fetched
    page: HostPage


def bad(code: str, *, found: str = "", line: str = "", **values: object) -> Finding:
    """Something that keeps comments from working."""
    return Finding(code, State.BAD, found, line, values=values)


def attention(code: str, *, found: str = "", line: str = "", **values: object) -> Finding:
    """Something that works today, or for some readers."""
    return Finding(code, State.ATTENTION, found, line, values=values)


def good(code: str, *, count: int | None = None, **values: object) -> Finding:
    """Something that is as it should be."""
    return Finding(code, State.GOOD, count=count, values=values)
