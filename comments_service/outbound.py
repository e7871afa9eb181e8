"""The only door out: asks another server for a page, or posts to it, and only to one on the public internet.

A name is resolved once; every address it has must be public, and exactly these are dialled, so nothing
can be swapped between the check and the call. No redirect is followed without the same checks, and none
after a POST; no proxy, cookie or password is ever used, and time, size and unpacked size are bounded.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import quote, urljoin

import httpcore2

from comments_service.article_url import Address, read_address
from comments_service.settings import Network

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

WEB_PORTS = frozenset({80, 443})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_URL_CHARACTERS = 4_000
# `is_global` lets these through, yet what lies behind them may be a private network: addresses that wrap
# an IPv4 address (NAT64, 6to4, Teredo), the 6to4 relay, the site-local range of old, the one of examples.
WRAPPED = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "192.88.99.0/24"),
        *("fec0::/10", "3fff::/20"),
    )
)
# Not the client's defaults: what is asked for stays readable in any server's log
PAGES = ("Accept", "text/html,application/xhtml+xml")
ALWAYS = (("Accept-Encoding", "gzip"), ("Connection", "close"))
_SAFE_IN_TARGET = "%/:@!$&'()*+,;=~-._?[]|"


class Reason(StrEnum):
    """Why nothing was fetched."""

    UNREADABLE = "unreadable"
    PORT = "port"
    UNKNOWN_HOST = "unknown-host"
    PRIVATE = "private"
    REFUSED = "refused"
    CERTIFICATE = "certificate"
    TLS = "tls"
    SLOW = "slow"
    BROKEN = "broken"
    REDIRECTS = "redirects"


class NotFetched(Exception):
    """The door stayed closed, or nobody answered behind it. `url` is the address where that happened."""

    def __init__(self, reason: Reason, url: str) -> None:
        """Keep both."""
        super().__init__(f"{reason}: {url}")
        self.reason, self.url = reason, url


@dataclass(frozen=True)
class Limits:
    """How long and how much. `total_seconds` holds for one fetch with all its redirects."""

    connect_seconds: float = 5
    read_seconds: float = 5
    total_seconds: float = 15
    body_bytes: int = 2 << 20
    redirects: int = 3


@dataclass(frozen=True)
class Hop:
    """A redirect that was followed: which address sent where to."""

    status: int
    url: str
    to: str


@dataclass(frozen=True)
class Fetched:
    """What came back in the end. `is_cut` says that there was more than the limit."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_cut: bool
    hops: tuple[Hop, ...]

    def header(self, name: str) -> str:
        """One header's value; several of the same name are joined with commas."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())


@dataclass(frozen=True)
class Message:
    """What is posted. `headers` are sent as they are, beside those that every call has."""

    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the machine knows them.

    Raises: OSError.
    """
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@cache
def system_trust() -> ssl.SSLContext:
    """The certificates that the machine trusts; read once."""
    return ssl.create_default_context()


def is_public(address: IPAddress) -> bool:
    """Whether this is an address of the public internet, whatever IPv4 address may be wrapped in it."""
    address = _unfolded(address)
    wrapped = any(address in network for network in WRAPPED)
    return address.is_global and not (address.is_multicast or address.is_reserved or wrapped)


@dataclass(frozen=True)
class Door:
    """The door with its rules. `allowed` are networks that may be called although they are not public.

    With `is_inner` these alone may be called: for what must not cross the internet in clear.
    """

    user_agent: str
    allowed: Sequence[Network] = ()
    is_inner: bool = False
    ports: frozenset[int] = WEB_PORTS
    limits: Limits = Limits()
    resolve: Resolver = system_resolver
    tls: ssl.SSLContext = field(default_factory=system_trust)

    def fetch(self, url: str) -> Fetched:
        """GET a page.

        Raises: NotFetched.
        """
        deadline, hops = Deadline(self.limits.total_seconds), list[Hop]()
        while True:
            fetched = _Call(self, url, deadline).answer(tuple(hops))
            location = fetched.header("Location")
            if fetched.status not in REDIRECTS or not location:
                return fetched
            if len(hops) == self.limits.redirects:
                raise NotFetched(Reason.REDIRECTS, fetched.url)
            url = _joined(fetched.url, location)
            hops.append(Hop(fetched.status, fetched.url, url))

    def post(self, url: str, message: Message) -> Fetched:
        """POST once. A redirect is an answer like any other: what is sent goes to nobody else.

        Raises: NotFetched.
        """
        return _Call(self, url, Deadline(self.limits.total_seconds), message).answer(())

    def addresses(self, host: str, port: int, *, within_seconds: float) -> tuple[IPAddress, ...]:
        """Where a host is to be called: all of its addresses, each of which may be.

        Raises: OSError; TimeoutError; ValueError when one of them may not be, so none is called.
        """
        texts = _in_time(within_seconds, self.resolve, host.strip("[]"), port)
        found = tuple(dict.fromkeys(ipaddress.ip_address(text.partition("%")[0]) for text in texts))
        if not found or not all(self._may_be_called(one) for one in found):
            raise ValueError(host)
        return found

    def _may_be_called(self, address: IPAddress) -> bool:
        is_allowed = any(_unfolded(address) in network for network in self.allowed)
        return is_allowed or (is_public(address) and not self.is_inner)


class Deadline:
    """When one fetch has to be over, counted from now."""

    def __init__(self, seconds: float) -> None:
        """Begin to count."""
        self._end = time.monotonic() + seconds

    def left(self, at_most_seconds: float | None) -> float:
        """The seconds that one more step may take.

        Raises: TimeoutError when there are none.
        """
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds if at_most_seconds is None else min(seconds, at_most_seconds)


class _Call(httpcore2.NetworkBackend):
    """One request to one host: dials the addresses that were checked, and keeps to the deadline."""

    def __init__(self, door: Door, url: str, deadline: Deadline, message: Message | None = None) -> None:
        self._door, self._url, self._deadline, self._message = door, url, deadline, message
        self._address = self._checked(url)

    def answer(self, hops: tuple[Hop, ...]) -> Fetched:
        """Ask, and read what comes up to the limit."""
        try:
            with (
                httpcore2.ConnectionPool(ssl_context=self._door.tls, network_backend=self) as pool,
                pool.stream(
                    "POST" if self._message else "GET",
                    self._target,
                    headers=self._headers,
                    content=self._message.body if self._message else None,
                    extensions=self._extensions,
                ) as got,
            ):
                names = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in got.headers)
                headers = tuple(names)
                body, is_cut = b"", False
                if got.status not in REDIRECTS:
                    body, is_cut = _body(got.iter_stream(), dict(headers), self._door.limits.body_bytes)
                return Fetched(self._url, got.status, headers, body, is_cut, hops)
        except ssl.SSLCertVerificationError as error:
            raise NotFetched(Reason.CERTIFICATE, self._url) from error
        except (TimeoutError, httpcore2.TimeoutException) as error:
            raise NotFetched(Reason.SLOW, self._url) from error
        except httpcore2.ConnectError as error:
            raise NotFetched(_why_unconnected(error), self._url) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, zlib.error) as error:
            raise NotFetched(Reason.BROKEN, self._url) from error

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, check, and call the first address that answers."""
        try:
            found = self._door.addresses(host, port, within_seconds=self._deadline.left(timeout))
        except ValueError:
            raise NotFetched(Reason.PRIVATE, self._url) from None
        except TimeoutError:
            raise
        except (OSError, UnicodeError):
            raise NotFetched(Reason.UNKNOWN_HOST, self._url) from None
        *others, last = found
        for address in others:
            try:
                return self._dial(address, port, timeout)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._dial(last, port, timeout)

    def _dial(self, address: IPAddress, port: int, timeout: float | None) -> httpcore2.NetworkStream:
        stream = httpcore2.SyncBackend().connect_tcp(str(address), port, self._deadline.left(timeout))
        return _Bounded(stream, self._deadline)

    def _checked(self, url: str) -> Address:
        try:
            address = read_address(url)
        except ValueError:
            raise NotFetched(Reason.UNREADABLE, url[:MAX_URL_CHARACTERS]) from None
        if len(url) > MAX_URL_CHARACTERS:
            raise NotFetched(Reason.UNREADABLE, url[:MAX_URL_CHARACTERS])
        if (address.port or {"http": 80, "https": 443}[address.scheme]) not in self._door.ports:
            raise NotFetched(Reason.PORT, url)
        return address

    @property
    def _target(self) -> str:
        address = self._address
        path = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
        return f"{address.origin}{quote(path, safe=_SAFE_IN_TARGET)}"

    @property
    def _headers(self) -> list[tuple[str, str]]:
        first = [("Host", self._address.authority), ("User-Agent", self._door.user_agent)]
        if self._message is None:
            return [*first, PAGES, *ALWAYS]
        kind, length = self._message.content_type, str(len(self._message.body))
        told = [("Content-Type", kind), ("Content-Length", length), *self._message.headers]
        return [*first, ("Accept", "*/*"), *told, *ALWAYS]

    @property
    def _extensions(self) -> dict[str, Any]:
        limits = self._door.limits
        seconds = {"connect": limits.connect_seconds, "read": limits.read_seconds}
        return {"timeout": seconds | {"write": limits.read_seconds, "pool": limits.connect_seconds}}


class _Bounded(httpcore2.NetworkStream):
    """A connection whose every step must end before the deadline: a slow drip of bytes is no way around."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        name = server_hostname.strip("[]") if server_hostname else None
        return _Bounded(self._stream.start_tls(ssl_context, name, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _unfolded(address: IPAddress) -> IPAddress:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _in_time(seconds: float, resolve: Resolver, host: str, port: int) -> Sequence[str]:
    """Resolve, but wait no longer: the system's resolver knows no time limit of ours."""
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _body(chunks: Iterable[bytes], headers: dict[str, str], limit: int) -> tuple[bytes, bool]:
    """The body up to the limit, unpacked no further than that; whether there was more."""
    packed = next((value for name, value in headers.items() if name.lower() == "content-encoding"), "")
    if packed.strip().lower() not in ("", "identity", "gzip"):
        raise zlib.error("an encoding that was not asked for")
    unpacker = zlib.decompressobj(wbits=31) if "gzip" in packed.lower() else None
    body = bytearray()
    for chunk in chunks:
        room = limit + 1 - len(body)
        body += unpacker.decompress(chunk, room) if unpacker else chunk[:room]
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise NotFetched(Reason.UNREADABLE, location) from None


def _why_unconnected(error: Exception) -> Reason:
    """What is behind the library's one error for everything that goes wrong while connecting."""
    causes = [error.__cause__, error.__context__]
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Reason.CERTIFICATE
    return Reason.TLS if any(isinstance(cause, ssl.SSLError) for cause in causes) else Reason.REFUSED
