"""Comments nearly the same stand as one row of the queue: decided once, undone once, seen one by one."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.vocabulary import SiteView
from tests.doors import OWN_ORIGIN, csrf_token, sign_in
from tests.factories import StoredComment, a_comment
from tests.queue_pages import a_pending, expect_focus, expect_told, statuses
from tests.queue_pages import sign_in as come_in
from tests.servers import LiveService

WAVE = (
    "The best prices for watches of every kind are found at our shop in the harbour, come and see them today"
)


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


@pytest.fixture
def wave(app: Flask, site: SiteView) -> list[StoredComment]:
    """Three who say the same."""
    return [a_comment(app, site, status="pending", text=WAVE) for _ in range(3)]


def row_value(client: FlaskClient) -> str:
    """What the button for spam sends, in the only row there is."""
    found = re.findall(r'value="(spam \d+:\d+\+?)"', client.get("/queue").text)
    assert len(found) == 1
    return str(found[0])


def press(client: FlaskClient, address: str, **fields: str) -> dict[str, object]:
    """Send a form as the scripts do."""
    data = {"csrf_token": csrf_token(client.get("/account"))} | fields
    headers = {"Origin": OWN_ORIGIN, "Accept": "application/json"}
    answer: dict[str, object] = client.post(address, data=data, headers=headers).get_json()
    return answer


def standing(app: Flask) -> list[str]:
    """Where all comments stand."""
    with app.app_context():
        found = list(db.session.scalars(select(Comment.status).order_by(Comment.id)))
        db.session.rollback()
        return found


def test_a_cluster_is_one_row_that_is_decided_and_undone_at_once(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment]
) -> None:
    assert "and 2 like it" in moderator.get("/queue").text
    done = press(moderator, "/queue/decisions", decide=row_value(moderator))
    assert standing(app) == ["spam"] * 3
    assert done["notice"] == "3 comments marked as spam."
    press(moderator, "/queue/undo", batch=str(done["batch"]))
    assert standing(app) == ["pending"] * 3


def test_what_was_decided_before_stays_as_it_is(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment]
) -> None:
    value = row_value(moderator)
    press(moderator, "/queue/decisions", decide=f"approve {wave[0].id}:1")
    press(moderator, "/queue/decisions", decide=value)
    assert standing(app) == ["approved", "spam", "spam"]


def test_its_comments_are_seen_and_decided_one_by_one(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment]
) -> None:
    found = re.search(r'href="/queue\?([^"]*cluster=\d+[^"]*)"', moderator.get("/queue").text)
    assert found
    page = moderator.get(f"/queue?{found[1].replace('&amp;', '&')}").text
    assert len(re.findall(r'value="spam \d+:1"', page)) == 3


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_key_decides_about_a_cluster_and_one_takes_it_back(page: Page, live_service: LiveService) -> None:
    wave = [a_pending(live_service, name=f"Seller {n}", text=WAVE) for n in range(3)]
    a_pending(live_service, minutes_ago=9, name="Ana")
    come_in(page, live_service)
    expect(page.get_by_role("article")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect_focus(page, "Ana")
    expect_told(page, "3 comments marked as spam.")
    assert statuses(live_service, *wave) == ["spam"] * 3
    page.keyboard.press("z")
    expect(page.get_by_role("article")).to_have_count(2)
    assert statuses(live_service, *wave) == ["pending"] * 3
