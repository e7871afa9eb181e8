"""Forms on signed pages: no session, so no token of one; they come from our own pages or not at all."""

from __future__ import annotations

from flask import request

from comments_service.article_url import same_origin
from comments_service.errors import OriginRefused
from comments_service.web.wiring import wiring


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
