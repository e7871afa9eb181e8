"""What was typed into the search: an email, a network, the address of a comment or an article, or words."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_network

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from comments_service import words
from comments_service.article_url import normalise_url
from comments_service.errors import FieldsRefused
from comments_service.privacy import UNKNOWN_NETWORK, Keyring, network_of
from comments_service.queue.narrowing import NOTHING, Narrowing, by
from comments_service.queue.order import MAX_INTEGER
from comments_service.queue.scope import Scope
from comments_service.storage import search
from comments_service.storage.models import ThreadAlias

_COMMENT = re.compile(r"(?:https?://\S*)?#comment-([1-9][0-9]{0,9})")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_SMALLEST_PREFIX = {4: 24, 6: 64}  # networks are stored as wide as this, so nothing wider can be looked up


def searched(session: Session, query: str, scope: Scope, keys: Keyring) -> Narrowing:
    """What the comments must be for this query."""
    sought = query.strip()
    if (found := _COMMENT.fullmatch(sought)) is not None:
        return _comment(int(found[1]))
    if _ADDRESS.fullmatch(sought) and (narrowed := _article(session, sought, scope)) is not None:
        return narrowed
    if (network := _network(sought)) is not None:
        return _from(network, scope, keys)
    if "@" in sought and not re.search(r"\s", sought):
        with suppress(FieldsRefused):
            return _sent_by(sought, scope, keys)
    return _words(session, query)


def _comment(number: int) -> Narrowing:
    return by(lambda c: c.id == number) if number <= MAX_INTEGER else NOTHING


def _article(session: Session, address: str, scope: Scope) -> Narrowing | None:
    """The comments of an article we know; None for an address that may stand in a text."""
    try:
        normalised = normalise_url(address)
    except ValueError:
        return None
    known = select(ThreadAlias.thread_id).where(
        ThreadAlias.site_id.in_(scope.sites), ThreadAlias.normalised_url == normalised
    )
    thread_ids = session.scalars(known).all()
    return by(lambda c: c.thread_id.in_(thread_ids)) if thread_ids else None


def _network(text: str) -> str | None:
    """The stored network that an address or a network within it belongs to."""
    try:
        asked = ip_network(text, strict=False)
    except ValueError:
        return None
    if asked.prefixlen < _SMALLEST_PREFIX[asked.version]:
        return None
    network = network_of(str(asked.network_address))
    return network if network != UNKNOWN_NETWORK else None


def _from(network: str, scope: Scope, keys: Keyring) -> Narrowing:
    hashes = [h for site_id in scope.asked for h in keys.network_hashes(network, site_id=site_id)]
    return by(lambda c: c.network_hash.in_(hashes))  # each is one site's, and SQLite errs if that is said too


def _sent_by(email: str, scope: Scope, keys: Keyring) -> Narrowing:
    hashes = [h for site_id in scope.asked for h in keys.email_hashes(email, site_id=site_id)]
    return by(lambda c: and_(c.site_id.in_(scope.asked), c.email_hash.in_(hashes)))


def _words(session: Session, query: str) -> Narrowing:
    phrases = words.phrases(query)
    if not phrases:
        return NOTHING
    return Narrowing(lambda c: search.has(session, c, phrases), search.having(session, phrases))
