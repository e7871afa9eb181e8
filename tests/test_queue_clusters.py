"""Comments nearly the same stand as one row of the queue: decided once, undone once, seen one by one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import event, select

from comments_service.decisions.decide import decide_all
from comments_service.decisions.edit import edit
from comments_service.decisions.likes import rest_of, those_like
from comments_service.decisions.revisions import Words
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.vocabulary import Role, SiteView
from tests.doors import OWN_ORIGIN, csrf_token, sign_in
from tests.factories import ARTICLE, StoredComment, a_comment, a_moderator, a_site
from tests.queue_pages import a_pending, expect_focus, expect_told, statuses
from tests.queue_pages import sign_in as come_in
from tests.servers import LiveService
from tests.test_decisions import demote

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


def row_value(client: FlaskClient, verb: str = "spam") -> str:
    """What the button for this sends, in the only row there is."""
    found = re.findall(rf'value="({verb} \d+:\d+\+\d+\.\d+)"', client.get("/queue").text)
    assert len(found) == 1
    return str(found[0])


def press(client: FlaskClient, address: str, **fields: str) -> dict[str, object]:
    """Send a form as the scripts do."""
    data = {"csrf_token": csrf_token(client.get("/account"))} | fields
    headers = {"Origin": OWN_ORIGIN, "Accept": "application/json"}
    answer: dict[str, object] = client.post(address, data=data, headers=headers).get_json(force=True)
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


def test_what_is_approved_reaches_only_those_that_read_just_the_same(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    words: dict[str, Any] = {"status": "pending", "text": WAVE, "name": "Ana", "website": "https://a.example"}
    a_comment(app, site, **words | {"name": "Somebody else"})
    a_comment(app, site, **words | {"text": f"{WAVE}!"})
    a_comment(app, site, **words | {"website": "https://b.example"}, url=f"{ARTICLE}/3")
    a_comment(app, site, **words)
    a_comment(app, site, **words, url=f"{ARTICLE}/2")
    done = press(moderator, "/queue/decisions", decide=row_value(moderator, "approve"))
    assert standing(app) == ["pending"] * 3 + ["approved"] * 2
    assert done["notice"] == "2 comments approved. 3 of 5 stay and wait."
    assert done["rest"] == [{"of": 5, "id": 3, "count": 3}]


@pytest.mark.parametrize("verb", ["spam", "trash"])
def test_what_is_declined_reaches_all_of_the_cluster(
    app: Flask, site: SiteView, moderator: FlaskClient, verb: str
) -> None:
    for number in range(3):
        a_comment(app, site, status="pending", text=f"{WAVE}, number {number}", name=f"Seller {number}")
    press(moderator, "/queue/decisions", decide=row_value(moderator, verb))
    assert standing(app) == [verb] * 3


def test_a_mark_is_put_on_the_row_alone(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment]
) -> None:
    tick = row_value(moderator).partition(" ")[2]
    done = press(moderator, "/queue/decisions", decide="flag", tick=tick)
    assert done["notice"] == "1 comment flagged for a second look."


def test_whoever_moderates_another_site_reaches_nothing_of_a_cluster(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment]
) -> None:
    value = row_value(moderator)
    demote(app, Role.MODERATOR, a_site(app, key="other"))
    refused = press(moderator, "/queue/decisions", decide=value)
    assert refused["status"] == 404
    assert standing(app) == ["pending"] * 3


def test_who_joined_after_the_page_was_read_is_not_decided_by_it(
    app: Flask, site: SiteView, moderator: FlaskClient, wave: list[StoredComment]
) -> None:
    value = row_value(moderator)
    a_comment(app, site, status="pending", text=WAVE)
    done = press(moderator, "/queue/decisions", decide=value)
    assert standing(app) == ["spam"] * 3 + ["pending"]
    assert done["notice"] == "3 comments marked as spam. 1 of 4 stays and waits."


@pytest.mark.parametrize("what", ["edited", "edited and back", "flagged", "decided and back"])
def test_who_was_changed_after_the_page_was_read_is_not_decided_by_it(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment], now: datetime, what: str
) -> None:
    value = row_value(moderator)
    with app.app_context():
        if "edited" in what:
            batch = edit(wave[0].id, 1, Words("Ana", None, "Other words."), by=None, now=now).batch
        else:
            verb = Verb.FLAG if what == "flagged" else Verb.TRASH
            batch = decide_all([Change(wave[0].id, 1, verb)], by=None, now=now).batch
        if "back" in what:
            undo(by=None, now=now, batch=batch)
    press(moderator, "/queue/decisions", decide=value)
    assert standing(app) == ["pending", "spam", "spam"]


def test_a_row_that_is_not_as_it_was_shown_decides_about_nothing(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment], now: datetime
) -> None:
    value = row_value(moderator)
    with app.app_context():
        edit(wave[2].id, 1, Words("Ana", None, "Other words."), by=None, now=now)
    answer = press(moderator, "/queue/decisions", decide=value)
    assert answer["done"] == []
    assert standing(app) == ["pending"] * 3


def test_a_repeated_click_names_the_batch_by_which_the_whole_cluster_comes_back(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment]
) -> None:
    value = row_value(moderator)
    first, again = (press(moderator, "/queue/decisions", decide=value) for _ in range(2))
    assert again["batch"] == first["batch"]
    undone = press(moderator, "/queue/undo", batch=str(again["batch"]))
    assert undone["notice"] == "3 actions taken back: all is as it was before."
    assert standing(app) == ["pending"] * 3


def test_of_a_cluster_that_is_too_large_the_notice_tells_what_remains(
    app: Flask, site: SiteView, moderator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comments_service.web.decisions.MAX_TICKS", 2)
    for _ in range(5):
        a_comment(app, site, status="pending", text=WAVE)
    data = {"csrf_token": csrf_token(moderator.get("/account")), "decide": row_value(moderator)}
    moderator.post("/queue/decisions", data=data, headers={"Origin": OWN_ORIGIN, "Accept": "text/html"})
    assert sorted(standing(app)) == ["pending"] * 2 + ["spam"] * 3
    assert "3 comments marked as spam. 2 of 5 stay and wait." in moderator.get("/queue").text


def test_without_clusters_nothing_is_asked_for(app: Flask) -> None:
    by = a_moderator(app)
    with app.app_context():
        queries: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *given: queries.append(given[2]))
        assert those_like({}, besides=[], by=by, limit=500) == []
        assert rest_of([], by=by) == []
    assert queries == []


NO_TICKS = ["spam 1:1+", "spam 1:1+1", "spam 1:1+1.", "spam 1:1+1.1.1", "spam 1:1+-1.1", "spam 1:1+x.1"]


@pytest.mark.parametrize("value", NO_TICKS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_no_row_of_a_cluster_sends_is_refused(
    app: Flask, moderator: FlaskClient, wave: list[StoredComment], value: str
) -> None:
    assert press(moderator, "/queue/decisions", decide=value)["status"] == 400
    assert standing(app) == ["pending"] * 3


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_remains_of_a_cluster_stays_in_its_place_and_the_undo_makes_it_one_row_again(
    page: Page, live_service: LiveService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comments_service.web.decisions.MAX_TICKS", 2)
    for age in range(5):
        a_pending(live_service, minutes_ago=age, name=f"Seller {age}", text=WAVE)
    a_pending(live_service, minutes_ago=9, name="Ana")
    come_in(page, live_service)
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator("[data-announcer]")).to_have_text("3 comments marked as spam. 2 of 5 stay and wait.")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.locator(".row:visible").first.get_by_text("and 1 like it")).to_be_visible()
    expect_focus(page, "Ana")
    page.keyboard.press("z")
    expect(page.locator(".row:visible").first.get_by_text("and 4 like it")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(2)


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
