"""What a request to a public door asks for: which site, which article, which part of it in which words."""

from __future__ import annotations

from typing import Any

from flask import g, request

from comments_service.article_url import identify
from comments_service.errors import ArticleRefused, CommentNotFound
from comments_service.snapshot.published import Published, published
from comments_service.snapshot.question import Question
from comments_service.snapshot.thread import etag
from comments_service.snapshot.thread import thread as read_thread
from comments_service.storage.database import reading
from comments_service.storage.sites import find_site
from comments_service.vocabulary import ArticleRef, SiteView, ThreadSnapshot
from comments_service.web import cors
from comments_service.web.forms import clean_title, comment_id, sentence
from comments_service.web.wiring import wiring


def site_of(key: str) -> SiteView:
    """The site with this public key.

    Raises: SiteNotFound.
    """
    with reading() as session:
        return find_site(session, key).view()


def load_site(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Put the site of an address into `g`, and hold a page's Origin against it before any view runs."""
    if values and "site_key" in values:
        g.site = site_of(values.pop("site_key"))
        cors.allow(g.site)


def published_of(text_id: str) -> Published:
    """A published comment by its id, as it came.

    Raises: CommentNotFound.
    """
    return published(comment_id(text_id) or 0)


def published_here(text_id: str) -> Published:
    """The same for the page of a site, which is held against the comment's own.

    Whether a comment is not there, or not for readers, cannot be told apart.

    Raises: CommentNotFound, OriginRefused.
    """
    try:
        found = published_of(text_id)
    except CommentNotFound:
        cors.allow_any_site()
        raise
    cors.allow(found.site)
    return found


def article_of(site: SiteView, url: str | None, explicit_id: str | None) -> ArticleRef:
    """Which article a request means.

    Raises: ArticleRefused.
    """
    if url is None:
        lang = wiring().catalogue.language(request.args.get("lang"), site.language)
        raise ArticleRefused("url", sentence(wiring().catalogue, lang, site, "error.url.refused"))
    return identify(url, explicit_id, origins=site.origins)


def article_name(article: ArticleRef) -> str:
    """What an article is called where two answers are held together: the owner's id, or its address."""
    return article.explicit_id or article.normalised_url


def question_of(site: SiteView) -> Question:
    """What the query asks of a site. An unknown order means the site's, an unknown comment the first page.

    Raises: ArticleRefused.
    """
    sort = request.args.get("sort", "")
    return Question(
        site=site,
        article=article_of(site, request.args.get("url"), request.args.get("id")),
        title=clean_title(request.args.get("title", "")),
        lang=request.args.get("lang"),
        sort=sort if sort in site.options.sorts else site.options.order,
        cursor=request.args.get("cursor"),
        comment=comment_id(request.args.get("comment", "")),
    )


def tag_if_unchanged(question: Question) -> str | None:
    """The validator of the answer where the asker has it already, for one indexed look-up."""
    if not (known := request.if_none_match):
        return None
    tag = etag(question, build=wiring().build, now=wiring().now())
    return tag if known.contains_weak(tag) else None


def page_of(question: Question) -> ThreadSnapshot:
    """The part of a thread that is asked for."""
    parts = wiring()
    return read_thread(
        question,
        catalogue=parts.catalogue,
        page_size=parts.settings.thread_page_size,
        build=parts.build,
        now=parts.now(),
    )
