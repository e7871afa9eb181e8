"""What one network may do at the public doors is what the documentation says, however its headers lie."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Callable
from itertools import cycle
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
from tests.conftest import Clock
from tests.doors import a_ticket, send
from tests.factories import ORIGIN, a_body, a_comment, a_site, wiring_of

DOCS = Path(__file__).resolve().parent.parent / "docs" / "spam.md"
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# Each setting, and how its limit stands in the documentation
LIMITS = {
    "submission_interval_seconds": "one in {} s",
    "submissions_per_hour": "{} in an hour",
    "site_submissions_per_minute": "{} in a minute",
    "previews_per_minute": "{} in a minute",
    "votes_per_minute": "{} in a minute",
    "reports_per_hour": "{} in an hour",
    "edits_per_hour": "{} in an hour",
    "withdrawals_per_hour": "{} in an hour",
}
# Each door with a limit of its own for one network
DOORS = {
    "submission": "submissions_per_hour",
    "preview": "previews_per_minute",
    "vote": "votes_per_minute",
    "report": "reports_per_hour",
    "edit": "edits_per_hour",
    "withdrawal": "withdrawals_per_hour",
}
PROXY = "10.0.0.1"


class Network:
    """Somebody who knocks from one network at each process in turn, and says each time that it is another."""

    def __init__(self, *apps: Flask, comment_id: int = 0, proxy: str | None = None) -> None:
        self.app, self.comment_id, self.proxy = apps[0], comment_id, proxy
        self.clients = cycle([app.test_client() for app in apps])
        self.client: FlaskClient = next(self.clients)
        third, fourth = secrets.randbelow(256), secrets.randbelow(256)
        self.peer = f"100.{64 + secrets.randbelow(64)}.{third}.{fourth}"  # Valkey outlives the test

    def knock(self, door: str) -> int:
        """Once: the status."""
        self.client = next(self.clients)
        spoofed = ".".join(str(secrets.randbelow(256)) for _ in range(4))
        headers = {
            "Origin": ORIGIN,
            # A proxy adds who asked it on the right, and leaves what it was told
            "X-Forwarded-For": f"{spoofed}, {self.peer}" if self.proxy else spoofed,
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
            environ_overrides={"REMOTE_ADDR": self.proxy or self.peer},
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


@pytest.fixture(params=["one process", "two processes with Valkey", "behind a proxy"])
def network(
    request: pytest.FixtureRequest, settings: Settings, make_app: Callable[[Settings], Flask]
) -> Network:
    """Somebody at the doors of a service that counts in its memory, or together with another in Valkey."""
    changed: dict[str, Any] = {"submission_interval_seconds": 0}
    has_two, is_behind = request.param.startswith("two"), request.param.startswith("behind")
    if has_two:
        changed["redis_url"] = request.getfixturevalue("valkey_url")
    if is_behind:
        changed["trusted_proxies"] = (ipaddress.ip_network(f"{PROXY}/32"),)
    apps = [make_app(settings.model_copy(update=changed)) for _ in range(2 if has_two else 1)]
    site = a_site(apps[0], options={"votes": Voting.UP.value})
    comment_id = a_comment(apps[0], site).id
    return Network(*apps, comment_id=comment_id, proxy=PROXY if is_behind else None)


@on_sqlite
def test_each_door_has_its_own_limit_and_it_is_the_documented_one(network: Network) -> None:
    limits = {door: getattr(Settings(), setting) for door, setting in DOORS.items()}
    passed = {}
    for door, limit in limits.items():
        statuses = [network.knock(door) for _ in range(limit + limit // 5 + 1)]
        assert set(statuses) - {429} <= {200, 202, 204, 403, 404, 409}, door
        passed[door] = sum(status != 429 for status in statuses)
        assert statuses[passed[door] :] == [429] * (len(statuses) - passed[door]), door
    assert passed == limits  # well within the tenth that is promised


@on_sqlite
def test_a_network_sends_one_comment_in_ten_seconds(app: Flask, clock: Clock) -> None:
    a_site(app)
    network, statuses = Network(app), []
    for seconds in (0, 5, 4, 1, 9, 1):
        clock.forward(seconds=seconds)
        statuses.append(network.knock("submission"))
    assert statuses == [202, 429, 429, 202, 429, 202]


@on_sqlite
def test_a_site_gets_three_hundred_comments_in_a_minute(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    a_site(app)

    def one() -> int:
        return send(client, a_body(a_ticket(client))).status_code  # each from a network of its own

    statuses = [one() for _ in range(301)]
    clock.forward(seconds=59)
    statuses.append(one())
    clock.forward(seconds=1)
    assert [*statuses, one()] == [202] * 300 + [429, 429, 202]


def test_the_documentation_names_every_limit() -> None:
    section = DOCS.read_text(encoding="utf-8").split("\n## Limits\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| `COMMENTS_(\w+)` \|", section, re.MULTILINE)
    defaults = Settings()
    assert {setting.lower(): words for words, setting in rows} == {
        setting: words.format(getattr(defaults, setting)) for setting, words in LIMITS.items()
    }
    assert set(DOORS.values()) <= LIMITS.keys()


@on_sqlite
def test_nothing_that_a_stranger_sends_is_followed_by_a_letter_to_the_address_in_it(
    network: Network,
) -> None:
    for door in DOORS:
        network.knock(door)
    with network.app.app_context():
        assert db.session.query(Outbox).filter(Outbox.moderator_id.is_(None)).count() == 0
        assert db.session.query(Outbox).count() == 0  # no moderator has asked for letters
