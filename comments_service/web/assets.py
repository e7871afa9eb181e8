"""The pages' own styles and script: a fixed list, each under an address that changes with its content."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from flask import Blueprint, Response, request, url_for

from comments_service import bundle
from comments_service.bundle import STATIC, Bundle
from comments_service.errors import PageNotFound
from comments_service.web.headers import precompressed

TYPES = {
    "tokens.css": "text/css",
    "comment.css": "text/css",
    "part.css": "text/css",
    "pages.css": "text/css",
    "queue.css": "text/css",
    "rows.css": "text/css",
    "comment-page.css": "text/css",
    "queue.js": "text/javascript",
    "letters.css": "text/css",
    "settings.css": "text/css",
    "audit.css": "text/css",
    "dashboard.css": "text/css",
    "people.css": "text/css",
    "rules.css": "text/css",
    "thresholds.css": "text/css",
    "blocklists.css": "text/css",
    "copy.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"

blueprint = Blueprint("assets", __name__)


@blueprint.get("/assets/<name>")
def asset(name: str) -> Response:
    """One file of ours; for ever when its address names this very content."""
    if name not in TYPES:
        raise PageNotFound
    content = _content(name)
    response = precompressed(content, TYPES[name])
    response.headers["Cache-Control"] = FOR_EVER if request.args.get("v") == content.hash else ASK_AGAIN
    return response


@blueprint.app_context_processor
def addresses() -> dict[str, Callable[[str], str]]:
    """Let templates write `{{ asset("pages.css") }}`."""
    return {"asset": lambda name: url_for("assets.asset", name=name, v=_content(name).hash)}


@cache
def _content(name: str) -> Bundle:
    return bundle.queue() if name == "queue.js" else Bundle((STATIC / name).read_bytes())
