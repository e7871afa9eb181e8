"""Whether a name passes for one of the house: for one of its people, for the site, or for an office."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from comments_service.lookalikes import looks_like
from comments_service.storage.models import Site
from comments_service.storage.people import Grant, Moderator
from comments_service.texts import SOURCE_LANGUAGE, Catalogue

OFFICES = ("admin", "administrator", "moderator", "webmaster")


def imitates_staff(session: Session, site_id: int, name: str) -> bool:
    """Whether readers could take this name for one of the house; nobody's own name is refused, only held.

    The names of people and of the site are compared whole, offices with each word.
    """
    if not name:
        return False
    site = session.get_one(Site, site_id)
    if looks_like(name, _names(session, site)):
        return True
    offices = {*OFFICES, *_badges(site.language)}
    return any(looks_like(word, offices) for word in (*name.split(), name))


def _names(session: Session, site: Site) -> Iterator[str]:
    yield site.name
    staff = select(Moderator.name).join(Grant, Grant.moderator_id == Moderator.id).distinct()
    here = or_(Grant.site_id == site.id, Grant.site_id.is_(None))
    yield from session.scalars(staff.where(here, Moderator.removed_at.is_(None)))


def _badges(language: str) -> Iterator[str]:
    catalogue = Catalogue.load()
    for lang in (SOURCE_LANGUAGE, catalogue.language(language, SOURCE_LANGUAGE)):
        yield catalogue.text(lang, "thread.badge.moderator")
