"""Forms on signed pages: no session, so no token of one; they come from our own pages or not at all."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

from flask import request

from comments_service.article_url import same_origin
from comments_service.errors import Malformed, OriginRefused, TypeRefused
from comments_service.web.wiring import wiring

MAX_FIELDS = 50


def read_form(known: Collection[str]) -> dict[str, str]:
    """The posted fields that are known. Read strictly: broken UTF-8 is refused, not repaired.

    Raises: TypeRefused, Malformed.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        raise TypeRefused("Send the form as application/x-www-form-urlencoded.")
    try:
        body = request.get_data(cache=False).decode("ascii")
        pairs = parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Malformed("The form is not UTF-8.") from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("A field of the form stands twice.")
    return {name: value for name, value in pairs if name in known}


def refuse_foreign_form() -> None:
    """Let only our own pages send this.

    A page that tells nobody its address (`no-referrer`) has the Origin "null", so Fetch Metadata comes
    first; browsers have it wherever the connection is private.

    Raises: OriginRefused.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site == "same-origin":
        return
    origin = request.headers.get("Origin", "")
    if fetch_site is not None or not same_origin(origin, (wiring().settings.public_origin,)):
        raise OriginRefused("This form can be sent from our own page only.")
