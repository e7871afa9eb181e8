"""Validators and compression of what may be kept: nobody gets an old answer, or one in a foreign coding."""

from __future__ import annotations

import gzip
import json
from typing import Any

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.vocabulary import SiteView
from comments_service.wsgi import make as make_app
from tests.doors import ask, change_site
from tests.factories import ARTICLE, ORIGIN, a_comment, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_the_same_question_is_answered_304_until_something_changes(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    a_comment(app, site)
    first = ask(client, "thread", headers={"Origin": ORIGIN})
    again = ask(client, "thread", headers={"Origin": ORIGIN, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    a_comment(app, site)
    assert ask(client, "thread", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@on_sqlite
@pytest.mark.parametrize("route", ["thread", "counts"])
def test_a_304_carries_what_the_200_would_have_told_a_cache(
    app: Flask, site: SiteView, client: FlaskClient, route: str
) -> None:
    first = ask(client, route, headers={"Origin": ORIGIN})
    headers = {"Origin": ORIGIN, "If-None-Match": first.headers["ETag"]}
    again = ask(client, route, headers=headers)
    assert again.status_code == 304
    left_out = {"Content-Type", "Content-Length"}
    assert {n: v for n, v in again.headers if n not in left_out} == {
        n: v for n, v in first.headers if n not in left_out
    }


@on_sqlite
def test_the_validator_knows_the_site_the_article_and_the_whole_question(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    other = {"lang": "de", "title": "x", "sort": "newest", "id": "7", "url": f"{ARTICLE}?a=1"}
    queries: list[dict[str, Any]] = [{}, *({name: value} for name, value in other.items())]
    tags = [ask(client, "thread", **query).headers["ETag"] for query in queries]
    a_site(app, key="second")
    tags.append(ask(client, "thread", site="second").headers["ETag"])
    change_site(app, site, is_open=False)
    tags.append(ask(client, "thread").headers["ETag"])
    assert len(set(tags)) == len(tags)


@on_sqlite
@pytest.mark.parametrize(
    "setting",
    [
        {"network_retention_days": 7},
        {"thread_page_size": 5},
        {"public_url": "https://other.example.org"},
    ],
)
def test_the_validator_knows_the_settings_that_readers_see(
    app: Flask, site: SiteView, client: FlaskClient, settings: Settings, setting: dict[str, Any]
) -> None:
    known = {"If-None-Match": ask(client, "thread").headers["ETag"]}
    other = make_app(settings.model_copy(update=setting)).test_client()
    assert ask(client, "thread", headers=known).status_code == 304
    assert ask(other, "thread", headers=known).status_code == 200


@on_sqlite
@pytest.mark.parametrize("tag", ['"', "W/", '"x', "*,", 'W/"é"', '"a" "b"', "," * 500, "\x7f"])
def test_garbage_for_a_validator_is_no_error(
    app: Flask, site: SiteView, client: FlaskClient, tag: str
) -> None:
    headers = {"If-None-Match": tag, "If-Modified-Since": tag, "Range": tag, "If-Match": tag}
    assert ask(client, "thread", headers=headers).status_code in (200, 304)


def test_to_hear_that_nothing_has_changed_costs_three_lookups(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    for _ in range(5):
        a_comment(app, site)
    tag = ask(client, "thread").headers["ETag"]
    said: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    assert ask(client, "thread", headers={"If-None-Match": tag}).status_code == 304
    event.remove(engine, "before_cursor_execute", listen)
    assert 0 < len([one for one in said if one.startswith("SELECT")]) <= 3, said  # site, address, article


# --- compression ---


@on_sqlite
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("br", "br"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1, br;q=0.1", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("identity", None),
        ("", None),
        ("nonsense;;q=,,", None),
    ],
)
def test_the_thread_is_compressed_as_the_browser_likes(
    app: Flask, site: SiteView, client: FlaskClient, accepted: str, coding: str | None
) -> None:
    response = ask(client, "thread", headers={"Accept-Encoding": accepted})
    read = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert response.headers.get("Content-Encoding") == coding
    assert json.loads(read(response.data)) == ask(client, "thread").get_json()
    assert response.headers["Content-Length"] == str(len(response.data))
    assert "Accept-Encoding" in response.headers["Vary"]


@on_sqlite
def test_a_validator_holds_across_compressions(app: Flask, site: SiteView, client: FlaskClient) -> None:
    tag = ask(client, "thread", headers={"Accept-Encoding": "br"}).headers["ETag"]
    headers = {"Accept-Encoding": "gzip", "If-None-Match": tag}
    assert ask(client, "thread", headers=headers).status_code == 304


@on_sqlite
def test_head_says_what_get_would(app: Flask, site: SiteView, client: FlaskClient) -> None:
    got = ask(client, "thread")
    head = client.head("/api/v1/sites/demo/thread", query_string={"url": ARTICLE})
    assert (head.status_code, head.data) == (200, b"")
    assert list(head.headers) == list(got.headers)
