"""Reads about people: who belongs to a site and what each may do, as far as the asker may know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.people.rows import view_of
from comments_service.storage.database import reading
from comments_service.storage.models import Site
from comments_service.storage.people import Moderator, SecondFactor, SignIn
from comments_service.vocabulary import Access, Role, SiteView


@dataclass(frozen=True)
class GrantLine:
    """One role, and the site that it holds on; on every site where there is none."""

    role: Role
    site: SiteView | None


@dataclass(frozen=True)
class PersonLine:
    """Somebody in a list of people. `here` is the role on the one site that the list is about."""

    id: int
    name: str
    here: Role | None
    grants: tuple[GrantLine, ...]
    has_second_factor: bool
    last_seen_at: datetime | None


def grants_of(access: Access) -> tuple[GrantLine, ...]:
    """What an access consists of, everywhere first, then by name of the site."""
    with reading() as session:
        return _grants(access, _sites(session))


def people_of(site_id: int) -> tuple[PersonLine, ...]:
    """Everybody with a role on the site or on every site; of their other sites nothing is told."""
    return tuple(line for line in _people(only=site_id) if line.grants)


def everybody() -> tuple[PersonLine, ...]:
    """Everybody who may sign in, with all they may do: for those who own every site."""
    return _people(only=None)


def _people(*, only: int | None) -> tuple[PersonLine, ...]:
    with reading() as session:
        sites = _sites(session)
        shown = sites if only is None else {only: sites[only]}
        seen = dict(
            session.execute(
                select(SignIn.moderator_id, func.max(SignIn.last_seen_at)).group_by(SignIn.moderator_id)
            ).all()
        )
        guarded = set(
            session.scalars(select(SecondFactor.moderator_id).where(SecondFactor.confirmed_at.is_not(None)))
        )
        present = select(Moderator).where(Moderator.removed_at.is_(None)).order_by(func.lower(Moderator.name))
        return tuple(
            _line(session, row, only, shown, guarded, seen.get(row.id)) for row in session.scalars(present)
        )


def _line(
    session: Session,
    row: Moderator,
    only: int | None,
    sites: dict[int, SiteView],
    guarded: set[int],
    last_seen_at: datetime | None,
) -> PersonLine:
    access = view_of(session, row).access
    here = access.everywhere if only is None else access.by_site.get(only)
    return PersonLine(row.id, row.name, here, _grants(access, sites), row.id in guarded, last_seen_at)


def _grants(access: Access, sites: dict[int, SiteView]) -> tuple[GrantLine, ...]:
    everywhere = (GrantLine(access.everywhere, None),) if access.everywhere else ()
    return everywhere + tuple(
        GrantLine(access.by_site[site_id], site)
        for site_id, site in sites.items()
        if site_id in access.by_site
    )


def _sites(session: Session) -> dict[int, SiteView]:
    rows = session.scalars(select(Site).order_by(func.lower(Site.name), Site.key))
    return {row.id: row.view() for row in rows}
