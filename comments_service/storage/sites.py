"""Look-ups of sites, by the public key that owners put on their pages."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.errors import SiteNotFound
from comments_service.storage.models import Site


def find_site(session: Session, key: str) -> Site:
    """The site with this key.

    Raises: SiteNotFound.
    """
    site = session.scalars(select(Site).where(Site.key == key)).one_or_none() if _is_plausible(key) else None
    if site is None:
        raise SiteNotFound
    return site


def _is_plausible(key: str) -> bool:
    return key.isascii() and key.isprintable()  # PostgreSQL refuses U+0000 with an error of its own
