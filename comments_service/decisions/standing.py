"""Who is banned from a site, and who is trusted there: what a submission's traces say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from comments_service.storage.decisions import Standing

MAX_DOMAINS = 16  # those of an email and of a website, each with all above it


class Kind(StrEnum):
    """How an author stands."""

    BAN = "ban"
    TRUST = "trust"


class Trace(StrEnum):
    """By what an author is known: a chain of receipts, the email, the network, or its domain."""

    RECEIPT = "receipt"
    EMAIL = "email"
    NETWORK = "network"
    DOMAIN = "domain"


@dataclass(frozen=True)
class Traces:
    """What a submission shows of its author, under all keys. `root_id`: the chain that a receipt proves."""

    site_id: int
    root_id: int | None = None
    email_hashes: tuple[bytes, ...] = ()
    network_hashes: tuple[bytes, ...] = ()
    domains: tuple[str, ...] = ()


def standing_of(session: Session, traces: Traces, *, now: datetime) -> Kind | None:
    """How the author of these traces stands now. A ban weighs more than trust.

    Anybody can type somebody's address: trust by email or domain counts only with a receipt that proves
    an earlier comment from it.
    """
    holds = and_(
        Standing.site_id == traces.site_id,
        Standing.lifted_at.is_(None),
        or_(Standing.ends_at.is_(None), Standing.ends_at > now),
    )
    found = session.execute(select(Standing.kind, Standing.mark).where(holds, _shown_by(traces))).all()
    if any(row.kind == Kind.BAN for row in found):
        return Kind.BAN
    typed = (Trace.EMAIL, Trace.DOMAIN)
    is_trusted = any(row.mark not in typed or traces.root_id is not None for row in found)
    return Kind.TRUST if is_trusted else None


def domains_of(email: str | None, website: str | None) -> tuple[str, ...]:
    """The domains of an address and of a website, each with those above it: `a.b.org`, `b.org`."""
    hosts = [(email or "").rpartition("@")[2], urlsplit(website or "").hostname or ""]
    found: list[str] = []
    for host in hosts:
        labels = host.lower().rstrip(".").split(".")
        longest = max(0, len(labels) - 1 - MAX_DOMAINS // 2)  # of a long name the part that one registers
        found += [".".join(labels[place:]) for place in range(longest, len(labels) - 1)]
    return tuple(dict.fromkeys(found))


def _shown_by(traces: Traces) -> ColumnElement[bool]:
    # As many domains for every email: the work to take a comment in must tell nothing of it
    domains = (*traces.domains, *[""] * MAX_DOMAINS)[:MAX_DOMAINS]
    return or_(
        and_(Standing.mark == Trace.RECEIPT, Standing.root_id == traces.root_id),
        and_(Standing.mark == Trace.EMAIL, Standing.hash.in_(traces.email_hashes)),
        and_(Standing.mark == Trace.NETWORK, Standing.hash.in_(traces.network_hashes)),
        and_(Standing.mark == Trace.DOMAIN, Standing.domain.in_(domains)),
    )
