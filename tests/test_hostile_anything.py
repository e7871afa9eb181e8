"""Anything at all, by both doors; and afterwards the pages still work."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.storage.database import db
from comments_service.vocabulary import SiteView, Status
from comments_service.web.forms import FIELD_NAMES
from tests.conftest import NOW
from tests.doors import (
    a_network,
    ask,
    dangers,
    everything,
    form_fields,
    is_refused,
    page,
    page_ticket,
    raw,
    send,
    send_form,
    sign_in,
)
from tests.factories import ARTICLE, ORIGIN, a_comment, a_site

quickly = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


# --- anything at all ---

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
QUERY_NAMES = ("url", "id", "title", "lang", "sort", "cursor", "reply")
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@pytest.fixture
def voted(app: Flask) -> int:
    """A published comment of a site where readers vote."""
    return a_comment(app, a_site(app, options={"votes": "both"})).id


def unharmed(app: Flask, client: FlaskClient, before: Mapping[str, Any], response: TestResponse) -> None:
    """Nothing failed; what was refused left no trace; what was taken is a waiting comment."""
    assert response.status_code < 500
    rows = everything(app)
    if response.status_code in (202, 303):
        assert len(rows["comment"]) == len(before["comment"]) + 1
    else:
        assert is_refused(response)
        assert rows == before


@quickly
@given(fields=st.dictionaries(st.sampled_from(FIELD_NAMES), ANYTHING, max_size=4))
def test_any_json_at_all_is_refused_or_taken(
    app: Flask, client: FlaskClient, site: SiteView, fields: dict[str, Any]
) -> None:
    before = everything(app)
    unharmed(app, client, before, send(client, raw(client, **fields)))


@quickly
@given(fields=st.dictionaries(st.sampled_from(FIELD_NAMES), ANY_TEXT, max_size=4))
def test_any_text_at_all_is_refused_or_taken_by_both_doors(
    app: Flask, client: FlaskClient, site: SiteView, fields: dict[str, str]
) -> None:
    before = everything(app)
    unharmed(app, client, before, send(client, raw(client, **fields)))
    before = everything(app)
    typed = form_fields(page_ticket(page(client)), **fields)
    unharmed(app, client, before, send_form(client, urlencode(typed, errors="surrogatepass").encode()))


@quickly
@given(fields=st.dictionaries(st.sampled_from(["vote", "receipt", "reason", "note"]), ANYTHING))
def test_any_vote_or_report_at_all_is_refused_or_taken(
    app: Flask, client: FlaskClient, voted: int, fields: dict[str, Any]
) -> None:
    body = json.dumps(fields)
    for method, what in (("PUT", "vote"), ("POST", "reports")):
        before = everything(app)
        response = client.open(
            f"/api/v1/comments/{voted}/{what}",
            method=method,
            data=body,
            headers={"Origin": ORIGIN, "Content-Type": "application/json"},
            environ_overrides=a_network(),
        )
        assert response.status_code in (200, 202) or is_refused(response, 400, 422)
        assert response.status_code < 400 or everything(app) == before


@quickly
@given(body=st.binary(max_size=80))
def test_any_bytes_at_all_are_refused(app: Flask, client: FlaskClient, site: SiteView, body: bytes) -> None:
    before = everything(app)
    assert is_refused(send(client, body), 400, 411, 422)
    assert is_refused(send_form(client, body), 400, 403, 411)
    assert everything(app) == before


@quickly
@given(query=st.dictionaries(st.sampled_from(QUERY_NAMES), ANY_TEXT))
def test_any_question_at_all_is_answered_or_refused(
    app: Flask, client: FlaskClient, site: SiteView, query: dict[str, str]
) -> None:
    asked = urlencode({"url": ARTICLE} | query, errors="surrogatepass")
    for path in (
        "/api/v1/sites/demo/thread",
        "/api/v1/sites/demo/counts",
        "/sites/demo/thread",
        "/sites/demo/fragment",
    ):
        response = client.get(path, query_string=asked, headers={"Accept": "text/html"})
        assert response.status_code in (200, 400, 422), path


# --- afterwards ---

NASTY = [
    "</script><script>alert(1)</script>",
    "'; DROP TABLE comment; --",
    "{{ 7 * 7 }} {% raw %} ${7*7} <%= 7 %>",
    "\u202eright to left in a text\u202c \u2066x",
    "Zalgo " + "h\u0301\u0302\u0303" * 300,
    "x" * 60_000,
    "> " * 20_000,
    "[a](javascript:alert(1)) ![x](https://evil.example.net/p.png) <img src=x onerror=alert(1)>",
    "`" * 10_000,
    "\u0000".replace("\u0000", "\ufffd") + "\ufffe\uffff\U0010ffff\ue000",
    "a" + "\u200b" * 1_000,
    "&lt;script&gt; &#0; &#x202e; &nbsp;" * 50,
    "https://evil.example.net/" + "a/" * 5_000,
    "%s %n %x {0} {name} \\u0000 \\x00",
    "\n".join(["- " * 500] * 20),
    "😀" * 5_000,
    "=CMD()|'/C calc'!A0",
]


def approved(app: Flask, numbers: Iterable[int]) -> None:
    """Approve them all, as a moderator who never looks."""
    with app.app_context():
        for number in numbers:
            decide(Change(number, 1, Status.APPROVED), by=None, now=NOW)
        db.session.rollback()


def test_after_all_of_this_the_queue_and_the_thread_still_work(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    for number, nasty in enumerate(NASTY):
        name = "".join(letter for letter in nasty if letter.isprintable())[:200] or "x"
        response = send(client, raw(client, text=nasty, name=f"{number} {name}", title=nasty))
        assert response.status_code == 202, (nasty[:40], response.text)
    moderator = sign_in(app)
    waiting = moderator.get("/queue?status=pending")
    approved(app, [row[0] for row in everything(app)["comment"]])
    shown = [waiting, moderator.get("/queue?status=approved"), page(client), ask(client, "thread")]
    assert [response.status_code for response in shown] == [200] * 4
    comments = shown[3].get_json()["comments"]
    assert len(comments) == len(NASTY)
    for markup in [*(response.text for response in shown[:3]), *(comment["html"] for comment in comments)]:
        assert not dangers(markup)
