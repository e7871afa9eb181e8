"""An email is seen by nobody: in no answer, page, log or stored byte; and no answer depends on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.vocabulary import SiteView, Status
from tests.conftest import NOW
from tests.doors import (
    FORM,
    a_network,
    a_ticket,
    ask,
    break_the_store,
    everything,
    form_fields,
    own,
    page,
    page_ticket,
    send,
    send_form,
    sign_in,
)
from tests.factories import ARTICLE, KNOWN, ORIGIN, a_body, a_comment, a_site
from tests.haystack import answer_bytes, found, stored_bytes

EMAIL = "Zq7.Unmistakable+x@Mail.Example.org"
NAME = "Needle in the hay"
on_both_formats = pytest.mark.parametrize("log_format", ["json", "text"])


def json_door(client: FlaskClient, email: str, said: str = "Taken.") -> Iterator[TestResponse]:
    """The same email in everything that the JSON door takes or refuses."""

    def sent(ticket: str | None = None, **fields: str | None) -> TestResponse:
        body = a_body(ticket or a_ticket(client), email=email, name=NAME, **fields)
        return send(client, body, key=fields.get("text"))

    yield sent(text=said)
    yield sent(text=said)  # a repetition
    yield send(client, a_body(a_ticket(client), email=email, name=NAME, text=said))  # a duplicate
    yield sent(text=said, website="https://example.org")  # the same key
    yield sent(text="", website="javascript:x")
    yield sent(text="A parent.", parent="99")
    yield sent(ticket="forged", text="Forged.")
    yield sent(text="Elsewhere.", url="https://evil.example.net/")
    yield send(client, json.dumps({"email": email}).encode() + b"x")
    yield send(client, json.dumps({"email": [email], "name": {email: email}}).encode())
    yield send(client, json.dumps({"email": email + "\x00", "text": "x"}).encode())
    yield send(client, json.dumps({email: email}).encode())
    yield send(client, a_body("x", email=email), origin=f"https://{email}")
    yield send(client, a_body("x", email=email), headers={"Content-Type": "text/plain"})
    yield send(client, a_body(a_ticket(client), email=email.replace("@", "@@"), name=NAME))


def page_door(client: FlaskClient, email: str, said: str = "Taken.") -> Iterator[TestResponse]:
    """The same for the page's form."""

    def sent(ticket: str | None = None, **fields: str) -> TestResponse:
        shown = ticket or page_ticket(page(client))
        return send_form(client, form_fields(shown, email=email, name=NAME, **fields))

    yield sent(text=f"{said} By the page.")
    yield sent(text=f"{said} By the page.")
    yield sent(text="")
    yield sent(text="x", parent="99")
    yield sent(text="Forged.", ticket="forged")
    yield send_form(client, urlencode({"email": email, "text": "x"}).encode() + b"&text=%ff")
    yield send_form(client, {"email": email}, headers={"Origin": "https://evil.example.net"})
    yield send_form(client, form_fields(page_ticket(page(client)), email=email + "@", text="x"))
    yield client.post("/sites/demo/thread", data=urlencode({"email": email}), content_type=FORM)


def too_quick(client: FlaskClient, email: str) -> Iterator[TestResponse]:
    """Two comments at once from one network."""
    network = a_network()
    for _ in range(2):
        body, headers = a_body(a_ticket(client), email=email, name=NAME), {"Origin": ORIGIN}
        yield client.post(
            "/api/v1/sites/demo/comments", json=body, headers=headers, environ_overrides=network
        )


def reads(app: Flask, client: FlaskClient, taken: dict[str, Any]) -> Iterator[TestResponse]:
    """All that anybody may look at, moderators too."""
    with app.app_context():
        decide(Change(int(taken["comment"]["id"]), 1, Status.APPROVED), by=None, now=NOW)
        db.session.rollback()
    yield from (ask(client, route) for route in ("thread", "ticket", "counts"))
    yield page(client)
    yield page(client, reply=taken["comment"]["id"])
    yield own(client, taken["comment"]["id"], taken["receipt"])
    yield client.get(urlsplit(taken["status_url"]).path)
    yield client.get("/embed.js")
    moderator = sign_in(app)
    yield from (moderator.get(f"/queue?status={status}") for status in ("pending", "approved", "all"))


@on_both_formats
def test_an_email_is_nowhere_to_be_found(
    logging_app: Callable[..., Flask], settings: Settings, capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    loud_app = logging_app(log_level="DEBUG", log_format=log_format)
    a_site(loud_app)
    client = loud_app.test_client()
    answers = [*json_door(client, EMAIL), *page_door(client, EMAIL), *too_quick(client, EMAIL)]
    statuses = {answer.status_code for answer in answers}
    assert statuses >= {202, 303, 400, 403, 409, 415, 422, 429}
    answers += reads(loud_app, client, answers[0].get_json())
    break_the_store(loud_app)
    failures = [*json_door(client, EMAIL, "Broken."), *page_door(client, EMAIL, "Broken.")]
    assert 500 in {answer.status_code for answer in failures}
    logs = capsys.readouterr().err.encode()
    assert b"internal_error" in logs
    for hay in (*map(answer_bytes, answers + failures), logs, stored_bytes(settings.database_url)):
        assert not found(EMAIL, hay)
    assert NAME.encode() in stored_bytes(settings.database_url)  # the search can find something


@on_both_formats
def test_no_log_line_holds_what_a_reader_typed(
    logging_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    loud_app = logging_app(log_level="DEBUG", log_format=log_format)
    a_site(loud_app)
    client = loud_app.test_client()
    list(json_door(client, EMAIL))
    break_the_store(loud_app)
    list(page_door(client, EMAIL))
    logs = capsys.readouterr().err
    assert "internal_error" in logs
    for typed in (NAME, "Taken", "javascript:x", quote(ARTICLE, safe=""), ARTICLE, "172.16."):
        assert typed not in logs


def test_the_queue_shows_a_masked_email(app: Flask, site: SiteView) -> None:
    a_comment(app, site, status="pending", email=EMAIL)
    shown = sign_in(app).get("/queue").text
    assert "Z•••@M•••.org" in shown or "z•••@m•••.org" in shown.lower()
    assert not found(EMAIL, shown.encode())


def test_the_search_finds_every_shape() -> None:
    for hay in (EMAIL, EMAIL.upper(), quote(EMAIL, safe=""), "zq7.unmistakable+x", "x" + EMAIL.lower() + "y"):
        assert found(EMAIL, hay.encode()), hay


# --- twins ---

TOKEN = re.compile(r"[\w-]{10,}\.[\w-]{43}")
VARYING = {"Content-Length", "ETag"}


def told(response: TestResponse) -> tuple[int, list[tuple[str, str]], str]:
    """An answer without what must differ between two comments: ids, tokens, the article's name."""
    body = TOKEN.sub("TOKEN", response.text)
    body = re.sub(r'"(id|parent)":"\d+"|comment-\d+|\b[0-9a-f]{8}\b', "ID", body)
    headers = [(name, TOKEN.sub("TOKEN", value)) for name, value in response.headers]
    return (
        response.status_code,
        [h for h in headers if h[0] not in VARYING],
        re.sub(r"twin-\w+", "twin", body),
    )


def all_doors(client: FlaskClient, twin: str, email: str) -> Iterator[TestResponse]:
    """One life of an email below an article of its own: sent, repeated, doubled, refused, by both doors."""
    url = f"{ARTICLE}/twin-{twin}"
    lives = ({"text": "One."}, {"text": ""}, {"text": "Two.", "parent": "99"}, {"text": "One.", "name": "B"})
    for number, fields in enumerate(lives):
        body = {"name": "A", "email": email, "url": url, "title": "T"} | fields
        for _ in range(2):
            yield send(client, a_body(a_ticket(client, url=url), **body), key=f"{twin}-{number}")
        yield send(client, a_body(a_ticket(client, url=url), **body))
        typed = {name: value for name, value in body.items() if name not in ("url", "title")}
        typed["text"] += "By the page." if typed["text"] else ""
        for _ in range(2):
            ticket = page_ticket(page(client, url=url))
            yield send_form(client, form_fields(ticket, **typed), query={"url": url})
    yield ask(client, "thread", url=url)


@pytest.fixture
def emails(app: Flask) -> dict[str, str]:
    """Emails with every past, on a site that publishes those it knows."""
    site = a_site(app, rules=KNOWN)
    past = {"approved": "known@example.org", "spam": "spammer@example.org", "pending": "waits@example.org"}
    for status, email in past.items():
        a_comment(app, site, status=status, email=email)
    return {"new": "nobody@example.org", "long": f"{'l' * 60}@{'d' * 60}.example.org"} | past


def test_no_answer_depends_on_the_email(app: Flask, client: FlaskClient, emails: dict[str, str]) -> None:
    lives = {twin: [told(r) for r in all_doors(client, twin, email)] for twin, email in emails.items()}
    assert {answer[0] for answer in lives["new"]} >= {200, 202, 303, 409, 422}
    for twin, life in lives.items():
        for expected, answer in zip(lives["new"], life, strict=True):
            assert answer == expected, twin


def test_no_work_depends_on_the_email(app: Flask, client: FlaskClient, emails: dict[str, str]) -> None:
    statements: dict[str, list[str]] = {}
    asked: list[str] = []
    with app.app_context():
        engine: Engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for twin, email in emails.items():
        asked.clear()
        list(all_doors(client, twin, email))
        statements[twin] = list(asked)
    assert all(one == statements["new"] for one in statements.values())


def test_what_is_stored_tells_no_length(app: Flask, emails: dict[str, str]) -> None:
    sealed = {len(row[7]) for row in everything(app)["comment"]}
    assert len(sealed) == 1
