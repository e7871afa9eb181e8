"""The door without JavaScript: who may send its form, where it leads, what a refused one keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from comments_service.decisions.articles import open_or_close
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.storage.database import db
from comments_service.vocabulary import SiteView, Status
from tests.conftest import NOW, Clock
from tests.doors import (
    FORM,
    OWN_ORIGIN,
    a_ticket,
    everything,
    form_fields,
    is_problem,
    page,
    page_ticket,
    post_comment,
    send_form,
)
from tests.factories import ARTICLE, ORIGIN, a_comment, a_site

TYPED = "My long & <careful> text."
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def status_page(client: FlaskClient, response: TestResponse) -> TestResponse:
    """Follow a 303 by hand: it must lead to an address of ours."""
    assert response.status_code == 303, response.text
    address = urlsplit(response.headers["Location"])
    assert f"{address.scheme}://{address.netloc}" == OWN_ORIGIN
    return client.get(address.path)


def sent(client: FlaskClient, **fields: str) -> TestResponse:
    """Open the page and send its form."""
    return send_form(client, form_fields(page_ticket(page(client)), **fields))


# --- reading ---


def test_the_page_shows_what_the_widget_shows(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site, name="Ana & <b>", text="*Approved*.", title="A bridge")
    a_comment(app, site, status="pending", text="Hidden.")
    response = page(client)
    assert response.status_code == 200
    assert "<em>Approved</em>" in response.text
    assert "Ana &amp; &lt;b&gt;" in response.text
    assert "One thought on “A bridge”" in response.text
    assert "Hidden." not in response.text


def test_a_look_at_the_page_stores_nothing(app: Flask, site: SiteView, client: FlaskClient) -> None:
    before = everything(app)
    assert page(client, title="A title", lang="xx", sort="?", reply="1").status_code == 200
    assert everything(app) == before


@on_sqlite
def test_an_asked_title_is_text_and_nothing_else(app: Flask, site: SiteView, client: FlaskClient) -> None:
    shown = page(client, title='"><script>alert(1)</script>{{ 7*7 }}', reply='"><i>').text
    assert "<script>alert" not in shown
    assert "{{ 7*7 }}" in unescape(shown)
    assert '"><i>' not in shown


@on_sqlite
def test_no_cache_between_keeps_the_page_or_its_ticket(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    response = page(client)
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers.get("Vary", "")


# --- the owner's noscript line ---


@on_sqlite
def test_the_link_of_the_noscript_line_finds_its_article_by_the_referer(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    response = client.get("/sites/demo/thread", headers={"Referer": f"{ARTICLE}?id=4&utm_source=x"})
    address = urlsplit(response.headers["Location"])
    assert response.status_code == 303
    assert address.path == "/sites/demo/thread"
    assert parse_qs(address.query) == {"url": [f"{ARTICLE}?id=4&utm_source=x"]}
    assert "public" not in response.headers["Cache-Control"]


@on_sqlite
def test_the_link_of_the_noscript_line_keeps_the_owners_id(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    link = "/sites/demo/thread?id=42&lang=en&cursor=x"
    response = client.get(link, headers={"Referer": ARTICLE})
    asked = parse_qs(urlsplit(response.headers["Location"]).query)
    assert asked == {"url": [ARTICLE], "id": ["42"], "lang": ["en"]}
    assert client.get(response.headers["Location"]).status_code == 200


NO_ARTICLE: list[str | None] = [
    None,
    "",
    "about:blank",
    "https://evil.example.net/",
    "https://news.example.org.evil.example.net/a",
    "//news.example.org/a",
    "https://evil.example.net/?https://news.example.org/a",
    "https://news.example.org@evil.example.net/",
    "https://user:secret@news.example.org/a",
    "javascript:alert(1)",
    "https://news.example.org/a\r\nSet-Cookie: a=b".replace("\r\n", "%0d%0a\t"),
    "https://news.example.org/" + "x" * 3_000,
    "http://[",
]


@on_sqlite
def test_without_an_article_the_page_says_so_in_a_sentence(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    for referer in NO_ARTICLE:
        headers = {"Accept": "text/html"} | ({"Referer": referer} if referer is not None else {})
        response = client.get("/sites/demo/thread", headers=headers)
        assert (response.status_code, response.mimetype) == (422, "text/html"), referer
        assert "Location" not in response.headers
        assert "evil" not in response.text


@on_sqlite
@pytest.mark.parametrize("url", ["null", "", "https://evil.example.net/", "{{ url }}", "x" * 3_000])
def test_an_address_that_is_no_article_is_a_422_page(
    app: Flask, site: SiteView, client: FlaskClient, url: str
) -> None:
    response = page(client, url=url)
    assert (response.status_code, response.mimetype) == (422, "text/html")
    assert "{{ url }}" not in unescape(response.text)


@on_sqlite
def test_no_redirect_of_ours_follows_the_host_header(app: Flask, site: SiteView, client: FlaskClient) -> None:
    lies = {"Host": "evil.example.net", "X-Forwarded-Host": "evil.example.net", "Referer": ARTICLE}
    paths = (
        "/sites/demo/thread",
        "//sites//demo/thread",
        "/sites/demo//thread",
        "/sites/demo/thread/",
        "//x",
    )
    for path in paths:
        response = client.get(path, headers=lies)
        assert "evil" not in response.headers.get("Location", ""), path
        assert "evil" not in response.text, path


# --- who may send ---


def test_our_own_page_may_send_its_form(site: SiteView, client: FlaskClient) -> None:
    assert sent(client).status_code == 303


def test_so_may_a_browser_that_tells_no_origin_but_says_same_origin(
    site: SiteView, client: FlaskClient
) -> None:
    fields = form_fields(page_ticket(page(client)))
    assert send_form(client, fields, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": ORIGIN},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://evil.example.net", "Sec-Fetch-Site": "same-origin"},
    {"Origin": f"{OWN_ORIGIN}.evil.example.net"},
    {"Origin": "http://localhost:8001"},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:8000@evil.example.net"},
    {"Origin": f"{OWN_ORIGIN}, https://evil.example.net"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "SAME-ORIGIN, x"},
    {"Referer": f"{OWN_ORIGIN}/sites/demo/thread"},
    {"Origin": "http://evil.example.net", "Host": "evil.example.net"},
]


@on_sqlite
def test_no_other_page_may_send_it(app: Flask, site: SiteView, client: FlaskClient) -> None:
    before = everything(app)
    for headers in FOREIGN:
        response = send_form(client, form_fields(page_ticket(page(client))), headers=headers)
        assert (response.status_code, response.mimetype) == (403, "text/html"), headers
        assert not any(name.startswith("Access-Control") for name, _ in response.headers)
    assert everything(app) == before


@on_sqlite
@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
        "application/x-www-form-urlencodedx",
    ],
)
def test_the_page_door_takes_forms_only(app: Flask, site: SiteView, client: FlaskClient, kind: str) -> None:
    body = urlencode(form_fields(page_ticket(page(client))))
    response = client.post(
        "/sites/demo/thread",
        query_string={"url": ARTICLE},
        data=body,
        headers={"Origin": OWN_ORIGIN, "Content-Type": kind},
    )
    assert is_problem(response, 415, "type-refused")
    assert everything(app)["comment"] == []


# --- sending ---


def test_a_sent_form_leads_to_the_status_page_of_that_comment(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    shown = status_page(client, sent(client, text="Mine.", name="Ana"))
    post_comment(client, text="Not mine.")
    assert shown.status_code == 200
    assert "Mine." in shown.text
    assert "Not mine." not in shown.text
    assert len(everything(app)["comment"]) == 2


def test_the_same_form_sent_twice_is_one_comment(app: Flask, site: SiteView, client: FlaskClient) -> None:
    fields = form_fields(page_ticket(page(client)))
    first, second = send_form(client, fields), send_form(client, fields)
    assert (first.status_code, first.headers["Location"]) == (303, second.headers["Location"])
    assert len(everything(app)["comment"]) == 1


def test_a_used_ticket_sends_no_other_comment(app: Flask, site: SiteView, client: FlaskClient) -> None:
    ticket = page_ticket(page(client))
    send_form(client, form_fields(ticket))
    again = send_form(client, form_fields(ticket, text=TYPED))
    assert again.status_code == 422
    assert TYPED in unescape(again.text)
    assert len(everything(app)["comment"]) == 1
    assert send_form(client, form_fields(page_ticket(again), text=TYPED)).status_code == 303


def test_a_reply_is_sent_by_its_link(app: Flask, site: SiteView, client: FlaskClient) -> None:
    parent = a_comment(app, site, name="Ana")
    shown = page(client, reply=str(parent.id))
    assert "Leave a Reply to Ana" in shown.text
    fields = form_fields(page_ticket(shown), parent=str(parent.id))
    assert send_form(client, fields).status_code == 303
    assert len(everything(app)["comment"]) == 2


# --- what a refused form keeps ---


def kept(response: TestResponse, status: int, text: str = TYPED) -> bool:
    """Whether a refused form came back as a page with that status, what was typed, and a fresh ticket."""
    assert response.status_code == status, response.text
    shown = unescape(response.text)
    return response.mimetype == "text/html" and text in shown and bool(page_ticket(response))


def test_wrong_fields_come_back_with_everything_typed_but_the_email(
    site: SiteView, client: FlaskClient
) -> None:
    wrong = sent(client, text=TYPED, name="A\u202eB", email="nobody@", website="javascript:alert(1)")
    assert kept(wrong, 422)
    assert "javascript:alert(1)" in wrong.text  # in the field, as a value
    assert 'href="javascript:' not in wrong.text
    assert "This name has characters that cannot be shown." in wrong.text
    assert "nobody@" not in wrong.text  # whoever uses this browser next must not read it in the cache


def test_an_old_ticket_costs_no_text(site: SiteView, client: FlaskClient, clock: Clock) -> None:
    fields = form_fields(page_ticket(page(client)), text=TYPED)
    clock.forward(hours=5)
    refused = send_form(client, fields)
    assert kept(refused, 403)
    assert send_form(client, fields | {"ticket": page_ticket(refused)}).status_code == 303


@on_sqlite
def test_a_ticket_for_another_article_or_none_costs_no_text(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    a_site(app, key="second")
    foreign = [
        a_ticket(client, url=f"{ARTICLE}-2"),
        a_ticket(client, id="7"),
        a_ticket(client, site="second"),
        post_comment(client)["receipt"],
        "",
        "forged",
        "ü.x",
    ]
    for ticket in foreign:
        assert kept(send_form(client, form_fields(ticket, text=TYPED)), 403)
    assert len(everything(app)["comment"]) == 1


def test_duplicates_limits_and_closed_articles_cost_no_text(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    sent(client, text=TYPED, name="Ana")
    assert kept(sent(client, text=TYPED, name="Ana"), 409)
    ticket = page_ticket(page(client))
    address, headers = "/sites/demo/thread", {"Origin": OWN_ORIGIN}
    for status in (303, 429):
        fields = urlencode(form_fields(ticket, text=TYPED, name=str(status)))
        response = client.post(
            address, query_string={"url": ARTICLE}, data=fields, content_type=FORM, headers=headers
        )
        ticket = page_ticket(page(client))
    assert kept(response, 429)
    assert response.headers["Retry-After"] == "10"
    with app.app_context():
        open_or_close(1, is_open=False, by=None, now=NOW)
    assert kept(send_form(client, form_fields(ticket, text=TYPED, name="Ben")), 409)


@on_sqlite
def test_what_is_typed_never_becomes_markup(app: Flask, site: SiteView, client: FlaskClient) -> None:
    attack = "</textarea><script>alert(1)</script>'\" onfocus=alert(2) {{ config }}"
    response = sent(client, text=attack, name=attack, website=attack, email=attack, parent=attack)
    assert response.status_code == 422
    assert "<script>alert" not in response.text
    assert "</textarea><script" not in response.text
    assert '" onfocus' not in response.text


@on_sqlite
def test_fields_of_the_form_cannot_speak_for_its_address(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    for extra in ({"id": "7"}, {"url": "https://evil.example.net/"}, {"url": f"{ARTICLE}-2"}):
        response = send_form(client, form_fields(page_ticket(page(client)), **extra))
        assert response.status_code in (303, 403)
    assert {row[3] for row in everything(app)["thread"]} <= {ARTICLE}


# --- the status page ---


@on_sqlite
@pytest.mark.parametrize(
    ("status", "said"), [("pending", "awaiting"), ("approved", "published"), ("spam", ""), ("trash", "")]
)
def test_the_status_page_tells_what_became_of_the_comment_and_never_why(
    app: Flask, site: SiteView, client: FlaskClient, status: str, said: str
) -> None:
    answer = post_comment(client)
    if status != "pending":
        with app.app_context():
            decide(Change(int(answer["comment"]["id"]), 1, Status(status)), by=None, now=NOW)
            db.session.rollback()
    shown = client.get(urlsplit(answer["status_url"]).path)
    assert shown.status_code == 200
    assert said in shown.text
    assert "spam" not in shown.text.lower().replace("spamm", "")
    assert "trash" not in shown.text.lower()


def test_spam_and_trash_look_the_same_to_their_author(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    pages = []
    for status in (Status.SPAM, Status.TRASH):
        answer = post_comment(client, name="Same", text=f"Text {status} of it")
        with app.app_context():
            decide(Change(int(answer["comment"]["id"]), 1, status), by=None, now=NOW)
            db.session.rollback()
        shown = client.get(urlsplit(answer["status_url"]).path).text.replace(f"Text {status} of it", "")
        pages.append(shown.replace(f"comment-{answer['comment']['id']}", ""))
    assert pages[0] == pages[1]


def test_the_status_page_ends_after_30_days(site: SiteView, client: FlaskClient, clock: Clock) -> None:
    path = urlsplit(post_comment(client)["status_url"]).path
    clock.now = NOW + timedelta(days=30, seconds=-1)
    assert client.get(path).status_code == 200
    clock.now = NOW + timedelta(days=30)
    assert client.get(path).status_code == 404


def test_the_status_page_is_kept_by_no_cache_and_no_search_engine(
    site: SiteView, client: FlaskClient
) -> None:
    headers = client.get(urlsplit(post_comment(client)["status_url"]).path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "ETag" not in headers


@on_sqlite
def test_only_a_status_token_opens_a_status_page(app: Flask, site: SiteView, client: FlaskClient) -> None:
    answer = post_comment(client)
    token = answer["status_url"].rpartition("/")[2]
    head, _, signature = token.partition(".")
    wrong = [
        answer["receipt"],
        a_ticket(client),
        head,
        f"{head}.",
        f"{head}.{signature}x",
        token.upper(),
        "1",
    ]
    wrong += [
        f"{head}A.{signature}",
        f".{signature}",
        f"{token}.{signature}",
        "%00",
        "ü",
        "x" * 9_000,
        "..%2f",
    ]
    for one in wrong:
        assert client.get(f"/status/{one}").status_code == 404, one


@on_sqlite
def test_links_of_the_page_stay_on_the_article_and_the_service(
    settings: Any, make_app: Callable[..., Flask]
) -> None:
    app = make_app(settings.model_copy(update={"public_url": "https://comments.example.org/c"}))
    a_comment(app, a_site(app))
    client = app.test_client()
    shown = page(client, title="T&x=1", id="7/8")
    form = shown.text.partition("<form")[2].partition(">")[0]
    assert "https://comments.example.org/c/sites/demo/thread?" in unescape(form) or 'action="/c/' in form
    origin = {"Origin": "https://comments.example.org"}
    query = {"url": ARTICLE, "id": "7/8"}
    response = send_form(client, form_fields(page_ticket(shown)), headers=origin, query=query)
    assert response.headers["Location"].startswith("https://comments.example.org/c/status/")
