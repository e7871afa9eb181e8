"""Parts of the queue by address: what narrows it, in which order, and rows that continue a list."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from comments_service.vocabulary import SiteView
from tests.doors import dangers, sign_in
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
