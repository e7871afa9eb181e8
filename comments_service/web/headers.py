"""What every answer carries: security headers, the length rule, compression of JSON."""

from __future__ import annotations

import gzip

import brotli
from flask import Flask, Response, make_response, request

from comments_service.bundle import Bundle
from comments_service.errors import LengthRequired, Malformed
from comments_service.settings import Settings

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HSTS = "max-age=31536000"  # without subdomains: they are the owner's, not ours
WORTH_COMPRESSING_BYTES = 1_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def init_app(app: Flask, settings: Settings) -> None:
    """Guard every request and finish every answer."""
    app.before_request(_want_readable_query)
    app.before_request(_want_length)

    @app.after_request
    def finish(response: Response) -> Response:
        if response.mimetype == "application/json":
            compress(response)
        _harden(response, is_https=settings.is_https)
        return response


def precompressed(content: Bundle, mimetype: str) -> Response:
    """A file of ours in the encoding this browser likes best, with an ETag, or 304."""
    encoding = request.accept_encodings.best_match(("br", "gzip"))
    body = {"br": content.brotli, "gzip": content.gzip}[encoding] if encoding else content.content
    response = make_response(body)
    response.content_type = f"{mimetype}; charset=utf-8"
    response.vary.add("Accept-Encoding")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.set_etag(f"{content.hash}-{encoding or 'plain'}")
    return make_response(response.make_conditional(request))


def _want_readable_query() -> None:
    try:
        request.query_string.decode()
    except UnicodeDecodeError as error:
        raise Malformed("The query is not UTF-8.") from error


def _want_length() -> None:
    # Behind some servers a chunked body over the limit is cut without a word. A DELETE has no body, and
    # browsers say nothing of its length then
    is_bare = request.method == "DELETE" and "Transfer-Encoding" not in request.headers
    if request.method not in SAFE_METHODS and request.content_length is None and not is_bare:
        raise LengthRequired


def guards(*, is_page: bool, is_https: bool) -> dict[str, str]:
    """The security headers of an answer: those of pages, or those of everything else."""
    found = {
        "Content-Security-Policy": PAGE_POLICY if is_page else DATA_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if is_page:
        found |= {"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"}
    return found | ({"Strict-Transport-Security": HSTS} if is_https else {})


def _harden(response: Response, *, is_https: bool) -> None:
    for name, value in guards(is_page=response.mimetype == "text/html", is_https=is_https).items():
        response.headers.setdefault(name, value)


def compress(response: Response) -> None:
    """Send an answer in the coding this asker likes: never one with secrets, whose length would tell."""
    if response.is_streamed or "Content-Encoding" in response.headers:
        return
    response.vary.add("Accept-Encoding")
    wanted = request.accept_encodings.best_match(("br", "gzip"))
    body = response.get_data()
    if wanted is None or len(body) < WORTH_COMPRESSING_BYTES or response.status_code == 304:
        return
    response.set_data(brotli.compress(body, quality=5) if wanted == "br" else gzip.compress(body, 6, mtime=0))
    response.headers["Content-Encoding"] = wanted
    tag, is_weak = response.get_etag()
    if tag and not is_weak:  # the same meaning in other bytes
        response.set_etag(tag, weak=True)
