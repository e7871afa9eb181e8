"""Measure what a reader's page loads of this service and of others, and write the table of docs/peers.md.

    python -m tools.measure_peers

This service and Isso are served on this machine, with the same hundred comments below the same article. Of
Waline and Artalk only the published files are looked at.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import brotli
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from comments_service import __version__
from tools.host_pages import serving_host_pages
from tools.isso_process import running_isso
from tools.measure_reading import transferred
from tools.reading_stage import REPLIED_SHARE, a_browser, reading_stage, words_of
from tools.setup import ISSO

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "peers.md"
PACKAGES = Path(sys.prefix) / "npm" / "peers" / "node_modules"
MARKS = re.compile(r"(<!-- figures -->\n).*(<!-- end of figures -->)", re.DOTALL)
COMMENTS = 100
PATIENCE_MS = 60_000
PUBLISHED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Waline": ("@waline/client", ("dist/waline.js", "dist/waline.css")),
    "Artalk": ("artalk", ("dist/Artalk.js", "dist/Artalk.css")),
    "Artalk, its small edition": ("artalk", ("dist/ArtalkLite.js", "dist/ArtalkLite.css")),
}


@dataclass(frozen=True)
class Sizes:
    """Scripts and styles together, in bytes, as they are and compressed file by file."""

    raw: int
    gzip: int
    brotli: int


@dataclass(frozen=True)
class Visit:
    """What a page did in a browser. `violations`: by axe's rules, and the places where they are broken."""

    requests: int
    foreign: int
    sent: int
    comments: int
    violations: Mapping[str, int]


@dataclass(frozen=True)
class Peer:
    """One line of the table; nobody visits what is known from its published files alone."""

    name: str
    sizes: Sizes
    visit: Visit | None = None

    def __str__(self) -> str:
        sizes = f"| {self.name} | {self.sizes.raw:,} | {self.sizes.gzip:,} | {self.sizes.brotli:,} |"
        if self.visit is None:
            return f"{sizes} | | | | |"
        rules, places = len(self.visit.violations), sum(self.visit.violations.values())
        axe = f"{rules} in {places} places" if rules else "0"
        return (
            f"{sizes} {self.visit.sent:,} | {self.visit.comments:,} | "
            f"{self.visit.requests} | {self.visit.foreign} | {axe} |"
        )


def main() -> int:
    """Print the table, and write it into the document."""
    with a_browser() as browser:
        peers = [our_own(browser), isso(browser), *published()]
    table = table_of(peers)
    print(table)
    DOCUMENT.write_text(put_in(DOCUMENT.read_text("utf-8"), table), "utf-8")
    return 0


def our_own(browser: Browser) -> Peer:
    """This service, with as many top-level comments on a page as there are."""
    with reading_stage(page_size=COMMENTS) as stage:
        address = stage.add_article("/article", COMMENTS)
        return visited(browser, f"this service {__version__}", address, stage.service_url, "article.comment")


def isso(browser: Browser) -> Peer:
    """Isso with the same comments, on the same page."""
    told = subprocess.run(
        [str(ISSO / "bin" / "isso"), "--version"], check=True, capture_output=True, text=True
    )
    version = told.stdout.split()[-1]
    with ExitStack() as stack:
        pages = stack.enter_context(serving_host_pages())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comments-peers-"))
        server = stack.enter_context(running_isso(Path(folder), pages.origin))
        address = pages.add("/article", server.snippet, paragraphs=1)
        roots: list[int] = []
        for number in range(COMMENTS):
            is_reply = number >= round(COMMENTS * (1 - REPLIED_SHARE))
            parent = roots.pop(0) if is_reply else None
            made = server.send("/article", words_of(number), f"Reader {number % 97}", parent)
            if not is_reply:
                roots.append(made)
        return visited(browser, f"Isso {version}", address, server.url, ".isso-comment[id]")


def visited(browser: Browser, name: str, address: str, home: str, comment: str) -> Peer:
    """Open a page for the first time, and note what it loads beside itself and what axe finds on it."""
    page = browser.new_page(color_scheme="light")
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))  # noqa: PLW0108 -- Playwright writes on it
    page.goto(address)
    expect(page.locator(comment)).to_have_count(COMMENTS, timeout=PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    origin = address.removesuffix("/article")
    ours = [request for request in requests if not request.url.startswith(origin)]
    files = [request for request in ours if request.resource_type in ("script", "stylesheet")]
    visit = Visit(
        requests=len(ours),
        foreign=sum(not request.url.startswith(home) for request in ours),
        sent=transferred(files),
        comments=transferred(request for request in ours if request not in files),
        violations=violations(page),
    )
    peer = Peer(name, sizes_of([body_of(request) for request in files]), visit)
    page.close()
    return peer


def body_of(request: Request) -> bytes:
    """What came, not compressed any more."""
    response = request.response()
    return response.body() if response else b""


def violations(page: Page) -> dict[str, int]:
    """What axe finds on the whole page: by rule, in how many places."""
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return {one["id"]: len(one["nodes"]) for one in found}


def published() -> list[Peer]:
    """What stands in the packages of the others."""
    peers = []
    for name, (package, files) in PUBLISHED.items():
        version = json.loads((PACKAGES / package / "package.json").read_text("utf-8"))["version"]
        contents = [(PACKAGES / package / file).read_bytes() for file in files]
        peers.append(Peer(f"{name} {version}", sizes_of(contents)))
    return peers


def sizes_of(files: Sequence[bytes]) -> Sizes:
    """How long files are, and how long when each is compressed as well as it can be."""
    return Sizes(
        raw=sum(len(file) for file in files),
        gzip=sum(len(gzip.compress(file, 9)) for file in files),
        brotli=sum(len(brotli.compress(file, mode=brotli.MODE_TEXT, quality=11)) for file in files),
    )


def table_of(peers: Sequence[Peer]) -> str:
    """The table, and what axe found by name."""
    head = (
        "| | scripts, styles | gzip | brotli | as sent | comments, as sent | requests | to others | axe |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    found = [
        f"{peer.name}: " + ", ".join(f"{rule} ({places})" for rule, places in peer.visit.violations.items())
        for peer in peers
        if peer.visit and peer.visit.violations
    ]
    told = f"\n\nWhat axe found. {'; '.join(found)}." if found else ""
    day = f"{datetime.now(UTC):%-d %B %Y}"
    return "\n".join([head, *map(str, peers)]) + f"{told}\n\nMeasured on {day}."


def put_in(document: str, table: str) -> str:
    """The document with this table in its place."""
    made, count = MARKS.subn(lambda found: f"{found[1]}{table}\n{found[2]}", document)
    if count != 1:
        raise ValueError("the document has no place for the figures")
    return made


if __name__ == "__main__":
    sys.exit(main())
