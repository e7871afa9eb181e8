"""How many comments articles have, for links and headings anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from comments_service import article_url
from comments_service.errors import ArticleRefused
from comments_service.storage.database import reading
from comments_service.storage.threads import find_thread
from comments_service.texts import Catalogue
from comments_service.vocabulary import CountView, SiteView


def counts(site: SiteView, urls: Sequence[str], *, lang: str | None, catalogue: Catalogue) -> list[CountView]:
    """How many approved comments each address has, in the order asked; an address we refuse has none."""
    language = catalogue.language(lang, site.language)
    with reading() as session:
        return [_count(session, site, url, language, catalogue) for url in urls]


def _count(session: Session, site: SiteView, url: str, lang: str, catalogue: Catalogue) -> CountView:
    try:
        row = find_thread(session, site.id, article_url.identify(url, None, origins=site.origins))
    except ArticleRefused:
        row = None
    count, title = (row.approved_count, row.title) if row else (0, "")
    label = catalogue.plural("count.label", count, lang=lang, overrides=site.texts)
    return CountView(url, count, label, catalogue.heading(count, title, lang=lang, overrides=site.texts))
