"""Who really asks, and below which path: decided before Flask, from trusted proxies only."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from comments_service.settings import Network, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORWARDED = tuple(
    f"HTTP_{name}"
    for name in (
        "FORWARDED",
        "X_REAL_IP",
        *(f"X_FORWARDED_{n}" for n in ("FOR", "PROTO", "HOST", "PORT", "PREFIX")),
    )
)


class TrustedProxies:
    """Replaces REMOTE_ADDR by the address the trusted hops saw, and takes the public path off."""

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        """Stand before `app`."""
        self._app = app
        self._networks = settings.trusted_proxies
        self._prefix = settings.public_path
        self._scheme = "https" if settings.is_https else "http"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Mend the request's surroundings, then let the app answer."""
        peer = environ.get("REMOTE_ADDR", "")
        environ["REMOTE_ADDR"] = client_address(peer, environ.get("HTTP_X_FORWARDED_FOR", ""), self._networks)
        environ["wsgi.url_scheme"] = self._scheme
        for name in FORWARDED:
            environ.pop(name, None)
        path = environ.get("PATH_INFO", "")
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        environ["SCRIPT_NAME"] = self._prefix
        return self._app(environ, start_response)


def client_address(peer: str, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """Walk X-Forwarded-For from the right while the hop, beginning with the peer, is a trusted network.

    What a trusted hop wrote but nobody can read as an address comes back as it stands.
    """
    hops = [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for.strip() else []
    address = peer
    while hops and _is_trusted(address, trusted):
        address = _bare(hops.pop())
    return address


def _is_trusted(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return any(parsed.version == network.version and parsed in network for network in networks)


def _bare(hop: str) -> str:
    """An address without its port: "203.0.113.7:1234" and "[2001:db8::1]:1234" as some proxies write."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
