"""Isso as its owners run it: a process of its own on 127.0.0.1, with comments that were sent to it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from tools.demo_process import free_ports
from tools.setup import ISSO

PATIENCE_SECONDS = 30.0
# Its defaults, but that one reader may send a hundred comments at once
CONFIGURATION = """
[general]
dbpath = {folder}/isso.db
host = {origin}
[server]
listen = http://127.0.0.1:{port}
[guard]
enabled = false
"""


class IssoProcess:
    """One Isso for the pages of one site."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        configuration = folder / "isso.cfg"
        port = self.url.rpartition(":")[2]
        configuration.write_text(CONFIGURATION.format(folder=folder, origin=origin, port=port))
        log = (folder / "isso.log").open("wb")
        command = [str(ISSO / "bin" / "isso"), "-c", str(configuration), "run"]
        self._process = subprocess.Popen(command, stdout=log, stderr=log)

    @property
    def snippet(self) -> str:
        """The lines of its documentation for a page."""
        script = f'<script data-isso="{self.url}/" src="{self.url}/js/embed.min.js"></script>'
        return f'{script}\n<section id="isso-thread"></section>'

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Isso did not start")
            time.sleep(0.1)

    def send(self, path: str, text: str, name: str, parent: int | None = None) -> int:
        """Send one comment on the page of a path; its number."""
        fields = {"text": text, "author": name, "parent": parent, "title": "A bridge for the harbour"}
        asked = Request(
            f"{self.url}/new?uri={quote(path, safe='')}",
            json.dumps(fields).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(asked) as answer:
            return int(json.loads(answer.read())["id"])

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def _answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/js/embed.min.js", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def running_isso(folder: Path, origin: str) -> Iterator[IssoProcess]:
    """An Isso that is stopped at the end."""
    isso = IssoProcess(folder, origin)
    try:
        isso.wait()
        yield isso
    finally:
        isso.stop()
