"""The status page of one comment: where it stands, and plain forms to edit and withdraw it.

Its address is signed, and known to nobody but the author.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from comments_service import tokens
from comments_service.errors import (
    CommentDeclined,
    CommentsError,
    EditWindowClosed,
    FieldsRefused,
    Malformed,
    StoreUnavailable,
    TooManyChanges,
)
from comments_service.snapshot.own import OwnComment, own_comment
from comments_service.snapshot.waits import usual_wait
from comments_service.vocabulary import Status
from comments_service.web.hurry import count_edit, count_withdrawal
from comments_service.web.own_forms import read_form, refuse_foreign_form
from comments_service.web.own_intake import edit_own, withdraw_own
from comments_service.web.wiring import wiring
from comments_service.web.words import page_words

FIELDS = ("do", "text", "sure")
KEPT_ERRORS = (CommentDeclined, EditWindowClosed, FieldsRefused, StoreUnavailable, TooManyChanges)
HOUR, DAY = 60, 24 * 60  # in minutes

blueprint = Blueprint("status", __name__)


@dataclass(frozen=True)
class Tried:
    """What the author typed, and what was wrong with it."""

    text: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    message: str = ""


@blueprint.get("/status/<token>")
def show(token: str) -> Response:
    """What became of the comment, for whoever holds its address, for 30 days."""
    return _page(_own(token), asks=request.args.get("do") == "withdraw")


@blueprint.post("/status/<token>")
def act(token: str) -> Response:
    """Edit the comment, or withdraw it once the author has said that it is meant."""
    refuse_foreign_form()
    fields = read_form(FIELDS)
    own = _own(token)
    try:
        if fields.get("do") == "withdraw":
            return _withdraw(own, is_sure=bool(fields.get("sure")))
        if fields.get("do") != "edit":
            raise Malformed
        count_edit()
        edit_own(own.site, own.view.id, fields, [], lang=_lang(own))
    except KEPT_ERRORS as error:
        return _again(own, fields.get("text"), error)
    return make_response(redirect(wiring().absolute(f"/status/{token}"), 303))


def _own(token: str) -> OwnComment:
    parts = wiring()
    site_key, number = tokens.read_status_token(parts.keys, token, now=parts.now())
    return own_comment(site_key, number, now=parts.now())


def _withdraw(own: OwnComment, *, is_sure: bool) -> Response:
    if not is_sure:
        return _page(own, asks=True)
    count_withdrawal()
    withdraw_own(own.site, own.view.id)
    return _private(render_template("public/withdrawn.html", **_words(own), own=own))


def _again(own: OwnComment, text: str | None, error: CommentsError) -> Response:
    """The page once more, with all that was typed."""
    key = f"error.{error.slug}"
    message = "" if error.errors else str(_words(own)["say"](key))
    tried = Tried(text, {e.field: e.detail for e in error.errors}, message)
    response = _page(own, tried, status=error.status)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _page(own: OwnComment, tried: Tried | None = None, *, asks: bool = False, status: int = 200) -> Response:
    is_waiting = own.status == Status.PENDING and not own.view.is_letter
    wait = usual_wait(own.site.id, now=wiring().now()) if is_waiting or own.edit else None
    page = render_template(
        "public/status.html",
        **_words(own),
        own=own,
        comment=own.view,
        wait=_shown(wait) if wait is not None else None,
        tried=tried or Tried(),
        asks=asks and own.is_withdrawable,
    )
    return _private(page, status)


def _shown(wait: timedelta) -> tuple[str, int]:
    """A span as people say it: the unit, and how many."""
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    if minutes < HOUR:
        return "minutes", minutes
    if minutes < 2 * DAY:
        return "hours", round(minutes / HOUR)
    return "days", round(minutes / DAY)


def _private(page: str, status: int = 200) -> Response:
    response = make_response(page, status)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is the author's alone
    return response


def _lang(own: OwnComment) -> str:
    return wiring().catalogue.language(None, own.site.language)


def _words(own: OwnComment) -> dict[str, Any]:
    return page_words(_lang(own), own.site.texts)
