"""The JSON doors for the widget: thread, ticket, comments, counts. No cookie is read or set."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, request

from comments_service import tokens
from comments_service.errors import (
    FieldError,
    FieldsRefused,
    Malformed,
)
from comments_service.proof import challenge_for
from comments_service.snapshot.counts import counts as counts_of
from comments_service.snapshot.own import own_comment
from comments_service.snapshot.question import Question, iso
from comments_service.vocabulary import SiteView, Status
from comments_service.web import cors
from comments_service.web.asked import (
    article_name,
    load_site,
    page_of,
    question_of,
    tag_if_unchanged,
)
from comments_service.web.forms import LIMITS, text_fields
from comments_service.web.hurry import count_preview
from comments_service.web.intake import Sent, giving_context, preview_of, take_in, tokens_for
from comments_service.web.json_door import as_json, json_answer, own_as_json, private, read_json, validated
from comments_service.web.wiring import wiring

MAX_COUNTS = 100
MAX_KEY_CHARACTERS = 200

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
cors.init_blueprint(blueprint)
blueprint.url_value_preprocessor(load_site)


@blueprint.before_request
def answer_preflight() -> Response | None:
    """A browser asks first whether a page may send what it is about to send; no view needs to know."""
    if request.method != "OPTIONS":
        return None
    return cors.preflight()


@blueprint.get("/sites/<site_key>/thread")
def thread() -> Response:
    """One page of an article's comments; the same answer for everybody who asks the same."""
    question = question_of(g.site)
    if tag := tag_if_unchanged(question):
        return validated(json_answer({}, 304), tag)
    page = page_of(question)
    body = {
        "thread": {
            "id": str(page.id) if page.id else None,
            "url": page.url,
            "article": article_name(question.article),
            "title": page.title,
            "open": page.is_open,
            "count": page.count,
            "heading": page.heading,
            "sort": page.sort,
        },
        "comments": [as_json(comment) for comment in page.comments],
        "previous": page.previous_cursor,
        "next": page.next_cursor,
        "form": _form(question, page.max_depth),
    }
    return validated(json_answer(body), page.etag)


@blueprint.get("/sites/<site_key>/ticket")
def ticket() -> Response:
    """A fresh ticket for a form below one article, and the work that is asked of its browser, if any is."""
    article, earlier = question_of(g.site).article, request.args.get("earlier", "")
    context = giving_context(g.site, article, earlier=earlier)
    given = context.new_ticket()
    body = {
        "ticket": tokens.sign_ticket(context.keys, given),
        "expires_at": iso(context.now + timedelta(seconds=context.lifetime_seconds)),
        "challenge": challenge_for(context.keys, given) if given.asks_proof else None,
    }
    return private(json_answer(body))


@blueprint.post("/sites/<site_key>/comments")
def post_comment() -> Response:
    """Take a comment in: 201 when it is published at once, 202 when it waits."""
    site: SiteView = g.site
    cors.require_page()
    body = read_json()
    fields, errors = text_fields(body)
    lang = wiring().catalogue.language(request.args.get("lang"), site.language)
    receipt = take_in(site, Sent(fields, errors, _idempotency_key()), lang=lang)
    name, status_url = tokens_for(site, receipt)
    own = own_comment(site.key, receipt.comment_id, now=receipt.created_at)
    comment = own_as_json(own, at_first=receipt.status)
    status = 201 if receipt.status == Status.APPROVED else 202
    return private(json_answer({"comment": comment, "receipt": name, "status_url": status_url}, status))


@blueprint.post("/sites/<site_key>/preview")
def preview() -> Response:
    """How a text will look: the same HTML as when it is a comment. Nothing is stored."""
    site: SiteView = g.site
    cors.require_page()
    count_preview()
    fields, errors = text_fields(read_json())
    lang = wiring().catalogue.language(request.args.get("lang"), site.language)
    return private(json_answer({"html": preview_of(site, fields, errors, lang=lang)}))


@blueprint.get("/sites/<site_key>/counts")
def counts() -> Response:
    """How many approved comments each `url=` has, in the order asked."""
    urls = request.args.getlist("url")
    if not 1 <= len(urls) <= MAX_COUNTS:
        detail = f"Ask for 1 to {MAX_COUNTS} addresses at once."
        raise FieldsRefused(detail, errors=(FieldError("url", "amount", detail),))
    parts = wiring()
    found = counts_of(g.site, urls, lang=request.args.get("lang"), catalogue=parts.catalogue)
    body = {
        "counts": [{"url": c.url, "count": c.count, "label": c.label, "heading": c.heading} for c in found]
    }
    response = json_answer(body)
    response.cache_control.public = True
    response.cache_control.max_age = 60
    response.add_etag()
    return make_response(response.make_conditional(request))


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return secrets.token_urlsafe(16)
    if not (0 < len(key) <= MAX_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise Malformed(f"An Idempotency-Key has 1 to {MAX_KEY_CHARACTERS} printable ASCII characters.")
    return key


def _form(question: Question, max_depth: int) -> dict[str, Any]:
    parts, site = wiring(), question.site
    lang = parts.catalogue.language(question.lang, site.language)
    return {
        "required": list(site.required),
        "limits": LIMITS,
        "max_depth": max_depth,
        "sorts": list(site.options.sorts),
        "votes": site.options.votes,
        "reports": site.options.reports,
        "letters": site.takes_letters,
        "avatars": site.options.avatars,
        "signed_names": bool(site.options.signed_names),
        "language": lang,
        "direction": parts.catalogue.direction(lang),
        "texts": parts.catalogue.widget_texts(
            lang,
            site.texts,
            network_days=parts.settings.network_retention_days,
            neighbours=site.options.told_neighbours,
        ),
        "page_url": page_address(question),
    }


def page_address(question: Question) -> str:
    """The address of the same thread as a page that needs no JavaScript."""
    asked = {"url": question.article.url, "id": question.article.explicit_id, "title": question.title}
    query = urlencode({name: value for name, value in asked.items() if value})
    return wiring().absolute(f"/sites/{question.site.key}/thread?{query}")
