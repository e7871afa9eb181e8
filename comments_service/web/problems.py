"""Errors as people and programs see them: RFC 9457 problem+json, or a page. Never a trace, never a value."""

from __future__ import annotations

import secrets
from http import HTTPStatus

import structlog
from flask import Flask, Response, json, make_response, render_template, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from comments_service.errors import BodyTooLarge, CommentsError, Malformed, PageNotFound, StoreUnavailable
from comments_service.web.words import moderators_words, problem_words

API_PREFIX = "/api/"
RETRY_STORE_SECONDS = 5
OWN_WORDS = {error.status: error for error in (Malformed, PageNotFound, BodyTooLarge)}
log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Let every error leave as a problem."""
    app.register_error_handler(CommentsError, show)
    app.register_error_handler(HTTPException, _show_http)
    app.register_error_handler(OperationalError, _show_store)
    app.register_error_handler(DBAPIError, _show_database)
    app.register_error_handler(PoolTimeout, _show_store)
    app.register_error_handler(Exception, _show_unknown)


def show(error: CommentsError) -> Response:
    """An error of ours as an answer."""
    response = _answer(error.status, error.slug, error.title, error.detail, errors=error.errors_as_json())
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _show_http(error: HTTPException) -> Response:
    """Werkzeug's own refusals (404, 405 with Allow, 413…) in our shape."""
    if error.response is not None:  # a redirect
        return make_response(error.get_response())
    status = error.code or 500
    if status in OWN_WORDS:
        return show(OWN_WORDS[status]())
    phrase = HTTPStatus(status).phrase
    response = _answer(status, phrase.lower().replace(" ", "-"), phrase, phrase + ".")
    for name, value in error.get_headers(None):
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _show_store(error: Exception) -> Response:
    """Locked, full, read-only or away: nothing was stored, and the sender may come again."""
    log.error("store_unavailable", error=_cause(error))
    return show(StoreUnavailable(retry_after_seconds=RETRY_STORE_SECONDS))


def _show_database(error: DBAPIError) -> Response:
    return _show_store(error) if error.connection_invalidated else _show_unknown(error)


def _show_unknown(error: Exception) -> Response:
    """A mistake of ours: logged once, here, under a number that the answer names."""
    reference = secrets.token_hex(4)
    log.error("internal_error", reference=reference, exc_info=error)
    detail = f"This is our mistake, and it is logged. Its number is {reference}."
    return _answer(500, "internal", "Something went wrong", detail)


def _answer(
    status: int, slug: str, title: str, detail: str, *, errors: list[dict[str, str]] | None = None
) -> Response:
    if wants_page():
        title, detail = problem_words(slug, title, detail)
        page = render_template("error.html", **moderators_words(), status=status, title=title, detail=detail)
        response = make_response(page, status)
    else:
        problem: dict[str, object] = {
            "type": f"urn:comments:problem:{slug}",
            "title": title,
            "status": status,
            "detail": detail,
        }
        if errors:
            problem["errors"] = errors
        response = make_response(json.dumps(problem, ensure_ascii=False), status)
        response.content_type = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    return response


def wants_page() -> bool:
    """Whether a person looks at the answer: never below /api/, else by Accept."""
    if request.path.startswith(API_PREFIX):
        return False
    return request.accept_mimetypes.accept_html


def _cause(error: Exception) -> str:
    # The driver's own sentence ("database is locked"): SQLAlchemy's would add the statement
    return str(getattr(error, "orig", None) or type(error).__name__)
