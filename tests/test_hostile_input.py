"""Bodies and forms of all kinds are refused clearly, or become a harmless comment; nothing else is stored."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.vocabulary import SiteView
from comments_service.web.forms import FIELD_NAMES
from tests.doors import (
    a_ticket,
    everything,
    form_fields,
    is_problem,
    is_refused,
    page,
    page_ticket,
    raw,
    send,
    send_form,
    wrong_fields,
)
from tests.factories import a_body, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NOT_TEXT: tuple[Any, ...] = (0, -1, 1.5, 10**30, True, False, [], ["x"], {}, {"a": "b"}, float("inf"))
CONTROLS = ("\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x7f", "\x80", "\x9f")
SURROGATES = ("\ud800", "\udfff", "\udc00\ud800", "a\ud83d")
BIDI = ("\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c")


# --- bodies that are no JSON object ---

BROKEN = [
    b" ",
    b"{",
    b"}",
    b'{"text": }',
    b'{"text": "a",}',
    b"{'text': 'a'}",
    b'{"text": "a"} x',
    b'{"text": "a"}{"text": "b"}',
    b"[]",
    b"[{}]",
    b"null",
    b"true",
    b"1",
    b'"text"',
    b"NaN",
    b'{"text": NaN}',
    b'{"text": Infinity}',
    b'{"text": -Infinity}',
    b'{"text": "\x00"}',
    b'{"text": "a\nb"}',
    b'{"text": "\\x41"}',
    b'{"text": "\\u12"}',
    b'{"text": 01}',
    b'{"text": "a"',
    b'{"a": ' * 400 + b"1" + b"}" * 400 + b"x",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"text": ' + b"9" * 10_000 + b"}",
    b"\xef\xbb\xbf{}",
    '{"text": "a"}'.encode("utf-16"),
    '{"text": "a"}'.encode("utf-32"),
    b'{"text": "\xff"}',
    b'{"text": "\xc0\xaf"}',
    b'{"text": "\xed\xa0\x80"}',
    b'{"text": "\xf4\x90\x80\x80"}',
    b'{"text": "\xe2\x82"}',
    b"text=a&name=b",
    b"<comment/>",
]


def test_a_body_that_is_no_json_object_is_malformed(app: Flask, site: SiteView, client: FlaskClient) -> None:
    before = everything(app)
    for body in BROKEN:
        assert is_problem(send(client, body), 400, "malformed"), body[:60]
    assert everything(app) == before


@on_sqlite
def test_a_key_twice_is_malformed_however_it_is_spelt(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    good = raw(client)[1:]
    twins = (b'{"text": "a", ', b'{"te\\u0078t": "a", ', b'{"x": 1, "x": 1, ', b'{"x": {"y": 1, "y": 2}, ')
    for twin in twins:
        assert is_problem(send(client, twin + good), 400, "malformed"), twin
    assert everything(app)["comment"] == []


# --- wrong types ---


def test_every_field_is_text_and_all_that_are_not_are_named(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    before = everything(app)
    for value in NOT_TEXT:
        all_wrong = raw(client, **dict.fromkeys(FIELD_NAMES, value)).replace(b"Infinity", b"1e999")
        assert wrong_fields(send(client, all_wrong)) == dict.fromkeys(FIELD_NAMES, "type"), value
        for field in FIELD_NAMES:
            response = send(client, raw(client, **{field: value}).replace(b"Infinity", b"1e999"))
            assert wrong_fields(response) == {field: "type"}, (field, value)
    assert everything(app) == before


@on_sqlite
def test_null_is_as_if_the_field_were_absent(app: Flask, site: SiteView, client: FlaskClient) -> None:
    absent: dict[str, tuple[int, str]] = {
        "url": (422, "refused"),
        "text": (422, "required"),
        "name": (422, "required"),
        "email": (422, "required"),
        "ticket": (403, ""),
    }
    for field in FIELD_NAMES:
        status, code = absent.get(field, (202, ""))
        body = dict(a_body(a_ticket(client)))
        without = send(client, {name: value for name, value in body.items() if name != field})
        response = send(client, raw(client, **{field: None}))
        assert (without.status_code, response.status_code) == (status, status), field
        assert not code or wrong_fields(response) == wrong_fields(without) == {field: code}


# --- characters ---


def test_characters_nobody_can_show_are_refused_in_every_field_by_both_doors(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    shown = page_ticket(page(client))
    for bad in (*CONTROLS, *SURROGATES):
        for field in ("text", "name", "email", "website", "parent", "url", "id", "ticket"):
            whole = {"email": f"a{bad}@example.org", "website": f"https://e{bad}.org"}.get(field, f"a{bad}b")
            assert is_refused(send(client, raw(client, **{field: whole})), 422, 403), (field, bad)
            if field in ("url", "id"):
                continue  # the form's address says which article, its fields do not
            typed = form_fields(shown, **{field: whole})
            sent = urlencode(typed, errors="surrogatepass").encode()
            assert is_refused(send_form(client, sent), 422, 403, 400), (field, bad)
    assert everything(app)["comment"] == []


@on_sqlite
def test_what_turns_a_page_around_is_refused_in_names(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    for bad in (*BIDI, "\n", "\r", "\t", "\u2028", "\u2029"):
        assert wrong_fields(send(client, raw(client, name=f"A{bad}na"))) == {"name": "characters"}, bad
    for blank in ("", " ", "\u200b", "\u2060\u200d", "\u3000", "\xad", "\ufeff"):
        response = send(client, raw(client, name=blank, text=blank))
        assert wrong_fields(response) == {"name": "required", "text": "required"}, blank


def test_line_ends_and_tabs_are_fine_in_a_text(app: Flask, site: SiteView, client: FlaskClient) -> None:
    assert send(client, raw(client, text="a\r\nb\rc\n\td")).status_code == 202
    typed = form_fields(page_ticket(page(client)), text="e\r\nf")
    assert send_form(client, typed).status_code == 303
    assert [row[10] for row in everything(app)["comment"]] == ["a\nb\nc\n\td", "e\nf"]


@on_sqlite
def test_a_stored_title_is_one_harmless_line(app: Flask, site: SiteView, client: FlaskClient) -> None:
    title = "A\x00\ud800\u202e\r\n<b>" + "x" * 999
    assert send(client, raw(client, title=title)).status_code == 202
    assert [row[4] for row in everything(app)["thread"]] == ["A <b>" + "x" * 295]


# --- unknown fields ---


def test_unknown_fields_are_ignored_and_never_assigned(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    other = a_site(app, key="second")
    extra: dict[str, Any] = {
        "status": "approved",
        "site_id": other.id,
        "site": "second",
        "thread_id": 99,
        "version": 9,
        "depth": 9,
        "root_id": 1,
        "created_at": "1999-01-01",
        "network": "x",
        "email_hash": "x",
        "verdict": {"status": "approved"},
        "is_purged": True,
        "moderator": [],
        "__proto__": {"status": "approved"},
        "__class__": 1,
        "csrf_token": 1,
        "": 0,
        "\ud800": "\ud800",
    }
    answer = send(client, raw(client, **extra))
    assert (answer.status_code, answer.get_json()["comment"]["status"]) == (202, "pending")
    typed = form_fields(page_ticket(page(client))) | {name: "approved" for name in extra if name.isascii()}
    assert send_form(client, typed).status_code == 303
    rows = everything(app)["comment"]
    assert {(row[1], row[5], row[12], row[14]) for row in rows} == {(site.id, 1, "pending", 1)}


# --- forms that are no forms ---


def test_a_form_that_cannot_be_read_is_refused(app: Flask, site: SiteView, client: FlaskClient) -> None:
    before = everything(app)
    good = urlencode(form_fields(page_ticket(page(client)))).encode()
    broken = [
        good + b"&text=%ff",
        good.replace(b"text=", b"text=%ED%A0%80"),
        good.replace(b"text=", b"text=\xff"),
        good.replace(b"text=", b"text=\xc3\xa9"),
        good + b"&text=again",
        good + b"&te%78t=again",
        good + b"&x=1" * 60,
        b"&" * 60_000,
        b"=" * 60_000,
        b"\x00" * 100,
        b"%" * 1_000,
        b'{"text": "a"}',
        b"",
    ]
    for body in broken:
        assert is_refused(send_form(client, body), 400, 403), body[-40:]
    assert is_refused(send_form(client, good + b"&x=" + b"x" * 600_000), 413)
    assert everything(app) == before
