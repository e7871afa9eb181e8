"""Errors as people and programs see them: RFC 9457 problem+json, or a page. Never a trace, never a value."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus

import structlog
from flask import Flask, Response, make_response, render_template, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from comments_service.errors import (
    BodyTooLarge,
    CommentsError,
    LengthRequired,
    Malformed,
    PageNotFound,
    StoreUnavailable,
)
from comments_service.web.words import mistake_words, page_words, problem_language, problem_words

API_PREFIX = "/api/"
FRAGMENT = "fragment"  # the blueprint of what is put into pages: a page within a page would be a mess
PROBLEM_TYPE = "application/problem+json"
RETRY_STORE_SECONDS = 5
READ_ONLY = "25006"  # PostgreSQL's word for a standby, or a server set so, that is asked to write
OWN_WORDS = {error.status: error for error in (Malformed, PageNotFound, LengthRequired, BodyTooLarge)}
log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Let every error leave as a problem."""
    app.register_error_handler(CommentsError, show)
    app.register_error_handler(HTTPException, _show_http)
    app.register_error_handler(DBAPIError, _show_store)
    app.register_error_handler(PoolTimeout, _show_store)
    app.register_error_handler(Exception, _show_unknown)


def show(error: CommentsError) -> Response:
    """An error of ours as an answer."""
    if wants_page():
        lang = problem_language()
        title, detail = problem_words(lang, error.slug, error.title, error.detail)
        words = page_words(lang)
        words |= {"status": error.status, "slug": error.slug, "title": title, "detail": detail}
        page = render_template("error.html", **words)
        response = make_response(page, error.status)
    else:
        response = make_response(as_json(error), error.status)
        response.content_type = PROBLEM_TYPE
    response.headers["Cache-Control"] = "no-store"
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _show_http(error: HTTPException) -> Response:
    """Werkzeug's own refusals (404, 405 with Allow, 413…) in our shape."""
    if error.response is not None:  # a redirect
        return make_response(error.get_response())
    response = show(in_our_words(error.code or 500))
    for name, value in error.get_headers(None):
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def in_our_words(status: int) -> CommentsError:
    """What a library or the server refuses, as an error of ours."""
    if status in OWN_WORDS:
        return OWN_WORDS[status]()
    phrase = HTTPStatus(status).phrase
    error = CommentsError(f"{phrase}.")
    error.status, error.slug, error.title = status, phrase.lower().replace(" ", "-"), phrase
    return error


def as_json(error: CommentsError) -> str:
    """An error as RFC 9457 has it."""
    problem: dict[str, object] = {
        "type": f"urn:comments:problem:{error.slug}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if error.errors:
        problem["errors"] = error.errors_as_json()
    return json.dumps(problem, ensure_ascii=False)


def store_refusal(error: Exception) -> StoreUnavailable | None:
    """What to tell when the store is locked, full, read-only or away, with its reason in the log.

    None for every other error: that is a mistake of ours.
    """
    if not (isinstance(error, (OperationalError, PoolTimeout)) or _is_away(error)):
        return None
    log.error("store_unavailable", error=_cause(error))
    return StoreUnavailable(retry_after_seconds=RETRY_STORE_SECONDS)


def _is_away(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) == READ_ONLY


def _show_store(error: Exception) -> Response:
    """Nothing was stored, and the sender may come again."""
    refusal = store_refusal(error)
    return show(refusal) if refusal else _show_unknown(error)


def _show_unknown(error: Exception) -> Response:
    """A mistake of ours: logged once, here, under a number that the answer names."""
    reference = secrets.token_hex(4)
    if isinstance(error, DBAPIError):
        _forget_rows(error)
    log.error("internal_error", reference=reference, exc_info=error)
    return show(CommentsError(mistake_words(reference)))


def wants_page() -> bool:
    """Whether a person looks at the answer: never below /api/, else who likes HTML best says so in Accept."""
    if request.path.startswith(API_PREFIX) or request.blueprint == FRAGMENT:
        return False
    return request.accept_mimetypes.best_match((PROBLEM_TYPE, "application/json", "text/html")) == "text/html"


def _cause(error: Exception) -> str:
    # The driver's own sentence ("database is locked"), one line: SQLAlchemy's would add the statement
    return _first_line(getattr(error, "orig", None) or type(error).__name__)


def _forget_rows(error: DBAPIError) -> None:
    # PostgreSQL's DETAIL quotes the row that it refused: names, texts
    for one in (error, error.orig):
        if one is not None:
            one.args = tuple(_first_line(said) for said in one.args)


def _first_line(said: object) -> str:
    return str(said).partition("\n")[0]
