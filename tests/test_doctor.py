"""`comments doctor`: what would keep an installation from working, each in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from comments_service.cli import main
from comments_service.notify import outbox
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.database import transaction
from comments_service.storage.outbox import Outbox, State, WorkerSign
from comments_service.vocabulary import SiteView, Status
from tests.conftest import SECRET_KEY
from tests.factories import a_comment, a_moderator, an_address
from tests.mailboxes import SENDER, mailbox, mailed
from tests.servers import free_port

Run = Callable[..., Result]
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of an installation that sends letters."""
    return mailed(settings, "smtp://127.0.0.1:9")


@pytest.fixture
def run(database: str) -> Run:
    """Run the doctor on this test's database."""

    def run_it(*arguments: str, **environment: str) -> Result:
        variables = {"COMMENTS_DATABASE_URL": database, "COMMENTS_SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(main, ["doctor", *arguments], env=variables | environment)

    return run_it


def found(result: Result) -> dict[str, dict[str, Any]]:
    """What `--json` tells, by name."""
    return {finding["name"]: finding for finding in json.loads(result.stdout)}


def test_a_healthy_installation_ends_with_0(app: Flask, run: Run) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    names = [line.split()[1].strip(":") for line in result.stdout.splitlines()]
    assert names == ["settings", "database", "disk", "keys", "letters", "worker"]


@SQLITE
def test_wrong_settings_are_named(run: Run) -> None:
    result = run(COMMENTS_SMTP_URL="nowhere")
    assert result.exit_code == 1
    assert "COMMENTS_SMTP_URL: starts with neither" in result.stdout


@SQLITE
def test_a_database_that_is_not_there_is_named_and_not_made(run: Run, tmp_path: Path) -> None:
    result = run("--json", COMMENTS_DATABASE_URL=f"sqlite:///{tmp_path / 'gone.sqlite3'}")
    assert result.exit_code == 1
    assert "comments migrate" in found(result)["database"]["sentence"]
    assert not (tmp_path / "gone.sqlite3").exists()


def test_a_key_that_does_not_fit_is_told(app: Flask, run: Run) -> None:
    result = run("--json", COMMENTS_SECRET_KEY=Keyring.generate())
    assert (result.exit_code, found(result)["keys"]["is_well"]) == (1, False)


def test_letters_that_are_late_or_dead_are_told(app: Flask, site: SiteView, run: Run) -> None:
    an_address(app, a_moderator(app))
    now = datetime.now(UTC)
    a_comment(app, site, status=Status.PENDING, now=now - timedelta(minutes=30))
    late = found(run("--json"))["letters"]
    assert (late["is_well"], "30 minutes ago" in late["sentence"]) == (False, True)
    with app.app_context(), transaction() as session:
        session.query(Outbox).update({"state": State.DEAD, "settled_at": now})
    dead = found(run("--json"))["letters"]
    assert (dead["is_well"], dead["sentence"][:26]) == (False, "0 waiting, 1 given up with")


def test_a_silent_worker_is_told_where_there_is_a_mail_server(app: Flask, run: Run) -> None:
    mail = {"COMMENTS_SMTP_URL": "smtp://127.0.0.1:9", "COMMENTS_MAIL_FROM": SENDER}
    assert "Run `comments worker`" in found(run("--json", **mail))["worker"]["sentence"]
    with app.app_context(), transaction() as session:
        session.add(WorkerSign(name="letters", seen_at=datetime.now(UTC)))
    assert found(run("--json", **mail))["worker"]["is_well"]
    with app.app_context(), transaction() as session:
        session.get_one(WorkerSign, "letters").seen_at -= timedelta(minutes=5)
    assert not found(run("--json", **mail))["worker"]["is_well"]


@SQLITE
def test_the_mail_server_is_asked_on_request(app: Flask, run: Run) -> None:
    with mailbox() as box:
        mail = {"COMMENTS_SMTP_URL": box.url, "COMMENTS_MAIL_FROM": SENDER}
        assert found(run("--json", "--smtp", **mail))["smtp"]["is_well"]
        assert box.messages == []
    mail["COMMENTS_SMTP_URL"] = f"smtp://127.0.0.1:{free_port()}"
    assert "nobody listens" in found(run("--json", "--smtp", **mail))["smtp"]["sentence"]


@SQLITE
def test_a_worker_without_a_mail_server_is_refused(app: Flask, database: str) -> None:
    environment = {"COMMENTS_DATABASE_URL": database, "COMMENTS_SECRET_KEY": SECRET_KEY}
    result = CliRunner().invoke(main, ["worker"], env=environment)
    assert (result.exit_code, "COMMENTS_SMTP_URL" in result.stderr) == (1, True)
    assert outbox.MAX_TRIES > 1
