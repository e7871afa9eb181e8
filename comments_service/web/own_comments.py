"""The JSON doors to an author's own comment: see it, edit it, withdraw it, by the receipt alone."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, request

from comments_service import tokens
from comments_service.errors import ReceiptRefused
from comments_service.snapshot.own import own_comment
from comments_service.storage.database import reading
from comments_service.storage.sites import find_site
from comments_service.vocabulary import SiteView
from comments_service.web import cors
from comments_service.web.forms import comment_id, text_fields
from comments_service.web.hurry import count_edit, count_withdrawal
from comments_service.web.json_door import json_answer, own_as_json, private, read_json
from comments_service.web.own_intake import edit_own, withdraw_own
from comments_service.web.wiring import wiring

blueprint = Blueprint("own", __name__, url_prefix="/api/v1/comments")
cors.init_comments(blueprint)


@dataclass(frozen=True)
class Owned:
    """A comment that the request's receipt opens."""

    site: SiteView
    id: int


@blueprint.get("/<text_id>")
def show(text_id: str) -> Response:
    """The author's own comment, whatever its status."""
    return _answer(_owned(text_id))


@blueprint.patch("/<text_id>")
def edit(text_id: str) -> Response:
    """Let the comment say something else: at once, or once a moderator has seen it."""
    cors.require_page()
    owned = _owned(text_id)
    count_edit()
    fields, errors = text_fields(read_json())
    lang = wiring().catalogue.language(request.args.get("lang"), owned.site.language)
    edit_own(owned.site, owned.id, fields, [e for e in errors if e.field == "text"], lang=lang)
    return _answer(owned)


@blueprint.delete("/<text_id>")
def withdraw(text_id: str) -> Response:
    """Remove the comment for ever."""
    cors.require_page()
    owned = _owned(text_id)
    count_withdrawal()
    withdraw_own(owned.site, owned.id)
    response = private(make_response("", 204))
    del response.headers["Content-Type"]
    return response


def _owned(text_id: str) -> Owned:
    """The comment that the receipt opens; the page that asks is held against its site.

    Raises: ReceiptRefused, OriginRefused, SiteNotFound.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise ReceiptRefused("Send the receipt as `Authorization: Bearer RECEIPT`.")
    site_key, allowed_id = tokens.read_receipt(wiring().keys, token.strip())
    if comment_id(text_id) != allowed_id:
        raise ReceiptRefused
    with reading() as session:
        site = find_site(session, site_key).view()
    cors.allow(site)
    return Owned(site, allowed_id)


def _answer(owned: Owned) -> Response:
    own = own_comment(owned.site.key, owned.id, now=wiring().now())
    return private(json_answer({"comment": own_as_json(own)}))
