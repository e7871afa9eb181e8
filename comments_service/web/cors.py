"""Which pages may read our answers: those of the site's own origins, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Blueprint, Response, g, make_response, request
from sqlalchemy import select

from comments_service.article_url import same_origin
from comments_service.errors import OriginRefused
from comments_service.storage.database import reading
from comments_service.storage.models import Site
from comments_service.vocabulary import SiteView

ALLOW_HEADERS = "content-type, idempotency-key, authorization"
ALLOW_METHODS = "GET, POST, PUT, PATCH, DELETE"
EXPOSE_HEADERS = "Retry-After, ETag"
MAX_AGE_SECONDS = 86_400
_SERIALISED = re.compile(r"https?://[A-Za-z0-9._\[\]:-]+")  # RFC 6454 §6.2: nothing else leaves a browser


def init_blueprint(blueprint: Blueprint) -> None:
    """Let every answer of the blueprint, errors too, carry what `allow` has decided."""
    blueprint.after_request(_add_headers)


def init_comments(blueprint: Blueprint) -> None:
    """The same where a comment or its receipt says later whose site it is: any site's page may ask first."""
    init_blueprint(blueprint)
    blueprint.before_request(_answer_any_preflight)


def allow(site: SiteView) -> None:
    """Hold the request's Origin, if it has one, against the site's.

    Raises: OriginRefused. A page of another origin could not read the answer anyway; so it says why.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return
    if not _is_among(origin, site.origins):
        raise OriginRefused(f"Let it in with: comments site set {site.key} --add-origin ORIGIN")
    g.cors_origin = origin


def require_page() -> None:
    """Want the Origin of a page, which `allow` holds against the site, for what changes or costs something.

    Raises: OriginRefused.
    """
    if request.headers.get("Origin") is None:
        raise OriginRefused("The request does not say which page it comes from.")


def allow_any_site() -> None:
    """Hold a preflight that names no site against all of them.

    Raises: OriginRefused.
    """
    origin = request.headers.get("Origin", "")
    with reading() as session:
        known = [one for origins in session.scalars(select(Site.origins)) for one in origins]
    if not _is_among(origin, known):
        raise OriginRefused
    g.cors_origin = origin


def preflight() -> Response:
    """The answer to a preflight; without an allowed Origin it says nothing."""
    response = make_response("", 204)
    del response.headers["Content-Type"]
    if "cors_origin" in g:
        response.headers["Access-Control-Allow-Methods"] = ALLOW_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOW_HEADERS
        response.headers["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
    return response


def _answer_any_preflight() -> Response | None:
    if request.method != "OPTIONS":
        return None
    allow_any_site()
    return preflight()


def _is_among(origin: str, allowed: Sequence[str]) -> bool:
    # What comes back in a header, and is a key to caches, is taken in one spelling only
    return _SERIALISED.fullmatch(origin) is not None and same_origin(origin, allowed)


def _add_headers(response: Response) -> Response:
    response.vary.add("Origin")
    if "cors_origin" in g:
        response.headers["Access-Control-Allow-Origin"] = g.cors_origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSE_HEADERS
    return response
