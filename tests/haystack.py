"""Looks for an email in all the shapes in which it could betray itself, wherever bytes are left."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse


def shapes(email: str) -> Iterator[bytes]:
    """The address and its local part, plain, escaped and hashed; hashes raw, in hex and in base64."""
    for known in {email, email.lower(), email.partition("@")[0], email.lower().partition("@")[0]}:
        yield from (known.encode(), quote(known, safe="").encode(), escape(known).encode())
        yield from (known.encode("utf-16-le"), base64.b64encode(known.encode())[: 4 * (len(known) // 3)])
        for algorithm in ("md5", "sha1", "sha256"):
            digest = hashlib.new(algorithm, known.encode(), usedforsecurity=False).digest()
            yield from (digest, digest.hex().encode())
            for coded in (base64.b64encode(digest), base64.urlsafe_b64encode(digest)):
                yield coded.rstrip(b"=")


def found(email: str, hay: bytes) -> list[bytes]:
    """Which shapes of the address stand in the bytes, in whatever case."""
    lowered = hay.lower()
    return [shape for shape in shapes(email) if shape in hay or shape.lower() in lowered]


def stored_bytes(database_url: str) -> bytes:
    """Everything the database holds: SQLite's files as they lie there, or each table of PostgreSQL."""
    url = make_url(database_url)
    if url.drivername == "sqlite":
        file = Path(str(url.database))
        assert file.with_name(f"{file.name}-wal").exists(), "the journal should be there while the app runs"
        return b"".join(one.read_bytes() for one in sorted(file.parent.glob(f"{file.name}*")))
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return b"".join(_copy(connection, name) for (name,) in names)


def _copy(connection: psycopg.Connection, table: str) -> bytes:
    command = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
    found = bytearray()
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for block in copy:
            found.extend(block)
    return bytes(found)


def answer_bytes(response: TestResponse) -> bytes:
    """Status, headers and body."""
    return bytes(f"{response.status}\n{response.headers}".encode() + response.data)
