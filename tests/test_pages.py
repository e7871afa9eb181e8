"""Every page of ours: its frame, its words from the catalogue, no style or script inside, its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.article_url import identify
from comments_service.settings import PACKAGE, Settings
from comments_service.storage.database import transaction
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView
from tests.doors import change_site, form_fields, page, page_ticket, send_form, sign_in
from tests.factories import ARTICLE, a_comment
from tools.thread_load import add

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TEMPLATES = Settings().template_dir
FILES = sorted(TEMPLATES.rglob("*.html"))
KEYS = Catalogue.load().languages["en"]
HTML = {"Accept": "text/html"}


def name_of(file: Path) -> str:
    """A template's name as views write it."""
    return str(file.relative_to(TEMPLATES))


def sources() -> Iterator[str]:
    """All that may name a key of the catalogue."""
    yield from (file.read_text(encoding="utf-8") for file in FILES)
    yield from (file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))


# --- templates ---


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_template_holds_no_style_and_no_script(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if file.is_relative_to(TEMPLATES / "mail"):  # a letter has no sheet to link to
        text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_template_marks_as_safe_only_what_is_named_html(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert all(value.endswith(".html") for value in re.findall(r"([\w.]+)\s*\|\s*safe", text))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_template_takes_its_words_from_the_catalogue(file: Path) -> None:
    template = r"<style>.*?</style>|{% block kind %}.*?{% endblock kind %}|{#.*?#}|{%.*?%}|{{.*?}}|<[^>]+>"
    text = re.sub(template, " ", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r' [a-z-]+="\s*"', " ", text)  # what a macro puts into a tag elsewhere
    assert not re.findall(r"[A-Za-z]{2,}", text)


def test_every_word_that_a_template_asks_for_is_there() -> None:
    asked = {key for text in sources() for key in re.findall(r'say(?:_count)?\("([a-z_.]+[a-z_])"', text)}
    assert len(asked) > 60
    assert not asked - set(KEYS)


def test_no_word_of_the_pages_is_left_over() -> None:
    text = "\n".join(sources())
    made = r"queue\.(action|badge|bulk|chip|empty|filter|heading|history|keys|mark)\."
    made += r"|queue\.(report|sort|status|surge|trouble|view|why)\."
    made += r"|queue\.(done|reason|article|too_late)\.|status\.|(page|account)\.error\.|account\.told\."
    ours = [key for key in KEYS if key.startswith(("queue.", "account.", "page.", "status."))]
    unused = [key for key in ours if f'"{key}"' not in text and not re.match(made, key)]
    assert not unused


# --- the frame ---


@pytest.mark.parametrize(
    "address", ["/login", "/queue", "/queue?status=all", "/account", "/nothing", "/sites/x/thread"]
)
@on_sqlite
def test_every_page_has_one_heading_one_main_a_title_and_a_way_past_the_bar(
    app: Flask, site: SiteView, address: str
) -> None:
    a_comment(app, site, status="pending")
    client = app.test_client() if address == "/login" else sign_in(app)
    text = client.get(address, headers=HTML).text
    assert len(re.findall(r"<h1\b", text)) == len(re.findall(r"<main\b", text)) == 1
    assert re.search(r"<title>[^<]+</title>", text)
    assert text.index('href="#content"') < text.index('id="content"')
    assert '<html lang="en" dir="ltr">' in text


@pytest.mark.parametrize(
    "address", ["/login", "/nothing", "/sites/demo/thread?url=https://news.example.org/article"]
)
@on_sqlite
def test_a_page_is_framed_by_nobody_and_runs_nothing_but_ours(
    site: SiteView, client: FlaskClient, address: str
) -> None:
    policy = client.get(address, headers=HTML).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("method", "address", "status", "told"),
    [
        ("GET", "/nothing", 404, "There is nothing at this address"),
        ("GET", "/sites/nobody/thread?url=x", 404, "There is no such site"),
        ("GET", "/status/forged", 404, "This comment is no longer here"),
        ("PUT", "/login", 405, "This page cannot be used like that"),
    ],
)
@on_sqlite
def test_an_error_is_a_page_that_says_what_to_do(
    client: FlaskClient, method: str, address: str, status: int, told: str
) -> None:
    response = client.open(address, method=method, headers=HTML, data={"x": "y"})
    assert (response.status_code, response.mimetype) == (status, "text/html")
    assert told in unescape(response.text)


# --- files ---


def test_a_page_names_its_files_by_their_content_and_they_are_kept_for_ever(client: FlaskClient) -> None:
    found = re.findall(r'(?:href|src)="(/assets/[^"]+)"', client.get("/login").text)
    assert len(found) == 4
    for address in found:
        response = client.get(address)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("address", ["/assets/pages.css", "/assets/pages.css?v=0123456789abcdef"])
@on_sqlite
def test_under_any_other_address_a_file_is_asked_for_again(client: FlaskClient, address: str) -> None:
    response = client.get(address)
    assert response.headers["Cache-Control"] == "public, no-cache"
    again = client.get(address, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "name", ["embed.js", "comment-form.js", "../app.py", "..%2Fapp.py", "pages.css/", ""]
)
@on_sqlite
def test_nothing_but_the_listed_files_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


# --- the thread without JavaScript ---


def test_the_form_has_the_order_and_the_marks_that_readers_know(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    text = page(client).text
    order = [text.index(f'name="{name}"') for name in ("text", "name", "email", "website")]
    assert order == sorted(order)
    labels = re.findall(r'<label[^>]*for="(\w+)">\s*(\w+)\s*(?:<span[^>]*>( \*)</span>)?', text)
    assert labels == [
        ("text", "Comment", " *"),
        ("name", "Name", " *"),
        ("email", "Email", " *"),
        ("website", "Website", ""),
        ("subject", "Leave", ""),  # which no person sees
    ]
    assert re.findall(r'autocomplete="(\w+)"', text) == ["name", "email", "url", "off"]


def test_the_asterisks_follow_what_the_site_asks_for(app: Flask, site: SiteView, client: FlaskClient) -> None:
    change_site(app, site, name_required=False, email_required=False)
    text = page(client).text
    assert text.count('class="field__star"') == 1
    assert len(re.findall(r"<(?:input|textarea)[^>]* required", text)) == 1


def test_each_wrong_field_is_tied_to_its_sentence_and_listed_on_top(
    site: SiteView, client: FlaskClient
) -> None:
    fields = form_fields(page_ticket(page(client)), name="", email="nonsense", text="Kept <text>.")
    text = send_form(client, fields).text
    for name in ("name", "email"):
        tag = next(tag for tag in re.findall(r"<input[^>]*>", text) if f'id="{name}"' in tag)
        assert 'aria-invalid="true"' in tag
        assert re.search(rf'aria-describedby="{name}-error\b', tag)
        assert f'id="{name}-error"' in text
        assert f'href="#{name}"' in text
    assert "autofocus" in text
    assert "Kept &lt;text&gt;." in text


def test_a_reply_link_puts_the_name_over_the_form(app: Flask, site: SiteView, client: FlaskClient) -> None:
    comment = a_comment(app, site, name="Leyla")
    link = re.search(r'href="([^"]+reply=\d+[^"]*#respond)"', page(client).text)
    assert link
    text = page(client, reply=str(comment.id)).text
    assert "Leave a Reply to Leyla" in text
    assert "Cancel reply" in text
    assert f'name="parent" value="{comment.id}"' in text


def test_replies_stand_below_what_they_answer(app: Flask, site: SiteView, client: FlaskClient) -> None:
    first = a_comment(app, site)
    below = a_comment(app, site, parent_id=first.id)
    other = a_comment(app, site)
    found = re.findall(r'level--(\d+)">\s*<article class="comment" id="comment-(\d+)"', page(client).text)
    assert found == [("1", str(first.id)), ("2", str(below.id)), ("1", str(other.id))]


def link(text: str, words: str) -> str:
    """Where the link with these words leads."""
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>\s*{words}\s*</a>', text)
    assert found, f"no link says {words}"
    return unescape(found[1])


def comments_of(text: str) -> list[int]:
    """The comments on a page, by the ids that links may lead to."""
    return [int(number) for number in re.findall(r'<article class="comment" id="comment-(\d+)"', text)]


@on_sqlite
def test_pages_are_linked_both_ways_in_either_order(
    site: SiteView, settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(settings.model_copy(update={"thread_page_size": 2}))
    made = [a_comment(app, site).id for _ in range(5)]
    client = app.test_client()
    first = page(client).text
    assert 'rel="prev"' not in first
    second = client.get(link(first, "More comments")).text
    assert comments_of(second) == made[2:4]
    assert comments_of(client.get(link(second, "Previous comments")).text) == made[:2]
    newest = client.get(link(second, "Newest first")).text
    assert comments_of(newest) == [made[4], made[3]]
    assert comments_of(client.get(link(newest, "More comments")).text) == [made[2], made[1]]
    assert comments_of(client.get(link(second, "Back to the first comments")).text) == made[:2]


@on_sqlite
def test_the_sites_order_holds_until_a_reader_asks_for_another(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    made = [a_comment(app, site).id for _ in range(2)]
    change_site(app, site, options={"sort": "newest"})
    text = page(client).text
    assert comments_of(text) == made[::-1]
    assert comments_of(client.get(link(text, "Oldest first")).text) == made


@on_sqlite
def test_a_permalink_leads_to_the_page_that_has_the_comment(
    site: SiteView, settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(settings.model_copy(update={"thread_page_size": 2}))
    made = [a_comment(app, site).id for _ in range(4)]
    client = app.test_client()
    later = client.get(link(page(client).text, "More comments")).text
    permalink = next(address for address in re.findall(r'href="([^"]+)"', later) if "comment=" in address)
    assert permalink.endswith(f"comment={made[2]}#comment-{made[2]}")
    assert comments_of(client.get(unescape(permalink)).text)[0] == made[2]


@on_sqlite
def test_replies_that_are_left_out_are_a_link_away(app: Flask, site: SiteView, client: FlaskClient) -> None:
    root = a_comment(app, site).id
    with app.app_context(), transaction() as session:
        replies = add(session, site.id, identify(ARTICLE, None, origins=site.origins), 22, below=root)
    text = page(client).text
    assert comments_of(text) == [root, *replies[:20]]
    more = client.get(link(text, "Show 2 more replies")).text
    assert comments_of(more) == [root, *replies[20:]]
    assert "more repl" not in more
    assert 'rel="next"' not in more


@on_sqlite
def test_a_reply_on_the_last_level_says_whom_it_answers(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    change_site(app, site, rules={"max_depth": 2})
    first = a_comment(app, site, name="Ana")
    second = a_comment(app, site, name="Ben", parent_id=first.id)
    third = a_comment(app, site, name="Cleo", parent_id=second.id)
    text = page(client).text
    assert text.count("in reply to") == 1
    assert link(text, "in reply to Ben") == f"#comment-{second.id}"
    assert f"reply={third.id}" in text


@on_sqlite
def test_a_reply_to_what_is_on_another_page_still_finds_it(
    site: SiteView, settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(settings.model_copy(update={"thread_page_size": 1}))
    for name in ("Ana", "Leyla"):
        last = a_comment(app, site, name=name).id
    assert "Leave a Reply to Leyla" in page(app.test_client(), reply=str(last)).text


def test_a_closed_article_shows_its_comments_and_a_sentence(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    a_comment(app, site, text="Still here.")
    change_site(app, site, is_open=False)
    text = page(client).text
    assert "Still here." in text
    assert "Comments are closed." in text
    assert "<form" not in text
    assert "reply=" not in text


def test_readers_pages_show_nothing_of_the_moderators(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    text = page(client).text
    assert "Sign" not in text
    assert "/queue" not in text
    assert "csrf_token" not in text
