"""Where rules stand: a site's, an article's own, and which articles have some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from comments_service.errors import CommentNotFound
from comments_service.rules.change import Place
from comments_service.storage.database import reading
from comments_service.storage.models import Site, Thread
from comments_service.vocabulary import SiteView

ARTICLES_SHOWN = 20


@dataclass(frozen=True)
class ArticleName:
    """An article, for a link to its rules."""

    thread_id: int
    title: str
    url: str


@dataclass(frozen=True)
class RulesHere:
    """The rules of one place as they are now. `own` are in stored form: an article's, or all of a site's."""

    place: Place
    site: SiteView
    article: ArticleName | None
    own: Mapping[str, Any]
    version: int
    with_own: tuple[ArticleName, ...]
    latest: tuple[ArticleName, ...]


def rules_here(place: Place) -> RulesHere:
    """Look the rules of a site or an article up, with the articles there are links to.

    Raises: CommentNotFound where the site has no such article.
    """
    with reading() as session:
        site = session.get_one(Site, place.site_id).view()
        names = select(Thread.id, Thread.title, Thread.url).where(Thread.site_id == site.id)
        with_own = _names(session, names.where(Thread.rules_version > 0).order_by(Thread.id.desc()))
        latest = _names(session, names.order_by(Thread.id.desc()))
        if place.thread_id is None:
            return RulesHere(place, site, None, site.rules.stored(), site.rules_version, with_own, latest)
        thread = session.get(Thread, place.thread_id)
        if thread is None or thread.site_id != site.id:
            raise CommentNotFound("There is no such article.")
        article = ArticleName(thread.id, thread.title, thread.url)
        return RulesHere(place, site, article, thread.rules, thread.rules_version, with_own, latest)


def _names(session: Session, rows: Select[int, str, str]) -> tuple[ArticleName, ...]:
    found = session.execute(rows.limit(ARTICLES_SHOWN))
    return tuple(ArticleName(number, title, url) for number, title, url in found)
