"""The sites that a moderator may see, with their role there and what waits."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Site
from comments_service.vocabulary import Access, Role, SiteView, Status


@dataclass(frozen=True)
class SiteLine:
    """One site in a moderator's list."""

    site: SiteView
    role: Role
    waiting: int


def list_for(access: Access) -> list[SiteLine]:
    """The sites of this access, by name, each with the highest role there."""
    seen = access.sites()
    sites = select(Site).order_by(func.lower(Site.name), Site.key)
    waiting = (
        select(Comment.site_id, func.count())
        .where(Comment.status == Status.PENDING)
        .group_by(Comment.site_id)
    )
    if seen is not None:
        sites, waiting = sites.where(Site.id.in_(seen)), waiting.where(Comment.site_id.in_(seen))
    with reading() as session:
        counts = dict(session.execute(waiting).all())
        return [
            SiteLine(site.view(), access.role(site.id) or Role.VIEWER, counts.get(site.id, 0))
            for site in session.scalars(sites)
        ]
