"""Moderators come in and go: sign-in, sessions and their ends, passwords, and forms from elsewhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from http.cookies import SimpleCookie
from random import randrange
from secrets import token_hex
from time import process_time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.errors import FieldsRefused
from comments_service.people.accounts import add_moderator, reset_password
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.journal import JournalRow
from comments_service.storage.people import SignIn
from comments_service.vocabulary import ModeratorView, SiteView
from comments_service.web.sessions import COOKIE, is_moderators
from tests.conftest import SECRET_KEY, Clock
from tests.doors import OWN_ORIGIN, csrf_token, everything, page, sign_in
from tests.factories import PASSWORD, a_comment, a_moderator
from tests.test_roles_walk import WHO

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WRONG = "not the right password"
OTHER_PASSWORD = "four other words entirely"
HTTPS = "https://comments.example.org"


@pytest.fixture
def moderator(app: Flask) -> ModeratorView:
    """Somebody who may sign in."""
    return a_moderator(app)


def attempt(
    client: FlaskClient, name: str, password: str, *, network: str = "192.0.2.9", **more: Any
) -> TestResponse:
    """Fill the sign-in page in and send it."""
    fields = {"csrf_token": csrf_token(client.get("/login")), "name": name, "password": password}
    headers = {"Origin": OWN_ORIGIN, "Accept": "text/html"}
    fields |= more
    return client.post("/login", data=fields, headers=headers, environ_overrides={"REMOTE_ADDR": network})


def cookie_of(response: TestResponse) -> SimpleCookie:
    """The cookies that an answer sets."""
    return SimpleCookie("\n".join(response.headers.getlist("Set-Cookie")))


def is_signed_in(client: FlaskClient) -> bool:
    """Whether the queue opens."""
    return client.get("/queue").status_code == 200


def audit(app: Flask) -> list[tuple[str, int | None, str]]:
    """What the audit says: action, moderator, subject."""
    with app.app_context():
        rows = db.session.scalars(select(JournalRow).order_by(JournalRow.id)).all()
        found = [(row.action, row.moderator_id, row.subject) for row in rows]
        db.session.rollback()
        return found


def change_password(client: FlaskClient, **fields: str) -> TestResponse:
    """Send the form of the account page."""
    typed = {"current": PASSWORD, "new": OTHER_PASSWORD, "again": fields.get("new", OTHER_PASSWORD)} | fields
    data = typed | {"csrf_token": csrf_token(client.get("/account"))}
    return client.post("/account", data=data, headers={"Origin": OWN_ORIGIN})


# --- coming in ---


def test_the_right_password_opens_the_queue(moderator: ModeratorView, client: FlaskClient) -> None:
    response = attempt(client, moderator.name, PASSWORD)
    assert (response.status_code, response.headers["Location"]) == (303, "/queue")
    assert is_signed_in(client)


def test_the_cookie_is_for_this_host_alone_and_for_no_script(
    moderator: ModeratorView, client: FlaskClient
) -> None:
    cookie = cookie_of(attempt(client, moderator.name, PASSWORD))[COOKIE]
    assert COOKIE.startswith("__Host-")
    assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax")
    assert cookie["secure"]
    assert cookie["httponly"]


def test_an_unknown_name_gets_the_answer_of_a_wrong_password(app: Flask, moderator: ModeratorView) -> None:
    answers = [attempt(app.test_client(), name, WRONG) for name in (moderator.name, "nobody")]
    texts = [re.sub(r'value="[^"]*"', "", answer.text) for answer in answers]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert texts[0] == texts[1]


@on_sqlite
@pytest.mark.real_passwords
def test_an_unknown_name_takes_the_time_of_a_wrong_password(app: Flask, moderator: ModeratorView) -> None:
    client = app.test_client()
    token = csrf_token(client.get("/login"))
    spent: dict[str, list[float]] = {moderator.name: [], "nobody": []}
    for _ in range(7):  # one less than is allowed
        for name, times in spent.items():
            began = process_time()  # the work, not the wait for other processes
            fields = {"csrf_token": token, "name": name, "password": WRONG}
            assert client.post("/login", data=fields, headers={"Origin": OWN_ORIGIN}).status_code == 403
            times.append(process_time() - began)
    assert 0.6 < min(spent["nobody"]) / min(spent[moderator.name]) < 1.6


@pytest.mark.parametrize("name", ["", "mo\x00", "x" * 500, "mo\ud800", "%"])
def test_odd_names_are_refused_like_all_others(client: FlaskClient, name: str) -> None:
    assert attempt(client, name.encode("utf-8", "replace").decode(), WRONG).status_code == 403


def test_each_sign_in_is_a_new_session(moderator: ModeratorView, client: FlaskClient) -> None:
    token = csrf_token(client.get("/login"))
    planted = client.get_cookie(COOKIE)
    attempt(client, moderator.name, PASSWORD)
    begun = client.get_cookie(COOKIE)
    assert planted is not None
    assert begun is not None
    assert begun.value != planted.value
    client.set_cookie(COOKIE, planted.value, secure=True)
    assert not is_signed_in(client)
    client.set_cookie(COOKIE, begun.value, secure=True)
    assert client.post("/logout", data={"csrf_token": token}).status_code == 403


def test_the_secret_of_a_sign_in_is_stored_as_a_hash(app: Flask) -> None:
    client = sign_in(app)
    with client.session_transaction() as session:
        secret = session["token"]
    with app.app_context():
        stored = db.session.scalars(select(SignIn.token_hash)).all()
        db.session.rollback()
    assert stored == [hashlib.sha256(secret.encode()).digest()]


@pytest.mark.parametrize(
    ("wanted", "landing"),
    [
        ("/queue?status=spam&site=demo", "/queue?status=spam&site=demo"),
        ("/account", "/account"),
        ("https://evil.example/queue", "/queue"),
        ("//evil.example/queue", "/queue"),
        ("/\\evil.example", "/queue"),
        ("/queue/../../evil", "/queue"),
        ("/queue\r\nLocation: https://evil.example", "/queue"),
        ("javascript:alert(1)", "/queue"),
        ("http:///queue", "/queue"),
        ("/logout", "/queue"),
    ],
)
@on_sqlite
def test_the_sign_in_leads_to_our_own_pages_only(
    moderator: ModeratorView, client: FlaskClient, wanted: str, landing: str
) -> None:
    response = attempt(client, moderator.name, PASSWORD, next=wanted)
    assert response.headers["Location"] == landing


def test_whoever_asks_for_the_queue_comes_back_to_it_after_the_sign_in(
    moderator: ModeratorView, client: FlaskClient
) -> None:
    asked = client.get("/queue?status=spam")
    assert asked.status_code == 303
    assert 'value="/queue?status=spam"' in client.get(asked.headers["Location"]).text


def test_nobody_has_a_default_password(app: Flask, client: FlaskClient) -> None:
    tries = [("admin", "admin"), ("admin", "password"), ("moderator", "moderator")]
    assert {attempt(client, *pair).status_code for pair in tries} == {403}


# --- guessing ---


def test_guessing_one_name_is_stopped_even_for_the_right_password(
    moderator: ModeratorView, client: FlaskClient
) -> None:
    for _ in range(8):
        assert attempt(client, moderator.name, WRONG).status_code == 403
    response = attempt(client, moderator.name, PASSWORD)
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 600
    assert not is_signed_in(client)


def test_a_guesser_keeps_nobody_else_out(moderator: ModeratorView, client: FlaskClient) -> None:
    for _ in range(9):
        attempt(client, moderator.name, WRONG)
    assert attempt(client, moderator.name, PASSWORD, network="198.51.100.1").status_code == 303


def test_guessing_many_names_from_one_network_is_stopped(app: Flask) -> None:
    client = app.test_client()
    networks = [f"192.0.2.{number}" for number in range(1, 32)]
    statuses = [attempt(client, f"name{n}", WRONG, network=n).status_code for n in networks]
    assert statuses == [403] * 30 + [429]


def test_the_right_password_forgives_the_wrong_ones(app: Flask, moderator: ModeratorView) -> None:
    for _ in range(2):
        for _ in range(7):
            attempt(app.test_client(), moderator.name, WRONG)
        assert attempt(app.test_client(), moderator.name, PASSWORD).status_code == 303


@on_sqlite
def test_processes_count_together_in_valkey(
    settings: Settings, make_app: Callable[[Settings], Flask], valkey_url: str
) -> None:
    shared = settings.model_copy(update={"redis_url": valkey_url})
    clients = [make_app(shared).test_client() for _ in range(2)]
    name = f"somebody {token_hex()}"
    network = f"198.{randrange(256)}.{randrange(256)}.1"  # the server outlives the test
    statuses = [attempt(clients[n % 2], name, WRONG, network=network).status_code for n in range(9)]
    assert statuses == [403] * 8 + [429]


@on_sqlite
@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1", "unix:///nowhere/valkey.sock", "valkey://127.0.0.1:1/0"]
)
def test_without_its_valkey_the_sign_in_works_and_is_limited(
    settings: Settings, make_app: Callable[[Settings], Flask], url: str
) -> None:
    app = make_app(settings.model_copy(update={"redis_url": url}))
    moderator, client = a_moderator(app), app.test_client()
    assert attempt(client, moderator.name, PASSWORD).status_code == 303
    statuses = [attempt(app.test_client(), moderator.name, WRONG).status_code for _ in range(9)]
    assert statuses == [403] * 8 + [429]


# --- ends ---


def test_a_sign_in_ends_when_idle(app: Flask, settings: Settings, clock: Clock) -> None:
    client = sign_in(app)
    clock.forward(seconds=settings.session_idle_seconds - 1)
    assert is_signed_in(client)
    clock.forward(seconds=settings.session_idle_seconds)
    assert not is_signed_in(client)


def test_a_sign_in_ends_in_any_case_however_busy(app: Flask, settings: Settings, clock: Clock) -> None:
    client = sign_in(app)
    step = settings.session_idle_seconds - 1
    for _ in range(settings.session_lifetime_seconds // step):
        assert is_signed_in(client)
        clock.forward(seconds=step)
    clock.forward(seconds=step)
    assert not is_signed_in(client)


def test_signing_out_ends_the_sign_in_for_copies_of_the_cookie_too(app: Flask) -> None:
    client = sign_in(app)
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    fields = {"csrf_token": csrf_token(client.get("/queue"))}
    assert client.post("/logout", data=fields, headers={"Origin": OWN_ORIGIN}).status_code == 303
    client.set_cookie(COOKIE, kept.value, secure=True)
    assert not is_signed_in(client)


def test_a_form_sent_after_the_end_leads_to_the_sign_in_and_changes_nothing(
    app: Flask, site: SiteView, settings: Settings, clock: Clock
) -> None:
    comment, client = a_comment(app, site, status="pending"), sign_in(app)
    fields = {"csrf_token": csrf_token(client.get("/queue")), "decide": f"approve {comment.id}:1"}
    clock.forward(seconds=settings.session_idle_seconds)
    before = everything(app)
    response = client.post("/queue/decisions", data=fields, headers={"Origin": OWN_ORIGIN})
    assert (response.status_code, response.headers["Location"]) == (303, "/login?next=/queue")
    assert everything(app) == before


def test_ended_sign_ins_are_swept_out_by_the_next(app: Flask, settings: Settings, clock: Clock) -> None:
    sign_in(app)
    clock.forward(seconds=settings.session_idle_seconds)
    with app.app_context():
        name = a_moderator_name(app)
    assert attempt(app.test_client(), name, PASSWORD).status_code == 303
    with app.app_context():
        assert len(db.session.scalars(select(SignIn)).all()) == 1
        db.session.rollback()


def a_moderator_name(app: Flask) -> str:
    """The name of the one moderator there is."""
    return next(str(row[1]) for row in everything(app)["moderator"])


def test_a_new_key_keeps_everybody_signed_in_and_a_changed_cookie_nobody(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    cookie = sign_in(make_app(settings)).get_cookie(COOKIE)
    assert cookie is not None
    rotated = SecretStr(f"{SECRET_KEY} 2:another-key-for-tests-0123456789abcdefghijklmnopqrs")
    client = make_app(settings.model_copy(update={"secret_key": rotated})).test_client()
    client.set_cookie(COOKIE, cookie.value, secure=True)
    assert is_signed_in(client)
    client.set_cookie(COOKIE, cookie.value[:-3] + "abc", secure=True)
    assert not is_signed_in(client)


# --- passwords ---


def test_a_changed_password_ends_all_other_sign_ins(app: Flask) -> None:
    here = sign_in(app)
    elsewhere = app.test_client()
    attempt(elsewhere, a_moderator_name(app), PASSWORD)
    assert change_password(here).status_code == 303
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert attempt(app.test_client(), a_moderator_name(app), PASSWORD).status_code == 403
    assert attempt(app.test_client(), a_moderator_name(app), OTHER_PASSWORD).status_code == 303


def test_all_that_is_wrong_with_a_new_password_is_said_at_once(app: Flask) -> None:
    client = sign_in(app)
    response = change_password(client, current=WRONG, new="short")
    assert response.status_code == 422
    assert "This is not your current password." in response.text
    assert "A password has at least 12 characters." in response.text
    assert not {WRONG, "short"} & set(re.findall(r'value="([^"]*)"', response.text))


def test_two_different_new_passwords_change_nothing(app: Flask) -> None:
    client = sign_in(app)
    before = everything(app)["moderator"]
    assert "The two new passwords differ." in change_password(client, again="a slip of the finger").text
    assert everything(app)["moderator"] == before


@pytest.mark.parametrize(
    "password",
    [
        "x" * 11,
        "password1234",
        "Password Password",
        "qwertyuiop123!",
        "aaaaaaaaaaaaaa",
        "123456789012",
        "1" * 1001,
        "Changeme2026",
        "line\nbreak in the middle",
        "moderator 12",
    ],
)
@on_sqlite
def test_weak_passwords_are_refused(app: Flask, now: datetime, password: str) -> None:
    with app.app_context(), pytest.raises(FieldsRefused):
        add_moderator("moderator 1", password, now=now)


@pytest.mark.parametrize(
    "password",
    ["trout gravel unicorn", "密码很长而且没有人知道真的", "x7" * 6 + "Ωñ¿" * 300, "  spaces count  !"],
)
@on_sqlite
def test_long_passwords_are_taken_whatever_they_are_made_of(app: Flask, now: datetime, password: str) -> None:
    with app.app_context():
        add_moderator("Ana", password, now=now)
    assert attempt(app.test_client(), "Ana", password[:-1]).status_code == 403
    assert attempt(app.test_client(), "Ana", password).status_code == 303


@on_sqlite
def test_the_same_letters_from_another_keyboard_are_the_same_password(app: Flask, now: datetime) -> None:
    with app.app_context():
        add_moderator("Ana", "caf\u00e9 au lait froid", now=now)
    assert attempt(app.test_client(), "Ana", "cafe\u0301 au lait froid").status_code == 303


def test_guessing_the_current_password_is_stopped_too(app: Flask) -> None:
    client = sign_in(app)
    for _ in range(8):
        assert change_password(client, current=WRONG).status_code == 422
    response = change_password(client)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_a_reset_ends_every_sign_in(app: Flask, now: datetime) -> None:
    client = sign_in(app)
    with app.app_context():
        reset_password(a_moderator_name(app), OTHER_PASSWORD, now=now)
    assert not is_signed_in(client)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "a\u202eb"])
@on_sqlite
def test_names_that_cannot_be_shown_are_refused(app: Flask, now: datetime, name: str) -> None:
    with app.app_context(), pytest.raises(FieldsRefused):
        add_moderator(name, PASSWORD, now=now)


def test_a_name_is_given_once(app: Flask, moderator: ModeratorView, now: datetime) -> None:
    with app.app_context(), pytest.raises(FieldsRefused, match="of this name already"):
        add_moderator(moderator.name, PASSWORD, now=now)


# --- the audit ---


def test_the_audit_tells_who_came_in_and_who_did_not(app: Flask, moderator: ModeratorView) -> None:
    client = app.test_client()
    attempt(client, moderator.name, WRONG)
    attempt(client, "my password by mistake", WRONG)
    attempt(client, moderator.name, PASSWORD)
    change_password(client)
    client.post(
        "/logout", data={"csrf_token": csrf_token(client.get("/queue"))}, headers={"Origin": OWN_ORIGIN}
    )
    told = audit(app)[-5:]
    assert [(action, who) for action, who, _ in told] == [
        ("sign-in-refused", moderator.id),
        ("sign-in-refused", None),
        ("signed-in", moderator.id),
        ("password-changed", moderator.id),
        ("signed-out", moderator.id),
    ]
    assert "by mistake" not in repr(everything(app))


# --- forms from elsewhere ---


def unsafe_routes(app: Flask) -> list[str]:
    """Every moderators' address that changes something, for comment and article 1."""
    rules = (rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ()))
    addresses = {re.sub(r"<[^>]+>", "1", rule.rule) for rule in rules}
    return sorted(address for address in addresses if is_moderators(address))


FIELDS = {
    "decide": "approve 1:1",
    "switch": "close",
    "name": "x",
    "new": OTHER_PASSWORD,
    "current": PASSWORD,
}


def test_no_moderators_form_does_anything_without_its_token(app: Flask, site: SiteView) -> None:
    a_comment(app, site, status="pending")
    client, before = sign_in(app), everything(app)
    assert len(unsafe_routes(app)) == len([path for method, path in WHO if method == "POST"])
    for address in unsafe_routes(app):
        for token in ("", "forged", csrf_token(app.test_client().get("/login"))):
            fields = FIELDS | {"csrf_token": token}
            response = client.post(
                address, data=fields, headers={"Origin": OWN_ORIGIN, "Accept": "text/html"}
            )
            assert response.status_code == 403
            assert "no longer good" in response.text
            assert 'href="/queue"' in response.text
    assert everything(app) == before


FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site", "Origin": OWN_ORIGIN},
    {"Sec-Fetch-Site": "same-site", "Origin": OWN_ORIGIN},
    {"Sec-Fetch-Site": "none", "Origin": OWN_ORIGIN},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": OWN_ORIGIN + ".evil.example"},
    {"Origin": "[", "Referer": OWN_ORIGIN},
    {"Referer": "https://evil.example/" + OWN_ORIGIN},
]


@on_sqlite
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_other_page_may_send_a_moderators_form_even_with_its_token(
    app: Flask, site: SiteView, headers: dict[str, str]
) -> None:
    a_comment(app, site, status="pending")
    client = sign_in(app)
    fields, before = FIELDS | {"csrf_token": csrf_token(client.get("/queue"))}, everything(app)
    for address in unsafe_routes(app):
        assert client.post(address, data=fields, headers=headers).status_code == 403
    assert everything(app) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": HTTPS}, 303),
        ({"Referer": f"{HTTPS}/login"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Referer": "https://evil.example/login"}, 403),
        ({}, 403),
    ],
)
@on_sqlite
def test_over_https_the_form_must_say_where_it_comes_from(
    settings: Settings, make_app: Callable[[Settings], Flask], headers: dict[str, str], status: int
) -> None:
    app = make_app(settings.model_copy(update={"public_url": HTTPS}))
    moderator, client = a_moderator(app), app.test_client()
    fields = {"name": moderator.name, "password": PASSWORD}
    shown = client.get("/login", base_url=HTTPS)
    assert shown.headers["Referrer-Policy"] == "same-origin"
    fields |= {"csrf_token": csrf_token(shown)}
    assert client.post("/login", data=fields, base_url=HTTPS, headers=headers).status_code == status


@on_sqlite
@pytest.mark.parametrize(
    "host", ["comments.example.org", "192.0.2.1:8000", "localhost.evil.example", "10.0.0.1"]
)
def test_plain_http_elsewhere_is_refused_with_the_reason_and_the_mend(client: FlaskClient, host: str) -> None:
    response = client.get("/login", base_url=f"http://{host}", headers={"Accept": "text/html"})
    assert response.status_code == 403
    assert "COMMENTS_PUBLIC_URL" in response.text
    assert "Set-Cookie" not in response.headers


@on_sqlite
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_plain_http_on_this_machine_is_welcome(client: FlaskClient, host: str) -> None:
    assert client.get("/login", base_url=f"http://{host}").status_code == 200


# --- readers have no cookies ---


def test_no_public_address_sets_a_cookie_or_looks_at_one(app: Flask, site: SiteView) -> None:
    comment, client = a_comment(app, site), sign_in(app)
    values = {"site_key": site.key, "number": comment.id, "comment_id": comment.id, "name": "pages.css"}
    rules = [rule for rule in app.url_map.iter_rules() if not is_moderators(rule.rule)]
    assert len(rules) >= 10
    for rule in rules:
        known = {name: values.get(name, "x") for name in rule.arguments}
        address = rule.rule
        for name in rule.arguments:
            address = re.sub(rf"<(?:[^<>]*:)?{name}>", str(known[name]), address)
        for method in ("GET", "POST"):
            response = client.open(address, method=method, data={} if method == "POST" else None)
            assert "Set-Cookie" not in response.headers, rule
            assert "Cookie" not in response.headers.get("Vary", ""), rule


def test_readers_see_nothing_of_a_moderators_sign_in(app: Flask, site: SiteView) -> None:
    a_comment(app, site)
    without_ticket = [
        re.sub(r'value="[^"]{40,}"', "", page(c).text) for c in (sign_in(app), app.test_client())
    ]
    assert without_ticket[0] == without_ticket[1]
