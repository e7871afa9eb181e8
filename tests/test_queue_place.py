"""Parts of the queue by address: what narrows it, in which order, and rows that continue a list."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from comments_service.decisions.articles import open_or_close
from comments_service.rules.change import Place, change_rules
from comments_service.vocabulary import SiteView
from tests.conftest import Clock
from tests.doors import change_site, dangers, send_own, sign_in, sign_in_as
from tests.factories import a_comment

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


def rows(client: FlaskClient, **query: object) -> TestResponse:
    """Rows alone."""
    return client.get("/queue/rows", query_string=query, headers={"Accept": "text/html"})


def ids(response: TestResponse) -> list[int]:
    """The comments, from the top."""
    assert response.status_code == 200, response.text
    return [int(number) for number in re.findall(r'id="comment-(\d+)"', response.text)]


def cursors(response: TestResponse) -> list[str]:
    """Where the list goes on after each row."""
    return re.findall(r'data-cursor="([^"]+)"', response.text)


def test_rows_continue_a_list_where_a_row_ends(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    known = [a_comment(app, site, status="pending", now=now - timedelta(hours=n)).id for n in range(5)]
    first = rows(moderator, count=2)
    assert ids(first) == known[:2]
    assert ids(rows(moderator, count=200, cursor=cursors(first)[-1])) == known[2:]
    assert "<html" not in first.text


def test_single_rows_are_shown_as_they_are_now_wherever_they_stand(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comments = [a_comment(app, site, status=status) for status in ("pending", "approved", "spam")]
    found = rows(moderator, id=[comment.id for comment in comments])
    assert sorted(ids(found)) == [comment.id for comment in comments]
    assert 'data-status="spam"' in found.text


def test_a_row_that_is_gone_is_not_found(moderator: FlaskClient) -> None:
    assert rows(moderator, id=99).status_code == 404


@pytest.mark.parametrize("path", ["/queue", "/queue/rows"])
@pytest.mark.parametrize(
    "query",
    [
        {"article": "x"},
        {"author": "-1"},
        {"network": "1e3"},
        {"cluster": "99999999999"},
        {"sort": "random"},
        {"cursor": "nobody gave this out"},
    ],
)
@on_sqlite
def test_a_part_that_cannot_be_is_refused(moderator: FlaskClient, path: str, query: dict[str, str]) -> None:
    response = moderator.get(path, query_string=query, headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert "<h1" in response.text


@pytest.mark.parametrize(
    "query", [{"count": "0"}, {"count": "201"}, {"count": "x"}, {"id": "x"}, {"id": [1] * 201}]
)
@on_sqlite
def test_more_rows_than_a_page_may_have_are_refused(moderator: FlaskClient, query: dict[str, object]) -> None:
    assert rows(moderator, **query).status_code == 400


def test_each_chip_takes_its_own_filter_away(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comment = a_comment(app, site, status="pending", name="Ana", email="ana@example.org")
    other = a_comment(app, site, status="pending", name="Ben")
    query = {"author": comment.id, "article": comment.thread_id, "q": "<i>\"'"}
    narrowed = moderator.get("/queue", query_string=query)
    assert narrowed.text.count("Remove the filter") == 3
    assert not dangers(narrowed.text)
    assert ids(moderator.get("/queue", query_string={"author": comment.id})) == [comment.id]
    assert set(ids(moderator.get("/queue"))) == {comment.id, other.id}


def test_the_same_email_is_asked_for_by_a_comment_and_never_named(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    same = [a_comment(app, site, status="pending", email="ana@example.org") for _ in range(2)]
    a_comment(app, site, status="pending")
    response = moderator.get("/queue", query_string={"author": same[0].id})
    assert set(ids(response)) == {comment.id for comment in same}
    assert "ana@example.org" not in response.text


def found(client: FlaskClient, **query: object) -> list[int]:
    """The comments of one page of the queue, from the top."""
    return ids(client.get("/queue", query_string=query, headers={"Accept": "text/html"}))


def test_my_view_holds_what_i_wrote_and_nobody_else(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    question = a_comment(app, site, status="pending", now=now)
    colleague = sign_in(app, name="ben")
    for browser, text in ((moderator, "Mine."), (colleague, "Ben’s.")):
        version = re.findall(rf'data-id="{question.id}" data-version="(\d+)"', queue_of_all(browser))[0]
        fields = {"version": version, "text": text}
        address = f"/queue/comments/{question.id}"
        assert send_own(browser, f"{address}/reply", on=address, **fields).status_code == 303
    mine = moderator.get("/queue?status=mine").text
    assert ("Mine." in mine, "Ben’s." in mine, f'id="comment-{question.id}"' in mine) == (True, False, False)
    assert 'data-count="mine">1<' in mine


def queue_of_all(client: FlaskClient) -> str:
    """The view of everything that is neither spam nor trash."""
    return client.get("/queue?status=all").text


def test_the_same_network_is_asked_for_by_a_comment_and_named_by_a_chip(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    network, hour = "203.0.113.0/24", timedelta(hours=1)
    same = {a_comment(app, site, status="pending", network=network, now=now + hour * n).id for n in (0, 1)}
    a_comment(app, site, status="pending")
    a_comment(app, site, status="spam", network=network, now=now + 2 * hour)
    response = moderator.get("/queue", query_string={"network": min(same)})
    assert set(ids(response)) == same
    assert "Same network" in response.text
    assert "203.0.113" not in response.text
    assert f"network={min(same)}" in moderator.get("/queue").text


def test_a_reason_is_chosen_from_those_there_are_and_leaves_its_comments(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    a_comment(app, site, status="pending")
    linked = a_comment(app, site, status="pending", text="https://a.example https://b.example")
    response = moderator.get("/queue", query_string={"reason": "links"})
    assert ids(response) == [linked.id]
    offered = re.findall(r'<option value="([a-z-]+)"( selected)?', response.text.partition('id="reason"')[2])
    assert ("links", " selected") in offered
    assert "Reason: Links" in response.text
    assert found(moderator, reason="surge") == []


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ((), ""),
        (("approved",), "1 approved before"),
        (("approved", "approved", "approved", "spam"), "3 approved, 1 spam before"),
        (("trash", "pending"), "1 in the trash, 1 waiting before"),
    ],
)
def test_a_row_says_what_became_of_the_same_person_before(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime, before: tuple[str, ...], sentence: str
) -> None:
    for status in before:
        a_comment(app, site, status=status, email="ana@example.org", now=now - timedelta(days=1))
    made = a_comment(app, site, status="pending", email="ana@example.org", name="Ana", now=now)
    row = moderator.get("/queue").text.partition(f'id="comment-{made.id}"')[2].partition("</li>")[0]
    told = re.findall(r'class="row__history[^"]*">([^<]*)<', row)
    assert told == ([sentence] if sentence else [])


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("harbour", {"text", "name"}),
        ('"old harbour"', {"text"}),
        ("harb", {"text", "name"}),
        ("harbour ferry", set()),
        ("zenobia@example.org", {"email"}),
        ("zenobia", set()),
        ("boats.example", {"website"}),
        ("198.51.100.9", {"network"}),
        ("https://news.example.org/ferry", {"article"}),
        ("nothing of it", set()),
    ],
)
def test_the_search_of_the_page_finds_words_emails_websites_networks_and_addresses(
    app: Flask, site: SiteView, moderator: FlaskClient, q: str, expected: set[str]
) -> None:
    plain: dict[str, Any] = {"text": "Yes.", "name": "Reader", "status": "pending"}
    made = {
        "text": a_comment(app, site, **plain | {"text": "The old harbour."}),
        "name": a_comment(app, site, **plain | {"name": "Harbour Master", "text": "No."}),
        "email": a_comment(app, site, **plain | {"text": "One."}, email="zenobia@example.org"),
        "website": a_comment(app, site, **plain | {"text": "Two."}, website="https://boats.example/"),
        "network": a_comment(app, site, **plain | {"text": "Three."}, network="198.51.100.0/24"),
        "article": a_comment(app, site, **plain | {"text": "Four."}, url="https://news.example.org/ferry"),
    }
    response = moderator.get("/queue", query_string={"q": q})
    names = {comment.id: name for name, comment in made.items()}
    assert {names[number] for number in ids(response)} == expected
    assert f'value="{q}"' in unescape(response.text)


def test_a_permalink_typed_into_the_search_leads_to_its_comment(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    made = [a_comment(app, site, status="pending") for _ in range(2)]
    assert found(moderator, q=f"https://news.example.org/article#comment-{made[0].id}") == [made[0].id]


def test_the_page_is_read_in_each_of_its_orders(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    given = (
        ("Cleo", "/first", "Plain."),
        ("Ana", "/second", "https://a.example https://b.example https://c.example"),
        ("Ben", "/first", "A word about one of my own pages, https://ben.example"),
    )
    made = {
        name: a_comment(
            app,
            site,
            status="pending",
            name=name,
            url=f"https://news.example.org{path}",
            text=text,
            now=now + timedelta(minutes=minute),
        ).id
        for minute, (name, path, text) in enumerate(given)
    }
    orders = {
        "newest": ("Ben", "Ana", "Cleo"),
        "oldest": ("Cleo", "Ana", "Ben"),
        "author": ("Ana", "Ben", "Cleo"),
        "risk": ("Ana", "Ben", "Cleo"),
        "article": ("Ana", "Ben", "Cleo"),
    }
    for sort, names in orders.items():
        page = moderator.get("/queue", query_string={"sort": sort})
        assert (sort, ids(page)) == (sort, [made[name] for name in names])
    assert found(moderator) == found(moderator, sort="newest")


def test_every_page_of_an_order_goes_on_where_the_last_ended(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    known = [a_comment(app, site, status="pending", now=now - timedelta(minutes=n)).id for n in range(55)]
    first = moderator.get("/queue?sort=oldest")
    link = re.search(r'href="([^"]*cursor=[^"]+)"', first.text)
    assert link is not None
    assert ids(first) + ids(moderator.get(unescape(link[1]))) == known[::-1]


def test_a_reason_leads_to_the_rules_as_they_were(
    app: Flask, site: SiteView, moderator: FlaskClient, now: datetime
) -> None:
    with app.app_context():
        change_rules(Place(site.id), {"hold_words": ["casino"]}, version=1, by=None, now=now)
    made = a_comment(app, site, status="pending", text="Come to the casino", now=now)
    own = Place(site.id, made.thread_id)
    with app.app_context():
        change_rules(own, {"hold_words": ["bridge"]}, version=0, by=None, now=now)
    a_comment(app, site, status="pending", text="The bridge again", now=now)
    page = unescape(moderator.get("/queue").text)
    there = "/settings/demo/rules?version="
    assert f'href="{there}2#version-2"' in page
    assert "Waits because of a word on the list. Rules of this site, version 2" in page
    assert f'href="{there}1&article={made.thread_id}#version-1"' in page
    assert "<bdi>casino</bdi>" in moderator.get(f"{there}2").text
    assert f'href="/settings/demo/rules?article={made.thread_id}"' in page
    its_page = moderator.get(f"/queue/comments/{made.id}").text
    assert "Rules of this site, version 2</a>" in its_page


def test_an_article_says_that_its_age_a_moderator_or_its_site_has_closed_it(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock
) -> None:
    made = a_comment(app, site, status="pending", now=clock.now)
    with app.app_context():
        change_rules(
            Place(site.id, made.thread_id), {"close_after_days": 3}, version=0, by=None, now=clock.now
        )
    assert "Closed by its age" not in moderator.get("/queue").text
    clock.forward(days=3)
    moderator = sign_in_as(app, "mo")
    for page in ("/queue", f"/queue/comments/{made.id}"):
        assert "Closed by its age" in moderator.get(page).text
    with app.app_context():
        open_or_close(made.thread_id, is_open=False, by=None, now=clock.now)
    assert "Comments closed" in moderator.get("/queue").text
    other = a_comment(app, site, status="pending", url="https://news.example.org/new", now=clock.now)
    change_site(app, site, is_open=False)
    row = moderator.get("/queue").text.partition(f'id="comment-{other.id}"')[2].partition("</footer>")[0]
    assert "Site closed" in row
