"""What one network may do at the public doors is what the documentation says, however its headers lie."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service import tokens
from comments_service.options import Voting
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.outbox import Outbox
from tests.doors import a_ticket
from tests.factories import ORIGIN, a_body, a_comment, a_site, wiring_of

DOCS = Path(__file__).resolve().parent.parent / "docs" / "spam.md"
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# Each door: its setting, and how its limit stands in the documentation
DOORS = {
    "submission": ("submissions_per_hour", "20 in an hour"),
    "preview": ("previews_per_minute", "120 in a minute"),
    "vote": ("votes_per_minute", "60 in a minute"),
    "report": ("reports_per_hour", "20 in an hour"),
    "edit": ("edits_per_hour", "60 in an hour"),
    "withdrawal": ("withdrawals_per_hour", "60 in an hour"),
}


class Network:
    """Somebody who knocks from one network, and says each time that it is another one."""

    def __init__(self, app: Flask, comment_id: int) -> None:
        self.app, self.comment_id = app, comment_id
        self.client: FlaskClient = app.test_client()
        third, fourth = secrets.randbelow(256), secrets.randbelow(256)
        self.peer = f"100.{64 + secrets.randbelow(64)}.{third}.{fourth}"  # Valkey outlives the test

    def knock(self, door: str) -> int:
        """Once: the status."""
        spoofed = ".".join(str(secrets.randbelow(256)) for _ in range(4))
        headers = {
            "Origin": ORIGIN,
            "X-Forwarded-For": spoofed,
            "X-Real-IP": spoofed,
            "Forwarded": f"for={spoofed}",
            "CF-Connecting-IP": spoofed,
            "Authorization": f"Bearer {self._receipt()}",
        }
        method, path, body = getattr(self, f"_{door}")()
        answer = self.client.open(
            f"/api/v1{path}",
            method=method,
            json=body,
            headers=headers,
            environ_overrides={"REMOTE_ADDR": self.peer},
        )
        return answer.status_code

    def _receipt(self) -> str:
        return tokens.receipt(wiring_of(self.app).keys, site="demo", comment_id=self.comment_id)

    def _submission(self) -> tuple[str, str, Any]:
        return "POST", "/sites/demo/comments", dict(a_body(a_ticket(self.client)))

    def _preview(self) -> tuple[str, str, Any]:
        return "POST", "/sites/demo/preview", {"text": "Hello."}

    def _vote(self) -> tuple[str, str, Any]:
        return "PUT", f"/comments/{self.comment_id}/vote", {"vote": "up"}

    def _report(self) -> tuple[str, str, Any]:
        return "POST", f"/comments/{self.comment_id}/reports", {"reason": "spam"}

    def _edit(self) -> tuple[str, str, Any]:
        return "PATCH", f"/comments/{self.comment_id}", {"text": "As it was."}

    def _withdrawal(self) -> tuple[str, str, Any]:
        return "DELETE", f"/comments/{self.comment_id}", None


@pytest.fixture(params=["memory", "valkey"])
def network(
    request: pytest.FixtureRequest, settings: Settings, make_app: Callable[[Settings], Flask]
) -> Network:
    """Somebody at the doors of a service that counts in its memory, or in Valkey too."""
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else None
    app = make_app(settings.model_copy(update={"redis_url": url, "submission_interval_seconds": 0}))
    site = a_site(app, options={"votes": Voting.UP.value})
    return Network(app, a_comment(app, site).id)


@on_sqlite
def test_each_door_has_its_own_limit_and_it_is_the_documented_one(network: Network) -> None:
    limits = {door: getattr(Settings(), setting) for door, (setting, _) in DOORS.items()}
    passed = {}
    for door, limit in limits.items():
        statuses = [network.knock(door) for _ in range(limit + limit // 5 + 1)]
        assert set(statuses) - {429} <= {200, 202, 204, 403, 404, 409}, door
        passed[door] = sum(status != 429 for status in statuses)
        assert statuses[passed[door] :] == [429] * (len(statuses) - passed[door]), door
    assert passed == limits  # well within the tenth that is promised


def test_the_documentation_names_every_limit() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for setting, words in DOORS.values():
        line = next((line for line in text.splitlines() if f"COMMENTS_{setting.upper()}" in line), "")
        assert words in line, setting


@on_sqlite
def test_nothing_that_a_stranger_sends_is_followed_by_a_letter_to_the_address_in_it(
    network: Network,
) -> None:
    for door in DOORS:
        network.knock(door)
    with network.app.app_context():
        assert db.session.query(Outbox).filter(Outbox.moderator_id.is_(None)).count() == 0
        assert db.session.query(Outbox).count() == 0  # no moderator has asked for letters
