"""Tokens, ids, queries, cursors and paths that nobody gave out lead nowhere, and nothing fails."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.vocabulary import SiteView
from tests.doors import (
    a_ticket,
    ask,
    everything,
    form_fields,
    is_problem,
    is_refused,
    page,
    page_ticket,
    post_comment,
    raw,
    send,
    send_form,
    wrong_fields,
)
from tests.factories import ARTICLE, ORIGIN, a_comment

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


# --- tickets, receipts, parents ---


def forgeries(token: str) -> Iterator[str]:
    """A signed token with something else in it, or something else around it."""
    payload, _, signature = token.partition(".")
    other = base64.urlsafe_b64encode(b'["demo","x","y",1]').decode().rstrip("=")
    yield from (payload, signature, f"{payload}.", f".{signature}", f"{other}.{signature}", f"{token}=")
    yield from (token.swapcase(), token[::-1], token * 2, f"{token}.{signature}", "." * 500, f"{token}%")
    for place in range(0, len(token), 7):
        yield token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


def test_no_forged_ticket_sends_anything(app: Flask, site: SiteView, client: FlaskClient) -> None:
    ticket = a_ticket(client)
    for forged in forgeries(ticket):
        assert is_problem(send(client, raw(client, ticket=forged)), 403, "ticket-refused"), forged
        assert is_refused(send_form(client, form_fields(forged)), 403), forged
    assert everything(app)["comment"] == []


@on_sqlite
def test_no_forged_receipt_opens_anything(app: Flask, site: SiteView, client: FlaskClient) -> None:
    answer = post_comment(client)
    address = f"/api/v1/comments/{answer['comment']['id']}"
    for forged in forgeries(answer["receipt"]):
        response = client.get(address, headers={"Authorization": f"Bearer {forged}"})
        assert is_problem(response, 403, "receipt-refused"), forged
    for forged in forgeries(answer["status_url"].rpartition("/")[2]):
        assert client.get(f"/status/{quote(forged)}").status_code == 404, forged


IDS = ["0", "-1", "1.0", "1e1", " 1 x", "0x1", "01", "²", "١", "１", "9" * 400, "2147483648", "4294967297"]
IDS += ["1;DROP TABLE comment", "1' OR '1'='1", "1%", "_", "*", "../1", "1\x00", "null", "true", "[1]"]
IDS += ["1,2", "1_0", "+1"]


def test_a_parent_is_the_id_of_an_approved_comment_of_this_article_or_refused(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    a_comment(app, site)
    before = everything(app)
    for parent in IDS:
        assert wrong_fields(send(client, raw(client, parent=parent))) == {"parent": "refused"}, parent
        typed = form_fields(page_ticket(page(client)), parent=parent)
        assert is_refused(send_form(client, typed), 422), parent
    assert everything(app) == before


@on_sqlite
def test_odd_ids_in_paths_find_nothing(app: Flask, site: SiteView, client: FlaskClient) -> None:
    answer = post_comment(client)
    for odd in IDS:
        response = client.get(
            f"/api/v1/comments/{quote(odd)}", headers={"Authorization": f"Bearer {answer['receipt']}"}
        )
        assert response.status_code in (403, 404), odd


# --- queries ---


def position(value: object) -> str:
    """Something that looks like a cursor."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


CURSORS = [
    "x",
    "=",
    "%00",
    "ü",
    "A" * 5_000,
    position(None),
    position(1),
    position("ab"),
    position([]),
    position({"a": 1, "b": 2}),
    position(["2026-11-23T11:00:00+00:00"]),
    position(["2026-11-23T11:00:00+00:00", "1"]),
    position(["2026-11-23T11:00:00+00:00", True]),
    position(["2026-11-23T11:00:00+00:00", 1.5]),
    position(["2026-11-23T11:00:00+00:00", 0]),
    position(["2026-11-23T11:00:00+00:00", -1]),
    position(["2026-11-23T11:00:00+00:00", 2**31]),
    position(["2026-11-23T11:00:00+00:00", 10**400]),
    position(["2026-11-23T11:00:00", 1]),
    position(["0001-01-01T00:00:00+23:59", 1]),
    position(["9999-12-31T23:59:59-23:59", 1]),
    position(["'; DROP TABLE comment; --", 1]),
    position([["2026"], 1]),
    base64.urlsafe_b64encode(b"[" * 9_000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe[1,2]").decode(),
    base64.urlsafe_b64encode(b'["2026-11-23T11:00:00+00:00",NaN]').decode(),
]


def test_a_cursor_nobody_gave_out_is_malformed(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site)
    for cursor in CURSORS:
        assert is_problem(ask(client, "thread", cursor=cursor), 400, "malformed"), cursor[:60]
        assert is_refused(page(client, cursor=cursor), 400), cursor[:60]


def test_odd_queries_are_answered_or_refused_but_never_fail(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    a_comment(app, site)
    before = everything(app)
    queries = [
        "url=\xff",
        "url=%ff",
        "url=%",
        "url=%00",
        "url=%ED%A0%80",
        "\xff\xfe=\xc3",
        f"url={quote(ARTICLE)}&lang=%ff&title=%ff&sort=%ff&cursor=",
        f"url={quote(ARTICLE)}&lang={'x' * 20_000}",
        f"url={quote(ARTICLE)}&lang=../../etc/passwd%00",
        f"url={quote(ARTICLE)}&lang=en%0d%0aSet-Cookie:a=b&title=%0d%0aX:1",
        f"url={quote(ARTICLE)}&id={'9' * 201}",
        f"url={quote(ARTICLE)}&id=%00",
        f"url={quote(ARTICLE)}&id[]=1&url[]=2&__proto__[a]=1",
        f"url={quote(ARTICLE)}&title={{{{7*7}}}}%24{{7*7}}",
        f"url={quote(ARTICLE)}{'%20' * 60_000}",
        "&".join(["url=" + quote(ARTICLE)] * 3_000),
        "&" * 100_000,
        "=" * 100_000,
        "a;b;c",
        "url[$ne]=x",
    ]
    api = "/api/v1/sites/demo"
    for query in queries:
        for path in (
            f"{api}/thread",
            f"{api}/counts",
            "/sites/demo/thread",
            "/sites/demo/fragment",
            "/queue",
        ):
            response = client.get(path, environ_overrides={"QUERY_STRING": query})
            assert response.status_code < 500, (path, query[:60])
            assert not {"X", "Set-Cookie"} & set(response.headers.keys())
        posted = client.post(
            "/api/v1/sites/demo/comments",
            data=b"{}",
            content_type="application/json",
            headers={"Origin": ORIGIN},
            environ_overrides={"QUERY_STRING": query},
        )
        assert is_refused(posted, 400, 422), query[:60]
    assert everything(app) == before


@on_sqlite
def test_sql_wildcards_and_quotes_are_letters(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site, url=f"{ARTICLE}/abc", article_id="abc")
    for odd in ("%", "_bc", "a%", "abc' OR '1'='1", 'abc" --', "abc\\", "ABC"):
        answer = ask(client, "thread", id=odd, url=f"{ARTICLE}/{quote(odd)}").get_json()
        assert answer["thread"]["id"] is None, odd


PATHS = [
    "/../etc/passwd",
    "/assets/../app.py",
    "/assets/..%2fapp.py",
    "/assets/%2e%2e/%2e%2e/secret.key",
    "/assets/..%5c..%5cx",
    "/assets/queue.css%00.js",
    "/assets/queue.css/",
    "/assets//etc/passwd",
    "/assets/....//x",
    "/assets/" + "a" * 9_000,
    "/embed.js/..",
    "/embed.0123456789abcdef.js",
    "/embed.0123456789abcde\u00e9.js",
    "/sites/../login",
    "/sites/%2e%2e/thread",
    "/sites/demo/thread/..",
    "/sites/demo/thread%00",
    "/sites/demo/thread;x=1",
    "/sites//thread",
    "/status/",
    "/status/../queue",
    "/status/%00",
    "/status/%ff%fe",
    "/api/v1/sites/demo/thread/",
    "/api/v1/sites/demo/thread.json",
    "/api/v1/sites/demo/../second/thread",
    "/api/v1/sites/%ff/thread",
    "/api/v1/comments/",
    "/api/v1/comments/1/",
    "/api/v1/comments/%ff",
    "/queue/..%2f..%2fx",
    "/queue/1/reveal/",
    "/%",
    "/%00",
    "/\u202e",
    "/.env",
    "/metrics",
    "/static/embed.js",
    "/templates/base.html",
    "/console",
]


@on_sqlite
def test_no_trick_with_a_path_leads_anywhere(app: Flask, site: SiteView, client: FlaskClient) -> None:
    for path in PATHS:
        for method in ("GET", "POST"):
            response = client.open(path, method=method, data=b"x", headers={"Origin": ORIGIN})
            assert response.status_code in (303, 404, 405, 403), (method, path)
            assert "root:" not in response.text
            assert response.status_code != 303 or response.headers["Location"].startswith("/login"), path
