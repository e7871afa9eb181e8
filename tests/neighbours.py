"""Neighbours on this machine that speak their protocols for real: Akismet's, and that of a signed call."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask

from comments_service import sites
from comments_service.neighbours.change import NeighbourChange
from comments_service.settings import Settings
from comments_service.sites import SiteChange
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView
from tests.factories import wiring_of
from tests.servers import PATIENCE_SECONDS

KEY, SECRET = "0a1b2c3d4e5f", "whsec_" + base64.b64encode(b"thirty-two bytes that nobody has").decode()
SPAMMER = "akismet-guaranteed-spam"  # by this name the real one takes everything for spam
THANKS = "Thanks for making the web a better place."
REPLAY_SECONDS = 300


@dataclass
class Answer:
    """What goes back over the wire."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Neighbour:
    """A server that answers POSTs as a test wants. `mood`, where set, comes before what it would say."""

    url: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    mood: Callable[[], Answer] | None = None

    def paths(self) -> list[str]:
        """What was asked, by the last part of the address."""
        return [path.rpartition("/")[2] for path, _ in self.asked]

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What it says."""
        raise NotImplementedError


@dataclass
class Akismet(Neighbour):
    """Akismet 1.1: forms in, one word out, the help in a header."""

    keys: set[str] = field(default_factory=lambda: {KEY})

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """As the documentation of each call has it."""
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.asked.append((path, form))
        if self.mood is not None:
            return self.mood()
        assert headers["Content-Type"].startswith("application/x-www-form-urlencoded")
        is_known, call = form.get("api_key") in self.keys, path.removeprefix("/1.1/")
        if call == "verify-key":
            return Answer(b"valid") if is_known else refused("We were unable to verify your key")
        if not is_known:
            return refused("Your API key is not valid")
        if missing := [name for name in ("blog", "user_ip") if not form.get(name)]:
            return refused(f"Empty {missing[0]} value")
        if call in ("submit-spam", "submit-ham"):
            return Answer(THANKS.encode())
        assert call == "comment-check"
        is_spam = form.get("comment_author") == SPAMMER
        tip = {"X-akismet-pro-tip": "discard"} if "discard" in form["comment_content"] else {}
        return Answer(b"true" if is_spam else b"false", headers=tip if is_spam else {})


def refused(help_: str) -> Answer:
    """Akismet's way to say that it will not look."""
    return Answer(b"invalid", headers={"X-akismet-debug-help": help_})


@dataclass
class Service(Neighbour):
    """A filter of the owner's, that looks at signatures before anything else."""

    now: Callable[[], datetime] = datetime.now
    verdict: Any = field(default_factory=dict)  # None: no opinion
    seen: set[str] = field(default_factory=set)
    calls: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Refuse what is not signed, too old, or heard before; then say the verdict."""
        self.asked.append((path, json.loads(body)))
        self.calls.append((headers, body))
        if self.mood is not None:
            return self.mood()
        if not self.is_ours(headers, body):
            return Answer(status=401)
        if self.verdict is None:
            return Answer(status=204)
        return Answer(json.dumps(self.verdict).encode(), headers={"Content-Type": "application/json"})

    def is_ours(self, headers: Mapping[str, str], body: bytes) -> bool:
        """As Standard Webhooks tells a receiver to look."""
        headers = {name.lower(): value for name, value in headers.items()}
        number, at = headers["webhook-id"], headers["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        mac = hmac.new(key, f"{number}.{at}.".encode() + body, "sha256").digest()
        wanted = f"v1,{base64.b64encode(mac).decode()}"
        is_signed = any(hmac.compare_digest(one, wanted) for one in headers["webhook-signature"].split(" "))
        is_fresh = abs(int(at) - self.now().timestamp()) <= REPLAY_SECONDS and number not in self.seen
        self.seen.add(number)
        return is_signed and is_fresh


@contextmanager
def serving(neighbour: Neighbour, path: str = "") -> Iterator[None]:
    """Let it listen on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = neighbour.answer(self.path, dict(self.headers.items()), body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keep the tests' output readable."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Nobody waits for an answer that came too late."""

    server = Server(("127.0.0.1", 0), Handler)
    neighbour.url = f"http://127.0.0.1:{server.server_port}{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)


@contextmanager
def closed_port() -> Iterator[str]:
    """An address where nobody listens, and nobody will meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def asking(settings: Settings, akismet: Neighbour, **values: Any) -> Settings:
    """Settings of an installation that may call this machine, and finds Akismet here."""
    ours = {"akismet_url": akismet.url, "outbound_allow": "127.0.0.0/8", "neighbour_seconds": 5.0}
    return Settings(**dict(settings) | ours | values)


def let_ask(app: Flask, site: SiteView, **fields: Any) -> SiteView:
    """Let a site ask neighbours, as its owner does."""
    parts = wiring_of(app)
    change = SiteChange(neighbours=NeighbourChange(**fields))
    with app.app_context():
        return sites.change_site(
            site.key, change, catalogue=Catalogue.load(), now=parts.now(), keys=parts.keys
        )


def ask_akismet(app: Flask, site: SiteView, **fields: Any) -> SiteView:
    """Let it ask Akismet with the good key."""
    return let_ask(app, site, **{"akismet": True, "akismet_key": KEY} | fields)


def ask_service(app: Flask, site: SiteView, service: Service, **fields: Any) -> SiteView:
    """Let it ask a service that it calls “Town Filter”."""
    known = {"service_name": "Town Filter", "service_url": service.url, "service_secret": SECRET}
    return let_ask(app, site, **{"service": True} | known | fields)
