"""The piece of HTML that owners put into their own pages: what it says, to people, machines and caches."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from comments_service.storage.database import db
from comments_service.vocabulary import SiteView
from tests.doors import change_site, dangers, everything, is_problem
from tests.doors import page as thread_page
from tests.factories import ARTICLE, ORIGIN, a_comment
from tests.servers import free_port, listening_socket, nginx_in_front, serving

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "static-sites.md"
NAMED = "https://news.example.org/harbour-bridge"  # the article of the document
VOID = {"link", "meta", "br", "circle", "input"}


def fragment(client: FlaskClient, *, site: str = "demo", headers: Any = None, **query: Any) -> TestResponse:
    """GET the fragment, as a browser would that likes pages best."""
    asked, given = {"url": ARTICLE} | query, {"Accept": "text/html"} | (headers or {})
    return client.get(f"/sites/{site}/fragment", query_string=asked, headers=given)


class Items(HTMLParser):
    """Reads microdata as the HTML standard has it (§5.4), as far as this markup uses it."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[dict[str, Any]] = []
        self.open: list[tuple[str, dict[str, Any] | None, tuple[dict[str, Any], str] | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        owner = next((item for _, item, _ in reversed(self.open) if item is not None), None)
        name, value = given.get("itemprop"), given.get("href") or given.get("datetime")
        item = {"type": given["itemtype"], "id": given.get("itemid")} if "itemscope" in given else None
        if item is not None and name is None:
            self.items.append(item)
        if name and owner is not None:
            owner[name] = item if item is not None else value or ""
        takes_text = (owner, name) if name and owner is not None and not value and item is None else None
        if tag not in VOID:
            self.open.append((tag, item, takes_text))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, _, takes_text in self.open:
            if takes_text:
                owner, name = takes_text
                owner[name] += data


def items_of(html: str) -> list[dict[str, Any]]:
    """What machines read of a page."""
    parser = Items()
    parser.feed(html)
    return parser.items


def test_it_says_what_the_thread_says_and_leads_to_the_rest(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    first = a_comment(app, site, name="Ana", text="*Approved*.", title="A bridge")
    reply = a_comment(app, site, name="Ben", parent_id=first.id)
    a_comment(app, site, status="pending", text="Hidden.")
    for _ in range(20):
        a_comment(app, site)
    before = everything(app)
    response = fragment(client, title="", lang="de")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    html = response.text.strip()
    assert html.startswith("<section")
    assert html.endswith("</section>")
    assert not re.search(r"<(html|head|body|main|form|script|style|svg)\b", html)
    assert 'lang="de" dir="ltr"' in html
    assert "22 Gedanken zu „A bridge“" in html
    assert f'id="comment-{first.id}"' in html
    assert f'id="comment-{reply.id}"' in html
    assert "Hidden." not in html
    links = re.findall(r'href="([^"]+)"', html)
    service = [link for link in links if link.startswith("http://localhost:8000/sites/demo/thread?")]
    assert any("cursor=" in link for link in service)  # the rest
    assert any(link.endswith("lang=de#respond") for link in service)  # the form
    assert any(f"reply={first.id}#respond" in link for link in service)
    assert {link for link in links if link not in service} == {
        ARTICLE,
        *(f"{ARTICLE}#{name}" for name in re.findall(r'id="(comment-\d+)"', html)),
    }
    assert everything(app) == before


def test_machines_read_comments_as_schema_org_has_them_on_the_page_too(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    first = a_comment(app, site, name="Ana & <b>", website="https://ana.example.org", text="*Approved*.")
    second = a_comment(app, site, name="Ben", parent_id=first.id, text="Well said.")
    here = f"{ARTICLE}#comment-"
    for shown in (fragment(client), thread_page(client)):
        one, two = items_of(shown.text)
        assert one | {"text": one["text"].strip()} == {
            "type": "https://schema.org/Comment",
            "id": f"{here}{first.id}",
            "url": f"{here}{first.id}",
            "parentItem": ARTICLE,
            "author": {
                "type": "https://schema.org/Person",
                "id": None,
                "name": "Ana & <b>",
                "url": "https://ana.example.org",
            },
            "datePublished": one["datePublished"],
            "text": "Approved.",
        }
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["datePublished"])
        assert (two["id"], two["parentItem"]) == (f"{here}{second.id}", f"{here}{first.id}")
        assert two["author"]["name"] == "Ben"


@on_sqlite
def test_an_article_without_comments_or_closed_has_a_fragment_too(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    before = everything(app)
    empty = fragment(client)
    assert "<h2" in empty.text
    assert "Leave a Reply" in empty.text
    change_site(app, site, is_open=False)
    assert "Comments are closed." in fragment(client).text
    assert "#respond" not in fragment(client).text
    assert everything(app).keys() == before.keys()
    assert everything(app)["thread"] == before["thread"]


@on_sqlite
def test_nothing_hostile_gets_out_of_it(app: Flask, site: SiteView, client: FlaskClient) -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    a_comment(app, site, name=hostile, text=hostile, title=hostile, article_id=hostile)
    html = fragment(client, id=hostile, title=hostile + "{{ 7*7 }}", lang=hostile, sort=hostile).text
    assert dangers(html) == []
    assert "<script" not in html
    assert "alert(1)" in html
    assert "{{ 7*7 }}" in html
    html = fragment(client, url=f"{ARTICLE}?a=%22%3E%3Cscript%3E\"'><script>").text
    assert "<script" not in html


# --- caches ---


def test_it_is_kept_and_asked_for_again_as_the_thread_is(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    a_comment(app, site, text="Approved. " * 200)
    first = fragment(client, headers={"Origin": ORIGIN})
    headers = {"Origin": ORIGIN, "If-None-Match": first.headers["ETag"]}
    with app.app_context():
        engine = db.engine
    said: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    again = fragment(client, headers=headers)
    event.remove(engine, "before_cursor_execute", listen)
    assert (again.status_code, again.data) == (304, b"")
    assert len([one for one in said if one.startswith("SELECT")]) <= 3, said  # site, article, alias
    left_out = {"Content-Type", "Content-Length"}
    assert {n: v for n, v in again.headers if n not in left_out} == {
        n: v for n, v in first.headers if n not in left_out
    }
    assert first.headers["Cache-Control"] == "no-cache"
    assert first.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert first.headers["X-Robots-Tag"] == "noindex"
    assert set(first.headers["Vary"].split(", ")) == {"Origin", "Accept-Encoding"}
    a_comment(app, site)
    assert fragment(client, headers=headers).status_code == 200
    packed = fragment(client, headers={"Accept-Encoding": "br"})
    assert packed.headers["Content-Encoding"] == "br"
    assert brotli.decompress(packed.data).decode() == fragment(client).text


@on_sqlite
def test_it_depends_on_the_question_alone(app: Flask, site: SiteView, client: FlaskClient) -> None:
    a_comment(app, site)
    asker = {"Accept-Language": "de", "Cookie": "a=b", "Referer": f"{ORIGIN}/x", "User-Agent": "x"}
    assert fragment(client, headers=asker).text == fragment(client).text
    assert fragment(client, cursor="x", comment="1").text == fragment(client).text
    queries: list[dict[str, str]] = [{}, {"lang": "de"}, {"title": "x"}, {"sort": "newest"}, {"id": "7"}]
    assert len({fragment(client, **query).headers["ETag"] for query in queries}) == len(queries)


@on_sqlite
def test_what_is_refused_is_never_a_page_within_a_page(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    assert is_problem(fragment(client, site="nobody"), 404, "site-not-found")
    assert is_problem(fragment(client, url="https://elsewhere.example.org/"), 422, "fields-refused")
    assert is_problem(fragment(client, url="javascript:alert(1)"), 422, "fields-refused")
    assert is_problem(
        client.get("/sites/demo/fragment", headers={"Accept": "text/html"}), 422, "fields-refused"
    )
    foreign = fragment(client, headers={"Origin": "https://elsewhere.example.org"})
    assert is_problem(foreign, 403, "origin-refused")


# --- in the owner's page ---


def lines_of(kind: str) -> list[str]:
    """The examples of one kind in the document for owners."""
    return re.findall(rf"```{kind}\n(.*?)```", DOCUMENT.read_text("utf-8"), flags=re.DOTALL)


@on_sqlite
def test_nginx_puts_it_into_a_page_by_the_lines_of_the_document(
    app: Flask, site: SiteView, tmp_path: Path
) -> None:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    change_site(app, site, origins=[origin])
    a_comment(app, replace(site, origins=(origin,)), url=f"{origin}/article.html", text="In *the* page.")
    include, (server, cache) = lines_of("html")[1], lines_of("nginx")
    for name, about in (("article", "article.html"), ("late", "late.html"), ("wrong", "null")):
        named = include.replace(quote(NAMED, safe=""), quote(f"{origin}/{about}", safe=""))
        (tmp_path / f"{name}.html").write_text(f"<h1>A</h1>{named}<footer>F</footer>")

    def sent(name: str) -> str:
        with urlopen(f"{origin}/{name}.html") as answer:
            return re.sub(r">\s+<", "><", answer.read().decode())

    with listening_socket() as listener:
        upstream = listener.getsockname()[1]
        server = server.replace("https://comments.example/", f"http://127.0.0.1:{upstream}/")
        lines = {
            "http": f"proxy_cache_path {tmp_path}/kept keys_zone=comments:1m max_size=50m;",
            "server": f"root {tmp_path};\n{server.replace('internal;', f'internal;{cache}')}",
        }
        with nginx_in_front(tmp_path, port=port, path="/comments", upstream=upstream, **lines):
            with serving(app, listener):
                page = sent("article")
                assert page.startswith('<h1>A</h1><section class="comments"')
                assert "<p>In <em>the</em> page.</p>" in page
                assert page.endswith("</section><footer>F</footer>")
                assert sent("wrong") == "<h1>A</h1><footer>F</footer>"
            listener.close()
            assert sent("article") == page
            assert sent("late") == "<h1>A</h1><footer>F</footer>"
