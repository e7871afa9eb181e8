"""The scripts for host pages, each one whole file."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Response, request

from comments_service import bundle
from comments_service.bundle import Bundle
from comments_service.errors import PageNotFound
from comments_service.texts import Catalogue
from comments_service.web.headers import precompressed

SHORT_SECONDS = 300  # a mended script reaches every reader within five minutes
YEAR_SECONDS = 31_536_000
NAMES = ("embed", "count", *bundle.LATER)

blueprint = Blueprint("embed", __name__)


@blueprint.get("/embed.js")
@blueprint.get("/count.js")
def script() -> Response:
    """The script as it is now, under the address owners put on their pages."""
    response = _script(_bundle(request.path.rpartition("/")[2].removesuffix(".js")))
    response.headers["Cache-Control"] = f"public, max-age={SHORT_SECONDS}"
    return response


@blueprint.get("/classic.css")
def styles() -> Response:
    """How WordPress' themes dress a thread, for pages with `data-style="none"` and no such theme."""
    response = precompressed(_classic_styles(), "text/css")
    response.headers["Cache-Control"] = f"public, max-age={SHORT_SECONDS}"
    return _for_every_page(response)


@blueprint.get(f"/<any({', '.join(NAMES)}):name>.<string(length=16):content_hash>.js")
def hashed_script(name: str, content_hash: str) -> Response:
    """The same under the name of its content: never another, so it may be kept, and pinned by `integrity`."""
    wanted = _bundle(name)
    if content_hash != wanted.hash:
        raise PageNotFound
    response = _script(wanted)
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


@cache
def _bundle(name: str) -> Bundle:
    if name == "embed":
        return bundle.embed(Catalogue.load().boot_texts())
    return bundle.count() if name == "count" else bundle.later(name)


@cache
def _classic_styles() -> Bundle:
    return Bundle(bundle.minify_css((bundle.STATIC / "classic.css").read_text("utf-8")).encode())


def _script(content: Bundle) -> Response:
    return _for_every_page(precompressed(content, "text/javascript"))


def _for_every_page(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"  # or a page with `integrity` refuses the script
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
