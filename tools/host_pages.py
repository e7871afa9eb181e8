"""Pages of an owner's site, for measurements: the same article each, with whatever is embedded below it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice

STYLES = """
:root { color-scheme: light dark }
html { background: Canvas; color: CanvasText }
body { font: 17px/1.6 Georgia, serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="The council agreed on Tuesday to build a new bridge for the harbour.">
<title>A bridge for the harbour</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/host.css">
</head>
<body>
<header><p>The Harbour Post</p></header>
<main>
<article>
<h1>A bridge for the harbour</h1>
{paragraphs}
</article>
{below}
</main>
<footer><p>Written and printed at the harbour.</p></footer>
</body>
</html>
"""
PARAGRAPHS = """
The council agreed on Tuesday to build it. The old bridge closed in spring, when divers found that two of
its nine piers stand on timber that has not been looked at for sixty years.

Until the new one is open, a ferry takes people and bicycles across, every ten minutes from six in the
morning. Lorries go round by the lock, which adds eleven kilometres and, on market days, half an hour.

The new bridge will be lower and wider, with a lane for buses. It opens for ships four times a day. The
yards on the eastern side had asked for more, and will get a fifth opening from May to September.

Work begins in March. Whoever wants to see the drawings finds them in the town hall, on the first floor, on
every day but Sunday.
""".strip().split("\n\n")
ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 6h8M1 6q3-6 6 0"/></svg>'


@dataclass
class HostPages:
    """The pages of one site; all of them are served under one policy, if there is one."""

    origin: str
    policy: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def add(self, path: str, below: str = "", *, paragraphs: int = 4) -> str:
        """Serve the article with this below it; its address."""
        text = "\n".join(f"<p>{paragraph}</p>" for paragraph in islice(cycle(PARAGRAPHS), paragraphs))
        self.files[path] = ("text/html; charset=utf-8", PAGE.format(paragraphs=text, below=below).encode())
        return f"{self.origin}{path}"

    def add_styles(self, rules: str) -> None:
        """Let all pages have these rules too."""
        content_type, styles = self.files["/host.css"]
        self.files["/host.css"] = (content_type, styles + rules.encode())


def owner_tag(service: str, *, site: str, target: str = "") -> str:
    """The owner's first line; with an element of its own for the comments, if `target` names one."""
    there = f'<div id="{target}"></div>\n' if target else ""
    attributes = f' data-target="#{target}"' if target else ""
    return f'{there}<script src="{service}/embed.js" data-site="{site}"{attributes} async></script>'


def policy_for(service: str) -> str:
    """What a careful owner allows: the service alone, and Trusted Types."""
    return (
        "default-src 'self'; base-uri 'none'; object-src 'none'; "
        f"script-src {service}; connect-src {service}; "
        "require-trusted-types-for 'script'; trusted-types comments"
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, pages: HostPages, *arguments: object) -> None:
        self.pages = pages
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        content_type, body = self.pages.files.get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.pages.policy:
            self.send_header("Content-Security-Policy", self.pages.policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
        pass


@contextmanager
def serving_host_pages() -> Iterator[HostPages]:
    """Serve pages on 127.0.0.1, for browsers another site than localhost."""
    pages = HostPages("", files={"/host.css": ("text/css", STYLES.encode())})
    pages.files["/icon.svg"] = ("image/svg+xml", ICON.encode())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, pages))
    server.daemon_threads = True
    pages.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
