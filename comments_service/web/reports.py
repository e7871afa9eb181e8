"""Readers report a comment to the moderators: by the JSON door, and by a page that needs no JavaScript."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from comments_service.errors import FieldError, FieldsRefused, TooManyReports
from comments_service.opinions import Complaint
from comments_service.privacy import network_of
from comments_service.reports import Objection, report
from comments_service.snapshot.published import Published
from comments_service.web import cors
from comments_service.web.asked import published_here, published_of
from comments_service.web.forms import ReportForm, text_fields
from comments_service.web.hurry import count_report
from comments_service.web.json_door import json_answer, private, read_json
from comments_service.web.own_forms import read_form, refuse_foreign_form
from comments_service.web.wiring import wiring
from comments_service.web.worded import worded
from comments_service.web.words import page_words

FIELDS = ("reason", "note")

doors = Blueprint("reports", __name__, url_prefix="/api/v1/comments")
cors.init_comments(doors)
pages = Blueprint("report_page", __name__)


@doors.post("/<text_id>/reports")
def post(text_id: str) -> Response:
    """Take a report in. The answer is the same whatever becomes of it, and whoever reported before."""
    cors.require_page()
    found = published_here(text_id)
    count_report()
    fields, errors = text_fields(read_json(), FIELDS)
    _take_in(found, fields, errors, lang=_lang(found))
    return private(json_answer({"received": True}, 202))


@pages.get("/comments/<text_id>/report")
def show() -> Response:
    """The form, or a word of thanks."""
    found = _on_page()
    return _page(found, is_sent=bool(request.args.get("sent")))


@pages.post("/comments/<text_id>/report")
def send() -> Response:
    """Take the form in: 303 to a word of thanks, or the page again with what was typed."""
    refuse_foreign_form()
    fields = read_form(FIELDS)
    found = _on_page()
    try:
        count_report()
        _take_in(found, fields, [], lang=_lang(found))
    except (FieldsRefused, TooManyReports) as error:
        return _page(found, fields, error)
    query = urlencode({"sent": "1"} | _asked())
    return make_response(redirect(wiring().absolute(f"/comments/{found.view.id}/report?{query}"), 303))


@pages.url_value_preprocessor
def load_comment(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Put the comment's site into `g`, so that errors too are told in its language."""
    if values and "text_id" in values:
        g.found = published_of(values.pop("text_id"))
        g.site = g.found.site


def _on_page() -> Published:
    found: Published = g.found
    return found


def _take_in(found: Published, fields: dict[str, str], errors: list[FieldError], *, lang: str) -> None:
    parts = wiring()
    with worded(found.site, lang):
        form = ReportForm(fields)
        form.refuse_wrong(errors)
    network = network_of(request.remote_addr or "")
    objection = Objection(found.view.id, Complaint(form.reason.data or ""), form.note.data or "", network)
    report(objection, settings=parts.settings, keys=parts.key_source, now=parts.now())


def _page(
    found: Published,
    typed: dict[str, str] | None = None,
    error: FieldsRefused | TooManyReports | None = None,
    *,
    is_sent: bool = False,
) -> Response:
    html = render_template(
        "public/report.html",
        **page_words(_lang(found), found.site.texts),
        comment=found.view,
        reasons=tuple(Complaint),
        typed=typed or {},
        wrong={one.field: one.detail for one in error.errors} if error else {},
        slug=error.slug if error else "",
        is_sent=is_sent,
        is_open=found.site.options.reports,
        back=_thread_page(found),
    )
    response = make_response(html, error.status if error else 200)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    if error and error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _thread_page(found: Published) -> str:
    asked = {"url": found.article_url, "id": found.article_id or "", "comment": str(found.view.id)} | _asked()
    query = urlencode({name: value for name, value in asked.items() if value})
    return wiring().absolute(f"/sites/{found.site.key}/thread?{query}#comment-{found.view.id}")


def _asked() -> dict[str, str]:
    lang = request.args.get("lang")
    return {"lang": lang} if lang else {}


def _lang(found: Published) -> str:
    return wiring().catalogue.language(request.args.get("lang"), found.site.language)
