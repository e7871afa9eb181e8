"""`comments serve` as operators run it: a process of its own, and readers who send comments to it."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

ORIGIN = "https://news.example.org"
ARTICLE = f"{ORIGIN}/article"
SITE = "demo"
PATIENCE_SECONDS = 30.0
COMMENTS = (sys.executable, "-m", "comments_service")
BROKEN = (OSError, http.client.HTTPException, ValueError)  # ValueError: half a JSON document
Answer = tuple[int, dict[str, Any]]


class ServiceProcess:
    """One service on a free port of this machine, in a folder of its own unless settings say otherwise."""

    def __init__(self, folder: Path, *, port: int, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port
        self.log = folder / "service.log"
        own = {name: value for name, value in os.environ.items() if not name.startswith("COMMENTS_")}
        self.environment = own | {
            "COMMENTS_DATABASE_URL": f"sqlite:///{folder / 'comments.sqlite3'}",
            "COMMENTS_PORT": str(port),
            "COMMENTS_PUBLIC_URL": f"http://localhost:{port}",
            # Each reader is a network of its own, as behind a proxy
            "COMMENTS_TRUSTED_PROXIES": "127.0.0.0/8",
            "COMMENTS_SITE_SUBMISSIONS_PER_MINUTE": "1000000",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self, *arguments: str, text: str | None = None, patience_seconds: float = PATIENCE_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run another `comments` command on the same installation."""
        return subprocess.run(
            [*COMMENTS, *arguments],
            check=False,
            capture_output=True,
            text=True,
            input=text,
            env=self.environment,
            timeout=patience_seconds,
        )

    def add_site(self, origin: str = ORIGIN) -> None:
        """Make the site that readers write to."""
        done = self.run("site", "add", SITE, "--origin", origin)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def start(self, *, command: Sequence[str] = (*COMMENTS, "serve")) -> None:
        """Start serving, and wait until it can."""
        with self.log.open("ab") as log:
            # A group of its own, so that a tracer in front of it is ended with it
            self._process = subprocess.Popen(
                list(command), env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the service did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether it answers that it can serve."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started."""
        if self._process is None:
            raise RuntimeError("the service was not started")
        return self._process

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and what it started."""
        os.killpg(self.process.pid, number)

    def wait(self) -> int:
        """Wait for the end of the process; its exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it without any warning, as a crash does."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to stop, and wait; its exit code. Harmless when it has ended already."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()


class Reader:
    """Somebody who sends comments over one connection that is kept while it works.

    Whatever breaks it comes out as one of BROKEN: then nobody knows what happened.
    """

    def __init__(self, port: int, *, url: str = ARTICLE) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._url = url
        self._ticket = ""

    def send(self, text: str, *, key: str, **fields: str) -> Answer:
        """Send one comment from a network that never sent one before."""
        if not self._ticket:
            path = f"/api/v1/sites/{SITE}/ticket?url={quote(self._url, safe='')}"
            self._ticket = self.ask("GET", path)[1]["ticket"]
        body = {
            "url": self._url,
            "ticket": self._ticket,
            "name": "Ana",
            "email": "ana@example.org",
            "text": text,
        }
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return self.ask("POST", f"/api/v1/sites/{SITE}/comments", json.dumps(body | fields), headers)

    def ask(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make one request and read the whole answer."""
        self._connection.request(
            method, path, body, {"Origin": ORIGIN, "X-Forwarded-For": _fresh_address(), **(headers or {})}
        )
        answer = self._connection.getresponse()
        content = json.loads(answer.read() or b"{}")
        return answer.status, content

    def close(self) -> None:
        """Hang up; the next request connects again."""
        self._connection.close()


_networks = itertools.count()


def _fresh_address() -> str:
    number = next(_networks)
    return f"10.{number >> 8 & 255}.{number & 255}.7"
