"""The dashboard: its figures are true, and everybody can read them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.dashboard import Dashboard, Day, dashboard
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.rules.surge import FLOOR
from comments_service.storage.database import transaction
from comments_service.storage.rules import Surge
from comments_service.vocabulary import Access, Role, SiteView, Status
from tests.conftest import Clock
from tests.doors import sign_in, sign_in_as
from tests.factories import a_comment, a_moderator, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
EVERYTHING = Access(everywhere=Role.OWNER)


def figures(app: Flask, now: datetime, *, access: Access = EVERYTHING, site: str | None = None) -> Dashboard:
    """The dashboard's figures."""
    with app.app_context():
        return dashboard(site, access=access, now=now)


def test_what_waits_is_counted_with_the_age_of_the_oldest(app: Flask, site: SiteView, now: datetime) -> None:
    oldest = now - timedelta(days=3)
    for moment in (now, oldest, now):
        a_comment(app, site, status="pending", now=moment)
    a_comment(app, site, status="approved", now=now - timedelta(days=9))
    found = figures(app, now)
    assert (found.waiting, found.oldest_at) == (3, oldest)


def test_each_day_tells_what_came_and_what_became_of_it(app: Flask, site: SiteView, now: datetime) -> None:
    for status in ("approved", "approved", "spam", "pending", "trash"):
        a_comment(app, site, status=status, now=now - timedelta(days=2))
    a_comment(app, site, status="approved", now=now - timedelta(days=30))
    days = figures(app, now).days
    assert (len(days), days[-1].day) == (30, now.date())
    assert days[-3] == Day(now.date() - timedelta(days=2), 5, 2, 1)
    assert sum(day.submitted for day in days) == 5


def test_the_time_to_a_decision_is_the_median_of_people_s(app: Flask, site: SiteView, now: datetime) -> None:
    ana = a_moderator(app)
    for hours in (1, 2, 40):
        comment = a_comment(app, site, status="pending", now=now - timedelta(hours=hours))
        with app.app_context():
            decide(Change(comment.id, comment.version, Status.APPROVED), by=ana, now=now)
    a_comment(app, site, status="spam", now=now - timedelta(days=5))  # the operator's, at once
    decisions = figures(app, now).decisions
    assert decisions.median == timedelta(hours=2)
    assert decisions.automatic == 0
    assert [(line.name, line.count) for line in decisions.people or ()] == [("mo", 3)]


def test_only_owners_learn_who_decided_how_much(app: Flask, site: SiteView, now: datetime) -> None:
    access = Access(by_site={site.id: Role.MODERATOR})
    assert figures(app, now, access=access).decisions.people is None


def test_articles_are_ranked_by_their_newest_comments(app: Flask, site: SiteView, now: datetime) -> None:
    for number in (1, 2, 2, 2, 3, 3):
        a_comment(app, site, url=f"https://news.example.org/{number}", now=now)
    assert [(line.url[-1], line.count) for line in figures(app, now).articles] == [
        ("2", 3),
        ("3", 2),
        ("1", 1),
    ]


def test_surges_of_the_week_are_told(app: Flask, site: SiteView, now: datetime) -> None:
    thread_id = a_comment(app, site, now=now).thread_id
    with app.app_context(), transaction() as session:
        for days in (0, 6, 8):
            ends_at = now + timedelta(minutes=5) - timedelta(days=days)
            began_at = ends_at - timedelta(minutes=30)
            session.add(Surge(thread_id=thread_id, began_at=began_at, ends_at=ends_at))
    assert len(figures(app, now).surges) == 2
    page = sign_in(app).get("/dashboard").text
    assert "Far more comments than usual, now:" in page


def page_of(client: FlaskClient, **query: str) -> str:
    """The page as people read it."""
    response = client.get("/dashboard", query_string=query)
    assert response.status_code == 200, response.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text.partition("<main")[2])).split())


def test_the_page_tells_what_waits_how_long_and_how_quickly_it_is_decided(
    app: Flask, site: SiteView, now: datetime
) -> None:
    client, ana = sign_in(app), a_moderator(app, name="ana")
    for hours in (1, 2, 40):
        comment = a_comment(app, site, status="pending", now=now - timedelta(hours=hours))
        with app.app_context():
            decide(Change(comment.id, comment.version, Status.APPROVED), by=ana, now=now)
    for days in (0, 3):
        a_comment(app, site, status="pending", now=now - timedelta(days=days))
    text = page_of(client)
    assert "Waiting 2 the oldest came 3 days ago" in text
    assert "Time to a decision 2 hours half of the comments waited less" in text
    assert "Decided by the rules 0% of new comments" in text
    assert "Who decided lately ana 3" in text


def test_the_page_tells_of_each_day_what_came_and_what_became_of_it(
    app: Flask, site: SiteView, now: datetime
) -> None:
    for status in ("approved", "approved", "spam", "pending", "trash"):
        a_comment(app, site, status=status, now=now - timedelta(days=2))
    a_comment(app, site, status="spam", now=now)
    text = page_of(sign_in(app))
    table = text.partition("Day (UTC) Submitted Approved Spam")[2]
    assert table.startswith(" Nov 23, 2026 1 0 1 Nov 22, 2026 0 0 0 Nov 21, 2026 5 2 1 Nov 20, 2026 0 0 0")
    chart = sign_in_as(app, "mo").get("/dashboard").text
    assert "at most 5 a day" in chart
    assert chart.count('<rect class="chart__submitted"') == 30 + 1  # and the key


def test_the_page_ranks_articles_and_links_them(app: Flask, site: SiteView, now: datetime) -> None:
    for number, title in ((1, "Ferry"), (2, "Bridge"), (2, "Bridge")):
        a_comment(app, site, url=f"https://news.example.org/{number}", title=title, now=now)
    client = sign_in(app)
    assert "Most commented lately Bridge 2 Ferry 1" in page_of(client)
    assert 'href="https://news.example.org/2"' in client.get("/dashboard").text


def test_the_page_tells_of_a_surge_while_it_lasts_and_for_a_week(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    client = sign_in(app)
    assert "Far more comments than usual" not in page_of(client)
    for _ in range(FLOOR):
        a_comment(app, site, title="Ferry", now=clock.now)
    assert "Far more comments than usual, now: Ferry" in page_of(client)
    clock.forward(minutes=11)
    assert "Far more comments than usual: Ferry" in page_of(client)
    clock.forward(days=7)
    assert "Far more comments than usual" not in page_of(sign_in_as(app, "mo"))


def test_sites_are_told_apart_and_kept_apart(app: Flask, site: SiteView, now: datetime) -> None:
    second = a_site(app, key="second", name="Elsewhere")
    a_comment(app, site, status="pending", now=now)
    a_comment(app, second, status="pending", now=now, url="https://news.example.org/second")
    assert (figures(app, now).waiting, figures(app, now, site="second").waiting) == (2, 1)
    client = sign_in(app, role=Role.VIEWER, sites=[site])
    mine = client.get("/dashboard")
    assert mine.status_code == 200
    assert "Elsewhere" not in mine.text
    assert "/second" not in mine.text
    assert client.get("/dashboard?site=second").status_code == 404


def test_an_empty_room_says_so(app: Flask, site: SiteView) -> None:
    assert "Nothing to count yet" in sign_in(app).get("/dashboard").text


def test_somebody_without_any_site_sees_an_empty_room(app: Flask, now: datetime) -> None:
    assert figures(app, now, access=Access()).is_empty


def test_the_page_wants_a_sign_in(client: FlaskClient) -> None:
    assert client.get("/dashboard").location.startswith("/login?next=")
