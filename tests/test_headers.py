"""Security headers stand on every answer: pages, data, scripts, redirects, refusals, failures."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from comments_service import create_app
from comments_service.settings import Settings
from comments_service.vocabulary import SiteView
from comments_service.web.sessions import is_moderators
from tests.conftest import NOW, SECRET_KEY, Clock, close
from tests.doors import (
    a_ticket,
    ask,
    break_the_store,
    form_fields,
    own,
    page,
    page_ticket,
    post_comment,
    send,
    send_form,
    sign_in,
)
from tests.factories import ARTICLE, ORIGIN, a_body, a_comment, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HTML = {"Accept": "text/html"}


def data_answers(client: FlaskClient) -> Iterator[TestResponse]:
    """What programs get."""
    sent = post_comment(client, text="First.")
    tag = ask(client, "thread").headers["ETag"]
    yield from (ask(client, route) for route in ("thread", "ticket", "counts"))
    yield ask(client, "thread", headers={"If-None-Match": tag})
    yield ask(client, "thread", headers={"Accept-Encoding": "br"})
    yield ask(client, "thread", headers={"Origin": "https://evil.example.net"})
    yield ask(client, "thread", cursor="x")
    yield ask(client, "thread", site="nobody")
    yield client.head("/api/v1/sites/demo/thread?url=null")
    yield client.options("/api/v1/sites/demo/comments", headers={"Origin": ORIGIN})
    yield client.options("/healthz")
    yield client.open("/api/v1/sites/demo/thread", method="TRACE")
    yield own(client, sent["comment"]["id"], sent["receipt"])
    yield own(client, sent["comment"]["id"], "forged")
    yield send(client, a_body(a_ticket(client)))
    yield send(client, a_body(a_ticket(client), text=""))
    yield send(client, b"x" * 600_000)
    yield send(client, b"x", headers={"Content-Type": "text/plain"})
    yield client.post("/api/v1/sites/demo/comments", headers={"Transfer-Encoding": "chunked"}, data=b"{}")
    yield from (client.get(path) for path in ("/healthz", "/readyz", "/embed.js", "/count.js", "/nothing"))
    yield client.get("/assets/pages.css")


def page_answers(client: FlaskClient) -> Iterator[TestResponse]:
    """What people get."""
    ticket = page_ticket(page(client))
    sent = send_form(client, form_fields(ticket, text="By the page."))
    yield sent
    yield client.get(urlsplit(sent.headers["Location"]).path)
    yield send_form(client, form_fields(ticket, text="Another."))
    yield send_form(client, form_fields("forged"))
    yield page(client)
    yield page(client, url="null")
    yield client.get("/sites/demo/thread", headers={"Referer": f"{ORIGIN}/a"})
    yield client.get("/sites/demo/fragment", query_string={"url": ARTICLE}, headers=HTML)
    yield from (
        client.get(path, headers=HTML) for path in ("/login", "/queue", "/", "/account", "/x", "/status/x")
    )
    yield client.post("/login", data={"name": "x"}, headers=HTML)
    yield client.post("/logout", headers=HTML, data={"x": "x"})
    yield client.put("/queue", headers=HTML, data="x")
    yield client.get("/login", headers={"Host": "comments.example.org"} | HTML)


@pytest.fixture(scope="module")
def answers(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[TestResponse]]:
    """Answers of every kind, those to a moderator and failures too."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("headers") / "comments.sqlite3")
    app = create_app(Settings(database_url=f"sqlite:///{file}", secret_key=SECRET_KEY), clock=Clock(NOW))
    a_comment(app, a_site(app), text="x" * 2_000)
    client, moderator = app.test_client(), sign_in(app)
    found = [*data_answers(client), *page_answers(client)]
    found += [moderator.get(path) for path in ("/queue", "/account", "/login", "/queue?status=x")]
    tickets = [a_ticket(client), page_ticket(page(client))]
    break_the_store(app)
    found += [send(client, a_body(tickets[0])), send_form(client, form_fields(tickets[1]))]
    yield found
    close(app)


def test_answers_of_every_kind_are_looked_at(answers: list[TestResponse]) -> None:
    expected = {200, 202, 204, 303, 304, 400, 403, 404, 405, 411, 413, 415, 422, 500}
    assert {answer.status_code for answer in answers} == expected


def test_every_answer_is_guarded(answers: list[TestResponse]) -> None:
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        told = (answer.request.path, answer.status)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", told
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), told
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", told
        assert "default-src 'none'" in policy, told
        assert "frame-ancestors 'none'" in policy, told
        assert "base-uri 'none'" in policy, told
        assert "unsafe" not in policy, told
        assert "*" not in policy, told
        assert "Strict-Transport-Security" not in answer.headers, told
        assert "Server" not in answer.headers, told
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1, told


def test_only_pages_may_load_anything_and_only_from_us(answers: list[TestResponse]) -> None:
    for answer in answers:
        sources = set(answer.headers["Content-Security-Policy"].replace(";", "").split()) - {"'none'"}
        is_page = answer.mimetype == "text/html"
        assert ("'self'" in sources) == is_page, (answer.request.path, answer.status)


def test_pages_hold_no_inline_script_or_style(answers: list[TestResponse]) -> None:
    shown = [answer.text for answer in answers if answer.mimetype == "text/html"]
    assert len(shown) > 10
    for text in shown:
        assert "<style" not in text
        assert " style=" not in text
        assert "<script>" not in text
        assert "javascript:" not in text


@on_sqlite
def test_https_is_asked_for_on_https_alone_and_not_for_subdomains(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(settings.model_copy(update={"public_url": "https://comments.example.org"}))
    client, site = app.test_client(), a_site(app)
    paths = ("/healthz", "/embed.js", "/nothing", "/login", f"/sites/{site.key}/thread", "/queue")
    answers = [client.get(path) for path in paths]
    answers += [ask(client, "thread"), ask(client, "thread", cursor="x"), send(client, b"x")]
    assert {a.headers.get("Strict-Transport-Security") for a in answers} == {"max-age=31536000"}


def test_what_is_private_is_kept_nowhere(answers: list[TestResponse]) -> None:
    for answer in answers:
        kept = answer.headers.get("Cache-Control", "")
        if answer.status_code >= 400 and not answer.request.path.startswith("/sites/"):
            assert kept == "no-store", (answer.request.path, answer.status)
        if answer.mimetype == "text/html" and not answer.request.path.endswith("/fragment"):
            assert "no-store" in kept or kept == "private, no-cache", (answer.request.path, kept)


@on_sqlite
def test_no_answer_to_a_moderator_is_kept_anywhere(app: Flask, site: SiteView) -> None:
    """Pages, tables, redirects and errors, for whoever asks; and what letters lead to."""
    people = (app.test_client(), sign_in(app))
    walked: set[str] = set()
    for rule in app.url_map.iter_rules():
        address = re.sub("<[^>]+>", "1", rule.rule)
        if not (is_moderators(rule.rule) or rule.endpoint.startswith(("confirm.", "letter_links."))):
            continue
        walked.add(rule.rule)
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            body = b"" if method in ("POST", "PUT") else None
            for person in people if method == "GET" else people[:1]:
                response = person.open(address, method=method, data=body)
                told = (method, address, response.status)
                assert response.headers.getlist("Cache-Control") == ["no-store"], told
    for address in ("/queue/nothing", "/audit?cursor=x", "/audit/export.csv", f"/settings/{site.key}"):
        assert people[1].get(address).headers.getlist("Cache-Control") == ["no-store"], address
    assert {"/", "/audit/export.csv", "/confirm/<token>", "/letters/stop/<token>"} <= walked


@on_sqlite
def test_scripts_may_be_used_by_pages_elsewhere_and_pages_may_not(app: Flask, client: FlaskClient) -> None:
    for path in ("/embed.js", "/count.js"):
        assert client.get(path).headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"
    for path in ("/login", "/queue", "/nothing"):
        response = client.get(path, headers=HTML | {"Origin": "https://evil.example.net"})
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in response.headers
