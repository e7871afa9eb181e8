"""Which article is meant: ids, addresses, aliases, on stored rows."""

from __future__ import annotations

import pytest
from flask import Flask

from comments_service import tokens
from comments_service.article_url import identify
from comments_service.storage.database import db
from comments_service.storage.threads import find_thread
from comments_service.vocabulary import SiteView
from tests.factories import KNOWN, ORIGIN, a_comment, a_site, wiring_of


def found(app: Flask, site: SiteView, url: str, article_id: str | None = None) -> int | None:
    """The thread that a page with this address and id shows."""
    with app.app_context():
        row = find_thread(db.session(), site.id, identify(url, article_id, origins=site.origins))
        return row.id if row else None


@pytest.mark.parametrize(
    "url",
    [
        f"{ORIGIN}/a/",
        f"{ORIGIN}/a/index.html",
        f"{ORIGIN}//a",
        f"{ORIGIN}/a?utm_source=letter",
        f"{ORIGIN}/a#comment-7",
        "http://NEWS.example.org:80/a",
        "https://www.news.example.org/%61",
    ],
)
def test_one_article_by_many_addresses_is_one_thread(app: Flask, site: SiteView, url: str) -> None:
    thread_id = a_comment(app, site, url=f"{ORIGIN}/a").thread_id
    assert found(app, site, url) == thread_id


def test_another_query_is_another_article(app: Flask, site: SiteView) -> None:
    a_comment(app, site, url=f"{ORIGIN}/read?id=1")
    assert found(app, site, f"{ORIGIN}/read?id=2") is None


def test_the_owners_id_wins_over_the_address(app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site, url=f"{ORIGIN}/old", article_id="42").thread_id
    a_comment(app, site, url=f"{ORIGIN}/new")
    assert found(app, site, f"{ORIGIN}/new", "42") == thread_id


def test_an_id_given_later_keeps_the_comments_of_the_address(app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site, url=f"{ORIGIN}/a").thread_id
    assert found(app, site, f"{ORIGIN}/a", "42") == thread_id


def test_two_ids_on_one_page_are_two_articles(app: Flask, site: SiteView) -> None:
    first = a_comment(app, site, url=f"{ORIGIN}/list", article_id="1").thread_id
    second = a_comment(app, site, url=f"{ORIGIN}/list", article_id="2").thread_id
    assert first != second
    assert found(app, site, f"{ORIGIN}/list", "3") is None


def test_a_comment_that_waits_lends_its_article_no_address(app: Flask, site: SiteView) -> None:
    a_comment(app, site, url=f"{ORIGIN}/famous", article_id="made-up", status="pending")
    assert found(app, site, f"{ORIGIN}/famous") is None


def test_a_known_author_lends_an_article_its_address_too(app: Flask) -> None:
    site = a_site(app, rules=KNOWN)
    email, url = "ana@example.org", f"{ORIGIN}/second"
    earlier = a_comment(app, site, url=f"{ORIGIN}/first", email=email)
    proof = tokens.receipt(wiring_of(app).keys, site=site.key, comment_id=earlier.id)
    new = a_comment(app, site, url=url, article_id="2", email=email, text="Me again.", previous=proof)
    assert (new.version, found(app, site, url)) == (1, new.thread_id)  # nobody has decided


def test_an_approved_comment_lets_its_address_lead_to_the_article(app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site, url=f"{ORIGIN}/a", article_id="42").thread_id
    assert found(app, site, f"{ORIGIN}/a") == thread_id


def test_an_address_that_leads_somewhere_is_not_taken_away(app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site, url=f"{ORIGIN}/a").thread_id
    a_comment(app, site, url=f"{ORIGIN}/b", article_id="42")
    a_comment(app, site, url=f"{ORIGIN}/a", article_id="42")
    assert found(app, site, f"{ORIGIN}/a") == thread_id


def test_the_same_address_on_two_sites_is_two_threads(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other")
    assert a_comment(app, site).thread_id != a_comment(app, other).thread_id
