"""The contract of the JSON doors: statuses, headers, validators, compression, CORS, idempotency, receipts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.decisions.articles import open_or_close
from comments_service.vocabulary import SiteView
from tests.conftest import NOW, Clock
from tests.doors import (
    PROBLEM,
    a_ticket,
    ask,
    change_site,
    everything,
    is_problem,
    own,
    post_comment,
    send,
    wrong_fields,
)
from tests.factories import ARTICLE, ORIGIN, a_body, a_comment, a_site, wiring_of

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
API_GETS = ("thread", "ticket", "counts")


# --- the thread ---


def test_an_article_never_commented_is_an_empty_thread_and_makes_no_row(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    before = everything(app)
    answer = ask(client, "thread", title="A bridge").get_json()
    assert answer["thread"] == {
        "id": None,
        "url": ARTICLE,
        "article": ARTICLE.removeprefix("https:"),
        "title": "A bridge",
        "open": True,
        "count": 0,
        "heading": "",
        "sort": "oldest",
    }
    assert (answer["comments"], answer["next"]) == ([], None)
    assert everything(app) == before


def test_the_thread_shows_approved_comments_and_nothing_of_the_others(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    shown = a_comment(app, site, text="Shown to all.")
    for status in ("pending", "spam", "trash"):
        a_comment(app, site, status=status, name=f"Hidden {status}", text=f"Secret {status}.")
    response = ask(client, "thread")
    assert [c["id"] for c in response.get_json()["comments"]] == [str(shown.id)]
    assert response.get_json()["thread"]["count"] == 1
    assert "Hidden" not in response.text
    assert "Secret" not in response.text


def test_the_thread_never_depends_on_who_asks(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site)
    receipt = post_comment(client)["receipt"]
    plain = ask(client, "thread", headers={"Origin": ORIGIN})
    dressed = {
        "Origin": ORIGIN,
        "Authorization": f"Bearer {receipt}",
        "Cookie": "session=x; __Host-comments=y",
        "Accept-Language": "ar",
        "User-Agent": "other",
    }
    other = ask(client, "thread", headers=dressed)
    assert (other.data, list(other.headers)) == (plain.data, list(plain.headers))


@on_sqlite
def test_the_pages_of_a_long_thread_follow_each_other_by_cursor(settings: Any, make_app: Any) -> None:
    app = make_app(settings.model_copy(update={"thread_page_size": 2}))
    site, client = a_site(app), app.test_client()
    made = [str(a_comment(app, site, now=NOW + timedelta(minutes=n)).id) for n in range(5)]
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = ask(client, "thread", **cursor).get_json()
        seen += [c["id"] for c in answer["comments"]]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert seen == made


@on_sqlite
def test_an_unknown_language_or_order_means_the_default(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    plain = ask(client, "thread").get_json()
    odd = ask(
        client, "thread", lang="xx-klingon", sort="random", headers={"Accept-Language": "fr"}
    ).get_json()
    assert odd == plain
    assert plain["form"]["language"] == "en"


@on_sqlite
def test_a_title_is_one_line_of_at_most_300_characters(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    answer = ask(client, "thread", title="A\r\nB\x00\u202eC <b> " + "x" * 900).get_json()
    assert answer["thread"]["title"].startswith("A B C <b> x")
    assert len(answer["thread"]["title"]) == 300


def test_an_asked_title_is_never_stored(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site, title="The real one")
    ask(client, "thread", title="A lie")
    assert ask(client, "thread").get_json()["thread"]["title"] == "The real one"


# --- the ticket ---


def test_a_ticket_is_never_kept_by_anybody(site: SiteView, client: FlaskClient) -> None:
    response = ask(client, "ticket")
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers
    assert response.get_json()["ticket"] != ask(client, "ticket").get_json()["ticket"]
    assert response.get_json()["expires_at"] == "2026-11-23T15:00:00Z"


def test_a_ticket_ends_and_a_new_one_takes_its_place(
    app: Flask, site: SiteView, client: FlaskClient, clock: Clock
) -> None:
    body = dict(a_body(a_ticket(client)))
    clock.forward(hours=4)
    assert is_problem(send(client, body, key="same"), 403, "ticket-refused")
    assert send(client, body | {"ticket": a_ticket(client)}, key="same").status_code == 202


# --- sending ---


def test_a_comment_waits_and_its_author_learns_all_about_it(site: SiteView, client: FlaskClient) -> None:
    response = send(
        client, a_body(a_ticket(client), name=" Ana ", text="One\r\n\r\n*two*", website="ana.example.org")
    )
    answer = response.get_json()
    assert (response.status_code, response.headers["Cache-Control"]) == (202, "no-store")
    assert answer["comment"]["status"] == "pending"
    assert answer["comment"]["author"]["name"] == "Ana"
    assert answer["comment"]["author"]["website"] == "https://ana.example.org"
    assert answer["comment"]["html"] == "<p>One</p>\n<p><em>two</em></p>"
    assert answer["status_url"].startswith("http://localhost:8000/status/")


def test_the_same_key_and_body_get_the_same_bytes_again_even_with_a_new_ticket(
    app: Flask, site: SiteView, client: FlaskClient, clock: Clock
) -> None:
    body = dict(a_body(a_ticket(client)))
    first = send(client, body, key="k")
    clock.forward(hours=3)
    again = send(client, body | {"ticket": a_ticket(client)}, key="k")
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert len(everything(app)["comment"]) == 1


def test_a_repetition_is_answered_before_any_limit(app: Flask, site: SiteView, client: FlaskClient) -> None:
    body, headers = a_body(a_ticket(client)), {"Origin": ORIGIN, "Idempotency-Key": "k"}
    address = "/api/v1/sites/demo/comments"
    first = client.post(address, json=body, headers=headers)
    again = client.post(address, json=body, headers=headers)
    other = client.post(address, json=a_body(a_ticket(client)), headers={"Origin": ORIGIN})
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert is_problem(other, 429, "too-many")
    assert other.headers["Retry-After"] == "10"


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Other."},
        {"name": "Other"},
        {"email": "other@example.org"},
        {"website": "https://other.example.org"},
        {"url": f"{ARTICLE}?page=2"},
        {"id": "7"},
    ],
)
@on_sqlite
def test_the_same_key_with_another_body_is_refused(
    app: Flask, site: SiteView, client: FlaskClient, change: dict[str, str]
) -> None:
    body = dict(a_body(a_ticket(client)))
    assert send(client, body, key="k").status_code == 202
    place = {"url": change.get("url", ARTICLE)} | ({"id": "7"} if "id" in change else {})
    response = send(client, body | change | {"ticket": a_ticket(client, **place)}, key="k")
    assert is_problem(response, 422, "key-reused")
    assert len(everything(app)["comment"]) == 1


def test_a_key_of_one_site_means_nothing_on_another(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_site(app, key="second")
    body = dict(a_body(a_ticket(client)))
    first = send(client, body, key="k").get_json()
    second = send(client, body | {"ticket": a_ticket(client, site="second")}, site="second", key="k")
    assert second.status_code == 202
    assert second.get_json()["comment"]["id"] != first["comment"]["id"]


@pytest.mark.parametrize("key", ["", " " * 0, "x" * 201, "é", "\x7f", "a\tb"])
@on_sqlite
def test_a_key_is_short_and_printable(app: Flask, site: SiteView, client: FlaskClient, key: str) -> None:
    response = send(client, a_body(a_ticket(client)), key=key)
    assert is_problem(response, 400, "malformed")
    assert everything(app)["comment"] == []


def test_what_was_already_said_is_a_duplicate_and_gives_no_receipt(
    site: SiteView, client: FlaskClient
) -> None:
    post_comment(client, name="Ana", text="Twice.")
    response = send(client, a_body(a_ticket(client), name="Ana", text="Twice."))
    assert is_problem(response, 409, "duplicate-comment")
    assert "receipt" not in response.text


def test_a_closed_article_and_a_closed_site_take_no_comments(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    with app.app_context():
        open_or_close(a_comment(app, site).thread_id, is_open=False, by=None, now=NOW)
    assert is_problem(send(client, a_body(a_ticket(client))), 409, "thread-closed")
    assert ask(client, "thread").get_json()["thread"]["open"] is False
    change_site(app, site, is_open=False)
    other = {"url": f"{ARTICLE}-2"}
    assert is_problem(send(client, a_body(a_ticket(client, **other), **other)), 409, "thread-closed")


def test_all_wrong_fields_are_named_at_once_in_the_order_of_the_form(
    site: SiteView, client: FlaskClient
) -> None:
    wrong = {"name": "", "email": "nobody", "website": "javascript:alert(1)", "text": " \n", "parent": "x"}
    response = send(client, a_body(a_ticket(client), **wrong))
    assert list(wrong_fields(response).items()) == [
        ("text", "required"),
        ("name", "required"),
        ("email", "invalid"),
        ("website", "invalid"),
        ("parent", "refused"),
    ]
    assert all(error["detail"].endswith((".", "!")) for error in response.get_json()["errors"])


@pytest.mark.parametrize("status", ["pending", "spam", "trash"])
@on_sqlite
def test_a_reply_answers_an_approved_comment_only(
    app: Flask, site: SiteView, client: FlaskClient, status: str
) -> None:
    hidden = a_comment(app, site, status=status)
    response = send(client, a_body(a_ticket(client), parent=str(hidden.id)))
    nobody = send(client, a_body(a_ticket(client), parent="999999"))
    assert wrong_fields(response) == {"parent": "refused"}
    assert response.get_json() == nobody.get_json()  # whether it exists is nobody's business


def test_a_reply_to_a_comment_of_another_article_is_refused(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    elsewhere = a_comment(app, site, url=f"{ARTICLE}-2")
    response = send(client, a_body(a_ticket(client), parent=str(elsewhere.id)))
    assert wrong_fields(response) == {"parent": "refused"}


def test_a_site_may_ask_for_less(app: Flask, site: SiteView, client: FlaskClient) -> None:
    change_site(app, site, name_required=False, email_required=False)
    assert ask(client, "thread").get_json()["form"]["required"] == ["text"]
    assert send(client, a_body(a_ticket(client), name=None, email=None)).status_code == 202


def test_fields_at_their_limits_pass_and_one_more_does_not(site: SiteView, client: FlaskClient) -> None:
    long_email = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example.org"
    full = {
        "name": "ö" * 245,
        "email": long_email,
        "text": "ö" * 32_762 + "x",
        "website": "https://e.org/".ljust(200, "w"),
    }
    assert post_comment(client, **full)["comment"]["author"]["name"] == "ö" * 245
    over = {name: value + "x" for name, value in full.items() if name != "email"}
    response = send(client, a_body(a_ticket(client), **over, email="a" * 250 + "@example.org"))
    assert wrong_fields(response) == dict.fromkeys(("text", "name", "email", "website"), "too_long")


# --- counts ---


def test_counts_come_in_the_order_asked(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site, title="A bridge")
    urls = [f"{ARTICLE}-none", ARTICLE, "garbage", ARTICLE]
    answer = ask(client, "counts", url=urls).get_json()
    assert [(c["url"], c["count"]) for c in answer["counts"]] == list(zip(urls, [0, 1, 0, 1], strict=True))
    assert answer["counts"][1] == {
        "url": ARTICLE,
        "count": 1,
        "label": "1 comment",
        "heading": "One thought on “A bridge”",
    }


@on_sqlite
@pytest.mark.parametrize(("amount", "status"), [(0, 422), (1, 200), (100, 200), (101, 422)])
def test_counts_are_given_for_one_to_a_hundred_addresses(
    app: Flask, site: SiteView, client: FlaskClient, amount: int, status: int
) -> None:
    response = ask(client, "counts", url=[f"{ARTICLE}-{n}" for n in range(amount)])
    assert response.status_code == status
    assert status == 200 or wrong_fields(response) == {"url": "amount"}


# --- doors and methods ---


@on_sqlite
def test_a_method_that_a_route_does_not_have_is_405_with_the_ones_it_has(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    wrong = {"thread": "POST", "ticket": "DELETE", "counts": "PUT", "comments": "GET"}
    for route, method in wrong.items():
        response = client.open(f"/api/v1/sites/demo/{route}", method=method, json={})
        assert is_problem(response, 405, "method-not-allowed")
        allowed = {"POST"} if route == "comments" else {"GET", "HEAD"}
        assert set(response.headers["Allow"].split(", ")) == {*allowed, "OPTIONS"}


@on_sqlite
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "PATCH", "GET\tX"])
def test_a_method_nobody_serves_is_405(app: Flask, site: SiteView, client: FlaskClient, method: str) -> None:
    for path in ("/api/v1/sites/demo/thread", "/sites/demo/thread", "/embed.js", "/healthz", "/login"):
        response = client.open(path, method=method, json={}, query_string={"url": ARTICLE})
        assert response.status_code in (403, 405), path
        assert response.status_code == 403 or "Allow" in response.headers


@on_sqlite
def test_a_get_is_never_taken_for_a_post(app: Flask, site: SiteView, client: FlaskClient) -> None:
    before = everything(app)
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE", "Origin": ORIGIN}
    body = dict(a_body(a_ticket(client)))
    query = {**{k: str(v) for k, v in body.items()}, "_method": "POST"}
    response = client.get("/api/v1/sites/demo/comments", query_string=query, headers=override, json=body)
    assert response.status_code == 405
    assert everything(app) == before


def test_a_site_that_is_not_there_is_404_on_every_route(client: FlaskClient) -> None:
    for key in ("nobody", "Demo", "demo%00", "d%C3%A9mo", "%", "_emo", "x" * 5_000, "demo%20", "%2e%2e"):
        for route in API_GETS:
            assert ask(client, route, site=key).status_code == 404, key
        assert send(client, {}, site=key).status_code == 404, key


@on_sqlite
def test_a_route_that_is_not_there_is_404_below_a_site_too(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    for path in (
        "/api/v1/sites/demo/users",
        "/api/v1/sites/demo",
        "/api/v2",
        "/api/v1/comments",
        "/.git/HEAD",
    ):
        assert is_problem(client.get(path), 404, "not-found"), path


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/problem+json",
        "application/jsonx",
        "text/plain; application/json",
    ],
)
@on_sqlite
def test_the_json_door_takes_json_only(app: Flask, site: SiteView, client: FlaskClient, kind: str) -> None:
    body = json.dumps(dict(a_body(a_ticket(client)))).encode()
    response = send(client, body, headers={"Content-Type": kind})
    assert is_problem(response, 415, "type-refused")
    assert everything(app)["comment"] == []


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-16", "APPLICATION/JSON", "application/json;charset=utf-7"]
)
@on_sqlite
def test_json_is_utf_8_whatever_a_charset_says(
    app: Flask, site: SiteView, client: FlaskClient, kind: str
) -> None:
    body = json.dumps(dict(a_body(a_ticket(client), text="+ADw-b+AD4- ü")), ensure_ascii=False).encode()
    answer = send(client, body, headers={"Content-Type": kind}).get_json()
    assert answer["comment"]["html"] == "<p>+ADw-b+AD4- ü</p>"


@on_sqlite
def test_a_body_without_length_is_411(app: Flask, site: SiteView, client: FlaskClient) -> None:
    for path in ("/api/v1/sites/demo/comments", "/sites/demo/thread"):
        response = client.post(path, headers={"Origin": ORIGIN}, query_string={"url": ARTICLE})
        chunked = client.post(
            path,
            data=b"{}",
            headers={"Origin": ORIGIN, "Transfer-Encoding": "chunked"},
            content_type="application/json",
            query_string={"url": ARTICLE},
        )
        assert is_problem(chunked, 411, "length-required")
        assert response.status_code in (400, 403, 411, 415)


@on_sqlite
def test_a_body_over_512_kib_is_413(app: Flask, site: SiteView, client: FlaskClient) -> None:
    assert is_problem(send(client, b'{"x": "' + b"x" * (512 * 1024) + b'"}'), 413, "body-too-large")


REFUSED: list[tuple[Any, Any]] = [
    ("null", []),
    ("https://evil.example.net/", []),
    ("", []),
    (ARTICLE, "undefined"),
    (ARTICLE, ""),
    ([], []),
]


@on_sqlite
def test_an_address_no_article_can_have_is_422_with_a_sentence(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    for route in ("thread", "ticket"):
        for url, article_id in REFUSED:
            response = ask(client, route, url=url, id=article_id)
            assert wrong_fields(response) in ({"url": "refused"}, {"id": "refused"})
            said = [response.get_json()["detail"], *(e["detail"] for e in response.get_json()["errors"])]
            assert all(" " in sentence and sentence.endswith(".") for sentence in said), said


# --- no cookies ---


def test_no_public_answer_reads_or_sets_a_cookie(app: Flask, site: SiteView, client: FlaskClient) -> None:
    sent = post_comment(client)
    answers = [
        *(ask(client, route) for route in API_GETS),
        own(client, sent["comment"]["id"], sent["receipt"]),
        client.get("/embed.js"),
        client.get("/count.js"),
        client.get("/healthz"),
        client.get("/nothing-here"),
    ]
    assert not any("Set-Cookie" in r.headers or "Cookie" in r.headers.get("Vary", "") for r in answers)


@on_sqlite
def test_problems_are_not_kept(app: Flask, site: SiteView, client: FlaskClient) -> None:
    for response in (ask(client, "thread", cursor="x"), ask(client, "thread", site="x"), send(client, b"[")):
        assert response.mimetype == PROBLEM
        assert response.headers["Cache-Control"] == "no-store"


@on_sqlite
def test_the_addresses_in_answers_come_from_the_public_url_alone(settings: Any, make_app: Any) -> None:
    app = make_app(settings.model_copy(update={"public_url": "https://comments.example.org/c"}))
    a_site(app)
    client = app.test_client()
    lies = {
        "Host": "evil.example.net",
        "X-Forwarded-Host": "evil.example.net",
        "Forwarded": "host=evil.example.net",
    }
    thread = ask(client, "thread", headers=lies).get_json()
    sent = send(client, a_body(a_ticket(client)), headers=lies).get_json()
    assert thread["form"]["page_url"].startswith("https://comments.example.org/c/sites/demo/thread?url=")
    assert sent["status_url"].startswith("https://comments.example.org/c/status/")
    assert wiring_of(app).settings.public_origin == "https://comments.example.org"
