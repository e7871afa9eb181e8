"""A surge begins when an article gets far more comments than it usually does, and ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from comments_service.decisions.decide import decide_all
from comments_service.decisions.verbs import Change, Verb
from comments_service.queue.rows import EXPLAINED
from comments_service.rules.surge import FLOOR, WINDOW
from comments_service.sending import Sending
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment, Thread
from comments_service.storage.rules import Surge
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from tests.conftest import NOW, Clock
from tests.doors import sign_in
from tests.factories import a_comment, a_site, a_submission, wiring_of

MINUTE = timedelta(minutes=1)
PASSING = {"hold_all": False, "hold_newcomers": False, "hold_surge": True}


def came(app: Flask, site: SiteView, moments: list[datetime], reason: str = "newcomer") -> int:
    """Store comments of these times below the usual article, which is a month old; return its id."""
    thread_id = a_comment(app, site, now=NOW - timedelta(days=30)).thread_id
    with app.app_context(), transaction() as session:
        values = {"site_id": site.id, "thread_id": thread_id, "name": "", "text": "", "page_url": ""}
        for at in moments:
            stored = {
                "status": "pending",
                "verdict_reason": reason,
                "created_at": at,
                "status_changed_at": at,
            }
            session.add(Comment(**values, **stored))
    return thread_id


def send(app: Flask, site: SiteView, *, now: datetime = NOW) -> tuple[str, list[str]]:
    """What becomes of a comment that comes now, and why."""
    parts = wiring_of(app)
    with app.app_context():
        receipt = submit(a_submission(site), settings=parts.settings, keys=parts.keys, now=now)
        row = db.session.get_one(Comment, receipt.comment_id)
        found = row.status, [reason["code"] for reason in row.verdict["reasons"]]
        db.session.rollback()
        return found


def surges(app: Flask) -> list[tuple[datetime, datetime]]:
    """When surges began and when they end."""
    with app.app_context():
        return [(row.began_at, row.ends_at) for row in db.session.scalars(select(Surge).order_by(Surge.id))]


def lately(count: int) -> list[datetime]:
    """As many moments within the last five minutes."""
    return [NOW - 5 * MINUTE + timedelta(seconds=number) for number in range(count)]


def test_the_comment_that_reaches_the_floor_begins_a_surge(app: Flask) -> None:
    site = a_site(app, rules=PASSING)
    came(app, site, lately(FLOOR - 2))
    assert send(app, site) == ("approved", ["no-rule"])
    assert send(app, site) == ("pending", ["surge"])
    assert surges(app) == [(NOW, NOW + WINDOW)]


def test_what_is_usual_for_an_article_is_no_surge(app: Flask) -> None:
    site = a_site(app, rules=PASSING)
    # Five in each ten minutes of the hour and a half before: six times as many would be 30
    thread_id = came(app, site, [NOW - timedelta(minutes=11 + n) for n in range(45)] + lately(FLOOR))
    with app.app_context(), transaction() as session:
        session.get_one(Thread, thread_id).created_at = NOW - timedelta(minutes=100)
    assert send(app, site) == ("approved", ["no-rule"])
    assert surges(app) == []


def test_while_a_surge_lasts_every_comment_moves_its_end_only_if_it_comes_too_quickly(app: Flask) -> None:
    site = a_site(app, rules=PASSING)
    came(app, site, lately(FLOOR))
    send(app, site)
    assert send(app, site, now=NOW + 4 * MINUTE)[1] == ["surge"]
    assert surges(app) == [(NOW, NOW + 4 * MINUTE + WINDOW)]
    assert send(app, site, now=NOW + 9 * MINUTE)[1] == ["surge"]  # 4 in ten minutes: quiet again
    assert surges(app) == [(NOW, NOW + 4 * MINUTE + WINDOW)]


@pytest.mark.parametrize("reason", [code for code, places in EXPLAINED.items() if Status.SPAM in places])
def test_what_the_service_took_for_spam_by_itself_is_no_surge(app: Flask, reason: str) -> None:
    site = a_site(app, rules=PASSING)
    came(app, site, lately(FLOOR * 2), reason)
    assert send(app, site) == ("approved", ["no-rule"])
    assert surges(app) == []


def test_honest_readers_do_not_wait_for_bots_that_were_caught_and_confirmed(app: Flask) -> None:
    site = a_site(app, rules=PASSING | {"refuse_doubt_from": 95})
    came(app, site, [])
    for number in range(FLOOR):
        trapped = {"sending": Sending(is_trapped=True), "network": f"203.0.{number}.7"}
        a_comment(app, site, status="spam", now=NOW, text=f"Cheap watches, model {number}", **trapped)
    with app.app_context():
        caught = select(Comment.id, Comment.version).where(Comment.is_quietly_declined.is_(True))
        changes = [Change(row.id, row.version, Verb.SPAM) for row in db.session.execute(caught)]
        assert len(decide_all(changes, by=None, now=NOW).done) == FLOOR
    assert send(app, site) == ("approved", ["no-rule"])


def test_a_surge_takes_itself_back(app: Flask) -> None:
    site = a_site(app, rules=PASSING)
    came(app, site, lately(FLOOR))
    send(app, site)
    assert send(app, site, now=NOW + WINDOW) == ("approved", ["no-rule"])
    assert len(surges(app)) == 1


def test_a_surge_is_noticed_even_where_it_holds_nothing(app: Flask) -> None:
    site = a_site(app, rules=PASSING | {"hold_surge": False})
    came(app, site, lately(FLOOR))
    assert send(app, site) == ("approved", ["no-rule"])
    assert len(surges(app)) == 1


def test_a_new_article_has_the_floor_alone(app: Flask) -> None:
    site = a_site(app, rules=PASSING)
    thread_id = came(app, site, lately(FLOOR - 1))
    with app.app_context(), transaction() as session:
        session.get_one(Thread, thread_id).created_at = NOW - 6 * MINUTE
    assert send(app, site)[1] == ["surge"]


def test_one_article_s_surge_is_not_its_neighbour_s(app: Flask) -> None:
    site = a_site(app, rules=PASSING)
    came(app, site, lately(FLOOR))
    send(app, site)
    elsewhere = a_comment(app, site, url="https://news.example.org/elsewhere", status="approved", now=NOW)
    with app.app_context():
        reasons = db.session.get_one(Comment, elsewhere.id).verdict["reasons"]
    assert [reason["code"] for reason in reasons] == ["no-rule"]


def test_the_queue_tells_of_a_surge_while_it_lasts_and_of_no_other_site_s(app: Flask, clock: Clock) -> None:
    site, other = a_site(app, rules=PASSING), a_site(app, key="other")
    came(app, site, lately(FLOOR))
    send(app, site)
    moderator, stranger = sign_in(app, sites=[site]), sign_in(app, name="stranger", sites=[other])
    told = "Far more comments than usual, now:"
    assert told in moderator.get("/queue").text
    assert "They wait until it is over" in moderator.get("/queue").text
    assert told not in stranger.get("/queue").text
    clock.forward(seconds=(WINDOW + MINUTE).total_seconds())
    assert told not in moderator.get("/queue").text
