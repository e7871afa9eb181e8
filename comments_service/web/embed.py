"""The scripts for host pages, each one whole file, and the styles and scripts of our own pages."""

from __future__ import annotations

from functools import cache

from flask import Blueprint, Response, make_response, request

from comments_service import bundle
from comments_service.bundle import Bundle
from comments_service.errors import PageNotFound
from comments_service.texts import Catalogue

SHORT_SECONDS = 300  # a mended script reaches every reader within five minutes
YEAR_SECONDS = 31_536_000
ASSET_TYPES = {".css": "text/css", ".js": "text/javascript"}

blueprint = Blueprint("embed", __name__)


@blueprint.get("/embed.js")
@blueprint.get("/count.js")
def script() -> Response:
    """The script as it is now, under the address owners put on their pages."""
    response = _script(_bundle(request.path.rpartition("/")[2].removesuffix(".js")))
    response.headers["Cache-Control"] = f"public, max-age={SHORT_SECONDS}"
    return response


@blueprint.get("/<any(embed, count):name>.<string(length=16):content_hash>.js")
def hashed_script(name: str, content_hash: str) -> Response:
    """The same under the name of its content: never another, so it may be kept, and pinned by `integrity`."""
    wanted = _bundle(name)
    if content_hash != wanted.hash:
        raise PageNotFound
    response = _script(wanted)
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


@blueprint.get("/assets/<name>")
def asset(name: str) -> Response:
    """A style or script of our own pages."""
    found = _assets().get(name)
    if found is None:
        raise PageNotFound
    response = _precompressed(found, ASSET_TYPES["." + name.rpartition(".")[2]])
    response.headers["Cache-Control"] = f"public, max-age={SHORT_SECONDS}"
    return response


@cache
def _assets() -> dict[str, Bundle]:
    files = (file for file in bundle.STATIC.iterdir() if file.suffix in ASSET_TYPES)
    return {file.name: Bundle(file.read_bytes()) for file in files}


@cache
def _bundle(name: str) -> Bundle:
    return bundle.embed(Catalogue.load().boot_texts()) if name == "embed" else bundle.count()


def _script(content: Bundle) -> Response:
    response = _precompressed(content, "text/javascript")
    response.headers["Access-Control-Allow-Origin"] = "*"  # or a page with `integrity` refuses the script
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _precompressed(content: Bundle, mimetype: str) -> Response:
    encoding = request.accept_encodings.best_match(("br", "gzip"))
    body = {"br": content.brotli, "gzip": content.gzip}[encoding] if encoding else content.content
    response = make_response(body)
    response.content_type = f"{mimetype}; charset=utf-8"
    response.vary.add("Accept-Encoding")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.set_etag(f"{content.hash}-{encoding or 'plain'}")
    return make_response(response.make_conditional(request))
