"""Serves the comment service and, on another site, a news page that shows comments (`make demo`).

Everything is kept in `var/demo/`: a second start finds what the first one left, sign-ins too. Only the
site's origins are set anew, because they follow the ports.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

from flask import Flask
from sqlalchemy import exists, select

from comments_service import create_app, logs
from comments_service.article_url import identify
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.errors import CommentsError
from comments_service.own_texts import OwnText
from comments_service.people.accounts import add_moderator, list_moderators, reset_password
from comments_service.serving import Service
from comments_service.settings import Settings
from comments_service.sites import SiteChange, add_site, change_site, list_sites
from comments_service.storage.database import reading
from comments_service.storage.models import Comment
from comments_service.storage.schema import make_ready
from comments_service.submit import submit
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView, Status, Submission
from comments_service.web.wiring import Wiring

HERE = Path(__file__).resolve().parent
ADDRESS = "127.0.0.1"
SITE = "demo"
MODERATOR = "moderator"
ARTICLE_ID = "karabakh-2024-06-16"  # as in host.html
HEADLINE = "Azerbaijan Unleashes Fury in Karabakh to Oust Armenian Forces"
# The newspaper's own words, for one comment as for many; at none it says nothing, like every site
OWN_TEXTS = (OwnText.parse("count.heading={count} thought on “{title}”"),)
SERVICE_IN_PAGE = "http://localhost:8000"  # what host.html says, so that it can be read and copied as it is
FILES = {
    "/": ("host.html", "text/html; charset=utf-8"),
    "/host.css": ("host.css", "text/css; charset=utf-8"),
    "/ridges.svg": ("ridges.svg", "image/svg+xml"),
    "/compass.svg": ("compass.svg", "image/svg+xml"),
}


class CannotServe(Exception):
    """The demo cannot start; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """Where one demo lives: its folder and its two ports."""

    folder: Path
    port: int
    host_port: int

    @property
    def service(self) -> str:
        """The service's address."""
        return f"http://localhost:{self.port}"

    @property
    def newspaper(self) -> str:
        """The host page's origin: for browsers another site than localhost, not only another port."""
        return f"http://{ADDRESS}:{self.host_port}"

    @property
    def settings(self) -> Settings:
        """The service's settings; the reader's COMMENTS_* variables belong to other installations."""
        return Settings(
            database_url=f"sqlite:///{self.folder / 'comments.sqlite3'}",
            public_url=self.service,
            host=ADDRESS,
            port=self.port,
            outbound_allow=(ip_network("127.0.0.0/8"),),  # the newspaper is on this machine
            log_level="WARNING",
            log_format="text",
        )


@dataclass(frozen=True)
class Seed:
    """A comment that stands below the article from the first start on."""

    name: str
    email: str
    text: str
    network: str
    age: timedelta


SEEDS = (
    Seed(
        "Marta Lindqvist",
        "marta@example.org",
        "Thank you for setting out what each side says without taking one. I would like to read more about "
        "the people who live there: what do they need *now*?",
        "192.0.2.0/24",
        timedelta(minutes=50),
    ),
    Seed(
        "Tomás Reyes",
        "tomas@example.org",
        "Seconded. A map of the region, and of the roads in and out of it, would help me to follow the rest.",
        "198.51.100.0/24",
        timedelta(minutes=20),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or TERM; 0 after a clean stop."""
    parser = argparse.ArgumentParser(description="Serve a news page with comments.")
    parser.add_argument(
        "--folder", type=Path, default=HERE.parent / "var" / "demo", help="what to keep it in"
    )
    try:
        folder = parser.parse_args(arguments).folder.absolute()
        serve(Place(folder, port_from("PORT", 8000), port_from("HOST_PORT", 8001)))
    except (CannotServe, CommentsError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the service took the signal over
        return 130
    return 0


def port_from(variable: str, usual: int) -> int:
    """The port that a variable names.

    Raises: CannotServe.
    """
    text = os.environ.get(variable) or str(usual)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise CannotServe(f"{variable} must be a port from 1 to 65535, not “{text}”.")
    return int(text)


def serve(place: Place) -> None:
    """Prepare what is not there yet, then serve both sites.

    Raises: CannotServe, CannotStart.
    """
    newspaper = open_newspaper(place)
    try:
        refuse_taken_port("PORT", place.port)
        logs.configure(place.settings)
        make_ready(place.settings)
        app = create_app(place.settings)
        service = Service(app, place.settings)
        with app.app_context():
            password = prepare(app, place, now=datetime.now(UTC))
        threading.Thread(target=newspaper.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        service.run(on_ready=lambda: print(greeting(place, password), flush=True))
        newspaper.shutdown()
    finally:
        newspaper.server_close()
    print("\nThe demo has stopped. The next `make demo` goes on from here.", flush=True)


def refuse_taken_port(variable: str, port: int) -> None:
    """Say in time, and before anything is stored, that a port is in use.

    Raises: CannotServe.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise taken(variable, port, error) from error


def taken(variable: str, port: int, error: OSError) -> CannotServe:
    """One sentence about a port that cannot be had."""
    return CannotServe(
        f"Port {port} cannot be used ({error.strerror}); choose another: make demo {variable}={port + 10}"
    )


def greeting(place: Place, password: str) -> str:
    """What a newcomer needs: two addresses and the sign-in."""
    return f"""
  The news page    {place.newspaper}/
  The moderators   {place.service}/queue
    sign in as     {MODERATOR}
    password       {password}

  Comments and password are kept in {place.folder}. Ctrl-C stops the demo.
"""


def prepare(app: Flask, place: Place, *, now: datetime) -> str:
    """Make the moderator, the site and its first comments, unless they are there; returns the password."""
    password = prepare_moderator(place.folder / "password", now=now)
    site = prepare_site(place.newspaper, now=now)
    if not has_comments(site):
        parts: Wiring = app.extensions["comments"]
        add_comments(parts, site, url=f"{place.newspaper}/", now=now)
    return password


def prepare_moderator(file: Path, *, now: datetime) -> str:
    """The moderator's password, from its file; without the file there is a new one."""
    is_known = any(moderator.name == MODERATOR for moderator in list_moderators())
    if file.exists() and is_known:
        return file.read_text("utf-8").strip()
    password = secrets.token_urlsafe(12)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(password + "\n")
    if is_known:
        reset_password(MODERATOR, password, now=now)
    else:
        add_moderator(MODERATOR, password, now=now)
    return password


def prepare_site(origin: str, *, now: datetime) -> SiteView:
    """The newspaper's site; its only origin is where the page is served this time."""
    known = next((site for site in list_sites() if site.key == SITE), None)
    change = SiteChange(origins=(origin,))
    if known is None:
        change = SiteChange(name="The Morning Compass", origins=(origin,), own_texts=OWN_TEXTS)
        return add_site(SITE, change, catalogue=Catalogue.load(), now=now)
    if known.origins == (origin,):
        return known
    return change_site(SITE, change, catalogue=Catalogue.load(), now=now)


def has_comments(site: SiteView) -> bool:
    """Whether anything was ever said here; nobody wants declined examples back."""
    with reading() as session:
        return bool(session.scalar(select(exists().where(Comment.site_id == site.id))))


def add_comments(parts: Wiring, site: SiteView, *, url: str, now: datetime) -> None:
    """Let two readers say something, one to the other, and the moderator approve it."""
    moderator = next(one for one in list_moderators() if one.name == MODERATOR)
    parent_id = None
    for seed in SEEDS:
        written_at = now - seed.age
        submission = Submission(
            site=site,
            article=identify(url, ARTICLE_ID, origins=site.origins),
            title=HEADLINE,
            parent_id=parent_id,
            name=seed.name,
            email=seed.email,
            website=None,
            text=seed.text,
            network=seed.network,
            idempotency_key=secrets.token_urlsafe(16),
        )
        receipt = submit(submission, settings=parts.settings, keys=parts.keys, now=written_at)
        first_version = Change(receipt.comment_id, 1, Status.APPROVED)
        decide(first_version, by=moderator, now=written_at)
        parent_id = receipt.comment_id


class Newspaper(BaseHTTPRequestHandler):
    """Answers as a careful owner's server would, under a strict policy."""

    place: Place
    timeout = 30

    def do_GET(self) -> None:
        """A file of the newspaper, or the page that says there is none."""
        name, content_type = FILES.get(self.path.partition("?")[0], ("missing.html", FILES["/"][1]))
        body = (HERE / name).read_bytes()
        if name == "host.html":
            body = body.replace(SERVICE_IN_PAGE.encode(), self.place.service.encode())
        self.send_response(404 if name == "missing.html" else 200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy(self.place.service))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        """The same without the file itself."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the greeting on the screen."""


def policy(service: str) -> str:
    """The newspaper's content security policy: what the widget needs is named, all else is forbidden."""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'none'; script-src {service}; connect-src {service}; "
        "require-trusted-types-for 'script'; trusted-types comments"
    )


def open_newspaper(place: Place) -> ThreadingHTTPServer:
    """The newspaper's server, bound and not yet serving.

    Raises: CannotServe.
    """
    handler = type("Handler", (Newspaper,), {"place": place})
    try:
        return ThreadingHTTPServer((ADDRESS, place.host_port), handler)
    except OSError as error:
        raise taken("HOST_PORT", place.host_port, error) from error


if __name__ == "__main__":
    sys.exit(main())
