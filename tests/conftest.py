"""The stage of every test: a migrated, empty, real database of its own, the app on it, and a browser.

Whatever asks for `database` (directly or through `settings`, `app`, `client`, `live_service`…) runs twice,
on SQLite and on PostgreSQL. A test about one of them says so:

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import valkey
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy.engine import make_url
from structlog.stdlib import ProcessorFormatter

from comments_service import create_app, logs
from comments_service.people import passwords
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.database import db, migrate
from comments_service.vocabulary import SiteView
from tests.browser import Console
from tests.emptied_database import EmptiedDatabase
from tests.factories import a_site
from tests.quicker import collect_seldom, compiled_once, keep_for_good, keep_templates, log_plainly
from tests.servers import (
    PATIENCE_SECONDS,
    VALKEY_SOCKET,
    DatabaseServers,
    HostPage,
    LiveService,
    free_port,
    listening_socket,
    nginx_in_front,
    postgres_database,
    quick_folder,
    serving,
    serving_host_page,
)
from tools.setup import QUICKEST_FIRST, find_browser

SECRET_KEY = "1:a-key-for-tests-only-0123456789abcdefghijklmnopqrstuv"
NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
expect.set_options(timeout=PATIENCE_SECONDS * 1000)  # a browser on a busy machine is slow, not wrong
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BROWSER_ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class Clock:
    """The time that the app sees; it moves only when a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        """Let time pass: `clock.forward(seconds=10)`."""
        self.now += timedelta(**duration)


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once for all workers, where tests will really run."""
    collect_seldom()
    is_worker = hasattr(config, "workerinput")
    if not is_worker and not config.option.collectonly:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(quick_folder()))  # where tmp_path is made
        servers = DatabaseServers()
        config.add_cleanup(servers.stop)
        signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to stop"))  # and take the servers along


def pytest_collection_finish() -> None:
    """From here on, only what tests make is to be cleared away."""
    keep_for_good()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing is skipped here: a run with a skipped test has failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    left_out = [report.nodeid for kind in ("skipped", "xfailed") for report in reporter.stats.get(kind, [])]
    if left_out:
        reporter.write_line(f"\nThese tests were skipped, so the run failed: {left_out}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let passwords cost next to nothing, but in tests marked `real_passwords`: thousands sign in here."""
    if request.node.get_closest_marker("real_passwords") is None:
        monkeypatch.setattr(passwords, "HASHER", QUICK_HASHER)
    passwords.decoy.cache_clear()


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """Let no test that logs as the service does leave that to others, or all of theirs would be logged."""
    yield
    if any(isinstance(one.formatter, ProcessorFormatter) for one in logging.root.handlers):
        log_plainly()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    file = tmp_path_factory.mktemp("template") / "comments.sqlite3"
    migrate(Settings(database_url=f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """The name of a migrated, empty PostgreSQL database."""
    with postgres_database() as url:
        migrate(Settings(database_url=url))
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def emptied_database(postgres_template: str) -> Iterator[EmptiedDatabase]:
    """This worker's PostgreSQL database."""
    database = EmptiedDatabase(postgres_template)
    with database.kept.given_out():
        yield database
    database.close()


@pytest.fixture(scope="session", autouse=True)
def quicker() -> Iterator[None]:
    """Let nothing be worked out for each app that is the same for all of them, and no trace be painted."""
    log_plainly()
    with compiled_once():
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database that belongs to this test alone."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        yield f"sqlite:///{shutil.copy(template, tmp_path / 'comments.sqlite3')}"
    else:
        emptied: EmptiedDatabase = request.getfixturevalue("emptied_database")
        yield emptied.emptied()


@pytest.fixture
def valkey_url() -> str:
    """The URL of an empty Valkey; each worker has its own part of it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    url = f"unix://{os.environ[VALKEY_SOCKET]}?db={int(worker.removeprefix('gw')) % 16}"
    with valkey.Valkey.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def now() -> datetime:
    """The instant at which tests begin."""
    return NOW


@pytest.fixture
def clock(now: datetime) -> Clock:
    """The app's clock."""
    return Clock(now)


@pytest.fixture
def keys() -> Keyring:
    """The keys of the installation under test."""
    return Keyring.parse(SECRET_KEY)


@pytest.fixture
def settings(database: str) -> Settings:
    """Settings as after installation, on this test's database."""
    return Settings(database_url=database, secret_key=SECRET_KEY)


@pytest.fixture
def make_app(clock: Clock) -> Iterator[Callable[[Settings], Flask]]:
    """Make apps with settings of the test's own: `make_app(settings.model_copy(update={…}))`."""
    with ExitStack() as stack:

        def make(settings: Settings) -> Flask:
            app = create_app(settings, clock=clock)
            app.testing = True
            keep_templates(app)
            stack.callback(close, app)
            return app

        yield make


@pytest.fixture
def app(settings: Settings, make_app: Callable[[Settings], Flask]) -> Flask:
    """The app on this test's database, at this test's time."""
    return make_app(settings)


@pytest.fixture
def app_context(app: Flask) -> Iterator[Flask]:
    """Inside the app, without a request: for tests that call a room directly."""
    with app.app_context():
        yield app


@pytest.fixture
def logging_app(settings: Settings, make_app: Callable[[Settings], Flask]) -> Callable[..., Flask]:
    """Make apps that log to standard error as the service does: `logging_app(log_level="DEBUG")`."""

    def make(**values: str) -> Flask:
        chosen = settings.model_copy(update=values)
        logging.root.handlers.clear()  # pytest's own would be closed
        logs.configure(chosen)
        return make_app(chosen)

    return make


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who keeps cookies."""
    return app.test_client()


@pytest.fixture
def site(app: Flask, now: datetime) -> SiteView:
    """The site `demo` of https://news.example.org."""
    return a_site(app, now=now)


def close(app: Flask) -> None:
    """Let go of the app's database connections."""
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def host_page() -> Iterator[HostPage]:
    """A page on another site than the service's."""
    with serving_host_page() as page:
        yield page


@pytest.fixture
def live_service(settings: Settings, host_page: HostPage) -> Iterator[LiveService]:
    """The service on localhost, with the site `demo` whose only origin is the host page's.

    The host page shows the owner's two lines. Clocks are real, since the browser's is.
    """
    with listening_socket() as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        yield from live(settings.model_copy(update=UNHURRIED | {"public_url": url}), listener, host_page)


@pytest.fixture
def proxied_service(settings: Settings, host_page: HostPage, tmp_path: Path) -> Iterator[LiveService]:
    """The same under `/comments/` behind nginx."""
    port = free_port()
    proxied = {"public_url": f"http://localhost:{port}/comments", "trusted_proxies": ["127.0.0.0/8"]}
    with listening_socket() as listener, ExitStack() as stack:
        upstream = listener.getsockname()[1]
        stack.enter_context(nginx_in_front(tmp_path, port=port, path="/comments", upstream=upstream))
        yield from live(Settings(**dict(settings) | UNHURRIED | proxied), listener, host_page)


# One reader in one browser is quicker than the limits allow; tests of the limits set their own
UNHURRIED: dict[str, Any] = {"submission_interval_seconds": 0, "submissions_per_hour": 1000}


def live(settings: Settings, listener: socket.socket, host_page: HostPage) -> Iterator[LiveService]:
    """Serve an app with the demo site, and show its widget on the host page."""
    app = create_app(settings)
    keep_templates(app)
    site = a_site(app, origins=(host_page.origin,), now=datetime.now(UTC))
    host_page.embed(settings.public_url, site=site.key)
    try:
        with serving(app, listener):
            yield LiveService(settings.public_url, app, site)
    finally:
        close(app)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium, silent towards the network; else Playwright's."""
    browser = find_browser(QUICKEST_FIRST)
    return browser_type_launch_args | {
        "executable_path": browser,
        "chromium_sandbox": False,
        "args": [*BROWSER_ARGUMENTS],
    }


@pytest.fixture
def console(page: Page) -> Console:
    """What the page complained about: script errors, console errors, violated policies."""
    return Console(page)


@pytest.fixture
def narrow(page: Page, scheme: str) -> Page:
    """A page on the smallest screen, in one of `in_both_schemes`."""
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    return page
