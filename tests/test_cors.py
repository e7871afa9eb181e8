"""Which pages may read and send: those of the site's own origins, in their one spelling, and nobody else."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.vocabulary import SiteView
from tests.doors import a_ticket, ask, change_site, everything, is_problem, own, post_comment, send
from tests.factories import ORIGIN, a_body, a_site

PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
GETS = ("thread", "ticket", "counts")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@on_sqlite
def test_pages_of_the_site_may_read_every_answer_even_refusals(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    page_headers = {"Origin": ORIGIN}
    answers = [
        *(ask(client, route, headers=page_headers) for route in GETS),
        ask(client, "thread", url="null", headers=page_headers),
        ask(client, "thread", cursor="x", headers=page_headers),
        send(client, a_body(a_ticket(client))),
        send(client, b"{"),
        send(client, b"{}", headers={"Content-Type": "text/plain"}),
        send(client, a_body("forged")),
        send(client, b"x" * 600_000),
    ]
    assert {r.headers.get("Access-Control-Allow-Origin") for r in answers} == {ORIGIN}
    assert {r.headers.get("Access-Control-Expose-Headers") for r in answers} == {"Retry-After, ETag"}
    assert all("Origin" in r.headers["Vary"] for r in answers)
    assert not any("Access-Control-Allow-Credentials" in r.headers for r in answers)


FOREIGN = [
    "null",
    "https://news.example.org.evil.example.net",
    "https://evil.example.net",
    "https://news.example.orgevil.example.net",
    "https://evilnews.example.org",
    "https://example.org",
    "https://sub.news.example.org",
    "https://news.example.org:8443",
    "https://news.example.org@evil.example.net",
    "https://evil.example.net#news.example.org",
    "https://news.example.org,https://evil.example.net",
    "https://news.example.org https://evil.example.net",
    "https://news_example.org",
    "ftp://news.example.org",
    "file://",
    "news.example.org",
    "//news.example.org",
    "*",
    "",
    "https://",
    "https://news.example.org%00.evil.example.net",
    "https://news.example.org/path",
    "https://news.example.org?x",
    "https://[::1]:news.example.org",
    "https://news.example.org\\.evil.example.net",
    "chrome-extension://news.example.org",
    "https://news.ex\xe4mple.org",
    "https://news.ex\xaample.org",
    "\xa0https://news.example.org",
    "https://n\xadews.example.org",
    "https://news.example.org/",
    "https://news.example.org\\",
]


@on_sqlite
def test_no_other_page_gets_or_sends_anything(app: Flask, site: SiteView, client: FlaskClient) -> None:
    ticket = a_ticket(client)
    paths = ("/api/v1/sites/demo/comments", "/api/v1/comments/1")
    for origin in FOREIGN:
        headers = {"Origin": origin}
        answers = [ask(client, route, headers=headers) for route in GETS]
        answers.append(send(client, a_body(ticket), origin=origin))
        answers += [client.options(path, headers=headers | PREFLIGHT) for path in paths]
        assert {r.status_code for r in answers} == {403}, origin
        assert not any(name.startswith("Access-Control") for r in answers for name, _ in r.headers), origin
    assert everything(app)["comment"] == []


def test_the_json_door_wants_to_know_which_page_sends(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    response = send(client, a_body(a_ticket(client)), origin=None)
    assert is_problem(response, 403, "origin-refused")
    assert everything(app)["comment"] == []


@on_sqlite
def test_an_answer_for_one_origin_is_not_taken_for_another_by_a_cache(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    change_site(app, site, origins=[ORIGIN, "https://second.example.org"])
    for origin in (None, ORIGIN, "https://second.example.org", "http://www.news.example.org"):
        response = ask(client, "thread", headers={"Origin": origin} if origin else {})
        assert response.headers.get("Access-Control-Allow-Origin") == origin
        assert "Origin" in response.headers["Vary"]


@on_sqlite
@pytest.mark.parametrize(
    "route", ["sites/demo/comments", "sites/demo/thread", "sites/demo/ticket", "comments/1"]
)
def test_a_preflight_is_answered_for_a_day(
    app: Flask, site: SiteView, client: FlaskClient, route: str
) -> None:
    response = client.options(f"/api/v1/{route}", headers={"Origin": ORIGIN} | PREFLIGHT)
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Allow-Headers"] == "content-type, idempotency-key, authorization"
    assert response.headers["Access-Control-Max-Age"] == "86400"
    assert "Origin" in response.headers["Vary"]


@on_sqlite
def test_the_origin_of_another_site_of_ours_is_a_foreign_one(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    a_site(app, key="second", origins=("https://second.example.org",))
    headers = {"Origin": "https://second.example.org"}
    sent = post_comment(client)
    assert is_problem(ask(client, "thread", headers=headers), 403, "origin-refused")
    assert is_problem(own(client, sent["comment"]["id"], sent["receipt"], **headers), 403, "origin-refused")
