"""The sites a page of the queue is about: what the asker may look at, and what of it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.errors import SiteNotFound
from comments_service.storage.models import Site
from comments_service.vocabulary import Access


@dataclass(frozen=True)
class Scope:
    """All sites that somebody may look at, by id and in the order of their names, and the ids asked for."""

    sites: Mapping[int, Site]
    asked: tuple[int, ...]


def scope_of(session: Session, access: Access, site_key: str | None) -> Scope:
    """What this person may see, or one site of it.

    Raises: SiteNotFound for a site that is not there, or not for them.
    """
    visible = access.sites()
    found = select(Site).order_by(Site.name, Site.id)
    if visible is not None:
        found = found.where(Site.id.in_(visible))
    sites = {site.id: site for site in session.scalars(found)}
    if not site_key:
        return Scope(sites, tuple(sites))
    asked = tuple(site.id for site in sites.values() if site.key == site_key)
    if not asked:
        raise SiteNotFound
    return Scope(sites, asked)
