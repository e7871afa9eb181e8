"""The public doors, knocked at as the widget does, or a browser without scripts. And what is behind them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from comments_service.storage.base import Base
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Site
from comments_service.vocabulary import SiteView
from tests.factories import ARTICLE, ORIGIN, PASSWORD, a_body, a_moderator

OWN_ORIGIN = "http://localhost:8000"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"
REFUSALS = {400, 403, 404, 405, 409, 411, 413, 415, 422}
_networks = itertools.count(1)


def a_network() -> dict[str, str]:
    """WSGI's word for a reader whom no limit knows yet."""
    number = next(_networks)
    return {"REMOTE_ADDR": f"172.{16 + (number >> 8 & 15)}.{number & 255}.9"}


def ask(
    client: FlaskClient,
    route: str,
    *,
    site: str = "demo",
    headers: Mapping[str, str] | None = None,
    **query: Any,
) -> TestResponse:
    """GET one of the widget's routes, about the usual article if no other is named."""
    return client.get(
        f"/api/v1/sites/{site}/{route}", query_string={"url": ARTICLE} | query, headers=dict(headers or {})
    )


def a_ticket(client: FlaskClient, *, site: str = "demo", **query: Any) -> str:
    """A fresh ticket."""
    response = ask(client, "ticket", site=site, **query)
    assert response.status_code == 200, response.text
    return str(response.get_json()["ticket"])


def send(
    client: FlaskClient,
    fields: Mapping[str, Any] | bytes,
    *,
    site: str = "demo",
    key: str | None = None,
    origin: str | None = ORIGIN,
    headers: Mapping[str, str] | None = None,
) -> TestResponse:
    """POST to the JSON door, from a network of its own."""
    sent = {"Origin": origin, "Idempotency-Key": key, "Content-Type": JSON} | dict(headers or {})
    given = {name: value for name, value in sent.items() if value is not None}
    body: dict[str, Any] = {"data": fields} if isinstance(fields, bytes) else {"json": fields}
    address = f"/api/v1/sites/{site}/comments"
    return client.post(address, headers=given, environ_overrides=a_network(), **body)


def post_comment(client: FlaskClient, **fields: Any) -> dict[str, Any]:
    """Send a comment that nothing is wrong with, and return the answer."""
    response = send(client, a_body(a_ticket(client), **fields))
    assert response.status_code in (201, 202), response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def own(client: FlaskClient, number: object, receipt: str, **headers: str) -> TestResponse:
    """Ask for the own comment."""
    return client.get(f"/api/v1/comments/{number}", headers={"Authorization": f"Bearer {receipt}"} | headers)


def page(client: FlaskClient, *, site: str = "demo", **query: Any) -> TestResponse:
    """GET the thread as a page."""
    asked = {"url": ARTICLE} | query
    return client.get(f"/sites/{site}/thread", query_string=asked, headers={"Accept": "text/html"})


def page_ticket(response: TestResponse) -> str:
    """The ticket in the form of a page."""
    found = re.search(r'<input[^>]*name="ticket"[^>]*>', response.text)
    value = re.search(r'value="([^"]*)"', found[0]) if found else None
    assert value, "the page has no ticket"
    return unescape(value[1])


def send_form(
    client: FlaskClient,
    fields: Mapping[str, Any] | bytes,
    *,
    site: str = "demo",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> TestResponse:
    """POST the page's form, from a network of its own and, unless other headers say so, our own page."""
    return client.post(
        f"/sites/{site}/thread",
        query_string={"url": ARTICLE} if query is None else query,
        data=fields,
        content_type=FORM,
        headers={"Accept": "text/html"} | dict({"Origin": OWN_ORIGIN} if headers is None else headers),
        environ_overrides=a_network(),
    )


def form_fields(ticket: str, /, **fields: str) -> dict[str, str]:
    """What a browser sends for a form that nothing is wrong with."""
    typed = {name: str(value) for name, value in a_body(ticket).items() if name not in ("url", "title")}
    return typed | {"website": "", "parent": ""} | fields


def is_refused(response: TestResponse, *statuses: int) -> bool:
    """Whether this is a refusal with one of the statuses, in words, as a problem or as a page."""
    if response.mimetype == PROBLEM:
        problem = response.get_json(force=True)
        worded = bool(problem["title"] and problem["detail"]) and problem["status"] == response.status_code
    else:
        worded = response.mimetype == "text/html" and "<h1" in response.text
    return worded and response.status_code in (statuses or REFUSALS)


def raw(client: FlaskClient, **fields: Any) -> bytes:
    """A good body with some fields replaced, as JSON that spells everything in ASCII."""
    return json.dumps(dict(a_body(a_ticket(client))) | fields).encode()


def everything(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables: what must be the same after whatever was refused."""
    with app.app_context():
        try:
            return {
                table.name: sorted(map(tuple, db.session.execute(select(table))), key=repr)
                for table in Base.metadata.sorted_tables
            }
        finally:
            db.session.rollback()


def change_site(app: Flask, site: SiteView, **values: Any) -> None:
    """Set columns of a site as `comments site set` would."""
    with app.app_context(), transaction() as session:
        session.execute(update(Site).where(Site.id == site.id).values(version=Site.version + 1, **values))


def break_the_store(app: Flask) -> None:
    """Let the database refuse every new comment, and quote it."""
    orders = {
        "sqlite": (
            "CREATE TRIGGER broken BEFORE INSERT ON comment BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        ),
        "postgresql": ("ALTER TABLE comment ADD CONSTRAINT broken CHECK (depth < 0) NOT VALID",),
    }
    with app.app_context(), transaction() as session:
        for order in orders[session.get_bind().dialect.name]:
            session.execute(text(order))


def is_problem(response: TestResponse, status: int, slug: str) -> bool:
    """Whether this is that problem, in the shape of RFC 9457."""
    body = response.get_json(force=True, silent=True) or {}
    told = (response.status_code, body.get("status"), body.get("type"), response.mimetype)
    return told == (status, status, f"urn:comments:problem:{slug}", PROBLEM)


def wrong_fields(response: TestResponse) -> dict[str, str]:
    """The wrong fields of a 422, with their codes."""
    assert response.status_code == 422, response.text
    return {error["field"]: error["code"] for error in response.get_json(force=True)["errors"]}


def sign_in(app: Flask, **moderator: Any) -> FlaskClient:
    """The browser of a moderator who has come in by the sign-in page; the rest is told to `a_moderator`."""
    return sign_in_as(app, a_moderator(app, **moderator).name)


def sign_in_as(app: Flask, name: str) -> FlaskClient:
    """Another browser of somebody who is there already."""
    browser = app.test_client()
    fields = {"csrf_token": csrf_token(browser.get("/login")), "name": name, "password": PASSWORD}
    response = browser.post(
        "/login", data=fields, headers={"Origin": OWN_ORIGIN}, environ_overrides=a_network()
    )
    assert response.status_code == 303, response.text
    return browser


def send_own(client: FlaskClient, address: str, *, on: str = "", **fields: Any) -> TestResponse:
    """POST a moderators' form with the token of the page `on`, else of the page at the same address."""
    data = {"csrf_token": csrf_token(client.get(on or address))} | fields
    headers = {"Origin": OWN_ORIGIN, "Accept": "text/html"}
    return client.post(address, data=data, headers=headers)


def csrf_token(response: TestResponse) -> str:
    """The token in the first form of a moderator's page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', response.text)
    assert found, "the page has no form"
    return unescape(found[1])


class _Dangers(HTMLParser):
    """Collects what a comment must never bring into a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("iframe", "object", "embed", "math", "style", "base"):
            self.found.append(tag)
        for name, value in attrs:
            is_script = (value or "").strip().lower().startswith(("javascript:", "data:", "vbscript:"))
            is_foreign = name == "src" and not (value or "").startswith("/assets/")
            if name.startswith("on") or name == "style" or is_foreign or (name != "value" and is_script):
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip():
            self.found.append(data)


def dangers(html: str) -> list[str]:
    """What a browser would run, or fetch from elsewhere, because of this markup."""
    parser = _Dangers()
    parser.feed(html)
    return parser.found
